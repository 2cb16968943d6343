"""The options of `dify_logs`: checked when the data source is made, before anything is sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .. import _profiles
from .._errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILTERS: Final = (
    "keyword",
    "status",
    "created_at__after",
    "created_at__before",
    "created_by_end_user_session_id",
    "created_by_account",
)
"""Options that are filters of `logs.iter`."""
NAMES: Final = ("baseUrl", "profile", "apps", "partitions", "workers", "details", "lag", "maxRows", *FILTERS)
MOST_PARTITIONS: Final = 1000
MOST_WORKERS: Final = 64
DEFAULT_PARTITIONS: Final = 8
DEFAULT_LAG: Final = 120
SHORTEST_LAG: Final = 30
"""Seconds by which a log may appear later than its own time."""
UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class Options(NamedTuple):
    """The options of a data source: plain values, which are sent to the workers.

    Attributes:
        base_url: address of the API; None for that of the environment or the profiles.
        apps: names of profiles; (None,) for the app of the environment.
        has_app: whether the name of the profile is a column.
        partitions: ranges of time for each app.
        workers: requests at once in a partition.
        details: runs that are looked up at once; None for logs without details.
        lag: age in seconds at which a stream reads a log.
        most_rows: logs in a batch of a stream, about; None for all that are there.
        filters: filters of `logs.iter`.
    """

    base_url: str | None
    apps: tuple[str | None, ...]
    has_app: bool
    partitions: int
    workers: int
    details: int | None
    lag: int
    most_rows: int | None
    filters: dict[str, str]


def options_from(given: Mapping[str, str]) -> Options:
    """The options as they were given to Spark, where their names' case has no meaning.

    Raises:
        ConfigurationError: one that is unknown, or has a value that cannot be meant.
    """
    known = {name.lower(): name for name in NAMES}
    values = {name.lower().replace("-", "_"): value for name, value in given.items()}
    if values.keys() & {"apikey", "api_key"}:
        raise ConfigurationError(
            "apiKey is not an option, as Spark writes options to plans and event logs: set DIFY_API_KEY where Spark's "
            "processes run, or name a profile by the option profile or apps"
        )
    if unknown := sorted(values.keys() - known.keys()):
        raise ConfigurationError(f"dify_logs has no option {unknown[0]!r}; it has {', '.join(NAMES)}")
    if "profile" in values and "apps" in values:
        raise ConfigurationError("profile and apps exclude each other: apps takes one name as well")
    names = _names("apps" if "apps" in values else "profile", values)
    base_url = values.get("baseurl")
    if base_url is not None and names:
        raise ConfigurationError("baseUrl is for the key in DIFY_API_KEY: a profile has an address of its own")
    partitions = _number("partitions", values, MOST_PARTITIONS)
    return Options(
        base_url=base_url,
        apps=names or (None,),
        has_app="apps" in values,
        partitions=DEFAULT_PARTITIONS if partitions is None else partitions,
        workers=_number("workers", values, MOST_WORKERS) or 1,
        details=_number("details", values, MOST_WORKERS),
        lag=_lag(values.get("lag")),
        most_rows=_number("maxRows", values, None),
        filters={name: values[name] for name in FILTERS if name in values},
    )


def _names(option: str, values: Mapping[str, str]) -> tuple[str, ...]:
    if option not in values:
        return ()
    names = tuple(name.strip() for name in values[option].split(",")) if option == "apps" else (values[option],)
    if wrong := [name for name in names if not re.fullmatch(_profiles.NAME, name)]:
        what = "names of profiles, separated by commas" if option == "apps" else "the name of a profile"
        raise ConfigurationError(f"{option} must be {what}; got {wrong[0]!r}")
    if len(names) > len(set(names)):
        raise ConfigurationError(f"apps has a name twice: {values[option]!r}")
    return names


def _number(option: str, values: Mapping[str, str], most: int | None) -> int | None:
    text = values.get(option.lower())
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= (most or int(text)):
        raise ConfigurationError(f"{option} must be an integer from 1{f' to {most}' if most else ''}; got {text!r}")
    return int(text)


def _lag(text: str | None) -> int:
    if text is None:
        return DEFAULT_LAG
    match = re.fullmatch(r"([0-9]{1,9})([smhd]?)", text)
    if match is None or (seconds := int(match[1]) * UNITS[match[2]]) < SHORTEST_LAG:
        raise ConfigurationError(
            f'lag must be an age from 30 seconds, such as "120" or "22m", as logs may appear so much later than their '
            f"own time; got {text!r}"
        )
    return seconds


def stream_options_from(given: Mapping[str, str], *, has_limit: bool) -> Options:
    """The options of a stream.

    Args:
        given: as they were given.
        has_limit: whether this Spark asks sources for limited batches.

    Raises:
        ConfigurationError: as `options_from` raises, or one that streams do not take.
    """
    options = options_from(given)
    if "created_at__before" in options.filters:
        raise ConfigurationError("a stream has no end: leave created_at__before out, or read a batch")
    if options.most_rows is not None and not has_limit:
        raise ConfigurationError("maxRows needs Spark 4.2 or newer")
    return options


def checked_columns(schema: Any, types: Mapping[str, Any]) -> None:  # noqa: ANN401 - a StructType
    """Check the schema that a user gave: any of the columns, in any order.

    Raises:
        ConfigurationError: a column is unknown, or has another type.
    """
    for field in schema.fields:
        if field.name not in types:
            raise ConfigurationError(f"dify_logs has no column {field.name!r}; it has {', '.join(types)}")
        if field.dataType != types[field.name]:
            wanted, got = types[field.name].simpleString(), field.dataType.simpleString()
            raise ConfigurationError(f"the column {field.name} is a {wanted}, not a {got}")

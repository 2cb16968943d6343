"""Partitions, and what a worker reads for one. Clients are made where they are used: none is sent to a worker."""

# pyarrow has no types.
# pyright: standard

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .. import DifyWorkflow, _profiles
from .._errors import BadRequestError, ConfigurationError
from .._extras import imported
from .._logs import times
from .._logs.arrow import for_engines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..types import LogRange
    from ._filters import Pushed
    from ._options import Options

DAY: Final = 86_400
"""Seconds; more than any zone differs from UTC."""


class Part(NamedTuple):
    """What a partition reads: a range of an app's logs; None where there are no logs."""

    app: str | None
    range: LogRange | None


class Column(NamedTuple):
    """A column that is read."""

    name: str
    is_nullable: bool


NOTHING: Final = [Part(None, None)]
"""The parts where there are no logs: Spark makes a partition of its own where it gets none."""


def client_of(options: Options, app: str | None) -> DifyWorkflow:
    """A client of an app, made of this process's environment or profiles.

    Raises:
        ConfigurationError: there is no key in the environment, or it cannot be used.
        ProfileError: there is no such profile, or it has no key.
    """
    if app is None:
        return DifyWorkflow(base_url=options.base_url)
    return _profiles.named(app, _profiles.read()).client()


# Planning ---------------------------------------------------------------------------------------------------------


def parts_of(options: Options, pushed: Pushed) -> list[Part]:
    """The parts of all logs that match the options, less some that Spark's filters exclude."""
    if pushed.is_empty:
        return NOTHING
    found: list[Part] = []
    for app in options.apps:
        if app is None or pushed.apps is None or not options.has_app or app in pushed.apps:
            with client_of(options, app) as client:
                found += [Part(app, one) for one in _ranges(client, options, pushed)]
    return found or NOTHING


def parts_between(options: Options, seconds: Mapping[str, tuple[int, int]]) -> list[Part]:
    """The parts of a stream's batch: for each app the logs after one second, up to another."""
    found: list[Part] = []
    for app in options.apps:
        start, end = seconds[app or ""]
        if start < end:
            with client_of(options, app) as client:
                bounds: dict[str, Any] = {"created_at__after": moment(start + 1), "created_at__before": moment(end)}
                filters: dict[str, Any] = {**options.filters, **bounds}
                found += [Part(app, one) for one in client.logs.ranges(options.partitions, **filters)]
    return found or NOTHING


def _ranges(client: DifyWorkflow, options: Options, pushed: Pushed) -> list[LogRange]:
    filters: dict[str, Any] = {**pushed.filters, **options.filters}
    bounds = _bounds(client, options.filters, pushed)
    if bounds is None:
        return []
    filters |= bounds
    try:
        return client.logs.ranges(options.partitions, **filters)
    except BadRequestError as error:
        # The server knows the members of the workspace alone. Whether a log was created by somebody else, such as a
        # former member, only the logs show.
        account = pushed.filters.get("created_by_account")
        if account is None or "created_by_account" in options.filters or "ccount not found" not in error.message:
            raise
        del filters["created_by_account"]
        return client.logs.ranges(options.partitions, **filters)


def _bounds(client: DifyWorkflow, filters: Mapping[str, str], pushed: Pushed) -> dict[str, datetime] | None:
    """The bounds of the options and of Spark's filters together; None where no log can be between them.

    Spark compares times as they are displayed. Where the server filters by others, its filters are not used.
    """
    oldest = times.earliest_second("created_at__after", filters.get("created_at__after"))
    newest = times.latest_second("created_at__before", filters.get("created_at__before"))
    if pushed.oldest is not None and (oldest is None or pushed.oldest > oldest) and _agrees(client, pushed.oldest):
        oldest = pushed.oldest
    if (
        pushed.newest is not None
        and (newest is None or pushed.newest < newest)
        and _agrees(client, pushed.newest + DAY)
    ):
        newest = pushed.newest
    if oldest is not None and newest is not None and newest < oldest:
        return None
    bounds: dict[str, Any] = {"created_at__after": oldest, "created_at__before": newest}
    return {name: moment(second) for name, second in bounds.items() if second is not None}


def _agrees(client: DifyWorkflow, second: int) -> bool:
    """Whether the server filters the last log before a second by the time that it displays."""
    nearest = client.logs.list(limit=1, created_at__before=moment(second)).data
    if not nearest:
        return True
    if not isinstance(nearest[0].created_at, int):
        return False
    displayed = moment(nearest[0].created_at)
    page = client.logs.list(limit=100, created_at__after=displayed, created_at__before=displayed)
    return nearest[0].id in {log.id for log in page.data} or bool(page.has_more)


def moment(second: int) -> datetime:
    """An epoch second as a datetime."""
    return datetime.fromtimestamp(min(second, _LAST), UTC)


_LAST: Final = 253_402_300_799
"""The last second of the year 9999."""


# Reading ----------------------------------------------------------------------------------------------------------


def batches_of(options: Options, part: Part, columns: Sequence[Column]) -> Iterator[Any]:
    """The logs of a part as Arrow batches, in exactly the types that Spark has for the columns."""
    if part.range is None:
        return
    pyarrow = imported("pyarrow", "spark")
    with (
        client_of(options, part.app) as client,
        client.logs.iter(range=part.range, workers=options.workers, details=options.details) as walk,
    ):
        for found in walk.to_arrow():
            batch = for_engines(found, part.app if options.has_app else None).select(
                [column.name for column in columns]
            )
            fields = [field.with_nullable(one.is_nullable) for field, one in zip(batch.schema, columns, strict=True)]
            yield pyarrow.RecordBatch.from_arrays(batch.columns, schema=pyarrow.schema(fields))


# Streams ----------------------------------------------------------------------------------------------------------


def beginning(options: Options) -> int:
    """The second before the first log of a new stream."""
    first = times.earliest_second("created_at__after", options.filters.get("created_at__after"))
    return -1 if first is None else first - 1


def settled_second(client: DifyWorkflow, lag: int, *, after: int) -> int | None:
    """The second up to which logs are read now, by the server's clock; None where there is no log after `after`.

    Raises:
        ConfigurationError: the server does not say what time it is.
    """
    response = client.logs.with_raw_response.list(limit=1, created_at__after=moment(after + 1))
    if not response.parse().data:
        return None
    return second_of(response.headers.get("date")) - lag


def second_of(date: str | None) -> int:
    """The epoch second of a response's `Date`.

    Raises:
        ConfigurationError: there is none.
    """
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - loaded when needed

    try:
        return int(parsedate_to_datetime(date or "").timestamp())
    except ValueError:
        raise ConfigurationError(
            f"a stream goes by the server's clock, and the server's Date is {date!r}: let the proxy before it pass it"
        ) from None


def end_of_batch(client: DifyWorkflow, options: Options, start: int, end: int, most_rows: int | None) -> int:
    """The last second of a batch, with about so many logs: `start` where there are none, else at least one second."""
    while start < end:
        bounds: dict[str, Any] = {"created_at__after": moment(start + 1), "created_at__before": moment(end)}
        filters: dict[str, Any] = {**options.filters, **bounds}
        whole = client.logs.ranges(1, **filters)
        if not whole:
            return start
        if most_rows is None or whole[0].expected <= most_rows:
            return end
        # The oldest range of a few, and of that again: there may be a thousand times as many logs as wanted.
        oldest = client.logs.ranges(min(-(-whole[0].expected // most_rows), SPLIT), **filters)[-1]
        last = end if oldest.created_at__before is None else int(oldest.created_at__before.timestamp())
        if last >= end:
            return end  # all of one second, which is not split
        end = last
    return start


SPLIT: Final = 8

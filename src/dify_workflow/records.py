"""Logs as flat records: one list of columns for tables, files and data frames.

>>> from dify_workflow.records import COLUMNS, flatten, unflatten
>>> flatten(log)["run_status"]
'succeeded'
>>> unflatten(flatten(log)) == log.to_dict()
True

Each scalar field of a log, its run and its creators is a column. Whatever does not fit its column (a status that is a
number, text with NUL) and whatever the spec does not name is in the column `extra`, as JSON, so that nothing is lost.
"""

from __future__ import annotations

import hashlib
import json
import math
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, cast

from dify_workflow_api.models.workflow_log import WorkflowLog
from dify_workflow_api.types import Model, plain

from ._logs.columns import FIELDS
from ._logs.detailed_log import DetailedLog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .results import WorkflowRunDetail

__all__ = ["COLUMNS", "DETAIL_COLUMNS", "Column", "ColumnType", "flatten", "unflatten"]

ColumnType = Literal["string", "integer", "number", "boolean", "timestamp", "json"]
"""What a column holds: text, integers of 64 bits, floats, booleans, times in whole seconds of UTC, JSON as text."""


class Column(NamedTuple):
    """A column of the records.

    Attributes:
        name: its name, and the key in what `flatten` returns.
        type: what it holds; each column but `id` may also be NULL.
        description: what it means.
    """

    name: str
    type: ColumnType
    description: str


def _columns() -> tuple[Column, ...]:
    found = [Column(name, cast("ColumnType", kind), said) for name, kind, _, _, said in FIELDS]
    user = Column("user", "string", "Who started the run: the end user's session id, or the account's e-mail address.")
    extra = Column("extra", "json", "What has no column, or does not fit it, by its path; NULL when there is none.")
    return (*found[:2], user, *found[2:], extra)


COLUMNS: Final = _columns()
"""The columns of a log, in their order."""
DETAIL_COLUMNS: Final = (
    Column("run_inputs", "json", "The inputs of the run, as JSON."),
    Column("run_outputs", "json", "The outputs of the run, as JSON."),
    Column("run_detail_error", "string", "Why inputs and outputs could not be read; NULL when they could."),
)
"""The columns that a log with its run's details has in addition, after `COLUMNS`."""
APP_COLUMN: Final = Column("app", "string", "The name under which the app's client was given.")

_WHOLE: Final = "$log"
_ABSENT: Final = "$absent"
_TEXT: Final = "$text"
"""Keys of `extra` that are not paths: the whole log, fields that were not received, and JSON that databases refuse."""
_INT64: Final = range(-(2**63), 2**63)
_EXACT_FLOAT: Final = range(-(2**53), 2**53 + 1)
_SECONDS: Final = range(-62_135_596_800, 253_402_300_800)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def flatten(log: WorkflowLog | DetailedLog) -> dict[str, Any]:
    """The record of a log: a value for each of `COLUMNS`, and for each of `DETAIL_COLUMNS` where it has details.

    Times are aware datetimes in UTC, and `extra`, inputs and outputs are JSON texts. What is not there is None.
    """
    if isinstance(log, DetailedLog):
        return record_of(columns_of(details=True), row_with_details(log))
    return record_of(COLUMNS, row_of(log))


def record_of(columns: tuple[Column, ...], values: list[Any]) -> dict[str, Any]:
    """The record of a row: its values by the names of the columns, with times as datetimes."""
    return {
        column.name: _EPOCH + timedelta(seconds=value) if column.type == "timestamp" and value is not None else value
        for column, value in zip(columns, values, strict=True)
    }


def unflatten(record: Mapping[str, Any]) -> dict[str, Any]:
    """What `to_dict()` of the log gave, from its record.

    Takes the values that databases and data frames give for those of `flatten`: times as datetimes (naive means UTC),
    epoch seconds or ISO 8601 text, and booleans as numbers. Columns that are missing are NULL, and others are ignored.

    Raises:
        ValueError: a value does not have the type of its column.
    """
    extra = _parsed(record.get("extra"))
    if _WHOLE in extra:
        whole: dict[str, Any] = extra[_WHOLE]
        return whole
    result: dict[str, Any] = {}
    for group in _GROUPS:
        values = {
            field.key: _restored(field, value)
            for field in group.fields
            if (value := record.get(field.name)) is not None
        }
        prefix = f"{group.key}."
        is_there = not group.key or values or any(path.startswith(prefix) for path in _paths(extra))
        known = dict.fromkeys(field.key for field in group.fields) | values
        if not group.key:
            result |= known | dict.fromkeys(_OTHERS)
        else:
            result[group.key] = known if is_there else None
    for path, value in extra.items():
        if path not in (_ABSENT, _TEXT):
            part, _, key = path.rpartition(".")
            (result[part] if part else result)[key] = value
    for path in extra.get(_ABSENT, ()):
        part, _, key = path.rpartition(".")
        (result[part] if part else result).pop(key, None)
    return result


# Rows -----------------------------------------------------------------------------------------------------------
# What exports write: lists of values in the order of the columns, with times as epoch seconds.


class _Field(NamedTuple):
    name: str
    fits: Callable[[Any], bool]
    key: str
    attribute: str
    kind: str
    place: int


class _Group(NamedTuple):
    """The columns of one part of a log; `key` is "" for those of the log itself."""

    key: str
    fields: tuple[_Field, ...]
    names: frozenset[str]
    values: Callable[[Any], tuple[Any, ...]]
    keys: tuple[str, ...]
    nothing: tuple[None, ...]


def is_plain_text(value: str) -> bool:
    """Whether text can be stored everywhere: no NUL, which PostgreSQL refuses, and no lone surrogates."""
    return "\0" not in value and (value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value))


def _fits_string(value: object) -> bool:
    return isinstance(value, str) and is_plain_text(value)


def _fits_integer(value: object) -> bool:
    return type(value) is int and value in _INT64


def _fits_number(value: object) -> bool:
    return (type(value) is float and math.isfinite(value)) or (type(value) is int and value in _EXACT_FLOAT)


def _fits_boolean(value: object) -> bool:
    return type(value) is bool


def _fits_timestamp(value: object) -> bool:
    return type(value) is int and value in _SECONDS


_FITS: Final[dict[str, Callable[[Any], bool]]] = {
    "string": _fits_string,
    "integer": _fits_integer,
    "number": _fits_number,
    "boolean": _fits_boolean,
    "timestamp": _fits_timestamp,
}
_PLACES: Final = {column.name: place for place, column in enumerate(COLUMNS)}
_WIDTH: Final = len(COLUMNS)
_ID, _USER, _EXTRA = _PLACES["id"], _PLACES["user"], _PLACES["extra"]


def _groups() -> tuple[_Group, ...]:
    parts: dict[str, list[_Field]] = {}
    for name, kind, path, attribute, _ in FIELDS:
        part, _, key = path.rpartition(".")
        parts.setdefault(part, []).append(_Field(name, _FITS[kind], key, attribute, kind, _PLACES[name]))
    return tuple(
        _Group(
            part,
            tuple(fields),
            frozenset(field.key for field in fields),
            attrgetter(*(field.attribute for field in fields)),
            tuple(field.key for field in fields),
            (None,) * len(fields),
        )
        for part, fields in parts.items()
    )


_GROUPS: Final = _groups()
_TOP, *_PARTS = _GROUPS
_PART_KEYS: Final = frozenset(group.key for group in _PARTS)
_LOG_KEYS: Final = tuple(WorkflowLog._names)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - see above
_LOG_VALUES: Final = attrgetter(*WorkflowLog._names.values())  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - see above
_OTHERS: Final = tuple(key for key in WorkflowLog._names if key not in _TOP.names and key not in _PART_KEYS)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - of the models' own package
"""Fields of a log that have no column, such as `details`; those that are not null are in `extra`."""


def row_of(log: Any) -> list[Any]:  # noqa: ANN401 - a server may send anything
    """The values of `COLUMNS` for a log, with times as epoch seconds. Never fails over what a log holds."""
    row: list[Any] = [None] * _WIDTH
    if not isinstance(log, WorkflowLog):
        return _row_of_whole(log, row)
    extra: dict[str, Any] = {}
    _take(_TOP, log, row, extra)
    for group in _PARTS:
        if (part := getattr(log, group.key)) is not None:
            _take_part(group, part, row, extra)
    for key in _OTHERS:
        if (value := getattr(log, key)) is not None:
            extra[key] = plain(value)
    if row[_ID] is None and "id" not in extra and "id" not in extra.get(_ABSENT, ()):
        extra["id"] = None  # the column gets another key below
    session, email = row[_SESSION], row[_EMAIL]
    row[_USER] = email if session is None else session
    if extra:
        if _WHOLE in extra:
            return _row_of_whole(log, row)
        row[_EXTRA] = json_text(extra)
    if row[_ID] is None:
        row[_ID] = _identity(log)
    return row


_SESSION, _EMAIL = _PLACES["end_user_session_id"], _PLACES["account_email"]


def _take_part(group: _Group, part: object, row: list[Any], extra: dict[str, Any]) -> None:
    if not isinstance(part, Model):
        extra[group.key] = plain(part)
    elif not _take(group, part, row, extra) and not any(path.startswith(f"{group.key}.") for path in _paths(extra)):
        extra[group.key] = part.to_dict()


def _take(group: _Group, model: Model, row: list[Any], extra: dict[str, Any]) -> bool:
    """Put the fields of a part into their columns, and the rest into `extra`; whether a column has a value."""
    found = False
    for field, value in zip(group.fields, group.values(model), strict=True):
        if value is None:
            continue
        if field.fits(value):
            row[field.place] = value.value if isinstance(value, Enum) else value
            found = True
        else:
            extra[f"{group.key}.{field.key}" if group.key else field.key] = plain(value)
    if hasattr(model, "_keys"):
        _take_shape(group, model, extra)
    return found


def _take_shape(group: _Group, model: Model, extra: dict[str, Any]) -> None:
    """Note the fields that were not received, and those that the spec does not name."""
    prefix = f"{group.key}." if group.key else ""
    received, names, unknown = _shape_of(model)
    absent = [prefix + key for key, name in names.items() if key not in received and getattr(model, name) is None]
    for key, value in unknown.items():
        if "." in key or key[:1] == "$":  # it looks like a path
            extra[_WHOLE] = None
        else:
            extra[prefix + key] = plain(value)
    if absent:
        extra.setdefault(_ABSENT, []).extend(absent)


def _shape_of(model: Any) -> tuple[tuple[str, ...], dict[str, str], dict[str, Any]]:  # noqa: ANN401 - see below
    """What was received of a model, its names, and its unknown fields: inside of the project, no more private."""
    return model._keys, model._names, model._extra or {}  # noqa: SLF001 - as above


def _paths(extra: dict[str, Any]) -> list[str]:
    return [*extra, *extra.get(_ABSENT, ())]


def _row_of_whole(log: Any, row: list[Any]) -> list[Any]:  # noqa: ANN401 - likewise
    row[_EXTRA] = json_text({_WHOLE: plain(log)})
    if row[_ID] is None:
        row[_ID] = _identity(log)
    return row


def _identity(log: Any) -> str:  # noqa: ANN401 - likewise
    """A key for a log without a usable id: that of its run, or one that follows from all that it holds."""
    for owner in (log, getattr(log, "workflow_run", None)):
        found: object = getattr(owner, "id", None)
        if isinstance(found, str) and is_plain_text(found):
            return found
    text = json.dumps(plain(log), sort_keys=True, default=str)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def rows_of(logs: Sequence[Any], time: Callable[[int], Any] | None = None) -> list[list[Any]]:
    """The rows of several logs, as `row_of` gives them, column by column, which is faster.

    Args:
        logs: the logs.
        time: what makes the value of a time from epoch seconds.
    """
    columns = _columns_of_regular(logs) if set(map(type, logs)) == {WorkflowLog} else None
    if columns is None:
        columns = [list(column) for column in zip(*map(row_of, logs), strict=True)]
    if time is not None:
        seconds = {second for place in _TIMES for second in columns[place]} - {None}  # many logs share one
        values: dict[int | None, Any] = {None: None, **{second: time(second) for second in seconds}}
        for place in _TIMES:
            columns[place] = list(map(values.__getitem__, columns[place]))
    return list(map(list, zip(*columns, strict=True)))


def _columns_of_regular(logs: Sequence[Any]) -> list[list[Any]] | None:
    """The columns of logs that are all as the spec says; None where one is not."""
    columns: list[list[Any]] = [[]] * _WIDTH
    for group in _GROUPS:
        models: list[Any] = list(map(attrgetter(group.key), logs)) if group.key else list(logs)
        kinds = set(map(type, models)) - {type(None)}
        if not all(issubclass(kind, Model) for kind in kinds) or any(map(hasattr, models, repeat("_keys"))):
            return None
        values = [group.nothing if model is None else group.values(model) for model in models]
        if values.count(group.nothing) != models.count(None):
            return None
        for field, column in zip(group.fields, zip(*values, strict=True), strict=True):
            checked = _checked_column(field.kind, column)
            if checked is None:
                return None
            columns[field.place] = checked
    if None in columns[_ID] or any(getattr(log, key) is not None for key in _OTHERS for log in logs):
        return None
    pairs = zip(columns[_SESSION], columns[_EMAIL], strict=True)
    columns[_USER] = [email if session is None else session for session, email in pairs]
    columns[_EXTRA] = [None] * len(logs)
    return columns


def _checked_column(kind: str, column: Sequence[Any]) -> list[Any] | None:
    """The values of a column; None where one does not fit it."""
    kinds = set(map(type, column)) - {type(None)}
    values = list(column)
    if kind == "string":
        if not all(issubclass(one, str) for one in kinds):
            return None
        if kinds - {str}:
            values = [None if value is None else str.__str__(value) for value in column]  # members of enums, too
        fits = is_plain_text("".join(filter(None, values)))
    else:
        fits = kinds <= _SIMPLE[kind] and _are_in_range(kind, kinds, [value for value in column if value is not None])
    return values if fits else None


def _are_in_range(kind: str, kinds: set[type], values: list[Any]) -> bool:
    if kind == "number":
        return all(map(_fits_number, values)) if int in kinds else all(map(math.isfinite, values))
    if kind == "boolean" or not values:
        return True
    allowed = _SECONDS if kind == "timestamp" else _INT64
    return min(values) in allowed and max(values) in allowed


_SIMPLE: Final[dict[str, set[type]]] = {"integer": {int}, "number": {float, int}, "boolean": {bool}, "timestamp": {int}}
_TIMES: Final = tuple(place for place, column in enumerate(COLUMNS) if column.type == "timestamp")


def json_object_of(log: Any) -> Any:  # noqa: ANN401 - likewise
    """What `to_dict()` gives, to be written as JSON at once: parts of it are those of the log itself."""
    if not isinstance(log, Model):
        return plain(log)
    if not isinstance(log, WorkflowLog) or hasattr(log, "_keys"):
        return log.to_dict()
    value: dict[str, Any] = dict(zip(_LOG_KEYS, _LOG_VALUES(log), strict=True))
    for group in _PARTS:
        if isinstance(part := value[group.key], Model):
            if hasattr(part, "_keys") or len(group.keys) != len(part._names):  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - see above
                value[group.key] = part.to_dict()
            else:
                value[group.key] = dict(zip(group.keys, group.values(part), strict=True))
    for key in _OTHERS:
        if value[key] is not None:
            value[key] = plain(value[key])
    return value


def columns_of(*, details: bool = False, app: bool = False) -> tuple[Column, ...]:
    """The columns of a table: with those of the runs' details, and the name of the app first."""
    found = (*COLUMNS, *DETAIL_COLUMNS) if details else COLUMNS
    return (APP_COLUMN, *found) if app else found


def row_with_details(log: DetailedLog) -> list[Any]:
    """The values of `COLUMNS` and `DETAIL_COLUMNS` for a log with its run's details."""
    return row_of(log.log) + details_of(log)


def details_of(log: DetailedLog) -> list[Any]:
    """The values of `DETAIL_COLUMNS` for a log with its run's details."""
    error = None if log.error is None else str(log.error)
    if error is not None and not is_plain_text(error):
        error = error.replace("\0", " ").encode("ascii", "backslashreplace").decode()
    return [_input_text(log.run, "inputs"), _input_text(log.run, "outputs"), error]


def _input_text(run: WorkflowRunDetail | None, name: str) -> str | None:
    if run is None:
        return None
    value: object = getattr(run, name)
    text: object = getattr(run, f"{name}_text", None)
    if not isinstance(text, str):
        return None if value is None else json_text(plain(value))
    is_json = value != text  # else it was kept as it came
    return text if is_json and is_safe_json(text) else _wrapped(text)


def is_safe_json(text: str) -> bool:
    """Whether databases take a JSON text: no NUL or lone surrogates, not even escaped, and no NaN."""
    if not is_plain_text(text) or "\\u0000" in text:
        return False
    if "NaN" not in text and "Infinity" not in text and "\\ud" not in text.lower():
        return True
    try:
        json.dumps(json.loads(text), allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


def json_text(value: object) -> str:
    """A value as JSON that each database takes; where there is none, as JSON that has the JSON as a text."""
    text = json.dumps(value, separators=(",", ":"), default=str)
    return text if is_safe_json(text) else _wrapped(text)


def _wrapped(text: str) -> str:
    return json.dumps({_TEXT: text}, separators=(",", ":"))


def _parsed(extra: object) -> dict[str, Any]:
    if extra is None:
        return {}
    value: object = json.loads(extra) if isinstance(extra, str | bytes) else extra
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        return cast("dict[str, Any]", json.loads(found[_TEXT])) if found.keys() == {_TEXT} else found
    raise ValueError(f"extra must be a JSON object, got {extra!r}")


def _restored(field: _Field, value: Any) -> Any:  # noqa: ANN401 - any column
    if field.kind == "timestamp":
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if isinstance(value, datetime):
            moment = value.replace(tzinfo=UTC) if value.utcoffset() is None else value
            value = (moment - _EPOCH) // timedelta(seconds=1)
    elif field.kind == "boolean" and type(value) is int and value in (0, 1):
        value = bool(value)
    if not field.fits(value):
        raise ValueError(f"{field.name} must be a {field.kind}, got {value!r}")
    return value

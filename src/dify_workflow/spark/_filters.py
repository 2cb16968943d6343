"""Which of Spark's filters are sent to the server. All of them are checked by Spark again, so that none must be."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

STATUSES: Final = frozenset({"succeeded", "failed", "stopped"})
"""Those by which servers filter."""
COLUMNS: Final = {
    "run_status": "status",
    "end_user_session_id": "created_by_end_user_session_id",
    "account_email": "created_by_account",
}
"""Filters of `logs.iter` by the columns that they compare."""
EQUAL: Final = ("EqualTo", "EqualNullSafe")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Pushed:
    """What is sent to the server in addition to the options.

    Attributes:
        oldest: first second of `created_at`, as it is displayed; None is no bound.
        newest: last second of `created_at`, as it is displayed; None is no bound.
        apps: the apps that are wanted; None for all.
        filters: other filters of `logs.iter`.
    """

    oldest: int | None = None
    newest: int | None = None
    apps: frozenset[str] | None = None
    filters: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def is_empty(self) -> bool:
        """Whether no log can match."""
        if self.newest is None:
            return False
        return self.newest < 0 or (self.oldest is not None and self.newest < self.oldest)


def pushed_from(filters: Iterable[Any]) -> Pushed:
    """What is sent to the server for Spark's filters, all of which a row must meet."""
    pushed = Pushed()
    for one in filters:
        kind, path = type(one).__name__, one.__dict__.get("attribute", ())
        value: object = one.__dict__.get("value")
        column = path[0] if len(path) == 1 else None
        if column == "created_at" and isinstance(value, datetime) and value.tzinfo is not None:
            _push_time(pushed, kind, value)
        elif column == "app":
            _push_apps(pushed, kind, value)
        elif column in COLUMNS and kind in EQUAL and isinstance(value, str) and _is_exact(column, value):
            pushed.filters.setdefault(COLUMNS[column], value)
    return pushed


def _push_time(pushed: Pushed, kind: str, value: datetime) -> None:
    """Take a bound of `created_at`, which has whole seconds."""
    second, rest = divmod((value - EPOCH) // timedelta(microseconds=1), 1_000_000)
    next_second = second + 1 if rest else second  # the first that is not before the value
    oldest = {"GreaterThan": second + 1, "GreaterThanOrEqual": next_second}.get(kind)
    newest = {"LessThan": next_second - 1, "LessThanOrEqual": second}.get(kind)
    if kind in EQUAL:
        oldest, newest = next_second, second
    if oldest is not None and oldest > 0:
        pushed.oldest = oldest if pushed.oldest is None else max(pushed.oldest, oldest)
    if newest is not None:
        pushed.newest = newest if pushed.newest is None else min(pushed.newest, newest)


def _push_apps(pushed: Pushed, kind: str, value: object) -> None:
    if kind in EQUAL:
        wanted: Iterable[object] = (value,)
    elif kind == "In" and isinstance(value, tuple):
        wanted = cast("tuple[object, ...]", value)
    else:
        return
    names = frozenset(name for name in wanted if isinstance(name, str))
    pushed.apps = names if pushed.apps is None else pushed.apps & names


def _is_exact(column: str, value: str) -> bool:
    """Whether the server finds exactly the rows with this value, and takes it as a filter."""
    if column == "run_status":
        return value in STATUSES
    return value.isprintable() and bool(value) and value == value.strip()

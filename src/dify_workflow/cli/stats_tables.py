"""Tables of statistics: their columns and rows, for every format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dify_workflow._logs.times import second_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from dify_workflow.stats import Stats, StatusCounts


class Table(NamedTuple):
    """A table of figures; the first column names what each row is about."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    bar: str
    """The column that a terminal shows as a bar, too."""


def by_day(stats: Stats) -> Table:
    """A row for each day."""
    columns = ("day", "logs", *COUNTS, "tokens", "p50", "p95", "p99", "max", "cost")
    rows = [
        (
            day.date.isoformat(),
            day.logs,
            *_counts(day.statuses),
            day.tokens,
            day.duration.p50,
            day.duration.p95,
            day.duration.p99,
            day.duration.max,
            day.cost,
        )
        for day in stats.days
    ]
    return Table(columns, rows, "logs")


def by_user(stats: Stats) -> Table:
    """A row for each user, most runs first."""
    rows = [
        (user.user, *_counts(user.statuses), user.tokens, second_text(user.last_seen), user.cost)
        for user in stats.users
    ]
    return Table(("user", *COUNTS, "tokens", "last_seen", "cost"), rows, "runs")


def by_error(stats: Stats) -> Table:
    """A row for each group of errors, most frequent first."""
    rows = [(group.error, group.count, second_text(group.last_seen), group.example_run_id) for group in stats.errors]
    return Table(("error", "runs", "last_seen", "example_run_id"), rows, "runs")


def by_version(stats: Stats) -> Table:
    """A row for each version of the workflow, in order of first use."""
    columns = ("version", *COUNTS, "change", "tokens", "first_seen", "last_seen")
    rows = [
        (
            one.version,
            *_counts(one.statuses),
            one.change,
            one.tokens,
            second_text(one.first_seen),
            second_text(one.last_seen),
        )
        for one in stats.versions
    ]
    return Table(columns, rows, "runs")


def by_status(stats: Stats) -> Table:
    """A row for each status, and one for logs whose run was deleted."""
    rows: list[tuple[Any, ...]] = list(stats.statuses.by_status.items())
    if stats.deleted:
        rows.append(("(deleted)", stats.deleted))
    return Table(("status", "runs"), rows, "runs")


def by_trigger(stats: Stats) -> Table:
    """A row for each way in which runs were started."""
    rows = [
        (f"{one.created_from} / {one.triggered_from}", *_counts(one.statuses), one.tokens) for one in stats.triggers
    ]
    return Table(("trigger", *COUNTS, "tokens"), rows, "runs")


COUNTS: Final = ("runs", "ended", "failed", "failure_rate", "partial_succeeded")

TABLES: Final[dict[str, Callable[[Stats], Table]]] = {
    "day": by_day,
    "user": by_user,
    "error": by_error,
    "version": by_version,
    "status": by_status,
    "trigger": by_trigger,
}
"""The tables by the values of `--by`."""


def _counts(statuses: StatusCounts) -> tuple[Any, ...]:
    return (statuses.runs, statuses.ended, statuses.failed, statuses.failure_rate, statuses.partial_succeeded)

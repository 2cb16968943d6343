"""The figures that `Stats` reports: plain frozen values.

Durations are seconds, rates are shares from 0 to 1, moments are aware datetimes in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any

from .._logs.times import second_text
from .._runs.statuses import ENDED_STATUSES


class Figures:
    """Fields that are figures."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON values, by the names of the fields."""
        return {item.name: _json(getattr(self, item.name)) for item in fields(self)}  # type: ignore[arg-type]  # a dataclass inherits it


@dataclass(frozen=True, slots=True)
class StatusCounts:
    """Numbers of runs by status, and the rates that follow from them."""

    by_status: Mapping[str, int]
    """Number of runs of each status, in descending order. Statuses that this version does not know are included."""

    @property
    def runs(self) -> int:
        """Number of runs."""
        return sum(self.by_status.values())

    @property
    def ended(self) -> int:
        """Number of runs that have ended: succeeded, failed, stopped or partially succeeded."""
        return sum(count for status, count in self.by_status.items() if status in ENDED_STATUSES)

    @property
    def failed(self) -> int:
        """Number of runs with the status `failed`."""
        return self.by_status.get("failed", 0)

    @property
    def partial_succeeded(self) -> int:
        """Number of runs with the status `partial-succeeded`: they ended, and some of their nodes failed."""
        return self.by_status.get("partial-succeeded", 0)

    @property
    def failure_rate(self) -> float | None:
        """Failed runs / ended runs; partial successes count as ended and not as failed. None if no run has ended."""
        return self.failed / self.ended if self.ended else None

    @property
    def partial_rate(self) -> float | None:
        """Partial successes / ended runs. None if no run has ended."""
        return self.partial_succeeded / self.ended if self.ended else None

    def to_dict(self) -> dict[str, Any]:
        """The counts and rates as JSON values."""
        return {
            "runs": self.runs,
            "by_status": dict(self.by_status),
            "ended": self.ended,
            "failed": self.failed,
            "failure_rate": self.failure_rate,
            "partial_succeeded": self.partial_succeeded,
            "partial_rate": self.partial_rate,
        }


@dataclass(frozen=True, slots=True)
class Duration(Figures):
    """Exact percentiles of the durations of ended runs, in seconds.

    A percentile between two runs is interpolated linearly, as by `percentile_cont` in SQL and by NumPy's default.
    """

    count: int
    """Number of ended runs with a valid `elapsed_time`."""
    p50: float | None
    """Median; None if there is no duration."""
    p95: float | None
    """95th percentile."""
    p99: float | None
    """99th percentile."""
    max: float | None
    """Longest duration."""


@dataclass(frozen=True, slots=True)
class Day(Figures):
    """What happened on one day, or in the week that begins on it, in the time zone of the statistics."""

    date: date
    logs: int
    """Number of logs, those of deleted runs included."""
    deleted: int
    """Number of logs whose run was deleted."""
    statuses: StatusCounts
    tokens: int
    """Total tokens of the day's runs."""
    duration: Duration
    cost: float | None
    """Estimated cost; None unless a price was given."""


@dataclass(frozen=True, slots=True)
class User(Figures):
    """The runs of one user."""

    user: str
    """Session id of the end user, or e-mail address of the account; "(unknown)" if the log names neither."""
    statuses: StatusCounts
    tokens: int
    last_seen: datetime | None
    """When the user's newest run was logged."""
    cost: float | None
    """Estimated cost; None unless a price was given."""


@dataclass(frozen=True, slots=True)
class ErrorGroup(Figures):
    """Failed runs with the same error, apart from ids, numbers and quoted text."""

    error: str
    """First line of the error, each id, number and quoted text replaced by "…"."""
    count: int
    """Number of failed runs."""
    last_seen: datetime | None
    """When the newest of them was logged."""
    example_run_id: str
    """Id of the newest of them."""
    example: str
    """First line of that run's error, as the server sent it, cut after 500 characters."""


@dataclass(frozen=True, slots=True)
class Version(Figures):
    """The runs of one version of the workflow."""

    version: str
    """As the server names it: the moment of publishing, or `draft`."""
    statuses: StatusCounts
    tokens: int
    first_seen: datetime | None
    last_seen: datetime | None
    change: float | None
    """Failure rate minus that of the version before; None for the first version, or where a rate is missing."""


@dataclass(frozen=True, slots=True)
class Trigger(Figures):
    """The runs that were started in one way."""

    created_from: str
    """The log's `created_from`, such as `service-api` or `web-app`."""
    triggered_from: str
    """The run's `triggered_from`, such as `app-run` or `schedule`."""
    statuses: StatusCounts
    tokens: int


@dataclass(frozen=True, slots=True)
class RunFigure(Figures):
    """One run with one figure: its duration in seconds, its tokens, or its age in seconds."""

    value: float
    run_id: str
    created_at: datetime | None
    status: str
    user: str


def moment(seconds: int) -> datetime | None:
    """The aware datetime of epoch seconds; None for negative ones, which stand for no time."""
    return None if seconds < 0 else datetime.fromtimestamp(seconds, UTC)


def _json(value: Any) -> Any:  # noqa: ANN401 - any field of the classes above
    if isinstance(value, datetime):
        return second_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.to_dict() if hasattr(value, "to_dict") else value

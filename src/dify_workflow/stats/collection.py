"""Collect statistics of logs in one pass."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from datetime import UTC, date, datetime, tzinfo
from heapq import heappush, heappushpop, merge
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from .._logs.times import second_text
from .._runs.statuses import ENDED_STATUSES
from .error_texts import first_line, normalized
from .figures import (
    Day,
    Duration,
    ErrorGroup,
    RunFigure,
    StatusCounts,
    Trigger,
    User,
    Version,
    moment,
)
from .time_zones import TimeZone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dify_workflow_api.models.workflow_log import WorkflowLog

    from dify_workflow.results import DetailedLog

K = TypeVar("K")

TOP = 20
"""How many of the slowest runs, of the runs with the most tokens, and of the oldest unfinished runs are kept."""

UNFINISHED_AFTER = 3600
"""Seconds after which a run that has not ended is reported as unfinished."""

DELETED = "(deleted)"
UNKNOWN = "(unknown)"

_JSON_TYPES = frozenset({dict, list, str, int, float, bool})
_UNREADABLE_RUN = SimpleNamespace(
    **dict.fromkeys(
        (
            "id",
            "status",
            "version",
            "triggered_from",
            "error",
            "elapsed_time",
            "total_tokens",
            "created_at",
            "finished_at",
        )
    )
)
_UNREADABLE_LOG = SimpleNamespace(
    workflow_run=_UNREADABLE_RUN, created_at=None, created_from=None, created_by_end_user=None, created_by_account=None
)

_VALUES_OF_AN_ARRAY = 8192
_DAY = 86_400
_LONGEST_GAP = 367  # days
_LATEST = 253_402_300_799  # 9999-12-31T23:59:59Z


def collect(
    logs: Iterable[WorkflowLog | DetailedLog],
    *,
    tz: tzinfo | str | None = None,
    now: datetime | None = None,
    price_per_1k: float | None = None,
) -> Stats:
    """Collect statistics of logs in one pass, in any order.

    Memory grows with days, users, versions and kinds of errors, and by at most 32 bytes per log.

    Args:
        logs: Logs, each once, such as `client.logs.iter(created_at__after="30d")`. Of several ranges or apps, collect
            each and add the results.
        tz: Time zone of days and hours: a `tzinfo`, a name such as "Europe/Berlin", or None, the zone of this machine.
        now: Moment against which unfinished runs are judged. Default: when the statistics are read.
        price_per_1k: Price of 1,000 tokens, in any currency, for estimates of cost. Default: no cost is reported.

    Raises:
        ValueError: `tz` is not a time zone of this machine, `now` is naive, or the price is negative.
        TypeError: `logs` is asynchronous: pass a list, or call `Stats.add` for each log.
        DifyError: What the walk raises.
    """
    stats = Stats(tz=tz, now=now, price_per_1k=price_per_1k)
    if hasattr(logs, "__aiter__"):
        raise TypeError(
            "collect() reads a synchronous iterable; with an asynchronous walk: "
            "stats = Stats(); async for log in walk: stats.add(log)"
        )
    for log in logs:
        stats.add(log)
    return stats


class _Group:
    """The runs of one user, version or trigger."""

    __slots__ = ("first", "last", "statuses", "tokens")

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.tokens = 0
        self.first = _LATEST
        self.last = -1

    def add(self, status: str, tokens: int, second: int | None) -> None:
        self.statuses[status] += 1
        self.tokens += tokens
        if second is not None:
            self.last = max(self.last, second)
            self.first = min(self.first, second)

    def merge(self, other: _Group) -> None:
        self.statuses.update(other.statuses)
        self.tokens += other.tokens
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)


class _Day:
    """The logs of one day."""

    __slots__ = ("deleted", "durations", "statuses", "tokens")

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.deleted = 0
        self.tokens = 0
        self.durations = _Values()

    def merge(self, other: _Day) -> None:
        self.statuses.update(other.statuses)
        self.deleted += other.deleted
        self.tokens += other.tokens
        self.durations.merge(other.durations)


class _Values:
    """Numbers in sorted arrays of some thousands: exact, 8 bytes each, and read in order without a copy of all."""

    __slots__ = ("_newest", "_sorted")

    def __init__(self) -> None:
        self._newest = array("d")
        self._sorted: list[array[float]] = []

    def append(self, value: float) -> None:
        self._newest.append(value)
        if len(self._newest) >= _VALUES_OF_AN_ARRAY:
            self._sort_newest()

    def merge(self, other: _Values) -> None:
        self._sorted += other._sorted
        self._newest += other._newest
        if len(self._newest) >= _VALUES_OF_AN_ARRAY:
            self._sort_newest()

    def _sort_newest(self) -> None:
        self._sorted.append(array("d", sorted(self._newest)))
        self._newest = array("d")

    def arrays(self) -> list[array[float]]:
        """All values, in sorted arrays; none of them is empty."""
        return [*self._sorted, array("d", sorted(self._newest))] if self._newest else self._sorted

    def in_order(self) -> Iterator[float]:
        """All values, least first."""
        return merge(*self.arrays())


_Ranked = tuple[float, str, int, str, str]
"""Value, run id, start in epoch seconds (-1: unknown), status, user."""


class Stats:
    """Statistics of logs. `collect` makes them; `+` adds those of other ranges or apps, exactly.

    Every figure is exact and does not depend on the order of the logs.

    Args:
        tz: Time zone of days and hours: a `tzinfo`, a name such as "Europe/Berlin", or None, the zone of this machine.
        now: Moment against which unfinished runs are judged. Default: when the statistics are read.
        price_per_1k: Price of 1,000 tokens, in any currency, for estimates of cost. Default: no cost is reported.
    """

    def __init__(
        self,
        *,
        tz: tzinfo | str | None = None,
        now: datetime | None = None,
        price_per_1k: float | None = None,
    ) -> None:
        if now is not None and now.utcoffset() is None:
            raise ValueError("now must be an aware datetime, such as datetime.now(timezone.utc)")
        if price_per_1k is not None and not (0 <= price_per_1k < math.inf):
            raise ValueError(f"price_per_1k must be a number of 0 or more, got {price_per_1k!r}")
        self._zone = TimeZone(tz)
        self._now = now
        self.price_per_1k: float | None = price_per_1k
        """Price of 1,000 tokens, as given."""
        self._first = _LATEST
        self._last = -1
        self._days: dict[int | None, _Day] = {}
        self._hours: Counter[tuple[int, int]] = Counter()
        self._users: dict[str, _Group] = {}
        self._versions: dict[str, _Group] = {}
        self._triggers: dict[tuple[str, str], _Group] = {}
        self._errors: dict[str, list[Any]] = {}
        self._slowest: list[_Ranked] = []
        self._most_tokens: list[_Ranked] = []
        # What a run needs for a place in the two lists above.
        self._least_duration = 0.0
        self._least_tokens = 1.0
        # The oldest come last in a heap of negated starts.
        self._oldest_unfinished: list[_Ranked] = []
        self._unfinished_starts = array("q")
        # Start and end of each run that has ended.
        self._starts = _Values()
        self._ends = _Values()

    # --- collecting ---------------------------------------------------------------------------------------------

    def add(self, log: WorkflowLog | DetailedLog) -> None:
        """Add one log. Values of an unexpected type are counted as missing; none of them raises."""
        entry: Any = getattr(log, "log", log)
        if entry is None or type(entry) in _JSON_TYPES:  # what a faulty server sent in place of a log
            entry = _UNREADABLE_LOG
        second = _second(entry.created_at)
        day = self._day(second)
        run: Any = entry.workflow_run
        if run is None:
            day.deleted += 1
            return
        if type(run) in _JSON_TYPES:  # what a faulty server sent in place of a run
            run = _UNREADABLE_RUN
        status, run_id, user = _text(run.status), _text(run.id), _user(entry)
        tokens = _whole(run.total_tokens)
        day.statuses[status] += 1
        day.tokens += tokens
        _group(self._users, user).add(status, tokens, second)
        _group(self._versions, _text(run.version)).add(status, tokens, second)
        trigger = (_text(entry.created_from), _text(run.triggered_from))
        _group(self._triggers, trigger).add(status, tokens, second)
        started = _second(run.created_at) or second or -1
        if tokens >= self._least_tokens:
            self._least_tokens = _rank(self._most_tokens, (tokens, run_id, started, status, user), 1.0)
        if status == "failed":
            self._add_error(run.error, second, run_id)
        if status in ENDED_STATUSES:
            self._add_ended(day, _seconds(run.elapsed_time), run_id, started, status, user, run.finished_at)
        elif started >= 0:
            self._unfinished_starts.append(started)
            _rank(self._oldest_unfinished, (-started, run_id, started, status, user))

    def _add_ended(
        self,
        day: _Day,
        elapsed: float | None,
        run_id: str,
        started: int,
        status: str,
        user: str,
        finished_at: object,
    ) -> None:
        if elapsed is not None:
            day.durations.append(elapsed)
            if elapsed >= self._least_duration:
                self._least_duration = _rank(self._slowest, (elapsed, run_id, started, status, user))
        if started >= 0:
            finished = _second(finished_at) or started
            self._starts.append(started)
            self._ends.append(max(finished, started) if elapsed is None else started + elapsed)

    def _day(self, second: int | None) -> _Day:
        ordinal = None
        if second is not None:
            ordinal, weekday, hour = self._zone.hour_of(second)
            self._hours[weekday, hour] += 1
            self._last = max(self._last, second)
            self._first = min(self._first, second)
        day = self._days.get(ordinal)
        if day is None:
            day = self._days[ordinal] = _Day()
        return day

    def _add_error(self, error: object, second: int | None, run_id: str) -> None:
        line = first_line(error)
        key = normalized(line)
        newest = (-1 if second is None else second, run_id, line)
        group = self._errors.get(key)
        if group is None:
            self._errors[key] = [1, newest]
            return
        group[0] += 1
        group[1] = max(group[1], newest)

    def __add__(self, other: Stats) -> Stats:
        """The statistics of the logs of both, as if they had been collected in one pass.

        Raises:
            ValueError: The two differ in their time zone or price.
        """
        if not isinstance(other, Stats):
            return NotImplemented
        if self._zone.name != other._zone.name or self.price_per_1k != other.price_per_1k:
            raise ValueError(
                f"statistics are added only when their time zones and prices are equal: {self.tz} and {other.tz}, "
                f"{self.price_per_1k} and {other.price_per_1k}"
            )
        total = Stats(price_per_1k=self.price_per_1k)
        total._zone = self._zone
        for part in (self, other):
            total._merge(part)
        return total

    def __radd__(self, other: int) -> Stats:
        """0 + statistics, so that `sum` adds a list of them."""
        return self + Stats._empty_like(self) if other == 0 else NotImplemented

    @classmethod
    def _empty_like(cls, other: Stats) -> Self:
        empty = cls(price_per_1k=other.price_per_1k)
        empty._zone = other._zone
        return empty

    def _merge(self, other: Stats) -> None:
        if other._now is not None:
            self._now = other._now if self._now is None else max(self._now, other._now)
        self._first = min(self._first, other._first)
        self._last = max(self._last, other._last)
        for ordinal, day in other._days.items():
            self._days.setdefault(ordinal, _Day()).merge(day)
        self._hours.update(other._hours)
        _merge_groups(self._users, other._users)
        _merge_groups(self._versions, other._versions)
        _merge_groups(self._triggers, other._triggers)
        for key, (count, newest) in other._errors.items():
            known = self._errors.setdefault(key, [0, newest])
            known[0] += count
            known[1] = max(known[1], newest)
        for mine, theirs in (
            (self._slowest, other._slowest),
            (self._most_tokens, other._most_tokens),
            (self._oldest_unfinished, other._oldest_unfinished),
        ):
            for ranked in theirs:
                _rank(mine, ranked)
        self._least_duration = self._slowest[0][0] if len(self._slowest) == TOP else 0.0
        self._least_tokens = self._most_tokens[0][0] if len(self._most_tokens) == TOP else 1.0
        self._unfinished_starts.extend(other._unfinished_starts)
        self._starts.merge(other._starts)
        self._ends.merge(other._ends)

    # --- figures ------------------------------------------------------------------------------------------------

    @property
    def tz(self) -> str:
        """Name of the time zone of days and hours."""
        return self._zone.name

    @property
    def logs(self) -> int:
        """Number of logs, those of deleted runs included."""
        return sum(day.statuses.total() + day.deleted for day in self._days.values())

    @property
    def deleted(self) -> int:
        """Number of logs whose run was deleted."""
        return sum(day.deleted for day in self._days.values())

    @property
    def first(self) -> datetime | None:
        """When the oldest log was created; None if there is none."""
        return moment(self._first) if self._last >= 0 else None

    @property
    def last(self) -> datetime | None:
        """When the newest log was created; None if there is none."""
        return moment(self._last)

    @property
    def statuses(self) -> StatusCounts:
        """Runs by status, and failure rates, of all logs."""
        total: Counter[str] = Counter()
        for day in self._days.values():
            total.update(day.statuses)
        return _counts(total)

    @property
    def failure_rate(self) -> float | None:
        """Failed runs / ended runs; None if no run has ended."""
        return self.statuses.failure_rate

    @property
    def total_tokens(self) -> int:
        """Total tokens of all runs."""
        return sum(day.tokens for day in self._days.values())

    @property
    def cost(self) -> float | None:
        """Estimated cost of all runs: tokens / 1,000 x price; None unless a price was given."""
        return self._cost(self.total_tokens)

    @property
    def duration(self) -> Duration:
        """Percentiles of the durations of all ended runs."""
        return _duration(self._days.values())

    @property
    def days(self) -> list[Day]:
        """Each day from the first with a log to the last, oldest first.

        Days without logs are included, but for gaps of over 366 days, which come from logs with a wrong time.
        """
        numbers = _without_gaps(sorted(number for number in self._days if number is not None))
        return [self._period(number, [number]) for number in numbers]

    @property
    def weeks(self) -> list[Day]:
        """Each week from the first with a log to the last, named by its Monday, as `days`."""
        mondays: dict[int, list[int]] = {}
        for number in _without_gaps(sorted(number for number in self._days if number is not None)):
            mondays.setdefault(number - (number - 1) % 7, []).append(number)
        return [self._period(monday, numbers) for monday, numbers in mondays.items()]

    def _period(self, first: int, numbers: list[int]) -> Day:
        days = [day for day in map(self._days.get, numbers) if day is not None]
        statuses: Counter[str] = Counter()
        for day in days:
            statuses.update(day.statuses)
        deleted, tokens = sum(day.deleted for day in days), sum(day.tokens for day in days)
        return Day(
            date=date.fromordinal(first),
            logs=statuses.total() + deleted,
            deleted=deleted,
            statuses=_counts(statuses),
            tokens=tokens,
            duration=_duration(days),
            cost=self._cost(tokens),
        )

    @property
    def without_time(self) -> int:
        """Number of logs without a valid `created_at`: they count in totals, and in no day or hour."""
        day = self._days.get(None)
        return day.statuses.total() + day.deleted if day else 0

    @property
    def hours(self) -> list[list[int]]:
        """Number of logs by weekday (Monday first) and hour: seven lists of 24 numbers."""
        return [[self._hours[weekday, hour] for hour in range(24)] for weekday in range(7)]

    @property
    def users(self) -> list[User]:
        """Users by number of runs, most first."""
        users = [
            User(name, _counts(group.statuses), group.tokens, moment(group.last), self._cost(group.tokens))
            for name, group in self._users.items()
        ]
        return sorted(users, key=lambda user: (-user.statuses.runs, user.user))

    @property
    def errors(self) -> list[ErrorGroup]:
        """Why runs failed, most frequent first."""
        groups = [
            ErrorGroup(key, count, moment(second), run_id, line)
            for key, (count, (second, run_id, line)) in self._errors.items()
        ]
        return sorted(groups, key=lambda group: (-group.count, group.error))

    @property
    def versions(self) -> list[Version]:
        """Versions of the workflow in the order in which they were first seen, with the change of the failure rate."""
        ordered = sorted(self._versions.items(), key=lambda item: (item[1].first, item[0]))
        versions: list[Version] = []
        before: float | None = None
        for name, group in ordered:
            statuses = _counts(group.statuses)
            rate = statuses.failure_rate
            change = None if before is None or rate is None else rate - before
            versions.append(
                Version(
                    name,
                    statuses,
                    group.tokens,
                    moment(group.first if group.last >= 0 else -1),
                    moment(group.last),
                    change,
                )
            )
            before = rate if rate is not None else before
        return versions

    @property
    def triggers(self) -> list[Trigger]:
        """Ways in which runs were started, most frequent first."""
        triggers = [
            Trigger(created_from, triggered_from, _counts(group.statuses), group.tokens)
            for (created_from, triggered_from), group in self._triggers.items()
        ]
        return sorted(triggers, key=lambda item: (-item.statuses.runs, item.created_from, item.triggered_from))

    @property
    def slowest(self) -> list[RunFigure]:
        """The 20 ended runs with the longest durations, longest first; `value` is seconds."""
        return _ranking(self._slowest)

    @property
    def most_tokens(self) -> list[RunFigure]:
        """The 20 runs with the most tokens, most first; `value` is tokens."""
        return _ranking(self._most_tokens)

    @property
    def unfinished(self) -> int:
        """Number of runs that were started over an hour ago and have not ended."""
        limit = self._moment_of_reading() - UNFINISHED_AFTER
        return sum(1 for start in self._unfinished_starts if start < limit)

    @property
    def oldest_unfinished(self) -> list[RunFigure]:
        """The 20 oldest of the `unfinished` runs, oldest first; `value` is the start in epoch seconds."""
        limit = self._moment_of_reading() - UNFINISHED_AFTER
        found = [ranked for ranked in self._oldest_unfinished if -ranked[0] < limit]
        return [RunFigure(-value, run, moment(at), status, who) for value, run, at, status, who in sorted(found)[::-1]]

    @property
    def peak_concurrency(self) -> int:
        """The most ended runs that were under way at one moment.

        A run is under way from its `created_at`, which is a whole second, for its `elapsed_time`, the end included.
        """
        return self._peak()[0]

    @property
    def peak_at(self) -> datetime | None:
        """When `peak_concurrency` was first reached; None if no run has ended."""
        return moment(self._peak()[1])

    def to_dict(self) -> dict[str, Any]:
        """All figures as JSON values. Equal logs give equal results: no time of creation is included."""
        peak, peak_at = self._peak()
        return {
            "tz": self.tz,
            "logs": self.logs,
            "first": second_text(self.first),
            "last": second_text(self.last),
            "deleted": self.deleted,
            "without_time": self.without_time,
            "statuses": self.statuses.to_dict(),
            "total_tokens": self.total_tokens,
            "price_per_1k": self.price_per_1k,
            "cost": self.cost,
            "duration": self.duration.to_dict(),
            "peak_concurrency": peak,
            "peak_at": second_text(moment(peak_at)),
            "unfinished": self.unfinished,
            **{
                name: [item.to_dict() for item in getattr(self, name)]
                for name in ("oldest_unfinished", "days", "errors", "users", "versions", "triggers", "slowest")
            },
            "most_tokens": [item.to_dict() for item in self.most_tokens],
            "hours": self.hours,
        }

    def __repr__(self) -> str:
        return f"Stats({self.logs} logs, {self.first} to {self.last}, tz={self.tz!r})"

    def _cost(self, tokens: int) -> float | None:
        return None if self.price_per_1k is None else tokens * self.price_per_1k / 1000

    def _moment_of_reading(self) -> float:
        return (self._now or datetime.now(UTC)).timestamp()

    def _peak(self) -> tuple[int, int]:
        running = peak = 0
        at = -1
        ends = self._ends.in_order()
        end = next(ends, math.inf)
        for start in self._starts.in_order():
            while end < start:  # a run includes the moment at which it ends
                running -= 1
                end = next(ends, math.inf)
            running += 1
            if running > peak:
                peak, at = running, int(start)
        return peak, at


# --- values of logs -----------------------------------------------------------------------------------------------


def _second(value: object) -> int | None:
    """A valid point in time in epoch seconds; None for anything else."""
    return value if type(value) is int and 0 <= value <= _LATEST - _DAY else None


def _seconds(value: object) -> float | None:
    """A valid duration in seconds; None for anything else."""
    if type(value) is float or type(value) is int:
        return float(value) if 0 <= value <= _LATEST else None
    return None


def _whole(value: object) -> int:
    """A valid number of tokens; 0 for anything else."""
    if type(value) is int:
        return max(value, 0)
    return int(value) if type(value) is float and value >= 0 and value.is_integer() else 0


def _text(value: object) -> str:
    """A plain string (an enum's value); "(unknown)" for anything else and for an empty string."""
    if type(value) is not str:
        value = str(value) if isinstance(value, str) else ""
    return value or UNKNOWN


def _user(log: WorkflowLog) -> str:
    who = getattr(log.created_by_end_user, "session_id", None)
    if not isinstance(who, str) or not who:
        who = getattr(log.created_by_account, "email", None)
    return who if isinstance(who, str) and who else UNKNOWN


# --- grouping and ranking -----------------------------------------------------------------------------------------


def _group(groups: dict[K, _Group], key: K) -> _Group:
    group = groups.get(key)
    if group is None:
        group = groups[key] = _Group()
    return group


def _merge_groups(groups: dict[K, _Group], others: dict[K, _Group]) -> None:
    for key, group in others.items():
        _group(groups, key).merge(group)


def _rank(heap: list[_Ranked], ranked: _Ranked, least: float = 0.0) -> float:
    """Keep the highest values; of equal ones, those whose run id sorts last.

    Returns:
        What a value needs for a place: `least` until the places are taken.
    """
    if len(heap) < TOP:
        heappush(heap, ranked)
    else:
        heappushpop(heap, ranked)
    return heap[0][0] if len(heap) == TOP else least


def _ranking(heap: list[_Ranked]) -> list[RunFigure]:
    return [
        RunFigure(value, run_id, moment(at), status, user)
        for value, run_id, at, status, user in sorted(heap, reverse=True)
    ]


def _counts(statuses: Counter[str]) -> StatusCounts:
    return StatusCounts(dict(sorted(statuses.items(), key=lambda item: (-item[1], item[0]))))


def _without_gaps(numbers: list[int]) -> list[int]:
    """The numbers, and those between two of them that are no more than `_LONGEST_GAP` apart."""
    filled = numbers[:1]
    for before, after in pairwise(numbers):
        filled.extend(range(before + 1, after + 1) if after - before <= _LONGEST_GAP else [after])
    return filled


# --- percentiles ----------------------------------------------------------------------------------------------------


def _duration(days: Iterable[_Day]) -> Duration:
    parts = [part for day in days for part in day.durations.arrays()]
    count = sum(map(len, parts))
    if not count:
        return Duration(0, None, None, None, None)
    p50, p95, p99 = (_percentile(parts, count, share) for share in (0.50, 0.95, 0.99))
    return Duration(count, p50, p95, p99, max(part[-1] for part in parts))


def _percentile(parts: Sequence[array[float]], count: int, share: float) -> float:
    rank = (count - 1) * share
    below = int(rank)
    low = _nth(parts, below)
    if rank == below:
        return low
    return low + (_nth(parts, below + 1) - low) * (rank - below)


def _nth(parts: Sequence[array[float]], rank: int) -> float:
    """The value of a rank (0 is the least) among all values of sorted arrays, without a copy of them."""
    windows = [(0, len(part)) for part in parts]
    while True:
        widest = max(range(len(parts)), key=lambda index: windows[index][1] - windows[index][0])
        pivot = parts[widest][sum(windows[widest]) // 2]
        below = [bisect_left(part, pivot, *window) for part, window in zip(parts, windows, strict=True)]
        upto = [bisect_right(part, pivot, *window) for part, window in zip(parts, windows, strict=True)]
        less = sum(end - start for end, (start, _) in zip(below, windows, strict=True))
        not_more = sum(end - start for end, (start, _) in zip(upto, windows, strict=True))
        if rank < less:
            windows = [(start, end) for end, (start, _) in zip(below, windows, strict=True)]
        elif rank < not_more:
            return pivot
        else:
            rank -= not_more
            windows = [(start, end) for start, (_, end) in zip(upto, windows, strict=True)]

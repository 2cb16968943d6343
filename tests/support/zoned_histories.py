"""Random histories of servers whose filters contradict what they display, walked, and compared with the truth.

- "session": the database session is not in UTC: a log's own time is stored and displayed in local time, and the filter
  turns it back; in the hour that is repeated in autumn it takes every log for one of the second pass.
- "process": the process is not in UTC: it takes each time for local time when it displays it, and filters by the true
  one; in spring displayed times go back by an hour while true ones continue.
- "exclusive": `created_at__before`, `created_at__after`, or both leave out logs of their own second.
- "lagging": some responses come from a replica that does not have the newest logs yet.

A history follows from a `random.Random` alone. `check` raises AssertionError where a log was lost without an error,
given twice, or a walk did not end in time. Where nothing changes and one worker reads, an error is one too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from dify_workflow.models import WorkflowLog, WorkflowLogPage
from support.log_histories import NO_FILTERS, read_part

if TYPE_CHECKING:
    from dify_workflow import IncompleteWalkError
    from dify_workflow._logs.walk import PageRequest

EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - a local time, or one of UTC, as the server takes it
KINDS: Final = ("session", "process", "exclusive", "lagging")
MOST_REQUESTS: Final = 3000
YEAR: Final = 366 * 86_400
BEGIN: Final = 1_735_689_600
"""2025 begins; histories play in the three years from there on."""


@cache
def zone_names() -> list[str]:
    """The names of all zones of this machine, in an order of their own."""
    return sorted(available_timezones() - {"localtime", "Factory"})


@cache
def changes_of(name: str) -> list[int]:
    """The seconds at which a zone changes its offset."""
    zone = ZoneInfo(name)
    found: list[int] = []
    last: timedelta | None = None
    for second in range(BEGIN, BEGIN + 3 * YEAR, 1800):
        offset = datetime.fromtimestamp(second, zone).utcoffset()
        if last is not None and offset != last:
            found.append(second)
        last = offset
    return found


def _offset(local: int, zone: ZoneInfo, fold: int) -> int:
    offset = (EPOCH + timedelta(seconds=local)).replace(tzinfo=zone, fold=fold).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


class Times(NamedTuple):
    """The times of a log: by what it is sorted, what is displayed, what is filtered, and its run's."""

    key: int
    displayed: int
    filtered: int
    of_run: int


def times_of(true: int, kind: str, zone: ZoneInfo) -> Times:
    """The times of a log that was made at a second."""
    if kind == "process":
        displayed = true - _offset(true, zone, fold=0)
        return Times(true, displayed, true, displayed)
    if kind == "session":
        offset = datetime.fromtimestamp(true, zone).utcoffset()
        assert offset is not None
        local = true + int(offset.total_seconds())
        earlier, later = _offset(local, zone, fold=0), _offset(local, zone, fold=1)
        # PostgreSQL takes a repeated time for the later one, and one that was skipped as if the zone had not changed.
        return Times(local, local, local - min(earlier, later), true)
    return Times(true, true, true, true)


class Entry(NamedTuple):
    """A log of the table."""

    key: str
    true: int
    times: Times
    log: WorkflowLog


@dataclass
class ZonedHistory:
    """A table, what happens to it, and how it is walked; a plain one when `kind` is ""."""

    kind: str
    zone: str
    seconds: list[int]
    """The true seconds of the logs."""
    has_runs: bool = True
    excludes: str = ""
    """Which bounds are exclusive: "before", "after" or both."""
    lag: int = 0
    """Seconds by which a replica lags behind."""
    newest: int | None = None
    oldest: int | None = None
    change_rate: float = 0.0
    cuts: list[int] = field(default_factory=list[int])
    workers: int = 1
    seed: int = 0

    @property
    def is_still(self) -> bool:
        """Whether nothing changes, and each response is of the same state."""
        return not self.change_rate and not self.lag


class ZonedTable:
    """The table, and every request that it responded to."""

    def __init__(self, history: ZonedHistory) -> None:
        self._history = history
        self._random = Random(history.seed)  # noqa: S311 - histories that can be repeated, no secrets
        self._zone = ZoneInfo(history.zone)
        self._made = 0
        self._now = max(history.seconds)
        self.entries = [self._make(second) for second in history.seconds]
        self.deleted: set[str] = set()
        self.arrived: set[str] = set()
        self.requests: list[PageRequest] = []

    def _make(self, true: int) -> Entry:
        self._made += 1
        key, times = f"log-{self._made}", times_of(true, self._history.kind, self._zone)
        run = (
            {"id": f"run-{key}", "status": "succeeded", "created_at": times.of_run} if self._history.has_runs else None
        )
        log = WorkflowLog.from_dict({"id": key, "workflow_run": run, "created_at": times.displayed})
        return Entry(key, true, times, log)

    def matching(self) -> set[str]:
        """The keys of the logs within the caller's bounds, as the server filters."""
        oldest, newest = self._history.oldest, self._history.newest
        return {
            entry.key
            for entry in self.entries
            if (oldest is None or entry.times.filtered >= oldest) and (newest is None or entry.times.filtered <= newest)
        }

    def page(self, request: PageRequest) -> WorkflowLogPage:
        """Respond to a request."""
        self.requests.append(request)
        assert len(self.requests) <= MOST_REQUESTS, "endless"
        history, random = self._history, self._random
        if len(self.requests) > 1:
            self._change()
        newest = None
        if history.lag and len(self.requests) > 1 and random.random() < 0.4:
            newest = self._now - history.lag
        latest = None if request.before is None else request.before - ("before" in history.excludes)
        earliest = None if request.after is None else request.after + ("after" in history.excludes)
        there = [
            entry
            for entry in self.entries
            if (latest is None or entry.times.filtered <= latest)
            and (earliest is None or entry.times.filtered >= earliest)
            and (newest is None or entry.true <= newest)
        ]
        there.sort(key=lambda entry: (-entry.times.key, random.random()))
        first = (request.page - 1) * request.limit
        shown = there[first : first + request.limit]
        return WorkflowLogPage(
            page=request.page,
            limit=request.limit,
            total=len(there),
            has_more=len(there) > first + request.limit,
            data=[entry.log for entry in shown],
        )

    def _change(self) -> None:
        rate, random = self._history.change_rate, self._random
        if random.random() < rate:
            self._now += random.randint(0, 3)
            for _ in range(random.choice((1, 1, 3))):
                entry = self._make(self._now)
                self.entries.append(entry)
                self.arrived.add(entry.key)
        if random.random() < rate:
            for _ in range(random.choice((1, 1, 5, 40))):
                if self.entries:
                    self.deleted.add(self.entries.pop(random.randrange(len(self.entries))).key)


@dataclass
class ZonedOutcome:
    """What came of walking a history."""

    table: ZonedTable
    there: set[str]
    given: list[str]
    error: IncompleteWalkError | None
    time_shift: int | None


def walk(history: ZonedHistory) -> ZonedOutcome:
    """Walk a history, to its end or to the error; left at each cut, and taken up from the checkpoint."""
    table = ZonedTable(history)
    outcome = ZonedOutcome(table, table.matching(), [], None, None)
    filters = NO_FILTERS._replace(newest=history.newest, oldest=history.oldest)
    pauses = Random(history.seed)  # noqa: S311 - as above
    logs: list[WorkflowLog] = []
    checkpoint: dict[str, Any] | None = None
    for cut in [*history.cuts, None]:
        outcome.error, part = read_part(
            table.page, filters, checkpoint=checkpoint, cut=cut, given=logs, workers=history.workers, pauses=pauses
        )
        outcome.time_shift = part.time_shift
        checkpoint = json.loads(json.dumps(part.checkpoint))
        if outcome.error is not None or part.checkpoint["ended"]:
            break
    outcome.given = [str(log.id) for log in logs]
    return outcome


def check(history: ZonedHistory) -> ZonedOutcome:
    """Walk a history, and compare with the truth."""
    outcome = walk(history)
    given, table = set(outcome.given), outcome.table
    assert len(outcome.given) == len(given), f"{len(outcome.given) - len(given)} logs twice"
    assert given <= outcome.there | table.arrived, f"not asked for: {sorted(given - outcome.there - table.arrived)[:5]}"
    if outcome.error is None:
        lost = outcome.there - given - table.deleted
        assert not lost, f"lost without an error: {len(lost)} of {len(outcome.there)}"
    elif history.is_still and history.workers == 1:
        raise AssertionError(f"false error: {outcome.error}")
    return outcome


def extra_requests(history: ZonedHistory) -> int:
    """The requests that a history takes more than it would on a server without a shift."""
    plain = replace(history, kind="", zone="UTC", excludes="", lag=0)
    return len(check(history).table.requests) - len(check(plain).table.requests)


def random_zoned_history(random: Random, kind: str) -> ZonedHistory:
    """Logs around a change of a zone's offset or elsewhere, crowded seconds, changes, bounds, cuts, and workers."""
    zone = random.choice(zone_names()) if kind in {"session", "process"} else "UTC"
    history = ZonedHistory(kind, zone, _random_seconds(random, zone), seed=random.getrandbits(32))
    history.has_runs = random.random() < 0.7
    if kind == "exclusive":
        history.excludes = random.choice(["before", "after", "before and after"])
    if kind == "lagging":
        history.lag = random.choice([1, 10, 100, 1000])
    if random.random() < 0.3:
        history.change_rate = random.choice([0.05, 0.3])
    if random.random() < 0.3 and kind != "exclusive":  # there the caller's bounds are what the server makes of them
        low, high = sorted(random.choices(history.seconds, k=2))
        history.oldest = low if random.random() < 0.7 else None
        history.newest = high if random.random() < 0.5 else None
    if random.random() < 0.3:
        history.cuts = [random.randint(1, len(history.seconds)) for _ in range(random.randint(1, 3))]
    if random.random() < 0.3:
        history.workers = random.choice([2, 4])
    return history


def _random_seconds(random: Random, zone: str) -> list[int]:
    count = random.choice((50, 101, 150, 300, 600, 1200))
    changes = changes_of(zone)
    if changes and random.random() < 0.6:
        middle, around = random.choice(changes), random.choice((7200, 21_600, 86_400, 40 * 86_400))
        low, high = middle - around, middle + around
    else:
        high = BEGIN + YEAR + random.randrange(YEAR)
        low = high - random.choice((600, 3600, 72_000, 30 * 86_400, 500 * 86_400))
    seconds: list[int] = []
    while len(seconds) < count:
        seconds += [random.randrange(low, high)] * random.choice((1, 1, 1, 2, 5, 20))
    if random.random() < 0.25:
        seconds += [random.choice(seconds)] * random.choice((99, 130, 350))
    return seconds

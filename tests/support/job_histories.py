"""Random histories of jobs that read the logs: `logs.changes` from time to time, and `logs.ranges` read one by one.

- "changes": logs appear (some late), end and are deleted while a job reads what has changed, again and again, each time
  from the checkpoint of the time before.
- "ranges": the logs are split into ranges, which are read in any order while logs come and go.

The server may display other times than it filters by (tests/support/zoned_histories.py). A history follows from a
`random.Random` alone; `check_changes` and `check_ranges` raise AssertionError where a log was lost without an error or
given too often.
"""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from dify_workflow import IncompleteWalkError
from dify_workflow._logs.follow import OVERLAP_SECONDS, Following
from dify_workflow._logs.log_range import LogRange
from dify_workflow._logs.ranges import Plan, walk_filters
from dify_workflow._logs.walk import Reply
from dify_workflow._sync.log_follow import LogChanges
from dify_workflow._sync.log_walk import LogWalk
from dify_workflow.models import WorkflowLogPage
from support.log_histories import NO_FILTERS
from support.log_table import LogTable
from support.zoned_histories import (
    BEGIN,
    YEAR,
    ZonedHistory,
    ZonedTable,
    changes_of,
    random_zoned_history,
    times_of,
    zone_names,
)

if TYPE_CHECKING:
    from dify_workflow._logs.walk import PageRequest

DAY: Final = 86_400
NEVER: Final = float("inf")
CLOCKS: Final = 6
"""Other clocks that are tried where an unfinished log was deleted."""


# Changes --------------------------------------------------------------------------------------------------------


@dataclass
class JobRow:
    """A log, and the moments at which it appears, ends and is deleted."""

    key: str
    true: int
    visible_at: float
    ended_at: float
    deleted_at: float
    last_status: str


@dataclass
class JobHistory:
    """Logs, and the moments at which the job reads."""

    kind: str
    zone: str
    rows: list[JobRow]
    calls: list[float]
    since: int | None
    cut_rate: float


@dataclass
class JobTable:
    """The server's table of logs; its clock stands still while a job reads."""

    history: JobHistory
    now: float = 0.0
    requests: list[PageRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        zone = ZoneInfo(self.history.zone)
        self._rows = [(times_of(row.true, self.history.kind, zone), row) for row in self.history.rows]
        self._rows.sort(key=lambda entry: -entry[0].key)

    def page(self, request: PageRequest) -> WorkflowLogPage:
        """Respond to a request."""
        self.requests.append(request)
        there = [
            (times, row)
            for times, row in self._rows
            if row.visible_at <= self.now < row.deleted_at
            and (request.before is None or times.filtered <= request.before)
            and (request.after is None or times.filtered >= request.after)
        ]
        first = (request.page - 1) * request.limit
        shown = [
            {
                "id": row.key,
                "created_at": times.displayed,
                "workflow_run": {
                    "id": f"run-{row.key}",
                    "status": row.last_status if row.ended_at <= self.now else "running",
                    "created_at": times.of_run,
                },
            }
            for times, row in there[first : first + request.limit]
        ]
        return WorkflowLogPage.from_dict(
            {
                "page": request.page,
                "limit": request.limit,
                "total": len(there),
                "has_more": len(there) > first + request.limit,
                "data": shown,
            }
        )


@dataclass
class JobOutcome:
    """What came of it."""

    table: Any
    error: IncompleteWalkError | None
    largest_checkpoint: int = 0


def random_job(random: Random) -> JobHistory:
    """A job on a server of any kind, in a time in which its zone changes its offset, or does not."""
    kind = random.choice(["", "session", "process"])
    zone = random.choice(zone_names()) if kind else "UTC"
    length = random.choice([3600, DAY, 5 * DAY])
    steps = changes_of(zone) if kind else []
    begin = BEGIN + random.randrange(YEAR)
    if steps and random.random() < 0.5:
        begin = random.choice(steps) - random.randrange(length + DAY)
    rows: list[JobRow] = []
    count = random.choice([10, 60, 250, 1300])
    while len(rows) < count:
        moment = begin + length * random.random()
        for _ in range(random.choice([1, 1, 1, 2, 5, 20])):
            late = random.choice([0, 0, random.uniform(0, OVERLAP_SECONDS - 1)])
            lasting = random.choice([0, 0, 0, 30, 3000, 80_000]) * random.random()
            deleted = moment + late + length * random.random() if random.random() < 0.04 else NEVER
            status = random.choice(["succeeded", "failed", "stopped"])
            rows.append(JobRow(str(len(rows)), int(moment), moment + late, moment + lasting, deleted, status))
    calls = sorted(begin + (length + 600) * random.random() for _ in range(random.choice([1, 4, 12])))
    # At last everything has ended, and one more log has come; nothing is older than what is given up on.
    end = begin + length + 2 * DAY
    rows.append(JobRow("last", end, end, end, NEVER, "succeeded"))
    since = begin - 1 if random.random() < 0.5 else None
    return JobHistory(kind, zone, rows, [*calls, end + 60.0], since, random.choice([0, 0, 0.02]))


def check_changes(history: JobHistory) -> JobOutcome:
    """Let the job run, and compare with the truth."""
    table = JobTable(history)
    outcome = JobOutcome(table, None)
    given: dict[str, list[str]] = {}
    checkpoint: dict[str, Any] | None = None
    skipped: set[str] = set()
    random = Random(len(history.rows))  # noqa: S311 - histories that can be repeated, no secrets
    for moment in history.calls:
        table.now = moment
        if checkpoint is None and history.since is None:
            # Those that come late belong to the time before, too.
            skipped = {row.key for row in history.rows if row.true <= moment}
        while True:
            following = Following(NO_FILTERS, oldest=history.since, poll=1e9, give_up_after=30 * DAY)
            if checkpoint is not None:
                following.restore(checkpoint)
            changes = LogChanges(table.page, following, monotonic=lambda: table.now)
            before, requests = sum(map(len, given.values())), len(table.requests)
            try:
                is_cut = _read(changes, given, random, history.cut_rate)
            except IncompleteWalkError as error:
                outcome.error = error
                return outcome
            last, checkpoint = checkpoint, json.loads(text := json.dumps(changes.checkpoint))
            outcome.largest_checkpoint = max(outcome.largest_checkpoint, len(text))
            if not history.kind and not history.cut_rate:
                _check_size(checkpoint, text)
                _check_cost(table, last, len(table.requests) - requests, sum(map(len, given.values())) - before)
            if not is_cut:
                break
    _compare(history, given, skipped)
    return outcome


def _check_size(checkpoint: dict[str, Any], text: str) -> None:
    held = len(checkpoint["recent"]) + len(checkpoint["unfinished"])
    assert len(text) <= 200 + 60 * held, f"a checkpoint of {len(text)} bytes for {held} logs"


def _check_cost(table: JobTable, last: dict[str, Any] | None, requests: int, new: int) -> None:
    """A call takes a request for each hundred new logs and for each unfinished one, and few beyond these.

    Where the newest known log was deleted, the server's clock has to be found again, which takes some dozens.
    """
    if last is not None:
        newest = {key for key, second in last["recent"].items() if second == last["newest"]}
        if any(row.key in newest and row.deleted_at <= table.now for row in table.history.rows):
            return
    unfinished = 0 if last is None else len(last["unfinished"])
    most = 2 + -(-new // 100) + unfinished + CLOCKS
    assert requests <= most, f"{requests} requests for {new} new logs, {unfinished} unfinished"


def _read(changes: LogChanges, given: dict[str, list[str]], random: Random, cut_rate: float) -> bool:
    for log in changes:
        given.setdefault(log.id, []).append(str(log.workflow_run.status if log.workflow_run else None))
        if random.random() < cut_rate:
            changes.close()
            return True
    return False


def _compare(history: JobHistory, given: dict[str, list[str]], skipped: set[str]) -> None:
    for row in history.rows:
        statuses = given.get(row.key, [])
        allowed = [[row.last_status], ["running", row.last_status]]
        if row.deleted_at < NEVER:
            allowed += [[], ["running"]]
        if row.key in skipped:
            allowed += [[]]
        assert statuses in allowed, f"{row}: {statuses}"


# Ranges ---------------------------------------------------------------------------------------------------------


@dataclass
class RangesHistory:
    """A table, and the number of ranges that it is split into."""

    parts: int
    zoned: ZonedHistory | None
    crowds: list[tuple[int, int]]
    change_rate: float
    seed: int


def random_ranges(random: Random) -> RangesHistory:
    """A faithful server in most histories, with crowded seconds; else one with other clocks or exclusive bounds."""
    zoned = None
    if random.random() < 0.15:
        zoned = random_zoned_history(random, random.choice(["session", "process", "exclusive"]))
        zoned.cuts, zoned.workers = [], 1
        del zoned.seconds[400:]
    count, low = random.choice([0, 1, 7, 60, 400, 1500]), 1_790_000_000
    spread = random.choice([5, 100, 86_400])
    crowds = [(low + random.randrange(spread), random.choice([1, 1, 2, 9, 40])) for _ in range(-(-count // 4))]
    if count > 60 and random.random() < 0.3:
        crowds.append((low + random.randrange(spread), random.choice([100, 130])))
    return RangesHistory(random.randint(1, 64), zoned, crowds, random.choice([0, 0, 0.1]), random.getrandbits(32))


def check_ranges(history: RangesHistory) -> JobOutcome:
    """Split the logs, read the ranges in any order, and compare with the truth."""
    random = Random(history.seed)  # noqa: S311 - histories that can be repeated, no secrets
    if history.zoned is not None:
        table: Any = ZonedTable(history.zoned)
        there, filters = table.matching(), NO_FILTERS._replace(newest=history.zoned.newest, oldest=history.zoned.oldest)
    else:
        table = LogTable(history.crowds)
        there, filters = set(table.rows), NO_FILTERS
    outcome = JobOutcome(table, None)
    is_still = history.zoned is None and not history.change_rate
    given: list[str] = []
    try:
        ranges = _plan(table, filters, history.parts)
        if is_still:
            _check_plan(history, table, ranges)
        sizes = []
        for part in random.sample(ranges, len(ranges)):
            walk_of_it = LogWalk(table.page, _filters_of(part), checkpoint=None, workers=1)
            before = len(given)
            given += [log.id for log in walk_of_it]
            sizes.append(len(given) - before)
            if history.zoned is None and random.random() < history.change_rate:
                _change(table, random)
    except IncompleteWalkError as error:
        if history.zoned is None:
            raise AssertionError("false error") from error
        outcome.error = error
        return outcome
    assert len(given) == len(set(given)), "twice"
    assert not there - set(given) - table.deleted, f"lost: {len(there - set(given) - table.deleted)} of {len(there)}"
    if is_still and sizes:
        largest = max(len(table.crowd(second)) for second, _ in history.crowds)
        assert max(sizes) <= -(-len(there) // history.parts) + largest
    return outcome


def _plan(table: Any, filters: Any, parts: int) -> list[LogRange]:
    plan = Plan(filters, parts)
    while (request := plan.next_request()) is not None:
        plan.accept(Reply.of(table.page(request)))
    return plan.ranges


def _check_plan(history: RangesHistory, table: Any, ranges: list[LogRange]) -> None:
    assert len(table.requests) <= history.parts + 1
    assert len(ranges) <= history.parts
    assert (ranges == []) == (not table.rows)
    assert sum(part.expected for part in ranges) == len(table.rows)


def _filters_of(part: LogRange) -> Any:
    part = pickle.loads(pickle.dumps(LogRange.from_dict(json.loads(json.dumps(part.to_dict())))))  # noqa: S301 - ours
    nothing = dict.fromkeys(("keyword", "status", "created_by_end_user_session_id", "created_by_account"))
    return walk_filters(part, None, version=None, **nothing)


def _change(table: LogTable, random: Random) -> None:
    newest = max(table.seconds_ever.values(), default=1_790_000_000)
    table.add(newest + random.randint(1, 3), random.choice([1, 30]))
    table.delete(random.sample(sorted(table.rows), min(len(table.rows), random.choice([0, 1, 20]))))

"""Random histories of logs that are followed, against what really happened: no HTTP, no waiting, a clock of its own.

A history is a table of logs that appear (some of them late), end and are deleted at moments of a clock that only moves
when the follower asks, waits, or its consumer is slow. Kinds of servers:

- "shifted": it displays other seconds than it filters by, and changes that once, perhaps.
- "exclusive": `created_at__before`, `created_at__after`, or both leave out logs of their own second.
- "lagging": some responses are of an earlier moment.
- "jumping": it is a faithful one; the clock of this machine is set to other times.

`check` raises AssertionError where a log was lost or given more often than it should be.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import zlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dify_workflow import APIConnectionError, IncompleteWalkError
from dify_workflow._async.log_follow import AsyncLogFollow
from dify_workflow._http.library import httpx
from dify_workflow._logs.filters import LogFilters, log_filters
from dify_workflow._logs.follow import OVERLAP_SECONDS, Following
from dify_workflow._sync.log_follow import LogFollow
from dify_workflow.models import WorkflowLogPage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dify_workflow._logs.walk import PageRequest

T = TypeVar("T")

START = 1_790_000_000
POLL = 5.0
DAY = 86_400.0
NO_END = float("inf")


def dice(seed: int) -> random.Random:
    """Chance that is the same each time: a test's seed is all that is needed to see it again."""
    return random.Random(seed)  # noqa: S311 - histories, not secrets


@dataclass
class TableRow:
    """A row, and when it does what; times are moments of the table's clock."""

    identity: str
    second: int
    visible_at: float
    ended_at: float = 0.0
    deleted_at: float = NO_END
    first_status: str = "running"
    last_status: str = "succeeded"

    def status_at(self, now: float) -> str:
        return self.last_status if now >= self.ended_at else self.first_status

    def shown_at(self, now: float) -> dict[str, Any]:
        status = self.status_at(now)
        ended = now >= self.ended_at
        run = {"id": f"run-{self.identity}", "status": status, "finished_at": int(self.ended_at) if ended else None}
        return {"id": self.identity, "created_at": self.second, "workflow_run": run, "created_by_end_user": None}


@dataclass
class Table:
    """A server's table of logs: sorted by the second alone, with another order of ties on each page."""

    rows: list[TableRow]
    now: float = float(START)
    random: random.Random = field(default_factory=lambda: dice(0))
    slowness: float = 0.0
    fault_rate: float = 0.0
    requests: list[PageRequest] = field(default_factory=list)
    sleeps: list[float] = field(default_factory=list)
    requests_before_sleeps: list[int] = field(default_factory=list)
    rows_sent: int = 0

    def __post_init__(self) -> None:
        self.rows = sorted(self.rows, key=lambda row: row.second)
        self.seconds = [row.second for row in self.rows]

    def read_page(self, request: PageRequest) -> WorkflowLogPage:
        self.requests.append(request)
        self.now += self.random.uniform(0, self.slowness)
        if self.random.random() < self.fault_rate:
            raise APIConnectionError("GET /workflows/logs: reset", request=httpx.Request("GET", "http://x"))
        if self.random.random() < self.fault_rate / 30:
            raise IncompleteWalkError("GET /workflows/logs: it never added up", expected=2, seen=1)
        before = NO_END if request.before is None else request.before
        after = -NO_END if request.after is None else request.after
        begin, end = bisect_left(self.seconds, after), bisect_right(self.seconds, before)
        there = [row for row in self.rows[begin:end] if row.visible_at <= self.now < row.deleted_at]
        salt = f"{request}"
        there.sort(key=lambda row: (-row.second, zlib.crc32(f"{salt}{row.identity}".encode())))
        return self.page_of(request, there, lambda row: row.shown_at(self.now))

    def page_of(self, request: PageRequest, there: list[T], shown: Callable[[T], dict[str, Any]]) -> WorkflowLogPage:
        """A page of what there is, in order."""
        first = (request.page - 1) * request.limit
        data = [shown(one) for one in there[first : first + request.limit]]
        self.rows_sent += len(data)
        return WorkflowLogPage.from_dict(
            {
                "page": request.page,
                "limit": request.limit,
                "total": len(there),
                "has_more": first + request.limit < len(there),
                "data": data,
            }
        )

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.requests_before_sleeps.append(len(self.requests))
        self.now += seconds

    def follow(self, *, until: float = NO_END, **options: Any) -> Iterator[Any]:
        """A follower of this table that ends, quietly, when the clock has reached a moment."""
        with contextlib.suppress(TimeIsUpError):
            yield from follower(self, until=until, **options)


class TimeIsUpError(Exception):
    """The clock has reached the end of the history."""


def log_filters_of(**given: str) -> LogFilters:
    return log_filters(
        keyword=given.get("keyword"),
        status=given.get("status"),
        created_at__before=None,
        created_at__after=None,
        created_by_end_user_session_id=given.get("created_by_end_user_session_id"),
        created_by_account=given.get("created_by_account"),
    ).with_status_here(given.get("status"))


def follower(table: Table, *, until: float = NO_END, jump: float = 0.0, **options: Any) -> LogFollow:
    """A follower of a table, with the options of `following_of`, that raises at a moment of the clock."""

    def sleep(seconds: float) -> None:
        if table.now >= until:
            raise TimeIsUpError
        table.sleep(seconds)

    return LogFollow(
        table.read_page,
        following_of(**options),
        clock=lambda: table.now + jump,
        monotonic=lambda: table.now - START - jump,
        sleep=sleep,
    )


def following_of(
    *,
    since: int | None = None,
    checkpoint: object = None,
    poll: float = POLL,
    give_up_after: float = 30 * DAY,
    **given: str,
) -> Following:
    following = Following(log_filters_of(**given), oldest=since, poll=poll, give_up_after=give_up_after)
    if checkpoint is not None:
        following.restore(checkpoint)
    return following


def told_by(mode: str, table: Table, *, until: float, **options: Any) -> list[tuple[str, str]]:
    """What a follow of either client, "sync" or "async", gives until a moment."""
    if mode == "sync":
        return [id_and_status(log) for log in table.follow(until=until, **options)]

    async def read_page(request: PageRequest) -> WorkflowLogPage:
        return table.read_page(request)

    async def sleep(seconds: float) -> None:
        if table.now >= until:
            raise TimeIsUpError
        table.sleep(seconds)

    async def collect() -> list[tuple[str, str]]:
        given: list[tuple[str, str]] = []
        following = following_of(**options)
        follow = AsyncLogFollow(read_page, following, monotonic=lambda: table.now - START, sleep=sleep)
        with contextlib.suppress(TimeIsUpError):
            async for log in follow:
                given.append(id_and_status(log))  # noqa: PERF401 - what was given counts, though the end is an error
        return given

    return asyncio.run(collect())


def bulk(count: int, *, seconds: int, crowd: int = 0, before: int = START, **options: Any) -> list[TableRow]:
    """Rows over some time before a moment, the last half of it with one crowded second."""
    chance = dice(7)
    rows = [
        TableRow(f"bulk-{n}", before - 1 - int(seconds * chance.random()), 0, **options) for n in range(count - crowd)
    ]
    rows += [TableRow(f"crowd-{n}", before - seconds // 2, 0, **options) for n in range(crowd)]
    return rows


def history(chance: random.Random, *, length: int, burst: int) -> list[TableRow]:
    """Rows that arrive in bursts, some late, some unfinished, some deleted later."""
    rows: list[TableRow] = []
    moment = float(START)
    while moment < START + length:
        moment += chance.choice([0.1, 1, 7, 40, 300]) * chance.random()
        for _ in range(chance.choice([1, 1, 1, 2, 5, chance.randint(1, burst)])):
            late = chance.choice([0, 0, 0, chance.uniform(0, OVERLAP_SECONDS - 1)])
            lasting = chance.choice([0, 0, 2, 30, 600, 5000]) * chance.random()
            row = TableRow(
                f"row-{len(rows)}",
                int(moment),
                moment + late,
                moment + lasting,
                first_status=chance.choice(["running", "scheduled", "paused", "something-new"]),
                last_status=chance.choice(["succeeded", "failed", "stopped", "partial-succeeded", "something-newer"]),
            )
            if chance.random() < 0.05:
                row.deleted_at = row.visible_at + chance.choice([1, 30, 3000]) * chance.random()
            rows.append(row)
    # Something that comes at the very end, so that every look before it is followed by one that has news.
    rows.append(TableRow("row-last", START + length + 400, START + length + 400))
    return rows


def id_and_status(log: Any) -> tuple[str, str]:
    return log.id, log.workflow_run.status


def assert_true(rows: list[TableRow], given: list[tuple[str, str]], *, complete: bool = True) -> None:
    """Each row once, and once more when it was given unfinished and has ended; the deleted ones at most so."""
    by_row: dict[str, list[str]] = {}
    for identity, status in given:
        by_row.setdefault(identity, []).append(status)
    assert set(by_row) <= {row.identity for row in rows}
    for row in rows:
        statuses = by_row.get(row.identity, [])
        allowed = [[row.last_status], [row.first_status, row.last_status]]
        if row.deleted_at < NO_END or not complete:
            allowed += [[], [row.first_status]]
        assert statuses in allowed, (row, statuses)


class ShiftedTable(Table):
    """A server that displays other seconds than it filters by; the shift may change at a moment.

    Only the logs' own times are shifted, or those of their runs as well.
    """

    shifts: tuple[tuple[float, int], ...] = ()
    shifts_runs = False

    def read_page(self, request: PageRequest) -> WorkflowLogPage:
        page = super().read_page(request).to_dict()
        for log in page["data"]:
            second = log["created_at"]
            shift = next(shift for moment, shift in self.shifts if second >= moment)
            log["workflow_run"]["created_at"] = second + (shift if self.shifts_runs else 0)
            log["created_at"] = second + shift
        return WorkflowLogPage.from_dict(page)


class ExclusiveTable(Table):
    """A server whose bounds leave out their own second."""

    excludes = ""

    def read_page(self, request: PageRequest) -> WorkflowLogPage:
        before, after = request.before, request.after
        if before is not None and "before" in self.excludes:
            before -= 1
        if after is not None and "after" in self.excludes:
            after += 1
        return super().read_page(replace(request, before=before, after=after))


class LaggingTable(Table):
    """A server some of whose responses are of an earlier moment."""

    lag = 0.0
    lag_rate = 0.0

    def read_page(self, request: PageRequest) -> WorkflowLogPage:
        if len(self.requests) < 2 or self.random.random() >= self.lag_rate:
            return super().read_page(request)
        now, self.now = self.now, self.now - self.lag
        try:
            return super().read_page(request)
        finally:
            self.now = now


KINDS: Final = ("shifted", "exclusive", "lagging", "jumping")
HOURS: Final = (-5, 8, 1, 5.5, -9.5, 13)


@dataclass
class FollowHistory:
    """A table, and how it is followed."""

    table: Table
    rows: list[TableRow]
    since: int | None
    cut_rate: float
    jumps: bool


@dataclass
class FollowOutcome:
    """What came of following a history."""

    table: Table
    error: None = None


def random_follow_history(chance: random.Random, kind: str) -> FollowHistory:
    """Logs that appear in bursts, some late, some unfinished; a backlog, perhaps; restarts, perhaps."""
    rows = history(chance, length=chance.choice([300, 1500]), burst=chance.choice([3, 30, 120]))
    backlog = chance.choice([0, 150, 2500]) if chance.random() < 0.4 else 0
    rows += bulk(backlog, seconds=chance.choice([60, 900, 9000]), crowd=0)
    table = {"shifted": ShiftedTable, "exclusive": ExclusiveTable, "lagging": LaggingTable}.get(kind, Table)(
        rows, START - 60.0 if not backlog else float(START), chance, slowness=chance.choice([0, 0.2])
    )
    if isinstance(table, ShiftedTable):
        shift = round(chance.choice(HOURS) * 3600)
        table.shifts = ((0, shift),)
        table.shifts_runs = chance.random() < 0.5
        if chance.random() < 0.3 and table.shifts_runs:
            table.shifts = ((START + 200, shift + chance.choice([3600, -3600])), (0, shift))
    if isinstance(table, ExclusiveTable):
        table.excludes = chance.choice(["before", "after", "before and after"])
    if isinstance(table, LaggingTable):
        table.lag, table.lag_rate = chance.choice([0.5, 5.0, 60.0]), chance.choice([0.05, 0.4])
    since = START - 10_000 if backlog else START - 100
    return FollowHistory(table, rows, since, chance.choice([0, 0, 0.02]), kind == "jumping")


def followed_in_parts(
    table: Table,
    *,
    since: int | None,
    until: float,
    is_cut: Callable[[], bool],
    pause: Callable[[], float] = lambda: 0.0,
    jump: Callable[[], float] = lambda: 0.0,
    longest: float = NO_END,
) -> list[tuple[str, str]]:
    """What is given where a follow is left, by chance or after some time, and begun again from its checkpoint."""
    given: list[tuple[str, str]] = []
    checkpoint = None
    while table.now < until:
        end = min(table.now + longest, until)
        follow = follower(table, checkpoint=checkpoint, since=since, until=end, jump=jump())
        with contextlib.suppress(TimeIsUpError):
            for log in follow:
                given.append(id_and_status(log))
                if is_cut():
                    break
        checkpoint = json.loads(json.dumps(follow.checkpoint))
        follow.close()
        table.now += pause()
    if isinstance(table, LaggingTable):
        table.lag_rate = 0.0
    return given + [id_and_status(log) for log in table.follow(checkpoint=checkpoint, until=table.now + 3000)]


def check(followed: FollowHistory) -> FollowOutcome:
    """Follow a history to its end, and compare with the truth."""
    table, chance = followed.table, followed.table.random
    given = followed_in_parts(
        table,
        since=followed.since,
        until=START + 8000,
        is_cut=lambda: chance.random() < followed.cut_rate,
        jump=lambda: chance.choice([0.0, 400 * DAY, -400 * DAY]) if followed.jumps else 0.0,
    )
    assert_true(followed.rows, given)
    return FollowOutcome(table)

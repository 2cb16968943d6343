"""Random histories of logs that are followed over a change of a zone's offset, and compared with the truth.

The servers are those of tests/support/zoned_histories.py, "session" and "process". Logs are dense around the moment at
which displayed times go forward or back, many of them appear late, and the follow is begun again from its checkpoint
now and then. `check` raises AssertionError where a log was lost, or given more often than it should be.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from support.follow_histories import (
    DAY,
    NO_END,
    FollowOutcome,
    Table,
    TableRow,
    TimeIsUpError,
    assert_true,
    follower,
    history,
    id_and_status,
)
from support.follow_histories import START as BEGIN_OF_HISTORIES
from support.zoned_histories import changes_of, times_of

if TYPE_CHECKING:
    import random

    from dify_workflow._logs.walk import PageRequest
    from dify_workflow.models import WorkflowLogPage
    from support.zoned_histories import Times

HOUR: Final = 3600
ZONES: Final = ("America/New_York", "Europe/London", "Europe/Berlin", "Australia/Sydney", "Australia/Lord_Howe")
LATE: Final = 29.0
"""Seconds by which a log appears late, at most."""


@cache
def step_of(kind: str, zone: str, *, forward: bool) -> int:
    """The first true second that is displayed by another shift than the second before it."""
    info = ZoneInfo(zone)
    for change in changes_of(zone):
        for second in range(change - 14 * HOUR, change + 14 * HOUR, 900):
            step = times_of(second, kind, info).displayed - times_of(second - 1, kind, info).displayed
            if (step > 1) if forward else (step < 0):
                return second
    raise AssertionError(f"{zone} never changes its offset")


class ZonedFollowTable(Table):
    """A server that displays, filters and sorts as one whose zone is not UTC."""

    kind = "session"
    zone = "UTC"
    has_runs = True

    def read_page(self, request: PageRequest) -> WorkflowLogPage:
        self.requests.append(request)
        self.now += self.random.uniform(0, self.slowness)
        zone = ZoneInfo(self.zone)
        before = NO_END if request.before is None else request.before
        after = -NO_END if request.after is None else request.after
        there = [
            (times, row)
            for row in self.rows
            if row.visible_at <= self.now < row.deleted_at
            and after <= (times := times_of(row.second, self.kind, zone)).filtered <= before
        ]
        there.sort(key=lambda entry: (-entry[0].key, zlib.crc32(f"{request}{entry[1].identity}".encode())))

        def shown(entry: tuple[Times, TableRow]) -> dict[str, Any]:
            times, row = entry
            log = row.shown_at(self.now) | {"created_at": times.displayed}
            if self.has_runs:
                log["workflow_run"]["created_at"] = times.of_run
            return log

        return self.page_of(request, there, shown)


@dataclass
class ZonedFollow:
    """A table, the moment at which its displayed times step, and how it is followed."""

    table: ZonedFollowTable
    step: int
    restarts: bool
    """Whether the follow is begun again now and then, some time later."""


def zoned_follow(chance: random.Random, kind: str, zone: str, *, forward: bool, restarts: bool) -> ZonedFollow:
    """Logs of two hours and a half, with a step of the displayed times among them."""
    step = step_of(kind, zone, forward=forward)
    begin = step - 200 - chance.randrange(600)
    rows = [_moved(row, begin - BEGIN_OF_HISTORIES) for row in history(chance, length=1500, burst=3)]
    rows += [TableRow(f"later-{n}", begin + 2000 + 120 * n, begin + 2000.0 + 120 * n) for n in range(60)]
    for number in range(60):
        moment = step - 90 + 3 * (number + chance.random())
        ended = moment + chance.choice([0, 100]) * chance.random()
        rows.append(TableRow(f"near-{number}", int(moment), moment + chance.choice([0, LATE]) * chance.random(), ended))
    table = ZonedFollowTable(rows, begin - 60.0, chance)
    table.kind, table.zone = kind, zone
    # The times of runs alone tell that a database session's hour is displayed for the first time.
    table.has_runs = chance.random() < 0.7 or (kind == "session" and not forward)
    return ZonedFollow(table, step, restarts)


def _moved(row: TableRow, seconds: int) -> TableRow:
    return replace(
        row,
        second=row.second + seconds,
        visible_at=row.visible_at + seconds,
        ended_at=row.ended_at + seconds,
        deleted_at=row.deleted_at + seconds,
    )


def random_zoned_follow(chance: random.Random) -> ZonedFollow:
    """A history of any kind of server and step."""
    kind, forward = chance.choice(["session", "process"]), chance.random() < 0.5
    return zoned_follow(chance, kind, chance.choice(ZONES), forward=forward, restarts=chance.random() < 0.7)


def check(followed: ZonedFollow) -> FollowOutcome:
    """Follow a history to its end, and compare with the truth."""
    table, chance = followed.table, followed.table.random
    since, end = int(table.now) - 40, table.now + 9600
    given: list[tuple[str, str]] = []
    checkpoint = None
    while table.now < end:
        until = min(table.now + chance.choice([40, 400, 4000]), end) if followed.restarts else end
        follow = follower(table, checkpoint=checkpoint, since=since, until=until, give_up_after=30 * DAY)
        with contextlib.suppress(TimeIsUpError):
            for log in follow:
                given.append(id_and_status(log))
                if followed.restarts and chance.random() < 0.05:
                    break
        checkpoint = json.loads(json.dumps(follow.checkpoint))
        follow.close()
        if followed.restarts:
            table.now += chance.choice([0, 5, 60, 1500])
    given += [id_and_status(log) for log in table.follow(checkpoint=checkpoint, until=table.now + 2000)]
    assert_true(table.rows, given)
    return FollowOutcome(table)

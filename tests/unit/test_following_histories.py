"""Following over random histories, against what really happened: no HTTP, no waiting, a clock of its own.

A history is a table of rows that appear (some of them late), end and are deleted at moments of a clock that only moves
when the follower asks, waits, or its consumer dawdles. Whatever is cut, broken or late: each row comes once, and once
more when it came unfinished and has ended since.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support import zoned_follows
from support.follow_histories import (
    DAY,
    NO_END,
    POLL,
    START,
    ExclusiveTable,
    LaggingTable,
    ShiftedTable,
    Table,
    TableRow,
    TimeIsUpError,
    assert_true,
    bulk,
    check,
    dice,
    followed_in_parts,
    follower,
    history,
    id_and_status,
    log_filters_of,
    random_follow_history,
    told_by,
)
from support.zoned_follows import LATE, ZonedFollowTable, step_of, zoned_follow

from dify_workflow import APIConnectionError, IncompleteWalkError
from dify_workflow._http.library import httpx
from dify_workflow._logs.follow import MOST_LOOKUPS, MOST_MISSES, OVERLAP_SECONDS, SLOWEST, Following
from dify_workflow._logs.walk import PageRequest
from dify_workflow._sync.log_follow import LogFollow
from dify_workflow.models import WorkflowLogPage

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_row_comes_once_and_once_more_when_it_has_ended(seed: int):
    chance = dice(seed)
    rows = history(chance, length=chance.choice([600, 4000]), burst=chance.choice([3, 30, 120]))
    table = Table(rows, START - 60, chance, slowness=chance.choice([0, 0.3]))
    given = [id_and_status(log) for log in table.follow(until=START + 9000)]
    assert_true(rows, given)


@pytest.mark.parametrize("seed", SEEDS)
def test_cuts_outages_and_slow_consumers_lose_and_repeat_nothing(seed: int):
    chance = dice(1000 + seed)
    rows = history(chance, length=chance.choice([600, 3000]), burst=chance.choice([3, 30, 120]))
    table = Table(rows, START - 60, chance, slowness=0.2, fault_rate=chance.choice([0, 0.02, 0.3]))
    cut_rate = chance.choice([0, 0.02, 0.2])

    def is_cut() -> bool:
        if chance.random() < 0.02:
            table.now += chance.choice([1, 60])
        return chance.random() < cut_rate

    def pause() -> float:
        return chance.choice([0, 0, 0, 20, 2000]) * (chance.random() < 0.3)

    assert_true(rows, followed_in_parts(table, since=START - 100, until=START + 8000, is_cut=is_cut, pause=pause))


@pytest.mark.parametrize("seed", range(12))
def test_a_backlog_is_read_whole_while_logs_arrive(seed: int):
    chance = dice(2000 + seed)
    backlog = bulk(chance.choice([1500, 4000]), seconds=chance.choice([60, 900, 86_400]), crowd=chance.choice([0, 400]))
    rows = backlog + history(chance, length=900, burst=40)
    table = Table(rows, START, chance, slowness=0.5, fault_rate=chance.choice([0, 0.1]))
    given: list[tuple[str, str]] = []
    for log in table.follow(since=START - 90_000, until=START + 9000):
        given.append(id_and_status(log))
        table.now += chance.choice([0, 0, 0.5])
    assert_true(rows, given)


@pytest.mark.parametrize("status", ["failed", "paused", "running", "succeeded"])
@pytest.mark.parametrize("seed", range(6))
def test_a_row_that_comes_to_have_the_status_is_given_once(seed: int, status: str):
    chance = dice(3000 + seed)
    rows = history(chance, length=2000, burst=30)
    given = Counter(
        id_and_status(log) for log in Table(rows, START - 60, chance).follow(status=status, until=START + 9000)
    )
    assert set(given.values()) <= {1}
    for row in rows:
        if row.deleted_at < NO_END:
            continue
        is_last = row.last_status == status
        # For the first status the row must have been there long enough to be seen.
        was_first = row.first_status == status and row.ended_at > row.visible_at + SLOWEST * POLL + 1
        if is_last or was_first:
            assert (row.identity, status) in given, row
        elif row.first_status != status:
            assert (row.identity, status) not in given, row


@pytest.mark.parametrize(
    ("there", "seconds"), [(0, 1), (1, 1), (99, 20), (100, 5000), (101, 1), (700, 1), (700, 29), (700, 5000)]
)
def test_only_logs_that_come_after_the_start_are_returned(there: int, seconds: int):
    chance = dice(there + seconds)
    rows = history(chance, length=600, burst=50)
    table = Table(bulk(there, seconds=seconds) + rows, START, chance)
    assert_true(rows, [id_and_status(log) for log in table.follow(until=START + 9000)])


def test_the_rows_of_one_look_come_oldest_first():
    rows = [replace(row, visible_at=START + 1) for row in bulk(700, seconds=20)]
    table = Table([TableRow("before", START - 30, 0), *rows], START)
    seconds = [log.created_at for log in table.follow(until=START + 100)]
    assert len(seconds) == 700
    assert seconds == sorted(seconds)


# What it costs ----------------------------------------------------------------------------------------------------


def looks_of(table: Table) -> list[list[PageRequest]]:
    """The requests of each look: those between two pauses."""
    return [table.requests[begin:end] for begin, end in itertools.pairwise([0, *table.requests_before_sleeps])]


def read_backlog(rows: list[TableRow]) -> tuple[int, int]:
    """Requests for a backlog, up to its last row, and the most rows that one of its parts had."""
    table = Table(rows, START)
    seconds: list[int] = []
    part, largest, requests = 0, 0, 0
    for log in table.follow(since=START - 61 * 86_400, until=START + 100):
        part = part + 1 if len(table.requests) == requests else 1
        largest, requests = max(largest, part), len(table.requests)
        seconds.append(log.created_at)
    assert len(seconds) == len(rows)
    assert seconds == sorted(seconds)
    return requests, largest


def test_a_backlog_of_25000_logs_takes_few_requests():
    requests, largest = read_backlog(bulk(25_000, seconds=60 * 86_400, crowd=400))
    assert requests <= 340
    assert largest <= 1000 + 400


def test_a_backlog_of_a_busy_minute_comes_in_parts_too():
    requests, largest = read_backlog(bulk(6000, seconds=100))
    assert requests <= 240  # those of the last half minute are read once more for each of its parts
    assert largest <= 1000 + 100


def until_the_first_pause(table: Table, **options: Any) -> list[str]:
    """The ids of the rows that the first look gives."""
    return [log.id for log in table.follow(until=table.now, **options)]


def one_a_second(count: int) -> list[TableRow]:
    return [TableRow(f"row-{n}", START - count + n, 0) for n in range(count)]


def test_each_part_of_a_backlog_is_read_once_in_one_poll():
    table = Table(one_a_second(2500), START)
    assert len(until_the_first_pause(table, since=START - 2500)) == 2500
    first, newest = START - 2500, START - 1
    ends = [START - 1501, START - 501]  # 1000 rows, 1000 rows, and the rest
    assert [request for request in table.requests if request.limit == 1] == [
        PageRequest(newest, first, 1501, 1),
        PageRequest(newest, ends[0] + 1, 501, 1),
    ]
    windows = [(request.before, request.after) for request in table.requests if request.limit > 1]
    assert windows == [
        (None, first),
        *((ends[0] - 99 * n, first) for n in range(11)),
        *((ends[1] - 99 * n, ends[0] + 1) for n in range(11)),
        (None, ends[1] - OVERLAP_SECONDS),  # what is new since, and what may have come late
        *((newest - 99 * n, ends[1] - OVERLAP_SECONDS) for n in range(1, 6)),
    ]


def test_logs_that_arrive_during_a_backlog_come_in_parts():
    backlog = one_a_second(2500)
    later = [TableRow(f"later-{n}", START + n // 10, START + 1.0) for n in range(2500)]
    table = Table(backlog + later, START)
    given: list[str] = []
    largest, part, requests = 0, 0, 0
    for log in table.follow(since=START - 2500, until=START + 1.0):
        part = part + 1 if len(table.requests) == requests else 1
        largest, requests = max(largest, part), len(table.requests)
        given.append(log.id)
        if len(given) == 1500:
            table.now = START + 1.0
    assert len(given) == len(set(given)) == 5000
    assert largest <= 1000 + 100


def test_many_first_logs_at_once_come_in_parts():
    rows = [replace(row, visible_at=START + 1) for row in one_a_second(2500)]
    table = Table(rows, START)
    assert [log.id for log in table.follow(until=START + 6.0)] == [row.identity for row in rows]
    newest, ends = START - 1, [START - 1501, START - 501]
    assert [request for request in table.requests if request.limit == 1] == [
        PageRequest(newest, None, 1501, 1),
        PageRequest(newest, ends[0] + 1, 501, 1),
    ]


def test_counted_but_missing_logs_do_not_make_a_poll_endless():
    class Miscounting(Table):
        def read_page(self, request: PageRequest) -> WorkflowLogPage:
            page = super().read_page(request)
            if len(self.requests) > 100:
                raise TimeIsUpError
            return WorkflowLogPage.from_dict({**page.to_dict(), "total": 5000})

    table = Miscounting(one_a_second(150), START)
    assert until_the_first_pause(table, since=START - 150) == []  # it cannot be told what is missing
    assert len(table.requests) < 100


def test_what_is_skipped_at_the_start_is_not_read_to_its_end():
    table = Table(one_a_second(5000), START)
    assert until_the_first_pause(table) == []
    assert [(request.before, request.after) for request in table.requests] == [
        (None, None),
        (None, START - 1 - OVERLAP_SECONDS),
    ]


def test_an_outage_is_waited_out_before_the_page_is_repeated():
    class Away(Table):
        def read_page(self, request: PageRequest) -> WorkflowLogPage:
            page = super().read_page(request)
            if len(self.requests) <= 5:
                raise APIConnectionError("GET /workflows/logs: reset", request=httpx.Request("GET", "http://x"))
            return page

    table = Away(one_a_second(3), START)
    assert len(list(table.follow(since=START - 3, until=START + 150))) == 3
    assert table.sleeps[:5] == [10, 20, 40, 60, 60]
    assert set(table.requests[:6]) == {PageRequest(None, START - 3)}


def test_unfinished_logs_in_every_poll_need_no_lookups():
    rows = [TableRow(f"row-{n}", START - n, 0, NO_END) for n in range(5)]
    table = Table(rows, START)
    assert len(list(table.follow(since=START - 10, until=START + 600))) == 5
    assert {len(look) for look in looks_of(table)} == {1}


@pytest.mark.parametrize("crowd", [0, 1, 50, 120, 399])
def test_an_idle_poll_is_one_request(crowd: int):
    table = Table(bulk(crowd * 2, seconds=2 * OVERLAP_SECONDS, crowd=crowd), START)
    given = [log.id for log in table.follow(since=START - 100, until=START + 600)]
    assert len(given) == crowd * 2
    costs = [len(look) for look in looks_of(table)]
    assert len(costs) > 10
    assert set(costs[2:]) == {1}, costs  # the first two: what there is, and whether that was all


def test_the_pause_grows_while_idle_and_shrinks_with_news():
    table = Table([TableRow("late", START + 900, START + 900)], START)
    assert [log.id for log in table.follow(until=START + 2000)] == ["late"]
    grown = [POLL * part for part in (1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6)]
    assert table.sleeps[:10] == grown
    at = table.sleeps.index(POLL)
    assert set(table.sleeps[10:at]) == {SLOWEST * POLL}
    assert table.sleeps[at + 1 : at + 11] == grown


def unfinished_rows(count: int, *, apart: int) -> list[TableRow]:
    return [TableRow(f"row-{n}", START - n * apart, 0, NO_END) for n in range(count)]


def test_many_unfinished_logs_cost_bounded_requests_per_poll():
    rows = unfinished_rows(500, apart=60)
    for row in rows:
        row.ended_at = START + 3600.0
    table = Table(rows, START)
    given = [id_and_status(log) for log in table.follow(since=START - 40_000, until=START + 4 * 3600)]
    assert given[:500] == [(row.identity, "running") for row in reversed(rows)]
    assert sorted(given[500:]) == sorted((row.identity, "succeeded") for row in rows)
    costs = [len(look) for look in looks_of(table)][1:]  # the first look reads the backlog
    assert max(costs) == 1 + MOST_LOOKUPS
    assert sum(costs) < 6 * len(rows)


def test_an_unfinished_row_is_looked_up_ever_more_seldom():
    table = Table([TableRow("row", START + 1, START + 1, NO_END), TableRow("next", START + 60, START + 60)], START)
    looked_up: list[float] = []
    read_page = table.read_page

    def noting(request: PageRequest) -> WorkflowLogPage:
        if request.before == START + 1:
            looked_up.append(table.now)
        return read_page(request)

    table.read_page = noting  # type: ignore[method-assign]
    assert [log.id for log in table.follow(until=START + 86_000)] == ["row", "next"]
    assert len(looked_up) < 120
    for earlier, later in itertools.pairwise(looked_up):
        assert later - earlier >= (earlier - START) / 10 - 2


def test_a_log_that_never_ends_is_given_up_and_costs_nothing():
    row = TableRow("row", START, 0, NO_END)
    table = Table([row, TableRow("next", START + 60, START + 60)], START)
    follow = follower(table, since=START - 10, give_up_after=600)
    assert [next(follow).id for _ in range(2)] == ["row", "next"]
    looked_up: list[float] = []
    read_page = table.read_page

    def noting(request: PageRequest) -> WorkflowLogPage:
        if request.before == START:
            looked_up.append(table.now - START)
        if table.now > START + 2000:
            row.ended_at = START + 2000
        if table.now > START + 3000:
            raise TimeIsUpError
        return read_page(request)

    follow.close()
    table.read_page = noting  # type: ignore[method-assign]
    follow = follower(table, checkpoint=follow.checkpoint, give_up_after=600)
    with pytest.raises(TimeIsUpError):
        next(follow)
    assert looked_up[-1] > 600
    assert all(age <= 600 for age in looked_up[:-1])
    assert follow.checkpoint["unfinished"] == {}


def test_dead_rows_of_a_backlog_are_looked_up_once():
    table = Table([*unfinished_rows(300, apart=600), TableRow("now", START + 2 * 86_400, 0)], START + 2 * 86_400)
    follow = follower(table, since=START - 200_000, give_up_after=DAY, until=START + 2 * 86_400 + 3600)
    assert len([next(follow) for _ in range(301)]) == 301
    table.requests.clear()
    with pytest.raises(TimeIsUpError):
        next(follow)
    assert len([request for request in table.requests if request.before is not None]) == 300
    assert follow.checkpoint["unfinished"] == {}


def test_rows_that_were_deleted_are_looked_up_no_more():
    rows = unfinished_rows(5, apart=100)
    table = Table([*rows, TableRow("now", START + 100, 0)], START)
    follow = follower(table, since=START - 1000, until=START + 3600)
    assert len([next(follow) for _ in range(6)]) == 6
    for row in rows:
        row.deleted_at = table.now
    with pytest.raises(TimeIsUpError):
        next(follow)
    assert follow.checkpoint["unfinished"] == {}
    assert len([request for request in table.requests if request.before == START]) == MOST_MISSES


def test_rows_that_a_lagging_replica_leaves_out_are_not_gone():
    rows = [TableRow("slow", START, START, START + 500), TableRow("now", START + 1000, START + 1000)]
    table = LaggingTable(rows, float(START))
    follow = follower(table, since=START - 100, until=START + 50)
    assert id_and_status(next(follow)) == ("slow", "running")
    table.lag, table.lag_rate = 60.0, 1.0
    with pytest.raises(TimeIsUpError):
        next(follow)
    assert any(request.before == START for request in table.requests)  # it was looked up, and not shown
    table.lag_rate = 0.0
    given = [id_and_status(log) for log in table.follow(checkpoint=follow.checkpoint, until=START + 2000)]
    assert_true(rows, [("slow", "running"), *given])


def test_restarts_do_not_begin_to_count_missing_rows_again():
    table = Table([TableRow("gone", START, 0, NO_END), TableRow("now", START + 1, 0)], START + 10)
    follow = follower(table, since=START - 100)
    assert [id_and_status(next(follow))[0] for _ in range(2)] == ["gone", "now"]
    table.rows[0].deleted_at = table.now
    counts = []
    while follow.checkpoint["unfinished"]:
        follow = follower(table, checkpoint=json.loads(json.dumps(follow.checkpoint)), until=table.now)
        with pytest.raises(TimeIsUpError):
            next(follow)
        counts += [place[2] for place in follow.checkpoint["unfinished"].values()]
    assert counts == [*range(1, MOST_MISSES)]


def test_logs_that_ended_between_follows_are_returned_even_late():
    table = Table([TableRow("row", START, START, START + 600.0), TableRow("next", START + 90, START + 90)], START)
    follow = follower(table, since=START - 1, give_up_after=3600)
    assert id_and_status(next(follow)) == ("row", "running")
    checkpoint = json.loads(json.dumps(follow.checkpoint))
    table.now += 3 * DAY
    given = [
        id_and_status(log) for log in table.follow(checkpoint=checkpoint, give_up_after=3600, until=table.now + 100)
    ]
    assert given == [("row", "succeeded"), ("next", "succeeded")]


def test_a_window_that_never_adds_up_does_not_block_others():
    rows = [TableRow("bad", START - 500, 0, START + 50.0), TableRow("good", START - 300, 0, START + 50.0)]
    table = Table([*rows, TableRow("new", START, 0)], START)
    read_page: Callable[[PageRequest], WorkflowLogPage] = table.read_page

    def contradicting(request: PageRequest) -> WorkflowLogPage:
        if request.before == START - 500:
            raise IncompleteWalkError("GET /workflows/logs: odd", expected=2, seen=1)
        return read_page(request)

    table.read_page = contradicting  # type: ignore[method-assign]
    given = [id_and_status(log) for log in table.follow(since=START - 600, until=START + 3000)]
    assert given == [("bad", "running"), ("good", "running"), ("new", "succeeded"), ("good", "succeeded")]


def test_a_follow_goes_on_from_an_earlier_checkpoint():
    rows = [
        TableRow(f"row-{n}", START + 10 * n, START + 10 * n, START + 10 * n + (400 if n % 3 == 0 else 0))
        for n in range(12)
    ]
    table = Table(rows, START + 70)
    stored = json.loads(Path(__file__).with_name("checkpoints_made_earlier.json").read_text("utf-8"))["follow"]
    given = [tuple(log) for log in stored["given"]]
    follow = follower(table, checkpoint=stored["checkpoint"], until=START + 1200)
    with pytest.raises(TimeIsUpError):
        given.extend(id_and_status(log) for log in follow)
    ended = [(f"row-{n}", "succeeded") for n in range(12)]
    running = [(f"row-{n}", "running") for n in range(0, 12, 3)]
    assert sorted(given) == sorted(ended + running)
    assert follower(Table([], START), checkpoint=stored["skipped"]).checkpoint == stored["skipped"]


@pytest.mark.parametrize("kind", ["shifted", "exclusive", "lagging", "jumping"])
def test_no_log_is_lost_where_servers_contradict_themselves(kind: str):
    for seed in range(3):
        check(random_follow_history(dice(seed), kind))


@pytest.mark.parametrize("seed", [8100141, 8100163, 950043, 9300552])
def test_no_late_log_is_lost_where_a_replica_lags(seed: int):
    check(random_follow_history(dice(seed), "lagging"))


def test_a_late_log_is_given_once_where_times_went_back():
    check(random_follow_history(dice(7500036), "shifted"))
    for seed in (7500050, 920197):
        zoned_follows.check(zoned_follows.random_zoned_follow(dice(seed)))


# The server's clock ---------------------------------------------------------------------------------------------------


HOUR = 3600
SHIFTS = {
    "Shanghai": ((0, 8 * HOUR),),
    "New York": ((0, -5 * HOUR),),
    "Kathmandu": ((0, 20_700),),
    "Berlin, spring": ((START + 500, 2 * HOUR), (0, HOUR)),
    "Berlin's process, spring": ((START + 500, -2 * HOUR), (0, -HOUR)),
    "Berlin's process, autumn": ((START + 500, -HOUR), (0, -2 * HOUR)),
    "London, spring": ((START + 500, HOUR), (0, 0)),
    "London, autumn": ((START + 500, 0), (0, HOUR)),
}


@pytest.mark.parametrize("shifts_runs", [False, True])
@pytest.mark.parametrize("name", SHIFTS)
@pytest.mark.parametrize("seed", range(2))
def test_a_shifted_server_is_followed_exactly(seed: int, name: str, shifts_runs: bool):
    chance = dice(4000 + seed)
    rows = history(chance, length=1000, burst=20)
    table = ShiftedTable(bulk(150, seconds=9000) + rows, START - 60, chance)
    table.shifts, table.shifts_runs = SHIFTS[name], shifts_runs
    follow = follower(table, until=START + 9000)
    given: list[tuple[str, str]] = []
    with pytest.raises(TimeIsUpError):
        given.extend(id_and_status(log) for log in follow)
    assert_true(rows, given)
    assert follow.time_shift == SHIFTS[name][0][1]


@pytest.mark.parametrize(("deleted_at", "after"), [(NO_END, [300, 5000]), (START + 150.0, [300, 420, 5000])])
@pytest.mark.parametrize("hours", [1, -1, 8])
def test_few_logs_after_displayed_times_went_back_are_given(hours: int, deleted_at: float, after: list[int]):
    # One log above the step looks like a page that is sorted the other way; without those below nothing shows the step.
    rows = [TableRow("first", START, float(START), deleted_at=deleted_at)]
    rows += [TableRow("before", START + 100, START + 100.0, deleted_at=deleted_at)]
    rows += [TableRow(f"after-{at}", START + at, float(START + at)) for at in after]
    table = ShiftedTable(rows, START - 60.0, dice(1))
    table.shifts, table.shifts_runs = ((START + 200, (hours - 1) * HOUR), (0, hours * HOUR)), True
    given = [log.id for log in table.follow(since=START - 100, until=START + 6000)]
    assert given == [row.identity for row in rows]


@pytest.mark.parametrize("name", ["Shanghai", "New York"])
def test_a_shifted_server_is_followed_from_a_checkpoint_on(name: str):
    chance = dice(5000)
    rows = history(chance, length=1000, burst=20)
    table = ShiftedTable(rows, START - 60, chance)
    table.shifts = SHIFTS[name]
    every_seventh = itertools.cycle([False] * 6 + [True])
    given = followed_in_parts(
        table, since=START - 100, until=START + 8000, is_cut=lambda: next(every_seventh), pause=lambda: 5.0
    )
    assert_true(rows, given)


def followed_with_restarts(table: ShiftedTable, chance: random.Random, *, until: int) -> list[tuple[str, str]]:
    """What is given where a follow is begun again from its checkpoint after some logs, and after some time."""
    return followed_in_parts(
        table,
        since=START - 100,
        until=until,
        is_cut=lambda: chance.random() < 0.2,
        pause=lambda: chance.choice([0, 60, 1500]),
        longest=400,
    )


@pytest.mark.parametrize("hours", [1, -5, 0])
@pytest.mark.parametrize("seed", range(2))
def test_an_hour_that_is_displayed_twice_is_given_once(seed: int, hours: int):
    chance = dice(6000 + seed)
    rows = history(chance, length=900, burst=3)
    rows += [TableRow(f"later-{n}", START + 900 + 120 * n, START + 900.0 + 120 * n) for n in range(40)]
    table = ShiftedTable(rows, START - 60, chance)
    table.shifts, table.shifts_runs = ((START + 500, (hours - 1) * HOUR), (0, hours * HOUR)), True
    assert_true(rows, followed_with_restarts(table, chance, until=START + 6000))


@pytest.mark.parametrize("part", [66, 123])
@pytest.mark.parametrize("kind", ["session", "process"])
def test_late_logs_before_a_skipped_hour_are_given(kind: str, part: int):
    step = step_of(kind, "Europe/London", forward=True)
    rows = [TableRow(f"row-{n}", step + n, step + n) for n in range(-60, 60)]
    rows += [TableRow(f"late-{n}", step - n, step + LATE - n) for n in (1, 9, 20)]
    table = ZonedFollowTable(rows, step - 100.0)
    table.kind, table.zone = kind, "Europe/London"
    follow = follower(table, since=step - 200)
    given = [id_and_status(log) for log in itertools.islice(follow, part)]
    checkpoint = json.loads(json.dumps(follow.checkpoint))
    given += [id_and_status(log) for log in table.follow(checkpoint=checkpoint, until=step + 200)]
    assert_true(rows, given)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("step", ["forward", "back"])
@pytest.mark.parametrize("kind", ["session", "process"])
def test_logs_around_a_step_of_times_are_given_once(kind: str, step: str, zone: str, *, restarts: bool):
    zoned_follows.check(zoned_follow(dice(11), kind, zone, forward=step == "forward", restarts=restarts))


@pytest.mark.parametrize("seed", [7600051, 9400241])
def test_a_log_from_before_a_skipped_hour_is_given_once(seed: int):
    # Others that were late, or seem hidden by a replica, count as of after that hour, or by the clock of before it.
    zoned_follows.check(zoned_follows.random_zoned_follow(dice(seed)))


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("zone", ["Europe/London", "Australia/Lord_Howe"])
def test_a_checkpoint_of_the_first_pass_gives_the_second(mode: str, zone: str):
    # The logs of both passes are displayed in one hour, and filtered as of the second; the times of their runs differ.
    step = step_of("session", zone, forward=False)
    rows = [TableRow(f"{n}", step + n, step + n) for n in (-900, -600, 150, 700, 5000)]
    table = ZonedFollowTable(rows, step - 800.0)
    table.kind, table.zone = "session", zone
    follow = follower(table, until=step - 500)
    with pytest.raises(TimeIsUpError):
        for _ in follow:
            pass
    table.now = step + 2 * DAY
    given = told_by(mode, table, checkpoint=json.loads(json.dumps(follow.checkpoint)), until=table.now + 600)
    assert_true(rows[2:], given)


def test_a_checkpoint_is_small_after_a_repeated_hour():
    rows = [TableRow(f"row-{n}", START + n, START + n) for n in range(600)]
    table = ShiftedTable(rows, START)
    table.shifts, table.shifts_runs = ((START + 300, 0), (0, HOUR)), True
    follow = follower(table, since=START, until=START + 700)
    with pytest.raises(TimeIsUpError):
        for _ in follow:
            pass
    assert len(follow.checkpoint["recent"]) <= OVERLAP_SECONDS + 1
    assert follow.time_shift == 0


EACH_MODE = pytest.mark.parametrize("mode", ["sync", "async"])


@EACH_MODE
@pytest.mark.parametrize("since", [START - 100, None])
@pytest.mark.parametrize("hours", [13, 5.5, -5])
def test_logs_after_a_deleted_first_log_are_given(mode: str, hours: float, since: int | None):
    # It is deleted before the next poll, so that nothing has shown yet by which clock it was displayed.
    rows = [TableRow("first", START + 12, START + 12, deleted_at=START + 25.0)]
    rows += [TableRow(f"after-{n}", START + 200 + n, START + 200.0 + n) for n in (0, 1, 500)]
    table = ShiftedTable(rows, START - 60.0)
    table.shifts, table.shifts_runs = ((0, round(hours * HOUR)),), True
    given = told_by(mode, table, since=since, until=START + 2000)
    assert_true(rows, given)
    assert ("first", "succeeded") in given


@EACH_MODE
@pytest.mark.parametrize("hours", [(2, 0), (0, 2), (0, 1, 2, 1), (9, 8, 7, 6), (-3, -2, -1, 0)])
def test_the_end_of_a_log_from_before_many_steps_is_given(mode: str, hours: tuple[int, ...]):
    # The clock when it was its turn is known: no clock has to be guessed, however far the present one is away from it.
    at = [START + 9000 * n for n in range(len(hours))]
    rows = [TableRow("slow", START + 100, START + 100, at[-1] + 5000.0)]
    rows += [TableRow(f"row-{n}", START + n, START + n) for n in range(0, 9000 * len(hours), 600)]
    table = ShiftedTable(rows, START - 60.0)
    table.shifts, table.shifts_runs = tuple(zip([*at[:0:-1], 0], [h * HOUR for h in hours[::-1]], strict=True)), True
    assert_true(rows, told_by(mode, table, since=START - 100, until=at[-1] + 9000))


@EACH_MODE
@pytest.mark.parametrize("excludes", ["before", "after", "before and after"])
def test_ends_at_exclusive_bounds_are_given(mode: str, excludes: str):
    rows = [TableRow("slow", START, START + 5, START + 3000.0), TableRow("soon", START + 5, START + 5, START + 600.0)]
    crowd = [TableRow(f"crowd-{n}", START + 5, START + 5, deleted_at=START + 500.0) for n in range(120)]
    table = ExclusiveTable([*rows, *crowd, TableRow("next", START + 400, START + 400)], START - 60.0)
    table.excludes = excludes
    read_page = table.read_page

    def crowded(request: PageRequest) -> WorkflowLogPage:
        # Only a lookup is shown the second that fills a page: that makes its walk find the bounds, and show both.
        for row in crowd:
            row.visible_at = NO_END if request.before is None else START
        return read_page(request)

    table.read_page = crowded  # type: ignore[method-assign]
    given = told_by(mode, table, since=START - 10, until=START + 5000)
    assert_true([row for row in table.rows if row not in crowd], [one for one in given if "crowd" not in one[0]])


@EACH_MODE
def test_a_response_that_lags_makes_no_bound_exclusive(mode: str):
    rows = [TableRow(f"row-{n}", START + n, START + n) for n in range(3)]
    rows[1].ended_at = START + 4000.0
    table = LaggingTable([*rows, TableRow("next", START + 100, START + 100)], START - 60.0)
    read_page = table.read_page

    def lagging(request: PageRequest) -> WorkflowLogPage:
        is_first = (request.before, request.after) not in [(one.before, one.after) for one in table.requests]
        table.lag, table.lag_rate = HOUR, float(is_first and request.before == START + 1)
        return read_page(request)

    table.read_page = lagging  # type: ignore[method-assign]  # one response of each window lags
    assert_true(table.rows, told_by(mode, table, since=START - 10, until=START + 6000))
    windows = [(request.before, request.after) for request in table.requests if request.before is not None]
    assert windows[:2] == [(START + 1, START + 1), (START + 2, START)]
    assert set(windows[2:]) == {(START + 1, START + 1)}


@EACH_MODE
@pytest.mark.parametrize("newest", [START + 70, START + 299])
def test_a_late_log_that_one_page_lacked_is_given(mode: str, newest: int):
    # The first page is of the present; the second one is of a moment at which the late log was not there yet.
    rows = [TableRow(f"row-{n}", START + n // 10, START) for n in range(150)]
    rows += [TableRow("late", START, START + 20.0), TableRow("new", newest, newest)]
    table = LaggingTable(rows, START + 10.0)
    follow = follower(table, since=START - 100, until=START + 10)
    given: list[tuple[str, str]] = []
    with contextlib.suppress(TimeIsUpError):
        given.extend(id_and_status(log) for log in follow)
    table.now = newest
    read_page, begun = table.read_page, len(table.requests)

    def lagging(request: PageRequest) -> WorkflowLogPage:
        table.lag, table.lag_rate = newest - START - 10, float(len(table.requests) == begun + 1)
        return read_page(request)

    table.read_page = lagging  # type: ignore[method-assign]
    given += told_by(mode, table, checkpoint=follow.checkpoint, until=newest + 400)
    assert_true(rows, given)
    assert {request.after for request in table.requests[-10:]} == {newest - OVERLAP_SECONDS}


def test_a_faithful_server_gets_no_request_more():
    table = Table(one_a_second(50), START)
    assert len(list(table.follow(since=START - 100, until=START + 600))) == 50
    assert {request.limit for request in table.requests} == {100}
    assert {len(look) for look in looks_of(table)} == {1}


@pytest.mark.parametrize("jump", [400 * DAY, -400 * DAY, 3 * HOUR])
def test_a_clock_that_is_set_drops_no_unfinished_log(jump: float):
    table = Table([TableRow("row", START - 300, 0, START + 500.0), TableRow("next", START, 0)], START)
    followed = follower(table, since=START - HOUR, give_up_after=DAY, until=START + 1500)
    checkpoint = None
    given: list[tuple[str, str]] = []
    for wall in (START, START + jump, START):
        following = Following(log_filters_of(), oldest=START - HOUR, poll=POLL, give_up_after=DAY)
        if checkpoint is not None:
            following.restore(checkpoint)

        def sleep(seconds: float) -> None:
            table.sleep(seconds)
            if table.sleeps[-1] and len(table.sleeps) % 9 == 0:
                raise TimeIsUpError

        followed = LogFollow(
            table.read_page, following, clock=lambda wall=wall: wall, monotonic=lambda: table.now - START, sleep=sleep
        )
        with contextlib.suppress(TimeIsUpError):
            given.extend(id_and_status(log) for log in followed)
        checkpoint = json.loads(json.dumps(followed.checkpoint))
        table.now += 300
    assert given == [("row", "running"), ("next", "succeeded"), ("row", "succeeded")]

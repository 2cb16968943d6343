"""What pages prove, how many a walk takes, and what it leaves behind; the table responds without HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import threading
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from support.log_histories import NO_FILTERS, NOW, History, walk
from support.log_table import LogTable, ServerFaults, key_of

from dify_workflow import IncompleteWalkError, InternalServerError
from dify_workflow._async.log_walk import AsyncLogWalk
from dify_workflow._logs.walk import PageRequest, Ranges, WindowWalk, rows_of
from dify_workflow._sync.log_walk import LogWalk
from dify_workflow.models import WorkflowLog, WorkflowLogPage

if TYPE_CHECKING:
    from collections.abc import Callable

SPREAD = [(NOW - number, 3) for number in range(700)]


def made_for(table: LogTable, **options: Any) -> LogWalk:
    return LogWalk(table.page, NO_FILTERS, **({"checkpoint": None, "workers": 1} | options))


def read_all(walk: WindowWalk, table: LogTable) -> list[str]:
    keys: list[str] = []
    while (request := walk.next_request()) is not None:
        keys += [key_of(row.log) for row in walk.accept(table.page(request))]
    return keys


# Requests -------------------------------------------------------------------------------------------------------


def test_an_empty_table_takes_one_request():
    table = LogTable()
    assert list(made_for(table)) == []
    assert table.requests == [PageRequest(None, None)]


def test_what_fits_into_one_page_takes_one_request():
    table = LogTable([(NOW, 50), (NOW - 1, 49)])
    assert len(list(made_for(table))) == 99
    assert len(table.requests) == 1


def test_each_window_begins_at_the_oldest_second_before_it():
    table = LogTable([(NOW - number, 7) for number in range(86)])
    assert len(list(made_for(table))) == 602
    assert len(table.requests) <= 7
    assert {request.page for request in table.requests} == {1}
    # 14 seconds and 2 rows of the next to a page
    assert [request.before for request in table.requests] == [None, *(NOW - 14 * n for n in range(1, 7))]


def test_a_second_of_351_logs_among_25000_takes_few_requests():
    table = LogTable([(NOW - number, 1 + number % 3) for number in range(12_325)] + [(NOW - 12_325, 351)])
    assert len(table) == 25_000
    assert len(list(made_for(table))) == 25_000
    assert len(table.requests) <= 290


def test_a_crowded_second_on_one_page_is_proven_by_it():
    table = LogTable([(NOW, 1), (NOW - 1, 99), (NOW - 2, 99)])
    assert len(list(made_for(table))) == 199
    assert len(table.requests) <= 4


def test_an_inflated_total_makes_no_worker_request_more():
    faults = ServerFaults(total=lambda true: 10**6)
    table = LogTable(SPREAD, faults=faults)
    with pytest.raises(IncompleteWalkError):
        list(made_for(table, workers=4))
    assert len(table.requests) < 120
    outcome = walk(History(SPREAD, faults=faults, workers=4))
    assert isinstance(outcome.error, IncompleteWalkError)
    assert len(outcome.table.requests) < 120


# What a page proves -----------------------------------------------------------------------------------------------


def test_the_start_is_pinned_by_the_servers_newest_row():
    def arrive(number: int) -> None:
        table.add(NOW + number, 30)  # faster than a walk can follow

    table = LogTable(SPREAD)
    there = table.keys()
    table.before_request = lambda number: arrive(number) if number > 1 else None
    assert {key_of(log) for log in made_for(table)} == there
    assert len(table.requests) < 25


def test_a_crowded_newest_second_is_not_taken_for_the_oldest():
    def arrive(number: int) -> None:
        table.add(NOW + number, 150)

    table = LogTable([(NOW, 150), *((NOW - number, 3) for number in range(1, 100))])
    there = table.keys()
    table.before_request = lambda number: arrive(number) if number > 1 else None
    walk = WindowWalk(None, None)
    assert set(read_all(walk, table)) == there
    assert walk.is_ordered
    assert walk.pinned == NOW


def test_an_ascending_server_with_a_full_oldest_second_is_found():
    table = LogTable([(NOW, 5), (NOW - 1, 150)], faults=ServerFaults(order="ascending"))
    walk = WindowWalk(None, None)
    assert len(read_all(walk, table)) == 155
    assert not walk.is_ordered


def test_logs_deleted_before_reading_are_no_contradiction():
    class Late(LogTable):
        def page(self, request: PageRequest) -> WorkflowLogPage:
            page = super().page(request)
            if len(self.requests) == 3:
                page.data = []  # the count was made, then the rest was deleted
                self.delete(self.keys(NOW - 50))
            return page

    table = Late([(NOW - number, 3) for number in range(100)])
    assert len(list(made_for(table))) < 300


def page_of(total: int | None, rows: list[tuple[str, int]]) -> WorkflowLogPage:
    data = [{"id": key, "created_at": second} for key, second in rows]
    return WorkflowLogPage.from_dict({"page": 1, "limit": 100, "total": total, "has_more": False, "data": data})


def test_a_window_may_be_empty_twice():
    walk = WindowWalk(None, None)
    empty = page_of(5, [])
    for first in (0, 99):
        assert walk.accept(empty) == walk.accept(empty) == []
        rows = [(f"{n}", NOW - n) for n in range(first, first + 100)]
        assert len(walk.accept(page_of(500, rows))) == (99 if first else 100)
    assert walk.accept(empty) == walk.accept(empty) == []
    with pytest.raises(IncompleteWalkError, match="0 of 5 logs seen") as caught:
        walk.accept(empty)
    assert (caught.value.expected, caught.value.seen) == (5, 0)


@pytest.mark.parametrize(
    ("second", "is_time"),
    [(-62_135_596_800, False), (-62_135_596_799, True), (0, True), (253_402_300_799, True), (253_402_300_800, False)],
)
def test_a_time_is_one_that_can_be_asked_for(second: int, is_time: bool):
    rows = rows_of(page_of(2, [("odd", second), ("usual", 7)]))
    assert (rows[0].is_timed, rows[0].second) == (is_time, second if is_time else 7)


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_capped_pages_and_a_second_larger_than_one_are_read(workers: int):
    crowds = [(NOW, 4), (NOW - 1, 21), (NOW - 302, 21), *((NOW - 303 - number, 7) for number in range(80))]
    outcome = walk(History(crowds, faults=ServerFaults(cap=20), workers=workers))
    assert outcome.error is None
    assert sorted(outcome.keys) == sorted(outcome.table.seconds_ever)
    assert len(outcome.table.requests) < 120


def test_below_a_second_of_many_logs_capped_pages_prove_the_rest():
    def arrive(number: int) -> None:
        if number > 5:  # late, and below the second that fills a page
            table.add(NOW - 400, 1)

    table = LogTable(
        [(NOW, 4), (NOW - 302, 21), *((NOW - 303 - number, 7) for number in range(20))], faults=ServerFaults(cap=20)
    )
    there = table.keys()
    table.before_request = arrive
    assert there <= {key_of(log) for log in made_for(table)}
    assert len(table.requests) < 60


def test_rows_counted_and_never_shown_are_an_error():
    class Hiding(LogTable):
        def page(self, request: PageRequest) -> WorkflowLogPage:
            page = super().page(request)
            if request.before is not None and request.before < NOW - 50:
                page.data = []
            return page

    table = Hiding([(NOW - number, 3) for number in range(100)])
    with pytest.raises(IncompleteWalkError, match=r"0 of \d+ logs seen from None to") as caught:
        list(made_for(table))
    assert caught.value.expected > 0
    assert caught.value.seen == 0


def test_deletions_in_a_crowded_second_replace_no_other_log():
    for at in range(2, 12):
        table = LogTable([(NOW, 1), (NOW - 1, 250)])
        gone = table.crowd(NOW - 1)[:40]
        there = table.keys() - set(gone)
        table.before_request = lambda number, at=at, gone=gone, table=table: (
            table.delete(gone) if number == at else None
        )
        assert {key_of(log) for log in made_for(table)} >= there


def lost_with_swaps(crowds: list[tuple[int, int]], crowd: int, swaps: set[int]) -> int:
    """Rows that a walk misses, where before some requests a row of a second goes and another one comes."""
    table = LogTable(crowds)
    there = table.keys()

    def change(number: int) -> None:
        if number in swaps:
            table.delete(table.crowd(crowd)[:1])
            table.add(crowd)

    table.before_request = change
    return len(there - table.deleted - {key_of(log) for log in made_for(table)})


CROWDED = [(NOW, 1), (NOW - 1, 250), (NOW - 2, 1)]


def test_simultaneous_arrivals_and_deletions_hide_no_log():
    # No total shows such a swap. Every moment is tried, and every two of them.
    moments = [{at} for at in range(2, 30)] + [{at, at + gap} for at in range(2, 12) for gap in (1, 3)]
    assert sum(lost_with_swaps(CROWDED, NOW - 1, swaps) for swaps in moments) == 0
    assert sum(lost_with_swaps([(NOW, 250), (NOW - 2, 1)], NOW, swaps) for swaps in moments) == 0


def check_that_swaps_hide_no_row(crowds: list[tuple[int, int]], crowd: int, rate: float, first: int) -> None:
    """Many walks, in each of which rows of a second go and come before many of the requests from the first on."""
    for seed in range(30):
        chance = random.Random(seed)  # noqa: S311 - the same changes each time
        table = LogTable(crowds)
        there = table.keys()

        def swap(number: int, table: LogTable = table, chance: random.Random = chance) -> None:
            if number == first:
                table.add(crowd)
            if number > first and chance.random() < rate:
                table.delete([chance.choice(table.crowd(crowd))])
                table.add(crowd)

        table.before_request = swap
        with contextlib.suppress(IncompleteWalkError):  # it may say that it cannot know; it must not be wrong
            given = {key_of(log) for log in made_for(table)}
            assert given >= there - table.deleted


@pytest.mark.parametrize("size", [130, 250, 330])
def test_rows_that_go_and_come_all_the_time_hide_no_other(size: int):
    check_that_swaps_hide_no_row([(NOW, size), (NOW - 2, 1)], NOW, 0.3, first=1)


@pytest.mark.parametrize("first", [2, 4], ids=["before the crowded second was read", "while it is read"])
def test_where_logs_were_seen_to_arrive_no_second_is_too_old(first: int):
    check_that_swaps_hide_no_row([(NOW, 1), (NOW - 9000, 330), (NOW - 9001, 1)], NOW - 9000, 0.3, first=first)


def test_a_second_too_old_for_arrivals_is_counted_once():
    def requests(crowd: int, **options: Any) -> int:
        table = LogTable([(NOW, 1), (crowd, 250), (NOW - 9000, 1)])
        assert len(list(made_for(table, **options))) == 252
        return len(table.requests)

    assert requests(NOW - 121) < requests(NOW - 120)


@pytest.mark.parametrize(
    "faults",
    [ServerFaults(ignores_before=True), ServerFaults(ignores_after=True), ServerFaults(order="unsorted")],
    ids=str,
)
def test_what_changes_its_ways_while_ranges_are_read_is_refused(faults: ServerFaults):
    table = LogTable([(NOW - number, 3) for number in range(400)] + [(NOW - 400, 300)])

    def turn(number: int) -> None:
        if number == 4:
            table.faults = faults

    table.before_request = turn
    walk = made_for(table, workers=4)
    keys: list[str] = []
    try:
        for log in walk:
            keys.append(key_of(log))  # noqa: PERF401 - what was given before the error counts
    except IncompleteWalkError:
        table.faults = ServerFaults()
        keys += [key_of(log) for log in made_for(table, checkpoint=walk.checkpoint)]
    assert sorted(keys) == sorted(table.keys())


def test_has_more_is_believed_where_it_says_that_there_is_more():
    # A proxy caps the pages and fits the total to them: then a short page is not the last one.
    table = LogTable(SPREAD[:30], faults=ServerFaults(cap=20, total=lambda true: min(true, 20), has_more=True))
    assert len(list(made_for(table))) == 90


@pytest.mark.parametrize(
    "rows",
    [
        [("a", NOW - 5), ("b", NOW)],
        [("a", NOW + 1), ("b", NOW)],
        [("a", NOW), ("b", None), ("c", NOW - 200)],
        [("a", None), ("b", None)],
    ],
    ids=["not sorted", "too new", "too old, and one without a time", "none with a time"],
)
def test_a_part_of_a_walk_does_not_go_on_without_order(rows: list[tuple[str, int | None]]):
    data = [{"id": identity, "created_at": second} for identity, second in rows]
    page = WorkflowLogPage.from_dict({"data": data, "total": 9})
    walk = WindowWalk(NOW, NOW - 100)
    # A log outside of the bounds makes it ask whether the bound is ignored; this server shows the same page always.
    assert len(walk.accept(page) or walk.accept(page)) > 0
    assert not walk.is_ordered
    part = WindowWalk(NOW, NOW - 100)
    part.is_part = True
    with pytest.raises(IncompleteWalkError, match="some pages and not others"):
        _ = part.accept(page) or part.accept(page)


def test_a_page_with_one_id_twice_gives_it_once():
    page = LogTable([(NOW, 3)]).page(PageRequest(None, None))
    page.data = [*page.data, page.data[0]]
    page.total = 4
    assert len(WindowWalk(None, None).accept(page)) == 3


def test_an_odd_row_gets_the_second_of_the_next_older_one():
    logs = [{"id": "a", "created_at": 9}, None, {"id": "b", "created_at": 7}, 5]
    page = WorkflowLogPage.from_dict({"data": logs, "total": 4})
    assert [(row.second, row.is_timed) for row in rows_of(page)] == [(9, True), (7, False), (7, True), (7, False)]


@pytest.mark.parametrize(
    ("row", "later"),
    [
        ({"id": None, "workflow_run": {"id": "r-1"}}, {"workflow_run": {"status": "failed"}}),
        ({"workflow_run": {"id": 7, "status": "running"}}, {"workflow_run": {"id": 7, "status": "failed"}}),
        ({"id": 7}, {"id": 7, "details": "now there are some"}),
        ({"id": [7]}, {"id": [7], "details": "now there are some"}),
    ],
    ids=["no id", "the run's id is a number", "a number", "a list"],
)
def test_a_row_of_an_odd_id_is_known_again_when_it_has_changed(row: dict[str, Any], later: dict[str, Any]):
    def rows(*data: dict[str, Any]) -> list[str]:
        found = rows_of(WorkflowLogPage.from_dict({"total": 9, "data": [{"created_at": NOW} | one for one in data]}))
        return [one.identity for one in found]

    run = row.get("workflow_run", {}) | later.get("workflow_run", {})
    changed = row | later | ({"workflow_run": run} if run else {})
    assert rows(row) == rows(changed)
    assert len(set(rows(row, changed))) == 1  # also on one page: it is one row that came twice
    assert len(set(rows(row, {"id": "other"}))) == 2


def test_identical_logs_are_distinguished_on_one_page():
    page = WorkflowLogPage.from_dict({"data": [None, {"created_at": NOW}, None, {"created_at": NOW}], "total": 4})
    assert len(WindowWalk(None, None).accept(page)) == 4


# Ranges ----------------------------------------------------------------------------------------------------------


def split(table: LogTable, workers: int) -> tuple[WindowWalk, Ranges | None]:
    walk = WindowWalk(None, None)
    for _ in range(2):
        request = walk.next_request()
        assert request is not None
        walk.accept(table.page(request))
    return walk, Ranges.of(walk, workers)


def test_a_walk_that_is_split_is_the_first_part():
    walk, ranges = split(LogTable(SPREAD), 4)
    assert ranges is not None
    assert walk.is_part
    assert walk.below(NOW - 300).is_part


def test_one_worker_and_short_rests_are_not_split():
    assert split(LogTable(SPREAD), 1)[1] is None
    assert split(LogTable(SPREAD[:90]), 8)[1] is None


def test_each_worker_has_several_ranges():
    for rows in (2_000, 20_000, 200_000):
        walk, _ = split(LogTable(SPREAD), 1)
        walk.total = rows
        ranges = Ranges.of(walk, 8)
        assert ranges is not None
        assert 3 <= ranges.pages <= 10
        assert ranges.count * ranges.pages * ranges.step >= rows
    assert ranges.count > 100


@pytest.mark.parametrize(
    ("total", "seen", "workers", "ranges"),
    [
        (2100, 199, 2, (4, 6, 0)),
        (2100, 581, 2, (4, 6, 0)),
        (2100, 582, 2, (3, 6, 1)),
        (20_000, 199, 2, (21, 10, 0)),
        (20_000, 199, 8, (23, 9, 0)),
        (100_000, 5000, 8, (99, 10, 5)),
        (582, 199, 8, (2, 3, 0)),
        (583, 199, 8, (3, 3, 0)),
        (873, 300, 8, (2, 3, 1)),
        (582, 300, 8, None),
        (291, 199, 8, None),
        (0, 199, 8, None),
        (None, 199, 8, None),
    ],
)
def test_a_walk_is_split_into_ranges_of_the_same_pages(
    total: int | None, seen: int, workers: int, ranges: tuple[int, int, int] | None
):
    walk, _ = split(LogTable(SPREAD), 1)
    walk.total, walk.seen = total, seen
    made = Ranges.of(walk, workers)
    assert (made and (made.count, made.pages, made.passed)) == ranges
    assert made is None or (made.newest, made.oldest, made.total) == (NOW, None, total)


@pytest.mark.parametrize(
    ("seconds", "above", "expected"),
    [
        ([], None, None),
        ([NOW], None, NOW),
        ([NOW - 5, NOW - 5, NOW - 6], None, NOW - 5),
        ([NOW - 5, NOW - 6], NOW - 5, NOW - 5),
        ([NOW - 5, NOW - 6], NOW - 7, NOW - 7),
        ([NOW - 5, NOW - 6], NOW, NOW - 5),
    ],
)
def test_the_range_above_a_page_ends_with_the_pages_first_second(
    seconds: list[int], above: int | None, expected: int | None
):
    ranges = Ranges(NOW, None, 2, 3, 96, 0, 500)
    rows = rows_of(page_of(500, [(f"{n}", second) for n, second in enumerate(seconds)]))
    assert ranges.boundary_second(rows, WindowWalk(above, None)) == expected


@pytest.mark.parametrize("seconds", [[NOW + 1], [NOW + 1, NOW], [NOW - 6, NOW - 5]])
def test_a_page_that_is_not_in_its_place_is_an_error(seconds: list[int]):
    ranges, above = Ranges(NOW, None, 2, 3, 96, 0, 500), WindowWalk(None, None)
    above.seen = 7
    rows = rows_of(page_of(500, [(f"{n}", second) for n, second in enumerate(seconds)]))
    with pytest.raises(IncompleteWalkError, match="the server sorts some pages and not others") as caught:
        ranges.boundary_second(rows, above)
    assert (caught.value.expected, caught.value.seen) == (500, 7)


class LoopOfTurns(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next thing to do, so that a sleep takes no time and can be counted."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = 0.0
        selector: Any = self._selector  # type: ignore[attr-defined]
        select = selector.select

        def skip(timeout: float | None) -> Any:
            self.turns += timeout or 0
            return select(0)

        selector.select = skip

    def time(self) -> float:
        return self.turns


def turns(crowds: list[tuple[int, int]], workers: int) -> float:
    """What a walk takes where each page takes one turn, and nothing else takes any."""
    table = LogTable(crowds)

    async def read_page(request: PageRequest) -> WorkflowLogPage:
        await asyncio.sleep(1)
        return table.page(request)

    async def run() -> None:
        assert len([log async for log in AsyncLogWalk(read_page, NO_FILTERS, checkpoint=None, workers=workers)]) == len(
            table
        )

    with contextlib.closing(LoopOfTurns()) as loop:
        loop.run_until_complete(run())
        return loop.turns


@pytest.mark.parametrize(
    "crowds",
    [
        [(NOW - number, 3) for number in range(6_667)],
        [(NOW - 7 * n, (1, 1, 2, 3, 5, 8, 21)[n % 7]) for n in range(3_400)],
    ],
    ids=["three a second", "bursts"],
)
def test_eight_workers_need_a_sixth_of_the_turns_and_less(crowds: list[tuple[int, int]]):
    assert turns(crowds, 1) >= 6.5 * turns(crowds, 8)


def test_no_boundary_is_beyond_the_last_possible_page():
    walk, _ = split(LogTable(SPREAD), 1)
    walk.total = 10**12
    ranges = Ranges.of(walk, 64)
    assert ranges is not None
    last = ranges.boundary(ranges.count - 1)
    assert last is not None
    assert last.page <= 99_999
    assert ranges.boundary(ranges.count) is None


def test_a_server_that_was_not_seen_to_sort_is_not_split():
    table = LogTable([(NOW, 150), (NOW - 1, 150), (NOW - 2, 150), (NOW - 3, 150)])
    outcome = walk(History([(NOW, 150), (NOW - 1, 150), (NOW - 2, 150), (NOW - 3, 150)], workers=4))
    assert not outcome.lost
    assert split(table, 4)[1] is None


# The object -------------------------------------------------------------------------------------------------------


def test_total_and_seen_count_along():
    walk = made_for(LogTable(SPREAD))
    assert (walk.total, walk.seen) == (None, 0)
    next(walk)
    assert (walk.total, walk.seen) == (2100, 1)
    assert sum(1 for _ in walk) == 2099
    assert (walk.total, walk.seen, walk.checkpoint["ended"]) == (2100, 2100, True)
    assert next(walk, None) is None


def test_a_failed_walk_does_not_end_quietly_when_resumed():
    def fail(number: int) -> None:
        if number == 3:
            raise InternalServerError("x", status_code=500, code=None, message="", headers={}, body="", request=None)  # type: ignore[arg-type]

    table = LogTable(SPREAD, before_request=fail)
    walk = made_for(table)
    with pytest.raises(InternalServerError):
        list(walk)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="from its checkpoint"):
            next(walk)
    keys = {key_of(log) for log in made_for(table, checkpoint=walk.checkpoint)}
    assert len(keys) == 2100 - walk.seen


def test_a_cancelled_walk_does_not_look_finished():
    async def run() -> None:
        async def never(request: PageRequest) -> WorkflowLogPage:
            await asyncio.Event().wait()
            raise AssertionError(request)

        walk = AsyncLogWalk(never, NO_FILTERS, checkpoint=None, workers=1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(walk), 0.01)
        with pytest.raises(RuntimeError, match="from its checkpoint"):
            await anext(walk)

    asyncio.run(run())


def walk_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "dify-workflow-walk"}


def test_workers_are_named_daemon_threads():
    readers: set[threading.Thread] = set()

    class Watching(LogTable):
        def page(self, request: PageRequest) -> WorkflowLogPage:
            readers.add(threading.current_thread())
            return super().page(request)

    assert len(list(made_for(Watching(SPREAD), workers=8))) == 2100
    workers = readers - {threading.current_thread()}
    assert 0 < len(workers) <= 8
    assert {(worker.name, worker.daemon) for worker in workers} == {("dify-workflow-walk", True)}


def test_async_workers_with_pending_responses_are_not_awaited():
    async def run() -> None:
        table = LogTable(SPREAD)

        async def read_page(request: PageRequest) -> WorkflowLogPage:
            if len(table.requests) >= 8:
                await asyncio.Event().wait()  # the server is stuck
            return table.page(request)

        walk = AsyncLogWalk(read_page, NO_FILTERS, checkpoint=None, workers=4)
        await anext(walk)
        for _ in range(250):
            await anext(walk)
        await asyncio.wait_for(walk.close(), 10)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_an_error_of_one_worker_stops_the_others_at_once():
    lock = threading.Lock()

    class Failing(LogTable):
        def page(self, request: PageRequest) -> WorkflowLogPage:
            with lock:
                page = super().page(request)
                if len(self.requests) == 12:
                    raise LookupError("the twelfth")
                return page

    table = Failing(SPREAD)
    before = walk_threads()
    with pytest.raises(LookupError, match="the twelfth"):
        list(made_for(table, workers=8))
    assert walk_threads() <= before
    assert len(table.requests) <= 12 + 8  # each of the others may have had one under way


def test_a_slow_consumer_does_not_let_the_rows_pile_up():
    lock = threading.Lock()

    class Safe(LogTable):
        def page(self, request: PageRequest) -> WorkflowLogPage:
            with lock:
                return super().page(request)

    table = Safe([(NOW - number, 3) for number in range(8_000)])
    with made_for(table, workers=2) as walk:
        assert len(list(islice(walk, 300))) == 300
        stopped = threading.Event()
        threading.Timer(0.3, stopped.set).start()
        stopped.wait()
        assert len(table.requests) <= 2 + 3 * 12  # three ranges of ten pages at most, of twenty-six


# Memory -----------------------------------------------------------------------------------------------------------


def endless_rows(count: int) -> Callable[[PageRequest], WorkflowLogPage]:
    """A server that makes up its rows, four to a second, so that it needs no memory of its own."""

    def page(request: PageRequest) -> WorkflowLogPage:
        newest = NOW if request.before is None else min(NOW, request.before)
        first = (NOW - newest) * 4 + (request.page - 1) * request.limit
        rows = [
            WorkflowLog.from_dict({"id": f"{number:036}", "created_at": NOW - number // 4})
            for number in range(first, min(first + request.limit, count))
        ]
        total = max(0, count - (NOW - newest) * 4)
        return WorkflowLogPage(page=request.page, limit=request.limit, total=total, has_more=False, data=rows)

    return page


@pytest.mark.parametrize("workers", [1, 4])
def test_memory_does_not_grow_with_the_rows(workers: int):
    def rows_alive() -> int:
        return sum(type(thing) is WorkflowLog for thing in gc.get_objects())

    walk = LogWalk(endless_rows(30_000), NO_FILTERS, checkpoint=None, workers=workers)
    before = rows_alive()
    alive = [rows_alive() - before for number, _ in enumerate(walk) if number % 2500 == 0]
    assert len(alive) == 12
    assert max(alive) < {1: 300, 4: 8000}[workers]  # a few pages for each worker

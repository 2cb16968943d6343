"""The pages that a walk asks for, written down: what it costs, where it begins again, and when it has proof.

Usage, in tests/: python -m support.walk_plans, which stores the pages in tests/unit/walks_plans.txt. The diff of that
file shows what a change of the code costs.

Windows are written as ages in seconds: "3..-" is all that is 3 seconds older than the newest row or more, "3..3" that
second alone. "x99: 1+7, 2+0" are the first and second page of 99 rows, of which 7 and none were new.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from dify_workflow import IncompleteWalkError
from dify_workflow._async.log_walk import AsyncLogWalk
from dify_workflow._logs.walk import WindowWalk
from support.log_histories import NO_FILTERS, NOW
from support.log_table import FAULTLESS, LogTable, ServerFaults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dify_workflow._logs.walk import PageRequest
    from dify_workflow.models import WorkflowLogPage

TARGET: Final = Path(__file__).resolve().parents[1] / "unit" / "walks_plans.txt"
QUIET: Final = 100
"""Rounds of the event loop in which nobody asks for anything: then nobody will."""


class Case(NamedTuple):
    """A table, and how it is walked.

    Attributes:
        name: what is special about it.
        crowds: ages of seconds, and how many rows each has.
        faults: what the server does wrong.
        newest: age of the second that the walk begins with; None begins with the newest row.
        oldest: age of the last second; None reads to the end.
        known: rows of the first second that were given before.
        arrivals: ages of rows that arrive, by the number of the request before which they do.
        departures: ages of rows that are deleted, and how many, likewise.
    """

    name: str
    crowds: list[tuple[int, int]]
    faults: ServerFaults = FAULTLESS
    newest: int | None = None
    oldest: int | None = None
    known: int = 0
    arrivals: Mapping[int, int] = MappingProxyType({})
    departures: Mapping[int, tuple[int, int]] = MappingProxyType({})


OLD_CROWD: Final = [(0, 30), (121, 150), (502, 40)]
SEVEN_MORE: Final = ServerFaults(total=lambda true: true + 7)
CASES: Final = (
    Case("nothing", []),
    Case("99 rows", [(0, 50), (1, 49)]),
    Case("100 rows", [(0, 50), (1, 50)]),
    Case("three to a second", [(age, 3) for age in range(120)]),
    Case("three to a second, with both bounds", [(age, 3) for age in range(120)], newest=10, oldest=80),
    Case("three to a second, bounds that are none", [(age, 3) for age in range(120)], newest=10, oldest=11),
    Case("three to a second, from a checkpoint on", [(age, 3) for age in range(60)], newest=10, known=2),
    Case("a crowded second, young", [(0, 30), (1, 150), (2, 40)]),
    Case("a crowded second, two minutes old", [(0, 30), (1, 30), (120, 150), (502, 40)]),
    Case("a crowded second, older than two minutes", [(0, 30), (1, 30), (121, 150), (502, 40)]),
    Case("two crowded seconds, old", [(0, 30), (1, 30), (200, 150), (300, 3), (301, 70), (400, 130), (502, 40)]),
    Case("rows arrive, and a second is old", [(0, 60), (1, 60), (200, 120), (502, 40)], arrivals={2: 502}),
    Case("a row arrives in a crowded second", OLD_CROWD, arrivals={4: 121}),
    Case("rows arrive all the time", OLD_CROWD, arrivals=dict.fromkeys(range(2, 200), 121)),
    Case("rows vanish from a crowded second", OLD_CROWD, departures={5: (121, 30)}),
    Case("most rows vanish from a crowded second", OLD_CROWD, departures={3: (121, 100)}),
    Case("all rows vanish from a crowded second", OLD_CROWD, departures={4: (121, 150)}),
    Case("rows vanish from a young crowded second", [(0, 30), (1, 150), (2, 40)], departures={5: (1, 30)}),
    Case("one row vanishes where 7 too many are counted", OLD_CROWD, SEVEN_MORE, departures={20: (121, 1)}),
    Case("a newer row than the first page's", [(0, 120), (1, 90)], arrivals={2: -1}),
    Case("a crowded second first", [(0, 150), (1, 10)]),
    Case("a crowded second first, from a checkpoint on", [(0, 5), (500, 150), (501, 10)], newest=500, known=20),
    Case("nothing but a crowded second", [(0, 150)]),
    Case("crowded seconds that a page holds", [(0, 100), (1, 100)]),
    Case("ascending", [(0, 100), (1, 20)], ServerFaults(order="ascending")),
    Case("ascending, a crowded second first", [(0, 20), (1, 100)], ServerFaults(order="ascending")),
    Case("unsorted", [(age, 4) for age in range(40)], ServerFaults(order="unsorted")),
    Case("unsorted, with bounds", [(age, 4) for age in range(40)], ServerFaults(order="unsorted"), newest=5, oldest=35),
    Case("unsorted, one page", [(age, 4) for age in range(10)], ServerFaults(order="unsorted")),
    Case("a bound is ignored", [(age, 4) for age in range(40)], ServerFaults(ignores_before=True)),
    Case("the other bound is ignored", [(age, 4) for age in range(60)], ServerFaults(ignores_after=True), oldest=20),
    Case("pages of 20 instead", [(age, 4) for age in range(20)], ServerFaults(cap=20)),
    Case("pages of 20 instead, crowded", [(0, 4), (200, 30), (201, 4)], ServerFaults(cap=20)),
    Case("pages cut to 20", [(age, 4) for age in range(20)], ServerFaults(cap=20, cuts=True)),
    Case("pages cut to 20, crowded", [(0, 4), (200, 30), (201, 4)], ServerFaults(cap=20, cuts=True)),
    Case("pages of 1", [(0, 2)], ServerFaults(cap=1)),
    Case("always the first page", [(0, 150), (1, 10)], ServerFaults(ignores_page=True)),
    Case("7 rows too many are counted", [(0, 120), (1, 10)], SEVEN_MORE),
    Case(
        "unsorted, and 7 too many counted",
        [(age, 4) for age in range(30)],
        replace(SEVEN_MORE, order="unsorted"),
    ),
    Case("no rows are counted", [(0, 120), (1, 10)], ServerFaults(total=lambda true: None)),
    Case("rows are counted and none is shown", [], SEVEN_MORE),
)


class WorkerCase(NamedTuple):
    """A table that several workers read.

    Attributes:
        name: what is special about it.
        crowds: ages of seconds, and how many rows each has.
        workers: how many.
        taken: rows after which the consumer takes no more; None takes all.
        gone: age from which on all rows are deleted as soon as the first page was read.
        more: seconds, as ages, in each of which three rows appear then.
    """

    name: str
    crowds: list[tuple[int, int]]
    workers: int
    taken: int | None = None
    gone: int | None = None
    more: range = range(0)


WORKER_CASES: Final = (
    WorkerCase("two workers", [(age, 3) for age in range(700)], 2),
    WorkerCase("four workers", [(age, 3) for age in range(700)], 4),
    WorkerCase("four workers, too little to share", [(age, 3) for age in range(90)], 4),
    WorkerCase("two workers, nobody takes the rows", [(age, 3) for age in range(4000)], 2, taken=250),
    WorkerCase("two workers, rows are taken slowly", [(age, 3) for age in range(4000)], 2, taken=3500),
    WorkerCase(
        "two workers, nobody takes the rows, and more are there",
        [(age, 3) for age in range(700)],
        2,
        taken=1300,
        more=range(700, 2700),
    ),
    WorkerCase("three workers, most rows are gone", [(age, 3) for age in range(2000)], 3, gone=400),
)


class Page(NamedTuple):
    """A page that was requested.

    Attributes:
        window: its bounds, as ages.
        size: rows of a page.
        number: its number.
        new: rows on it that were given, where they can be reported.
    """

    window: str
    size: int
    number: int
    new: int | None = None

    def __str__(self) -> str:
        return f"{self.number}" if self.new is None else f"{self.number}+{self.new}"


def render(case: Case | WorkerCase) -> str:
    """The plan of a case, as it is stored below its name."""
    pages, end = plan(case) if isinstance(case, Case) else plan_of_workers(case)
    # Successive pages of one window and size in a line.
    lines = [
        f"{window} x{size}: {', '.join(map(str, alike))}"
        for (window, size), alike in groupby(pages, key=lambda page: (page.window, page.size))
    ]
    return "".join(f"{line}\n" for line in (*lines, end))


def plan(case: Case) -> tuple[list[Page], str]:
    """The pages of one walk, one after the other, and how it ends."""
    table = LogTable([(NOW - age, count) for age, count in case.crowds], faults=case.faults)
    newest = None if case.newest is None else NOW - case.newest
    known = [] if newest is None else table.crowd(newest)[: case.known]
    walk = WindowWalk(newest, None if case.oldest is None else NOW - case.oldest, seen_at_newest=known)
    pages: list[Page] = []

    def change(number: int) -> None:
        if number in case.arrivals:
            table.add(NOW - case.arrivals[number])
        if number in case.departures:
            age, count = case.departures[number]
            table.delete(table.crowd(NOW - age)[:count])

    table.before_request = change
    try:
        while (request := walk.next_request()) is not None:
            pages.append(page_of(request, len(walk.accept(table.page(request)))))
    except IncompleteWalkError as error:
        return pages, str(error)
    order = "newest first" if walk.is_ordered else "in no order"
    pinned = "nowhere" if walk.pinned is None else f"at {NOW - walk.pinned}"
    return pages, f"= {walk.seen} of {walk.total}, {order}, pinned {pinned}"


def plan_of_workers(case: WorkerCase) -> tuple[list[Page], str]:
    """The pages that workers ask for, sorted, as they come by chance; and where the walk stands."""
    table = LogTable([(NOW - age, count) for age, count in case.crowds])

    def change(number: int) -> None:
        if number != 2:
            return
        if case.gone is not None:
            table.delete(table.keys(newest=NOW - case.gone))
        for age in case.more:
            table.add(NOW - age, 3)

    table.before_request = change

    async def read_page(request: PageRequest) -> WorkflowLogPage:
        return table.page(request)

    async def run() -> str:
        taken = 0
        async with AsyncLogWalk(read_page, NO_FILTERS, checkpoint=None, workers=case.workers) as walk:
            while taken != case.taken and await anext(walk, None) is not None:
                taken += 1
            before = -1
            while len(table.requests) > before:
                before = len(table.requests)
                for _ in range(QUIET):
                    await asyncio.sleep(0)
            place = walk.checkpoint
        known, newest = len(place["known"]), NOW - place["newest"]
        return f"= {taken} of {walk.total}, at {newest} with {known} known and {len(place['strays'])} strays"

    end = asyncio.run(run())
    requests = sorted(table.requests, key=lambda one: (one.limit, one.page, -(one.before or NOW), -(one.after or 0)))
    return [page_of(request) for request in requests], end


def page_of(request: PageRequest, new: int | None = None) -> Page:
    """A request as it is written down."""
    before, after = ["-" if second is None else NOW - second for second in (request.before, request.after)]
    return Page(f"{before}..{after}", request.limit, request.page, new)


if __name__ == "__main__":
    TARGET.write_text("\n".join(f"# {case.name}\n{render(case)}" for case in (*CASES, *WORKER_CASES)), "utf-8")

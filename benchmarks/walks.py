"""What reading every log takes: time with several workers, rows lost, requests, and memory.

Usage: walks.py [--quick | --million]

With --million, only memory is measured, over 1,000,000 rows; that takes some minutes.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from figures import Figure
from loopback import KEY, server
from measure import alone, in_turn
from report import command, text
from rivals import DIFY_OAPI2, DIFY_PYTHON_SDK, HTTPX, READ, STOCK, has_more, ids

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from measure import Repeat, Setup, Taken

    from dify_workflow import DifyWorkflow

WORKERS: Final = (1, 4, 8)
PAGE_BY_PAGE: Final = "page by page, "
NAIVE: Final = PAGE_BY_PAGE + HTTPX
THREADS: Final = "logs.iter"
ASYNCIO: Final = "logs.iter, async"


class Walks(NamedTuple):
    """A table of walks."""

    rows: int
    latency: float
    """Seconds before each response."""
    rounds: int
    rivals: tuple[str, ...] = ()
    """Whose pages are read one by one as well. With latency all wait alike, and plain httpx does for all."""


TABLES: Final = (
    Walks(10_000, 0, 5, (DIFY_PYTHON_SDK, DIFY_OAPI2, STOCK)),
    Walks(10_000, 0.005, 3, (DIFY_PYTHON_SDK, DIFY_OAPI2, STOCK)),
    Walks(10_000, 0.05, 3),
    Walks(100_000, 0, 3, (DIFY_PYTHON_SDK, STOCK)),
    Walks(100_000, 0.005, 1),
    Walks(100_000, 0.05, 1),
)
PROMISED: Final = TABLES[-1]
QUICK_TABLES: Final = (Walks(2_000, 0, 2, (DIFY_PYTHON_SDK, DIFY_OAPI2, STOCK)), Walks(2_000, 0.05, 1))
MUCH: Final = 0.05
"""Seconds of latency with which a walk without workers uses less than a tenth of a core."""
FASTER: Final = {THREADS: 1 / 6, ASYNCIO: 1 / 5}
"""The time that 8 workers are promised to take of the time of one, in the longest walk."""


def figures(progress: Callable[[str], None], quick: bool = False) -> list[Figure]:
    """Measure time, requests and memory."""
    found: list[Figure] = []
    for table in QUICK_TABLES if quick else TABLES:
        found += timed(table, progress)
    for rows, crowd in ((602, 21),) if quick else ((602, 21), (25_000, 350)):
        progress(f"requests for {rows:,} rows")
        found += counted(rows, crowd)
    progress("memory of walks")
    return found + weighed(10_000 if quick else 100_000, 1 if quick else 3)


# Time -----------------------------------------------------------------------------------------------------------


def timed(table: Walks, progress: Callable[[str], None]) -> list[Figure]:
    """How long walks take by the clock, and how many rows each of them loses."""
    section = f"{table.rows:,} rows walked, {table.latency * 1000:.0f} ms for each page"
    progress(section)
    with server("log_server.py", "synthetic", table.rows, table.latency) as address:
        # Those that wait for one page after the other come first: with much latency they are timed side by side.
        one_by_one: dict[str, Setup] = {
            PAGE_BY_PAGE + name: partial(pages_walk, name, address) for name in (HTTPX, *table.rivals)
        }
        one_by_one |= {THREADS: partial(iter_walk, address, 1), ASYNCIO: partial(iter_walk_async, address, 1)}
        ways = dict(one_by_one)
        for workers in WORKERS[1:]:
            ways[with_workers(THREADS, workers)] = partial(iter_walk, address, workers)
            ways[with_workers(ASYNCIO, workers)] = partial(iter_walk_async, address, workers)
        aside = len(one_by_one) if table.latency >= MUCH else 0
        taken = in_turn(ways, rounds=table.rounds, aside=aside, warm=False)
    return [*times(section, table, taken), *losses(section, table, taken)]


def times(section: str, table: Walks, taken: dict[str, list[Taken]]) -> list[Figure]:
    """The seconds of each walk; those of which something is promised are compared to the same with one worker."""
    found = []
    for name, takes in taken.items():
        kind = name.removesuffix(", 8 workers")
        is_promised = kind != name and table == PROMISED
        found.append(
            Figure(
                section,
                name,
                tuple(take.clock for take in takes),
                "s",
                base=kind if is_promised else NAIVE,
                promise=FASTER[kind] if is_promised else None,
            )
        )
    return found


def losses(section: str, table: Walks, taken: dict[str, list[Taken]]) -> list[Figure]:
    """The rows that each walk did not find.

    Raises:
        SystemExit: one of this SDK's walks lost some, and its time says nothing.
    """
    found = [
        Figure(section, name, tuple(float(table.rows - take.result) for take in takes), "rows lost")
        for name, takes in taken.items()
    ]
    for figure in found:
        if figure.way.startswith(THREADS) and any(figure.values):
            raise SystemExit(f"{section}, {figure.way}: rows lost: {figure.values}")
    return found


def with_workers(kind: str, workers: int) -> str:
    """The name of a walk."""
    return kind if workers == 1 else f"{kind}, {workers} workers"


def pages_walk(name: str, address: str) -> Repeat:
    """What every client can do: one page after the other; how many different rows that finds."""
    read = READ[name](address)
    read(1, 1)  # all is imported, and a connection made

    def walk(_: int) -> int:
        found: set[str] = set()
        number, more = 1, True
        while more:
            page = read(number, 100)
            found.update(ids(page))
            number, more = number + 1, has_more(page)
        return len(found)

    return walk


def iter_walk(address: str, workers: int) -> Repeat:
    """A walk of this SDK; how many different rows that finds."""
    from dify_workflow import DifyWorkflow

    client = DifyWorkflow(api_key=KEY, base_url=address)
    client.logs.list()  # all is imported, and a connection made
    return lambda _: len({log.id for log in client.logs.iter(workers=workers)})


def iter_walk_async(address: str, workers: int) -> Repeat:
    """A walk of this SDK; how many different rows that finds."""
    from dify_workflow import AsyncDifyWorkflow

    client = AsyncDifyWorkflow(api_key=KEY, base_url=address)
    runner = asyncio.Runner()

    async def walk() -> int:
        return len({log.id async for log in client.logs.iter(workers=workers)})

    runner.run(client.logs.list())  # all is imported, and a connection made
    return lambda _: runner.run(walk())


# Requests -------------------------------------------------------------------------------------------------------


def counted(rows: int, crowd: int) -> list[Figure]:
    """How many requests each way of reading takes, and how many rows it loses."""
    section = f"{rows:,} rows of the sandbox, up to {crowd} in one second"
    ways: dict[str, Callable[[DifyWorkflow], set[str]]] = {
        "page by page": page_by_page,
        "windows, read again by hand": windows_by_hand,
        **{with_workers(THREADS, workers): partial(ids_of_iter, workers=workers) for workers in (1, 8)},
    }
    lost: list[Figure] = []
    sent: list[Figure] = []
    with server("log_server.py", "sandbox", rows) as address:
        for name, read in ways.items():
            found, requests = alone(partial(read_and_count, read, address))
            promise = 0 if name.startswith(THREADS) else None
            lost.append(Figure(section, name, (float(rows - found),), "rows lost", promise=promise))
            sent.append(Figure(section, name, (float(requests),), "requests"))
    return lost + sent


def read_and_count(read: Callable[[DifyWorkflow], set[str]], address: str) -> tuple[int, int]:
    """How many rows a way of reading finds, and with how many requests."""
    import httpx

    from dify_workflow import DifyWorkflow

    requests = 0

    def count(_: httpx.Request) -> None:
        nonlocal requests
        requests += 1

    with httpx.Client(event_hooks={"request": [count]}) as http:
        found = len(read(DifyWorkflow(api_key=KEY, base_url=address, http_client=http)))
    return found, requests


def ids_of_iter(client: DifyWorkflow, workers: int) -> set[str]:
    """What a walk finds."""
    return {log.id for log in client.logs.iter(workers=workers)}


def page_by_page(client: DifyWorkflow) -> set[str]:
    """What every other client does."""
    found: set[str] = set()
    page, more = 1, True
    while more:
        response = client.logs.list(page=page, limit=100)
        found.update(log.id for log in response.data)
        page, more = page + 1, response.has_more
    return found


def windows_by_hand(client: DifyWorkflow) -> set[str]:
    """The least that reads every row: windows by the last second, and a full second again and again."""
    found: set[str] = set()
    before: datetime | None = None
    while True:
        page = client.logs.list(created_at__before=before, limit=100)
        found.update(log.id for log in page.data)
        if len(page.data) < 100:  # noqa: PLR2004 - the limit above
            return found
        seconds = [log.created_at for log in page.data]
        if seconds[0] == seconds[-1]:
            found |= full_second(client, datetime.fromtimestamp(seconds[0], UTC))
            before = datetime.fromtimestamp(seconds[0] - 1, UTC)
        else:
            before = datetime.fromtimestamp(seconds[-1], UTC)


def full_second(client: DifyWorkflow, second: datetime) -> set[str]:
    """Read one second with changing sizes of pages until its ids are as many as its rows."""
    found: set[str] = set()
    for limit in range(100, 50, -1):
        page, more = 1, True
        while more:
            response = client.logs.list(created_at__before=second, created_at__after=second, page=page, limit=limit)
            found.update(log.id for log in response.data)
            if len(found) >= response.total:
                return found
            page, more = page + 1, response.has_more
    raise SystemExit("the second never added up")


# Memory ---------------------------------------------------------------------------------------------------------


def weighed(rows: int, rounds: int) -> list[Figure]:
    """How much memory a walk takes over the start, and that it does not grow with the rows."""
    section = f"memory of a walk of {rows:,} rows, over the start"
    early, late = f"after {rows // 5:,} rows", f"after {rows:,} rows"
    found: list[Figure] = []
    with server("log_server.py", "synthetic", rows, 0) as address:
        for workers in (1, 8):
            name = with_workers(THREADS, workers)
            taken = [alone(partial(walk_and_weigh, address, rows, workers)) for _ in range(rounds)]
            held = {early: [one[0] for one in taken], late: [one[-2] for one in taken]}
            found += [
                Figure(f"{section}, peak", name, tuple(one[-1] for one in taken), "MB", promise=20),
                Figure(f"{section}, held", f"{name}, {early}", tuple(held[early]), "MB"),
                Figure(
                    f"{section}, held", f"{name}, {late}", tuple(held[late]), "MB", f"{name}, {early}", promise=1.10
                ),
            ]
    return found


def walk_and_weigh(address: str, rows: int, workers: int) -> list[float]:
    """Walk, and see how much memory is held after each fifth, and the peak; in a process of its own."""
    from dify_workflow import DifyWorkflow

    with DifyWorkflow(api_key=KEY, base_url=address) as client:
        client.logs.list()  # everything is imported, and a connection made
        start = weight("VmRSS")
        held: list[float] = []
        for count, _ in enumerate(client.logs.iter(workers=workers), start=1):
            if count % (rows // 5) == 0:
                held.append(weight("VmRSS") - start)
        held.append(weight("VmHWM") - start)
    return held


def weight(name: str) -> float:
    """Megabytes that the process holds in memory now (VmRSS), or held at most (VmHWM), as Linux counts them."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("ascii").splitlines())
    return int(status[name].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    if sys.argv[1:] == ["--million"]:
        print(text(weighed(1_000_000, rounds=1)))
    else:
        command(figures, "Measure walks over the logs.")

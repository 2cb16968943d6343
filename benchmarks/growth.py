"""How cost grows with size: logs of a walk, its workers, streams at once, logs of a page.

Usage: growth.py [--quick]

Each size is measured once, in a process of its own: what counts is whether a thing that is a hundred times as large
costs more for each of its parts.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from figures import Figure
from loopback import KEY, server
from measure import alone
from pages import SIZES
from report import command
from streams import INPUTS
from walks import ids_of_iter, iter_walk, read_and_count, weight

if TYPE_CHECKING:
    from collections.abc import Callable

LOGS: Final = (1_000, 10_000, 100_000, 1_000_000)
WORKERS: Final = (1, 2, 4, 8, 16, 32, 64)
LOGS_OF_WORKERS: Final = 20_000
LATENCY: Final = 0.05
STREAMS: Final = (1, 10, 100, 300, 1_000)
EVENTS: Final = 100
OWN_CONNECTIONS: Final = 100
"""Connections of a client that makes them itself: the first thing that more streams at once run out of."""

WALK: Final = "growth of a walk: CPU time for each log"
WORKER: Final = f"growth of workers: {LOGS_OF_WORKERS:,} logs, 50 ms for each page"
STREAM: Final = f"growth of streams at once: {EVENTS} events each, one each millisecond"
PAGE: Final = "growth of a page: CPU time for each log"
NOTES: Final = {
    "1,000 logs": "most of it is the code that a first walk loads",
    "1,000,000 logs": "nothing breaks: a log takes the time and the walk the memory that they take at 10,000",
    "64 workers": "hardly faster than 32: most of it is CPU time of the process; processes (logs.ranges) have more",
    "300 streams": f"a client has {OWN_CONNECTIONS} connections, and further streams wait for one: see the next line",
    "1,000 streams, http_client=": "more file descriptors than many systems allow a process (ulimit -n) come next",
}


def figures(progress: Callable[[str], None], quick: bool = False) -> list[Figure]:
    """Measure each growth."""
    found: list[Figure] = []
    for count in LOGS[:2] if quick else LOGS:
        progress(f"a walk of {count:,} logs")
        found += walk_figures(count)
    for workers in (1, 8) if quick else WORKERS:
        progress(f"a walk with {workers} workers")
        found += worker_figures(workers, 2_000 if quick else LOGS_OF_WORKERS)
    for count in STREAMS[:2] if quick else STREAMS:
        progress(f"{count:,} streams at once")
        found += stream_figures(count, has_own=count > OWN_CONNECTIONS)
        if count > OWN_CONNECTIONS and count == STREAMS[3]:
            found[-3:-3] = stream_figures(count, has_own=False)
    progress("pages")
    return found + page_figures(20 if quick else 200)


def named(count: int, thing: str, addition: str = "") -> str:
    """A number of things."""
    return f"{count:,} {thing if count > 1 else thing.removesuffix('s')}{addition}"


def of(section: str, way: str, values: dict[str, float]) -> list[Figure]:
    """The figures of one size, by their units."""
    return [
        Figure(section, way, (value,), unit, note=NOTES.get(way, "") if number == 0 else "")
        for number, (unit, value) in enumerate(values.items())
    ]


# Walks --------------------------------------------------------------------------------------------------------------


def walk_figures(count: int) -> list[Figure]:
    """What a walk over so many logs takes for each of them, and its memory."""
    with server("log_server.py", "synthetic", count, 0) as address:
        seconds, megabytes = alone(partial(walked, address, count))
    return of(WALK, named(count, "logs"), {"cpu s": seconds / count, "MB": megabytes})


def walked(address: str, count: int) -> tuple[float, float]:
    """CPU seconds of a walk, and the megabytes that it takes over the start; in a process of its own."""
    from dify_workflow import DifyWorkflow

    with DifyWorkflow(api_key=KEY, base_url=address) as client:
        client.logs.list()  # everything is imported, and a connection made
        start, begun = weight("VmRSS"), time.process_time()
        found = sum(1 for _ in client.logs.iter())
        seconds = time.process_time() - begun
    if found != count:
        raise RuntimeError(f"{found} logs of {count}")
    return seconds, weight("VmHWM") - start


def worker_figures(workers: int, count: int) -> list[Figure]:
    """What a walk takes by the clock with so many workers, and how many requests it sends."""
    with server("log_server.py", "synthetic", count, LATENCY) as address:
        seconds = alone(partial(walk_seconds, address, workers, count))
    with server("log_server.py", "synthetic", count, 0) as address:
        _, requests = alone(partial(read_and_count, partial(ids_of_iter, workers=workers), address))
    return of(WORKER, named(workers, "workers"), {"s": seconds, "requests": float(requests)})


def walk_seconds(address: str, workers: int, count: int) -> float:
    """Seconds of a walk that finds every log; in a process of its own."""
    walk = iter_walk(address, workers)
    begun = time.perf_counter()
    found = walk(1)
    if found != count:
        raise RuntimeError(f"{found} logs of {count}")
    return time.perf_counter() - begun


# Streams ------------------------------------------------------------------------------------------------------------


def stream_figures(count: int, has_own: bool) -> list[Figure]:
    """What so many streams at once take: CPU time for each event, seconds until the last one ends, memory."""
    with tempfile.TemporaryDirectory() as folder, server("stream_server.py", EVENTS, Path(folder, "begun")) as address:
        cpu, seconds, megabytes = alone(partial(streamed, address.replace("/v1", "/one-by-one/v1"), count, has_own))
    way = named(count, "streams", ", http_client=" if has_own else "")
    return of(STREAM, way, {"cpu s": cpu / count / EVENTS, "s": seconds, "MB": megabytes})


def streamed(address: str, count: int, has_own: bool) -> tuple[float, float, float]:
    """CPU seconds, seconds and megabytes of streams at once; in a process of its own."""
    import httpx

    from dify_workflow import AsyncDifyWorkflow

    async def read(client: AsyncDifyWorkflow) -> int:
        async with client.runs.stream(INPUTS, user="u-1") as events:
            return len([event async for event in events])

    async def work() -> tuple[float, float]:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        async with httpx.AsyncClient(limits=limits, timeout=60) as http:
            client = AsyncDifyWorkflow(api_key=KEY, base_url=address, http_client=http if has_own else None)
            async with client:
                await read(client)  # everything is imported
                cpu, begun = time.process_time(), time.perf_counter()
                found = await asyncio.gather(*(read(client) for _ in range(count)))
                taken = time.process_time() - cpu, time.perf_counter() - begun
        if set(found) != {EVENTS}:
            raise RuntimeError(f"streams gave {sorted(set(found))} events of {EVENTS}")
        return taken

    start = weight("VmRSS")
    return *asyncio.run(work()), weight("VmHWM") - start


# Pages --------------------------------------------------------------------------------------------------------------


def page_figures(repeats: int) -> list[Figure]:
    """What a page of each size takes for each of its logs."""
    with server("page_server.py") as address:
        return [
            figure
            for rows in SIZES
            for figure in of(
                PAGE, named(rows, "logs", " a page"), {"cpu s": alone(partial(paged, address, rows, repeats))}
            )
        ]


def paged(address: str, rows: int, repeats: int) -> float:
    """CPU seconds for each log of a page; in a process of its own."""
    from dify_workflow import DifyWorkflow

    with DifyWorkflow(api_key=KEY, base_url=address) as client:
        client.logs.list(limit=rows)
        begun = time.process_time()
        for _ in range(repeats):
            client.logs.list(limit=rows)
        return (time.process_time() - begun) / repeats / rows


if __name__ == "__main__":
    command(figures, "Measure how cost grows with size.")

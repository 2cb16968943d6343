"""What reading every log takes: requests, time with several workers, and memory.

Usage: walks.py [--million]

With --million, memory is measured over 1,000,000 rows instead of 100,000; that takes some minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import httpx
from log_server import KEY

from dify_workflow import AsyncDifyWorkflow, DifyWorkflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LATENCY = 0.05
ROUNDS = 3


def main(arguments: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure walks over the logs.")
    parser.add_argument("--million", action="store_true", help="measure memory over 1,000,000 rows")
    options = parser.parse_args(arguments)
    requests()
    speed()
    memory(1_000_000 if options.million else 100_000)


@contextlib.contextmanager
def server(*arguments: object) -> Iterator[str]:
    """A server in a process of its own; its address."""
    command = [sys.executable, str(Path(__file__).with_name("log_server.py")), *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout  # noqa: S101 - it was asked for
        try:
            yield process.stdout.readline().strip()
        finally:
            process.communicate()  # closes its input, which ends it


def headline(text: str) -> None:
    """Print a title."""
    print(f"{text}\n{'-' * len(text)}")


# Requests -------------------------------------------------------------------------------------------------------


def requests() -> None:
    """Print how many requests each way of reading takes, and how many rows it loses."""
    headline("reading every row of the sandbox: rows lost, and requests")
    ways: dict[str, Callable[[DifyWorkflow], set[str]]] = {
        "page by page, limit 100": page_by_page,
        "windows, read again by hand": windows_by_hand,
        "logs.iter": lambda client: {log.id for log in client.logs.iter()},
        "logs.iter, 8 workers": lambda client: {log.id for log in client.logs.iter(workers=8)},
    }
    for rows, crowd in ((602, 21), (25_000, 350)):
        with server("sandbox", rows) as address, Counting(address) as counting:
            print(f"  {rows:,} rows, up to {crowd} in one second")
            for name, read in ways.items():
                counting.requests = 0
                found = len(read(counting.client))
                print(f"    {name:<28} {rows - found:4} lost   {counting.requests:5} requests")
    print()


class Counting:
    """A client that counts what it sends."""

    def __init__(self, address: str) -> None:
        self.requests = 0
        self._http = httpx.Client(event_hooks={"request": [self._count]})
        self.client = DifyWorkflow(api_key=KEY, base_url=address, http_client=self._http)

    def _count(self, _: httpx.Request) -> None:
        self.requests += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()


def page_by_page(client: DifyWorkflow) -> set[str]:
    """What every other client does."""
    ids: set[str] = set()
    page, more = 1, True
    while more:
        answer = client.logs.list(page=page, limit=100)
        ids.update(log.id for log in answer.data)
        page, more = page + 1, answer.has_more
    return ids


def windows_by_hand(client: DifyWorkflow) -> set[str]:
    """The least that reads every row: windows by the last second, and a full second again and again."""
    ids: set[str] = set()
    before: datetime | None = None
    while True:
        page = client.logs.list(created_at__before=before, limit=100)
        ids.update(log.id for log in page.data)
        if len(page.data) < 100:  # noqa: PLR2004 - the limit above
            return ids
        seconds = [log.created_at for log in page.data]
        if seconds[0] == seconds[-1]:
            ids |= full_second(client, datetime.fromtimestamp(seconds[0], UTC))
            before = datetime.fromtimestamp(seconds[0] - 1, UTC)
        else:
            before = datetime.fromtimestamp(seconds[-1], UTC)


def full_second(client: DifyWorkflow, second: datetime) -> set[str]:
    """Read one second with changing sizes of pages until its ids are as many as its rows."""
    ids: set[str] = set()
    for limit in range(100, 50, -1):
        page, more = 1, True
        while more:
            answer = client.logs.list(created_at__before=second, created_at__after=second, page=page, limit=limit)
            ids.update(log.id for log in answer.data)
            if len(ids) >= answer.total:
                return ids
            page, more = page + 1, answer.has_more
    raise SystemExit("the second never added up")


# Time -----------------------------------------------------------------------------------------------------------


def speed() -> None:
    """Print how much faster several workers are, with latency."""
    rows = 20_000
    headline(f"{rows:,} rows, {LATENCY * 1000:.0f} ms for each page, seconds by the clock (best of {ROUNDS})")
    with server("synthetic", rows, LATENCY) as address:
        for name, walk, promise in (("threads", walk_threads, 6.0), ("asyncio", walk_asyncio, 5.0)):
            taken = {workers: min(walk(address, workers, rows) for _ in range(ROUNDS)) for workers in (1, 8)}
            ratio = taken[1] / taken[8]
            print(
                f"  {name:<8} 1 worker {taken[1]:6.2f} s   8 workers {taken[8]:6.2f} s   {ratio:5.2f} x"
                f"   promised >= {promise:.1f}"
            )
    print()


def walk_threads(address: str, workers: int, rows: int) -> float:
    """Seconds that a walk takes."""
    with DifyWorkflow(api_key=KEY, base_url=address) as client:
        begun = time.perf_counter()
        count = sum(1 for _ in client.logs.iter(workers=workers))
        seconds = time.perf_counter() - begun
    return checked(seconds, count, rows)


def walk_asyncio(address: str, workers: int, rows: int) -> float:
    """Seconds that a walk takes."""

    async def walk() -> tuple[float, int]:
        async with AsyncDifyWorkflow(api_key=KEY, base_url=address) as client:
            begun = time.perf_counter()
            count = 0
            async for _ in client.logs.iter(workers=workers):
                count += 1
            return time.perf_counter() - begun, count

    return checked(*asyncio.run(walk()), rows)


def checked(seconds: float, count: int, rows: int) -> float:
    """The seconds, when every row was there."""
    if count != rows:
        raise SystemExit(f"{count} rows of {rows}")
    return seconds


# Memory ---------------------------------------------------------------------------------------------------------


def memory(rows: int) -> None:
    """Print how a walk's memory grows, Python's own and the whole process's."""
    headline(f"{rows:,} rows walked, memory over the start in MB: Python's own objects, the whole process")
    for workers in (1, 8):
        for kind in ("python", "process"):
            program = [sys.executable, __file__, "--walk", str(rows), str(workers), kind]
            figures = subprocess.run(program, check=True, capture_output=True, text=True).stdout.splitlines()
            print(f"  {workers} worker{'s' if workers > 1 else ' '}  {kind:<8} {'   '.join(figures)}")
    print("  promised <= 20 MB over the start for 1,000,000 rows\n")


def walk_and_weigh(rows: int, workers: int, kind: str) -> None:
    """Walk, and print how much memory is held after each tenth, and the peak; in a process of its own."""
    with server("synthetic", rows, 0) as address, DifyWorkflow(api_key=KEY, base_url=address) as client:
        client.logs.list()  # everything is imported, and a connection made
        if kind == "python":
            tracemalloc.start()
        start = weight(kind)
        held: list[float] = []
        count = 0
        for _ in client.logs.iter(workers=workers):
            count += 1
            if count % (rows // 5) == 0:
                held.append(weight(kind) - start)
        checked(0, count, rows)
        peak = tracemalloc.get_traced_memory()[1] / 1e6 - start if kind == "python" else max(held)
    print("held " + " ".join(f"{megabytes:5.1f}" for megabytes in held))
    print(f"peak {peak:5.1f}")


def weight(kind: str) -> float:
    """Megabytes in use."""
    if kind == "python":
        return tracemalloc.get_traced_memory()[0] / 1e6
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    if sys.argv[1:2] == ["--walk"]:
        walk_and_weigh(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    else:
        main(sys.argv[1:])

"""What several partitions gain, on servers that respond to one request at a time and on servers with several workers.

Usage: partitions.py [--rows N] [--seconds S] [--simulate]

Reads the logs of a sandbox, which takes S seconds for each page, in 1, 2, 4 and 8 ranges at once. "measured" is the
time as a part of that for one range: on a server with one worker, and on one that responds to all requests at once.
"simulated" is the same by a simulation of a server with a number of workers, each of which takes S seconds for a
request: the requests are counted. With --simulate nothing is measured.
"""

from __future__ import annotations

import argparse
import heapq
import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from dify_workflow import DifyWorkflow
    from dify_workflow.types import LogRange

PARTITIONS = (1, 2, 4, 8)
WORKERS = (1, 2, 4, 8, 64)
PAGE = 100


def main() -> None:
    """Measure, simulate, and print a table."""
    parser = argparse.ArgumentParser(prog="partitions.py", description="What several partitions gain.")
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--simulate", action="store_true")
    given = parser.parse_args()
    with Sandbox(rows=given.rows, crowd=0) as sandbox, sandbox.client() as client:
        requests = {}
        for partitions in PARTITIONS:
            sandbox.clear_requests()
            parts = client.logs.ranges(partitions)
            requests[partitions] = [len(sandbox.requests), *(requests_of(sandbox, client, part) for part in parts)]
        alone, at_once = ([], []) if given.simulate else measured(sandbox, client, given.seconds)
    print("| workers of the server | |" + "".join(f" {partitions} |" for partitions in PARTITIONS))
    print("|---|---|" + "---|" * len(PARTITIONS))
    if alone:
        row("1", "measured", alone)
    for workers in WORKERS:
        name = str(workers) if workers < WORKERS[-1] else "no limit"
        row(name, "simulated", [simulated(requests[each], workers, given.seconds) for each in PARTITIONS])
    if at_once:
        row("no limit", "measured", at_once)


def measured(sandbox: Sandbox, client: DifyWorkflow, seconds: float) -> tuple[list[float], list[float]]:
    """How long it takes on a server with one worker, and on one that responds to all requests at once."""
    sandbox.traps.before_request = lambda _request: time.sleep(seconds)  # it keeps the sandbox's one thread busy
    alone = [seconds_of(client, partitions) for partitions in PARTITIONS]
    sandbox.traps.before_request, sandbox.traps.latency = None, seconds
    return alone, [seconds_of(client, partitions) for partitions in PARTITIONS]


def row(workers: str, kind: str, seconds: list[float]) -> None:
    """Print times as parts of the first."""
    print(f"| {workers} | {kind} |" + "".join(f" {each / seconds[0]:.2f} |" for each in seconds))


def read(client: DifyWorkflow, part: LogRange) -> int:
    """Read a range; how many logs it has."""
    return sum(1 for _ in client.logs.iter(range=part))


def requests_of(sandbox: Sandbox, client: DifyWorkflow, part: LogRange) -> int:
    """How many requests a range takes, one after the other."""
    sandbox.clear_requests()
    read(client, part)
    return len(sandbox.requests)


def seconds_of(client: DifyWorkflow, partitions: int) -> float:
    """How long it takes to plan and read so many ranges at once."""
    begun = time.perf_counter()
    parts = client.logs.ranges(partitions)
    with ThreadPoolExecutor(partitions) as pool:
        list(pool.map(lambda part: read(client, part), parts))
    return time.perf_counter() - begun


def simulated(requests: list[int], workers: int, seconds: float) -> float:
    """How long it takes: `requests` are those of the planning, then those of each range, in a row."""
    planning, *parts = requests
    free = [planning * seconds] * workers  # when each worker has nothing to do
    heapq.heapify(free)
    waiting = [(planning * seconds, number, left) for number, left in enumerate(parts)]
    heapq.heapify(waiting)
    end = 0.0
    while waiting:
        asked, number, left = heapq.heappop(waiting)
        done = max(asked, heapq.heappop(free)) + seconds
        heapq.heappush(free, done)
        end = max(end, done)
        if left > 1:
            heapq.heappush(waiting, (done, number, left - 1))
    return end if parts else math.nan


if __name__ == "__main__":
    main()

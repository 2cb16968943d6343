"""What statistics take beside the walk that they stand on: CPU time per log, and memory.

Usage: stats.py [--quick | --million | --cpu]

With --million, only memory is measured, over 1,000,000 rows; with --cpu, only CPU time.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Final

from exports import WALK, walking
from figures import Figure
from loopback import KEY, server
from measure import alone, in_turn
from report import command, text
from walks import weight

if TYPE_CHECKING:
    from collections.abc import Callable

    from measure import Repeat, Setup

STATS: Final = "logs.stats: stats.collect"
PROMISED: Final = 2.2
"""CPU time, as a multiple of the walk's."""
BYTES_PER_LOG: Final = 32
OVERHEAD: Final = 8.0
"""Megabytes beside those: what the walk holds, and days, users, versions and errors."""


def figures(progress: Callable[[str], None], quick: bool = False) -> list[Figure]:
    """Measure time and memory."""
    rows = 2_000 if quick else 25_000
    progress(f"statistics of {rows:,} rows")
    return timed(rows, 2 if quick else 5) + weighed(2_000 if quick else 100_000)


def timed(rows: int, rounds: int) -> list[Figure]:
    """The CPU time for each log, beside the walk's."""
    section = f"statistics of {rows:,} rows, for each row"
    with server("log_server.py", "synthetic", rows, 0) as address:
        ways: dict[str, Setup] = {WALK: partial(walking, address), STATS: partial(collecting, address)}
        taken = in_turn(ways, rounds=rounds)
    return [
        Figure(
            section,
            name,
            tuple(take.cpu / rows for take in takes),
            "cpu s",
            base=None if name == WALK else WALK,
            promise=None if name == WALK else PROMISED,
        )
        for name, takes in taken.items()
    ]


def collecting(address: str) -> Repeat:
    """Statistics of all logs, read from the server; all figures are computed too."""
    from dify_workflow import DifyWorkflow, stats

    client = DifyWorkflow(api_key=KEY, base_url=address)
    client.logs.list()  # all is imported, and a connection made
    return lambda _: stats.collect(client.logs.iter(), tz="UTC").to_dict()


def weighed(rows: int) -> list[Figure]:
    """How much memory statistics take at most, over the start."""
    section = f"memory of statistics of {rows:,} rows, over the start, peak"
    with server("log_server.py", "synthetic", rows, 0) as address:
        peak = alone(partial(collect_and_weigh, address))
    return [Figure(section, STATS, (peak,), "MB", promise=OVERHEAD + rows * BYTES_PER_LOG / 1e6)]


def collect_and_weigh(address: str) -> float:
    """The memory of statistics, in a process of its own."""
    from dify_workflow import DifyWorkflow, stats

    with DifyWorkflow(api_key=KEY, base_url=address) as client:
        stats.collect(client.logs.iter(created_at__after="1s"), tz="UTC").to_dict()  # all is imported and connected
        start = weight("VmRSS")
        stats.collect(client.logs.iter(), tz="UTC").to_dict()
        return weight("VmHWM") - start


if __name__ == "__main__":
    if sys.argv[1:] == ["--million"]:
        print(text(weighed(1_000_000)))
    elif sys.argv[1:] == ["--cpu"]:
        print(text(timed(25_000, 7)))
    else:
        command(figures, "Measure statistics beside the walk.")

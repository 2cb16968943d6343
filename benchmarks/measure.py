"""How the benchmarks measure: several ways of doing one thing, in turn, in one run; CPU time; medians; ratios.

Absolute times differ from machine to machine and from minute to minute. Ratios of medians that were taken in turn
travel.
"""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def in_turn(ways: Mapping[str, Callable[[], object]], *, rounds: int, repeats: int) -> dict[str, float]:
    """Median CPU seconds of one call of each way.

    Args:
        ways: what to measure, by name.
        rounds: how often each is timed; all are timed once before any is timed again.
        repeats: calls in one timing.
    """
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for call in ways.values():
        call()
    for _ in range(rounds):
        for name, call in ways.items():
            gc.collect()
            begun = time.process_time()
            for _ in range(repeats):
                call()
            taken[name].append((time.process_time() - begun) / repeats)
    return {name: statistics.median(times) for name, times in taken.items()}


def programs_in_turn(programs: Mapping[str, str], *, rounds: int) -> dict[str, float]:
    """Median CPU seconds of a whole interpreter that runs each program."""
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, program in programs.items():
            process = subprocess.Popen([sys.executable, "-I", "-c", program])
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise SystemExit(f"{name}: exit status {process.returncode}")
            if turn:  # the first one warms the file cache
                taken[name].append(usage.ru_utime + usage.ru_stime)
    return {name: statistics.median(times) for name, times in taken.items()}


def table(title: str, times: Mapping[str, float], *, base: str, promises: Mapping[str, float] | None = None) -> None:
    """Print each median and its ratio to the base, and the promised ratio where there is one."""
    print(f"{title}\n{'-' * len(title)}")
    width = max(map(len, times))
    for name, seconds in times.items():
        promise = f"   promised <= {promises[name]:.2f}" if promises and name in promises else ""
        print(f"  {name:<{width}}  {seconds * 1e6:10.1f} us   {seconds / times[base]:5.2f} x{promise}")
    print()

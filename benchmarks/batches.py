"""Measure batches: their time beside the ideal one, and their memory with the number of rows.

Usage: batches.py [--rows N] [--many N]

The time is that of rows whose runs take 0.3 seconds, 8 at once, on a sandbox in a process of its own; ideal is
rows / 8 * 0.3 seconds, which holds where the machine has nothing else to do. So it is measured in turns with threads
that do nothing but `runs.stream`: the quotient of the two holds on a busy machine, too. The memory is what a process
needs at most that goes through a journal of so many ended rows, in the order of the rows.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dify_workflow import DifyWorkflow
from dify_workflow._runs.batch import Entry, Rules, digest_of
from dify_workflow._runs.batch_journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = 0.3
AT_ONCE: Final = 8
ROUNDS: Final = 3
SERVER: Final = """
import sys
from dify_workflow.testing import Sandbox
with Sandbox(rows=0) as sandbox:
    print(sandbox.base_url, sandbox.api_key, flush=True)
    sys.stdin.read()
"""


def measure_time(rows: int) -> None:
    """Print the time of a batch, and of plain threads, as multiples of the ideal one."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    )
    url, key = (server.stdout or sys.stdin).readline().split()
    given = [{"query": f"row {number}", "seconds": SECONDS} for number in range(rows)]
    ideal = rows / AT_ONCE * SECONDS
    times: dict[str, list[float]] = {"batch": [], "threads": []}
    try:
        with tempfile.TemporaryDirectory() as folder, DifyWorkflow(api_key=key, base_url=url) as client:

            def batch(count: int) -> None:
                journal = Path(folder) / f"{len(times['batch'])}-{count}"
                found = client.runs.batch(given[:count], user="batch", journal=journal, at_once=AT_ONCE)
                check(sum(item.status == "succeeded" for item in found), count)

            def threads(count: int) -> None:
                with ThreadPoolExecutor(AT_ONCE) as pool:
                    check(list(pool.map(stream, given[:count])).count("succeeded"), count)

            def stream(inputs: dict[str, Any]) -> str:
                with client.runs.stream(inputs, user="threads") as events:
                    return str(events.wait().status)

            works: dict[str, Callable[[int], None]] = {"batch": batch, "threads": threads}
            for work in works.values():
                work(AT_ONCE)
            for _ in range(ROUNDS):
                for name, work in works.items():
                    begun = time.perf_counter()
                    work(rows)
                    times[name].append((time.perf_counter() - begun) / ideal)
    finally:
        server.communicate("")
    for name, found in times.items():
        print(f"{name}: {min(found):.3f} of the ideal time, the best of {ROUNDS}")
    quotients = [ours / others for ours, others in zip(times["batch"], times["threads"], strict=True)]
    print(f"batch / threads: {statistics.median(quotients):.3f}")


def check(found: int, wanted: int) -> None:
    """End where not all rows have succeeded: then nothing was measured."""
    if found != wanted:
        raise SystemExit(f"{found} of {wanted} rows have succeeded")


def go_through(rows: int) -> None:
    """Print the megabytes that this process needs at most to go through a finished batch."""
    rules = Rules(
        "batch",
        one_user=False,
        at_once=AT_ONCE,
        retry_failed=False,
        settle=30,
        lost_after=3600,
        in_order=True,
        check_inputs=True,
        workflow_id=None,
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        DifyWorkflow(api_key="app-none", base_url="http://127.0.0.1:9") as client,
    ):
        path = Path(folder) / "journal"
        Journal(path, rules).close()
        with path.open("ab") as file:
            for row in range(rows):
                digest = digest_of({"query": f"row {row}"})
                file.write(Entry(row, "ended", 1.0, digest, status="succeeded", outputs={"answer": "x" * 20}).line())
        given = ({"query": f"row {row}"} for row in range(rows))
        done = sum(1 for _ in client.runs.batch(given, user="batch", journal=path, in_order=True))
    check(done, rows)
    print(f"{rows} rows: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f} MB")


def main() -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(description="Measure batches: time beside the ideal one, and memory.")
    parser.add_argument("--rows", type=int, default=160, help="rows of which the time is measured (160)")
    parser.add_argument("--many", type=int, default=1_000_000, help="rows of which the memory is measured (1,000,000)")
    parser.add_argument("--go-through", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.go_through:
        go_through(options.go_through)
        return 0
    measure_time(options.rows)
    for rows in (options.many // 100, options.many):  # each in a process of its own
        subprocess.run([sys.executable, __file__, "--go-through", str(rows)], check=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

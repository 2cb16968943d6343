"""Measure the same calls over httpx and over httpx2, against a sandbox in a process of its own.

Usage: http_libraries.py [ROUNDS]

Two processes make the calls, one with each library, and take turns; the CPU time of a round counts, and the median of
the ratios of the rounds.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from dify_workflow import DifyWorkflow
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = {"a typed page of 100": 60, "a walk over 500 logs": 6, "a streamed run": 20}
"""How often each is called in a round."""


def main(argv: list[str]) -> int:
    """Print the ratios, or be one of the two processes; the exit status."""
    if argv[:1] == ["calls"]:
        calls()
        return 0
    rounds = int(argv[0]) if argv else 31
    with Sandbox(rows=500) as sandbox:
        options = {"DIFY_API_KEY": sandbox.api_key, "DIFY_BASE_URL": sandbox.base_url}
        started = [
            subprocess.Popen(
                [sys.executable, __file__, "calls"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
                env={**os.environ, **options, "DIFY_HTTP": name},
            )
            for name in ("httpx", "httpx2")
        ]
        for name in CALLS:
            pairs = [[round_of(process, name) for process in started] for _ in range(rounds + 1)][1:]
            ratio = statistics.median(second / first for first, second in pairs)
            print(f"{name}: httpx2 takes {ratio:.3f} of the CPU time of httpx", flush=True)
        for process in started:
            process.communicate()
    return 0


def round_of(process: subprocess.Popen[str], name: str) -> float:
    """CPU seconds of one round in a process."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process was started without pipes")
    process.stdin.write(name + "\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def calls() -> None:
    """Make the calls that are requested on stdin, and print their CPU seconds."""
    with DifyWorkflow() as client:

        def stream() -> None:
            with client.runs.stream({"query": "hi"}, user="u") as events:
                events.wait()

        work: dict[str, Callable[[], object]] = {
            "a typed page of 100": lambda: client.logs.list(limit=100),
            "a walk over 500 logs": lambda: sum(1 for _ in client.logs.iter()),
            "a streamed run": stream,
        }
        for line in sys.stdin:
            name = line.strip()
            begun = time.process_time()
            for _ in range(CALLS[name]):
                work[name]()
            print(time.process_time() - begun, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

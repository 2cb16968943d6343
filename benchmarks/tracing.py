"""Measure what spans cost where OpenTelemetry's API is in use and nothing takes the spans.

Usage: tracing.py [ROUNDS]

Prints the CPU time of typed pages, of a walk and of blocking runs, over a transport in memory, with spans and without:
the two take turns, and the median of the pairs counts.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import opentelemetry.trace  # noqa: F401 - what turns spans on

from dify_workflow import DifyWorkflow

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 40
"""Calls that are timed together: a clock of CPU time has steps."""


def main(argv: list[str]) -> int:
    """Print the ratios; the exit status."""
    rounds = int(argv[0]) if argv else 41
    transport = httpx.MockTransport(respond)
    with httpx.Client(transport=transport) as http, DifyWorkflow(api_key="app-any", http_client=http) as client:
        work: dict[str, Callable[[], object]] = {
            "a typed page of 99": lambda: client.logs.list(limit=100),
            "a walk of one page of 99": lambda: sum(1 for _ in client.logs.iter()),
            "a blocking run": lambda: client.runs.run({"query": "hi"}, user="u"),
        }
        for name, call in work.items():
            ratios = [timed(call, "1") / timed(call, "0") for _ in range(rounds)]
            os.environ["DIFY_OTEL"] = "1"
            print(f"{name}: {statistics.median(ratios):.3f} of the CPU time without spans")
    return 0


def timed(call: Callable[[], object], setting: str) -> float:
    """CPU seconds of some calls."""
    os.environ["DIFY_OTEL"] = setting
    begun = time.process_time()
    for _ in range(CALLS):
        call()
    return time.process_time() - begun


def respond(request: httpx.Request) -> httpx.Response:
    """A page of logs, or the result of a run."""
    body = PAGE if request.method == "GET" else RUN
    return httpx.Response(200, content=body, headers={"content-type": "application/json"})


def log(number: int) -> dict[str, Any]:
    """A log as Dify 1.11 sends it."""
    identity = f"00000000-0000-4000-8000-{number:012d}"
    run = {
        "id": identity,
        "version": "2026-11-22 21:52:44.948869",
        "status": "succeeded",
        "error": None,
        "elapsed_time": 1.5,
        "total_tokens": 120,
        "total_steps": 3,
        "created_at": 1_790_000_000 - number,
        "finished_at": 1_790_000_002 - number,
        "exceptions_count": 0,
        "triggered_from": "app-run",
    }
    user = {"id": identity, "type": "service_api", "is_anonymous": False, "session_id": "user-1"}
    return {
        "id": identity,
        "workflow_run": run,
        "details": None,
        "created_from": "service-api",
        "created_by_role": "end_user",
        "created_by_account": None,
        "created_by_end_user": user,
        "created_at": 1_790_000_000 - number,
    }


PAGE = json.dumps(
    {"page": 1, "limit": 100, "total": 99, "has_more": False, "data": [log(number) for number in range(99)]}
).encode()
RUN = json.dumps(
    {
        "task_id": "t",
        "workflow_run_id": "r",
        "data": {"id": "r", "workflow_id": "w", "status": "succeeded", "outputs": {"text": "x" * 500}},
    }
).encode()

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

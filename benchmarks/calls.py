"""What a typed page of 100 logs costs, beside the same answer read as plain JSON with httpx.

Usage: calls.py
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from measure import in_turn, table

from dify_workflow import DifyWorkflow, _responses

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "app-benchmark"


def main() -> None:
    """Measure and print."""
    server = Path(__file__).with_name("page_server.py")
    with subprocess.Popen(
        [sys.executable, server], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout  # noqa: S101 - it was asked for
        address = process.stdout.readline().strip()
        try:
            measure(address)
        finally:
            process.communicate()  # closes its input, which ends it


def measure(address: str) -> None:
    """Measure and print, against the server at the address."""
    url = f"{address}/workflows/logs?limit=100"
    with (
        httpx.Client(headers={"Authorization": f"Bearer {KEY}"}) as plain,
        DifyWorkflow(api_key=KEY, base_url=address) as client,
    ):

        def typed(loads: Callable[[bytes], Any]) -> object:
            _responses.loads = loads  # as if the extra `speed` were installed, or were not
            return client.logs.list(limit=100)

        fast = _responses.loads
        ways = {
            "httpx get().json()": lambda: plain.get(url).json(),
            "logs.list, json": lambda: typed(json.loads),
            "logs.list, orjson": lambda: typed(fast),
        }
        table(
            "one page of 100 on loopback, client's CPU time",
            in_turn(ways, rounds=60, repeats=15),
            base="httpx get().json()",
            promises={"logs.list, json": 1.10, "logs.list, orjson": 1.00},
        )


if __name__ == "__main__":
    main()

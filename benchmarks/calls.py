"""What a page of logs costs through each client, beside the same response read as plain JSON with httpx: CPU time.

Usage: calls.py [--quick]
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from figures import Figure
from loopback import LIMIT, LIMIT_NOTE, server
from measure import cpu, in_turn
from pages import SIZES
from report import command
from rivals import DIFY_OAPI2, DIFY_PYTHON_SDK, EMPTY_FILTERS, HTTPX, OURS, OURS_FAST, READ, READ_ASYNC, REFUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from measure import Repeat, Setup

PROMISES: Final = {OURS: 1.10, OURS_FAST: 1.00}
PROMISES_ASYNC: Final = {OURS: 1.10}
NOTES: Final = {DIFY_OAPI2: REFUSES, LIMIT: LIMIT_NOTE}
NOTES_ASYNC: Final = {DIFY_OAPI2: REFUSES, DIFY_PYTHON_SDK: EMPTY_FILTERS}


def figures(progress: Callable[[str], None], quick: bool = False) -> list[Figure]:
    """Measure pages of some sizes, sync and async."""
    found: list[Figure] = []
    with server("page_server.py") as address:
        for rows in SIZES:
            progress(f"one page of {rows}, sync")
            found += measured(f"one page of {rows}, sync", sync_ways(address, rows), quick, PROMISES, NOTES)
            progress(f"one page of {rows}, async")
            found += measured(
                f"one page of {rows}, async", async_ways(address, rows), quick, PROMISES_ASYNC, NOTES_ASYNC
            )
    return found


def measured(
    section: str,
    ways: Mapping[str, Setup],
    quick: bool,
    promises: Mapping[str, float],
    notes: Mapping[str, str],
) -> list[Figure]:
    """Measure each way."""
    promised = promises if section.startswith("one page of 100") else {}
    return [
        Figure(section, name, cpu(taken), "cpu s", HTTPX, promised.get(name), notes.get(name, ""))
        for name, taken in in_turn(ways, rounds=5 if quick else 8, repeats=20, starts=1 if quick else 5).items()
    ]


def sync_ways(address: str, rows: int) -> dict[str, Setup]:
    """Each client's call."""
    return {name: partial(sync_way, name, readable(name, address), rows) for name in READ}


def async_ways(address: str, rows: int) -> dict[str, Setup]:
    """Each client's call, in a running event loop."""
    return {name: partial(async_way, name, readable(name, address), rows) for name in READ_ASYNC}


def readable(name: str, address: str) -> str:
    """Below which address is the page that a client can read."""
    return address.replace("/v1", "/plain/v1") if name in NOTES and NOTES[name] == REFUSES else address


def sync_way(name: str, address: str, rows: int) -> Repeat:
    """What reads the page again and again, in this process."""
    read = READ[name](address)

    def repeat(repeats: int) -> None:
        for _ in range(repeats):
            read(1, rows)

    return repeat


def async_way(name: str, address: str, rows: int) -> Repeat:
    """What reads the page again and again, in this process."""
    read = READ_ASYNC[name](address)
    runner = asyncio.Runner()

    async def again(repeats: int) -> None:
        for _ in range(repeats):
            await read(1, rows)

    return lambda repeats: runner.run(again(repeats))


if __name__ == "__main__":
    command(figures, "Measure what one call costs.")

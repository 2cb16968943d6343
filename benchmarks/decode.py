"""What typed models cost, beside the bare JSON values they are made from: time to decode a page, memory to keep rows.

Usage: decode.py
"""

from __future__ import annotations

import copy
import gc
import json
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from measure import in_turn, table

from dify_workflow.models import WorkflowLogPage

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDING = Path(__file__).parent.parent / "tests" / "recordings" / "logs-bulk-page-1_limit-100.json"
ROWS_KEPT = 10_000
MEGABYTES_PROMISED = 13


def main() -> None:
    """Measure and print."""
    body = json.loads(RECORDING.read_text(encoding="utf-8"))["response"]["body"]
    time(body.encode())
    memory(body.encode())


def time(body: bytes) -> None:
    """Measure and print the time to decode a real page of 100 rows, also when the server sends other fields."""
    page = json.loads(body)
    more, fewer = copy.deepcopy(page), copy.deepcopy(page)
    for row in more["data"]:
        for item in filter(None, (row, row["workflow_run"])):
            item["new"] = "unknown to the spec"
    for row in fewer["data"]:
        for item in filter(None, (row, row["workflow_run"])):
            item.popitem()
    ways: dict[str, Callable[[], object]] = {
        "json.loads": lambda: json.loads(body),
        "json.loads, typed": lambda: WorkflowLogPage.from_dict(json.loads(body)),
        "orjson.loads": lambda: orjson.loads(body),
        "orjson.loads, typed": lambda: WorkflowLogPage.from_dict(orjson.loads(body)),
    }
    for name, odd in (("a field more", more), ("a field less", fewer)):
        data = json.dumps(odd).encode()
        ways[f"json.loads, {name}"] = lambda data=data: json.loads(data)  # type: ignore[misc] # bound now, not later
        ways[f"typed, {name}"] = lambda data=data: WorkflowLogPage.from_dict(json.loads(data))  # type: ignore[misc] # as above
    table(
        f"decoding a page of 100 rows, {len(body):,} bytes",
        in_turn(ways, rounds=60, repeats=20),
        base="json.loads",
        promises={"json.loads, typed": 1.5},
    )


def memory(body: bytes) -> None:
    """Measure and print what it takes to keep many rows, each from a body of its own."""
    kept: dict[str, Callable[[dict[str, Any]], list[Any]]] = {
        "json.loads": lambda page: page["data"],
        "typed": lambda page: WorkflowLogPage.from_dict(page).data,
    }
    title = f"keeping {ROWS_KEPT:,} rows"
    print(f"{title}\n{'-' * len(title)}")
    for name, rows_of in kept.items():
        gc.collect()
        tracemalloc.start()
        rows: list[Any] = []
        while len(rows) < ROWS_KEPT:
            rows += rows_of(json.loads(body))
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        promise = f"   promised <= {MEGABYTES_PROMISED} MB" if name == "typed" else ""
        print(f"  {name:<10}  {size / 1e6:5.1f} MB   {size / len(rows):5.0f} bytes a row{promise}")
    print()


if __name__ == "__main__":
    main()

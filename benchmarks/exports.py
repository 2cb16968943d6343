"""What exports take beside the walk that they stand on: CPU time, and memory.

Usage: exports.py [--quick | --million]

With --million, only memory is measured, over 1,000,000 rows; that takes some minutes.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from figures import Figure
from loopback import KEY, server
from measure import alone, in_turn
from report import command, text
from walks import weight

if TYPE_CHECKING:
    from collections.abc import Callable

    from measure import Repeat, Setup

WALK: Final = "logs.iter"
PROMISED: Final = {"jsonl": 2.6, "csv": 2.6, "parquet": 2.6, "duckdb": 2.6, "sqlite": 3.2}
"""CPU time, as a multiple of the walk's."""
MEMORY: Final = {"jsonl": 8, "csv": 8, "sqlite": 8, "parquet": 60, "duckdb": 60}
"""Megabytes over the start."""


def figures(progress: Callable[[str], None], quick: bool = False) -> list[Figure]:
    """Measure time and memory."""
    rows = 2_000 if quick else 25_000
    progress(f"exports of {rows:,} rows")
    return timed(rows, 2 if quick else 5) + weighed(2_000 if quick else 100_000)


def timed(rows: int, rounds: int) -> list[Figure]:
    """The CPU time of each export, beside the walk's."""
    section = f"{rows:,} rows exported"
    with server("log_server.py", "synthetic", rows, 0) as address:
        ways: dict[str, Setup] = {WALK: partial(walking, address)}
        ways |= {f"export, {kind}": partial(exporting, address, kind) for kind in PROMISED}
        taken = in_turn(ways, rounds=rounds)
    return [
        Figure(
            section,
            name,
            tuple(take.cpu for take in takes),
            "cpu s",
            base=None if name == WALK else WALK,
            promise=PROMISED.get(name.removeprefix("export, ")),
        )
        for name, takes in taken.items()
    ]


def walking(address: str) -> Repeat:
    """The walk alone."""
    from dify_workflow import DifyWorkflow

    client = DifyWorkflow(api_key=KEY, base_url=address)
    client.logs.list()  # all is imported, and a connection made
    return lambda _: sum(1 for _ in client.logs.iter())


def exporting(address: str, kind: str) -> Repeat:
    """An export of one kind."""
    from dify_workflow import DifyWorkflow
    from dify_workflow.export import export

    client = DifyWorkflow(api_key=KEY, base_url=address)
    folder = Path(tempfile.mkdtemp(prefix="dify-workflow-exports-"))
    export(client, str(folder / f"first.{kind}"), created_at__after="1s")  # all is imported, and a connection made

    def run(_: int) -> int:
        shutil.rmtree(folder)
        folder.mkdir()
        rows = export(client, str(folder / f"logs.{kind}")).rows
        shutil.rmtree(folder)
        folder.mkdir()
        return rows

    return run


def weighed(rows: int) -> list[Figure]:
    """How much memory each export takes at most, over the start."""
    section = f"memory of an export of {rows:,} rows, over the start, peak"
    with server("log_server.py", "synthetic", rows, 0) as address:
        return [
            Figure(section, kind, (alone(partial(export_and_weigh, address, kind)),), "MB", promise=promise)
            for kind, promise in MEMORY.items()
        ]


def export_and_weigh(address: str, kind: str) -> float:
    """The memory of an export, in a process of its own; the packages that it needs count where they are Arrow's."""
    import dify_workflow.export
    from dify_workflow import DifyWorkflow

    if kind == "duckdb":  # its own weight is not an export's: it has 46 MB once it has opened a database, and Arrow 27
        import duckdb
        import pyarrow as pa  # noqa: F401 - likewise

        duckdb.connect().close()
    with DifyWorkflow(api_key=KEY, base_url=address) as client, tempfile.TemporaryDirectory() as folder:
        next(client.logs.iter(), None)  # the walk is imported, and a connection made
        start = weight("VmRSS")
        dify_workflow.export.export(client, str(Path(folder) / f"logs.{kind}"))
        return weight("VmHWM") - start


if __name__ == "__main__":
    if sys.argv[1:] == ["--million"]:
        print(text(weighed(1_000_000)))
    else:
        command(figures, "Measure exports beside the walk.")

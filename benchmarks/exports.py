"""What exports take beside the walk that they stand on: CPU time, and memory.

Usage: exports.py [--quick | --million | --cpu]

With --million, only memory is measured, over 1,000,000 rows, which takes some minutes; with --cpu, only CPU time.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from functools import partial
from importlib.util import find_spec
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
ARROW: Final = "logs.iter().to_arrow()"
CHANGES: Final = "logs.changes"
PROMISED: Final = {"jsonl": 2.6, "csv": 2.6, "parquet": 2.6, "duckdb": 2.6, "sqlite": 3.2, "parquet/": None}
"""CPU time, as a multiple of the walk's, by the ending of the target."""
MEMORY: Final = {"jsonl": 8, "csv": 8, "sqlite": 8, "parquet": 60, "duckdb": 60, "parquet/": None}
"""Megabytes over the start."""
BEGINNING: Final = "2000-01-01T00:00:00Z"
LOADED: Final = "export, duckdb, its libraries loaded before"
NOTES: Final = {
    ARROW: "Arrow's libraries are 30 MB of it, and 45 MB where the page cache holds their files whole, as after a "
    "copy: they are dropped from it before this is measured",
    "export, parquet": "as for to_arrow()",
    LOADED: "DuckDB takes some 45 MB and Arrow some 30 MB when they are loaded, before the first row is written",
}


def figures(progress: Callable[[str], None], quick: bool = False) -> list[Figure]:
    """Measure time and memory."""
    rows = 2_000 if quick else 25_000
    progress(f"exports of {rows:,} rows")
    return timed(rows, 2 if quick else 5) + weighed(2_000 if quick else 100_000)


def timed(rows: int, rounds: int) -> list[Figure]:
    """The CPU time of each export, beside the walk's."""
    section = f"{rows:,} rows exported, or read otherwise"
    with server("log_server.py", "synthetic", rows, 0) as address:
        ways: dict[str, Setup] = {WALK: partial(walking, address)}
        ways |= {ARROW: partial(reading_arrow, address), CHANGES: partial(reading_changes, address)}
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


def reading_arrow(address: str) -> Repeat:
    """The walk as batches of Arrow."""
    from dify_workflow import DifyWorkflow

    client = DifyWorkflow(api_key=KEY, base_url=address)
    next(client.logs.iter(created_at__after="1s").to_arrow(), None)  # all is imported, and a connection made
    return lambda _: sum(batch.num_rows for batch in client.logs.iter().to_arrow())


def reading_changes(address: str) -> Repeat:
    """All logs as changes, oldest first, as a job reads them that runs for the first time."""
    from dify_workflow import DifyWorkflow

    client = DifyWorkflow(api_key=KEY, base_url=address)
    client.logs.list()  # all is imported, and a connection made
    return lambda _: sum(1 for _ in client.logs.changes(since=BEGINNING))


def exporting(address: str, kind: str) -> Repeat:
    """An export of one kind."""
    from dify_workflow import DifyWorkflow
    from dify_workflow.export import export

    client = DifyWorkflow(api_key=KEY, base_url=address)
    folder = Path(tempfile.mkdtemp(prefix="dify-workflow-exports-"))
    export(client, f"{folder}/first.{kind}", created_at__after="1s")  # all is imported, and a connection made

    def run(_: int) -> int:
        shutil.rmtree(folder)
        folder.mkdir()
        rows = export(client, f"{folder}/logs.{kind}").rows
        shutil.rmtree(folder)
        folder.mkdir()
        return rows

    return run


def weighed(rows: int) -> list[Figure]:
    """How much memory each export takes at most, over the start."""
    section = f"memory of an export of {rows:,} rows, over the start, peak"
    forget_files("pyarrow", "duckdb", "_duckdb")
    with server("log_server.py", "synthetic", rows, 0) as address:

        def figure(way: str, measured: Callable[[], float], promise: float | None = None) -> Figure:
            return Figure(section, way, (alone(measured),), "MB", promise=promise, note=NOTES.get(way, ""))

        found = [figure(ARROW, partial(read_and_weigh, address, ARROW), MEMORY["parquet"])]
        found += [figure(CHANGES, partial(read_and_weigh, address, CHANGES))]
        for kind, promise in MEMORY.items():
            measured = partial(export_and_weigh, address, kind)
            found.append(figure(f"export, {kind}", measured, None if kind == "duckdb" else promise))
        measured = partial(export_and_weigh, address, "duckdb", loaded=True)
        found.append(figure(LOADED, measured, MEMORY["duckdb"]))
    return found


def forget_files(*packages: str) -> None:
    """Let the system forget what it has read of some packages' libraries, as if it had just been started."""
    for found in filter(None, map(find_spec, packages)):
        for file in Path(found.origin or "").parent.rglob("*.so*") if found.parent else [Path(found.origin or "")]:
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_and_weigh(address: str, way: str) -> float:
    """The memory of reading, in a process of its own, with that of the packages that it needs."""
    from dify_workflow import DifyWorkflow

    with DifyWorkflow(api_key=KEY, base_url=address) as client:
        next(client.logs.iter(), None)  # the walk is imported, and a connection made
        start = weight("VmRSS")
        for _ in client.logs.iter().to_arrow() if way == ARROW else client.logs.changes(since=BEGINNING):
            pass
        return weight("VmHWM") - start


def export_and_weigh(address: str, kind: str, *, loaded: bool = False) -> float:
    """The memory of an export, in a process of its own, with that of the packages unless they are loaded before."""
    import dify_workflow.export
    from dify_workflow import DifyWorkflow

    if loaded:
        import duckdb
        import pyarrow as pa  # noqa: F401 - loading it is what counts

        duckdb.connect().close()
    with DifyWorkflow(api_key=KEY, base_url=address) as client, tempfile.TemporaryDirectory() as folder:
        next(client.logs.iter(), None)  # the walk is imported, and a connection made
        start = weight("VmRSS")
        dify_workflow.export.export(client, f"{folder}/logs.{kind}")
        return weight("VmHWM") - start


if __name__ == "__main__":
    if sys.argv[1:] == ["--million"]:
        print(text(weighed(1_000_000)))
    elif sys.argv[1:] == ["--cpu"]:
        print(text(timed(25_000, 7)))
    else:
        command(figures, "Measure exports beside the walk.")

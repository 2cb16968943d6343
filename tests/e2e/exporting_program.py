"""Exports to a target, again and again, as long as it is killed.

Usage: exporting_program.py URL KEY TARGET WORKERS KILLS SEED [BATCH]

Each attempt is a forked child, with one of the numbers of workers, as in "1,4". With BATCH, so many logs are written at
once, and the first attempts are ended by the system some milliseconds after they began or after they have written once,
in whatever they do: a slow machine then makes less of each attempt and no fewer kills. Without, they are killed
(SIGKILL) after a random time, and an export that has finished is made again until so many were. Prints how many were,
what the last one reported, and how many rows a file had that was there after a kill, as JSON.
"""

import csv
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from dify_workflow import DifyWorkflow
from dify_workflow.export import ExportProgress, export
from dify_workflow.export._duckdb import DuckDBTarget
from dify_workflow.export._files import FileTarget
from dify_workflow.export._parquet import ParquetTarget
from dify_workflow.export._postgresql import PostgreSQLTarget
from dify_workflow.export._sqlite import SQLiteTarget

MOST_ATTEMPTS = 200
LONGEST = 0.01
"""Seconds in which an attempt runs at most, once its end is decided. 3,000 logs take longer than five times this."""


class Limit(NamedTuple):
    """When an attempt ends."""

    batches: int
    seconds: float


def attempt(url: str, key: str, target: str, workers: int, limit: Limit | None, result: Path) -> None:
    batches = 0

    def wrote(_: ExportProgress | None) -> None:
        nonlocal batches
        if limit is not None and batches == limit.batches:
            signal.setitimer(signal.ITIMER_REAL, limit.seconds)  # its signal kills the process, as nothing handles it
        batches += 1

    wrote(None)
    with DifyWorkflow(api_key=key, base_url=url) as client:
        done = export(client, target, workers=workers, progress=wrote)
    signal.setitimer(signal.ITIMER_REAL, 0)
    result.write_text(json.dumps({"rows": done.rows, "was_resumed": done.was_resumed}))


def rows_of(target: str) -> int | None:
    """The rows of a file that is shown; None where there is none, and for databases, which say themselves."""
    path = Path(target)
    if path.suffix not in (".jsonl", ".csv", ".parquet") or not path.exists():
        return None
    if path.suffix == ".parquet":
        files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
        return sum(pq.read_metadata(file).num_rows for file in files)
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.DictReader(file)) if path.suffix == ".csv" else sum(1 for _ in file)


def main(url: str, key: str, target: str, workers: str, kills: str, seed: str, batch: str = "") -> None:
    for cls in (FileTarget, SQLiteTarget, PostgreSQLTarget, DuckDBTarget, ParquetTarget):
        cls.batch = int(batch or cls.batch)
    chance = random.Random(int(seed))  # noqa: S311 - repeatable, no secrets
    result = Path(f"{os.environ['RESULTS']}/{seed}.json")
    killed = 0
    shown: set[int | None] = set()
    for _ in range(MOST_ATTEMPTS):
        ends = batch and killed < int(kills)
        limit = Limit(chance.randint(0, 1), chance.uniform(1e-6, LONGEST)) if ends else None
        at_once = int(chance.choice(workers.split(",")))
        child = os.fork()
        if not child:
            try:
                attempt(url, key, target, at_once, limit, result)
            except BaseException:  # noqa: BLE001 - a child must not return
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        if not batch and killed < int(kills):
            time.sleep(chance.uniform(0.05, 1.5))
            os.kill(child, signal.SIGKILL)  # one that has ended is still there, as nobody has asked for its status
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status):
            killed += 1
            shown.add(rows_of(target))
            continue
        if os.WEXITSTATUS(status):
            sys.exit("an attempt failed")
        if batch or killed >= int(kills):
            break
    print(json.dumps({"killed": killed, "shown": sorted(shown - {None}), **json.loads(result.read_text())}))


if __name__ == "__main__":
    main(*sys.argv[1:])

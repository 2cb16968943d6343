"""Exports to a target, again and again, as long as it is killed.

Usage: exporting_program.py URL KEY TARGET WORKERS KILLS SEED [BATCH]

Each attempt is a forked child. With BATCH, so many logs are written at once, and the first attempts are ended by the
system some milliseconds after they began or after they have written once, in whatever they do: a slow machine then
makes less of each attempt and no fewer kills. Without, they are killed (SIGKILL) after a random time. Prints how many
were, and what the last one reported, as JSON.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import NamedTuple

from dify_workflow import DifyWorkflow
from dify_workflow.export import ExportProgress, export
from dify_workflow.export._duckdb import DuckDBTarget
from dify_workflow.export._files import FileTarget
from dify_workflow.export._parquet import ParquetTarget
from dify_workflow.export._postgresql import PostgreSQLTarget
from dify_workflow.export._sqlite import SQLiteTarget

MOST_ATTEMPTS = 200
LONGEST = 0.01
"""Seconds in which an attempt goes on at most, once its end is decided. 3,000 logs take longer than five times this."""


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


def main(url: str, key: str, target: str, workers: str, kills: str, seed: str, batch: str = "") -> None:
    for cls in (FileTarget, SQLiteTarget, PostgreSQLTarget, DuckDBTarget, ParquetTarget):
        cls.batch = int(batch or cls.batch)
    chance = random.Random(int(seed))  # noqa: S311 - repeatable, no secrets
    result = Path(f"{os.environ['RESULTS']}/{seed}.json")
    killed = 0
    for _ in range(MOST_ATTEMPTS):
        ends = batch and killed < int(kills)
        limit = Limit(chance.randint(0, 1), chance.uniform(1e-6, LONGEST)) if ends else None
        child = os.fork()
        if not child:
            try:
                attempt(url, key, target, int(workers), limit, result)
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
            continue
        if os.WEXITSTATUS(status):
            sys.exit("an attempt failed")
        break
    print(json.dumps({"killed": killed, **json.loads(result.read_text())}))


if __name__ == "__main__":
    main(*sys.argv[1:])

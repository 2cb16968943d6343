"""Exports to a target, again and again, as long as it is killed.

Usage: exporting_program.py URL KEY TARGET WORKERS KILLS SEED [BATCH]

Each attempt is a forked child. With BATCH, the first ones are ended by the system after a random part of a second of
work, in whatever they do, and so many logs are written at once, so that there is much to continue from. Without, they
are killed (SIGKILL) after a random time. Prints how many were, and what the last one reported, as JSON.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from dify_workflow import DifyWorkflow
from dify_workflow.export import export
from dify_workflow.export._duckdb import DuckDBTarget
from dify_workflow.export._files import FileTarget
from dify_workflow.export._parquet import ParquetTarget
from dify_workflow.export._postgresql import PostgreSQLTarget
from dify_workflow.export._sqlite import SQLiteTarget

MOST_ATTEMPTS = 200


def attempt(url: str, key: str, target: str, workers: int, limit: float | None, result: Path) -> None:
    if limit is not None:
        signal.setitimer(signal.ITIMER_PROF, limit)  # its signal kills the process, as nothing handles it
    with DifyWorkflow(api_key=key, base_url=url) as client:
        done = export(client, target, workers=workers)
    signal.setitimer(signal.ITIMER_PROF, 0)
    result.write_text(json.dumps({"rows": done.rows, "was_resumed": done.was_resumed}))


def main(url: str, key: str, target: str, workers: str, kills: str, seed: str, batch: str = "") -> None:
    for cls in (FileTarget, SQLiteTarget, PostgreSQLTarget, DuckDBTarget, ParquetTarget):
        cls.batch = int(batch or cls.batch)
    chance = random.Random(int(seed))  # noqa: S311 - repeatable, no secrets
    result = Path(f"{os.environ['RESULTS']}/{seed}.json")
    killed = 0
    for _ in range(MOST_ATTEMPTS):
        limit = chance.uniform(0.02, 0.25) if batch and killed < int(kills) else None
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

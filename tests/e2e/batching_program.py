"""A batch, again and again, as long as it is killed.

Usage: batching_program.py URL KEY JOURNAL ROWS KILLS SEED SETTLE

Each attempt is a forked child, and is killed (SIGKILL) after a random time; the last one runs to its end. Prints how
many were killed, and index, run, status and response of each item, as JSON.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dify_workflow import DifyWorkflow
from dify_workflow.types import Batch, Runs

MOST_ATTEMPTS = 5000


def rows(count: int, seed: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(seed)  # noqa: S311 - repeatable, no secrets
    for number in range(count):
        yield {
            "query": f"row {number}",
            "seconds": round(chance.uniform(0, 0.2), 3),
            **({"fail": "boom"} if number % 10 == 3 else {}),
        }


def attempt(url: str, key: str, journal: str, count: int, seed: int, settle: float, result: Path) -> None:
    with DifyWorkflow(api_key=key, base_url=url) as client:
        batch = client.runs.batch(rows(count, seed), user="batch", journal=journal, settle=settle)
        found = [[item.index, item.run_id, item.status, item.outputs] for item in batch]
    result.write_text(json.dumps(found))


def main(url: str, key: str, journal: str, count: str, kills: str, seed: str, settle: str) -> None:
    chance = random.Random(int(seed))  # noqa: S311 - as above
    result = Path(f"{journal}.result")
    assert Runs.__name__ + Batch.__name__  # they are loaded before the forks
    for killed in range(MOST_ATTEMPTS):
        child = os.fork()
        if not child:
            try:
                attempt(url, key, journal, int(count), int(seed), float(settle), result)
            except BaseException:  # noqa: BLE001 - a child must not return
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        if killed < int(kills):
            time.sleep(chance.uniform(0.02, 0.6))
            os.kill(child, signal.SIGKILL)  # one that has ended is still there, as nobody has asked for its status
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            if status:
                sys.exit("an attempt failed")
            print(json.dumps({"killed": killed, "items": json.loads(result.read_text())}))
            return
    sys.exit("too many attempts")


if __name__ == "__main__":
    main(*sys.argv[1:])

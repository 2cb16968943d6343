"""Batches of 2,000 rows that are killed 200 times; the sandbox counts how often each row was started.

One history is one version of the server, with or without a queue in which runs wait. `make soak` has them; the suite
has smaller ones.
"""

from __future__ import annotations

import collections
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from random import Random

PROGRAM: Final = Path(__file__).parents[1] / "e2e" / "batching_program.py"


@dataclass
class KilledBatch:
    """A server, and how a batch is killed."""

    version: Literal["1.11", "1.16"]
    queue_delay: float
    seed: int
    rows: int = 2000
    kills: int = 200
    settle: float = 5.0


@dataclass
class Outcome:
    """What came of it, in the form in which soak.py counts."""

    table: Outcome | None = None
    requests: list[Any] = field(default_factory=list)
    error: None = None


def random_batch(random: Random) -> KilledBatch:
    """A batch on any server."""
    seed = random.getrandbits(31)
    return random.choice([KilledBatch("1.11", 0, seed), KilledBatch("1.16", 0, seed), KilledBatch("1.16", 1.0, seed)])


def check_batch(history: KilledBatch) -> Outcome:
    """Kill and continue a batch, and compare its items with what the sandbox has started."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(rows=0, version=history.version) as sandbox:
        sandbox.traps.queue_delay = history.queue_delay
        journal = Path(folder) / "rows.journal"
        arguments = [sandbox.base_url, sandbox.api_key, journal, history.rows, history.kills, history.seed]
        done = subprocess.run(
            [sys.executable, str(PROGRAM), *map(str, arguments), str(history.settle)],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert not done.returncode, done.stderr
        outcome = json.loads(done.stdout)
        starts = collections.Counter(run.inputs["query"] for run in sandbox.started_runs)
        ids = {run.id: run.inputs["query"] for run in sandbox.started_runs}
        requests = len(sandbox.requests)
    wanted = {f"row {number}" for number in range(history.rows)}
    twice = {query: count for query, count in starts.items() if count > 1}
    assert not twice, f"started more than once: {twice}; {history}"
    assert set(starts) == wanted, f"never started: {wanted - set(starts)}; {history}"
    assert outcome["killed"] >= history.kills * 0.9, f"the batch ended after {outcome['killed']} kills; {history}"
    items = outcome["items"]
    assert sorted(index for index, *_ in items) == list(range(history.rows))
    for index, run_id, status, outputs in items:
        assert ids[run_id] == f"row {index}", f"row {index} has the run of {ids[run_id]}; {history}"
        assert status == ("failed" if index % 10 == 3 else "succeeded"), f"row {index}: {status}; {history}"
        assert status == "failed" or outputs["answer"] == f"row {index}"
    return Outcome(Outcome(requests=[None] * requests))

"""Exports of 25,000 logs, 350 of them in one second, that are killed 50 times, and compared with the truth.

One history is one target, exported three times: by one worker, by four, and by one or four in each attempt. `make soak`
has one of each target.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dify_workflow.testing import Sandbox
from support.killed_batches import Outcome
from support.postgresql_server import postgresql

if TYPE_CHECKING:
    from random import Random

PROGRAM: Final = Path(__file__).parents[1] / "e2e" / "exporting_program.py"


WORKERS: Final = ("1", "4", "1,4")


@dataclass
class KilledExport:
    """A target, and how an export to it is killed."""

    kind: str
    seed: int
    rows: int = 25_000
    kills: int = 50


def random_export(random: Random, kind: str) -> KilledExport:
    """An export to a target of a kind."""
    return KilledExport(kind, random.getrandbits(31))


def check_export(history: KilledExport) -> Outcome:
    """Kill and continue exports, and compare each with the truth."""
    with Sandbox(rows=history.rows, crowd=350) as sandbox:
        with sandbox.client() as client:
            truth = {log.id for log in client.logs.iter(workers=4)}
        for workers in WORKERS:
            check_killed(history, workers, sandbox, truth)
    return Outcome(Outcome())


def check_killed(history: KilledExport, workers: str, sandbox: Sandbox, truth: set[str]) -> None:
    """Kill and continue an export, and compare with the truth."""
    what = f"{history}, workers {workers}"
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        results = stack.enter_context(tempfile.TemporaryDirectory())
        if history.kind == "postgresql":
            target = stack.enter_context(postgresql())
        else:
            target = f"{folder}/logs.parquet/" if history.kind == "folder" else f"{folder}/logs.{history.kind}"
        arguments = [sandbox.base_url, sandbox.api_key, target, workers, history.kills, history.seed]
        done = subprocess.run(
            [sys.executable, str(PROGRAM), *map(str, arguments)],
            capture_output=True,
            encoding="utf-8",
            check=False,
            env={**os.environ, "RESULTS": results},
        )
        assert not done.returncode, f"{done.stderr.splitlines()[-1:]}: {what}"
        outcome = json.loads(done.stdout)
        ids = ids_of(target)
        left = [path.name for path in folder.iterdir() if path.name != Path(target).name]
    assert len(ids) == len(set(ids)), f"{len(ids) - len(set(ids))} twice: {what}"
    assert set(ids) == truth, f"{len(truth - set(ids))} lost, {len(set(ids) - truth)} too many: {what}"
    assert outcome["rows"] == history.rows, f"{outcome}: {what}"
    assert outcome["killed"] == history.kills, f"{outcome}: {what}"
    assert outcome["shown"] in ([], [history.rows]), f"a file was shown that was not whole: {outcome}: {what}"
    assert not left, f"{left} left: {what}"


def ids_of(target: str) -> list[str]:
    """The ids of the logs of a target."""
    query = "SELECT id FROM workflow_logs"
    if target.startswith("postgresql:"):
        import psycopg  # noqa: PLC0415 - loaded when needed

        with psycopg.connect(target) as server:
            return [key for (key,) in server.execute(query)]
    if target.endswith(".sqlite"):
        with contextlib.closing(sqlite3.connect(target)) as database:
            return [key for (key,) in database.execute(query)]
    if target.endswith(".duckdb"):
        import duckdb  # noqa: PLC0415 - loaded when needed

        with duckdb.connect(target) as found:
            return [key for (key,) in found.execute(query).fetchall()]
    if target.endswith((".parquet", "/")):
        import pyarrow.parquet as pq  # noqa: PLC0415 - loaded when needed

        return pq.read_table(target, columns=["id"])["id"].to_pylist()
    with Path(target).open(encoding="utf-8", newline="") as lines:
        return [row["id"] for row in (csv.DictReader(lines) if target.endswith(".csv") else map(json.loads, lines))]

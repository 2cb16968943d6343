"""Exports of 25,000 logs, 350 of them in one second, that are killed 50 times, and compared with the truth.

One history is one target, read by one worker or by four. It takes about a minute; `make soak` has them.
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dify_workflow.testing import Sandbox
from support.postgresql_server import postgresql

if TYPE_CHECKING:
    from random import Random

PROGRAM: Final = Path(__file__).parent / "e2e" / "exporting_program.py"
KINDS: Final = ("jsonl", "csv", "sqlite", "parquet", "folder", "duckdb", "postgresql")


@dataclass
class KilledExport:
    """A target, and how it is read."""

    kind: str
    workers: int
    seed: int
    rows: int = 25_000
    kills: int = 50


@dataclass
class Outcome:
    """What came of it, in the form in which soak.py counts."""

    table: Outcome | None = None
    requests: list[Any] = field(default_factory=list)
    error: None = None


def random_export(random: Random) -> KilledExport:
    """An export to any target."""
    return KilledExport(random.choice(KINDS), random.choice([1, 4]), random.getrandbits(31))


def check_export(history: KilledExport) -> Outcome:
    """Kill and continue an export, and compare with the truth."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        results = stack.enter_context(tempfile.TemporaryDirectory())
        if history.kind == "postgresql":
            target = stack.enter_context(postgresql())
        else:
            target = f"{folder}/logs.parquet/" if history.kind == "folder" else f"{folder}/logs.{history.kind}"
        sandbox = stack.enter_context(Sandbox(rows=history.rows, crowd=350))
        arguments = [sandbox.base_url, sandbox.api_key, target, history.workers, history.kills, history.seed]
        done = subprocess.run(
            [sys.executable, str(PROGRAM), *map(str, arguments)],
            capture_output=True,
            encoding="utf-8",
            check=False,
            env={**os.environ, "RESULTS": results},
        )
        assert not done.returncode, done.stderr
        ids = ids_of(target)
        with sandbox.client() as client:
            truth = {log.id for log in client.logs.iter(workers=4)}
    assert len(ids) == len(set(ids)), f"{len(ids) - len(set(ids))} twice"
    assert set(ids) == truth, f"{len(truth - set(ids))} lost, {len(set(ids) - truth)} too many: {history}"
    outcome = json.loads(done.stdout)
    assert outcome["rows"] == history.rows, f"{outcome}: {history}"
    return Outcome(Outcome())


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

"""`dify-workflow runs batch`: a file of inputs, a file of results, and a journal beside it."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.command_line import run, variables

from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0) as sandbox:
        yield sandbox


def batch(sandbox: Sandbox, *arguments: object, **options: Any) -> Any:
    return run("runs", "batch", *map(str, arguments), **variables(sandbox), **options)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_csv_file_is_run_and_run_again_starts_nothing(sandbox: Sandbox, tmp_path: Path):
    file, results = tmp_path / "in.csv", tmp_path / "out.csv"
    file.write_text('\ufeffquestion,seconds,id\n"a, b",0.2,7\nsecond,,8\n')
    arguments = (file, "-o", results, "--map", "question=query", "--skip-column", "id")
    done = batch(sandbox, *arguments)
    assert done.code == 0, done.err
    assert done.out == ""
    assert "2 rows, 0 failed" in done.err
    [first, second] = table(results)
    ids = [one.id for one in sandbox.started_runs]
    assert (first["question"], first["id"], first["status"], first["outputs.answer"]) == (
        "a, b",
        "7",
        "succeeded",
        "a, b",
    )
    assert {first["run_id"], second["run_id"]} == set(ids)
    assert {one.user.rpartition("/")[0].partition("/")[0] for one in sandbox.started_runs} == {"batch"}
    whole = results.read_bytes()
    results.unlink()
    assert batch(sandbox, *arguments).code == 0
    assert results.read_bytes() == whole
    assert len(sandbox.started_runs) == 2


def test_results_are_in_the_order_of_rows_or_as_runs_end(sandbox: Sandbox, tmp_path: Path):
    rows = [{"query": "slow", "seconds": 0.5}, {"query": "quick"}]
    text = "\n".join(map(json.dumps, rows))
    assert batch(sandbox, "-", "-o", tmp_path / "a.jsonl", "-q", stdin=text) == (0, "", "")
    found = lines_of(tmp_path / "a.jsonl")
    assert [(one["index"], one["inputs"], one["outputs"]["answer"]) for one in found] == [
        *((0, rows[0], "slow"), (1, rows[1], "quick"))
    ]
    assert batch(sandbox, "-", "-o", tmp_path / "b.jsonl", "--as-finished", stdin=text).code == 0
    assert [one["index"] for one in lines_of(tmp_path / "b.jsonl")] == [1, 0]


def test_failed_rows_are_exit_code_3_and_can_be_retried(sandbox: Sandbox, tmp_path: Path):
    file, results = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [{"query": "one"}, {"query": "two", "fail": "quota"}, {"query": 3}]
    file.write_text("\n".join(map(json.dumps, rows)))
    done = batch(sandbox, file, "-o", results)
    assert (done.code, "3 rows, 2 failed" in done.err) == (3, True)
    assert [one["status"] for one in lines_of(results)] == ["succeeded", "failed", "refused"]
    assert batch(sandbox, file, "-o", results).code == 3
    file.write_text("\n".join(map(json.dumps, [rows[0], {"query": "two"}, {"query": "3"}])))
    assert batch(sandbox, file, "-o", results, "--retry", "failed").code == 0
    assert [one["outputs"]["answer"] for one in lines_of(results)] == ["one", "two", "3"]
    assert len(sandbox.started_runs) == 4


def test_columns_of_files_and_json(sandbox: Sandbox, tmp_path: Path):
    (tmp_path / "a.txt").write_text("text")
    file, results = tmp_path / "in.csv", tmp_path / "out.jsonl"
    file.write_text("query,document,documents,seconds\nx,a.txt,a.txt,0.1\n")
    options = ("--file-column", "document", "--file-column", "documents[]", "--json-column", "seconds")
    done = batch(sandbox, file, "-o", results, *options)
    assert done.code == 0, done.err
    [one] = lines_of(results)
    assert one["outputs"]["document"]["filename"] == one["outputs"]["documents"][0]["filename"] == "a.txt"
    assert sandbox.started_runs[0].inputs["seconds"] == 0.1
    assert len(sandbox.uploads) == 1


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("query\nx\n", ["-o", "out.txt"], "does not end in .csv, .jsonl"),
        ("query\nx\n", ["-o", "out.csv", "--as-finished"], "needs a .jsonl file"),
        ("query\nx\n", ["-o", "out.csv", "--map", "a"], "--map takes COLUMN=INPUT"),
        ("query\nx\n", ["-o", "out.csv", "--at-once", "65"], "1<=x<=64"),
        ("qery\nx\n", ["-o", "out.csv"], "did you mean 'query'"),
        ("query,query\nx,y\n", ["-o", "out.csv"], "a name of its own"),
        ("query\nx,y\n", ["-o", "out.csv"], "line 2 has not the 1 cells"),
        ("query,n\nx,{\n", ["-o", "out.csv", "--json-column", "n"], "column 'n' is not valid JSON"),
        ("query\nx\n", ["-o", "there.csv"], "is not a result of a batch"),
        ("[1]\n", ["-o", "out.csv", "--format", "jsonl"], "must have a JSON object"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_starts_nothing(
    sandbox: Sandbox, tmp_path: Path, text: str, arguments: list[str], message: str
):
    (tmp_path / "in.csv").write_text(text)
    (tmp_path / "there.csv").write_text("precious")
    arguments = [str(tmp_path / one) if one.endswith((".csv", ".txt")) else one for one in arguments]
    done = batch(sandbox, tmp_path / "in.csv", *arguments)
    assert (done.code, sandbox.started_runs) == (2, ()), done.err
    assert message in done.err
    assert (tmp_path / "there.csv").read_text() == "precious"


def test_results_in_no_folder_start_nothing(sandbox: Sandbox, tmp_path: Path):
    (tmp_path / "in.csv").write_text("query\nx\n")
    done = batch(sandbox, tmp_path / "in.csv", "-o", str(tmp_path / "no" / "out.csv"))
    assert (done.code, sandbox.started_runs) == (1, ()), done.err
    assert f"{tmp_path / 'no'}: there is no folder of this name" in done.err


def test_after_ctrl_c_the_same_command_continues(sandbox: Sandbox, tmp_path: Path):
    file, results = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    file.write_text("\n".join(json.dumps({"query": f"row {number}", "seconds": 0.3}) for number in range(12)))
    command = [sys.executable, "-m", "dify_workflow", "runs", "batch", str(file), "-o", str(results), "--at-once", "2"]
    process = subprocess.Popen(
        command, env={**os.environ, **variables(sandbox)}, stderr=subprocess.PIPE, encoding="utf-8"
    )
    while len(sandbox.started_runs) < 3:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "the same command continues the batch" in errors
    assert not results.exists()
    assert len(sandbox.started_runs) < 12
    assert batch(sandbox, file, "-o", results).code == 0
    assert [one["status"] for one in lines_of(results)] == ["succeeded"] * 12
    assert len(sandbox.started_runs) == 12

"""Each program of examples/ and the notebook are run on a sandbox, and print what they are for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet
import pytest
from support.documented_code import ROOT, run_notebook, run_program

from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = ROOT / "examples"
RUNS_TO_MAKE = 30
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox(rows=300, version="1.16") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIFY_API_KEY", server.api_key)
    monkeypatch.setenv("DIFY_BASE_URL", server.base_url)
    return server


def run(name: str, *arguments: str) -> list[str]:
    return run_program(EXAMPLES / name, *arguments).splitlines()


def test_the_first_look_prints_logs_and_a_number(sandbox: Sandbox) -> None:
    sandbox.add_log(status="failed", error="boom")
    lines = run("first_look.py")
    assert lines[0] == "main"
    assert any("failed" in line and "boom" in line for line in lines)
    assert re.fullmatch(r"[1-9]\d* failed during the last 24 hours", lines[-1])


def test_the_export_writes_a_parquet_file(sandbox: Sandbox) -> None:
    [*_, last] = run("export_last_week.py")
    with sandbox.client() as client:
        total = client.logs.list(created_at__after="7d").total
    assert last.startswith(f"{total} logs in week.parquet")
    assert pyarrow.parquet.read_table("week.parquet").num_rows == total


def test_the_nightly_update_adds_what_is_new(sandbox: Sandbox) -> None:
    first = run("nightly_update.py")
    sandbox.add_log(status="failed", error="boom")
    second = run("nightly_update.py")
    assert int(first[0].split()[0]) > 200
    assert 1 <= int(second[0].split()[0]) < 30
    assert any(line.startswith("succeeded") for line in second)


def test_the_alert_reports_each_failure_once(sandbox: Sandbox) -> None:
    run("alert_on_failures.py")
    sandbox.add_log(status="failed", error="a new failure")
    [alert] = run("alert_on_failures.py")
    assert alert.startswith("ALERT: run ")
    assert alert.endswith("a new failure")
    assert run("alert_on_failures.py") == []


def test_the_report_is_a_page(sandbox: Sandbox) -> None:
    del sandbox
    lines = run("weekly_report.py")
    assert re.match(r"\d+ logs, \d+ failed runs", lines[0])
    assert "main: last week" in Path("report.html").read_text("utf-8")


def test_many_rows_are_run_once_over_two_starts(sandbox: Sandbox) -> None:
    Path("inputs.csv").write_text("query\n" + "".join(f"question {n}\n" for n in range(RUNS_TO_MAKE)), "utf-8")
    known = len(sandbox.started_runs)
    assert run("run_many.py") == [f"{RUNS_TO_MAKE} succeeded"]
    assert run("run_many.py") == [f"{RUNS_TO_MAKE} succeeded"]
    assert len(sandbox.started_runs) - known == RUNS_TO_MAKE
    rows = [json.loads(line) for line in Path("results.jsonl").read_text("utf-8").splitlines()]
    assert sorted(row["row"] for row in rows) == list(range(RUNS_TO_MAKE))
    assert all(row["outputs"]["answer"] == f"question {row['row']}" for row in rows)


def test_a_long_run_is_read_by_another_process(sandbox: Sandbox) -> None:
    del sandbox
    [run_id] = run("long_run.py", "start", "why?")
    assert run("long_run.py", "wait", run_id)[0].startswith("{'answer': 'why?'")


def test_text_is_printed_as_it_is_made(sandbox: Sandbox) -> None:
    del sandbox
    lines = run("stream_text.py")
    assert lines[:2] == ["The quick brown fox jumps over the lazy dog", "succeeded"]
    assert any("succeeded" in line for line in lines[2:])


def test_a_file_is_sent(sandbox: Sandbox) -> None:
    Path("report.pdf").write_bytes(b"%PDF-1.7\n")
    lines = run("send_file.py", "report.pdf")
    assert lines[0] == "report.pdf: 9 bytes, application/pdf"
    assert sandbox.started_runs[-1].inputs["document"]


def test_a_form_is_approved(sandbox: Sandbox) -> None:
    del sandbox
    lines = run("approve_form.py")
    assert lines[0] == "the run is paused"
    assert "Send this letter?" in "\n".join(lines)
    assert lines[-1].startswith("{'answer': 'hi'")


def test_the_notebook_shows_tables_and_figures(sandbox: Sandbox) -> None:
    del sandbox
    name, page, statuses, errors, (inputs, _), _ = run_notebook(EXAMPLES / "explore_logs.ipynb")
    assert name == "main"
    assert "<table" in page._repr_html_()
    assert statuses[0][0] == "succeeded"
    assert errors[0][0] >= errors[-1][0] >= 1
    assert inputs["query"]


def test_the_notebook_is_stored_without_output() -> None:
    stored = json.loads((EXAMPLES / "explore_logs.ipynb").read_text("utf-8"))
    assert stored["nbformat"] == 4
    assert [cell for cell in stored["cells"] if cell.get("outputs") or cell.get("execution_count")] == []


def test_every_example_is_listed_and_run() -> None:
    listed = set(re.findall(r"^\| `([\w.]+)` \|", (EXAMPLES / "README.md").read_text("utf-8"), re.MULTILINE))
    there = {path.name for path in EXAMPLES.iterdir() if path.suffix in {".py", ".ipynb"}}
    assert listed == there
    tests = Path(__file__).read_text("utf-8")
    assert [name for name in there if f'"{name}"' not in tests] == []

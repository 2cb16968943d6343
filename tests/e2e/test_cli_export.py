"""`dify-workflow logs export`: what it writes, prints, and exits with; `test_export` has the guarantees."""

from __future__ import annotations

import csv
import json
import sqlite3
from typing import TYPE_CHECKING

import pytest
from support.command_line import run, variables

from dify_workflow.cli.logs_export import described
from dify_workflow.export import ExportProgress
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = 130


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=ROWS) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def env(sandbox: Sandbox) -> dict[str, str]:
    return variables(sandbox)


def test_a_file_has_every_log_and_nothing_is_beside_it(env, tmp_path: Path):
    target = tmp_path / "logs.jsonl"
    [result] = run("logs", "export", str(target), **env).objects
    ids = {json.loads(line)["id"] for line in target.read_text().splitlines()}
    assert len(ids) == result["rows"] == ROWS
    assert result["format"] == "jsonl"
    assert not result["was_resumed"]
    assert list(tmp_path.iterdir()) == [target]
    printed = run("logs", "export", str(target), "-o", "table", **env).out
    assert f"{ROWS} logs" in printed
    assert "safe to delete before 20" in printed


def test_a_csv_file_is_what_list_prints(env, tmp_path: Path):
    target = tmp_path / "logs.csv"
    assert run("logs", "export", str(target), **env).code == 0
    printed = run("logs", "list", "--all", "-o", "csv", **env).out
    assert sorted(target.read_text("utf-8").splitlines()) == sorted(printed.splitlines())


def test_filters_details_and_format_are_passed_on(env, tmp_path: Path):
    target = tmp_path / "failed"
    arguments = ("--status", "failed", "--format", "csv", "--details", "4", "--workers", "2", "--excel")
    [result] = run("logs", "export", str(target), *arguments, **env).objects
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["run_status"] for row in rows} == {"failed"}
    assert len(rows) == result["rows"]
    assert "run_inputs" in rows[0]


def test_a_database_is_updated(env, sandbox, tmp_path: Path):
    target = tmp_path / "logs.sqlite"
    with Sandbox(rows=3) as own:
        assert run("logs", "export", str(target), **variables(own)).objects[0]["rows"] == 3
        own.add_log(status="failed")
        [result] = run("logs", "export", str(target), "--update", **variables(own)).objects
        assert result["was_update"]
    database = sqlite3.connect(target)
    assert database.execute("SELECT count(*) FROM workflow_logs").fetchone() == (4,)
    database.close()


def test_several_profiles_get_the_column_app(sandbox, tmp_path: Path):
    home = {"XDG_CONFIG_HOME": str(tmp_path)}
    for name in ("main", "empty"):
        run("config", "set", name, "--base-url", sandbox.base_url, stdin=sandbox.keys[name], **home)
    target = str(tmp_path / "logs.csv")
    assert run("logs", "export", target, "--all-profiles", **home).objects[0]["rows"] == ROWS
    with open(target, encoding="utf-8", newline="") as file:  # noqa: PTH123 - a string
        assert {row["app"] for row in csv.DictReader(file)} == {"main"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["logs.txt"], 2),
        (["logs.csv", "--update"], 2),
        (["logs.jsonl", "--excel"], 2),
        (["logs.csv", "--details", "65"], 2),
        (["logs.csv", "--status", "fail"], 2),
        (["nowhere/logs.csv"], 1),
        ([], 2),
    ],
)
def test_what_cannot_be_exported_has_its_exit_code(env, tmp_path, monkeypatch, arguments, code):
    monkeypatch.chdir(tmp_path)
    ran = run("logs", "export", *arguments, **env)
    assert (ran.code, ran.out) == (code, "")
    assert "Traceback" not in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".csv", ".sqlite", ".parquet", ".parquet/", ".duckdb"])
def test_a_missing_folder_is_named(env, tmp_path, ending):
    folder = tmp_path / "nowhere"
    ran = run("logs", "export", f"{folder / 'logs'}{ending}", **env)
    assert (ran.code, ran.out) == (1, "")
    assert f"dify-workflow: {folder}: there is no folder of this name" in ran.err


@pytest.mark.parametrize("ending", ["sqlite", "duckdb"])
def test_a_file_of_another_kind_is_exit_code_1(env, tmp_path, ending):
    target = tmp_path / f"logs.{ending}"
    target.write_text("this is no database, and longer than the head of one would be " * 10)
    before = target.read_text()
    ran = run("logs", "export", str(target), "-o", "json", **env)
    assert (ran.code, ran.out, ran.error["code"]) == (1, "", "database")
    assert str(target) in ran.error["message"]
    assert target.read_text() == before


@pytest.mark.parametrize("password", ["s3cret-pass", "s3cret%2Dpass"])
def test_the_password_of_a_database_is_not_printed(env, password):
    for address in (f"postgresql://u:{password}@127.0.0.1:9/db", f"postgresql://u:{password}@h:x/db%zz"):
        ran = run("logs", "export", address, **env)
        assert (ran.code, ran.out) == (1, "")
        assert "s3cret" not in ran.err
        assert "Traceback" not in ran.err


def test_a_refused_key_leaves_what_was_there(env, tmp_path):
    target = tmp_path / "logs.jsonl"
    target.write_text("before")
    ran = run("logs", "export", str(target), **(env | {"DIFY_API_KEY": "app-unknown"}))
    assert (ran.code, ran.out) == (4, "")
    assert target.read_text() == "before"


def test_progress_has_rows_speed_and_remaining_time():
    progress = ExportProgress(rows=25_000, total=100_000, rows_per_second=1_250.4, remaining=60.2, app="prod")
    assert described(progress) == "prod: 25,000 of 100,000 logs, 1,250/s, 1:00 left"
    progress = ExportProgress(rows=25, total=None, rows_per_second=0.0, remaining=None, app=None)
    assert described(progress) == "25 logs, 0/s"

"""`dify-workflow logs stats`: the figures of `dify_workflow.stats` in every format."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import psycopg
import pytest
from support.command_line import run, variables

from dify_workflow import stats
from dify_workflow.export import export
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=150) as sandbox:
        sandbox.add_log(status="failed", error="\x1b[31mred", session_id='q"uote\\')
        yield sandbox


@pytest.fixture(scope="module")
def env(sandbox: Sandbox) -> dict[str, str]:
    return variables(sandbox)


@pytest.fixture(scope="module")
def expected(sandbox: Sandbox) -> stats.Stats:
    with sandbox.client() as client:
        return stats.collect(client.logs.iter(), tz="Asia/Tokyo", price_per_1k=0.5)


def test_a_pipe_gets_all_figures_as_json(env, expected):
    result = run("logs", "stats", "--tz", "Asia/Tokyo", "--price-per-1k", "0.5", **env)
    found, figures = json.loads(result.out), json.loads(json.dumps(expected.to_dict()))
    for name in ("unfinished", "oldest_unfinished"):  # depend on the moment of reading
        assert type(found.pop(name)) is type(figures.pop(name))
    assert found == figures


@pytest.mark.parametrize("by", ["day", "user", "error", "version", "status", "trigger"])
def test_csv_and_json_have_a_row_for_each_group(by: str, env, expected):
    arguments = ("logs", "stats", "--tz", "Asia/Tokyo", "--by", by)
    objects = json.loads(run(*arguments, "-o", "json", **env).out)
    rows = list(csv.DictReader(io.StringIO(run(*arguments, "-o", "csv", **env).out)))
    assert [{name: "" if value is None else str(value) for name, value in one.items()} for one in objects] == rows
    runs = expected.statuses.failed if by == "error" else expected.statuses.runs
    assert sum(one["runs"] for one in objects) == runs + (expected.deleted if by == "status" else 0)


def test_filters_choose_the_logs(env, expected):
    found = json.loads(run("logs", "stats", "--status", "failed", "--tz", "Asia/Tokyo", **env).out)
    assert found["statuses"]["by_status"] == {"failed": expected.statuses.failed}


@pytest.mark.parametrize("width", [60, 100, 160])
def test_tables_fit_the_terminal_and_cut_no_digit(width: int, env, expected):
    out = run("logs", "stats", "-o", "table", "--tz", "Asia/Tokyo", COLUMNS=str(width), **env).out
    lines = out.splitlines()
    tables = lines[lines.index("") :]
    assert max(map(len, tables)) <= width
    assert "\x1b" not in out
    largest = max(expected.days, key=lambda day: day.logs)
    assert f"{largest.date}  {largest.logs:>4}" in out
    assert "█" in out


def test_prometheus_reads_each_line(env, expected):
    out = run("logs", "stats", "-o", "prometheus", "--by", "user", "--tz", "Asia/Tokyo", **env).out
    lines = out.splitlines()
    assert f"dify_workflow_logs {expected.logs}" in lines
    assert f'dify_workflow_runs{{status="failed"}} {expected.statuses.failed}' in lines
    assert 'dify_workflow_user_runs{user="q\\"uote\\\\"} 1' in lines
    samples = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    assert all(name.startswith("dify_workflow_") and float(value) >= 0 for name, _, value in samples)
    assert len({name for name, _, _ in samples}) == len(samples)


def test_a_wrong_zone_is_a_usage_error_without_output(env, sandbox):
    before = len(sandbox.requests)
    result = run("logs", "stats", "--tz", "Nowhere", **env)
    assert (result.code, result.out) == (2, "")
    assert "no time zone 'Nowhere'" in result.err
    assert len(sandbox.requests) == before


def test_a_report_is_written_with_the_app_and_its_server(env, sandbox, tmp_path):
    target = tmp_path / "report.html"
    result = run("logs", "report", "--status", "failed", "-o", str(target), "--tz", "UTC", **env)
    assert (result.code, result.out) == (0, "")
    page = target.read_text("utf-8")
    assert f"From {sandbox.base_url}, Dify 1.11.2." in page
    assert "<code>status=failed</code>" in page
    assert env["DIFY_API_KEY"] not in page


def test_a_report_into_no_folder_is_refused_before_reading(env, sandbox, tmp_path):
    before = len(sandbox.requests)
    assert run("logs", "report", "-o", str(tmp_path / "nowhere" / "report.html"), **env).code == 2
    assert len(sandbox.requests) == before


@pytest.mark.parametrize("ending", ["jsonl", "sqlite", "parquet", "duckdb", "parquet/", "postgresql"])
def test_an_export_gives_the_figures_of_its_server(ending, env, sandbox, expected, tmp_path, request):
    target = f"{tmp_path}/logs.{ending}"
    if ending == "postgresql":
        target = request.getfixturevalue("postgresql_address")
    with sandbox.client() as client:
        export(client, target)
    before = len(sandbox.requests)
    found = json.loads(run("logs", "stats", "--from", target, "--tz", "Asia/Tokyo", "--price-per-1k", "0.5").out)
    figures = json.loads(json.dumps(expected.to_dict()))
    for name in ("unfinished", "oldest_unfinished"):  # depend on the moment of reading
        del found[name], figures[name]
    assert found == figures
    assert len(sandbox.requests) == before
    page = tmp_path / "report.html"
    assert run("logs", "report", "--from", target, "-o", str(page)).code == 0
    assert f"From {target}." in page.read_text("utf-8")


def test_what_is_no_finished_export_is_refused(tmp_path, env):
    for name, content in (
        ("a.jsonl", "{broken"),
        ("a.sqlite", "no database, but some text"),
        ("a.duckdb", "no database, but some text"),
        ("a.parquet", "no table"),
        ("a.csv", "id"),
    ):
        (tmp_path / name).write_text(content)
        result = run("logs", "stats", "--from", str(tmp_path / name))
        assert (result.code, result.out) == (2, "")
        assert name in result.err
    (tmp_path / "folder.parquet").mkdir()
    result = run("logs", "stats", "--from", f"{tmp_path / 'folder.parquet'}/")
    assert (result.code, "is not an export" in result.err) == (2, True)
    result = run("logs", "stats", "--from", str(tmp_path / "none.jsonl"))
    assert (result.code, "there is no file" in result.err) == (2, True)
    result = run("logs", "stats", "--from", str(tmp_path / "a.jsonl"), "--status", "failed")
    assert (result.code, "takes no filter (status)" in result.err) == (2, True)


def test_a_database_without_an_export_is_refused(postgresql_address: str, env):
    result = run("logs", "stats", "--from", postgresql_address)
    assert (result.code, result.out, "is not an export" in result.err) == (2, "", True)
    with psycopg.connect(postgresql_address, autocommit=True) as database:
        database.execute("CREATE TABLE _dify_workflow_export (finished boolean)")
        database.execute("INSERT INTO _dify_workflow_export VALUES (false)")
    result = run("logs", "stats", "--from", postgresql_address)
    assert (result.code, result.out, "is not finished" in result.err) == (2, "", True)


def test_a_password_of_a_database_is_in_no_error(env):
    for address in ("postgresql://me:hidden-word@127.0.0.1:9/x", "postgresql://127.0.0.1:9/x?password=hidden-word"):
        result = run("logs", "stats", "--from", address)
        assert (result.code, result.out) == (1, "")
        assert "hidden-word" not in result.err

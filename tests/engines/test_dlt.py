"""The source of dlt: after each load the destination has exactly the server's logs, whatever was killed before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt
import duckdb
import psycopg
import pytest
from support.loading_program import pipeline_of
from support.postgresql_server import postgresql

from dify_workflow import ConfigurationError
from dify_workflow.dlt import source
from dify_workflow.records import COLUMNS, DETAIL_COLUMNS
from dify_workflow.testing import Sandbox, new_log

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).parents[1] / "support" / "loading_program.py"
KEY = "app-key-that-dlt-never-stores"
NAMES = ", ".join(f'"{column.name}"' for column in COLUMNS)


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "home"))
    monkeypatch.setenv("DIFY_API_KEY", KEY)
    monkeypatch.delenv("DIFY_BASE_URL", raising=False)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=1000, crowd=150, days=3, api_key=KEY) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as address:
        yield address.replace("tests@", "tests:none@")


@pytest.fixture(params=["duckdb", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "duckdb":
        return str(tmp_path / "file.duckdb")
    address: str = request.getfixturevalue("server")
    return emptied(address)


def emptied(address: str) -> str:
    """The address of PostgreSQL, without what earlier tests loaded."""
    with psycopg.connect(address, autocommit=True) as database:
        database.execute("DROP SCHEMA IF EXISTS runs CASCADE")
        database.execute("DROP SCHEMA IF EXISTS runs_staging CASCADE")
    return address


def rows_of(target: str, columns: str = NAMES) -> list[tuple[Any, ...]]:
    """The rows of the destination, sorted by the first column."""
    query = f"SELECT {columns} FROM runs.workflow_logs ORDER BY 1"  # noqa: S608 - columns of ours
    if target.startswith("postgresql:"):
        with psycopg.connect(target) as database:
            return database.execute(query).fetchall()
    with duckdb.connect(target) as database:
        return database.execute(query).fetchall()


def truth_of(sandbox: Sandbox, target: str = "", **options: Any) -> list[tuple[Any, ...]]:
    """The rows that the destination must have; dlt loads PostgreSQL from CSV, where empty strings become NULL."""
    has_csv = target.startswith("postgresql:")
    with sandbox.client() as client:
        rows = client.logs.iter(**options).to_arrow().read_all().to_pylist()
    return sorted(tuple(None if has_csv and value == "" else value for value in row.values()) for row in rows)


def change(sandbox: Sandbox) -> None:
    """Let time pass: logs arrive, one of them late, and runs end."""
    with sandbox.client() as client:
        newest = client.logs.list(limit=1).data[0].created_at
        unfinished = list(client.logs.iter(status="running", created_at__after="20h"))[:5]
    assert unfinished
    for log in unfinished:
        sandbox.update_run(log.workflow_run.id, status="succeeded", finished_at=log.created_at + 60)
    for later in (-20, 1, 1, 5):
        sandbox.add_log(created_at=newest + later, status="running" if later == 5 else "failed")


def test_25000_logs_are_loaded_once_and_then_changes(tmp_path: Path) -> None:
    target = str(tmp_path / "file.duckdb")
    with Sandbox(rows=25_000, crowd=350, days=60, api_key=KEY) as sandbox:
        pipeline_of("p", target).run(source(base_url=sandbox.base_url))
        assert rows_of(target) == truth_of(sandbox, workers=2)
        change(sandbox)
        sandbox.clear_requests()
        pipeline = pipeline_of("p", target)
        pipeline.run(source(base_url=sandbox.base_url))
        assert pipeline.last_trace.last_normalize_info.row_counts["workflow_logs"] == 9
        assert len(sandbox.requests) < 125  # half as many as the first load has
        assert rows_of(target) == truth_of(sandbox, workers=2)


def test_each_load_has_what_is_new_or_has_ended(sandbox: Sandbox, target: str) -> None:
    for _ in range(3):
        pipeline_of("p", target).run(source(base_url=sandbox.base_url))
        assert rows_of(target) == truth_of(sandbox, target)
        change(sandbox)


def test_postgresql_has_empty_strings_from_insert_values(sandbox: Sandbox, server: str) -> None:
    pipeline = pipeline_of("p", emptied(server))
    pipeline.run(source(base_url=sandbox.base_url), loader_file_format="insert_values")
    assert rows_of(server) == truth_of(sandbox)
    assert "" in {value for row in rows_of(server) for value in row}


@pytest.mark.parametrize(
    ("step", "is_lost"), [("extract", False), ("normalize", True), ("load", True)], ids=["kept", "lost", "loaded"]
)
def test_a_run_killed_after_a_step_is_made_up_for(sandbox: Sandbox, target: str, step: str, is_lost: bool) -> None:
    pipeline_of("p", target).run(source(base_url=sandbox.base_url))
    change(sandbox)
    command = [sys.executable, str(PROGRAM), "p", target, sandbox.base_url, step]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    change(sandbox)
    pipeline = pipeline_of("lost" if is_lost else "p", target)  # a job may begin on another machine
    if pipeline.has_pending_data:
        assert not is_lost
        pipeline.run()
    pipeline.run(source(base_url=sandbox.base_url))
    assert rows_of(target) == truth_of(sandbox, target)


def test_a_first_load_killed_while_it_reads_is_begun_again(sandbox: Sandbox, target: str) -> None:
    children: list[subprocess.Popen[bytes]] = []

    def kill(_request: object) -> None:
        if len(sandbox.requests) > 8:
            children[0].kill()

    sandbox.traps.before_request = kill
    with subprocess.Popen([sys.executable, str(PROGRAM), "p", target, sandbox.base_url, "load"]) as child:
        children.append(child)
    sandbox.traps.before_request = None
    assert child.returncode == -signal.SIGKILL
    change(sandbox)
    pipeline = pipeline_of("p", target)
    assert not pipeline.has_pending_data
    pipeline.run(source(base_url=sandbox.base_url))
    assert rows_of(target) == truth_of(sandbox, target)


def test_several_apps_have_a_column_and_their_own_state(
    target: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "dify-workflow").mkdir()
    config = tmp_path / "dify-workflow" / "config.toml"
    config.touch(mode=0o600)
    with Sandbox(rows=0) as sandbox:
        for app in ("shop", "support"):
            key = sandbox.add_app(app)
            sandbox.add_logs([new_log(created_at=1_795_900_000 + number) for number in range(3)], app=app)
            with config.open("a") as file:
                file.write(f"[profiles.{app}]\nbase_url = '{sandbox.base_url}'\napi_key = '{key}'\n")
        for number in range(2):
            pipeline_of("p", target).run(source(apps=["shop", "support"]))
            rows = rows_of(target, "app, id")
            expected = []
            for app in ("shop", "support"):
                with sandbox.client(app=app) as client:
                    expected += [(app, log.id) for log in client.logs.iter()]
            assert sorted(rows) == sorted(expected)
            assert len(rows) == 6 + number
            sandbox.add_log(created_at=1_795_900_010, app="support")


def test_details_have_inputs_and_outputs(target: str) -> None:
    names = NAMES + "".join(f', "{column.name}"' for column in DETAIL_COLUMNS)
    with Sandbox(rows=0, api_key=KEY) as sandbox:
        for number in range(5):
            sandbox.add_log(created_at=1_795_900_000 + number, inputs={"query": "é"}, outputs={"answer": number})
            if number in (2, 4):
                pipeline_of("p", target).run(source(base_url=sandbox.base_url, details=2))
                assert rows_of(target, names) == truth_of(sandbox, target, details=1)


def test_filters_hold_for_first_and_later_loads(sandbox: Sandbox, tmp_path: Path) -> None:
    target = str(tmp_path / "file.duckdb")
    filters = {"status": "failed", "created_at__after": "2d"}
    with sandbox.client() as client:
        expected = {log.id for log in client.logs.iter(**filters)}
    pipeline_of("p", target).run(source(base_url=sandbox.base_url, **filters))
    assert {key for (key,) in rows_of(target, "id")} == expected
    with sandbox.client() as client:
        newest = client.logs.list(limit=1).data[0].created_at
    expected.add(sandbox.add_log(created_at=newest + 1, status="failed").id)
    sandbox.add_log(created_at=newest + 1, status="succeeded")
    pipeline_of("p", target).run(source(base_url=sandbox.base_url, **filters))
    assert {key for (key,) in rows_of(target, "id")} == expected


def test_the_key_may_be_in_the_secrets_of_dlt(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DIFY_API_KEY")
    monkeypatch.setenv("SOURCES__DIFY_WORKFLOW__API_KEY", KEY)
    monkeypatch.setenv("SOURCES__DIFY_WORKFLOW__BASE_URL", sandbox.base_url)
    pipeline_of("p", str(tmp_path / "file.duckdb")).run(source(created_at__after="1d"))
    assert rows_of(str(tmp_path / "file.duckdb"))


def test_the_key_is_in_no_file_log_or_destination(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "DEBUG")
    pipeline = pipeline_of("p", str(tmp_path / "file.duckdb"))
    pipeline.run(source(api_key=KEY, base_url=sandbox.base_url, created_at__after="1d"))
    print(pipeline.last_trace, repr(source(api_key=KEY)))
    written = capfd.readouterr()
    assert "dify" in written.out + written.err
    assert KEY not in written.out + written.err
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"status": "faild"}, ValueError, "failed"),
        ({"workers": 0}, ValueError, "workers"),
        ({"details": 65}, ValueError, "details"),
        ({"give_up_after": -1}, ValueError, "give_up_after"),
        ({"apps": []}, ConfigurationError, "apps must be"),
        ({"apps": "shop"}, ConfigurationError, "apps must be"),
        ({"apps": {"shop": "app-x"}}, ConfigurationError, "DifyWorkflow for 'shop'"),
        ({"apps": ["shop"], "api_key": "app-x"}, ConfigurationError, "has its own"),
        ({"apps": ["missing"]}, ValueError, "no profile 'missing'"),
    ],
)
def test_arguments_are_refused_before_a_request(
    options: dict[str, Any],
    error: type[Exception],
    text: str,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("DIFY_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(error, match=text):
        source(**options)
    assert not sandbox.requests


def test_a_missing_key_says_where_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIFY_API_KEY")
    with pytest.raises(ConfigurationError, match="DIFY_API_KEY"):
        source()
    assert dlt.secrets.get("sources.dify_workflow.api_key") is None
    assert os.environ.get("SOURCES__DIFY_WORKFLOW__API_KEY") is None

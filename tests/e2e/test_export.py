"""Exports: each target has exactly the server's logs, whatever interrupts it."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import traceback
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import httpx
import psycopg
import pyarrow.parquet as pq
import pytest
from support.log_histories import NOW

from dify_workflow import APIConnectionError, DifyWorkflow
from dify_workflow.export import ExportProgress, TargetLockedError, export
from dify_workflow.export._targets import without_password
from dify_workflow.records import COLUMNS, DETAIL_COLUMNS, unflatten
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FILES = ("jsonl", "csv", "parquet")
DATABASES = ("sqlite", "duckdb", "postgresql")
UPDATABLE = (*DATABASES, "folder")
TARGETS = (*FILES, *UPDATABLE)
PROGRAM = Path(__file__).with_name("exporting_program.py")
JSON = "application/json"
NAMES = [column.name for column in COLUMNS]


@pytest.fixture(scope="module")
def many() -> Iterator[Sandbox]:
    with Sandbox(rows=3000, crowd=350, days=2) as sandbox:
        yield sandbox


@pytest.fixture
def few() -> Iterator[Sandbox]:
    with Sandbox(rows=0) as sandbox:
        for number in range(5):
            sandbox.add_log(created_at=NOW + number, status="failed", error="a\0b" if number == 3 else "=cmd")
        yield sandbox


@pytest.fixture
def target_of(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """What gives a new target of each kind."""

    def target(kind: str) -> str:
        if kind == "folder":
            return f"{tmp_path / 'logs.parquet'}/"
        if kind != "postgresql":
            return str(tmp_path / f"logs.{kind}")
        address: str = request.getfixturevalue("postgresql_address")
        return address

    return target


def rows_of(target: str) -> list[dict[str, Any]]:
    """The rows of a target, by the names of their columns."""
    if target.startswith("postgresql:"):
        with psycopg.connect(target) as database:
            return named(database.execute("SELECT * FROM workflow_logs"))
    if target.endswith(".sqlite"):
        with contextlib.closing(sqlite3.connect(target)) as database:
            return named(database.execute("SELECT * FROM workflow_logs"))
    if target.endswith(".duckdb"):
        with duckdb.connect(target) as database:
            return named(database.execute("SELECT * FROM workflow_logs"))
    if target.endswith((".parquet", "/")):
        rows = pq.read_table(target).to_pylist()
        if target.endswith("/"):  # with the column of the folders' names
            assert all(row.pop("created_date") == f"{row['created_at']:%Y-%m-%d}" for row in rows)
        return rows
    if target.endswith(".csv"):
        with Path(target).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    with Path(target).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def named(cursor: Any) -> list[dict[str, Any]]:
    return [dict(zip((column[0] for column in cursor.description), row, strict=True)) for row in cursor.fetchall()]


def values_of(target: str) -> dict[str, Any]:
    """What each log of a target was on the server, by id; not for CSV, which has texts alone."""
    rows = rows_of(target)
    found = {row["id"]: row if target.endswith(".jsonl") else unflatten(row) for row in rows}
    assert len(found) == len(rows), "twice"
    return found


def truth_of(sandbox: Sandbox) -> dict[str, Any]:
    with sandbox.client() as client:
        return {log.id: log.to_dict() for log in client.logs.iter()}


def left_beside(target: str) -> list[str]:
    return [path.name for path in Path(target).parent.iterdir() if path.name != Path(target).name]


# What is there ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TARGETS)
def test_a_target_has_each_log_as_it_was(kind: str, few: Sandbox, target_of: Callable[[str], str]):
    target = target_of(kind)
    seen: list[ExportProgress] = []
    with few.client() as client:
        result = export(client, target, progress=seen.append)
    format_name = "parquet" if kind == "folder" else kind
    assert (result.rows, result.format, result.was_resumed, result.was_update) == (5, format_name, False, False)
    assert result.complete_until == datetime.fromtimestamp(NOW + 4, UTC) - timedelta(seconds=30)
    assert seen[-1].rows == 5
    if kind == "csv":
        assert [row["id"] for row in rows_of(target)] == list(truth_of(few))
        assert set(rows_of(target)[0]) == set(NAMES)
    else:
        assert values_of(target) == truth_of(few)
    if kind != "postgresql":
        assert left_beside(target) == []


@pytest.mark.parametrize("kind", TARGETS)
def test_no_logs_are_a_whole_target_too(kind: str, target_of: Callable[[str], str]):
    target = target_of(kind)
    with Sandbox(rows=0) as sandbox, sandbox.client() as client:
        result = export(client, target)
    assert (result.rows, result.complete_until) == (0, None)
    assert rows_of(target) == []


@pytest.mark.parametrize("kind", TARGETS)
def test_killed_exports_are_continued_and_exact(
    kind: str, many: Sandbox, target_of: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
):
    target = target_of(kind)
    workers = {"jsonl": "1,4", "sqlite": "1,4", "csv": "4", "duckdb": "4"}.get(kind, "1")
    command = [sys.executable, str(PROGRAM), many.base_url, many.api_key, target, workers, "5", "7", "250"]
    environment = {**os.environ, "RESULTS": str(tmp_path_factory.mktemp("results"))}
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=environment)
    outcome = json.loads(done.stdout)
    assert outcome["killed"] >= 3
    assert outcome["rows"] == 3000
    ids = [row["id"] for row in rows_of(target)]
    assert len(ids) == len(set(ids)) == 3000
    assert set(ids) == set(truth_ids(many))
    if kind != "postgresql":
        assert left_beside(target) == []


_ids: dict[int, list[str]] = {}


def truth_ids(sandbox: Sandbox) -> list[str]:
    if id(sandbox) not in _ids:
        _ids[id(sandbox)] = list(truth_of(sandbox))
    return _ids[id(sandbox)]


@pytest.mark.parametrize("kind", TARGETS)
def test_a_finished_export_is_read_again_as_a_whole(kind: str, few: Sandbox, target_of: Callable[[str], str]):
    target = target_of(kind)
    with few.client() as client:
        export(client, target)
        few.add_log(created_at=NOW + 9)
        result = export(client, target)
    assert (result.rows, result.was_resumed) == (6, False)
    assert {row["id"] for row in rows_of(target)} == set(truth_of(few))


@pytest.mark.parametrize("kind", TARGETS)
def test_several_apps_have_a_column_and_one_target(kind: str, few: Sandbox, target_of: Callable[[str], str]):
    target = target_of(kind)
    with few.client() as client:
        result = export({"one": client, "two": client}, target)
        rows = rows_of(target)
        assert next(iter(rows[0])) == "app"
        assert sorted((row["app"], row["id"]) for row in rows) == sorted(
            (app, key) for app in ("one", "two") for key in truth_of(few)
        )
        assert result.rows == 10
        if kind in UPDATABLE:
            with pytest.raises(ValueError, match="apps"):
                export(client, target)
            assert export([("two", client)], target, restart=True).rows == 5


@pytest.mark.parametrize("kind", TARGETS)
def test_details_have_inputs_and_outputs(kind: str, few: Sandbox, target_of: Callable[[str], str]):
    target = target_of(kind)
    with few.client() as client:
        export(client, target, details=2)
    row = rows_of(target)[0]
    if kind == "jsonl":
        assert row["run_detail"]["inputs"].startswith("{")
    else:
        assert list(row)[-3:] == [column.name for column in DETAIL_COLUMNS]
        assert isinstance(row["run_inputs"], dict) or row["run_inputs"].startswith("{")


# Updates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", UPDATABLE)
def test_an_update_adds_what_is_new_and_what_has_ended(kind: str, few: Sandbox, target_of: Callable[[str], str]):
    target = target_of(kind)
    running = few.add_log(created_at=NOW + 10, status="running")
    with few.client() as client:
        first = export(client, target, update=True)
        assert (first.rows, first.was_update, first.unfinished) == (6, False, 1)
        few.update_run(running.run.id, status="succeeded", finished_at=NOW + 60)
        few.add_log(created_at=NOW + 5000)
        second = export(client, target, update=True)
        assert (second.rows, second.was_update, second.unfinished) == (2, True, 0)
        assert second.complete_until == datetime.fromtimestamp(NOW + 5000, UTC) - timedelta(seconds=30)
        assert export(client, target, update=True).rows == 0
    assert values_of(target) == truth_of(few)


@pytest.mark.parametrize("kind", FILES)
def test_files_cannot_be_updated(kind: str, few: Sandbox, target_of: Callable[[str], str]):
    with few.client() as client, pytest.raises(ValueError, match="update is not possible"):
        export(client, target_of(kind), update=True)
    assert left_beside(target_of(kind)) == []


@pytest.mark.parametrize("kind", DATABASES)
def test_a_table_from_before_gets_new_columns(kind: str, few: Sandbox, target_of: Callable[[str], str]):
    target = target_of(kind)
    with few.client() as client:
        export(client, target)
        drop = "ALTER TABLE workflow_logs DROP COLUMN run_exceptions_count"
        if kind == "postgresql":
            with psycopg.connect(target) as database:
                database.execute(drop)
        elif kind == "sqlite":
            with contextlib.closing(sqlite3.connect(target)) as database:
                database.execute(drop)
        else:
            with duckdb.connect(target) as database:
                database.execute("ALTER TABLE workflow_logs RENAME COLUMN run_exceptions_count TO other")
        export(client, target, details=1)
    assert values_of(target) == truth_of(few)


# What is refused, and what fails ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"target": "logs.txt"}, "target must end in"),
        ({"target": "logs.txt", "format": "xml"}, "format must be one of"),
        ({"target": "logs.csv", "format": "postgresql"}, "is none of the target"),
        ({"target": "logs.jsonl", "excel": True}, "excel is for CSV"),
        ({"target": "logs.csv", "workers": 0}, "workers must be"),
        ({"target": "logs.csv", "details": 99}, "details must be"),
        ({"target": "logs.csv", "status": "sucess"}, "status must be"),
        ({"target": "logs.sqlite", "update": True, "created_at__before": "1d"}, "without created_at__before"),
        ({"target": "logs.csv", "client": {}}, "at least one app"),
        ({"target": "logs.csv", "client": [("a", None)]}, "must have a DifyWorkflow"),
        ({"target": "logs.csv", "client": 5}, "must be a DifyWorkflow"),
    ],
)
def test_wrong_arguments_are_refused_and_nothing_is_written(options: dict[str, Any], said: str, tmp_path: Path):
    with DifyWorkflow(api_key="app-x", base_url="http://127.0.0.1:9/v1") as client:
        arguments = {"client": client} | options | {"target": str(tmp_path / options["target"])}
        with pytest.raises(ValueError, match=said):
            export(**arguments)
        with pytest.raises(TypeError, match="unexpected keyword argument 'page'"):
            export(client, str(tmp_path / "a.csv"), page=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["jsonl", "sqlite"])
def test_other_filters_do_not_continue_an_export(kind: str, many: Sandbox, target_of: Callable[[str], str]):
    target = target_of(kind)
    seen: list[ExportProgress] = []

    def interrupt(progress: ExportProgress) -> None:
        seen.append(progress)
        if progress.rows > 1000:
            raise KeyboardInterrupt

    with many.client() as client:
        with pytest.raises(KeyboardInterrupt):
            export(client, target, progress=interrupt)
        assert (seen[-1].total, seen[-1].app) == (3000, None)
        assert seen[-1].rows_per_second > 0
        assert seen[-1].remaining is not None
        with pytest.raises(ValueError, match=r"filters.*restart=True"):
            export(client, target, status="stopped")
        result = export(client, target, status="stopped", restart=True)
        assert (result.rows, result.was_resumed) == (client.logs.list(status="stopped").total, False)
    assert len(rows_of(target)) == result.rows


@pytest.mark.parametrize("kind", DATABASES)
def test_a_table_of_somebody_else_is_left_alone(kind: str, few: Sandbox, target_of: Callable[[str], str]):
    target = target_of(kind)
    make = "CREATE TABLE workflow_logs (id text)"
    if kind == "postgresql":
        with psycopg.connect(target) as database:
            database.execute(make)
    else:
        connect: Any = sqlite3.connect if kind == "sqlite" else duckdb.connect
        with contextlib.closing(connect(target)) as database:
            database.execute(make)
    with few.client() as client:
        for restart in (False, True):
            with pytest.raises(ValueError, match="no export has made"):
                export(client, target, restart=restart)
    assert rows_of(target) == []


@pytest.mark.parametrize("kind", TARGETS)
def test_a_second_process_is_refused(kind: str, few: Sandbox, target_of: Callable[[str], str]):
    target = target_of(kind)
    refused: list[Exception] = []

    def second(progress: ExportProgress) -> None:
        with few.client() as other, pytest.raises(TargetLockedError) as caught:
            export(other, target)
        refused.append(caught.value)

    with few.client() as client:
        export(client, target, progress=second)
    assert refused
    assert "another process" in str(refused[0])
    assert values_of(target) == truth_of(few) if kind != "csv" else True


@pytest.mark.parametrize("kind", ["jsonl", "csv", "sqlite", "parquet"])
def test_a_full_disk_leaves_the_target_and_what_was_read(kind: str, many: Sandbox, tmp_path: Path):
    target = tmp_path / f"logs.{kind}"
    target.write_bytes(b"" if kind == "sqlite" else b"from before")
    assert in_child(lambda: (limit_files(), run_export(many, str(target)))) != 0
    assert kind == "sqlite" or target.read_bytes() == b"from before"
    with many.client() as client:
        result = export(client, str(target))
    assert result.rows == 3000
    assert {row["id"] for row in rows_of(str(target))} == set(truth_ids(many))
    assert left_beside(str(target)) == []


@pytest.mark.parametrize("kind", [kind for kind in TARGETS if kind != "postgresql"])
def test_space_that_is_made_on_a_full_disk_is_enough(kind: str, many: Sandbox, tmp_path: Path):
    program = Path(__file__).with_name("full_disk_program.py")
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    arguments = [many.base_url, many.api_key, kind, str(tmp_path)]
    paths = os.pathsep.join([str(program.parent.parent), *sys.path])
    done = subprocess.run(
        [*unshare, sys.executable, str(program), *arguments],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )
    if done.returncode and not os.environ.get("CI") and "unshare" in done.stderr:
        pytest.skip(f"there are no file systems of a test's own here: {done.stderr}")
    assert not done.returncode, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["is_full"], outcome["said"]
    assert outcome["is_unchanged"]
    assert outcome["rows"] == 3000
    assert sorted(outcome["ids"]) == sorted(truth_ids(many))
    assert outcome["left"] == ["logs.parquet" if kind == "folder" else f"logs.{kind}"]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "sqlite", "parquet", "duckdb"])
def test_a_folder_without_permission_is_left_as_it_was(kind: str, few: Sandbox, tmp_path: Path):
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o755)

    def attempt() -> None:
        if os.getuid() == 0:
            os.seteuid(65534)
        else:
            folder.chmod(0o555)
        try:
            run_export(few, str(folder / f"logs.{kind}"))
        except OSError:
            os._exit(7)

    assert in_child(attempt) == 7
    assert list(folder.iterdir()) == []


def limit_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))


def run_export(sandbox: Sandbox, target: str) -> None:
    with DifyWorkflow(api_key=sandbox.api_key, base_url=sandbox.base_url) as client:
        export(client, target)


def in_child(action: Callable[[], object]) -> int:
    """The exit status of a forked process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12: the sandbox has threads, the child none
        child = os.fork()
    if not child:
        try:
            action()
        except BaseException:  # noqa: BLE001 - a child must not return
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("kind", ["jsonl", "duckdb"])
def test_an_outage_keeps_what_was_read(kind: str, few: Sandbox, tmp_path: Path):
    target = str(tmp_path / f"logs.{kind}")
    with DifyWorkflow(api_key="app-secret", base_url="http://127.0.0.1:9/v1", max_retries=0) as client:
        with pytest.raises(APIConnectionError) as caught:
            export(client, target)
        assert "app-secret" not in "".join(traceback.format_exception(caught.value))
    assert not Path(target).exists() or kind == "duckdb"
    with (
        few.client() as client,
        pytest.raises(ValueError, match="base_urls") if kind == "jsonl" else contextlib.nullcontext(),
    ):
        export(client, target)
    for path in tmp_path.iterdir():
        assert b"app-secret" not in path.read_bytes()


def test_csv_for_excel_has_a_mark_and_no_formulas(few: Sandbox, tmp_path: Path):
    target = tmp_path / "logs.csv"
    with few.client() as client:
        export(client, str(target), excel=True)
    text = target.read_bytes()
    assert text.startswith(b"\xef\xbb\xbfid,created_at,user,")
    assert b",'=cmd," in text


def test_a_password_is_in_no_result():
    assert without_password("postgresql://me:secret@host/db?sslmode=require") == (
        "postgresql://me:***@host/db?sslmode=require"
    )
    assert (
        without_password("postgresql://host/db?password=secret&user=me") == "postgresql://host/db?password=***&user=me"
    )
    assert without_password("a:b@c.csv") == "a:b@c.csv"


ODD_LOGS: list[dict[str, Any]] = [
    {"workflow_run": None, "new": {"a": ["\0", 2**70]}},
    {"workflow_run": {"id": "r", "error": "x" * 1_000_000, "total_tokens": 2**64, "price": 0.5}},
    {"workflow_run": {"id": "\ud800", "error": "a\0b\r\n\"'", "status": 5, "elapsed_time": "fast", "finished_at": 0.5}},
    {"created_by_end_user": {"id": "u", "session_id": '=cmd "\u2028", \ufeff;', "is_anonymous": None}, "a.b": []},
]


@pytest.mark.parametrize("kind", TARGETS)
def test_odd_logs_come_back_from_each_target(kind: str, target_of: Callable[[str], str]):
    target = target_of(kind)
    logs = [{"id": str(number), "created_at": NOW, **odd} for number, odd in enumerate(ODD_LOGS)]
    page = json.dumps({"page": 1, "limit": 100, "total": len(logs), "has_more": False, "data": logs})
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=page, headers={"Content-Type": JSON}))
    with (
        httpx.Client(transport=transport) as http_client,
        DifyWorkflow(api_key="app-x", base_url="http://x", http_client=http_client) as client,
    ):
        assert export(client, target).rows == len(logs)
        truth = {log.id: log.to_dict() for log in client.logs.iter()}
    assert {key: json.dumps(log) for key, log in truth.items()} == {log["id"]: json.dumps(log) for log in logs}
    if kind == "csv":
        csv.field_size_limit(2_000_000)  # of the reader
        rows = {row["id"]: row for row in rows_of(target)}
        assert rows.keys() == truth.keys()
        assert rows["1"]["run_error"] == "x" * 1_000_000
        assert "new" in rows["0"]["extra"]
    else:
        found = {key: json.dumps(log, sort_keys=True) for key, log in values_of(target).items()}
        assert found == {key: json.dumps(log, sort_keys=True) for key, log in truth.items()}

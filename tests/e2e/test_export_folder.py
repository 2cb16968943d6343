"""Exports to a folder of Parquet files: what differs from other targets."""

from __future__ import annotations

import json
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.log_histories import NOW

from dify_workflow import DifyWorkflow
from dify_workflow.export import _parquet_folder, export, read
from dify_workflow.export._parquet_folder import ParquetFolderTarget
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = 86_400


@pytest.fixture
def days() -> Iterator[Sandbox]:
    """Logs of three days."""
    with Sandbox(rows=0) as sandbox:
        for number in range(30):
            sandbox.add_log(created_at=NOW + number // 10 * DAY + number)
        yield sandbox


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "logs.parquet"


def ids_in(folder: Path) -> list[str]:
    return [log.id for log in read(folder)]


def truth_of(sandbox: Sandbox) -> dict[str, Any]:
    with sandbox.client() as client:
        return {log.id: log.to_dict() for log in client.logs.iter()}


def files_in(folder: Path) -> dict[str, int]:
    """The files, and which version of each."""
    return {str(path.relative_to(folder)): path.stat().st_ino for path in folder.rglob("*.parquet")}


def killed_at(renaming: int, sandbox: Sandbox, folder: Path, **options: Any) -> bool:
    """Export in a process that is killed when it renames a file for the n-th time; whether it was."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12: the sandbox has threads, the child none
        child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    left = renaming

    def count(event: str, _: tuple[Any, ...]) -> None:
        nonlocal left
        if event == "os.rename":
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    try:
        with DifyWorkflow(api_key=sandbox.api_key, base_url=sandbox.base_url) as client:
            export(client, f"{folder}/", **options)
    finally:
        os._exit(0)


def test_each_day_has_a_folder_that_databases_understand(days: Sandbox, folder: Path):
    with days.client() as client:
        export(client, f"{folder}/")
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 4
    assert names[0] == "_dify_workflow_export.json"
    assert all(name.startswith("created_date=2") for name in names[1:])
    query = f"SELECT created_date, count(*) FROM '{folder}/**/*.parquet' GROUP BY 1 ORDER BY 1"  # noqa: S608 - a test's
    assert [(f"created_date={day}", count) for day, count in duckdb.sql(query).fetchall()] == [
        (name, 10) for name in names[1:]
    ]


def test_an_update_writes_only_the_days_that_it_touches(days: Sandbox, folder: Path):
    running = days.add_log(created_at=NOW + 2 * DAY + 100, status="running")
    with days.client() as client:
        export(client, f"{folder}/")
        before = files_in(folder)
        days.update_run(running.run.id, status="failed", finished_at=NOW + 2 * DAY + 200)
        days.add_log(created_at=NOW + 3 * DAY)
        assert export(client, folder, update=True).rows == 2  # it is a folder already, and needs no / at its end
    after = files_in(folder)
    assert len(after) == 4
    changed = {Path(name).parent.name for name in after if after[name] != before.get(name)}
    assert len(changed) == 2
    assert {log.id: log.to_dict() for log in read(folder)} == truth_of(days)


def test_an_update_with_the_same_columns_keeps_older_ones(days: Sandbox, folder: Path):
    with days.client() as client:
        export(client, f"{folder}/", details=2)
        days.add_log(created_at=NOW + 2 * DAY + 100)
        export(client, f"{folder}/", update=True)
    [file] = (folder / max(path.name for path in folder.iterdir() if path.is_dir())).iterdir()
    with pq.ParquetFile(file) as made:
        inputs = made.read(columns=["run_inputs"]).column(0)
    assert (len(inputs), inputs.null_count) == (11, 1)
    assert {log.id: log.to_dict() for log in read(folder)} == truth_of(days)


@pytest.mark.parametrize("renaming", range(5))
def test_a_killed_update_is_whole_and_repeatable(renaming: int, days: Sandbox, folder: Path):
    with days.client() as client:
        export(client, f"{folder}/")
        known = set(ids_in(folder))
        for number in range(3):
            days.add_log(created_at=NOW + (2 + number) * DAY + 100)
        assert killed_at(renaming, days, folder, update=True)
        found = ids_in(folder)
        assert len(found) == len(set(found)) == 30 + min(renaming, 3)  # a file for each day, and then the state
        assert known <= set(found)
        assert export(client, folder, update=True).rows == (3 if renaming < 4 else 0)
    assert sorted(ids_in(folder)) == sorted(truth_of(days))
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("renaming", range(7))
def test_a_folder_is_replaced_as_a_whole_or_not_at_all(renaming: int, days: Sandbox, folder: Path):
    with days.client() as client:
        export(client, f"{folder}/")
        days.add_log(created_at=NOW + DAY + 100)
        assert killed_at(renaming, days, folder)
        assert not folder.exists() or len(ids_in(folder)) in (30, 31)
        export(client, f"{folder}/")
    assert sorted(ids_in(folder)) == sorted(truth_of(days))
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_many_days_and_rows_are_divided_into_few_files(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_parquet_folder, "MOST_OPEN", 2)
    monkeypatch.setattr(_parquet_folder, "MOST_ROWS", 20)
    with Sandbox(rows=400, days=20) as sandbox, sandbox.client() as client:
        export(client, f"{folder}/", workers=4)
        newest = client.logs.list(limit=1).data[0].created_at
        for number in range(40):
            sandbox.add_log(created_at=newest + number)
        export(client, folder, update=True)
        assert {log.id: log.to_dict() for log in read(folder)} == truth_of(sandbox)
        found = ids_in(folder)
        assert len(found) == len(set(found)) == 440
    assert len(files_in(folder)) <= 20 + 8


def test_a_log_without_a_time_has_a_partition_of_its_own(tmp_path: Path):
    target = ParquetFolderTarget(tmp_path / "x", details=False, apps=False, excel=False)
    state = {"finished": False, "parts": 0}
    try:
        target.begin(state, restart=False)
        target.add(None, "no log at all")
        target.finish(state)
    finally:
        target.close()
    assert [path.name for path in (tmp_path / "x").iterdir() if path.is_dir()] == [
        "created_date=__HIVE_DEFAULT_PARTITION__"
    ]
    assert list(read(tmp_path / "x")) == ["no log at all"]


def test_a_folder_of_somebody_else_is_left_alone(days: Sandbox, folder: Path):
    folder.mkdir()
    pq.write_table(pa.table({"a": [1]}), folder / "other.parquet")
    with days.client() as client:
        for restart in (False, True):
            with pytest.raises(ValueError, match="no export has made the folder"):
                export(client, f"{folder}/", restart=restart)
    assert [path.name for path in folder.iterdir()] == ["other.parquet"]
    with pytest.raises(ValueError, match="is not an export"):
        next(read(folder))


@pytest.mark.parametrize("name", ["logs.csv/", "logs.sqlite/"])
def test_only_parquet_files_have_folders(name: str, days: Sandbox, tmp_path: Path):
    with days.client() as client, pytest.raises(ValueError, match="must be of Parquet files"):
        export(client, f"{tmp_path}/{name}")
    assert list(tmp_path.iterdir()) == []


def test_the_state_of_a_folder_is_json_that_says_it_is_finished(days: Sandbox, folder: Path):
    with days.client() as client:
        export(client, f"{folder}/")
    state = json.loads((folder / "_dify_workflow_export.json").read_bytes())
    assert (state["finished"], state["rows"]) == (True, 30)

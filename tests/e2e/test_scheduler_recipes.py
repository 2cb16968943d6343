"""The recipes for schedulers, on a sandbox: Airflow, Dagster and Prefect are stood in for by what calls their tasks."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest
from support.documented_code import ROOT, blocks_of

from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILES = {
    block.note.removeprefix("file "): block.source
    for block in blocks_of(ROOT / "docs" / "guides" / "recipes-data.md")
    if block.note.startswith("file ")
}


class Task:
    """A task: it is called, or called for each of several arguments, as its scheduler does."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def map(self, arguments: list[Any]) -> Any:
        results = [self._function(argument) for argument in arguments]
        return SimpleNamespace(result=lambda: results)

    def expand(self, **lists: list[Any]) -> list[Any]:
        ((name, arguments),) = lists.items()
        return [self._function(**{name: argument}) for argument in arguments]


def task(function: Any = None, **_options: Any) -> Any:
    return Task(function) if function else Task


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.chdir(tmp_path)
    with Sandbox(rows=300, days=5) as sandbox:
        monkeypatch.setenv("DIFY_API_KEY", sandbox.api_key)
        monkeypatch.setenv("DIFY_BASE_URL", sandbox.base_url)
        yield sandbox


def run(file: str, monkeypatch: pytest.MonkeyPatch, **modules: SimpleNamespace) -> dict[str, Any]:
    """Run a recipe with stand-ins for the modules of its scheduler; its names."""
    for name, content in modules.items():
        module = ModuleType(name.replace("__", "."))
        vars(module).update(vars(content))
        monkeypatch.setitem(sys.modules, module.__name__, module)
    names: dict[str, Any] = {"__name__": file}
    exec(compile(FILES[file], file, "exec"), names)  # noqa: S102 - the documentation is ours
    return names


def ids_of(sandbox: Sandbox, **filters: Any) -> list[str]:
    with sandbox.client() as client:
        return sorted(log.id for log in client.logs.iter(**filters))


def test_airflow_reads_each_log_into_one_file(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sdk = SimpleNamespace(dag=lambda **_options: lambda function: function, task=task)
    for _ in range(2):  # what is run again replaces its files
        run("airflow_dag.py", monkeypatch, airflow=SimpleNamespace(), airflow__sdk=sdk)
        found = [key for file in tmp_path.glob("*.parquet") for key in pq.read_table(file)["id"].to_pylist()]
        assert sorted(found) == ids_of(sandbox)


def test_dagster_brings_the_database_up_to_date(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    dagster = SimpleNamespace(asset=task, **dict.fromkeys(("RetryPolicy", "ScheduleDefinition", "Definitions"), dict))
    dagster.MaterializeResult = SimpleNamespace
    asset = run("dagster_assets.py", monkeypatch, dagster=dagster)["dify_logs"]
    for number in range(2):
        assert asset().metadata["rows"] >= (0 if number else 300)
        with duckdb.connect("logs.duckdb") as database:
            assert sorted(key for (key,) in database.sql("SELECT id FROM workflow_logs").fetchall()) == ids_of(sandbox)
        sandbox.add_log()


def test_prefect_counts_what_failed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    prefect = SimpleNamespace(flow=task, task=task)
    count = run("prefect_flow.py", monkeypatch, prefect=prefect)["count_failures"]
    assert count() == len(ids_of(sandbox, status="failed")) > 0

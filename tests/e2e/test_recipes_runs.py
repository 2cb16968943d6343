"""The recipes of docs/guides/recipes-runs.md do what their text says; test_documentation.py runs their blocks."""

from __future__ import annotations

import importlib
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from support.documented_code import ROOT, blocks_of

from dify_workflow.testing import Sandbox, Wait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = ROOT / "docs" / "guides" / "recipes-runs.md"
CELERY = '''
class Celery:
    """What the recipe needs of Celery: a task is called with itself as the first argument."""

    def __init__(self, name):
        self.conf = type("Settings", (), {})()

    def task(self, **options):
        assert options["bind"]
        return lambda function: function
'''


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the files of the recipes, from which they can be imported."""
    for block in blocks_of(PAGE):
        word, _, name = block.note.partition(" ")
        if word == "file":
            (tmp_path / name).write_text(block.source)
    (tmp_path / "celery.py").write_text(CELERY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    known = set(sys.modules)
    yield tmp_path
    for name in {path.stem for path in tmp_path.glob("*.py")} & (set(sys.modules) - known):
        del sys.modules[name]


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox(rows=0, version="1.16") as sandbox:
        monkeypatch.setenv("DIFY_API_KEY", sandbox.api_key)
        monkeypatch.setenv("DIFY_BASE_URL", sandbox.base_url)
        yield sandbox


@pytest.mark.usefixtures("recipes")
def test_a_reader_who_leaves_stops_the_run(sandbox: Sandbox):
    server = uvicorn.Server(uvicorn.Config(importlib.import_module("relay").app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        sandbox.set_workflow(endless)
        with httpx.stream("GET", f"http://127.0.0.1:{port}/ask", params={"query": "hi", "user": "u-1"}) as response:
            assert next(response.iter_text())  # the first words have come
        [run] = sandbox.started_runs
        with sandbox.client() as client:
            assert client.runs.attach(run.id, user="u-1").wait(30).status == "stopped"
    finally:
        server.should_exit = True
        thread.join()


def endless(inputs: dict[str, Any]) -> Any:

    for _ in range(10_000):
        yield f"{inputs['query']} "
        yield Wait(0.05)


@pytest.mark.usefixtures("recipes")
def test_a_task_that_is_delivered_twice_starts_one_run(sandbox: Sandbox):
    tasks: Any = importlib.import_module("tasks")

    def delivered(task_id: str) -> Any:
        task = type("Task", (), {"request": type("Request", (), {"id": task_id})})()
        return tasks.summarize(task, "hi", "u-1")

    assert delivered("t-1")["answer"] == delivered("t-1")["answer"] == "hi"
    assert len(sandbox.started_runs) == 1
    assert delivered("t-2")["answer"] == "hi"
    assert len(sandbox.started_runs) == 2

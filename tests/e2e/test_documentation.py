"""Every code block of the README, the documentation and the docstrings is run, as a reader would paste it."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import doctest
import inspect
import io
from typing import TYPE_CHECKING, Any

import pytest
from documented_code import (
    ADDRESS,
    KEY,
    ROOT,
    DocumentationError,
    Page,
    agrees,
    difference,
    interrupted,
    sandbox_arguments,
)

from dify_workflow import AsyncDifyWorkflow, DifyError, DifyWorkflow, Verbatim
from dify_workflow.testing import Sandbox, Wait

if TYPE_CHECKING:
    from pathlib import Path

MADE = ("docs/api.md", "docs/reference/")
"""Pages made by a script, which has a check of its own: they show signatures."""
PAGES = [
    path
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if not path.relative_to(ROOT).as_posix().startswith(MADE)
]
MODULES = sorted(path for path in (ROOT / "src").rglob("*.py") if ">>> " in path.read_text("utf-8"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    return tmp_path


@pytest.mark.parametrize("path", PAGES, ids=[path.relative_to(ROOT).as_posix() for path in PAGES])
def test_the_blocks_of_a_page_run(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(**sandbox_arguments(path.read_text("utf-8"))) as sandbox:
        monkeypatch.setenv("DIFY_API_KEY", sandbox.api_key)
        monkeypatch.setenv("DIFY_BASE_URL", sandbox.base_url)
        Page(path, folder, sandbox).run()


def documented(path: Path) -> list[list[doctest.Example]]:
    """The documentation of a module with examples: its own, and that of its classes and functions."""
    tree = ast.parse(path.read_text("utf-8"))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    texts = [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, kinds)]
    return [found for text in texts if (found := doctest.DocTestParser().get_examples(text))]


@pytest.mark.parametrize("path", MODULES, ids=[path.relative_to(ROOT / "src").as_posix() for path in MODULES])
def test_the_examples_of_docstrings_run(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del folder
    with Sandbox(rows=300) as sandbox, sandbox.client() as client:
        monkeypatch.setenv("DIFY_API_KEY", sandbox.api_key)
        monkeypatch.setenv("DIFY_BASE_URL", sandbox.base_url)
        [log] = client.logs.list(status="succeeded", limit=1)
        run = client.runs.run({"query": "hi"}, user="u-1")
        with client.logs.changes() as changes:
            assert [*changes] == []
        names: dict[str, Any] = {
            "client": client,
            "detail": client.runs.get(run.workflow_run_id),
            "log": log,
            "sandbox": sandbox,
            "save": [].append,
            "saved": changes.checkpoint,
            "trace_id": "1",
            "AsyncDifyWorkflow": AsyncDifyWorkflow,
            "DifyWorkflow": DifyWorkflow,
            "Sandbox": Sandbox,
            "Verbatim": Verbatim,
            "Wait": Wait,
            "__name__": "example",
        }

        async def run_one(example: doctest.Example) -> None:
            source = example.source.replace(KEY, sandbox.api_key).replace(ADDRESS, sandbox.base_url)
            code = compile(source, str(path), "single", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                try:
                    value = eval(code, names)  # noqa: S307 - the examples are ours
                    if inspect.isawaitable(value):
                        await value
                except DifyError as error:
                    if example.exc_msg is None:
                        raise
                    print(f"dify_workflow.{type(error).__name__}: {error}")
            shown = example.exc_msg or example.want
            if shown and not agrees(shown, printed.getvalue()):
                raise DocumentationError(difference(shown, printed.getvalue()))

        async def run_all(examples: list[doctest.Example]) -> None:
            async with sandbox.async_client() as asynchronous:
                names["client"] = asynchronous if "_async" in path.parts else client
                for example in examples:
                    await run_one(example)

        def start(examples: list[doctest.Example]) -> None:
            if "_async" in path.parts:
                asyncio.run(run_all(examples))
            else:  # without an event loop, which would take Ctrl-C for itself
                with pytest.raises(StopIteration):
                    run_all(examples).send(None)

        for examples in documented(path):
            if "logs.follow(" not in examples[0].source:
                start(examples)
                continue
            known = len(sandbox.requests)
            with interrupted(lambda known=known: len(sandbox.requests) > known):
                start(examples)

"""The sync and the async client have the same methods, parameters, documentation and types of result."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from typing import Any

import pytest
import unasync

from dify_workflow import AsyncDifyWorkflow, DifyWorkflow
from dify_workflow._async.resources.logs import AsyncLogs


def classes(package: str) -> list[type[Any]]:
    """The classes of one package, module by module, in the order in which they are written."""
    paths = [path.relative_to(unasync.SOURCE).with_suffix("") for path in sorted(unasync.SOURCE.rglob("[a-z]*.py"))]
    modules = [import_module(".".join(("dify_workflow", package, *path.parts))) for path in paths]
    return [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and re.search(rf"^class {value.__name__}\b", inspect.getsource(module), re.MULTILINE)
    ]


PAIRS = list(zip(classes("_sync"), classes("_async"), strict=True))
SAME_BUT_FOR_THE_NAME = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
}


def members(cls: type[Any]) -> dict[str, Any]:
    """The public members of a class, and those that Python calls by itself."""
    found = {name: value for name, value in vars(cls).items() if callable(value) or isinstance(value, property)}
    return {SAME_BUT_FOR_THE_NAME.get(name, name): value for name, value in found.items()}


def parameters(method: Any) -> list[tuple[str, object, object]]:
    """Names, kinds and defaults; of a function that is a default (`sleep`) its name, as each package has its own."""
    found = inspect.signature(method).parameters.values()
    return [(p.name, p.kind, getattr(p.default, "__name__", p.default)) for p in found]


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(("sync", "asynchronous"), PAIRS)
def test_both_halves_have_the_same_members(sync: type[Any], asynchronous: type[Any]) -> None:
    assert set(members(sync)) == set(members(asynchronous))


@pytest.mark.parametrize(("sync", "asynchronous"), PAIRS)
def test_both_halves_have_the_same_arguments_and_defaults(sync: type[Any], asynchronous: type[Any]) -> None:
    for name, method in members(sync).items():
        if isinstance(method, property):
            continue
        twin = members(asynchronous)[name]
        assert parameters(method) == parameters(twin), name
        for parameter, annotation in inspect.get_annotations(twin).items():
            assert unasync.without_async(annotation) == inspect.get_annotations(method)[parameter], (name, parameter)


@pytest.mark.parametrize(("sync", "asynchronous"), PAIRS)
def test_both_halves_are_documented_in_the_same_words(sync: type[Any], asynchronous: type[Any]) -> None:
    assert words(sync.__doc__ or "") == words(unasync.without_async(asynchronous.__doc__ or ""))
    for name, method in members(sync).items():
        twin = members(asynchronous)[name]
        assert words(method.__doc__ or "") == words(unasync.without_async(twin.__doc__ or "")), name
        if not name.startswith("_"):
            assert method.__doc__, name


def test_every_sync_class_has_an_async_one_and_back() -> None:
    assert [sync.__name__ for sync, _ in PAIRS] == [cls.__name__.removeprefix("Async") for _, cls in PAIRS]
    assert (DifyWorkflow, AsyncDifyWorkflow) in PAIRS
    resources = [name for name, value in vars(DifyWorkflow).items() if isinstance(value, property)]
    assert {"logs", "runs", "files", "forms", "end_users", "app"} < set(resources)


def test_awaitables_are_awaited_in_async_and_plain_in_sync() -> None:
    assert inspect.iscoroutinefunction(AsyncLogs.list)
    assert inspect.iscoroutinefunction(AsyncDifyWorkflow.request)
    for sync, _ in PAIRS:
        for method in members(sync).values():
            assert not inspect.iscoroutinefunction(method)


def test_the_sync_client_is_made_from_the_async_one() -> None:
    assert unasync.main(["--check"]) == 0


def test_the_sync_client_has_no_word_of_asynchronous_python() -> None:
    for path in sorted(unasync.TARGET.rglob("*.py")):
        left = re.findall(r"\b(?:await|async|asyncio|Async\w+|__a(?:enter|exit)__|aclose)\b", path.read_text("utf-8"))
        assert set(left) <= {"async"} if path.name == "__init__.py" else not left, path.name

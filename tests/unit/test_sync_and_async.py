"""The sync and the async half have the same methods, parameters, documentation and types of result."""

from __future__ import annotations

import inspect
import re
from typing import Any

import mirror
import pytest

from dify_workflow import AsyncDifyWorkflow, DifyWorkflow
from dify_workflow._async.logs import AsyncLogs
from dify_workflow._sync.logs import Logs

PAIRS = [(DifyWorkflow, AsyncDifyWorkflow), (Logs, AsyncLogs)]
SAME_BUT_FOR_THE_NAME = {"__aenter__": "__enter__", "__aexit__": "__exit__"}


def members(cls: type[Any]) -> dict[str, Any]:
    """The public members of a class, and those that Python calls by itself."""
    found = {name: value for name, value in vars(cls).items() if callable(value) or isinstance(value, property)}
    return {SAME_BUT_FOR_THE_NAME.get(name, name): value for name, value in found.items()}


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(("sync", "asynchronous"), PAIRS)
def test_both_halves_have_the_same_members(sync: type[Any], asynchronous: type[Any]) -> None:
    assert set(members(sync)) == set(members(asynchronous))


@pytest.mark.parametrize(("sync", "asynchronous"), PAIRS)
def test_both_halves_take_the_same_arguments_with_the_same_defaults(sync: type[Any], asynchronous: type[Any]) -> None:
    for name, method in members(sync).items():
        if isinstance(method, property):
            continue
        twin = members(asynchronous)[name]
        mine = [(p.name, p.kind, p.default) for p in inspect.signature(method).parameters.values()]
        theirs = [(p.name, p.kind, p.default) for p in inspect.signature(twin).parameters.values()]
        assert mine == theirs, name
        for parameter, annotation in inspect.get_annotations(twin).items():
            assert mirror.mirrored(annotation) == inspect.get_annotations(method)[parameter], (name, parameter)


@pytest.mark.parametrize(("sync", "asynchronous"), PAIRS)
def test_both_halves_are_documented_in_the_same_words(sync: type[Any], asynchronous: type[Any]) -> None:
    assert words(sync.__doc__ or "") == words(mirror.mirrored(asynchronous.__doc__ or ""))
    for name, method in members(sync).items():
        twin = members(asynchronous)[name]
        assert words(method.__doc__ or "") == words(mirror.mirrored(twin.__doc__ or "")), name
        if not name.startswith("_"):
            assert method.__doc__, name


def test_whatever_waits_in_the_async_half_is_awaited_there_and_plain_in_the_sync_half() -> None:
    assert inspect.iscoroutinefunction(AsyncLogs.list)
    assert inspect.iscoroutinefunction(AsyncDifyWorkflow.request)
    for sync, _ in PAIRS:
        for method in members(sync).values():
            assert not inspect.iscoroutinefunction(method)


def test_the_sync_half_is_what_the_async_half_gives() -> None:
    assert mirror.main(["--check"]) == 0


def test_no_word_of_asynchronous_python_is_left_in_the_sync_half() -> None:
    for path in sorted(mirror.TARGET.glob("*.py")):
        left = re.findall(r"\b(?:await|async|asyncio|Async\w+|__a(?:enter|exit)__|aclose)\b", path.read_text("utf-8"))
        assert set(left) <= {"async"} if path.name == "__init__.py" else not left, path.name

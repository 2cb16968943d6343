"""Public types show public names: in tracebacks, reprs, annotations and pickles."""

from __future__ import annotations

import base64
import json
import pickle
import pickletools
import subprocess
import sys
import traceback
import typing
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import dify_workflow
from dify_workflow import models, types
from dify_workflow._http.library import httpx
from dify_workflow.models import WorkflowLog, WorkflowLogPage, WorkflowRunStatus
from dify_workflow.types import DetailedLog, LogRange, Upload, WorkflowRunDetail, WorkflowRunResult

STORED = Path(__file__).with_name("pickles_made_earlier.json")
"""Pickles of `examples()` by name, in base64, made on 30 November 2026 with httpx 0.28; never made again."""

LOG = {
    "id": "1",
    "workflow_run": {"id": "2", "status": "failed", "mood": 7},
    "created_by_end_user": None,
    "created_at": 1795384467,
}
PAGE = {"page": 1, "limit": 20, "total": 1, "has_more": False, "data": [LOG]}


def examples() -> dict[str, Any]:
    """A value of each kind that a user may pickle; all of them are made of public names."""
    request = httpx.Request("GET", "https://dify.example.com/v1/workflows/logs?page=1")
    received = {"headers": httpx.Headers({"retry-after": "3"}), "body": {"code": "x"}, "request": request}
    errors: list[dify_workflow.DifyError] = [
        dify_workflow.DifyError("failed"),
        dify_workflow.ConfigurationError("api_key"),
        dify_workflow.APIConnectionError("reset", request=request, request_sent=False),
        dify_workflow.APITimeoutError("late", request=request),
        dify_workflow.APIResponseError("HTML", status_code=200, **received),
        dify_workflow.WorkflowStreamError("ended", code="c", status=400, message="m"),
        dify_workflow.WorkflowRunError("failed", status="failed", error="boom", workflow_run_id="2"),
        dify_workflow.IncompleteWalkError("incomplete", expected=3, seen=2),
    ]
    for name in dify_workflow.__all__:
        cls = getattr(dify_workflow, name)
        if isinstance(cls, type) and issubclass(cls, dify_workflow.APIStatusError):
            errors.append(cls("refused", status_code=429, code="c", message="m", **received))
    run = WorkflowRunDetail.from_dict({"id": "2", "inputs": '{"query": "hi"}', "status": "failed"})
    return {type(error).__name__: error for error in errors} | {
        "WorkflowLogPage": WorkflowLogPage.from_dict(PAGE),
        "WorkflowRunStatus": WorkflowRunStatus.FAILED,
        "WorkflowRunDetail": run,
        "WorkflowRunResult": WorkflowRunResult.from_dict({"task_id": "3", "data": {"status": "stopped"}}),
        "Upload": Upload.from_dict({"id": "4", "name": "a.pdf"}),
        "DetailedLog": DetailedLog(WorkflowLog.from_dict(LOG), run, None),
        "LogRange": LogRange(datetime(2026, 11, 22, tzinfo=UTC), None, 7, (("keyword", dify_workflow.Verbatim("x")),)),
        "Verbatim": dify_workflow.Verbatim("müller"),
        "API_SPEC": types.APISpec("title", "1.16.1", "0" * 64),
    }


def shown(value: Any) -> str:
    """All that a value holds, as text: errors and httpx's objects have no equality."""
    if isinstance(value, BaseException):
        return f"{type(value)}{value.args}{ {name: shown(one) for name, one in sorted(vars(value).items())} }"
    if isinstance(value, httpx.Request):
        return f"{value.method} {value.url} {value.headers}"
    if isinstance(value, tuple):
        return f"{type(value)}{[shown(item) for item in value]}"
    return f"{type(value)}{value!r}{value.to_dict() if isinstance(value, types.Model) else ''}"


def public_types() -> dict[str, tuple[str, type[Any]]]:
    """Every public class that is ours, by its public name."""
    found = {}
    for module in (types, models, dify_workflow):  # a name that two of them have is shown as of the later one
        for name in dir(module):
            value = getattr(module, name)
            if isinstance(value, type) and typing.get_origin(value) is None:
                found[f"{module.__name__}.{name}"] = (name, value)
    return found


def test_types_show_the_module_that_they_are_imported_from():
    for place, (name, cls) in public_types().items():
        expected = "dify_workflow.models" if hasattr(models, name) and cls is getattr(models, name) else None
        expected = expected or ("dify_workflow" if name in dify_workflow.__all__ else "dify_workflow.types")
        assert f"{cls.__module__}.{cls.__qualname__}" == f"{expected}.{name}", place
        assert getattr(import_module(cls.__module__), name) is cls
    assert dify_workflow.remote_file.__module__ == "dify_workflow"
    assert repr(types.LogWalk) == "<class 'dify_workflow.types.LogWalk'>"


def test_type_hints_of_public_types_resolve():
    for place, (_, cls) in public_types().items():
        for name, hint in typing.get_type_hints(cls).items():
            assert not isinstance(hint, str | typing.ForwardRef), (place, name)
    assert typing.get_type_hints(WorkflowLogPage)["data"] == list[WorkflowLog]
    assert typing.get_type_hints(WorkflowLog)["workflow_run"] == models.WorkflowRunSummary | None
    assert typing.get_type_hints(dify_workflow.APIStatusError)["request"] is httpx.Request
    assert typing.get_type_hints(DetailedLog)["run"] == WorkflowRunDetail | None


def test_types_also_has_the_models():
    assert types.WorkflowLogPage is WorkflowLogPage
    assert set(models.__all__) | set(types.__all__) == set(dir(types))
    assert not hasattr(types, "NoSuchType")


def test_tracebacks_show_public_names():
    error = dify_workflow.IncompleteWalkError("a log is missing", expected=2, seen=1)
    text = "".join(traceback.format_exception_only(error))
    assert text == "dify_workflow.IncompleteWalkError: a log is missing\n"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_name_no_private_module(protocol: int):
    for name, value in examples().items():
        pickled = pickle.dumps(value, protocol)
        texts = [arg for _, arg, _ in pickletools.genops(pickled) if isinstance(arg, str)]
        ours = {text.split()[0] for text in texts if text.startswith("dify_workflow")}
        assert ours <= {"dify_workflow", "dify_workflow.models", "dify_workflow.types"}, name
        assert ours, name
        assert shown(pickle.loads(pickled)) == shown(value)  # noqa: S301 - its own pickle


def test_stored_pickles_are_read_by_a_fresh_process():
    program = (
        "import base64, json, pickle, sys; sys.path.append(sys.argv[2])\n"
        "stored = json.load(open(sys.argv[1], encoding='utf-8'))\n"
        "found = {name: pickle.loads(base64.b64decode(text)) for name, text in stored.items()}\n"
        "from test_public_names import examples, shown\n"
        "expected = examples()\n"
        "assert found.keys() == expected.keys()\n"
        "assert [n for n, value in found.items() if shown(value) != shown(expected[n])] == []\n"
    )
    command = [sys.executable, "-c", program, str(STORED), str(Path(__file__).parent)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":  # how the stored pickles were made
    made = {name: base64.b64encode(pickle.dumps(value)).decode() for name, value in examples().items()}
    STORED.write_text(json.dumps(made, indent=1) + "\n", "utf-8")


@pytest.mark.parametrize("name", sorted(set(dify_workflow.__all__) - {"__version__"}))
def test_a_public_name_is_found_again_by_its_module(name: str):
    assert dify_workflow.__getattr__(name) is getattr(dify_workflow, name)


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"^module 'dify_workflow' has no attribute 'no_such_name'$"):
        dify_workflow.__getattr__("no_such_name")
    assert dir(dify_workflow) == sorted(dify_workflow.__all__)

"""Models in pydantic models, in FastAPI endpoints, and as JSON."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
from typing import Any, Literal

import fastapi
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dify_workflow import models
from dify_workflow._http.library import httpx
from dify_workflow._pydantic import _json_schema, json_schema_of
from dify_workflow.models import WorkflowLog, WorkflowLogPage, WorkflowRunResponse
from dify_workflow.types import Model, WorkflowRunResult

LOG = {"id": "1", "workflow_run": {"status": "dreaming", "mood": 7}, "created_by_account": None, "created_at": "odd"}
PAGE = {"page": 1, "limit": 20, "total": 1, "has_more": False, "data": [LOG, None]}


class Report(pydantic.BaseModel):
    title: str = "t"
    log: WorkflowLog
    others: list[WorkflowLog] = []
    page: WorkflowLogPage | None = None


# --- JSON ------------------------------------------------------------------------------------------------------------


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_to_json_is_what_was_received(value: object):
    source = {**LOG, "details": value, "new": value}
    log = WorkflowLog.from_dict(source)
    assert repr(json.loads(log.to_json())) == repr(log.to_dict()) == repr(source)
    log.to_json().encode()


def test_to_json_is_compact_and_escapes_as_little_as_possible():
    assert models.Account(id="1", name="Zoë 🎈").to_json() == '{"id":"1","name":"Zoë 🎈"}'
    assert models.Account(name="ë\ud800").to_json() == '{"name":"\\u00eb\\ud800"}'


def test_json_dumps_takes_models_with_their_to_dict_as_default():
    page = WorkflowLogPage.from_dict(PAGE)
    assert json.loads(json.dumps({"page": page, "logs": page.data}, default=Model.to_dict)) == {
        "page": PAGE,
        "logs": PAGE["data"],
    }


# --- pydantic --------------------------------------------------------------------------------------------------------


def test_a_field_takes_an_instance_or_mapping_and_dumps_to_dict():
    log = WorkflowLog.from_dict(LOG)
    report = Report(log=log, others=[LOG], page=PAGE)  # type: ignore[list-item,arg-type]
    assert report.log is log
    assert report.others == [log]
    assert type(report.page) is WorkflowLogPage
    expected = {"title": "t", "log": LOG, "others": [LOG], "page": PAGE}
    assert report.model_dump() == report.model_dump(mode="json") == json.loads(report.model_dump_json()) == expected
    assert Report.model_validate_json(report.model_dump_json()) == report
    assert Report(log=log).model_dump() == {"title": "t", "log": LOG, "others": [], "page": None}


def test_a_field_keeps_values_that_only_a_server_would_send():
    report = Report.model_validate({"log": {"id": None, "created_at": math.inf, "workflow_run": [1]}})
    assert report.model_dump()["log"] == {"id": None, "created_at": math.inf, "workflow_run": [1]}


@pytest.mark.parametrize("value", [None, 5, "text", [], models.Account(id="1")])
def test_a_field_refuses_anything_else(value: object):
    with pytest.raises(pydantic.ValidationError, match="should be a WorkflowLog or a mapping"):
        Report.model_validate({"log": value})


def test_results_keep_their_class():
    adapter = pydantic.TypeAdapter(WorkflowRunResult)
    result = adapter.validate_python({"task_id": "1", "data": {"status": "failed"}})
    assert (type(result), result.status) == (WorkflowRunResult, "failed")
    assert pydantic.TypeAdapter(WorkflowRunResponse).validate_python(result) is result
    with pytest.raises(pydantic.ValidationError) as refused:
        adapter.validate_python([])
    [problem] = refused.value.errors(include_url=False)
    assert problem["type"] == "dify_workflow_model"
    assert problem["msg"] == "Input should be a WorkflowRunResult or a mapping"


def test_json_schemas_describe_every_model():
    for name in models.__all__:
        schema = pydantic.TypeAdapter(getattr(models, name)).json_schema()
        assert schema.get("title", name) == name
    schema = Report.model_json_schema(mode="serialization")["properties"]["page"]["anyOf"][0]
    assert schema["properties"]["total"] == {"type": "integer"}
    run = schema["properties"]["data"]["items"]["properties"]["workflow_run"]["anyOf"][0]
    assert run["title"] == "WorkflowRunSummary"
    assert "failed" in run["properties"]["status"]["anyOf"][0]["enum"]


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (dict[str, Any], {"type": "object", "additionalProperties": {}}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (list[str | None], {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}),
        (float | int | bool, {"anyOf": [{"type": "number"}, {"type": "integer"}, {"type": "boolean"}]}),
        (list[Any] | dict[str, Any] | bytes | object, None),
        (Literal["a", 5], {"enum": ["a", 5]}),
        (models.WorkflowRunStatus, {"enum": [str(status) for status in models.WorkflowRunStatus]}),
        (WorkflowLog, {"title": "WorkflowLog", "type": "object"}),  # which is inside itself
    ],
    ids=str,
)
def test_a_type_has_its_json_schema(hint: Any, schema: dict[str, Any] | None):
    any_of = {"anyOf": [{"type": "array", "items": {}}, {"type": "object", "additionalProperties": {}}, {}]}
    assert _json_schema(hint, (WorkflowLog,)) == (any_of if schema is None else schema)
    described = json_schema_of(WorkflowLog)
    assert {name: described[name] for name in ("title", "type", "description")} == {
        "title": "WorkflowLog",
        "type": "object",
        "description": (WorkflowLog.__doc__ or "").partition("\n\n")[0],
    }


def test_pydantic_is_not_loaded_by_models():
    program = "import sys; from dify_workflow.models import WorkflowLogPage as P; P.from_dict({'data': []})\n"
    program += "print([name for name in ('pydantic', 'pydantic_core', 'json', 'html') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout in {"[]\n", "['json']\n"}


# --- FastAPI ---------------------------------------------------------------------------------------------------------


def test_an_endpoint_returns_models_and_documents_them():
    app = fastapi.FastAPI()

    @app.get("/page")
    def page() -> WorkflowLogPage:
        return WorkflowLogPage.from_dict(PAGE)

    @app.get("/logs")
    async def logs() -> list[WorkflowLog]:
        return [WorkflowLog.from_dict(LOG)]

    app.add_api_route("/report", lambda: Report(log=WorkflowLog.from_dict(LOG)), response_model=Report)

    async def responses() -> list[Any]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            paths = ("/page", "/logs", "/report", "/openapi.json")
            return [(await client.get(path)).json() for path in paths]

    found = asyncio.run(responses())
    assert found[:3] == [PAGE, [LOG], {"title": "t", "log": LOG, "others": [], "page": None}]
    content = found[3]["paths"]["/page"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert content["properties"].keys() == PAGE.keys()

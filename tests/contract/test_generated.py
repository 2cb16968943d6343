"""The generated package against the stored spec: every operation, every model and every field, one after the other.

Every value of every parameter is sent, and refused, through the facade: `test_contract_requests.py`.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import dify_workflow_api
import pytest
from support.spec import (
    ENUMS,
    EVENTS,
    OBJECTS,
    OPERATIONS,
    SCHEMAS,
    UUID,
    Samples,
    alternatives,
    argument,
    check_model,
    content,
    json_body,
    parameters,
    resolved,
    response_of,
    samples,
)

from dify_workflow import models

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from dify_workflow_api.types import Request

# --- operations ------------------------------------------------------------------------------------------------------


def module_of(name: str) -> ModuleType:
    _, _, operation = OPERATIONS[name]
    return importlib.import_module(f"dify_workflow_api.api.{operation['tags'][0]}.{name}")


def builder(name: str) -> Callable[..., Request[Any]]:
    build: Callable[..., Request[Any]] = module_of(name).build_request
    return build


def needed(name: str) -> dict[str, Any]:
    """The least that an operation can be asked with."""
    found = {
        argument(p["name"]): FILE if p["in"] == "file" else next(samples(p, 1)).value
        for p in parameters(name)
        if p.get("required")
    }
    return {**found, "body": {"made": "by hand"}} if json_body(name) else found


class Opaque:
    """Something that only the one who sends it knows to be a file."""


FILE = Opaque()


def test_every_operation_has_a_module_and_there_is_no_other():
    folder = Path(dify_workflow_api.__file__).parent / "api"
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*.py") if path.name != "__init__.py"}
    assert found == {f"{operation['tags'][0]}/{name}.py" for name, (_, _, operation) in OPERATIONS.items()}
    assert len(OPERATIONS) >= 14


@pytest.mark.parametrize("name", OPERATIONS)
def test_arguments_follow_the_parameters_and_their_order(name: str):
    signature = inspect.signature(builder(name))
    body = ["body"] if json_body(name) else []
    assert list(signature.parameters) == [*(argument(parameter["name"]) for parameter in parameters(name)), *body]
    for parameter, found in zip([*parameters(name), {"required": True}], signature.parameters.values(), strict=False):
        assert found.kind is inspect.Parameter.KEYWORD_ONLY
        assert found.default is (inspect.Parameter.empty if parameter.get("required") else None)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_request_has_its_method_path_and_nothing_unrequested(name: str):
    method, path, _ = OPERATIONS[name]
    least = needed(name)
    for given in (least, {**{argument(p["name"]): None for p in parameters(name)}, **least}):
        request = builder(name)(**given)
        assert (request.operation, request.method) == (name, method.upper())
        required = {where: [p for p in parameters(name) if p.get("required") and p["in"] == where] for where in WHERE}
        assert request.path == re.sub(r"\{(\w+)\}", lambda found: quote(least[found[1]], safe=""), path)
        assert request.params == tuple((p["name"], next(samples(p, 1)).wire) for p in required["query"])
        assert request.fields == tuple((p["name"], next(samples(p, 1)).wire) for p in required["field"])
        assert request.files == tuple((p["name"], FILE) for p in required["file"])
        assert request.json == least.get("body")


WHERE = ("path", "query", "field", "file")


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_response_is_the_json_model_or_bytes(name: str):
    response = builder(name)(**needed(name)).response
    schema = response_of(name).get("application/json", {}).get("schema")
    if schema is None:
        assert response is (bytes if response_of(name) else object)
    elif "$ref" in schema:
        assert response is getattr(models, schema["$ref"].rpartition("/")[2])
    else:
        assert schema == {"type": "object"}
        assert response is dict


@pytest.mark.parametrize("name", [name for name in OPERATIONS if json_body(name)])
def test_a_body_is_a_model_or_a_dict_and_is_sent_as_it_is(name: str):
    schema = json_body(name)
    assert schema
    cls = getattr(models, schema["$ref"].rpartition("/")[2])
    examples = [example["value"] for example in content(name)["application/json"].get("examples", {}).values()]
    for source in (*examples, Samples().of(schema), {}, {"unknown": [None]}):
        for body in (source, cls.from_dict(source)):
            request = builder(name)(**{**needed(name), "body": body})
            assert json.dumps(request.json) == json.dumps(source)
            assert (request.params, request.fields, request.files) == ((), (), ())
    for value in ("text", [], [{}], 5, True, b"{}", object()):
        with pytest.raises(ValueError, match=r"^body must be a model or a dict, got "):
            builder(name)(**{**needed(name), "body": value})


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_operation_and_each_parameter_are_documented(name: str):
    method, path, operation = OPERATIONS[name]
    doc = inspect.getdoc(builder(name)) or ""
    words = " ".join(doc.split())
    assert f"{method.upper()} {path}" in words
    assert operation["summary"] in words
    assert " ".join(operation["description"].split()) in words
    for parameter in parameters(name):
        text = " ".join(resolved(parameter["schema"])["description"].split())
        assert f"{argument(parameter['name'])}: {text}" in words
        if "default" in parameter["schema"]:
            assert f"The server's own default is {str(parameter['schema']['default']).lower()}." in words
    if json_body(name):
        assert f"body: {operation['requestBody'].get('description', '')}".strip() in words


def test_a_request_cannot_be_changed_and_is_equal_to_its_like():
    one, two = builder("list_workflow_logs")(page=2), builder("list_workflow_logs")(page=2)
    assert one == two != builder("list_workflow_logs")(page=3)
    with pytest.raises(AttributeError):
        one.path = "/other"  # type: ignore[misc]
    assert not hasattr(one, "__dict__")


# --- models ----------------------------------------------------------------------------------------------------------


def decoded(name: str, source: dict[str, Any]) -> Any:
    return getattr(models, name).from_dict(source)


def test_every_schema_has_a_class_and_no_other_class_is_there():
    assert set(models.__all__) == {*OBJECTS, *ENUMS}
    assert set(SCHEMAS) - {*OBJECTS, *ENUMS} == {"WorkflowStreamEvent"}


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_is_read_field_by_field(name: str):
    full = Samples().of({"$ref": f"#/{name}"})
    sources = [full, {}, {"a new field": {"deep": [1]}, **full, "another": None}]
    sources += [{key: value} for key, value in full.items()]
    for key, schema in SCHEMAS[name]["properties"].items():
        for one in map(resolved, alternatives(schema)):
            sources += [{**full, key: value} for value in ([*one["enum"], "never heard of"] if "enum" in one else ())]
    for source in sources:
        check_model(name, source, decoded(name, source))
    assert not hasattr(decoded(name, full), "_keys")  # nothing has to be remembered of what is as the spec says


@pytest.mark.parametrize("name", OBJECTS)
def test_a_model_made_by_hand_keeps_the_order_of_the_spec(name: str):
    fields = {key: f"the {key} of {name}" for key in SCHEMAS[name]["properties"]}
    given = {argument(key): value for key, value in reversed(fields.items())}
    made = getattr(models, name)(**given, additional_properties={"extra": 1})
    assert list(made.to_dict().items()) == [*fields.items(), ("extra", 1)]
    assert getattr(models, name)().to_dict() == {}


@pytest.mark.parametrize("name", OBJECTS)
def test_a_copy_is_equal_has_the_same_keys_and_is_mutable(name: str):
    full = Samples().of({"$ref": f"#/{name}"})
    for source in (full, full | {"extra": 1}, dict(list(full.items())[1:])):
        read = decoded(name, source)
        copied = copy.copy(read)
        assert copied == read
        assert list(copied.to_dict().items()) == list(source.items())
        copied.additional_properties["more"] = 2
        assert read.to_dict() == source


@pytest.mark.parametrize("name", OBJECTS)
def test_each_field_may_be_absent_null_zero_false_or_empty(name: str):
    full = Samples().of({"$ref": f"#/{name}"})
    for key in full:
        absent = {other: value for other, value in full.items() if other != key}
        for source in (absent, {**absent, "a new field": key}):
            check_model(name, source, decoded(name, source))
        for odd in (None, 0, False, "", 0.0, [], {}, "text", -1, [None], [[]]):
            source = {**full, key: odd}
            found = decoded(name, source)
            assert json.dumps(found.to_dict()) == json.dumps(source)
            assert found.additional_properties == {}
            if not isinstance(odd, (dict, list)):
                check_model(name, source, found)


@pytest.mark.parametrize("name", OBJECTS)
def test_each_time_has_a_companion_and_nothing_else_has(name: str):
    properties = SCHEMAS[name]["properties"]
    times = {
        key
        for key, schema in properties.items()
        if key.endswith("_at") and {resolved(one).get("type") for one in alternatives(schema)} - {"null"} == {"integer"}
    }
    assert {key for key in dir(getattr(models, name)) if key.endswith("_utc")} == {f"{key}_utc" for key in times}
    read = decoded(name, dict.fromkeys(times, 1_790_000_000))
    for key in times:
        assert getattr(read, f"{key}_utc") == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
        assert getattr(decoded(name, {}), f"{key}_utc") is None


@pytest.mark.parametrize("name", OBJECTS)
def test_the_arrays_that_are_always_there_are_named(name: str):
    required = SCHEMAS[name].get("required", [])
    arrays = [key for key, one in SCHEMAS[name]["properties"].items() if resolved(one).get("type") == "array"]
    assert getattr(models, name).array_fields == tuple(key for key in arrays if key in required)


@pytest.mark.parametrize("name", ENUMS)
def test_an_enum_has_exactly_the_values_of_the_spec(name: str):
    assert [member.value for member in getattr(models, name)] == SCHEMAS[name]["enum"]


# --- event streams ---------------------------------------------------------------------------------------------------

STREAMED = [name for name in OPERATIONS if "text/event-stream" in response_of(name)]


def test_the_operations_that_stream_are_known():
    assert STREAMED == ["stream_workflow_run_events", "run_workflow", "run_workflow_version"]
    assert [name for name in OPERATIONS if hasattr(module_of(name), "EVENTS")] == STREAMED


@pytest.mark.parametrize("name", STREAMED)
def test_each_event_has_the_model_that_the_spec_gives_it(name: str):
    module = module_of(name)
    assert module.EVENTS == EVENTS
    for event, model in EVENTS.items():
        assert module.load_event(event) is getattr(models, model)
        properties = SCHEMAS[model]["properties"]
        assert properties["event"]["const"] == event
        assert list(properties)[:3] == ["event", "workflow_run_id", "task_id"]


@pytest.mark.parametrize("name", STREAMED)
@pytest.mark.parametrize("event", ["ping", "", "Workflow_started", "done", None, 5, [], {}])
def test_any_other_event_is_kept_whole_in_the_model_for_others(name: str, event: Any):
    assert module_of(name).load_event(event) is models.WorkflowEvent
    source = {"event": event, "task_id": "t", "data": {"deep": [1]}, "new": None}
    found = module_of(name).load_event(event).from_dict(source)
    assert (found.event, found.task_id, found.workflow_run_id) == (event, "t", None)
    assert found.additional_properties == {"data": {"deep": [1]}, "new": None}
    assert json.dumps(found.to_dict()) == json.dumps(source)


# --- what is loaded --------------------------------------------------------------------------------------------------


def test_requests_load_no_model_and_models_no_attrs():
    program = f"""
import sys
from dify_workflow_api.api.runs import run_workflow, stream_workflow_run_events
from dify_workflow_api.api.files import upload_file
run_workflow.build_request(body={{}})
upload_file.build_request(file=b"")
stream_workflow_run_events.build_request(workflow_run_id={UUID!r}, user="u")
loaded = [name for name in sys.modules if name == "attrs" or name.startswith("dify_workflow_api.models.")]
assert loaded == [], loaded
run_workflow.load_event("text_chunk")
loaded = {{name for name in sys.modules if name.startswith("dify_workflow_api.models.")}}
assert loaded == {{"dify_workflow_api.models." + name for name in ("text_chunk_event", "text_chunk_data")}}, loaded
text = {{"event": "text_chunk", "data": {{"text": "a"}}}}
assert run_workflow.load_event("text_chunk").from_dict(text).to_dict() == text
assert not {{"attr", "attrs"}} & sys.modules.keys()  # which take longer to load than all models
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")

"""The compiled spec on every operation: its names, its parameters, its errors, and each response that was recorded.

What was measured on a server is asserted; what newer servers add may be there as well, unless a caller must give it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from jsonschema import Draft202012Validator
from openapi.parse import read_yaml
from openapi.tree import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
DOCUMENT: dict[str, Any] = plain(read_yaml((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8")))
COMPONENTS: dict[str, Any] = DOCUMENT["components"]
SCHEMAS: dict[str, Any] = COMPONENTS["schemas"]
REF = "#/components/schemas/"
OPERATIONS: dict[tuple[str, str], dict[str, Any]] = {
    (method.upper(), path): operation for path, item in DOCUMENT["paths"].items() for method, operation in item.items()
}
NAMES = {
    ("GET", "/workflows/logs"): ("logs", "list_workflow_logs"),
    ("POST", "/workflows/run"): ("runs", "run_workflow"),
    ("POST", "/workflows/{workflow_id}/run"): ("runs", "run_workflow_version"),
    ("GET", "/workflows/run/{workflow_run_id}"): ("runs", "get_workflow_run"),
    ("POST", "/workflows/tasks/{task_id}/stop"): ("runs", "stop_workflow_run"),
    ("GET", "/workflow/{workflow_run_id}/events"): ("runs", "stream_workflow_run_events"),
    ("GET", "/form/human_input/{form_token}"): ("forms", "get_form"),
    ("POST", "/form/human_input/{form_token}"): ("forms", "submit_form"),
    ("POST", "/files/upload"): ("files", "upload_file"),
    ("GET", "/end-users/{end_user_id}"): ("end_users", "get_end_user"),
    ("GET", "/info"): ("app", "get_app_info"),
    ("GET", "/parameters"): ("app", "get_app_parameters"),
    ("GET", "/meta"): ("app", "get_app_meta"),
    ("GET", "/site"): ("app", "get_app_site"),
}
EVENTS = {
    "workflow_started": "WorkflowStartedEvent",
    "node_started": "NodeStartedEvent",
    "node_finished": "NodeFinishedEvent",
    "node_retry": "NodeRetryEvent",
    "iteration_started": "IterationStartedEvent",
    "iteration_next": "IterationNextEvent",
    "iteration_completed": "IterationCompletedEvent",
    "loop_started": "LoopStartedEvent",
    "loop_next": "LoopNextEvent",
    "loop_completed": "LoopCompletedEvent",
    "text_chunk": "TextChunkEvent",
    "text_replace": "TextReplaceEvent",
    "reasoning_chunk": "ReasoningChunkEvent",
    "agent_log": "AgentLogEvent",
    "workflow_finished": "WorkflowFinishedEvent",
    "workflow_paused": "WorkflowPausedEvent",
    "human_input_required": "HumanInputRequiredEvent",
    "human_input_form_filled": "HumanInputFormFilledEvent",
    "human_input_form_timeout": "HumanInputFormTimeoutEvent",
    "tts_message": "TtsMessageEvent",
    "tts_message_end": "TtsMessageEndEvent",
    "message_file": "MessageFileEvent",
    "error": "ErrorEvent",
}


def schema_at(operation: dict[str, Any], status: str, content_type: str = "application/json") -> dict[str, Any]:
    response = operation["responses"].get(status, operation["responses"]["default"])
    if "$ref" in response:
        response = COMPONENTS["responses"][response["$ref"].rpartition("/")[2]]
    schema: dict[str, Any] = response["content"][content_type]["schema"]
    return schema


def errors(value: object, schema: dict[str, Any]) -> list[str]:
    """What a value has that its schema does not allow."""
    return [error.message for error in Draft202012Validator({**schema, "components": COMPONENTS}).iter_errors(value)]


def unknown_fields(value: Any, schema: dict[str, Any]) -> list[str]:
    """Fields that a response has and the spec does not name, at any depth."""
    if "$ref" in schema:
        return unknown_fields(value, SCHEMAS[schema["$ref"].removeprefix(REF)])
    if "anyOf" in schema:
        return min((unknown_fields(value, option) for option in schema["anyOf"]), key=len)
    if isinstance(value, list):
        return [name for item in value for name in unknown_fields(item, schema.get("items", {}))]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    known = schema["properties"]
    inner = [name for key in value if key in known for name in unknown_fields(value[key], known[key])]
    return [key for key in value if key not in known] + inner


# --- names and sources -----------------------------------------------------------------------------------------------


def test_every_operation_of_a_workflow_app_has_its_name_and_tag() -> None:
    found = {key: (one["tags"][0], one["operationId"]) for key, one in OPERATIONS.items()}
    assert found.items() >= NAMES.items()
    assert {tag["name"] for tag in DOCUMENT["tags"]} == {tag for tag, _ in found.values()}


@pytest.mark.parametrize("key", NAMES, ids=" ".join)
def test_every_operation_needs_the_key_and_describes_errors(key: tuple[str, str]) -> None:
    operation = OPERATIONS[key]
    assert operation["security"] == [{"ApiKeyAuth": []}]
    assert "servers" not in operation
    assert {"401", "403", "500", "default"} <= operation["responses"].keys()
    for status in operation["responses"]:
        if not status.startswith("2"):
            assert schema_at(operation, status) == {"$ref": REF + "ErrorResponse"}, status


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (("POST", "/workflows/run"), ["`data.status` is `failed`", "must not be sent again", "continues"]),
        (("POST", "/workflows/{workflow_id}/run"), ["published before", "must not be sent again"]),
        (
            ("GET", "/workflows/run/{workflow_run_id}"),
            ["status 200", "null in every", "from version 1.14 on it gets 404", "inside a string"],
        ),
        (("POST", "/workflows/tasks/{task_id}/stop"), ["always a success", "not compared", "stays `running`"]),
        (("POST", "/files/upload"), ["10 MB", "50 MB", "100 MB", "15 MB"]),
        *(
            (key, ["Servers from version 1.14 on", "404 and HTML"])
            for key in NAMES
            if key[1].startswith(("/workflow/", "/form/", "/end-users/"))
        ),
    ],
)
def test_the_traps_of_an_operation_are_written_down(key: tuple[str, str], words: list[str]) -> None:
    text = OPERATIONS[key]["description"]
    assert [word for word in words if word not in text] == []


def test_the_traps_of_its_errors_are_written_down() -> None:
    run = OPERATIONS["POST", "/workflows/run"]["responses"]
    assert "limit of concurrent runs" in run["400"]["description"]
    assert run["400"]["content"]["application/json"]["examples"]["busy"]["value"]["code"] == "invalid_param"
    assert "more than 255 characters" in run["500"]["description"]
    assert "not a UUID" in OPERATIONS["GET", "/workflows/run/{workflow_run_id}"]["responses"]["500"]["description"]


# --- parameters and bodies -------------------------------------------------------------------------------------------


def test_the_parameters_are_those_of_the_server() -> None:
    uuid, text, flag = {"type": "string", "format": "uuid"}, {"type": "string"}, {"type": "boolean", "default": False}
    found = {
        key: [
            (p["name"], p["in"], p.get("required", False), without_text(p["schema"]))
            for p in operation.get("parameters", [])
        ]
        for key, operation in OPERATIONS.items()
        if key in NAMES
    }
    measured: dict[tuple[str, str], list[Any]] = {
        ("GET", "/workflows/logs"): [
            ("keyword", "query", False, text),
            ("status", "query", False, {"anyOf": [{"$ref": f"{REF}WorkflowRunStatus"}, text]}),
            ("page", "query", False, {"type": "integer", "minimum": 1, "maximum": 99999, "default": 1}),
            ("limit", "query", False, {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
            ("created_at__before", "query", False, text),
            ("created_at__after", "query", False, text),
            ("created_by_end_user_session_id", "query", False, text),
            ("created_by_account", "query", False, text),
        ],
        ("POST", "/workflows/{workflow_id}/run"): [("workflow_id", "path", True, uuid)],
        ("GET", "/workflows/run/{workflow_run_id}"): [("workflow_run_id", "path", True, uuid)],
        ("POST", "/workflows/tasks/{task_id}/stop"): [("task_id", "path", True, text)],
        ("GET", "/workflow/{workflow_run_id}/events"): [
            ("workflow_run_id", "path", True, uuid),
            ("user", "query", True, text),
            ("include_state_snapshot", "query", False, flag),
            ("continue_on_pause", "query", False, flag),
        ],
        ("GET", "/form/human_input/{form_token}"): [("form_token", "path", True, text)],
        ("POST", "/form/human_input/{form_token}"): [("form_token", "path", True, text)],
        ("GET", "/end-users/{end_user_id}"): [("end_user_id", "path", True, text)],
    }
    for key, parameters in found.items():
        known = measured.get(key, [])
        assert [one for one in parameters if one in known] == known, key
        assert not [one for one in parameters if one not in known and one[2]], key


def without_text(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in ("description", "examples")}


@pytest.mark.parametrize(
    ("name", "required", "optional"),
    [
        ("WorkflowRunRequest", {"inputs", "user"}, {"response_mode", "files"}),
        ("InputFile", {"type", "transfer_method"}, {"url", "upload_file_id"}),
        ("StopRequest", {"user"}, set()),
        ("FormSubmission", {"inputs", "action", "user"}, set()),
    ],
)
def test_what_a_body_must_have_is_required(name: str, required: set[str], optional: set[str]) -> None:
    assert set(SCHEMAS[name]["required"]) == required
    assert set(SCHEMAS[name]["properties"]) >= required | optional


@pytest.mark.parametrize(
    ("body", "is_taken"),
    [
        ({"inputs": {}, "user": "u"}, True),
        ({"inputs": {"a": [1, None]}, "user": "u" * 255, "response_mode": None, "files": None}, True),
        ({"inputs": {}, "user": "u", "response_mode": "streaming", "new": 1}, True),
        ({"inputs": {}, "user": "u", "files": [{"type": "image", "transfer_method": "remote_url", "url": "u"}]}, True),
        ({"inputs": {}, "user": "u" * 256}, False),
        ({"inputs": {}, "user": ""}, False),
        ({"inputs": {}, "user": None}, False),
        ({"inputs": None, "user": "u"}, False),
        ({"inputs": "x", "user": "u"}, False),
        ({"inputs": {}}, False),
        ({"user": "u"}, False),
    ],
)
def test_a_body_is_allowed_as_the_server_takes_it(body: dict[str, Any], is_taken: bool) -> None:
    assert (errors(body, SCHEMAS["WorkflowRunRequest"]) == []) is is_taken


def test_an_upload_is_a_form_with_a_file_and_perhaps_a_user() -> None:
    body = OPERATIONS["POST", "/files/upload"]["requestBody"]
    [(content_type, media)] = body["content"].items()
    assert content_type == "multipart/form-data"
    assert media["schema"]["required"] == ["file"]
    found = {name: without_text(schema) for name, schema in media["schema"]["properties"].items()}
    assert found["file"] == {"type": "string", "format": "binary"}
    assert found["user"] == {"type": "string"}


# --- responses and events ---------------------------------------------------------------------------------------------


def test_the_successful_responses_are_the_servers() -> None:
    found = {
        operation["operationId"]: {
            status: {
                kind: media["schema"].get("$ref", "").removeprefix(REF)
                for kind, media in one.get("content", {}).items()
            }
            for status, one in operation["responses"].items()
            if status.startswith("2")
        }
        for operation in OPERATIONS.values()
    }
    stream = {"text/event-stream": "WorkflowStreamEvent"}
    measured = {
        "list_workflow_logs": {"200": {"application/json": "WorkflowLogPage"}},
        "run_workflow": {"200": {"application/json": "WorkflowRunResponse", **stream}},
        "run_workflow_version": {"200": {"application/json": "WorkflowRunResponse", **stream}},
        "get_workflow_run": {"200": {"application/json": "WorkflowRun"}},
        "stop_workflow_run": {"200": {"application/json": "StopResponse"}},
        "stream_workflow_run_events": {"200": stream},
        "get_form": {"200": {"application/json": "FormDefinition"}},
        "submit_form": {"200": {"application/json": ""}},
        "upload_file": {"201": {"application/json": "UploadedFile"}},
        "get_end_user": {"200": {"application/json": "EndUserDetail"}},
        "get_app_info": {"200": {"application/json": "AppInfo"}},
        "get_app_parameters": {"200": {"application/json": "AppParameters"}},
        "get_app_meta": {"200": {"application/json": "AppMeta"}},
        "get_app_site": {"200": {"application/json": "AppSite"}},
    }
    assert {name: {status: found[name][status] for status in measured[name]} for name in measured} == measured


def test_every_event_is_described_and_told_by_its_name() -> None:
    stream = SCHEMAS["WorkflowStreamEvent"]
    mapping = stream["discriminator"]["mapping"]
    assert [one["$ref"] for one in stream["oneOf"]] == list(mapping.values())
    assert [(event, name) for event, name in mapping.items() if event in EVENTS] == [
        (event, REF + name) for event, name in EVENTS.items()
    ]
    assert stream["discriminator"]["propertyName"] == "event"
    assert stream["discriminator"]["x-our-default"] == REF + "WorkflowEvent"
    for event, name in EVENTS.items():
        assert SCHEMAS[name]["properties"]["event"]["const"] == event
        assert "event" in SCHEMAS[name]["required"]


FLAT = {"tts_message", "tts_message_end", "message_file", "error"}


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_has_its_fields_in_data_with_known_exceptions(event: str) -> None:
    schema = SCHEMAS[EVENTS[event]]
    if event in FLAT:
        assert "data" not in schema["properties"]
    else:
        assert schema["required"] == ["event", "workflow_run_id", "task_id", "data"]
        assert list(schema["properties"])[:4] == schema["required"]
        data = EVENTS[event].removesuffix("Event") + "Data"
        assert schema["properties"]["data"]["$ref"] == REF + data


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_no_response_is_closed_to_new_fields(name: str) -> None:
    assert "additionalProperties" not in SCHEMAS[name]


@pytest.mark.parametrize("name", ["WorkflowRunStatus", "NodeStatus", "ResponseMode", "FileType", "FileTransferMethod"])
def test_every_enum_allows_unknown_values(name: str) -> None:
    uses = [node for node in walk(DOCUMENT) if {"$ref": REF + name} in node.get("anyOf", [])]
    assert uses
    assert all({"type": "string"} in node["anyOf"] for node in uses)
    assert json.dumps(DOCUMENT).count(f'"{REF}{name}"') == len(uses)


def walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(value)


# --- recordings ------------------------------------------------------------------------------------------------------


class Call(NamedTuple):
    operation: dict[str, Any]
    request: dict[str, Any]
    response: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.response["headers"].get("Content-Type", "")).partition(";")[0]


def calls() -> dict[str, Call]:
    """The recorded calls of operations."""
    found = {}
    for path in sorted((ROOT / "tests" / "recordings").glob("*.json")):
        exchange = json.loads(path.read_text(encoding="utf-8"))
        request = exchange["request"]
        for (method, template), operation in OPERATIONS.items():
            pattern = "/v1" + re.sub(r"\{\w+\}", "[^/]+", template)
            if method == request["method"] and re.fullmatch(pattern, request["path"]):
                found[path.stem] = Call(operation, request, exchange["response"])
    return found


CALLS = calls()


def test_every_operation_and_kind_of_response_is_recorded() -> None:
    assert len(CALLS) > 170
    newer = {"stream_workflow_run_events", "get_form", "submit_form", "get_end_user"}
    assert {call.operation["operationId"] for call in CALLS.values()} == {name for _, name in NAMES.values()} - newer
    assert {call.response["status"] for call in CALLS.values()} >= {200, 201, 400, 401, 403, 404, 413, 415, 500}
    assert {call.kind for call in CALLS.values()} == {"application/json", "text/event-stream"}


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if call.kind == "application/json"])
def test_a_recorded_response_matches_the_spec(name: str) -> None:
    operation, _, response = CALLS[name]
    schema = schema_at(operation, str(response["status"]))
    body = json.loads(response["body"])
    assert errors(body, schema) == []
    assert unknown_fields(body, schema) == []
    assert str(response["status"]) in operation["responses"]
    if response["status"] == 401:
        assert "WWW-Authenticate" in response["headers"]


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if call.kind == "text/event-stream"])
def test_each_event_of_a_recorded_stream_is_as_the_spec_says(name: str) -> None:
    operation, _, response = CALLS[name]
    schema = schema_at(operation, "200", "text/event-stream")
    blocks = [block for block in response["body"].split("\n\n") if block and block != "event: ping"]
    assert blocks
    for block in blocks:
        event = json.loads(block.removeprefix("data: "))
        assert errors(event, schema) == []
        assert unknown_fields(event, SCHEMAS[EVENTS[event["event"]]]) == []


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, call in CALLS.items()
        if call.response["status"] == 200 and call.request["method"] == "POST" and name != "run-list-user"
    ],
)
def test_a_recorded_request_that_was_taken_is_as_the_spec_says(name: str) -> None:
    operation, request, _ = CALLS[name]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert errors(json.loads(request["body"]), schema) == []

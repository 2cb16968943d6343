"""What was asked of a real Dify 1.11.2 is what the SDK sends, of every recorded exchange but those about the logs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from support.clients import EACH_DRIVER, Driver, recording
from support.multipart_bodies import Part, parts_of
from support.recordings import exchanged, load_recordings
from support.spec import SPEC

if TYPE_CHECKING:
    from support.clients import Story

ALL = load_recordings("recordings")
RECORDINGS = {name: one for name, one in ALL.items() if one["request"]["path"] != "/v1/workflows/logs"}

# Requests that no typed method can make, and why.
NO_METHOD = {
    "datasets-with-app-key": "GET /datasets is no operation of a workflow app",
    "messages-on-workflow-app": "GET /messages is no operation of a workflow app",
    "route-double-slash": "a path that the API does not have",
    "route-root": "a path that the API does not have",
    "route-trailing-slash": "a path that the API does not have",
    "route-unknown": "a path that the API does not have",
    "route-v1": "a path that the API does not have",
    "route-v2": "a path that the API does not have",
    "files-missing": "an upload always has its file",
    "files-no-auth": "the key is always sent",
    "run-empty-body": "a run always has a body",
    "run-form": "a body is always JSON",
    "run-text-plain": "a body is always called JSON",
    "run-response-mode-bogus": "the mode is blocking or streaming",
    "run-extra-toplevel": "a run has no more than its four fields",
    "stop-empty-body": "a stop always has a body",
}
# Requests whose arguments the SDK refuses before anything is sent.
REFUSED = {
    "run-empty-user": "^user must be a string",
    "run-null-user": "^user must be a string",
    "run-list-user": "^user must be a string",
    "run-inputs-string": "^inputs must be a mapping",
    "run-null-inputs": "^inputs must be a mapping",
    "run-missing-inputs": "^inputs must be a mapping",
    "runbyid-missing-inputs": "^inputs must be a mapping",
    "stop-missing-user": "^user must be a string",
    "rundetail-malformed": "^workflow_run_id must be a UUID",
}
MADE = [name for name in RECORDINGS if name not in NO_METHOD and name not in REFUSED]


OPERATIONS = {
    r"POST /v1/workflows/run": "run",
    r"POST /v1/workflows/(?P<workflow_id>[^/]+)/run": "run",
    r"GET /v1/workflows/run/(?P<workflow_run_id>[^/]+)": "get",
    r"POST /v1/workflows/tasks/(?P<task_id>[^/]+)/stop": "stop",
    r"POST /v1/files/upload": "upload",
    r"GET /v1/info": "info",
    r"GET /v1/meta": "meta",
    r"GET /v1/parameters": "parameters",
    r"GET /v1/site": "site",
}
CONTENT = b"a\r\n--b"


def operation_of(recording: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The operation that a recorded request is for, and the parameters in its path; "" when it is for none."""
    request = recording["request"]
    for pattern, operation in OPERATIONS.items():
        if found := re.fullmatch(pattern, f"{request['method']} {request['path']}"):
            return operation, {name: unquote(value) for name, value in found.groupdict().items()}
    return "", {}


def call_of(recording: dict[str, Any]) -> Story:
    """The call that makes a recorded request, with its own arguments."""
    operation, in_path = operation_of(recording)
    body = recording["request"]["body"]
    if operation == "run":
        asked = json.loads(body)
        arguments = {"user": asked.get("user")} | in_path
        if "files" in asked:
            arguments["files"] = asked["files"]
        if asked.get("response_mode") == "streaming":
            return lambda client: streamed(client, asked["inputs"], **arguments)
        return lambda client: client.runs.run(asked.get("inputs"), **arguments)
    if operation == "get":
        return lambda client: client.runs.get(in_path["workflow_run_id"])
    if operation == "stop":
        user = json.loads(body).get("user")
        return lambda client: client.runs.stop(in_path["task_id"], user=user)
    if operation == "upload":
        fields = dict(line.split("=", 1) for line in body["multipart"])
        filename, content_type = fields["file"].removeprefix("@").split(";type=")
        named = {"filename": filename, "content_type": content_type}
        return lambda client: client.files.upload(CONTENT, user=fields["user"], **named)
    return lambda client: getattr(client.app, operation)()


async def streamed(client: Any, inputs: Any, **arguments: Any) -> list[Any]:
    async with client.runs.stream(inputs, **arguments) as events:
        return [event async for event in events]


# --- runs -------------------------------------------------------------------------------------------------------------

UNKNOWN_RUNS = {"rundetail-nonexistent", "rundetail-using-log-id", "auth-advanced-chat-app-run-detail"}
FOUND_RUNS = sorted(
    name
    for name, recording in RECORDINGS.items()
    if operation_of(recording)[0] == "get" and recording["response"]["status"] == 200 and name not in UNKNOWN_RUNS
)


@EACH_DRIVER
@pytest.mark.parametrize("name", FOUND_RUNS)
def test_recorded_runs_have_inputs_and_outputs_as_values(driver: Driver, name: str):
    recording = RECORDINGS[name]
    run, _ = exchanged(driver, recording, call_of(recording))
    body = json.loads(recording["response"]["body"])
    for field in ("inputs", "outputs"):
        text = body[field]
        assert getattr(run, f"{field}_text") == text
        assert getattr(run, field) == (None if text is None else json.loads(text))
        assert text is None or isinstance(getattr(run, field), dict)


# --- requests ---------------------------------------------------------------------------------------------------------


def test_no_recording_is_left_out_without_a_reason():
    assert len(FOUND_RUNS) == 9
    assert sorted([*NO_METHOD, *REFUSED, *MADE]) == sorted(RECORDINGS)
    assert all(operation_of(RECORDINGS[name])[0] for name in [*MADE, *REFUSED])
    assert all(name.startswith(("logs-", "auth-", "combo-", "method-", "route-")) for name in ALL.keys() - RECORDINGS)


def new_defaults(recording: dict[str, Any]) -> set[str]:
    """The defaults of parameters that the operation has and its recordings do not: the SDK sends them always."""
    request = recording["request"]
    spec = {f"{method.upper()} /v1{path}": one for path, item in SPEC["paths"].items() for method, one in item.items()}
    there = {item.partition("=")[0] for item in request["query"].split("&")}
    return {
        f"{one['name']}={json.dumps(one['schema']['default']).strip(chr(34))}"
        for key, operation in spec.items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", key), f"{request['method']} {request['path']}")
        for one in operation.get("parameters", [])
        if one["in"] == "query" and "default" in one["schema"] and one["name"] not in {*there, "page", "limit"}
    }


@EACH_DRIVER
@pytest.mark.parametrize("name", MADE)
def test_the_sdk_sends_what_was_recorded(driver: Driver, name: str):
    recorded = RECORDINGS[name]["request"]
    _, sent = exchanged(driver, RECORDINGS[name], call_of(RECORDINGS[name]))
    assert sent.method == recorded["method"]
    path, _, query = sent.url.raw_path.decode().partition("?")
    assert path == recorded["path"]
    assert [item for item in query.split("&") if item and item not in new_defaults(RECORDINGS[name])] == [
        item for item in recorded["query"].split("&") if item
    ]
    assert sent.headers["authorization"].startswith("Bearer ")
    assert recorded["headers"]["Authorization"].startswith("Bearer ")
    if recorded["body"] is None:
        assert sent.content == b""
        assert "content-type" not in sent.headers
    elif isinstance(recorded["body"], str):
        body = json.loads(recorded["body"])
        if operation_of(RECORDINGS[name])[0] == "run":
            body = {"response_mode": "blocking"} | body  # left out, it means the same; the SDK always says it
        assert json.loads(sent.content) == body
        assert sent.headers["content-type"] == recorded["headers"]["Content-Type"]
    else:
        fields = dict(line.split("=", 1) for line in recorded["body"]["multipart"])
        filename, content_type = fields.pop("file").removeprefix("@").split(";type=")
        parts = {part.name: part for part in parts_of(sent.headers["content-type"], sent.content)}
        assert parts.pop("file") == Part("file", CONTENT, filename, content_type)
        assert parts == {name: Part(name, value.encode()) for name, value in fields.items()}


@EACH_DRIVER
@pytest.mark.parametrize(("name", "match"), REFUSED.items(), ids=REFUSED)
def test_a_refused_recorded_request_is_a_value_error(driver: Driver, name: str, match: str):
    sent, transport = recording()
    with pytest.raises(ValueError, match=match):
        driver.play("http://127.0.0.1:1", call_of(RECORDINGS[name]), http={"transport": transport})
    assert sent == []

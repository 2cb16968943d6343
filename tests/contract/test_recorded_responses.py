"""Every recorded response of real servers is its model without loss, or the error that is promised."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from dify_workflow_api.api.runs import run_workflow
from support.clients import EACH_DRIVER, Driver
from support.recordings import exchanged, load_recordings
from support.spec import SPEC, check_model, unknown_fields

from dify_workflow import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitError,
    UnsupportedMediaTypeError,
    WorkflowStreamError,
    models,
)
from dify_workflow.results import Upload, WorkflowRunDetail, WorkflowRunResult

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDERS = ("recordings", "recordings-1.14.2", "recordings-1.16.1", "recordings-time-zones")
RECORDINGS = {
    f"{folder.removeprefix('recordings-')}/{name}": recording
    for folder in FOLDERS
    for name, recording in load_recordings(folder).items()
    if name not in {"method-HEAD-logs", "method-OPTIONS-logs"}  # which are no calls of the SDK
}
ID = "0b6ad0fc-7a3e-4e1c-8d5f-2f1b9c3d4e5a"


async def streamed(client: Any) -> list[Any]:
    async with client.runs.stream({}, user="u") as events:
        return [event async for event in events]


async def followed(client: Any) -> list[Any]:
    async with client.runs.events(ID, user="u") as events:
        return [event async for event in events]


# The calls that make requests like the recorded ones, and the models of their responses.
CALLS: dict[str, tuple[Callable[[Any], Any], type[Any]]] = {
    "GET /v1/workflows/logs": (lambda client: client.logs.list(), models.WorkflowLogPage),
    r"GET /v1/workflows/run/.+": (lambda client: client.runs.get(ID), WorkflowRunDetail),
    r"POST /v1/workflows/(.+/)?run": (lambda client: client.runs.run({}, user="u"), WorkflowRunResult),
    r"POST /v1/workflows/tasks/.+/stop": (lambda client: client.runs.stop("t", user="u"), models.StopResponse),
    r"GET /v1/workflow/.+/events": (followed, list),
    "POST /v1/files/upload": (lambda client: client.files.upload(b"x", user="u", filename="x.txt"), Upload),
    r"GET /v1/form/human_input/.+": (lambda client: client.forms.get("t"), models.FormDefinition),
    r"POST /v1/form/human_input/.+": (
        lambda client: client.forms.submit("t", inputs={}, action="a", user="u"),
        type(None),
    ),
    r"GET /v1/end-users/.+": (lambda client: client.end_users.get(ID), models.EndUserDetail),
    "GET /v1/info": (lambda client: client.app.info(), models.AppInfo),
    "GET /v1/parameters": (lambda client: client.app.parameters(), models.AppParameters),
    "GET /v1/meta": (lambda client: client.app.meta(), models.AppMeta),
    "GET /v1/site": (lambda client: client.app.site(), models.AppSite),
}


def call_of(recording: dict[str, Any]) -> tuple[Callable[[Any], Any], type[Any]]:
    request, response = recording["request"], recording["response"]
    line = f"{request['method']} {request['path']}"
    for pattern, call in CALLS.items():
        if re.fullmatch(pattern, line):
            streams = response["headers"]["Content-Type"].startswith("text/event-stream")
            return (streamed, list) if streams and request["method"] == "POST" else call
    return (lambda client: client.request(request["method"], "/nope"), dict)


ERRORS: dict[int, type[APIStatusError]] = {
    308: APIStatusError,
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: APIStatusError,
    412: APIStatusError,
    413: PayloadTooLargeError,
    415: UnsupportedMediaTypeError,
    500: InternalServerError,
}
UNKNOWN_RUNS = {"rundetail-nonexistent", "rundetail-using-log-id", "auth-advanced-chat-app-run-detail"}
BROKEN_STREAMS = {"run-broken-graph-streaming"}


@EACH_DRIVER
@pytest.mark.parametrize("name", RECORDINGS)
def test_every_recorded_response_is_its_model_or_promised_error(driver: Driver, name: str):
    recording, short = RECORDINGS[name], name.rpartition("/")[2]
    response, (story, model) = recording["response"], call_of(recording)
    outcome, _ = exchanged(driver, recording, story)
    is_json = response["headers"]["Content-Type"].startswith("application/json")
    body = json.loads(response["body"]) if is_json and response["body"] else response["body"]

    if response["status"] >= 300:
        assert type(outcome) is (RateLimitError if "ratelimit-" in name else ERRORS[response["status"]])
        assert (outcome.status_code, outcome.body) == (response["status"], body)
        assert outcome.headers["x-version"] == response["headers"]["X-Version"]
        if is_json and body:
            assert (outcome.code, outcome.message) == (body["code"], body["message"])
            assert f": {response['status']} {body['code']}: " in str(outcome)
        else:
            assert outcome.code is None
            assert "<" not in str(outcome)
    elif short in UNKNOWN_RUNS and set(body.values()) == {None}:
        assert type(outcome) is NotFoundError
        assert outcome.body == body
        assert "`workflow_run.id` is the run's id" in str(outcome)
    elif short in BROKEN_STREAMS:
        event = json.loads(body.removeprefix("data: "))
        assert type(outcome) is WorkflowStreamError
        assert (outcome.code, outcome.status, outcome.message) == (event["code"], event["status"], event["message"])
        assert len(str(outcome)) < 1000
    elif model is list:
        events = events_of(response["body"])
        assert [event.to_dict() for event in outcome] == events
        assert [type(event) for event in outcome] == [model_of(event) for event in events]
        assert events[-1]["event"] in {"workflow_finished", "workflow_paused"}
    elif model is type(None):
        assert (outcome, response["body"]) == (None, "{}\n")
    else:
        assert type(outcome) is model
        assert outcome.to_dict() == body
        if name.startswith("recordings/"):  # the spec's order of fields is that of 1.11.2
            assert json.dumps(outcome.to_dict()) == json.dumps(body)


def test_no_field_that_recordings_share_is_unknown_to_the_models():
    unknown: Counter[str] = Counter()
    for name, recording in RECORDINGS.items():
        body, model = recording["response"]["body"], call_of(recording)[1]
        if recording["response"]["status"] >= 300 or model in (dict, type(None)):
            continue
        if model is list:
            found = [model_of(event).from_dict(event) for event in events_of(body)]
        else:
            found = [model.from_dict(json.loads(body))]
        assert found, name
        unknown.update({field for value in found for field in unknown_fields(value)})
        for value in found if model is list or hasattr(models, model.__name__) else ():
            check_model(type(value).__name__, value.to_dict(), value)
    assert not unknown, "fields that the stored spec does not have"


def events_of(body: str) -> list[dict[str, Any]]:
    return [json.loads(frame.removeprefix("data: ")) for frame in body.split("\n\n") if frame.startswith("data: ")]


def model_of(event: dict[str, Any]) -> type[Any]:
    return getattr(models, run_workflow.EVENTS[event["event"]])


def test_each_kind_of_response_was_recorded():
    lines = [f"{recording['request']['method']} {recording['request']['path']}" for recording in RECORDINGS.values()]
    for pattern in CALLS:
        assert any(re.fullmatch(pattern, line) for line in lines), pattern
    assert len(RECORDINGS) == 402
    pages = [one["response"]["body"] for name, one in RECORDINGS.items() if "/logs-" in name]
    logs = [log for body in pages if body.startswith("{") for log in json.loads(body).get("data", ())]
    assert len(logs) > 300
    for creator in ("created_by_account", "created_by_end_user"):
        assert {log[creator] is None for log in logs} == {True, False}
    assert len({log["workflow_run"]["status"] for log in logs}) > 3


def test_a_paused_run_has_typed_reasons():
    run = RECORDINGS["1.16.1/form-run-stream-paused"]["response"]["body"]
    paused = events_of(run)[-1]["data"]
    outcome = {**{name: paused[name] for name in ("paused_nodes", "reasons", "status")}, "id": ID, "outputs": {}}
    result = models.WorkflowRunOutcome.from_dict(outcome)
    assert result.reasons is not None
    (reason,) = result.reasons
    assert isinstance(reason, models.PauseReason)
    assert (reason.type, reason.approval_channels) == ("human_input_required", ["console"])
    assert reason.form_token == paused["reasons"][0]["form_token"]
    assert result.to_dict() == outcome
    assert unknown_fields(result) == []


def test_the_spec_names_the_newest_measured_version():
    assert SPEC["info"]["version"] == "1.16.1"

"""What both facades make of responses, for every operation of the spec: each field present, absent, null, odd, new."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

import facade_coverage
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi.references import followed
from support.clients import DRIVERS, EACH_DRIVER, Driver
from support.fault_server import KEY
from support.operation_calls import DOORS, Call, outcomes
from support.spec import (
    EVENTS,
    OPERATIONS,
    SCHEMAS,
    SPEC,
    Samples,
    Variant,
    check_model,
    resolved,
    response_of,
    unknown_fields,
    variants,
)
from support.strategies import any_object, is_json

import dify_workflow
from dify_workflow import (
    APIResponseError,
    APIStatusError,
    DifyError,
    WorkflowStreamError,
    models,
    results,
)
from dify_workflow._http.library import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RUN = "0b6ad0fc-7a3e-4e1c-8d5f-2f1b9c3d4e5a"

STREAMS = {
    "runs.events": {"workflow_run_id": RUN, "user": "u"},
    "runs.stream": {"inputs": {}, "user": "u"},
}
# What is given for a parameter that a method insists on.
GIVEN = {
    "file": b"x",
    "filename": "x.txt",
    "user": "u",
    "inputs": {},
    "action": "a",
    "form_token": "t",
    "task_id": "t",
    "end_user_id": RUN,
    "workflow_run_id": RUN,
}
OPERATION_OF = {operation.key: operation.name for operation in facade_coverage.operations(SPEC)}


def response_model(operation: str) -> str | None:
    """The schema of an operation's response; None where it is an object without fields."""
    reference = response_of(operation)["application/json"]["schema"].get("$ref", "")
    return reference.rpartition("/")[2] or None


def calls() -> dict[str, dict[str, Any]]:
    """One call of each method that gives what the server sent."""
    found = {}
    for name, door in DOORS.items():
        is_walk = "GET /workflows/logs" in door.keys and name != "logs.list"
        if is_walk or name in STREAMS or "application/json" not in response_of(OPERATION_OF[door.keys[0]]):
            continue
        signature = inspect.signature(door.function)
        if signature.return_annotation == "None" and response_model(OPERATION_OF[door.keys[0]]):
            continue  # it uses the response itself, as `app.check_inputs` does
        parameters = signature.parameters.values()
        needed = [one.name for one in parameters if one.default is one.empty and one.name != "self"]
        found[name] = {one: GIVEN.get(one, RUN) for one in [*needed, *(["filename"] if "file" in needed else [])]}
    return found


CALLS = calls()
# What the facade derives from the operation's model.
DERIVED = {
    "files.upload": results.Upload,
    "runs.get": results.WorkflowRunDetail,
    "runs.run": results.WorkflowRunResult,
}
OF_STATUS = {
    "400": "BadRequestError",
    "401": "AuthenticationError",
    "403": "PermissionDeniedError",
    "404": "NotFoundError",
    "412": "APIStatusError",
    "413": "PayloadTooLargeError",
    "415": "UnsupportedMediaTypeError",
    "429": "RateLimitError",
    "500": "InternalServerError",
    "default": "APIStatusError",
}

EACH_METHOD = pytest.mark.parametrize("method", CALLS)


def operation_of(method: str) -> str:
    return OPERATION_OF[DOORS[method].keys[0]]


def model_of(method: str) -> str | None:
    """The schema of a method's response; None where it is an object without fields."""
    return response_model(operation_of(method))


def status_of(method: str) -> int:
    [status] = [int(status) for status in OPERATIONS[operation_of(method)][2]["responses"] if status.startswith("2")]
    return status


def given_by(driver: Driver, method: str, bodies: Iterable[Any]) -> Iterator[Any]:
    """What a method gives for each of these responses: its value, or its error."""
    bodies = list(bodies)
    responses = iter(bodies)
    calls = [Call(method, CALLS[method])] * len(bodies)
    made = outcomes(driver, lambda _: httpx.Response(status_of(method), json=next(responses)), calls)
    return (outcome.error or outcome.value for outcome in made)


def test_every_method_with_a_response_is_covered():
    assert {"app.info", "files.upload", "forms.submit", "logs.list", "runs.get", "runs.run"} < {*CALLS}
    covered = {OPERATION_OF[key] for name in (*CALLS, *STREAMS) for key in DOORS[name].keys}
    assert covered == {name for name in OPERATIONS if response_of(name)}


def assert_conforms(name: str, variant: Variant) -> None:
    """The walk's own samples must obey the spec, or the walk proves nothing."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": SPEC["components"]}
    errors = list(jsonschema.Draft202012Validator(schema).iter_errors(variant.value))
    assert errors == [], variant.place


def all_variants(name: str) -> list[Variant]:
    full = Samples().of({"$ref": f"#/{name}"})
    return [Variant("", full), *variants({"$ref": f"#/{name}"}, full)]


WALKED = sorted({name for method in CALLS if (name := model_of(method))} | set(EVENTS.values()))


@pytest.mark.parametrize("name", WALKED)
def test_the_samples_obey_the_spec_and_differ_from_each_other(name: str):
    walked = all_variants(name)
    for variant in walked:
        if "never heard of" not in json.dumps(variant.value):  # an address is text of any kind here
            assert_conforms(name, variant)
    scalars = list(scalars_of(walked[0].value))
    assert len(set(scalars)) == len(scalars)


def scalars_of(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from scalars_of(one)
    elif not isinstance(value, bool) and not is_enum_value(value):
        yield value


def is_enum_value(value: Any) -> bool:
    return any(value in schema["enum"] for schema in SCHEMAS.values() if "enum" in schema)


@EACH_DRIVER
@EACH_METHOD
def test_each_allowed_response_is_kept_field_by_field(driver: Driver, method: str):
    name = model_of(method)
    if name is None:
        assert list(given_by(driver, method, [{}, {"new": [1]}])) == [None, None]
        return
    walked = all_variants(name)
    for variant, found in zip(walked, given_by(driver, method, [one.value for one in walked]), strict=True):
        if isinstance(found, Exception):
            raise AssertionError(variant.place) from found
        check_model(name, variant.value, found, DERIVED.get(method))
        assert unknown_fields(found) == (["a new field"] if variant.is_new else []), variant.place


@EACH_DRIVER
@EACH_METHOD
def test_a_response_lacking_promised_fields_is_kept_or_refused(driver: Driver, method: str):
    name = model_of(method)
    if name is None:
        return
    full, schema = Samples().of({"$ref": f"#/{name}"}), SCHEMAS[name]
    without = {field: {key: value for key, value in full.items() if key != field} for field in schema["required"]}
    for field, found in zip(without, given_by(driver, method, without.values()), strict=True):
        if resolved(schema["properties"][field]).get("type") == "array":
            assert isinstance(found, APIResponseError), field
            assert f"list {field!r}" in str(found)
        else:
            check_model(name, without[field], found, DERIVED.get(method))
            assert getattr(found, field) is None
    for value, found in zip(JUNK, given_by(driver, method, JUNK), strict=True):
        assert isinstance(found, APIResponseError), value


JUNK: list[Any] = [None, [], "text", 5, True]


# --- errors ----------------------------------------------------------------------------------------------------------


def described_errors(operation: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The statuses of an operation's errors, each with bodies of its kind."""
    for status, response in OPERATIONS[operation][2]["responses"].items():
        if not status.startswith("2"):
            media = followed(SPEC, response)["content"]["application/json"]
            assert media["schema"] == {"$ref": "#/components/schemas/ErrorResponse"}
            yield status, Samples().of({"$ref": "#/ErrorResponse"})
            for example in media.get("examples", {}).values():
                yield status, example["value"]


@EACH_DRIVER
@pytest.mark.parametrize("method", [*CALLS, *STREAMS])
def test_each_described_error_has_its_class_and_details(driver: Driver, method: str):
    for key in DOORS[method].keys:
        arguments = {**CALLS, **STREAMS}[method]
        if OPERATION_OF[key] == "run_workflow_version":
            arguments = {**arguments, "workflow_id": RUN}
        for described, body in described_errors(OPERATION_OF[key]):
            status = 418 if described == "default" else int(described)
            response = httpx.Response(status, json=body)
            [outcome] = outcomes(driver, lambda _, it=response: it, [Call(method, arguments)], max_retries=0)
            error = outcome.error
            name = "RateLimitError" if body["message"].startswith("Too many requests") else OF_STATUS[described]
            assert type(error) is getattr(dify_workflow, name), (status, body)
            assert isinstance(error, APIStatusError)
            assert isinstance(error, DifyError)
            assert (error.status_code, error.code, error.message) == (status, body["code"], body["message"])
            assert error.body == body
            operation_method, path, _ = OPERATIONS[OPERATION_OF[key]]
            assert str(error).startswith(f"{operation_method.upper()} /base/v1{path.partition('{')[0]}")
            assert KEY not in str(error)


# --- streams ---------------------------------------------------------------------------------------------------------


def streamed(events: Iterable[dict[str, Any]]) -> httpx.Response:
    text = "event: ping\n\n" + "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    return httpx.Response(200, text=text, headers={"Content-Type": "text/event-stream"})


FINISHED = Samples().of({"$ref": f"#/{EVENTS['workflow_finished']}"})


@EACH_DRIVER
@pytest.mark.parametrize("method", STREAMS)
@pytest.mark.parametrize("event", [event for event in EVENTS if event != "error"])
def test_each_event_of_a_stream_is_held_field_by_field(driver: Driver, method: str, event: str):
    walked = all_variants(EVENTS[event])
    last = Variant("", FINISHED)
    # What nothing can follow ends the iteration: each variant of it gets a stream of its own.
    is_end = method == "runs.events" and event in {"workflow_finished", "workflow_paused"}
    streams = [[one] for one in walked] if is_end else [[*walked, last]]
    sent = iter([[one.value for one in stream] for stream in streams])
    made = outcomes(driver, lambda _: streamed(next(sent)), [Call(method, STREAMS[method])] * len(streams))
    found_events: list[Any] = []
    for outcome in made:
        if outcome.error is not None:
            raise outcome.error
        found_events += outcome.value
    for variant, found in zip((one for stream in streams for one in stream), found_events, strict=True):
        check_model(EVENTS[variant.value["event"]], variant.value, found)
        assert unknown_fields(found) == (["a new field"] if variant.is_new else []), variant.place


@EACH_DRIVER
@pytest.mark.parametrize("method", STREAMS)
def test_an_unknown_event_is_returned_whole(driver: Driver, method: str):
    new = {"event": "never heard of", "task_id": "t", "workflow_run_id": "r", "data": {"deep": [1]}}
    [outcome] = outcomes(driver, lambda _: streamed([new, FINISHED]), [Call(method, STREAMS[method])])
    found = outcome.value[0]
    assert type(found) is models.WorkflowEvent
    assert (found.event, found.task_id, found.workflow_run_id) == ("never heard of", "t", "r")
    assert found.to_dict() == new


@EACH_DRIVER
@pytest.mark.parametrize("method", STREAMS)
def test_an_error_event_ends_the_stream_with_its_details(driver: Driver, method: str):
    source = Samples().of({"$ref": f"#/{EVENTS['error']}"})
    for event in (source, {**source, "a new field": 1}, {**source, "workflow_run_id": None}):
        [outcome] = outcomes(driver, lambda _, event=event: streamed([event]), [Call(method, STREAMS[method])])
        assert type(outcome.error) is WorkflowStreamError
        assert (outcome.error.code, outcome.error.status, outcome.error.message) == (
            source["code"],
            source["status"],
            source["message"],
        )


# --- properties ------------------------------------------------------------------------------------------------------


def is_nothing(value: dict[str, Any]) -> bool:
    return all(one is None for one in value.values())  # how Dify 1.11 says that there is no such run


every_run_alike = settings(
    max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.parametrize("method", [method for method in CALLS if model_of(method)])
@given(data=st.data())
@every_run_alike
def test_whatever_the_spec_allows_to_come_is_held_as_it_came(method: str, data: st.DataObject):
    name = model_of(method)
    assert name
    source = data.draw(any_object(name))
    if method == "runs.get" and (is_nothing(source) or is_json(source["inputs"]) or is_json(source["outputs"])):
        return  # these have tests of their own
    for driver in DRIVERS:
        [found] = given_by(driver, method, [source])
        check_model(name, source, found, DERIVED.get(method))
        assert unknown_fields(found) == []


@pytest.mark.parametrize("event", [event for event in EVENTS if event != "error"])
@given(data=st.data())
@every_run_alike
def test_whatever_event_the_spec_allows_is_held_as_it_came(event: str, data: st.DataObject):
    source = data.draw(any_object(EVENTS[event]))
    for driver in DRIVERS:
        [outcome] = outcomes(
            driver, lambda _: streamed([source, FINISHED]), [Call("runs.stream", STREAMS["runs.stream"])]
        )
        check_model(EVENTS[event], source, outcome.value[0])
        assert unknown_fields(outcome.value[0]) == []

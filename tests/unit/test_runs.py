"""Inputs and files that cannot be sent are refused before anything is sent, and what is sent for others.

That every argument is checked as the spec says is stated in `contract/test_contract_requests.py`.
"""

from __future__ import annotations

import json
from collections import ChainMap, OrderedDict
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clients import EACH_DRIVER, AsyncDriver, Driver, recording

from dify_workflow import models, remote_file
from dify_workflow._runs.arguments import checked_field, fields_body, form_body, run_body, user_body
from dify_workflow.results import Upload

RUN = "fa4cf86e-b841-4148-a141-7c32afcb82ce"
UPLOAD = Upload.from_dict({"id": "u-1", "name": "a.pdf", "mime_type": "application/pdf"})
AS_INPUT = {"type": "document", "transfer_method": "local_file", "upload_file_id": "u-1"}


def refused(driver: Driver, action: Any, match: str) -> None:
    """The action is a ValueError, and nothing reaches the transport."""
    sent, transport = recording()
    with pytest.raises(ValueError, match=match):
        driver.play("http://127.0.0.1:1", action, http={"transport": transport})
    assert sent == []


def body_of(action: Any) -> Any:
    """The JSON body that an action sends."""
    sent, transport = recording(body={"task_id": "t", "workflow_run_id": "r", "data": {}})
    AsyncDriver().play("http://127.0.0.1:1", action, http={"transport": transport})
    [request] = sent
    assert request.headers["content-type"] == "application/json"
    return json.loads(request.content)


# Each operation that has these arguments, with everything else right.

EMPTY: dict[str, Any] = {}


async def run(client: Any, inputs: Any = EMPTY, **options: Any) -> Any:
    return await client.runs.run(inputs, **{"user": "u"} | options)


async def stream(client: Any, inputs: Any = EMPTY, **options: Any) -> Any:
    async with client.runs.stream(inputs, **{"user": "u"} | options):
        raise AssertionError("a stream was begun")


async def submit(client: Any, inputs: Any = EMPTY, **options: Any) -> Any:
    return await client.forms.submit("t", inputs=inputs, **{"action": "ok", "user": "u"} | options)


WITH_INPUTS = [run, stream, submit]
EACH_WITH_INPUTS = pytest.mark.parametrize("operation", WITH_INPUTS, ids=lambda operation: operation.__name__)


# --- the session of the server's tracing ------------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize("operation", [run, stream], ids=lambda operation: operation.__name__)
def test_a_blank_trace_session_is_refused_as_by_servers(driver: Driver, operation: Any):
    refused(driver, lambda client: operation(client, trace_session_id=" \n"), "^trace_session_id must be ")


# --- inputs -----------------------------------------------------------------------------------------------------------

CYCLE: list[Any] = []
CYCLE.append(CYCLE)
ROUND: dict[str, Any] = {}
ROUND["a"] = [ROUND]
DEEP: Any = None
for _ in range(100_000):
    DEEP = [DEEP]


class Opaque:
    def __repr__(self) -> str:
        return "<opaque>"


NOT_JSON = {
    "NaN": float("nan"),
    "infinity": float("-inf"),
    "NaN inside": [{"a": float("nan")}],
    "set": {1},
    "bytes": b"x",
    "bytes inside": {"a": [b"x"]},
    "object": Opaque(),
    "complex": 1j,
    "uuid": UUID(RUN),
    "mapping that is no dict": MappingProxyType({}),
    "model": models.StopResponse(result="x"),
    "lone surrogate": "\ud800",
    "cycle of lists": CYCLE,
    "cycle of dicts": ROUND,
    "nested too deep": DEEP,
    "key that is no text": {("a",): 1},
    "generator": (number for number in range(3)),
}


@EACH_DRIVER
@EACH_WITH_INPUTS
@pytest.mark.parametrize("value", NOT_JSON.values(), ids=NOT_JSON)
def test_an_input_that_is_no_json_is_refused_by_its_name(driver: Driver, operation: Any, value: Any):
    refused(
        driver, lambda client: operation(client, {"good": 1, "bad": value}), r"^inputs\['bad'\] must be a JSON value: "
    )


@EACH_DRIVER
@EACH_WITH_INPUTS
@pytest.mark.parametrize(
    "inputs",
    [
        *("text", [("a", 1)], ["a"], 7, b"x", {"a"}, UPLOAD, {1: "x"}, {None: "x"}, {"a": 1, b"b": 2}),
        *(None, [], "", 0, ()),
    ],
    ids=repr,
)
def test_inputs_that_are_no_mapping_of_names_are_refused(driver: Driver, operation: Any, inputs: Any):
    refused(driver, lambda client: operation(client, inputs), "^inputs must be a mapping")


@EACH_DRIVER
def test_a_stream_refuses_its_arguments_where_it_is_made(driver: Driver):
    async def make_stream(client: Any) -> None:
        client.runs.stream({"a": b"x"}, user="u")

    async def make_events(client: Any) -> None:
        client.runs.events("no-uuid", user="u")

    refused(driver, make_stream, "must be a JSON value")
    refused(driver, make_events, "^workflow_run_id must be a UUID")


class Mode(StrEnum):
    FAST = "fast"


def test_every_json_value_is_an_input_and_uploads_are_converted():
    inputs = OrderedDict(
        text="流 é😀\u2028",
        number=1.5,
        large=10**40,
        nothing=None,
        yes=True,
        enum=Mode.FAST,
        pair=(1, [2, ("a",)]),
        object={"a": {"b": [None]}},
        upload=UPLOAD,
        uploads=[UPLOAD, (UPLOAD,)],
        remote=remote_file("https://example.com/a.png", "image"),
    )
    sent = body_of(lambda client: client.runs.run(inputs, user="u"))
    assert sent == {
        "inputs": {
            "text": "流 é😀\u2028",
            "number": 1.5,
            "large": 10**40,
            "nothing": None,
            "yes": True,
            "enum": "fast",
            "pair": [1, [2, ["a"]]],
            "object": {"a": {"b": [None]}},
            "upload": AS_INPUT,
            "uploads": [AS_INPUT, [AS_INPUT]],
            "remote": {"type": "image", "transfer_method": "remote_url", "url": "https://example.com/a.png"},
        },
        "response_mode": "blocking",
        "user": "u",
    }
    assert inputs["upload"] is UPLOAD, "what the caller gave is not changed"


def test_any_mapping_is_taken_for_inputs():
    for inputs in (MappingProxyType({"a": 1}), ChainMap({"a": 1})):
        assert body_of(lambda client, inputs=inputs: client.runs.run(inputs, user="u"))["inputs"] == {"a": 1}


def test_a_form_takes_what_a_run_takes():
    assert body_of(
        lambda client: client.forms.submit("t", inputs={"doc": UPLOAD, "ok": True}, action="approve", user="u")
    ) == {"inputs": {"doc": AS_INPUT, "ok": True}, "action": "approve", "user": "u"}


# --- files ------------------------------------------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize("operation", [run, stream], ids=lambda operation: operation.__name__)
@pytest.mark.parametrize(
    "files", ["a.pdf", b"x", UPLOAD, UPLOAD.as_input(), 7, True], ids=lambda files: repr(files)[:9]
)
def test_files_that_are_no_list_are_refused(driver: Driver, operation: Any, files: Any):
    refused(driver, lambda client: operation(client, files=files), "^files must be a list of uploads")


@EACH_DRIVER
@pytest.mark.parametrize(
    "file", ["a.pdf", b"x", None, 7, [UPLOAD], Opaque(), {"a": b"x"}], ids=lambda file: repr(file)[:9]
)
def test_files_that_are_no_files_are_refused_by_their_number(driver: Driver, file: Any):
    refused(driver, lambda client: run(client, files=[UPLOAD, file]), r"^files\[1\] must be ")


def test_files_are_uploads_and_what_stands_for_them():
    remote = remote_file("https://example.com/a.mp3", "audio")
    for files in ([UPLOAD, AS_INPUT, remote], (UPLOAD, AS_INPUT, remote), iter([UPLOAD, AS_INPUT, remote])):
        sent = body_of(lambda client, files=files: client.runs.run({}, user="u", files=files))
        assert sent["files"] == [AS_INPUT, AS_INPUT, remote]
    assert "files" not in body_of(lambda client: client.runs.run({}, user="u"))
    assert body_of(lambda client: client.runs.run({}, user="u", files=[]))["files"] == []


# --- client.request ---------------------------------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize("expect", ["text", "", None, "JSON", 7, [], {}], ids=repr)
def test_what_is_expected_of_a_plain_request_is_checked(driver: Driver, expect: Any):
    refused(driver, lambda client: client.request("GET", "/info", expect=expect), "^expect must be 'json' or 'bytes'")


@EACH_DRIVER
@pytest.mark.parametrize(
    "name", ["NaN", "set", "bytes", "object", "lone surrogate", "cycle of lists", "nested too deep"]
)
def test_the_body_of_a_plain_request_must_be_json(driver: Driver, name: str):
    value = NOT_JSON[name]
    refused(driver, lambda client: client.request("POST", "/x", json=value), "^the body must be a JSON value: ")


def test_fields_of_a_newer_spec_are_checked_by_their_kind():
    taken: list[tuple[str, Any, dict[str, Any]]] = [
        ("text", "x", {"longest": 3}),
        ("integer", 7, {"minimum": 7}),
        ("number", 1.5, {}),
        ("boolean", False, {}),
        ("object", {"a": [1]}, {}),
        ("array", ["x", "y"], {"items": "text"}),
        ("array", [1, "y"], {}),
    ]
    for kind, value, bounds in taken:
        assert checked_field("new", value, kind, **bounds) == value
        assert checked_field("new", None, kind, **bounds) is None
        with pytest.raises(ValueError, match="new must be given"):
            checked_field("new", None, kind, required=True, **bounds)
    assert checked_field("new", iter("xy"), "array", items="text") == ["x", "y"]
    assert checked_field("new", models.WorkflowRunStatus.FAILED, "text") == "failed"
    refused: list[tuple[str, Any, dict[str, Any], str]] = [
        ("text", "long", {"longest": 3}, "^new "),
        ("text", 7, {}, "^new "),
        ("integer", 6, {"minimum": 7}, "^new "),
        ("boolean", "yes", {}, "^new "),
        ("object", {1: 2}, {}, "^new must be a mapping with names for keys, got "),
        ("object", [], {}, "^new must be a mapping"),
        ("object", {"a": object()}, {}, "^new must be a JSON value"),
        ("array", "xy", {}, "^new must be a list, got 'xy'"),
        ("array", {}, {}, "^new must be a list"),
        ("array", 7, {}, "^new must be a list"),
        ("array", ["x", 7], {"items": "text"}, r"^new\[1\] "),
    ]
    for kind, value, bounds, says in refused:
        with pytest.raises(ValueError, match=says):
            checked_field("new", value, kind, **bounds)


@given(st.dictionaries(st.sampled_from(("a", "b", "c")), st.none() | st.booleans() | st.integers() | st.text()))
def test_bodies_have_the_fields_that_were_given(fields: dict[str, Any]):
    given_fields = {name: value for name, value in fields.items() if value is not None}
    assert fields_body(**fields) == given_fields
    assert user_body(user="u", **fields) == {"user": "u", **given_fields}
    assert form_body({"x": 1}, action="ok", user="u", **fields) == {
        "inputs": {"x": 1},
        "action": "ok",
        "user": "u",
        **given_fields,
    }
    body = run_body({"x": 1}, user="u", files=None, trace_session_id=None, mode="blocking", **fields)
    assert body == {"inputs": {"x": 1}, "response_mode": "blocking", "user": "u", **given_fields}

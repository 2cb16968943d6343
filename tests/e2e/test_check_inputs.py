"""`app.check_inputs`: inputs are held to the app's form before a run is started."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clients import EACH_DRIVER, Driver
from support.fault_server import KEY, FaultServer, json_response

from dify_workflow import BadRequestError, remote_file
from dify_workflow._runs.input_form import check_inputs, form_of
from dify_workflow.models import AppParameters
from dify_workflow.testing import Sandbox

FILE = remote_file("https://files.example/a.pdf", "document")
FIELDS: list[tuple[str, dict[str, Any]]] = [
    ("text-input", {"variable": "query", "required": True, "max_length": 5}),
    ("paragraph", {"variable": "note"}),
    ("select", {"variable": "tone", "options": ["warm", "cold"]}),
    ("number", {"variable": "count"}),
    ("checkbox", {"variable": "fast"}),
    ("file", {"variable": "doc", "allowed_file_types": ["document"], "allowed_file_upload_methods": ["remote_url"]}),
    ("file-list", {"variable": "docs", "max_length": 2, "allowed_file_types": ["image", "document"]}),
    ("json_object", {"variable": "more"}),
]
FORM = {"user_input_form": [{kind: {"label": "x", **field}} for kind, field in FIELDS] + [None, {"odd": 5}]}


def checked(**inputs: Any) -> str:
    """What is wrong with inputs; "" for nothing."""
    try:
        check_inputs({"query": "hi", **inputs}, form_of(AppParameters.from_dict(FORM)))
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"query": ""},
        {"note": "x" * 9999, "tone": "warm", "count": 1.5, "fast": False},
        {"count": "12"},
        {"count": " "},
        {"count": True},
        {"doc": FILE, "docs": [FILE, FILE]},
        {"doc": None, "docs": []},
        {"more": {"a": [1]}},
        {"sys.user_id": "u"},
    ],
    ids=str,
)
def test_inputs_that_the_server_takes_pass(inputs: dict[str, Any]):
    assert checked(**inputs) == ""


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({"query": None}, "query: required"),
        ({"query": "123456"}, "query: takes at most 5 characters, got 6"),
        ({"query": 5}, "query: must be a string, got 5"),
        ({"notes": "x"}, "notes: the form has no input of this name; did you mean 'note'?"),
        ({"tone": "hot"}, "tone: must be one of 'warm', 'cold', got 'hot'"),
        ({"count": "many"}, "count: must be a number, got 'many'"),
        ({"count": [1]}, "count: must be a number, got [1]"),
        ({"fast": "yes"}, "fast: must be True or False, got 'yes'"),
        ({"doc": "a.pdf"}, "doc: must be a file: an upload, or what as_input() and remote_file() return; got 'a.pdf'"),
        ({"doc": {**FILE, "type": "image"}}, "doc: takes files with type 'document', got 'image'"),
        ({"doc": {**FILE, "transfer_method": "local_file"}}, "doc: takes files with transfer_method 'remote_url', got"),
        ({"docs": FILE}, "docs: must be a list of files, got {"),
        ({"docs": [FILE] * 3}, "docs: takes at most 2 files, got 3"),
        ({"docs": [FILE, "x"]}, "docs: must be a file:"),
    ],
    ids=str,
)
def test_each_problem_is_listed_with_what_the_form_takes(inputs: dict[str, Any], problem: str):
    message = checked(**inputs)
    assert f"\n  {problem}" in message
    assert "\n  query: text-input, required, at most 5 characters\n" in message
    assert "\n  tone: select, optional, one of 'warm', 'cold'\n" in message
    assert "\n  docs: file-list, optional, at most 2 files, types image, document\n" in message


def test_all_problems_are_listed_at_once():
    message = checked(query=None, tone="hot", notes=1)
    assert message.count("\n  ") == 3 + len(FIELDS)


def test_a_longest_of_zero_is_no_limit():
    form = [{"file-list": {"variable": "docs", "max_length": 0}}, {"text-input": {"variable": "a", "max_length": 0}}]
    check_inputs({"docs": [FILE], "a": "text"}, form_of(AppParameters.from_dict({"user_input_form": form})))


def test_an_app_without_a_form_takes_every_name():
    check_inputs({"anything": 1}, form_of(AppParameters.from_dict({"user_input_form": []})))


ODD = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3) | st.just([{}]) | st.just({"a": 1})
SETTINGS = ("variable", "required", "max_length", "options", "allowed_file_types")
KINDS = [kind for kind, _ in FIELDS]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        ODD
        | st.dictionaries(st.sampled_from(KINDS), ODD | st.dictionaries(st.sampled_from(SETTINGS), ODD), max_size=2),
        max_size=4,
    ),
    st.dictionaries(st.text(max_size=2), ODD, max_size=3),
)
def test_odd_forms_and_inputs_end_in_nothing_but_a_value_error(form: list[Any], inputs: dict[str, Any]):
    parameters = AppParameters.from_dict({"user_input_form": form})
    with contextlib.suppress(ValueError):
        check_inputs(inputs, form_of(parameters))


@EACH_DRIVER
def test_what_is_refused_is_refused_by_the_server_too(driver: Driver):
    async def story(client: Any) -> None:
        await client.app.check_inputs({"query": "hi"})
        await client.runs.run({"query": "hi"}, user="u-1")
        for wrong in ({}, {"query": 5}, {"query": "hi", "seconds": "x"}, {"query": "hi", "document": "x"}):
            with pytest.raises(ValueError, match="do not fit"):
                await client.app.check_inputs(wrong)
            with pytest.raises(BadRequestError):
                await client.runs.run(wrong, user="u-1")

    with Sandbox(rows=0, api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)


@EACH_DRIVER
def test_the_form_is_read_again_only_when_it_may_have_changed(driver: Driver):
    older = {"user_input_form": [{"text-input": {"variable": "old"}}]}

    async def story(client: Any) -> None:
        await client.app.check_inputs({"old": "x"})
        await client.app.check_inputs({"old": "y"})
        assert len(server.requests) == 1
        await client.app.check_inputs({"query": "hi"})  # the app has been published again
        assert len(server.requests) == 2
        with pytest.raises(ValueError, match="JSON"):
            await client.app.check_inputs({"query": {1, 2}})

    with FaultServer(json_response(200, older), json_response(200, FORM)) as server:
        driver.play(server.base_url, story)

"""What a body is taken for, in the very words that an error says, and how it is read where it is long."""

from __future__ import annotations

import json
import sys

import pytest
from support.fault_server import KEY

from dify_workflow._http import decode, response_errors
from dify_workflow._http.decode import UnusableBodyError, json_value, model_value
from dify_workflow._http.library import httpx
from dify_workflow._http.response_errors import stream_error
from dify_workflow._http.secrets import Secret
from dify_workflow.models import WorkflowLogPage

SECRET = Secret(KEY)
REQUEST = httpx.Request("POST", "https://dify.example.com/v1/workflows/run")


def reason_of(content: bytes) -> str:
    """Why a body is no page of logs."""
    with pytest.raises(UnusableBodyError) as caught:
        model_value(content, WorkflowLogPage)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty body"),
        (b"<html>502</html>", "HTML"),
        (b" \n<!doctype html>", "HTML"),
        (b"<", "HTML"),
        (b"[]", "a list where an object belongs"),
        (b"null", "null where an object belongs"),
        (b"true", "a boolean where an object belongs"),
        (b"7.5", "a number where an object belongs"),
        (b'"x"', "a string where an object belongs"),
        (b"{}", "an object with nothing where its list 'data' belongs"),
        (b'{"data": null}', "an object with null where its list 'data' belongs"),
        (b'{"data": {}}', "an object with an object where its list 'data' belongs"),
        (b'{"data": "x"}', "an object with a string where its list 'data' belongs"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_page_is_named(content: bytes, reason: str):
    assert reason_of(content) == reason


def test_of_broken_json_it_is_said_what_is_wrong_with_it():
    assert reason_of(b'{"data": [') == "broken JSON (Expecting value: line 1 column 11 (char 10))"
    assert reason_of(b"502 Bad Gateway").startswith("broken JSON (")


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/json"}], ids=["no type", "JSON"])
def test_what_is_no_stream_is_reported_with_its_status(headers: dict[str, str]):
    response = httpx.Response(200, headers=headers, request=REQUEST)
    assert not response_errors.is_event_stream(response)
    error = stream_error(response, b"{}", SECRET)
    assert str(error) == "POST /v1/workflows/run: 200 with no stream of events (dify.example.com)"


@pytest.mark.parametrize("number", [-(2**63) - 1, 2**64])
def test_an_integer_beyond_64_bits_is_read_exactly(number: int):
    for size in (0, 1, 20, 200_000):
        text = "x" * size
        assert json_value(f'["{text}",{number},"{text}"]'.encode()) == [text, number, text]


def test_without_the_extra_speed_the_standard_library_reads_json(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "orjson", None)
    assert decode._json_loader() is json.loads

"""What the message of an error says of how to continue: decisions without a request."""

from __future__ import annotations

from typing import Any

import pytest

from dify_workflow import APIConnectionError, APIResponseError, APIStatusError, APITimeoutError
from dify_workflow._errors import DifyError, class_of_status
from dify_workflow._http.advice import (
    AFTER_BROKEN_STREAM,
    AFTER_EMPTY_STREAM,
    AFTER_RUN,
    AFTER_SUBMISSION,
    AFTER_UPLOAD,
    add_advice,
    after_broken_stream,
    after_run,
    after_submission,
    after_upload,
)
from dify_workflow._http.library import httpx

REQUEST = httpx.Request("POST", "http://dify.test/v1/workflows/run")


def status_error(status: int, message: str = "") -> APIStatusError:
    return class_of_status(status)(
        f"POST /v1/workflows/run: {status}: {message}",
        status_code=status,
        code=None,
        message=message,
        headers=httpx.Headers(),
        body=None,
        request=REQUEST,
    )


OPEN: list[DifyError] = [
    APITimeoutError("timed out", request=REQUEST),
    APIConnectionError("reset", request=REQUEST),
    *[status_error(status) for status in (408, 502, 503, 504, 520, 522, 524, 530, 598, 599)],
]
CLEAR: list[DifyError] = [
    APITimeoutError("timed out", request=REQUEST, request_sent=False),
    APIConnectionError("refused", request=REQUEST, request_sent=False),
    *[status_error(status) for status in (302, 400, 401, 404, 413, 429, 499, 500, 501, 505)],
    APIResponseError("HTML", status_code=200, headers=httpx.Headers(), body="<html>", request=REQUEST),
]


@pytest.mark.parametrize("error", [*OPEN, *CLEAR], ids=lambda error: f"{type(error).__name__} {error}")
def test_only_errors_that_leave_the_outcome_open_advise(error: DifyError):
    is_open = error in OPEN
    assert after_run({"inputs": {}})(error) == (AFTER_RUN if is_open else "")
    assert after_upload(error) == (AFTER_UPLOAD if is_open else "")
    assert after_submission(error) == (AFTER_SUBMISSION if is_open else "")


@pytest.mark.parametrize(
    ("run", "starts_run", "expected"),
    [
        (None, True, AFTER_EMPTY_STREAM),
        (None, False, ""),
        ("r", True, AFTER_BROKEN_STREAM),
        ("r", False, AFTER_BROKEN_STREAM),
    ],
)
def test_a_broken_stream_says_how_to_look_for_its_run(run: str | None, starts_run: bool, expected: str):
    cut, unusable = OPEN[0], CLEAR[-1]
    assert after_broken_stream(cut, workflow_run_id=run, starts_run=starts_run) == expected
    assert after_broken_stream(unusable, workflow_run_id=run, starts_run=starts_run) == ""


def test_advice_is_appended_once_to_the_message():
    error = status_error(504, "Gateway Timeout")
    add_advice(error, "")
    assert str(error) == "POST /v1/workflows/run: 504: Gateway Timeout"
    add_advice(error, "do this")
    assert str(error) == "POST /v1/workflows/run: 504: Gateway Timeout; do this"
    assert error.message == "Gateway Timeout"


def file(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "transfer_method": "local_file", "upload_file_id": "u-1"} | fields


MISMATCH = "Detected file type does not match the specified type. Please verify the file."


@pytest.mark.parametrize(
    ("body", "sent", "call"),
    [
        ({"inputs": {"doc": file("document")}}, "inputs['doc'] as 'document'", "try upload.as_input(type='custom')"),
        ({"inputs": {"a": [file("custom")]}}, "inputs['a'][0] as 'custom'", "try upload.as_input(type='document')"),
        ({"inputs": {"a": {"b": file("image")}}}, "inputs['a']['b'] as 'image'", "try upload.as_input()"),
        ({"inputs": {}, "files": [file("document")]}, "files[0] as 'document'", "try upload.as_input(type='custom')"),
        (
            {"inputs": {"a": file("image", transfer_method="remote_url")}},
            "inputs['a'] as 'image'",
            "try remote_file(url, type='custom')",
        ),
        (
            {"inputs": {"a": file("document"), "b": file("custom"), "c": file("document")}},
            "inputs['a'] as 'document', inputs['b'] as 'custom', inputs['c'] as 'document'",
            "try upload.as_input(type='custom') or upload.as_input(type='document')",
        ),
        (
            {"inputs": {"all": [file("document")] * 50}},
            "inputs['all'][4] as 'document', ...",
            "try upload.as_input(type='custom')",
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_refused_type_names_what_was_sent_and_the_call(body: dict[str, Any], sent: str, call: str):
    advice = after_run(body)(status_error(400, MISMATCH))
    assert sent in advice
    assert advice.endswith(call)
    assert len(advice) < 500


def test_a_file_that_the_form_refuses_names_where_it_says_so():
    advice = after_run({"inputs": {"doc": file("document")}})(
        status_error(400, "File validation failed for file: a.pptx")
    )
    assert "sent were inputs['doc'] as 'document'" in advice
    assert "client.app.parameters().user_input_form" in advice
    assert "upload.as_input(type='custom')" in advice


def test_other_refusals_advise_nothing():
    assert after_run({"inputs": {"doc": file("document")}})(status_error(400, "query is required")) == ""

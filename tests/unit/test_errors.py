"""The errors: their family, what they carry, that they travel, and that they keep the key to themselves."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fault_server import KEY

import dify_workflow
from dify_workflow import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    DifyError,
    IncompleteWalkError,
    InternalServerError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitError,
    UnsupportedMediaTypeError,
    WorkflowRunError,
    WorkflowStreamError,
)
from dify_workflow._errors import class_of_status
from dify_workflow._http import response_errors, tracebacks
from dify_workflow._http.decode import UnusableBodyError, reader
from dify_workflow._http.library import httpx
from dify_workflow._http.response_errors import cut_stream, response_error, status_error, stream_error, transport_error
from dify_workflow._http.secrets import Secret

URL = "https://dify.example.com/v1/workflows/logs?status=failed"
SECRET = Secret(KEY)

DIRECT_PARENT = {
    ConfigurationError: (DifyError, ValueError),
    APIConnectionError: (DifyError,),
    APITimeoutError: (APIConnectionError,),
    APIResponseError: (DifyError,),
    APIStatusError: (DifyError,),
    BadRequestError: (APIStatusError,),
    AuthenticationError: (APIStatusError,),
    PermissionDeniedError: (APIStatusError,),
    NotFoundError: (APIStatusError,),
    PayloadTooLargeError: (APIStatusError,),
    UnsupportedMediaTypeError: (APIStatusError,),
    RateLimitError: (APIStatusError,),
    InternalServerError: (APIStatusError,),
    WorkflowStreamError: (DifyError,),
    WorkflowRunError: (DifyError,),
    IncompleteWalkError: (DifyError,),
}


def sent_request(**headers: str) -> httpx.Request:
    return httpx.Request("GET", URL, headers={"Authorization": f"Bearer {KEY}", **headers})


def error_of(status: int, content: bytes, **headers: str) -> APIStatusError:
    response = httpx.Response(status, headers=headers, request=sent_request())
    return status_error(response, content, SECRET)


def dify_body(status: int, code: str, message: str) -> bytes:
    return json.dumps({"code": code, "message": message, "status": status}).encode()


def one_of_each() -> list[DifyError]:
    rate_limit = error_of(429, dify_body(429, "too_many_requests", "slow down"), **{"Retry-After": "7"})
    return [
        DifyError("something"),
        ConfigurationError("no API key"),
        transport_error(httpx.ConnectError("refused"), sent_request(), None, SECRET),
        transport_error(httpx.ReadTimeout("late"), sent_request(), None, SECRET),
        response_error(
            httpx.Response(200, request=sent_request()), b"<html>", UnusableBodyError("HTML"), SECRET
        ),
        *(error_of(status, dify_body(status, "a_code", "why")) for status in (400, 401, 403, 404, 413, 415, 418, 500)),
        rate_limit,
        WorkflowStreamError("the stream failed", code="invalid_param", status=400, message="why"),
        WorkflowRunError("the run failed", status="failed", error="why", workflow_run_id="run-1"),
        IncompleteWalkError("rows are missing", expected=602, seen=594),
    ]  # fmt: skip


def test_the_family_is_as_it_is_drawn():
    for cls, bases in DIRECT_PARENT.items():
        assert cls.__bases__ == bases
    assert DifyError.__bases__ == (Exception,)
    public = {getattr(dify_workflow, name) for name in dify_workflow.__all__ if name.endswith("Error")}
    assert public == {DifyError, *DIRECT_PARENT}


@pytest.mark.parametrize("error", one_of_each(), ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "travel",
    [copy.copy, copy.deepcopy, *(lambda e, p=p: pickle.loads(pickle.dumps(e, p)) for p in range(2, 6))],  # noqa: S301
    ids=["copy", "deepcopy", "pickle2", "pickle3", "pickle4", "pickle5"],
)
def test_an_error_arrives_whole_when_it_is_copied_or_pickled(error, travel):
    error.add_note("seen in the nightly export")
    arrived = travel(error)
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert arrived.args == error.args
    assert arrived.__notes__ == error.__notes__
    assert vars(arrived).keys() == vars(error).keys()
    for name, value in vars(error).items():
        if isinstance(value, httpx.Request):
            assert (arrived.request.method, arrived.request.url) == (value.method, value.url)
            assert arrived.request.headers == value.headers
        else:
            assert getattr(arrived, name) == value


@pytest.mark.parametrize(
    "error", [one for one in one_of_each() if len(vars(one)) > 1], ids=lambda error: type(error).__name__
)
def test_an_error_that_is_made_by_names_says_its_text(error):
    first, *others = inspect.signature(type(error)).parameters
    made = type(error)(**{first: "in words"}, **{name: getattr(error, name) for name in others})
    assert str(made) == "in words"
    assert made.args == ("in words",)


@pytest.mark.parametrize("error", one_of_each(), ids=lambda error: type(error).__name__)
def test_a_pickled_error_has_no_key_in_it(error):
    assert KEY.encode() not in pickle.dumps(error)


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (400, BadRequestError), (401, AuthenticationError), (403, PermissionDeniedError), (404, NotFoundError),
        (413, PayloadTooLargeError), (415, UnsupportedMediaTypeError), (429, RateLimitError),
        (402, APIStatusError), (405, APIStatusError), (408, APIStatusError), (418, APIStatusError),
        (499, APIStatusError), (302, APIStatusError), (600, APIStatusError), (999, APIStatusError),
        (500, InternalServerError), (502, InternalServerError), (520, InternalServerError), (599, InternalServerError),
    ],
)  # fmt: skip
def test_every_status_has_its_class(status, cls):
    assert class_of_status(status) is cls
    assert type(error_of(status, b"")) is cls


@given(st.integers(300, 999), st.binary(max_size=60))
def test_every_status_with_any_body_gives_an_error_of_its_own(status, content):
    error = error_of(status, content)
    assert error.status_code == status
    assert str(status) in str(error)
    assert isinstance(error.message, str)


def test_the_message_has_method_path_status_code_and_text():
    error = error_of(401, dify_body(401, "unauthorized", "Access token is invalid"))
    assert str(error) == "GET /v1/workflows/logs: 401 unauthorized: Access token is invalid (dify.example.com)"


def test_the_attributes_hold_what_came():
    body = dify_body(400, "invalid_param", "Account not found: x")
    error = error_of(400, body, **{"X-Version": "1.11.2"})
    assert error.status_code == 400
    assert error.code == "invalid_param"
    assert error.message == "Account not found: x"
    assert error.headers["x-version"] == "1.11.2"
    assert error.body == json.loads(body)
    assert error.request.method == "GET"
    assert str(error.request.url) == URL


def test_the_servers_text_is_whole_in_message_shortened_in_str():
    long_text = "1 validation error for WorkflowLogQuery\n" + "limit " * 1000
    error = error_of(400, dify_body(400, "invalid_param", long_text))
    assert error.message == long_text
    assert len(str(error)) < 1000
    assert "1 validation error" in str(error)
    assert "\n" not in str(error)


def test_a_body_that_is_not_of_the_api_is_kept_unchanged():
    response = httpx.Response(200, headers={"X-Proxy": "7"}, request=sent_request())
    error = response_error(response, b"[1]", UnusableBodyError("a list where an object belongs"), SECRET)
    assert (error.status_code, error.headers["x-proxy"], error.body) == (200, "7", [1])
    assert error.request.url == response.request.url
    assert str(error) == "GET /v1/workflows/logs: 200 with a list where an object belongs (dify.example.com)"


@pytest.mark.parametrize("status", [300, 301, 302, 399])
def test_a_redirect_is_named_as_one_that_is_not_followed(status: int):
    error = status_error(httpx.Response(status, request=sent_request()), b'{"message": "moved"}', SECRET)
    assert error.message == "a redirect, which is not followed, as it could take the key elsewhere; check base_url"


def test_an_empty_response_says_so():
    error = status_error(httpx.Response(499, request=sent_request()), b"", SECRET)
    assert error.message == "(an empty response)"


def test_up_to_500_characters_of_the_servers_text_are_shown():
    def reported(size: int) -> str:
        return str(status_error(httpx.Response(500, request=sent_request()), b"x" * size, SECRET)).split(" ")[3]

    assert reported(500) == "x" * 500
    assert reported(501) == "x" * 497 + "..."


def test_a_page_of_html_is_named_by_its_title_and_not_poured_out():
    html = "<html><head><title>502 Bad Gateway</title></head><body>" + "<p>filler</p>" * 5000 + "</body></html>"
    error = error_of(502, html.encode())
    assert "502 Bad Gateway" in str(error)
    assert "filler" not in str(error)
    assert "<" not in str(error)
    assert len(error.message) < 1000
    assert error.body == html
    assert error.code is None


def test_a_page_of_html_without_a_title_is_not_poured_out_either():
    for start in (b"  \n<!doctype html><body>", b"<h1>", b"\n <p>"):
        error = error_of(502, start + b"filler " * 5000)
        assert error.message == "an HTML page"
        assert str(error).endswith(": 502: an HTML page (dify.example.com)")


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b'{"code": 7, "message": "why"}', None, "why"),
        (b'{"code": "a_code", "message": null}', "a_code", None),
        (b'{"code": "a_code", "message": {"field": "limit"}}', "a_code", None),
        (b'{"code": ["a"], "message": ["b"]}', None, None),
        (b'{"detail": "Not Found"}', None, None),
        (b"[1, 2]", None, None),
        (b"null", None, None),
        (b'"text"', None, None),
        (b"plain text", None, "plain text"),
        (b"\xff\xfe", None, None),
        (b'{"code": "a_co', None, None),
        (b"[" * 100_000, None, None),
        (b"", None, "Internal Server Error"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_an_error_body_in_no_known_shape_still_gives_an_error(content, code, message):
    error = error_of(500, content)
    assert type(error) is InternalServerError
    assert error.code == code
    assert isinstance(error.message, str)
    assert error.message
    if message is not None:
        assert error.message == message


@pytest.mark.parametrize("cut", [0, 10, len(KEY)])
def test_a_huge_error_body_is_cut_without_showing_the_key(cut: int, monkeypatch: pytest.MonkeyPatch):
    size = 1 << 16
    assert size < response_errors.LARGEST_ERROR_BODY == 16 << 20  # which would take a second each
    monkeypatch.setattr(response_errors, "LARGEST_ERROR_BODY", size)
    content = b"x" * (size - cut) + KEY.encode() + b"y" * 100
    error = error_of(500, content)
    assert isinstance(error.body, str)
    assert error.body == "x" * len(error.body)
    assert size - 2000 < len(error.body) <= size
    assert error_of(500, b"x" * size).body == "x" * size
    whole = error_of(500, b"x" * (size - 100) + KEY.encode()).body
    assert whole == "x" * (size - 100) + "[api key]"


@pytest.mark.parametrize("status", [400, 403, 404, 408, 429, 500, 502, 503, 522, 600])
def test_every_status_error_has_the_seconds_of_retry_after(status: int):
    assert error_of(status, b"busy", **{"Retry-After": "120"}).retry_after == 120.0
    assert error_of(status, b"busy", **{"Retry-After": "soon"}).retry_after is None
    assert error_of(status, b"busy").retry_after is None
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert 3000 < (error_of(status, b"busy", **{"Retry-After": date}).retry_after or 0) <= 3600


def test_the_concurrency_limit_that_comes_as_400_is_a_rate_limit():
    text = "Too many requests. Please try again later. The current maximum concurrent requests allowed for x is 1."
    error = error_of(400, dify_body(400, "invalid_param", text))
    assert type(error) is RateLimitError
    assert error.status_code == 400
    assert error.code == "invalid_param"
    assert error.retry_after is None


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "invalid_param", "limit: Too many requests"),
        (400, "bad_request", "Too many requests. Please try again later."),
        (403, "invalid_param", "Too many requests. Please try again later."),
        (400, "invalid_param", "query is required"),
    ],
)
def test_nothing_else_is_taken_for_the_concurrency_limit(status, code, message):
    assert not isinstance(error_of(status, dify_body(status, code, message)), RateLimitError)


def test_the_request_in_an_error_has_no_key_cookie_or_body():
    request = httpx.Request(
        "POST",
        URL,
        headers={"Authorization": f"Bearer {KEY}", "Cookie": "session=1", "Proxy-Authorization": "Basic x", "X-A": "1"},
        json={"inputs": {"query": "confidential"}},
    )
    error = status_error(httpx.Response(500, request=request), b"", SECRET)
    assert error.request is not request
    assert error.request.method == "POST"
    assert error.request.headers["x-a"] == "1"
    assert not {"authorization", "cookie", "proxy-authorization"} & set(error.request.headers)
    assert error.request.read() == b""
    assert request.headers["Authorization"] == f"Bearer {KEY}"  # what was sent is not changed behind its back


def test_a_key_that_the_server_echoes_is_taken_out_everywhere():
    body = json.dumps({"code": KEY, "message": f"bad key {KEY}", "status": 401, "more": [KEY]}).encode()
    error = error_of(401, body, **{"X-Echo": f"Bearer {KEY}", "WWW-Authenticate": 'Bearer realm="api"'})
    assert KEY not in repr((str(error), error.args, error.code, error.message, error.body, error.headers))
    assert KEY not in repr(error.headers.raw)
    assert error.headers["www-authenticate"] == 'Bearer realm="api"'
    assert error.code == "[api key]"


def test_response_headers_outside_ascii_keep_the_error():
    for raw in (b"caf\xc3\xa9", b"caf\xe9", b"\xff\xfe"):
        response = httpx.Response(503, headers=[(b"X-Server", raw), (b"Retry-After", b"1")], request=sent_request())
        error = status_error(response, b"", SECRET)
        assert type(error) is InternalServerError
        assert "x-server" in error.headers


def test_request_headers_outside_ascii_keep_the_error():
    request = httpx.Request("GET", URL, headers=[(b"X-Name", "José".encode())])
    error = status_error(httpx.Response(503, request=request), b"", SECRET)
    assert "x-name" in error.request.headers


def test_a_connection_error_knows_if_the_request_may_be_read():
    def sent(error: httpx.HTTPError) -> bool:
        failure = transport_error(error, sent_request(), None, SECRET)
        assert isinstance(failure, APIConnectionError)
        return failure.request_sent

    assert [sent(e) for e in (httpx.ConnectError(""), httpx.ConnectTimeout(""), httpx.PoolTimeout(""))] == [False] * 3
    maybe = (httpx.ReadError(""), httpx.ReadTimeout(""), httpx.WriteError(""), httpx.RemoteProtocolError(""))
    assert [sent(e) for e in maybe] == [True] * 4
    cut = cut_stream(httpx.Response(200, request=sent_request()), "after 3 events", SECRET)
    assert cut.request_sent


def test_the_cause_of_an_error_has_no_frame_with_headers():
    request = sent_request()
    first, second = httpx.ReadError("first", request=request), httpx.ConnectError("second", request=request)
    try:
        try:
            raise first
        except httpx.ReadError:
            raise second from LookupError("between")
    except httpx.ConnectError as error:
        failure = transport_error(error, request, None, SECRET)
    assert failure.__cause__ is second
    assert isinstance(second.__cause__, LookupError)
    second.__cause__ = None  # then it is what was being handled that counts
    transport_error(second, request, None, SECRET)
    for error in (first, second):
        assert error.__traceback__ is None
        assert "authorization" not in error.request.headers
    assert str(failure) == "GET /v1/workflows/logs: second (dify.example.com:443)"


@pytest.mark.parametrize("cls", [httpx.ConnectTimeout, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout])
@pytest.mark.parametrize("text", ["late", "", "timed out", "The read operation timed out"])
def test_every_kind_of_timeout_is_a_timeout(cls, text):
    error = transport_error(cls(text), sent_request(), None, SECRET)
    assert type(error) is APITimeoutError
    assert "GET /v1/workflows/logs" in str(error)
    assert "timed out" in str(error)
    assert ("late" in str(error)) == (text == "late")
    assert "timed out (timed out)" not in str(error)
    assert "timed out: timed out" not in str(error)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://dify.example.com/v1/info", "dify.example.com:443"),
        ("http://dify.example.com/v1/info", "dify.example.com:80"),
        ("http://127.0.0.1:5001/v1/info", "127.0.0.1:5001"),
        ("http://[::1]/v1/info", "[::1]:80"),
        ("https://b\u00fccher.example/v1/info", "xn--bcher-kva.example:443"),
        ("https://user:pa55w0rd@dify.example.com/v1/info", "dify.example.com:443"),
    ],
)
@pytest.mark.parametrize("cls", [httpx.ConnectError, httpx.ReadError, httpx.ConnectTimeout, httpx.ReadTimeout])
def test_connection_errors_name_host_and_port(cls, url, host):
    error = transport_error(cls("failed"), httpx.Request("GET", url), None, SECRET)
    assert str(error).startswith("GET /v1/info: ")
    assert f"({host})" in str(error)
    assert "pa55w0rd" not in str(error)
    cut = cut_stream(httpx.Response(200, request=httpx.Request("GET", url)), "after 3 events", SECRET)
    assert f"({host})" in str(cut)


@pytest.mark.parametrize("body", [b"<!doctype html><title>Dify</title>", b"\xef\xbb\xbf\n<html>", b"Not Found", b""])
def test_a_404_that_is_not_the_apis_says_check_base_url(body):
    error = error_of(404, body)
    assert "check base_url" in str(error)
    assert "(dify.example.com)" in str(error)
    assert "base_url" not in error.message
    assert "check base_url" not in str(error_of(404, dify_body(404, "not_found", "Workflow not found")))
    assert "check base_url" not in str(error_of(502, body))


@pytest.mark.parametrize("body", [b"<!doctype html><title>Dify</title>", b"\xef\xbb\xbf\n<html>"])
@pytest.mark.parametrize("status", [200, 203])
def test_html_with_success_says_check_base_url(status, body):
    def text_of(content: bytes) -> str:
        response = httpx.Response(status, request=sent_request())
        with pytest.raises(APIResponseError) as caught:
            response_errors.value_or_raise(response, content, reader("json"), SECRET)
        return str(caught.value)

    assert "check base_url (dify.example.com)" in text_of(body)
    assert "HTML" in text_of(body)
    assert "check base_url" not in text_of(b'{"data": [')
    stream = stream_error(httpx.Response(status, request=sent_request()), body, SECRET)
    assert "check base_url (dify.example.com)" in str(stream)


def test_a_transport_error_without_text_still_says_what_it_was():
    assert "ReadError" in str(transport_error(httpx.ReadError(""), sent_request(), None, SECRET))


class NotedError(Exception):
    """An error with an attribute of its own."""

    def __init__(self, note: object) -> None:
        super().__init__("no argument has it")
        self.note = note


def _with_the_key(kind: str) -> BaseException:
    text = f"before {KEY} after"
    if kind == "OSError":
        return OSError(5, text, f"a/{KEY}", None, f"b/{KEY}")
    if kind == "UnicodeDecodeError":
        return UnicodeDecodeError("utf-8", text.encode(), 1, 2, text)
    if kind == "UnicodeEncodeError":
        return UnicodeEncodeError("ascii", text, 1, 2, text)
    if kind == "JSONDecodeError":
        return json.JSONDecodeError(text, text, 3)
    values: dict[str, object] = {"list": [1, [text]], "bytes": text.encode(), "mapping": {"a": text}, "text": text}
    return NotedError(values[kind])


@pytest.mark.parametrize(
    "kind",
    ["OSError", "UnicodeDecodeError", "UnicodeEncodeError", "JSONDecodeError", "list", "bytes", "mapping", "text"],
)
def test_no_attribute_of_an_error_keeps_the_key(kind: str):
    error = _with_the_key(kind)
    error.__cause__ = _with_the_key("OSError")
    error.__cause__.__context__ = ValueError(f"{KEY}!", 5)
    tracebacks.redact(error, Secret(KEY))
    for link in (error, error.__cause__, error.__cause__.__context__):
        assert link is not None
        names = ("args", "strerror", "filename", "filename2", "object", "reason", "doc", "msg", "note")
        kept = {name: getattr(link, name) for name in names if hasattr(link, name)}
        assert KEY not in repr(kept) + str(link)
    assert error.__cause__.__context__.args[1] == 5
    assert type(getattr(error, "note", [])) is {"bytes": bytes, "mapping": str, "text": str}.get(kind, list)


def test_an_error_without_the_key_stays_as_it_is():
    note = {"a": [1]}
    error = NotedError(note)
    tracebacks.redact(error, Secret(KEY))
    assert error.note is note

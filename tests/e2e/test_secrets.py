"""The API key is shown nowhere: no repr, error, traceback with its variables, log, pickle or address has it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import logging
import os
import pickle
import subprocess
import sys
import traceback
from traceback import walk_tb
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.clients import EACH_DRIVER, Driver, list_logs, post
from support.fault_server import (
    KEY,
    Behaviour,
    FaultServer,
    error_response,
    json_response,
    page_response,
    raw,
    refusing_origin,
    reset,
    respond,
)
from support.fault_table import FAULTS, Fault, plain_text_to_tls

from dify_workflow import AsyncDifyWorkflow, ConfigurationError, DifyError, DifyWorkflow, InternalServerError
from dify_workflow._http.library import httpx
from dify_workflow._http.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BOTH = pytest.mark.parametrize("client_class", [DifyWorkflow, AsyncDifyWorkflow])


def everything_about(error: BaseException) -> str:
    """All that a crash reporter could send: the whole chain with variables, the attributes, and the pickle."""
    reported = [
        "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()),
        *(repr(vars(link)) for link in chain_of(error)),
        repr(error),
    ]
    if isinstance(error, DifyError):
        reported.append(pickle.dumps(error, 0).decode("latin-1"))
        reported.append(repr(error.__reduce__()))
        for name in ("request", "headers"):
            part = getattr(error, name, None)
            headers = part.headers if isinstance(part, httpx.Request) else part
            reported.append(repr(headers.raw if headers is not None else None))
            reported.append(str(part.url) if isinstance(part, httpx.Request) else "")
    return "\n".join(reported)


def chain_of(error: BaseException) -> list[BaseException]:
    links: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        link = waiting.pop()
        if link is not None and link not in links:
            links.append(link)
            waiting += [link.__cause__, link.__context__]
    return links


def all_about_records(caplog: pytest.LogCaptureFixture) -> str:
    return caplog.text + repr([vars(record) for record in caplog.records])


def failure(driver: Driver, base_url: str, *actions, **options) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one it is, other tests say
        driver.call(base_url, *actions, **options)
    return caught.value


def test_what_looks_for_the_key_would_find_it():
    key = KEY
    with pytest.raises(LookupError) as caught:
        raise LookupError(len(key))
    assert KEY in everything_about(caught.value)


# --- errors and logs --------------------------------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_no_fault_brings_the_key_to_light(driver: Driver, fault: Fault, caplog):
    caplog.set_level(logging.DEBUG)
    with FaultServer(fault.behaviour()) as server:
        error = failure(driver, server.base_url, list_logs, max_retries=1, **fault.options)
    assert isinstance(error, DifyError)
    assert KEY not in everything_about(error)
    assert KEY not in all_about_records(caplog)
    assert "dify_workflow" in {record.name for record in caplog.records} or fault.gets == 1


@EACH_DRIVER
@pytest.mark.parametrize("action", [list_logs, post], ids=["GET", "POST"])
def test_no_connection_brings_no_key_to_light(driver: Driver, action, caplog):
    caplog.set_level(logging.DEBUG)
    with refusing_origin() as origin:
        refused = failure(driver, origin, action)
    with FaultServer(plain_text_to_tls()) as server:
        not_tls = failure(driver, server.base_url.replace("http:", "https:"), action)
    assert KEY not in everything_about(refused)
    assert KEY not in everything_about(not_tls)
    assert KEY not in all_about_records(caplog)


@EACH_DRIVER
@pytest.mark.parametrize("fault", FAULTS[::8], ids=str)
def test_a_given_httpx_client_does_not_reveal_it_either(driver: Driver, fault: Fault, caplog):
    caplog.set_level(logging.DEBUG)
    with FaultServer(fault.behaviour()) as server:
        error = failure(driver, server.base_url, list_logs, http={}, max_retries=0, **fault.options)
    assert KEY not in everything_about(error)
    assert KEY not in all_about_records(caplog)


ECHO = f"Bearer {KEY}"


# --- what a server echoes, at any place and in any spelling -----------------------------------------------------------

CHARACTER_SPELLINGS: list[Callable[[str], str]] = [
    lambda character: character,
    lambda character: f"\\u{ord(character):04x}",
    lambda character: f"\\u{ord(character):04X}",
    lambda character: f"\\\\u{ord(character):04x}",
    lambda character: f"\\x{ord(character):02x}",
    lambda character: f"%{ord(character):02x}",
    lambda character: f"%{ord(character):02X}",
    lambda character: f"%25{ord(character):02X}",
    lambda character: f"&#{ord(character)};",
    lambda character: f"&#x{ord(character):X};",
]
AS_A_WHOLE: list[Callable[[bytes], bytes]] = [
    base64.b64encode,
    base64.urlsafe_b64encode,
    lambda text: base64.b64encode(b"x" + text),
    lambda text: base64.b64encode(b"xy" + text + b"z"),
    lambda text: text.hex().encode(),
    lambda text: text.hex().upper().encode(),
    lambda text: json.dumps(json.dumps(text.decode())).encode(),
]
ONE_BY_ONE = st.lists(st.sampled_from(CHARACTER_SPELLINGS), min_size=len(KEY), max_size=len(KEY))
SPELLINGS = st.one_of(
    ONE_BY_ONE.map(lambda spell: "".join(map(lambda one, character: one(character), spell, KEY)).encode()),
    st.sampled_from(CHARACTER_SPELLINGS).map(lambda spell: "".join(map(spell, KEY)).encode()),
    st.sampled_from(AS_A_WHOLE).map(lambda spell: spell(ECHO.encode())),
)


def body_of(status: bytes, body: bytes, content_type: bytes = b"application/json", *lines: bytes) -> Behaviour:
    head = [b"HTTP/1.1 " + status, b"Content-Type: " + content_type, b"Content-Length: %d" % len(body), *lines]
    return raw(b"\r\n".join([*head, b"", body]))


def stream_of(*events: bytes) -> Behaviour:
    return body_of(b"200 OK", b"".join(b"data: " + event + b"\n\n" for event in events), b"text/event-stream")


PLACES: dict[str, Callable[[bytes], Behaviour]] = {
    "reason phrase": lambda echo: body_of(b"401 " + echo, b""),
    "reason phrase of a redirect": lambda echo: body_of(b"302 " + echo, b"", b"text/html"),
    "reason phrase of a cut body": lambda echo: raw(b"HTTP/1.1 200 " + echo + b"\r\nContent-Length: 9\r\n\r\n{"),
    "header": lambda echo: body_of(b"403 No", b"", b"text/html", b"X-Echo: " + echo),
    "Location": lambda echo: body_of(b"302 Found", b"", b"text/html", b"Location: http://127.0.0.2:1/?key=" + echo),
    "line that is no header": lambda echo: raw(b"HTTP/1.1 200 OK\r\n" + echo + b"\r\n\r\n"),
    "status line": lambda echo: raw(b"HTTP/9.9 " + echo + b"\r\n\r\n"),
    "chunk": lambda echo: raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + echo + b"\r\n"),
    "message": lambda echo: body_of(b"400 Bad", b'{"code": "x", "message": "%s"}' % echo),
    "code": lambda echo: body_of(b"400 Bad", b'{"code": "%s", "message": "x"}' % echo),
    "deep inside": lambda echo: body_of(b"500 Bad", b'{"a": [{"%s": {"b": "%s"}}]}' % (echo, echo)),
    "title": lambda echo: body_of(b"502 Bad", b"<html><title>%s</title>" % echo, b"text/html"),
    "HTML with 200": lambda echo: body_of(b"200 OK", b"<html><title>%s</title>" % echo, b"text/html"),
    "broken JSON": lambda echo: body_of(b"200 OK", b'{"data": [], "key": "%s' % echo),
    "list": lambda echo: body_of(b"200 OK", b'["%s"]' % echo),
    "no page": lambda echo: body_of(b"200 OK", b'{"key": "%s"}' % echo),
    "plain text": lambda echo: body_of(b"500 Bad", echo, b"text/plain", b"X-Echo: " + echo),
    "not gzip": lambda echo: body_of(b"200 OK", echo, b"application/json", b"Content-Encoding: gzip"),
    "error event": lambda echo: stream_of(b'{"event": "error", "code": "%s", "message": "%s"}' % (echo, echo)),
    "broken event": lambda echo: stream_of(b'{"event": "%s' % echo),
    "name of an event": lambda echo: stream_of(b'{"event": "%s", "task_id": "%s"}' % (echo, echo)),
    "event in a list": lambda echo: stream_of(b'["%s"]' % echo),
    "text for an event": lambda echo: stream_of(b"x" * 470 + echo),
    "event without data": lambda echo: body_of(b"200 OK", b"event: %s\n\n" % echo, b"text/event-stream"),
    "error event after ids": lambda echo: stream_of(
        b'{"event": "x", "task_id": "%s", "workflow_run_id": "%s"}' % (echo, echo), b'{"event": "error"}'
    ),
}


async def read_a_stream(client) -> None:
    async with client.runs.stream({}, user="u-1") as events:
        while await anext(events, None) is not None:  # no variable of this test shows an event
            pass


class Records(logging.Handler):
    """What is logged by the SDK, and by it in the name of httpx."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.reported: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.reported.append(record.getMessage())
        self.reported.append(repr(record.args))


@contextlib.contextmanager
def recorded() -> Iterator[list[str]]:
    handler, loggers = Records(), [logging.getLogger(name) for name in ("dify_workflow", httpx.__name__)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    try:
        yield handler.reported
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


def plain(text: str) -> str:
    """A text without what its repr adds, and in one case."""
    return text.replace("\\", "").lower()


@EACH_DRIVER
@pytest.mark.parametrize("place", PLACES)
@given(echo=SPELLINGS)
@example(echo=ECHO.encode())
@settings(max_examples=4, deadline=None, derandomize=True, database=None)
def test_no_echo_of_the_key_is_shown(driver: Driver, place: str, echo: bytes):
    is_stream = "event" in place
    with FaultServer(PLACES[place](echo)) as server, recorded() as reported:
        action = driver.action(read_a_stream) if is_stream else list_logs
        error = failure(driver, server.base_url, action, max_retries=1)
    assert isinstance(error, DifyError)
    shown = plain("\n".join([everything_about(error), *reported]))
    assert KEY.lower() not in shown
    assert plain(echo.decode()) not in shown
    assert "/v1/workflows/" in shown


@EACH_DRIVER
def test_a_key_in_the_address_is_not_shown(driver: Driver):
    with FaultServer(respond(502)) as server, recorded() as reported:
        error = failure(
            driver,
            server.base_url,
            lambda client: client.with_options(max_retries=1).request("GET", f"/x/{KEY}", params={"key": KEY}),
        )
    assert isinstance(error, InternalServerError)
    assert KEY not in "\n".join([str(error), str(error.request.url), *reported])
    assert "/x/[api key]" in str(error)


@EACH_DRIVER
@pytest.mark.parametrize(
    ("action", "frame"),
    [
        (list_logs, "value_or_raise"),
        (lambda client: client.request("GET", "/x", params={"a": "\ud800"}), "_repeated"),
        (lambda client: client.request("POST", "/x", json=object()), "_repeated"),
    ],
    ids=["status", "params", "body"],
)
def test_no_variable_of_the_sdk_shows_a_default_header(driver: Driver, action, frame: str):
    with FaultServer(respond(502)) as server:
        error = failure(driver, server.base_url, action, default_headers={"X-Api-Key": KEY}, max_retries=0)
    frames = [one for link in chain_of(error) for one, _ in walk_tb(link.__traceback__)]
    ours = [one for one in frames if one.f_globals["__name__"].startswith("dify_workflow.")]
    assert frame in [one.f_code.co_name for one in ours]
    assert KEY not in repr([one.f_locals for one in ours])


REQUESTS: dict[str, tuple[str, dict[str, object]]] = {
    "params": ("/x", {"params": {"token": KEY, KEY: "1"}}),
    "params in a list": ("/x", {"params": {"token": [KEY]}}),
    "params that cannot be sent": ("/x", {"params": {"token": KEY, "a": "\ud800"}}),
    "json": ("/x", {"json": {"token": KEY}}),
    "json that cannot be sent": ("/x", {"json": {"token": KEY, "a": object()}}),
    "json whose name cannot be sent": ("/x", {"json": {(KEY,): 1}}),
    "path": (f"/x/{KEY}", {}),
    "path that cannot be sent": (f"/x?key={KEY}", {}),
    "method": ("/x", {"method": KEY}),
}


@EACH_DRIVER
@pytest.mark.parametrize(
    ("behaviour", "http"),
    [(respond(502), None), (reset(), None), (respond(200, "<p>"), None), (respond(502), {})],
    ids=["502", "reset", "HTML", "502, own client"],
)
def test_no_frame_of_the_sdk_shows_the_arguments_of_a_request(driver: Driver, behaviour: Behaviour, http):
    with FaultServer(behaviour) as server:
        for case, (path, options) in REQUESTS.items():
            arguments = {"method": "POST", "path": path} | options
            error = failure(driver, server.base_url, request_of(arguments), http=http)
            assert KEY not in str(error), case
            frames = [frame for link in chain_of(error) for frame, _ in walk_tb(link.__traceback__)]
            ours = [frame for frame in frames if frame.f_globals["__name__"] not in {__name__, "support.clients"}]
            assert "request" in [frame.f_code.co_name for frame in ours]
            assert KEY not in repr([frame.f_locals for frame in ours]), case


def request_of(arguments):
    return lambda client: client.request(**arguments)


def test_a_cancelled_call_shows_no_echo_and_no_frame_that_has_it():
    begun = raw(b"HTTP/1.1 200 " + ECHO.encode() + b"\r\nContent-Length: 99\r\nX: 1\r\n\r\n" + ECHO.encode(), 5.0)

    async def call() -> None:
        async with AsyncDifyWorkflow(api_key=KEY, base_url=server.base_url) as client, asyncio.timeout(0.3):
            await client.logs.list()

    with FaultServer(begun) as server, pytest.raises(TimeoutError) as caught:
        asyncio.run(call())
    assert KEY not in everything_about(caught.value)
    names = [frame.f_globals["__name__"] for link in chain_of(caught.value) for frame, _ in walk_tb(link.__traceback__)]
    assert "dify_workflow._async.base_client" in names
    assert not {"httpx", "httpcore", "h11"} & {name.partition(".")[0] for name in names}


@EACH_DRIVER
def test_an_error_of_a_file_keeps_the_callers_frames(driver: Driver):
    class Source(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise LookupError("the disk is gone")

    with FaultServer(page_response()) as server:
        error = failure(
            driver, server.base_url, lambda client: client.files.upload(Source(b"x"), user="u", filename="x")
        )
    assert isinstance(error, LookupError)
    frames = [frame.f_code.co_name for frame, _ in walk_tb(error.__traceback__)]
    assert frames[-1] == "read"
    assert KEY not in everything_about(error)


@EACH_DRIVER
@pytest.mark.parametrize("http", [None, {}], ids=["own pool", "caller's client"])
@pytest.mark.parametrize("body", [{"inputs": object()}, {"x": b"1"}, {1, 2}], ids=["object", "bytes", "set"])
def test_a_body_that_is_no_json_does_not_bring_it_to_light(driver: Driver, http, body):
    with FaultServer(json_response(200, {})) as server:
        error = failure(
            driver, server.base_url, lambda client: client.request("POST", "/workflows/run", json=body), http=http
        )
    assert isinstance(error, TypeError | ValueError)
    assert KEY not in everything_about(error)
    assert server.requests == []


@EACH_DRIVER
@pytest.mark.parametrize(
    "action",
    [
        lambda client: client.logs.list(page=0),
        lambda client: client.logs.list(created_at__after="yesterday"),
        lambda client: client.logs.list(timeout=-1),
        lambda client: client.request("GET", "https://elsewhere.example/"),
        lambda client: client.request("GET", "/x", params={"a": "\ud800"}),
    ],
    ids=["page", "time", "timeout", "path", "surrogate"],
)
def test_a_wrong_argument_does_not_bring_it_to_light(driver: Driver, action):
    with FaultServer(json_response(200, {})) as server:
        error = failure(driver, server.base_url, action)
    assert isinstance(error, ValueError)
    assert KEY not in everything_about(error)
    assert server.requests == []


# --- the client -------------------------------------------------------------------------------------------------------


def inside(value: object, depth: int = 4) -> str:
    """The repr of a value and of everything that it is made of, as a debugger would show it."""
    if isinstance(value, Secret | httpx.Headers) or depth == 0:  # both hold it, and hide it
        return repr(value)
    slots = [getattr(value, name, None) for name in getattr(type(value), "__slots__", ()) if isinstance(name, str)]
    parts = [*getattr(value, "__dict__", {}).values(), *slots]
    return "\n".join([repr(value), str(value), *(inside(part, depth - 1) for part in parts)])


@BOTH
def test_no_repr_of_the_client_or_of_its_parts_shows_it(client_class):
    client = client_class(api_key=KEY, default_headers={"X-A": "1"})
    for part in (client, client.with_options(timeout=3), client.logs):
        assert KEY not in inside(part)
        assert KEY not in f"{part} {part!r} {part!s}"
    assert client_class.__name__ in repr(client)
    assert "https://api.dify.ai/v1" in repr(client)


@BOTH
@pytest.mark.parametrize(
    ("key", "options"),
    [
        (KEY, {"base_url": "nonsense"}),
        (KEY, {"timeout": -1}),
        (KEY, {"max_retries": -1}),
        (KEY, {"http_client": "none"}),
        (f"Bearer {KEY}", {}),
        (f"{KEY}é", {}),
        (KEY.encode(), {}),
        ([KEY], {}),
    ],
    ids=["base_url", "timeout", "max_retries", "http_client", "with Bearer", "not ASCII", "bytes", "list"],
)
def test_options_that_are_refused_do_not_bring_it_to_light(client_class, key, options):
    holder = iter([key])
    del key  # this frame is a part of the traceback too
    with pytest.raises(ConfigurationError) as caught:
        client_class(api_key=next(holder), **options)
    assert KEY not in traceback_without_test_frames(caught.value)


@BOTH
@pytest.mark.parametrize("key", [f"Bearer {KEY}", KEY.encode(), [KEY]], ids=["with Bearer", "bytes", "list"])
def test_a_derived_clients_refused_options_do_not_reveal_it(client_class, key):
    holder = iter([key])
    del key
    client = client_class(api_key="app-other")
    with pytest.raises(ConfigurationError) as caught:
        client.with_options(api_key=next(holder))
    assert KEY not in traceback_without_test_frames(caught.value)


def traceback_without_test_frames(error: BaseException) -> str:
    assert error.__traceback__ is not None
    return everything_about(error.with_traceback(error.__traceback__.tb_next))


# --- what is sent -----------------------------------------------------------------------------------------------------


@EACH_DRIVER
def test_the_key_goes_out_in_its_header_and_nowhere_else(driver: Driver):
    with FaultServer(page_response()) as server:
        driver.call(server.base_url, list_logs, post, lambda client: client.logs.list(keyword="x", status="failed"))
    assert len(server.requests) == 3
    for request in server.requests:
        assert request.authorization == "expected"
        assert request.carries_key
        assert KEY not in request.path
        assert KEY not in repr(request.headers)
        assert KEY.encode() not in request.body


# --- logs -------------------------------------------------------------------------------------------------------------


@EACH_DRIVER
def test_no_body_is_logged_neither_sent_nor_received(driver: Driver, caplog):
    caplog.set_level(logging.DEBUG, "dify_workflow")
    confidential = "confidential-text"
    behaviours = [
        error_response(429, "too_many_requests", confidential),
        respond(429, confidential),
        json_response(200, {"outputs": confidential}),
        respond(500, f"<title>{confidential}</title>"),
        respond(200, f"<title>{confidential}</title>"),
    ]
    with FaultServer(*behaviours) as server:

        def run(client):
            return client.request("POST", "/workflows/run", json={"inputs": {"query": confidential}})

        failure(driver, server.base_url, run, list_logs)
    assert len(server.requests) == 5
    logged = [record for record in caplog.records if record.name.startswith("dify_workflow")]
    assert len(logged) >= 5
    assert confidential not in caplog.text
    assert confidential not in repr([record.args for record in logged])


PROGRAM = """
import asyncio, sys
from dify_workflow import AsyncDifyWorkflow, DifyError, DifyWorkflow

with DifyWorkflow(backoff=0) as client:
    client.logs.list(keyword="hello")

async def main():
    async with AsyncDifyWorkflow(backoff=0) as client:
        await client.logs.list()

asyncio.run(main())
"""


def run_program(server: FaultServer, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DIFY_LOG", "PYTHONWARNINGS"}}
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", PROGRAM],
        env={**kept, "DIFY_API_KEY": KEY, "DIFY_BASE_URL": server.base_url, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


@pytest.mark.parametrize("level", ["debug", "info", "DEBUG"])
def test_dify_log_tells_what_happens_on_stderr_without_the_key(level: str):
    with FaultServer(error_response(503, "unknown", "busy"), page_response()) as server:
        done = run_program(server, DIFY_LOG=level)
    assert done.stdout == ""
    assert KEY not in done.stderr
    assert "GET /v1/workflows/logs: 200" in done.stderr
    assert "retry 1" in done.stderr
    assert ("keyword=hello" in done.stderr) == (level.lower() == "debug")
    assert len(server.requests) == 3


def test_without_dify_log_nothing_is_written():
    with FaultServer(error_response(503, "unknown", "busy"), page_response()) as server:
        done = run_program(server)
    assert (done.stdout, done.stderr) == ("", "")


def test_an_unknown_level_is_a_warning_and_turns_nothing_on():
    with FaultServer(page_response()) as server:
        done = run_program(server, DIFY_LOG="verbose")
    assert "DIFY_LOG is 'verbose'" in done.stderr
    assert "GET /v1" not in done.stderr


def test_the_logger_has_no_handlers_of_its_own():
    code = (
        "import dify_workflow, logging; dify_workflow.DifyWorkflow; print(logging.getLogger('dify_workflow').handlers)"
    )
    kept = {name: value for name, value in os.environ.items() if name != "DIFY_LOG"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept, capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stdout) == []

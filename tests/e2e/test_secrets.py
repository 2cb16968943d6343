"""The API key is shown nowhere: no repr, error, traceback with its variables, log, pickle or address has it."""

from __future__ import annotations

import json
import logging
import os
import pickle
import subprocess
import sys
import traceback

import httpx
import pytest
from fault_server import (
    HTML,
    KEY,
    Behaviour,
    FaultServer,
    answer,
    error_answer,
    json_answer,
    page_answer,
    refusing_origin,
)
from fault_table import FAULTS, Fault, plain_text_to_tls
from halves import EACH_HALF, Half, list_logs, post

from dify_workflow import AsyncDifyWorkflow, ConfigurationError, DifyError, DifyWorkflow
from dify_workflow._configuration import Secret

BOTH = pytest.mark.parametrize("client_class", [DifyWorkflow, AsyncDifyWorkflow])


def everything_about(error: BaseException) -> str:
    """All that a crash reporter could send: the whole chain with variables, the attributes, and the pickle."""
    told = [
        "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()),
        *(repr(vars(link)) for link in chain_of(error)),
        repr(error),
    ]
    if isinstance(error, DifyError):
        told.append(pickle.dumps(error, 0).decode("latin-1"))
        told.append(repr(error.__reduce__()))
        for name in ("request", "headers"):
            part = getattr(error, name, None)
            headers = part.headers if isinstance(part, httpx.Request) else part
            told.append(repr(headers.raw if headers is not None else None))
            told.append(str(part.url) if isinstance(part, httpx.Request) else "")
    return "\n".join(told)


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


def failure(half: Half, base_url: str, *actions, **options) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one it is, other tests say
        half.call(base_url, *actions, **options)
    return caught.value


def test_what_looks_for_the_key_would_find_it():
    key = KEY
    with pytest.raises(LookupError) as caught:
        raise LookupError(len(key))
    assert KEY in everything_about(caught.value)


# --- errors and logs --------------------------------------------------------------------------------------------------


@EACH_HALF
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_no_fault_brings_the_key_to_light(half: Half, fault: Fault, caplog):
    caplog.set_level(logging.DEBUG)
    with FaultServer(fault.behaviour()) as server:
        error = failure(half, server.base_url, list_logs, max_retries=1, **fault.options)
    assert isinstance(error, DifyError)
    assert KEY not in everything_about(error)
    assert KEY not in all_about_records(caplog)
    assert "dify_workflow" in {record.name for record in caplog.records} or fault.gets == 1


@EACH_HALF
@pytest.mark.parametrize("action", [list_logs, post], ids=["GET", "POST"])
def test_no_connection_brings_no_key_to_light(half: Half, action, caplog):
    caplog.set_level(logging.DEBUG)
    with refusing_origin() as origin:
        refused = failure(half, origin, action)
    with FaultServer(plain_text_to_tls()) as server:
        not_tls = failure(half, server.base_url.replace("http:", "https:"), action)
    assert KEY not in everything_about(refused)
    assert KEY not in everything_about(not_tls)
    assert KEY not in all_about_records(caplog)


@EACH_HALF
@pytest.mark.parametrize("fault", FAULTS[::4], ids=str)
def test_the_callers_own_httpx_client_does_not_bring_it_to_light_either(half: Half, fault: Fault, caplog):
    caplog.set_level(logging.DEBUG)
    with FaultServer(fault.behaviour()) as server:
        error = failure(half, server.base_url, list_logs, http={}, max_retries=0, **fault.options)
    assert KEY not in everything_about(error)
    assert KEY not in all_about_records(caplog)


ECHO = f"Bearer {KEY}"


@EACH_HALF
@pytest.mark.parametrize(
    "behaviour",
    [
        error_answer(401, "unauthorized", f"unknown key {KEY}", headers=(("X-Echo", ECHO),)),
        error_answer(429, KEY, "x"),
        json_answer(400, {"code": "invalid_param", "message": "x", "request": {"headers": {"Authorization": ECHO}}}),
        answer(502, f"<html><title>{ECHO}</title></html>", content_type=HTML),
        answer(500, ECHO, headers=(("X-Echo", ECHO),)),
        answer(200, f"<html><title>{ECHO}</title></html>", content_type=HTML, headers=(("X-Echo", ECHO),)),
        answer(200, f'{{"data": [], "key": "{KEY}'),
        json_answer(200, {"key": KEY}),
        json_answer(200, [KEY]),
        answer(302, headers=(("Location", f"http://127.0.0.2:1/?key={KEY}"),)),
        answer(200, KEY, headers=(("Content-Encoding", "gzip"), ("X-Echo", ECHO))),
    ],
    ids=["text", "code", "deep inside", "title", "plain text", "HTML with 200", "cut JSON", "no page", "list",
         "redirect", "not gzip"],
)  # fmt: skip
def test_a_server_that_echoes_the_key_does_not_bring_it_to_light(half: Half, behaviour: Behaviour, caplog):
    caplog.set_level(logging.DEBUG, "dify_workflow")
    with FaultServer(behaviour) as server:
        error = failure(half, server.base_url, list_logs, max_retries=1)
    assert isinstance(error, DifyError)
    assert KEY not in everything_about(error)
    assert KEY not in all_about_records(caplog)


@EACH_HALF
@pytest.mark.parametrize("http", [None, {}], ids=["own pool", "caller's client"])
@pytest.mark.parametrize("body", [{"inputs": object()}, {"x": b"1"}, {1, 2}], ids=["object", "bytes", "set"])
def test_a_body_that_is_no_json_does_not_bring_it_to_light(half: Half, http, body):
    with FaultServer(json_answer(200, {})) as server:
        error = failure(
            half, server.base_url, lambda client: client.request("POST", "/workflows/run", json=body), http=http
        )
    assert isinstance(error, TypeError | ValueError)
    assert KEY not in everything_about(error)
    assert server.requests == []


@EACH_HALF
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
def test_a_wrong_argument_does_not_bring_it_to_light(half: Half, action):
    with FaultServer(json_answer(200, {})) as server:
        error = failure(half, server.base_url, action)
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
    assert KEY not in told_without_tests_own_frames(caught.value)


@BOTH
@pytest.mark.parametrize("key", [f"Bearer {KEY}", KEY.encode(), [KEY]], ids=["with Bearer", "bytes", "list"])
def test_a_siblings_options_that_are_refused_do_not_bring_it_to_light(client_class, key):
    holder = iter([key])
    del key
    client = client_class(api_key="app-other")
    with pytest.raises(ConfigurationError) as caught:
        client.with_options(api_key=next(holder))
    assert KEY not in told_without_tests_own_frames(caught.value)


def told_without_tests_own_frames(error: BaseException) -> str:
    assert error.__traceback__ is not None
    return everything_about(error.with_traceback(error.__traceback__.tb_next))


# --- what is sent -----------------------------------------------------------------------------------------------------


@EACH_HALF
def test_the_key_goes_out_in_its_header_and_nowhere_else(half: Half):
    with FaultServer(page_answer()) as server:
        half.call(server.base_url, list_logs, post, lambda client: client.logs.list(keyword="x", status="failed"))
    assert len(server.requests) == 3
    for request in server.requests:
        assert request.authorization == "expected"
        assert request.carries_key
        assert KEY not in request.path
        assert KEY not in repr(request.headers)
        assert KEY.encode() not in request.body


@EACH_HALF
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_other_host_gets_it_whatever_the_callers_own_client_would_do(half: Half, status: int):
    http = {"follow_redirects": True, "auth": ("user", "password"), "headers": {"Authorization": "Bearer other"}}
    with FaultServer(page_answer(), host="127.0.0.2") as elsewhere:
        location = (("Location", f"{elsewhere.base_url}/workflows/logs"),)
        with FaultServer(answer(status, headers=location)) as server:
            failure(half, server.base_url, list_logs, http=http)
        assert elsewhere.requests == []
    assert [request.authorization for request in server.requests] == ["expected"]


# --- logs -------------------------------------------------------------------------------------------------------------


@EACH_HALF
def test_no_body_is_logged_neither_sent_nor_received(half: Half, caplog):
    caplog.set_level(logging.DEBUG, "dify_workflow")
    confidential = "confidential-text"
    behaviours = [
        error_answer(429, "too_many_requests", confidential),
        answer(429, confidential),
        json_answer(200, {"outputs": confidential}),
        answer(500, f"<title>{confidential}</title>"),
        answer(200, f"<title>{confidential}</title>"),
    ]
    with FaultServer(*behaviours) as server:

        def run(client):
            return client.request("POST", "/workflows/run", json={"inputs": {"query": confidential}})

        failure(half, server.base_url, run, list_logs)
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
    with FaultServer(error_answer(503, "unknown", "busy"), page_answer()) as server:
        done = run_program(server, DIFY_LOG=level)
    assert done.stdout == ""
    assert KEY not in done.stderr
    assert "GET /v1/workflows/logs: 200" in done.stderr
    assert "retry 1" in done.stderr
    assert ("keyword=hello" in done.stderr) == (level.lower() == "debug")
    assert len(server.requests) == 3


def test_without_dify_log_nothing_is_written():
    with FaultServer(error_answer(503, "unknown", "busy"), page_answer()) as server:
        done = run_program(server)
    assert (done.stdout, done.stderr) == ("", "")


def test_an_unknown_level_is_a_warning_and_turns_nothing_on():
    with FaultServer(page_answer()) as server:
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

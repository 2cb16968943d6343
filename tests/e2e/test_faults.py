"""The table of faults, for both clients: the promised error, what it carries, and how often the request was sent."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from support.clients import DRIVERS, EACH_DRIVER, Driver, failure, list_logs
from support.fault_server import (
    FaultServer,
    before_the_body,
    close_on_accept,
    error_response,
    event_stream,
    json_response,
    log_page,
    page_response,
    refusing_origin,
    reset,
    sse,
)
from support.fault_table import BUSY, FAULTS, REPEATED, Fault, plain_text_to_tls
from support.multipart_bodies import Part, parts_of

from dify_workflow import APIConnectionError, APIResponseError, DifyError

TASK = "81c9d9a1-06c0-4d87-9e87-6a34202965f1"
VERSION = "8cc5e2c0-5323-44b6-a08a-3332f17414f6"
FILE = b"\x00\r\n--" * 50_000


async def run(client: Any) -> Any:
    return await client.runs.run({"query": "流"}, user="u-1")


async def run_version(client: Any) -> Any:
    return await client.runs.run({"query": "流"}, user="u-1", workflow_id=VERSION)


async def stream(client: Any) -> Any:
    async with client.runs.stream({"query": "流"}, user="u-1") as events:
        return [event async for event in events]


async def stop(client: Any) -> Any:
    return await client.runs.stop(TASK, user="u-1")


async def submit(client: Any) -> Any:
    return await client.forms.submit("token", inputs={"ok": True}, action="approve", user="u-1")


async def upload(client: Any) -> Any:
    return await client.files.upload(FILE, user="u-1", filename="a.bin")


async def request(client: Any) -> Any:
    return await client.request("POST", "/anything", json={"user": "u-1"})


async def read(client: Any) -> Any:
    return await client.logs.list()


# What each sends: its path, and its body, where that is JSON.
WORK: dict[Any, tuple[str, Any]] = {
    run: ("/v1/workflows/run", {"inputs": {"query": "流"}, "response_mode": "blocking", "user": "u-1"}),
    run_version: (
        f"/v1/workflows/{VERSION}/run",
        {"inputs": {"query": "流"}, "response_mode": "blocking", "user": "u-1"},
    ),
    stream: ("/v1/workflows/run", {"inputs": {"query": "流"}, "response_mode": "streaming", "user": "u-1"}),
    stop: (f"/v1/workflows/tasks/{TASK}/stop", {"user": "u-1"}),
    submit: ("/v1/form/human_input/token", {"inputs": {"ok": True}, "action": "approve", "user": "u-1"}),
    upload: ("/v1/files/upload", None),
    request: ("/v1/anything", {"user": "u-1"}),
}
EACH_WORK = pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
EACH_CALL = pytest.mark.parametrize("call", [read, *WORK], ids=lambda call: call.__name__)


@pytest.fixture(autouse=True, scope="module")
def _all_is_loaded() -> None:
    """What is imported for the first call of a process counts as a part of its time, and may take long here."""
    with FaultServer(page_response()) as server:
        for driver in DRIVERS:
            driver.call(server.base_url, list_logs)


@EACH_DRIVER
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_each_fault_gives_its_error_after_its_number_of_requests(driver: Driver, fault: Fault):
    with FaultServer(fault.behaviour()) as server:
        error = failure(driver, server.base_url, list_logs, **fault.options)
        server.wait_for_requests(fault.gets)
    assert type(error) is fault.error
    assert {name: getattr(error, name) for name in fault.carries} == fault.carries
    assert str(error).startswith("GET /v1/workflows/logs: ")
    assert fault.says in str(error)
    assert len(str(error)) < 800
    assert error.request.method == "GET"
    assert str(error.request.url) == f"{server.base_url}/workflows/logs?page=1&limit=20"
    assert "authorization" not in error.request.headers
    assert len(server.requests) == fault.gets
    assert {request.authorization for request in server.requests} == {"expected"}
    assert {request.path for request in server.requests} == {"/v1/workflows/logs?page=1&limit=20"}


@EACH_DRIVER
@pytest.mark.parametrize("fault", REPEATED, ids=str)
def test_reading_recovers_when_a_later_attempt_succeeds(driver: Driver, fault: Fault):
    with FaultServer(fault.behaviour(), fault.behaviour(), page_response(rows=3)) as server:
        page = driver.call(server.base_url, list_logs, **fault.options)
    assert page.to_dict() == log_page(3)
    assert len(server.requests) == 3


@EACH_DRIVER
@pytest.mark.parametrize("fault", REPEATED, ids=str)
def test_without_retries_every_request_is_sent_once(driver: Driver, fault: Fault):
    with FaultServer(fault.behaviour(), page_response()) as server:
        error = failure(driver, server.base_url, list_logs, max_retries=0, **fault.options)
    assert type(error) is fault.error
    assert len(server.requests) == 1


# --- what may have begun is never sent twice --------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_runs_reach_the_server_as_often_as_is_safe(driver: Driver, fault: Fault):
    async def story(client: Any) -> list[DifyError | None]:
        errors: list[DifyError | None] = []
        for work in WORK:
            try:
                await work(client)
            except DifyError as error:
                errors.append(error)
            else:
                errors.append(None)
        return errors

    with FaultServer(fault.behaviour()) as server:
        errors = driver.play(server.base_url, story, **fault.options)

    # Some responses of 200 that are no page of logs are what another operation may give; the count is the same.
    if fault.error is not APIResponseError:
        assert {type(error) for error in errors} == {fault.error}
        for error, (path, _) in zip(errors, WORK.values(), strict=True):
            assert str(error).startswith(f"POST {path}: ")
    assert type(errors[list(WORK).index(stream)]) is fault.error
    arrived = Counter(
        (request.path, "streaming" if b"streaming" in request.body else "") for request in server.requests
    )
    assert set(arrived.values()) == {fault.posts}
    assert len(arrived) == len(WORK)
    for request in server.requests:
        assert request.method == "POST"
        if request.path.endswith("/files/upload"):
            expected = [Part("user", b"u-1"), Part("file", FILE, "a.bin", "application/octet-stream")]
            assert parts_of(request.headers["content-type"], request.body) == expected
        else:
            assert json.loads(request.body) in [body for path, body in WORK.values() if path == request.path]


@EACH_DRIVER
@EACH_CALL
def test_a_refused_connection_is_retried_for_all_requests(driver: Driver, call: Any):
    attempts: list[str] = []
    with refusing_origin() as origin:
        error = failure(driver, origin, driver.action(call), http={"transport": driver.counting_transport(attempts)})
    assert type(error) is APIConnectionError
    assert error.request_sent is False
    assert attempts == ["GET" if call is read else "POST"] * 3


@EACH_DRIVER
@EACH_CALL
def test_a_failed_tls_handshake_is_retried_for_all_requests(driver: Driver, call: Any):
    with FaultServer(plain_text_to_tls()) as server:
        error = failure(driver, server.base_url.replace("http:", "https:"), driver.action(call))
    assert type(error) is APIConnectionError
    assert error.request_sent is False
    assert server.connections == 3


@EACH_DRIVER
@EACH_CALL
def test_a_connection_closed_at_once_is_retried_for_reads_only(driver: Driver, call: Any):
    with FaultServer(close_on_accept()) as server:
        error = failure(driver, server.base_url, driver.action(call))
    assert type(error) is APIConnectionError
    assert error.request_sent is True
    assert server.connections == (3 if call is read else 1)
    assert server.requests == []


@EACH_DRIVER
def test_an_upload_cut_off_while_sent_is_not_repeated(driver: Driver):
    with FaultServer(before_the_body(reset(), then_read=False)) as server:
        error = failure(driver, server.base_url, driver.action(upload))
    assert type(error) is APIConnectionError
    assert error.request_sent is True
    assert len(server.requests) == server.connections == 1


@EACH_DRIVER
@EACH_WORK
def test_rejected_work_succeeds_when_there_is_room_again(driver: Driver, work: Any):
    turned_away = [error_response(400, "invalid_param", BUSY), error_response(429, "too_many_requests", "slow down")]
    done = event_stream(sse({"event": "workflow_finished"})) if work is stream else json_response(200, {"result": "x"})
    with FaultServer(*turned_away, done) as server:
        driver.play(server.base_url, work)
    assert len(server.requests) == 3
    kinds = {request.headers["content-type"].partition(";")[0] for request in server.requests}
    assert kinds == {"multipart/form-data" if work is upload else "application/json"}

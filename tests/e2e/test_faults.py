"""The table of faults, for both halves: the promised error, what it carries, and how often the request was sent."""

from __future__ import annotations

import json

import pytest
from support.clients import EACH_HALF, AsyncHalf, Half, SyncHalf, failure, list_logs, post
from support.fault_server import FaultServer, error_response, json_response, log_page, page_response, respond
from support.fault_table import BUSY, FAULTS, REPEATED, Fault

from dify_workflow import APIResponseError


@pytest.fixture(autouse=True, scope="module")
def _all_is_loaded() -> None:
    """What is imported for the first call of a process counts as a part of its time, and may take long here."""
    with FaultServer(page_response()) as server:
        for half in (SyncHalf(), AsyncHalf()):
            half.call(server.base_url, list_logs)


@EACH_HALF
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_each_fault_gives_its_error_after_its_number_of_requests(half: Half, fault: Fault):
    with FaultServer(fault.behaviour()) as server:
        error = failure(half, server.base_url, list_logs, **fault.options)
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


@EACH_HALF
@pytest.mark.parametrize("fault", REPEATED, ids=str)
def test_reading_recovers_when_a_later_attempt_succeeds(half: Half, fault: Fault):
    with FaultServer(fault.behaviour(), fault.behaviour(), page_response(rows=3)) as server:
        page = half.call(server.base_url, list_logs, **fault.options)
    assert page.to_dict() == log_page(3)
    assert len(server.requests) == 3


@EACH_HALF
@pytest.mark.parametrize("fault", REPEATED, ids=str)
def test_without_retries_every_request_is_sent_once(half: Half, fault: Fault):
    with FaultServer(fault.behaviour(), page_response()) as server:
        error = failure(half, server.base_url, list_logs, max_retries=0, **fault.options)
    assert type(error) is fault.error
    assert len(server.requests) == 1


@EACH_HALF
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.error is not APIResponseError], ids=str)
def test_runs_are_repeated_only_if_they_cannot_have_begun(half: Half, fault: Fault):
    with FaultServer(fault.behaviour()) as server:
        error = failure(half, server.base_url, post, **fault.options)
    assert type(error) is fault.error
    assert str(error).startswith("POST /v1/workflows/run: ")
    assert len(server.requests) == fault.posts
    assert [json.loads(request.body) for request in server.requests] == [{"inputs": {}, "user": "u-1"}] * fault.posts


@EACH_HALF
def test_rejected_runs_succeed_when_there_is_room_again(half: Half):
    turned_away = [error_response(400, "invalid_param", BUSY), error_response(429, "too_many_requests", "slow down")]
    with FaultServer(*turned_away, json_response(200, {"workflow_run_id": "r-1"})) as server:
        assert half.call(server.base_url, post) == {"workflow_run_id": "r-1"}
    assert len(server.requests) == 3


@EACH_HALF
def test_a_post_with_an_html_response_is_not_sent_again(half: Half):
    with FaultServer(respond(200, "<html>log in</html>")) as server:
        assert type(failure(half, server.base_url, post)) is APIResponseError
    assert len(server.requests) == 1

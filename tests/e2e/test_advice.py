"""What errors of runs, uploads and forms say when the server may have done what was asked, over a real connection."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_DRIVER, Driver, failure
from support.fault_server import (
    HTML,
    Behaviour,
    FaultServer,
    close,
    error_response,
    event_stream,
    refusing_origin,
    respond,
    silence,
)

from dify_workflow import APIConnectionError, APITimeoutError, BadRequestError, DifyError, InternalServerError

if TYPE_CHECKING:
    from support.clients import Action

LOOK = "logs.list(created_by_end_user_session_id=user)"
GATEWAY = respond(504, "<title>504 Gateway Time-out</title>", content_type=HTML)
STATUSES = [
    error_response(status, "x", "y") for status in (408, 502, 503, 524)
]  # the server's own 500 says that the run has ended


def run(client: Any) -> Any:
    return client.runs.run({"query": "hi"}, user="u-1")


def upload(client: Any) -> Any:
    return client.files.upload(b"x", user="u-1", filename="a.txt")


def submit(client: Any) -> Any:
    return client.forms.submit("token", inputs={}, action="ok", user="u-1")


async def stream(client: Any) -> None:
    async with client.runs.stream({"query": "hi"}, user="u-1") as events:
        async for _ in events:
            pass


@EACH_DRIVER
@pytest.mark.parametrize(
    ("action", "says"), [(run, LOOK), (upload, "stores it a second time"), (submit, "fails with status 412 if it was")]
)
def test_a_timeout_says_once_that_it_may_have_been_done(driver: Driver, action: Action, says: str):
    with FaultServer(silence()) as server:
        error = failure(driver, server.base_url, action, timeout=1)
    assert type(error) is APITimeoutError
    assert str(error).endswith(says) or says in str(error)
    assert str(error).count("timed out") == 1
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - its own pickle


@EACH_DRIVER
@pytest.mark.parametrize("behaviour", [GATEWAY, *STATUSES, close()], ids=lambda behaviour: behaviour.name)
def test_what_a_gateway_says_leaves_open_whether_it_runs(driver: Driver, behaviour: Behaviour):
    with FaultServer(behaviour) as server:
        error = failure(driver, server.base_url, run)
        streamed = failure(driver, server.base_url, driver.action(stream))
    assert str(error).count(LOOK) == str(streamed).count(LOOK) == 1
    assert "may still be running" in str(error)
    assert len(server.requests) == 2


@EACH_DRIVER
def test_clear_refusals_advise_nothing(driver: Driver):
    with FaultServer(error_response(500, "internal_server_error", "no")) as server:
        error = failure(driver, server.base_url, run)
    assert type(error) is InternalServerError
    assert LOOK not in str(error)
    with refusing_origin() as origin:
        assert LOOK not in str(failure(driver, origin, run))


@EACH_DRIVER
def test_an_empty_stream_says_that_the_run_may_still_be_executed(driver: Driver):
    behaviours: dict[Behaviour, type[DifyError]] = {
        event_stream(): APIConnectionError,
        event_stream(b"event: ping\n\n"): APIConnectionError,
        event_stream(b"event: ping\n\n", then="cut"): APIConnectionError,
        event_stream(b"event: ping\n\n", then="wait"): APITimeoutError,
    }
    for behaviour, error in behaviours.items():
        with FaultServer(behaviour) as server:
            found = failure(driver, server.base_url, driver.action(stream), timeout=1)
        assert type(found) is error
        assert "may be waiting for a free worker and still be executed" in str(found)
        assert str(found).count(LOOK) == 1


@EACH_DRIVER
def test_a_type_that_the_server_does_not_detect_is_named(driver: Driver):
    message = "Detected file type does not match the specified type. Please verify the file."
    document = {"type": "document", "transfer_method": "local_file", "upload_file_id": "u"}
    with FaultServer(error_response(400, "invalid_param", message)) as server:
        error = failure(driver, server.base_url, lambda client: client.runs.run({"doc": document}, user="u-1"))
    assert type(error) is BadRequestError
    assert message in str(error)
    assert "inputs['doc'] as 'document'" in str(error)
    assert "upload.as_input(type='custom')" in str(error)

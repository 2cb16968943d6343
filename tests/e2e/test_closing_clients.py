"""Closing a client while its calls wait: in another thread or task, in another event loop, or by a signal handler."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import SyncDriver
from support.fault_server import (
    KEY,
    Behaviour,
    FaultServer,
    event_stream,
    json_response,
    log_page,
    respond,
    silence,
    sse,
)
from support.leaks import nothing_left_open

from dify_workflow import AsyncDifyWorkflow, DifyWorkflow
from dify_workflow._http.library import httpx

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

PROMPTLY = 4.0
"""Seconds: on a busy machine, and far below the 30 that are waited for."""
RUN = "00000000-0000-4000-8000-000000000001"
CLOSED = "this client is closed"
CONTINUES = f"{CLOSED}; the run continues"
RUNNING = json_response(200, {"id": RUN, "workflow_id": RUN, "status": "running", "inputs": "{}", "created_at": 1})
HELLO = sse({"event": "text_chunk", "task_id": "t", "workflow_run_id": RUN, "data": {"text": "x"}})


async def attached(client: Any) -> object:
    return await client.runs.attach(RUN, user="u-1").wait()


async def started(client: Any) -> object:
    run = await client.runs.start({}, user="u-1", check_inputs=False)
    return await run.wait()


async def read(client: Any) -> object:
    return await client.runs.get(RUN)


async def run(client: Any) -> object:
    return await client.runs.run({}, user="u-1")


async def followed(client: Any) -> object:
    return [log async for log in client.logs.follow(poll=1000)]


async def walked(client: Any) -> object:
    return [log async for log in client.logs.iter()]


async def streamed(client: Any) -> object:
    async with client.runs.events(RUN, user="u-1") as events:
        return [event async for event in events]


CALLS: dict[str, tuple[Behaviour, Callable[[Any], Awaitable[object]], str]] = {
    "a run that is polled": (RUNNING, attached, CONTINUES),
    "a run whose response does not come": (silence(), attached, CONTINUES),
    "a run in an outage": (respond(503), attached, CONTINUES),
    "a run whose events come": (event_stream(HELLO, then="wait"), started, CONTINUES),
    "a call without a response": (silence(), read, f"{CLOSED}: GET "),
    "a call that will be sent again": (respond(503), read, CLOSED),
    "a blocking run": (silence(), run, f"{CLOSED}: POST .*the run may still be running"),
    "a follow between two polls": (json_response(200, log_page(3)), followed, f"{CLOSED}; this follow has ended"),
    "a walk in an outage": (respond(503), walked, f"{CLOSED}; this walk ended"),
    "a stream that waits for data": (event_stream(HELLO, then="wait"), streamed, f"{CLOSED}; the stream ended"),
}
EACH_CALL = pytest.mark.parametrize("name", CALLS)
SLEEPING = ["a run that is polled", "a call that will be sent again", "a follow between two polls"]


def outcome(client: DifyWorkflow, story: Callable[[Any], Awaitable[object]]) -> str:
    try:
        return f"returned {SyncDriver().action(story)(client)!r}"
    except Exception as error:  # noqa: BLE001 - looked at by the test
        return f"{type(error).__name__}: {error}"


def wait_for_request(server: FaultServer) -> None:
    deadline = time.monotonic() + 10
    while not server.requests and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.1)


@contextmanager
def in_thread(client: DifyWorkflow, name: str) -> Iterator[list[str]]:
    """Wait in another thread, and check that it ends within a moment after this block."""
    outcomes: list[str] = []
    thread = threading.Thread(target=lambda: outcomes.append(outcome(client, CALLS[name][1])))
    thread.start()
    yield outcomes
    begun = time.monotonic()
    thread.join(20)
    assert time.monotonic() - begun < PROMPTLY


def has_ended(name: str, found: str) -> None:
    assert found.startswith("RuntimeError: ")
    with pytest.raises(RuntimeError, match=CALLS[name][2]):
        raise RuntimeError(found.removeprefix("RuntimeError: "))


@EACH_CALL
def test_another_thread_that_closes_the_client_ends_a_call(name: str):
    with nothing_left_open(), FaultServer(CALLS[name][0]) as server:
        client = DifyWorkflow(api_key=KEY, base_url=server.base_url, backoff=30)
        with in_thread(client, name) as outcomes:
            wait_for_request(server)
            client.close()
        has_ended(name, outcomes[0])
        assert server.wait_for_no_connection()


@EACH_CALL
def test_another_task_that_closes_the_client_ends_a_call(name: str):
    async def close_it(server: FaultServer) -> str:
        client = AsyncDifyWorkflow(api_key=KEY, base_url=server.base_url, backoff=30)
        task = asyncio.ensure_future(CALLS[name][1](client))
        await asyncio.to_thread(wait_for_request, server)
        await client.close()
        found = await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), PROMPTLY)
        return f"{type(found[0]).__name__}: {found[0]}"

    with nothing_left_open(), FaultServer(CALLS[name][0]) as server:
        has_ended(name, asyncio.run(close_it(server)))
        assert server.wait_for_no_connection()


@pytest.mark.parametrize("name", SLEEPING)
def test_a_closed_client_ends_waits_in_other_event_loops(name: str):
    with FaultServer(CALLS[name][0]) as server:
        client = AsyncDifyWorkflow(api_key=KEY, base_url=server.base_url, backoff=30)
        outcomes: list[str] = []

        async def wait() -> None:
            found = await asyncio.gather(CALLS[name][1](client), return_exceptions=True)
            outcomes.append(f"{type(found[0]).__name__}: {found[0]}")

        thread = threading.Thread(target=lambda: asyncio.run(wait()))
        thread.start()
        wait_for_request(server)
        asyncio.run(client.close())
        begun = time.monotonic()
        thread.join(20)
        assert time.monotonic() - begun < PROMPTLY
        has_ended(name, outcomes[0])


@pytest.mark.parametrize("name", SLEEPING)
def test_waits_over_a_client_of_the_callers_own_end_too(name: str):
    with FaultServer(CALLS[name][0]) as server, httpx.Client() as http:
        client = DifyWorkflow(api_key=KEY, base_url=server.base_url, backoff=30, http_client=http)
        with in_thread(client, name) as outcomes:
            wait_for_request(server)
            client.close()
        has_ended(name, outcomes[0])
        assert not http.is_closed


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such timer")
@EACH_CALL
def test_a_signal_handler_that_closes_the_client_ends_a_call(name: str):
    clients: list[DifyWorkflow] = []
    before = signal.signal(signal.SIGALRM, lambda *_: clients[-1].close())
    try:
        with nothing_left_open(), FaultServer(CALLS[name][0]) as server:
            for delay in (0.0002, 0.001, 0.004, 0.02, 0.2):
                clients.append(DifyWorkflow(api_key=KEY, base_url=server.base_url, backoff=30))
                signal.setitimer(signal.ITIMER_REAL, delay)
                begun = time.monotonic()
                found = outcome(clients[-1], CALLS[name][1])
                assert time.monotonic() - begun < PROMPTLY
                assert found.startswith("RuntimeError: this ")
            has_ended(name, found)
            assert server.wait_for_no_connection()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_batch_ends_with_its_client_and_can_be_continued(tmp_path: Path):
    async def batched(client: Any) -> object:
        rows = [{"query": "hi"}] * 3
        return [item async for item in client.runs.batch(rows, user="u-1", journal=tmp_path / "journal")]

    with nothing_left_open(), FaultServer(respond(503)) as server:
        client = DifyWorkflow(api_key=KEY, base_url=server.base_url, backoff=30)
        outcomes: list[str] = []
        thread = threading.Thread(target=lambda: outcomes.append(outcome(client, batched)))
        thread.start()
        wait_for_request(server)
        client.close()
        thread.join(20)
        assert outcomes[0].startswith(f"RuntimeError: {CLOSED}; the batch was ended before its last item")

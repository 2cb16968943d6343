"""Closing walks and follows from another thread, another task or a signal handler, whatever they wait for."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from support.fault_server import (
    KEY,
    Behaviour,
    Exchange,
    FaultServer,
    error_response,
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
    from collections.abc import Callable, Iterator

PROMPTLY = 4.0
"""Seconds: on a busy machine, and far below what is waited for."""

KINDS: dict[str, Callable[[Any], Any]] = {
    "follow": lambda client: client.logs.follow(poll=1000),
    "walk": lambda client: client.logs.iter(),
    "workers": lambda client: client.logs.iter(workers=8),
    "details": lambda client: client.logs.iter(details=8),
}


async def half_a_body(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
    await exchange.wait_for_client_to_leave()
    exchange.close()


PLACES: dict[str, Behaviour] = {
    "headers": silence(),
    "body": Behaviour("half a body", half_a_body),
    "backoff": respond(503),
    "asked pause": error_response(429, "x", "y", headers=(("Retry-After", "55"),)),
}


PAIRS = [("follow", place) for place in PLACES] + [
    ("walk", "headers"),
    ("workers", "headers"),
    ("workers", "backoff"),
    ("details", "body"),
    ("details", "asked pause"),
]
"""Each place, and each kind; a walk waits as a follow does."""


def many_pages(then: Behaviour) -> Behaviour:
    """Pages of a long listing, of which only the first two come; for what is asked beside or below them: `then`."""
    asked = 0

    async def play(exchange: Exchange) -> None:
        nonlocal asked
        asked += 1
        if asked > 2:
            await then.play(exchange)
            return
        page = {**log_page(100), "limit": 100, "total": 100_000, "has_more": True}
        for row in page["data"]:
            row["created_at"] -= 100 * asked
            row["id"] = f"{row['id'][:-3]}{asked}{row['id'][-2:]}"
        await json_response(200, page).play(exchange)

    return Behaviour("two pages", play)


def end_of(kind: str) -> str:
    return "StopIteration" if kind == "follow" else "RuntimeError: this walk ended"


@contextmanager
def client_of(server: FaultServer, **options: Any) -> Iterator[DifyWorkflow]:
    with DifyWorkflow(api_key=KEY, base_url=server.base_url, backoff=30, **options) as client:
        yield client


def consume(iterator: Any) -> str:
    """How an iteration ends that gives nothing more."""
    while True:
        try:
            next(iterator)
        except StopIteration:
            return "StopIteration"
        except Exception as error:  # noqa: BLE001 - looked at by the test
            return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(("kind", "place"), PAIRS)
def test_another_thread_ends_it(kind: str, place: str):
    behaviour = many_pages(PLACES[place]) if kind in ("workers", "details") else PLACES[place]
    with nothing_left_open(), FaultServer(behaviour) as server, client_of(server) as client:
        iterator = KINDS[kind](client)
        ends: list[str] = []
        thread = threading.Thread(target=lambda: ends.append(consume(iterator)))
        thread.start()
        while len(server.requests) < (3 if kind in ("workers", "details") else 1):
            time.sleep(0.005)
        time.sleep(0.05)
        begun = time.monotonic()
        iterator.close()
        thread.join(20)
        assert time.monotonic() - begun < PROMPTLY
        assert ends[0].startswith(end_of(kind))
        assert consume(iterator).startswith(end_of(kind))
        assert not [one for one in threading.enumerate() if one.name == "dify-workflow-walk"]
        client.close()
        assert server.wait_for_no_connection()


@pytest.mark.parametrize(("kind", "place"), PAIRS)
def test_another_task_ends_it(kind: str, place: str):
    behaviour = many_pages(PLACES[place]) if kind in ("workers", "details") else PLACES[place]

    async def run(server: FaultServer) -> None:
        async with AsyncDifyWorkflow(api_key=KEY, base_url=server.base_url, backoff=30) as client:
            iterator = KINDS[kind](client)

            async def consume_all() -> None:
                async for _ in iterator:
                    pass

            task = asyncio.create_task(consume_all())
            while len(server.requests) < (3 if kind in ("workers", "details") else 1):  # noqa: ASYNC110 - in a thread
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.05)
            await asyncio.wait_for(iterator.close(), PROMPTLY)
            if kind == "follow":
                await task
            else:
                with pytest.raises(RuntimeError, match="this walk ended"):
                    await task
            assert task.cancelling() == 0
            assert asyncio.all_tasks() == {asyncio.current_task()}

    with nothing_left_open(), FaultServer(behaviour) as server:
        asyncio.run(run(server), debug=True)


def test_a_follow_that_sleeps_is_woken_by_another_thread():
    with nothing_left_open(), FaultServer(json_response(200, log_page())) as server, client_of(server) as client:
        follow = client.logs.follow(poll=1000)
        timer = threading.Timer(0.3, follow.close)
        timer.start()
        assert list(follow) == []
        timer.join()


def test_another_threads_loop_can_close_an_async_iterator():
    async def run(server: FaultServer) -> list[Any]:
        async with AsyncDifyWorkflow(api_key=KEY, base_url=server.base_url) as client:
            follow = client.logs.follow(poll=1000)
            closing = threading.Timer(0.3, lambda: asyncio.run(follow.close()))
            closing.start()
            found = [log async for log in follow]
            await asyncio.to_thread(closing.join)
            return found

    with nothing_left_open(), FaultServer(json_response(200, log_page())) as server:
        assert asyncio.run(run(server)) == []


def test_a_cancellation_during_a_close_is_not_swallowed():
    async def run(server: FaultServer) -> None:
        async with AsyncDifyWorkflow(api_key=KEY, base_url=server.base_url) as client:
            follow = client.logs.follow(poll=1000)
            task = asyncio.ensure_future(anext(follow))
            while not server.requests:  # noqa: ASYNC110 - it happens in another thread
                await asyncio.sleep(0.005)
            closing = asyncio.ensure_future(follow.close())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await closing

    with nothing_left_open(), FaultServer(silence()) as server:
        asyncio.run(run(server), debug=True)


def test_closing_takes_effect_when_a_clients_own_read_returns():
    with FaultServer(silence()) as server, httpx.Client() as http:
        client = DifyWorkflow(api_key=KEY, base_url=server.base_url, http_client=http, timeout=1.0, max_retries=0)
        follow = client.logs.follow(poll=1000)
        threading.Timer(0.2, follow.close).start()
        assert list(follow) == []


def test_an_iterator_is_not_for_two_threads_at_the_same_time():
    with FaultServer(silence()) as server, client_of(server) as client:
        walk = client.logs.iter()
        thread = threading.Thread(target=lambda: consume(walk))
        thread.start()
        while not server.requests:
            time.sleep(0.005)
        with pytest.raises(RuntimeError, match="at the same time"):
            next(walk)
        walk.close()
        thread.join(10)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such timer")
@pytest.mark.parametrize("kind", ["follow", "workers", "details"])
def test_a_signal_handler_ends_it_at_whatever_moment(kind: str):
    async def play(exchange: Exchange) -> None:
        await asyncio.sleep(0.002)
        page = {**log_page(10), "limit": 100, "total": 10**6, "has_more": True}
        shift = len(server.requests) * 100
        for number, row in enumerate(page["data"]):
            row["created_at"] -= shift
            row["id"] = f"00000000-0000-4000-8000-{shift + number:012d}"
        await json_response(200, page).play(exchange)

    make = {**KINDS, "follow": lambda client: client.logs.follow(poll=1000, since="2020-01-01")}[kind]
    current: list[Any] = []
    before = signal.signal(signal.SIGALRM, lambda *_: current[-1].close())
    try:
        with nothing_left_open(), FaultServer(Behaviour("endless", play)) as server, client_of(server) as client:
            for delay in (0.0001, 0.003, 0.01, 0.03, 0.06, 0.1):
                current.append(make(client))
                signal.setitimer(signal.ITIMER_REAL, delay)
                assert consume(current[-1]).startswith(end_of(kind))
                assert not [one for one in threading.enumerate() if one.name == "dify-workflow-walk"]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# Streams ------------------------------------------------------------------------------------------------------------

HELLO = sse({"event": "text_chunk", "task_id": "t", "workflow_run_id": "r", "data": {"text": "x"}})
STREAM_PLACES = {"headers": silence(), "data": event_stream(HELLO, then="wait"), "backoff": respond(503)}


def open_stream(client: Any) -> Any:
    return client.runs.events("00000000-0000-4000-8000-000000000001", user="u-1")


@pytest.mark.parametrize("own", [False, True], ids=["", "own client"])
def test_another_thread_ends_a_stream_that_waits_for_data(own: bool):
    with (
        nothing_left_open(),
        FaultServer(STREAM_PLACES["data"]) as server,
        httpx.Client() as http,
        client_of(server, http_client=http if own else None) as client,
        open_stream(client) as events,
    ):
        next(events)
        timer = threading.Timer(0.2, events.close)
        timer.start()
        begun = time.monotonic()
        assert list(events) == []
        assert time.monotonic() - begun < PROMPTLY
        timer.join()
        assert server.wait_for_no_connection()


@pytest.mark.parametrize("place", ["headers", "backoff"])
def test_a_stream_can_be_closed_while_it_is_being_opened(place: str):
    with nothing_left_open(), FaultServer(STREAM_PLACES[place]) as server, client_of(server) as client:
        stream = open_stream(client)
        timer = threading.Timer(0.2, stream.close)
        timer.start()
        with pytest.raises(RuntimeError, match="was closed while"):
            stream.__enter__()
        timer.join()


@pytest.mark.parametrize("where", ["while it waits", "between two events"])
def test_another_task_ends_a_stream(where: str):
    async def run(server: FaultServer) -> int:
        async with AsyncDifyWorkflow(api_key=KEY, base_url=server.base_url) as client, open_stream(client) as events:
            seen = 0
            async for _ in events:
                seen += 1
                if where == "between two events":
                    await asyncio.create_task(events.close())
                else:
                    closing = asyncio.get_running_loop().call_later(0.1, lambda: tasks.add(close_soon(events)))
                    assert closing
            return seen

    def close_soon(events: Any) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(events.close())

    tasks: set[asyncio.Task[None]] = set()
    with nothing_left_open(), FaultServer(STREAM_PLACES["data"]) as server:
        assert asyncio.run(run(server), debug=True) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such timer")
@pytest.mark.parametrize("where", ["while it waits", "between two events"])
def test_a_signal_handler_ends_a_stream_normally(where: str):
    with nothing_left_open(), FaultServer(STREAM_PLACES["data"]) as server, client_of(server) as client:
        with open_stream(client) as events:
            before = signal.signal(signal.SIGALRM, lambda *_: events.close())
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.2)
                seen = 0
                for _ in events:
                    seen += 1
                    if where == "between two events":
                        time.sleep(0.4)
            finally:
                signal.signal(signal.SIGALRM, before)
        assert seen == 1
        assert server.wait_for_no_connection()

"""`timeout` in seconds bounds each attempt as a whole, and connections are kept alive, by whatever way they lead."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_DRIVER, AsyncDriver, Driver, SyncDriver, failure, list_logs
from support.fault_server import (
    KEY,
    Behaviour,
    Exchange,
    FaultServer,
    drip_head,
    event_stream,
    json_response,
    page_response,
    raw,
    silence,
    sse,
)

from dify_workflow import APIConnectionError, APITimeoutError, AsyncDifyWorkflow
from dify_workflow._http.connections import ALL_IN_USE, exchange, exchange_async
from dify_workflow._http.library import httpx
from dify_workflow._http.network import KEEPALIVE

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """Load what the first request loads: that counts as well, and takes longer than what is tried here."""
    with FaultServer(page_response()) as server:
        for driver in (SyncDriver(), AsyncDriver()):
            driver.call(server.base_url, list_logs)


INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"


def for_ever(piece: bytes, pause: float) -> Behaviour:
    """The same bytes again and again, until the client leaves."""

    async def play(exchange: Exchange) -> None:
        while True:
            await exchange.send(piece)
            await asyncio.sleep(pause)

    return Behaviour("for ever", play)


SECONDS = 0.7
DRIP = for_ever(INTERIM, 0.02)
ENDLESS = {
    "interim responses": DRIP,
    "a flood of interim responses": for_ever(INTERIM * 100, 0.0),
    "drops of a body": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", *[b"x", 0.02] * 500),
    "drops of an error's headers": raw(b"HTTP/1.1 401 No\r\nX: ", *[b"x", 0.02] * 500),
}


@EACH_DRIVER
@pytest.mark.parametrize(("behaviour", "body"), [*((one, None) for one in ENDLESS.values()), (DRIP, {})],
                         ids=[*ENDLESS, "after a body"])  # fmt: skip
def test_whatever_comes_in_drops_ends_in_time(driver: Driver, behaviour: Behaviour, body: Any):
    method = "GET" if body is None else "POST"
    with FaultServer(behaviour) as server:
        action: Any = lambda client: client.request(method, "/x", json=body)  # noqa: E731 - it needs no name
        error = failure(driver, server.base_url, action, timeout=SECONDS, max_retries=0)
        assert server.wait_for_no_connection()
    assert type(error) is APITimeoutError
    assert f"no complete response within {SECONDS} s" in str(error)
    assert error.request_sent
    assert len(server.requests) == 1


@EACH_DRIVER
def test_a_stream_that_begins_in_drops_ends_in_time(driver: Driver):
    async def story(client: Any) -> None:
        async with client.runs.stream({}, user="u-1"):
            pass

    with FaultServer(drip_head(every=0.05)) as server, pytest.raises(APITimeoutError, match=f"within {SECONDS} s"):
        driver.play(server.base_url, story, timeout=SECONDS, max_retries=0)


@EACH_DRIVER
def test_a_proxy_whose_greeting_comes_in_drops_ends_in_time(driver: Driver, monkeypatch: pytest.MonkeyPatch):
    with FaultServer(raw(*[b"HTTP/1.1 200 OK\r\nX: "], *[b"x", 0.02] * 500)) as proxy:
        for name in ("https_proxy", "no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
        error = failure(driver, "https://dify.invalid/v1", list_logs, timeout=1, max_retries=0)
    assert type(error) is APITimeoutError
    assert proxy.requests[0].method == "CONNECT"


@EACH_DRIVER
def test_a_stream_goes_on_for_longer_than_the_timeout(driver: Driver):
    finished = {"event": "workflow_finished", "task_id": "t", "workflow_run_id": "r", "data": {"status": "succeeded"}}

    async def story(client: Any) -> int:
        async with client.runs.stream({}, user="u-1") as events:
            return len([event async for event in events])

    pieces = [
        part for number in range(5) for part in (sse({"event": "x", "n": number}), 0.15, b"event: ping\n\n", 0.15)
    ]
    with FaultServer(event_stream(*pieces, sse(finished))) as server:
        assert driver.play(server.base_url, story, timeout=0.75) == 6


@EACH_DRIVER
def test_an_upload_may_take_longer_than_the_timeout(driver: Driver):
    class Slow:
        """A file that is read in four parts, each later than half the timeout."""

        name = "a.txt"
        left = 4

        def read(self, size: int = -1) -> bytes:
            if size == 0 or self.left == 0:
                return b""
            time.sleep(0.2)
            self.left -= 1
            return b"x" * 65_536

        def seekable(self) -> bool:
            return True

        def seek(self, offset: int, whence: int = 0) -> int:
            return offset if whence == 0 else 4 * 65_536

        def tell(self) -> int:
            return 4 * 65_536

    async def play(exchange: Exchange) -> None:
        assert exchange.request is not None
        await asyncio.sleep(0.2)
        await json_response(201, {"id": "1", "name": "a.txt"}).play(exchange)

    with FaultServer(Behaviour("late", play)) as server:
        file: Any = Slow()
        upload = driver.call(server.base_url, lambda client: client.files.upload(file, user="u-1", timeout=0.4))
    assert upload.id == "1"
    assert b"x" * 4 * 65_536 in server.requests[0].body


def test_an_async_client_of_the_caller_is_bounded_as_well():
    async def story(base_url: str) -> None:
        async with httpx.AsyncClient() as own:
            client = AsyncDifyWorkflow(api_key=KEY, base_url=base_url, http_client=own, timeout=SECONDS, max_retries=0)
            with pytest.raises(APITimeoutError, match=f"no complete response within {SECONDS} s"):
                await client.logs.list()

    with FaultServer(drip_head(every=0.05)) as server:
        asyncio.run(story(server.base_url))
        assert server.wait_for_no_connection()


@pytest.mark.parametrize("make", [lambda: None, httpx.AsyncClient], ids=["own connections", "a client"])
def test_a_cancellation_from_outside_is_not_a_timeout_of_the_sdk(make: Callable[[], httpx.AsyncClient | None]):
    async def story(base_url: str) -> None:
        client = AsyncDifyWorkflow(api_key=KEY, base_url=base_url, http_client=make(), timeout=30, max_retries=0)
        with pytest.raises(TimeoutError) as caught:
            await asyncio.wait_for(client.logs.list(), 0.1)
        assert type(caught.value) is TimeoutError
        task = asyncio.create_task(client.logs.list())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.close()

    with FaultServer(silence()) as server:
        asyncio.run(story(server.base_url))


# --- connections ------------------------------------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize("variable", [None, "HTTP_PROXY"])
def test_connections_have_tcp_keepalive(driver: Driver, monkeypatch: pytest.MonkeyPatch, variable: str | None):
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in KEEPALIVE
    seen: set[tuple[int, ...]] = set()
    original = socket.socket.setsockopt

    def setsockopt(self: socket.socket, *args: Any) -> None:
        if isinstance(self.getpeername(), tuple):
            seen.add(args)
        original(self, *args)

    with FaultServer(page_response()) as server:
        if variable is not None:
            monkeypatch.setenv(variable, server.origin)
            monkeypatch.delenv("NO_PROXY", raising=False)
        with monkeypatch.context() as patch:
            patch.setattr(socket.socket, "setsockopt", setsockopt)
            driver.call(server.base_url if variable is None else "http://dify.invalid/v1", list_logs)
    assert seen >= set(KEEPALIVE)


def test_a_platform_without_keepalive_still_connects(monkeypatch: pytest.MonkeyPatch):
    def refused(self: socket.socket, level: int, *args: Any) -> None:
        if level == socket.SOL_SOCKET:
            raise OSError("not here")

    with FaultServer(page_response()) as server, monkeypatch.context() as patch, httpx.HTTPTransport() as transport:
        from dify_workflow._http import network  # noqa: PLC0415 - the module is lazy

        network.install(transport)
        patch.setattr(socket.socket, "setsockopt", refused)
        assert transport.handle_request(httpx.Request("GET", server.base_url)).read()


def test_a_pool_without_a_free_connection_says_how_to_have_more():
    class Full(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.PoolTimeout("")

    class AsyncFull(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.PoolTimeout("")

    request = httpx.Request("GET", "http://127.0.0.1:9")
    with pytest.raises(httpx.PoolTimeout, match="all 100 connections"):
        exchange(Full(), request)
    with pytest.raises(httpx.PoolTimeout, match="all 100 connections"):
        asyncio.run(exchange_async(AsyncFull(), request))
    assert "http_client=" in ALL_IN_USE


@EACH_DRIVER
def test_a_full_pool_is_told_in_the_error(driver: Driver):
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.PoolTimeout(ALL_IN_USE)

    http = {"transport": httpx.MockTransport(fail)}
    error = failure(driver, "http://dify.invalid/v1", list_logs, http=http, max_retries=0)
    assert isinstance(error, APIConnectionError)
    assert ALL_IN_USE in str(error)
    assert not error.request_sent

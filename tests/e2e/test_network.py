"""The network below httpcore: each attempt is bounded as a whole and can be interrupted."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.fault_server import FaultServer, drip_head, page_response, raw, silence

from dify_workflow._http import network
from dify_workflow._http.attempts import Attempt, InterruptedAttemptError
from dify_workflow._http.library import httpcore, httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUTS = {"connect": 5.0, "read": 20.0, "write": 5.0, "pool": 5.0}


@pytest.fixture
def transport() -> Iterator[httpx.HTTPTransport]:
    with httpx.HTTPTransport() as made:
        assert network.install(made)
        yield made


def get(transport: httpx.HTTPTransport, server: FaultServer, attempt: Attempt) -> int:
    request = httpx.Request("GET", server.base_url, extensions={"timeout": attempt.phases()})
    response = transport.handle_request(request)
    try:
        return len(b"".join(response.iter_raw()))
    finally:
        response.close()


def test_httpx_still_has_the_place_for_this_network():
    """When this fails, a release of httpx or httpcore has moved its pool: `_network.install` has to look elsewhere."""
    with httpx.HTTPTransport() as plain, httpx.HTTPTransport(proxy="http://127.0.0.1:1") as behind_proxy:
        assert network.install(plain)
        assert network.install(behind_proxy)
    assert network.install_async(httpx.AsyncHTTPTransport())


def test_a_transport_without_that_place_is_left_alone():
    class Other(httpx.HTTPTransport):
        def __init__(self) -> None:
            pass

    assert not network.install(Other())


class Inner:
    """Below a stream: keeps the arguments of what is called."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def get_extra_info(self, info: str) -> None:
        return None

    def read(self, *arguments: Any) -> bytes:
        self.calls.append(("read", *arguments))
        return b"x"

    def write(self, *arguments: Any) -> None:
        self.calls.append(("write", *arguments))

    def start_tls(self, *arguments: Any) -> Inner:
        self.calls.append(("start_tls", *arguments))
        return self


class AsyncInner(Inner):
    """As `Inner`."""

    async def read(self, *arguments: Any) -> bytes:  # type: ignore[override]
        return super().read(*arguments)

    async def write(self, *arguments: Any) -> None:  # type: ignore[override]
        super().write(*arguments)

    async def start_tls(self, *arguments: Any) -> Inner:  # type: ignore[override]
        return super().start_tls(*arguments)


def test_seconds_that_are_of_no_attempt_are_passed_on():
    context = ssl.create_default_context()
    expected = [("write", b"a", 2.0), ("read", 9, 3.0), ("start_tls", context, "host", 4.0)]
    inner, async_inner = Inner(), AsyncInner()
    stream: Any = network.Stream(inner, network.Network())  # type: ignore[arg-type]
    async_stream: Any = network.AsyncStream(async_inner, network.AsyncNetwork())  # type: ignore[arg-type]
    stream.write(b"", 1.0)
    stream.write(b"a", 2.0)
    assert stream.read(9, 3.0) == b"x"
    assert type(stream.start_tls(context, "host", 4.0)) is network.Stream

    async def story() -> None:
        await async_stream.write(b"", 1.0)
        await async_stream.write(b"a", 2.0)
        assert await async_stream.read(9, 3.0) == b"x"
        assert type(await async_stream.start_tls(context, "host", 4.0)) is network.AsyncStream

    asyncio.run(story())
    assert inner.calls == async_inner.calls == expected


@pytest.mark.parametrize(("deadline", "total"), [(None, None), (None, 5.0), (9.0, None)])
def test_the_end_of_an_attempt_may_be_counted_from_its_body(deadline: float | None, total: float | None):
    attempt = Attempt(TIMEOUTS, deadline=deadline, has_body=True)
    attempt._total = total
    attempt.restart()
    assert (attempt.deadline, attempt.is_sending) == (deadline, False)


def test_a_deadline_ends_an_attempt_whose_headers_drip(transport: httpx.HTTPTransport):
    with FaultServer(drip_head(every=0.05)) as server:
        attempt = Attempt(TIMEOUTS, deadline=time.monotonic() + 0.3)
        with pytest.raises(httpx.ReadTimeout):
            get(transport, server, attempt)


@pytest.mark.parametrize("behaviour", [silence(), raw(b"HTTP/1.1 200 OK\r\n\r\n12345", 20.0)], ids=["head", "body"])
def test_an_interruption_wakes_who_waits(behaviour, transport: httpx.HTTPTransport):
    with FaultServer(behaviour, page_response()) as server:
        attempt = Attempt(TIMEOUTS)
        raised: list[type[BaseException]] = []

        def work() -> None:
            try:
                get(transport, server, attempt)
            except Exception as error:  # noqa: BLE001 - looked at below
                raised.append(type(error))

        thread = threading.Thread(target=work)
        thread.start()
        while not server.requests:
            time.sleep(0.005)
        time.sleep(0.05)
        attempt.interrupt()
        thread.join(5)
        assert raised == [InterruptedAttemptError]
        assert get(transport, server, Attempt(TIMEOUTS)) > 100  # and the connections are as good as before


def test_an_interrupted_attempt_does_not_begin(transport: httpx.HTTPTransport):
    with FaultServer(page_response()) as server:
        attempt = Attempt(TIMEOUTS)
        attempt.interrupt()
        with pytest.raises(InterruptedAttemptError):
            get(transport, server, attempt)
        assert server.requests == []


def test_a_connection_of_a_closed_transport_is_not_made():
    with FaultServer(silence()) as server:
        host, port = server.base_url.split("/")[2].split(":")
        with httpx.HTTPTransport() as transport:
            network.install(transport)
            network.shut_down(transport)
            with pytest.raises(httpcore.ConnectError, match="this client is closed"):
                transport._pool._network_backend.connect_tcp(host, int(port), 5.0)

        async def story() -> None:
            async with httpx.AsyncHTTPTransport() as transport:
                network.install_async(transport)
                network.shut_down(transport)
                with pytest.raises(httpcore.ConnectError, match="this client is closed"):
                    await transport._pool._network_backend.connect_tcp(host, int(port), 5.0)

        asyncio.run(story())
        assert server.wait_for_no_connection()

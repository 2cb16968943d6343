"""What a server sends behind a response is not taken for the response of the next request."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from typing import TYPE_CHECKING, Any

import anyio.streams.tls
import pytest
from support.clients import EACH_DRIVER, Driver
from support.fault_server import FaultServer, json_response, raw
from support.tls import certified

from dify_workflow import APIStatusError
from dify_workflow._http import bodies, chunked, network, surplus
from dify_workflow._http.library import httpx

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = b'{"for": "another"}'
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(OTHERS), OTHERS)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"

SURPLUS: dict[str, tuple[str, tuple[bytes | float, ...]]] = {
    "a response": ("GET", (RESPONSE + RESPONSE,)),
    "the half of a response": ("GET", (RESPONSE + RESPONSE[:30],)),
    "a line break": ("GET", (RESPONSE + b"\r\n",)),
    "a body behind 204": ("GET", (b"HTTP/1.1 204 No Content\r\n\r\n" + RESPONSE,)),
    "a body behind 304": ("GET", (b"HTTP/1.1 304 Not Modified\r\n\r\n" + RESPONSE,)),
    "a body behind HEAD": ("HEAD", (RESPONSE + b"{}",)),
    "more than the length": ("GET", (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" + RESPONSE,)),
    "behind the last chunk": ("GET", (CHUNKED + RESPONSE,)),
    "in a piece of its own": ("GET", (RESPONSE, 0.02, RESPONSE)),
}


@EACH_DRIVER
@pytest.mark.parametrize("http", [None, {}], ids=["own connections", "a client"])
@pytest.mark.parametrize(("method", "pieces"), SURPLUS.values(), ids=SURPLUS)
def test_a_connection_with_surplus_bytes_is_not_used_again(driver: Driver, http: Any, method: str, pieces):
    check_not_used_again(driver, http, method, pieces)


@EACH_DRIVER
@pytest.mark.parametrize("own", [True, False], ids=["own connections", "a client"])
def test_a_tls_connection_with_surplus_bytes_is_not_used_again(
    driver: Driver, own: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    trusted = tmp_path / "authority.pem"
    tls = certified(trusted)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    for name in ("a response", "in a piece of its own"):
        http = None if own else {"verify": ssl.create_default_context(cafile=str(trusted))}
        check_not_used_again(driver, http, *SURPLUS[name], tls=tls)


def check_not_used_again(
    driver: Driver, http: Any, method: str, pieces: tuple[bytes | float, ...], tls: ssl.SSLContext | None = None
) -> None:
    async def story(client: Any) -> Any:
        with contextlib.suppress(APIStatusError):  # a 304 is one; what counts is the next request
            await client.request(method, "/1", expect="bytes")
        time.sleep(0.06)  # noqa: ASYNC251 - the story is played without an event loop, too
        return await client.request("GET", "/2")

    with FaultServer(raw(*pieces, then="keep"), json_response(200, {"for": "2"}), tls=tls) as server:
        assert driver.play(server.base_url, story, http=http, max_retries=0) == {"for": "2"}
        assert [request.connection for request in server.requests] == [1, 2]


@EACH_DRIVER
@pytest.mark.parametrize("http", [None, {}], ids=["own connections", "a client"])
def test_a_connection_without_surplus_bytes_is_used_again(driver: Driver, http: Any):
    def ask(client: Any) -> Any:
        return client.request("GET", "/1")

    with FaultServer(json_response(200, {}), raw(CHUNKED, then="keep")) as server:
        driver.call(server.base_url, ask, ask, ask, http=http)
        assert server.connections == 1


def test_h11_still_has_what_is_read_past_it():
    """When this fails, a release has moved it: streams of events then cost twice as much."""
    with FaultServer(raw(CHUNKED[:-7], 0.02, CHUNKED[-7:], then="keep")) as server, httpx.HTTPTransport() as transport:
        for _ in range(2):
            request = httpx.Request("GET", server.base_url)
            response = transport.handle_request(request)
            response.request = request
            body = chunked.chunked_body(response)
            assert body is not None
            received = body.received
            while not body.chunks.is_over:
                assert list(body.chunks.feed(received or body.read(bodies.READ_BYTES))) in ([b"{}"], [])
                received = b""
            assert response.read() == b""
        assert server.connections == 1


def test_httpx_and_httpcore_still_have_what_is_looked_at():
    """When this fails, a release has moved it: surplus bytes are no longer noticed."""
    with FaultServer(json_response(200, {})) as server:
        with httpx.Client() as client, client.stream("GET", server.base_url) as response:
            response.read()
            assert surplus.parser_of(response.stream).trailing_data == (b"", False)
        with httpx.HTTPTransport() as transport:
            response = transport.handle_request(httpx.Request("GET", server.base_url))
            assert surplus.parser_of(response.stream) is not None
            response.close()

        async def story() -> None:
            async with httpx.AsyncHTTPTransport() as transport:
                network.install_async(transport)
                response = await transport.handle_async_request(httpx.Request("GET", server.base_url))
                stream = response.extensions["network_stream"]._inner._stream
                assert len(stream._protocol.read_queue) == 0
                await response.aclose()

        asyncio.run(story())
    assert {"transport_stream", "_read_bio"} <= set(anyio.streams.tls.TLSStream.__dataclass_fields__)
    assert surplus.parser_of(httpx.Response(200, content=b"").stream) is None

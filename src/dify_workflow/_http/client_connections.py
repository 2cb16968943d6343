"""Connections of an httpx client: a caller's own, or one that is put around own connections while it is monitored."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .connections import exchange, exchange_async
from .library import httpx
from .monitoring import redact_reason
from .open_responses import AsyncOpenResponses, OpenResponses
from .surplus import guard

if TYPE_CHECKING:
    from .connections import AsyncSend, Send
    from .library import AsyncHTTPClient, HTTPClient


def client_around(transport: httpx.HTTPTransport) -> httpx.Client:
    """An httpx client over own connections."""
    return httpx.Client(transport=_Exchanging(transport), trust_env=False)


def async_client_around(transport: httpx.AsyncHTTPTransport) -> httpx.AsyncClient:
    """As `client_around`."""
    return httpx.AsyncClient(transport=_AsyncExchanging(transport), trust_env=False)


class _Exchanging(httpx.BaseTransport):
    """Own connections below an httpx client."""

    def __init__(self, transport: httpx.HTTPTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = exchange(self._transport, request)
        redact_reason(request, response)  # the client logs it
        return response


class _AsyncExchanging(httpx.AsyncBaseTransport):
    """As `_Exchanging`."""

    def __init__(self, transport: httpx.AsyncHTTPTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await exchange_async(self._transport, request)
        redact_reason(request, response)
        return response


class ClientConnections:
    """Connections of an httpx client."""

    def __init__(self, client: HTTPClient | httpx.Client) -> None:
        self._client: Any = client
        self._responses = OpenResponses()
        self.hold = self._responses.hold

    def send(self, request: httpx.Request) -> httpx.Response:
        """The response to a request, its body still to come."""
        was_outside = self._responses.begin()
        try:
            # The caller's client may be set to follow redirects and to add its own credentials: neither here.
            response: httpx.Response = self._client.send(request, auth=None, follow_redirects=False, stream=True)
        finally:
            if was_outside:
                self._responses.end()
        return _completed(response, request)

    def within(self, _: float | None) -> Send:
        """What sends a request. The client bounds each phase of it, and nothing can bound its headers as a whole."""
        return self.send

    def finish_left(self) -> None:
        """Close the responses that were forgotten."""
        self._responses.finish_left()


class AsyncClientConnections:
    """Connections of an async httpx client; as `ClientConnections`."""

    def __init__(self, client: AsyncHTTPClient | httpx.AsyncClient) -> None:
        self._client: Any = client
        self._responses = AsyncOpenResponses()
        self.hold = self._responses.hold

    async def finish_left(self) -> None:
        """Close the responses that were forgotten."""
        await self._responses.finish_left()

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The response to a request, its body still to come."""
        await self._responses.finish_left()
        response: httpx.Response = await self._client.send(request, auth=None, follow_redirects=False, stream=True)
        return _completed(response, request)

    def within(self, seconds: float | None) -> AsyncSend:
        """What sends a request, and gives it up when the headers of its response are not complete in time."""
        return self.send if seconds is None else partial(self._send_within, seconds)

    async def _send_within(self, seconds: float, request: httpx.Request) -> httpx.Response:
        from asyncio import timeout  # noqa: PLC0415 - the sync client does without asyncio, which is large

        bound = timeout(seconds)
        try:
            async with bound:
                return await self.send(request)
        except TimeoutError:
            if not bound.expired():  # it is somebody else's
                raise
        raise httpx.ReadTimeout(f"no complete response within {seconds:g} s")


def _completed(response: httpx.Response, request: httpx.Request) -> httpx.Response:
    """The response, its connection guarded, with its request, which a replacement of `send` may have left out."""
    guard(response)
    try:
        _ = response.request
    except RuntimeError:
        response.request = request
    return response

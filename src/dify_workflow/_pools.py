"""The connections underneath: made when first needed, one pool for each SDK client and its siblings.

asyncio ties a connection to the event loop that it was opened in, so the async half keeps one for each loop.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.request import getproxies

import httpx

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Callable
    from typing import TypeAlias

    LoopConnections: TypeAlias = "AsyncConnections | AsyncClientConnections"

# gunicorn, which serves Dify, closes a connection that was idle for 2 seconds. One that may be closed while a run is
# being sent over it would leave open whether the run has begun, so none is used again after that time.
KEEPALIVE_SECONDS: Final = 1.5
LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=KEEPALIVE_SECONDS)

MOMENT: Final = 0.1
"""Seconds for which the connections of a forgotten async client stay open."""

CLOSED: Final = "this client is closed"

T = TypeVar("T")


class Connections:
    """Connections of one SDK client, without an httpx client around them.

    What that adds is not for this API, and costs a tenth of a call: cookies, authentication, redirects, hooks.
    """

    def __init__(self) -> None:
        self._transports: dict[str, httpx.HTTPTransport] = {}
        self._closed = False
        self._lock = threading.Lock()

    def send(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request, its body still to come."""
        transport = self._transports.get(request.url.scheme) or self._opened(request.url.scheme)
        response = transport.handle_request(request)
        response.request = request
        return response

    def close(self) -> None:
        """Close them."""
        with self._lock:
            self._closed = True
            transports, self._transports = self._transports, {}
        for transport in transports.values():
            transport.close()

    def _opened(self, scheme: str) -> httpx.HTTPTransport:
        with self._lock:
            if self._closed:  # the transport would open a connection that nobody closes
                raise RuntimeError(CLOSED)
            if scheme not in self._transports:
                self._transports[scheme] = httpx.HTTPTransport(verify=_verification(scheme), limits=LIMITS)
            return self._transports[scheme]


class AsyncConnections:
    """Connections of one SDK client in one event loop; as `Connections`."""

    def __init__(self) -> None:
        self._transports: dict[str, httpx.AsyncHTTPTransport] = {}
        self._closed = False

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request, its body still to come."""
        transport = self._transports.get(request.url.scheme) or self._opened(request.url.scheme)
        response = await transport.handle_async_request(request)
        response.request = request
        return response

    async def aclose(self) -> None:
        """Close them."""
        self._closed = True
        transports, self._transports = self._transports, {}
        for transport in transports.values():
            await transport.aclose()

    def _opened(self, scheme: str) -> httpx.AsyncHTTPTransport:
        if self._closed:
            raise RuntimeError(CLOSED)
        transport = httpx.AsyncHTTPTransport(verify=_verification(scheme), limits=LIMITS)
        self._transports[scheme] = transport
        return transport


def _verification(scheme: str) -> ssl.SSLContext | bool:
    """How certificates are checked: for plain HTTP there are none, and to load all authorities takes 20 ms.

    Should TLS be spoken over these connections all the same, it fails: this context trusts nobody.
    """
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if scheme == "http" else True


class ClientConnections:
    """Connections of an httpx client: the caller's own, or one that finds its way through the environment's proxies."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.close = client.close

    def send(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request, its body still to come."""
        # The caller's client may be set to follow redirects and to add its own credentials: neither here.
        return self._client.send(request, auth=None, follow_redirects=False, stream=True)


class AsyncClientConnections:
    """Connections of an async httpx client; as `ClientConnections`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.aclose = client.aclose

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request, its body still to come."""
        return await self._client.send(request, auth=None, follow_redirects=False, stream=True)


def _behind_a_proxy() -> bool:
    """Whether the environment names a proxy, for any address: then an httpx client knows which one to use."""
    return any(scheme in getproxies() for scheme in ("http", "https", "all"))


class Pool:
    """The connections of a sync SDK client: of the caller's httpx client, which stays open, or made and closed here."""

    def __init__(self, own: httpx.Client | None) -> None:
        self.own = own
        self._own = None if own is None else ClientConnections(own)
        self._made: Connections | ClientConnections | None = None
        self._closed = False
        self._lock = threading.Lock()

    def connections(self) -> Connections | ClientConnections:
        """What to send over.

        Raises:
            RuntimeError: it has been closed.
        """
        if self._own is not None:
            return self._own
        made = self._made  # read once: another thread may close it
        if made is not None:
            return made
        with self._lock:
            if self._closed:
                raise RuntimeError(CLOSED)
            if self._made is None:
                self._made = ClientConnections(httpx.Client(limits=LIMITS)) if _behind_a_proxy() else Connections()
            return self._made

    def adapt(self, request: httpx.Request) -> None:
        """Make the body of an upload fit to be sent: nothing has to be done."""

    def aside(self, work: Callable[[], T]) -> T:
        """What some work gives that reads from disk."""
        return work()

    def close(self) -> None:
        """Close what was made here. Closing twice is fine."""
        with self._lock:
            self._closed = True
            made, self._made = self._made, None
        if made is not None:
            made.close()

    def __del__(self) -> None:
        made = getattr(self, "_made", None)  # there is none when the constructor failed
        if made is not None:
            made.close()


class AsyncPool:
    """The connections of an async SDK client: the caller's own, or some for each event loop, closed with it."""

    def __init__(self, own: httpx.AsyncClient | None) -> None:
        from asyncio import get_running_loop  # noqa: PLC0415 - the sync half does without asyncio, which is large

        self.own = own
        self._own = None if own is None else AsyncClientConnections(own)
        self._running_loop = get_running_loop
        self._made: dict[asyncio.AbstractEventLoop, tuple[LoopConnections, AsyncGenerator[None]]] = {}
        self._closed = False
        self._lock = threading.Lock()

    async def connections(self) -> LoopConnections:
        """What to send over in the running event loop.

        Raises:
            RuntimeError: it has been closed.
        """
        if self._own is not None:
            return self._own
        loop = self._running_loop()
        made = self._made.get(loop)
        if made is not None:
            return made[0]
        with self._lock:
            if self._closed:
                raise RuntimeError(CLOSED)
            for ended in [other for other in self._made if other.is_closed()]:
                del self._made[ended]
            proxied = _behind_a_proxy()
            fresh = AsyncClientConnections(httpx.AsyncClient(limits=LIMITS)) if proxied else AsyncConnections()
            lifetime = _until_it_ends(fresh)
            self._made[loop] = fresh, lifetime
        await anext(lifetime)
        return fresh

    def adapt(self, request: httpx.Request) -> None:
        """Make the body of an upload fit to be sent: it is read from disk in threads, and the event loop goes on."""
        from ._uploads import read_in_threads  # noqa: PLC0415 - loaded when needed

        read_in_threads(request)

    async def aside(self, work: Callable[[], T]) -> T:
        """What some work gives that reads from disk: it is done in a thread, and the event loop goes on."""
        from asyncio import to_thread  # noqa: PLC0415 - the sync half does without asyncio, which is large

        return await to_thread(work)

    async def close(self) -> None:
        """Close what was made here for the running event loop. Closing twice is fine."""
        with self._lock:
            self._closed = True
            made = self._made.pop(self._running_loop(), None)
        if made is not None:
            await made[1].aclose()

    def __del__(self) -> None:
        # Not at once: a client is often forgotten as the last thing before its loop ends, which would cancel the
        # closing half-way. Until that moment has passed, the loop's end still finds the lifetime, and closes it.
        for loop, (_, lifetime) in getattr(self, "_made", {}).items():
            with contextlib.suppress(RuntimeError):  # the loop has ended, and has closed what is its own
                loop.call_soon_threadsafe(loop.call_later, MOMENT, _forget, lifetime)


def _forget(_: object) -> None:
    """Hold something until this is called."""


async def _until_it_ends(connections: LoopConnections) -> AsyncGenerator[None]:
    """A generator that closes connections when it is closed itself.

    A loop that ends in an orderly way closes the asynchronous generators that were begun in it, and so does a running
    one with those that nobody refers to any more: the two moments at which connections that belong to the loop can
    still be closed without leaving sockets behind. It knows nothing of its pool, so that a pool that nobody refers to
    goes at once and not with the next garbage collection, which would take the sockets first.
    """
    try:
        yield
    finally:
        await connections.aclose()

"""The httpx clients underneath: made when first needed, one for each SDK client and its siblings.

asyncio ties a connection to the event loop that it was opened in, so the async half keeps one for each loop.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, TypeVar

import httpx

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Callable

# gunicorn, which serves Dify, closes a connection that was idle for 2 seconds. One that may be closed while a run is
# being sent over it would leave open whether the run has begun, so none is used again after that time.
KEEPALIVE_SECONDS: Final = 1.5
LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=KEEPALIVE_SECONDS)

CLOSED: Final = "this client is closed"

T = TypeVar("T")


class NoCookies(httpx.Cookies):
    """A jar that stays empty: the API has no cookies, and looking for them costs a twentieth of a call."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Take none."""


NO_COOKIES: Final = NoCookies()


def _no_cookies(_: object) -> httpx.Cookies:
    return NO_COOKIES


class PlainClient(httpx.Client):
    """An httpx client that keeps nothing from one answer to the next."""

    cookies = property(_no_cookies)  # pyright: ignore[reportIncompatibleMethodOverride] - nothing is set here


class PlainAsyncClient(httpx.AsyncClient):
    """An httpx client that keeps nothing from one answer to the next."""

    cookies = property(_no_cookies)  # pyright: ignore[reportIncompatibleMethodOverride] - nothing is set here


class Pool:
    """The httpx client of a sync SDK client: the caller's own, which stays open, or one made and closed here."""

    def __init__(self, own: httpx.Client | None) -> None:
        self.own = own
        self._made: httpx.Client | None = None
        self._closed = False
        self._lock = threading.Lock()

    def http(self) -> httpx.Client:
        """The httpx client.

        Raises:
            RuntimeError: it has been closed.
        """
        if self.own is not None:
            return self.own
        made = self._made  # read once: another thread may close it
        if made is not None:
            return made
        with self._lock:
            if self._closed:
                raise RuntimeError(CLOSED)
            if self._made is None:
                self._made = PlainClient(limits=LIMITS)
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
    """The httpx client of an async SDK client: the caller's own, or one for each event loop, closed with its loop."""

    def __init__(self, own: httpx.AsyncClient | None) -> None:
        from asyncio import get_running_loop  # noqa: PLC0415 - the sync half does without asyncio, which is large

        self.own = own
        self._running_loop = get_running_loop
        self._made: dict[asyncio.AbstractEventLoop, tuple[httpx.AsyncClient, AsyncGenerator[None]]] = {}
        self._closed = False
        self._lock = threading.Lock()

    async def http(self) -> httpx.AsyncClient:
        """The httpx client for the running event loop.

        Raises:
            RuntimeError: it has been closed.
        """
        if self.own is not None:
            return self.own
        loop = self._running_loop()
        made = self._made.get(loop)
        if made is not None:
            return made[0]
        with self._lock:
            if self._closed:
                raise RuntimeError(CLOSED)
            for ended in [other for other in self._made if other.is_closed()]:
                del self._made[ended]
            client = PlainAsyncClient(limits=LIMITS)
            lifetime = _until_it_ends(client)
            self._made[loop] = client, lifetime
        await anext(lifetime)
        return client

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


async def _until_it_ends(client: httpx.AsyncClient) -> AsyncGenerator[None]:
    """A generator that closes the client when it is closed itself.

    A loop that ends in an orderly way closes the asynchronous generators that were begun in it, and so does a running
    one with those that nobody refers to any more: the two moments at which connections that belong to the loop can
    still be closed without leaving sockets behind. It knows nothing of its pool, so that a pool that nobody refers to
    goes at once and not with the next garbage collection, which would take the sockets first.
    """
    try:
        yield
    finally:
        await client.aclose()

"""Pools: the connections of an SDK client and the clients derived from it, made when first needed.

asyncio ties a connection to the event loop that it was opened in, so the async client keeps some for each loop.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import ref

from .._errors import ConfigurationError
from . import forks
from .config import CLOSED
from .connections import AsyncConnections, Connections

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Callable, Collection

    from .._async.started_run import AsyncStreamReader
    from .._sync.started_run import StreamReader
    from .client_connections import AsyncClientConnections, ClientConnections
    from .library import AsyncHTTPClient, HTTPClient, httpx
    from .lifetimes import AsyncLifetime, Lifetime


MOMENT: Final = 0.1
"""Seconds for which the connections of a forgotten async client stay open."""

T = TypeVar("T")


class _Pool:
    """What ends when a pool is closed: the lifetimes of what waits, and the readers of streams of started runs."""

    lives: Collection[ref[Any]] = ()
    readers: Collection[ref[Any]] = ()

    def __init__(self) -> None:
        self.is_closed = False
        forks.register(self)

    def end_with(self, life: Lifetime | AsyncLifetime | _Sleep | _AsyncSleep) -> None:
        """End a lifetime when the pool is closed."""
        self._remember("lives", life)

    def leave_with(self, reader: StreamReader | AsyncStreamReader) -> None:
        """Wait for the end of a reader when the pool is closed."""
        self._remember("readers", reader)

    def _remember(self, name: str, one: object) -> None:
        refs: set[ref[Any]] = vars(self).setdefault(name, set())  # few clients need one
        refs.add(ref(one, refs.discard))

    def end_lives(self, *, is_closed: bool) -> None:
        """End what waits; calls of a client of the caller's own can be made later."""
        self.is_closed = is_closed
        for life in _alive(self.lives):
            life.end_with_client()

    def leave_to_parent(self) -> object:
        """In a forked child: drop the parent's connections, and return them."""
        raise NotImplementedError


class Pool(_Pool):
    """The connections of a sync SDK client: of the caller's httpx client, which stays open, or made and closed here."""

    def __init__(self, own: HTTPClient | None) -> None:
        self.own = own
        self._own = None if own is None else _connections_of(own)
        self._made: Connections | None = None
        self._lock = threading.RLock()
        super().__init__()

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
            if self._made is None and not self.is_closed:
                self._made = Connections()
            made = self._made
            if made is None:  # a signal handler may have closed it just now
                raise RuntimeError(CLOSED)
            return made

    def sleep(self, seconds: float) -> None:
        """Sleep.

        Raises:
            RuntimeError: it has been closed.
        """
        sleep = _Sleep()
        self.end_with(sleep)
        if self.is_closed or sleep.lasts(seconds):
            raise RuntimeError(CLOSED)

    def prepare_body(self, request: httpx.Request) -> None:
        """Make the body of an upload fit to be sent: nothing has to be done."""

    def run_blocking(self, work: Callable[[], T]) -> T:
        """What some work gives that reads from disk."""
        return work()

    def close(self) -> None:
        """End what waits, and close what was made here. Closing twice is fine."""
        self.end_lives(is_closed=self.own is None)
        for reader in _alive(self.readers):
            reader.leave()
        if self._own is not None:
            self._own.finish_left()
        with self._lock:
            made, self._made = self._made, None
        if made is not None:
            made.close()

    def leave_to_parent(self) -> object:
        """In a forked child: drop the parent's connections, and return them."""
        made, self._made = self._made, None
        self._lock = threading.RLock()
        return made

    def __del__(self) -> None:
        made = getattr(self, "_made", None)  # there is none when the constructor failed
        if made is not None:
            made.close()


class AsyncPool(_Pool):
    """The connections of an async SDK client: the caller's own, or some for each event loop, closed with it."""

    def __init__(self, own: AsyncHTTPClient | None) -> None:
        from asyncio import get_running_loop  # noqa: PLC0415 - the sync client does without asyncio, which is large

        self.own = own
        self._own = None if own is None else _async_connections_of(own)
        self._running_loop = get_running_loop  # not the function below: it is called for each request
        self._made: dict[asyncio.AbstractEventLoop, tuple[AsyncConnections, AsyncGenerator[None]]] = {}
        self._lock = threading.Lock()
        super().__init__()

    async def connections(self) -> AsyncConnections | AsyncClientConnections:
        """What to send over in the running event loop.

        Raises:
            ConfigurationError: there is none of asyncio.
            RuntimeError: it has been closed.
        """
        try:
            loop = self._running_loop()
        except RuntimeError:
            from .event_loops import NO_ASYNCIO  # noqa: PLC0415 - loaded when needed

            raise ConfigurationError(NO_ASYNCIO) from None
        if self._own is not None:
            return self._own
        made = self._made.get(loop)
        if made is not None:
            return made[0]
        with self._lock:
            if self.is_closed:
                raise RuntimeError(CLOSED)
            for ended in [other for other in self._made if other.is_closed()]:
                del self._made[ended]
            fresh = AsyncConnections()
            lifetime = _until_it_ends(fresh)
            self._made[loop] = fresh, lifetime
        await anext(lifetime)
        return fresh

    async def sleep(self, seconds: float) -> None:
        """Sleep.

        Raises:
            RuntimeError: it has been closed.
        """
        sleep = _AsyncSleep(self._running_loop())
        self.end_with(sleep)
        if self.is_closed or await sleep.lasts(seconds):
            raise RuntimeError(CLOSED)

    def prepare_body(self, request: httpx.Request) -> None:
        """Have the body of an upload read from disk in threads, so that the event loop is not blocked."""
        from .._runs.upload import read_in_threads  # noqa: PLC0415 - loaded when needed

        read_in_threads(request)

    async def run_blocking(self, work: Callable[[], T]) -> T:
        """What some work gives that reads from disk: it is done in a thread, and the event loop is not blocked."""
        from asyncio import to_thread  # noqa: PLC0415 - the sync client does without asyncio, which is large

        from .event_loops import running_loop  # noqa: PLC0415 - loaded when needed

        running_loop()

        return await to_thread(work)

    async def close(self) -> None:
        """End what waits, and close what was made here for the running event loop. Closing twice is fine."""
        from .event_loops import running_loop  # noqa: PLC0415 - loaded when needed

        self.end_lives(is_closed=self.own is None)
        for reader in _alive(self.readers):
            await reader.leave()
        with self._lock:
            # Without connections there is nothing to close, in whatever loop this is.
            made = self._made.pop(running_loop(), None) if self._made else None
        if made is not None:
            await made[1].aclose()

    def leave_to_parent(self) -> object:
        """In a forked child: drop the parent's connections, and return them."""
        made, self._made = self._made, {}
        self._lock = threading.Lock()
        return made

    def __del__(self) -> None:
        # Not at once: a client is often forgotten as the last thing before its loop ends, which would cancel the
        # closing half-way. Until that moment has passed, the loop's end still finds the lifetime, and closes it.
        for loop, (_, lifetime) in getattr(self, "_made", {}).items():
            with contextlib.suppress(RuntimeError):  # the loop has ended, and has closed what is its own
                loop.call_soon_threadsafe(loop.call_later, MOMENT, _forget, lifetime)


class _Sleep:
    """A pause. Nothing is loaded for it, as a call without free descriptors pauses too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def lasts(self, seconds: float) -> bool:
        """Sleep; whether the client was closed before."""
        return self._lock.acquire(timeout=seconds)

    def end_with_client(self) -> None:
        """End it, from any thread or signal handler."""
        with contextlib.suppress(RuntimeError):  # it was ended
            self._lock.release()


class _AsyncSleep:
    """As `_Sleep`, in an event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._end: asyncio.Future[bool] = loop.create_future()

    async def lasts(self, seconds: float) -> bool:
        """Sleep; whether the client was closed before."""
        timer = self._loop.call_later(seconds, self._set, False)
        try:
            return await self._end
        finally:
            timer.cancel()

    def end_with_client(self) -> None:
        """End it, from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._set, True)

    def _set(self, value: bool) -> None:
        if not self._end.done():
            self._end.set_result(value)


def _alive(refs: Collection[ref[Any]]) -> list[Any]:
    return [one for found in list(refs) if (one := found()) is not None]


def _forget(_: object) -> None:
    """Hold something until this is called."""


async def _until_it_ends(connections: AsyncConnections) -> AsyncGenerator[None]:
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


def _connections_of(own: HTTPClient) -> ClientConnections:
    from .client_connections import ClientConnections  # noqa: PLC0415 - loaded when needed

    return ClientConnections(own)


def _async_connections_of(own: AsyncHTTPClient) -> AsyncClientConnections:
    from .client_connections import AsyncClientConnections  # noqa: PLC0415 - loaded when needed

    return AsyncClientConnections(own)

"""Responses whose body is read over time, and may be forgotten before its end.

A response that is forgotten is closed by a finalizer, which may run anywhere: the garbage collector, and a
signal handler as well, may come while this very thread holds the lock of httpcore's pool, and would wait for it for
ever. So what such a body consists of is held by its connections and known to no other, and closing it shuts the socket
down at once, but gives the connection back to the pool only where no lock can be held here; else the next call does it.
"""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final

from . import library
from .attempts import attempt_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .library import httpx

LOCK_SECONDS: Final = 0.01
"""Seconds for which another thread is waited for that holds the pool's lock; it does so for a moment only."""
LAYERS: Final = 4
"""So many streams httpx puts around that of httpcore's pool, at most."""


class OpenResponses:
    """The responses of one set of connections whose bodies are still being read."""

    def __init__(self) -> None:
        self._sending: set[int] = set()  # threads that are inside httpcore
        self._open: set[_Body] = set()
        self._left: deque[_Body] = deque()

    def begin(self) -> bool:
        """Note that this thread goes into httpcore, after what was left to the next call; whether it was outside."""
        thread = get_ident()
        if thread in self._sending:
            return False
        if self._left:
            self.finish_left()
        self._sending.add(thread)
        return True

    def end(self) -> None:
        """Note that this thread has come back from httpcore."""
        self._sending.discard(get_ident())

    def hold(self, response: httpx.Response) -> HeldResponse:
        """Take care of a response until it is closed or forgotten."""
        body = library.derived(_Body, "SyncByteStream", response)(response, self)
        response.stream = body  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue] - it is derived from one
        self._open.add(body)
        return HeldResponse(response, body)

    def close(self, body: _Body) -> None:
        """Close the body of a response, or leave the closing to the next call."""
        try:
            self._open.remove(body)
        except KeyError:  # it is closed
            return
        if get_ident() in self._sending or not may_wait_for_lock(body.stream):
            body.shut_down()
            self._left.append(body)
            return
        try:
            self._finish(body)
        finally:
            self.finish_left()

    def finish_left(self) -> None:
        """Close what was left to the next call."""
        while self._left:
            with contextlib.suppress(
                IndexError, *library.errors("HTTPError")
            ):  # another thread was faster, or it is closed
                self._finish(self._left.popleft())

    def _finish(self, body: _Body) -> None:
        thread = get_ident()
        self._sending.add(thread)
        try:
            body.finish()
        finally:
            self._sending.discard(thread)


class HeldResponse:
    """A response whose body is read over time. Forgetting it closes it.

    Attributes:
        response: the response.
    """

    def __init__(self, response: httpx.Response, body: _Body) -> None:
        self.response = response
        self._body = body

    def interrupt(self) -> None:
        """Wake up what waits for more of the body."""
        attempt = attempt_of(self.response.request)
        if attempt is not None:
            attempt.interrupt()
        else:
            self._body.shut_down()

    def close(self) -> None:
        """Close it. Closing twice is fine."""
        self._body.close()

    def __del__(self) -> None:
        self._body.close()


class _Body:
    """The body of a response, with all that httpx and httpcore have made for it."""

    def __init__(self, response: httpx.Response, responses: OpenResponses) -> None:
        self.stream: Any = response.stream
        self._network = response.extensions.get("network_stream")
        self._responses = responses
        self._chunks: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        if not isinstance(self.stream, library.all_of("SyncByteStream")):
            raise TypeError("a sync client needs a transport with sync streams")
        self._chunks = iter(self.stream)
        return self._chunks

    def close(self) -> None:
        """Close it here, or leave it to the next call."""
        self._responses.close(self)

    def shut_down(self) -> None:
        """End the connection, and wake up what reads from it; its socket is closed later."""
        found = self._network.get_extra_info("socket") if self._network is not None else None
        if isinstance(found, socket.socket):
            with contextlib.suppress(OSError):  # it is not connected any more
                socket.socket.shutdown(found, socket.SHUT_RDWR)

    def finish(self) -> None:
        """Close it, and give its connection back."""
        if isinstance(self.stream, library.all_of("SyncByteStream")):
            self.stream.close()
        self._chunks = None


def may_wait_for_lock(stream: object) -> bool:
    """Whether the lock of httpcore's pool is free, or held by another thread, which will release it."""
    lock = lock_of(stream)
    if lock is None:  # another transport: nothing is known about its locks
        from .frames import is_collecting  # noqa: PLC0415 - loaded when needed

        return not is_collecting()
    if not lock.acquire(timeout=LOCK_SECONDS):
        return False
    lock.release()
    return True


def lock_of(stream: object) -> Any:  # noqa: ANN401 - it is httpcore's
    """The lock of the pool that a response's stream belongs to; None where there is none like httpcore's."""
    for _ in range(LAYERS):
        pool = getattr(stream, "_pool", None)
        for name in ("_optional_thread_lock", "_pool_lock"):  # the latter before httpcore 1.0.3
            lock = getattr(getattr(pool, name, None), "_lock", None)
            if hasattr(lock, "acquire"):
                return lock
        stream = getattr(stream, "_httpcore_stream", None) or getattr(stream, "_stream", None)
    return None


class AsyncOpenResponses:
    """As `OpenResponses`: there are no locks that a finalizer could wait for, but it cannot wait for anything else."""

    def __init__(self) -> None:
        self._left: deque[httpx.Response] = deque()

    def hold(self, response: httpx.Response) -> AsyncHeldResponse:
        """Take care of a response until it is closed or forgotten."""
        return AsyncHeldResponse(response, self._left)

    async def finish_left(self) -> None:
        """Close the responses that were forgotten."""
        while self._left:
            await self._left.popleft().aclose()


class AsyncHeldResponse:
    """As `HeldResponse`; what was forgotten is closed by the next call."""

    def __init__(self, response: httpx.Response, left: deque[httpx.Response]) -> None:
        self.response = response
        self._left = left

    def interrupt(self) -> None:
        """Nothing has to be done: the task that waits is cancelled."""

    async def aclose(self) -> None:
        """Close it. Closing twice is fine."""
        await self.response.aclose()

    def __del__(self) -> None:
        if not self.response.is_closed:
            self._left.append(self.response)

"""Locks, and the wait for what changes under them, which the end of an iterator's lifetime ends."""

from __future__ import annotations

import contextlib
import threading
import time
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from .lifetimes import AsyncLifetime, Lifetime


class Waker:
    """Wakes up a thread, from any other and from a signal handler: unlike events and conditions, it has no lock."""

    def __init__(self) -> None:
        self._wake_ups: SimpleQueue[None] = SimpleQueue()

    def interrupt(self) -> None:
        """Wake up the thread that waits, or the next one that does."""
        self._wake_ups.put(None)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until `interrupt` is called, or the time is over."""
        with contextlib.suppress(Empty):
            self._wake_ups.get(timeout=seconds)


class Monitor:
    """A lock, and the wait for what changes under it to become as it should.

    Args:
        lifetime: its end wakes up who waits.
    """

    def __init__(self, lifetime: Lifetime) -> None:
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._waiting: dict[Waker, Callable[[], bool]] = {}

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def wait_for(self, ready: Callable[[], bool], deadline: float | None = None) -> None:
        """Wait, holding the lock, until it is so, or the deadline, a monotonic time, has passed.

        Args:
            ready: whether it is so. `notify` calls it too, and needs it quick.
            deadline: a monotonic time; None for no deadline.

        Raises:
            EndedError: the lifetime has ended.
        """
        if ready():
            return
        waker = Waker()
        self._waiting[waker] = ready
        try:
            while not ready() and (left := _left(deadline)) != 0:
                self._lock.release()
                try:
                    self._lifetime.run(waker, partial(waker.wait, left))
                finally:
                    self._lock.acquire()
        finally:
            del self._waiting[waker]

    def notify(self) -> None:
        """Wake the waiters that need not wait any more: to wake a thread for nothing takes much longer than to check.

        Unlike a condition's, this needs no lock.
        """
        for waker, ready in list(self._waiting.items()):
            if ready():
                waker.interrupt()


class AsyncMonitor:
    """As `Monitor`; tasks need no lock."""

    def __init__(self, lifetime: AsyncLifetime) -> None:
        self._lifetime = lifetime
        self._waiting: dict[asyncio.Future[None], Callable[[], bool]] = {}

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass

    async def wait_for(self, ready: Callable[[], bool], deadline: float | None = None) -> None:
        """Wait until it is so, or the deadline, a monotonic time, has passed; the arguments are `Monitor.wait_for`'s.

        Raises:
            EndedError: the lifetime has ended.
        """
        while not ready() and (left := _left(deadline)) != 0:
            await self._lifetime.run(None, partial(self._change, ready, left))

    async def _change(self, ready: Callable[[], bool], seconds: float | None) -> None:
        from asyncio import get_running_loop  # noqa: PLC0415 - as above

        loop = get_running_loop()
        future = loop.create_future()
        self._waiting[future] = ready
        timer = None if seconds is None else loop.call_later(seconds, _set, future)
        try:
            await future
        finally:
            del self._waiting[future]
            if timer is not None:
                timer.cancel()

    def notify(self) -> None:
        """Wake the waiters that need not wait any more."""
        for future, ready in list(self._waiting.items()):
            if ready():
                _set(future)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _left(deadline: float | None) -> float | None:
    """Seconds to a deadline, 0 when it has passed; None without one."""
    return None if deadline is None else max(0.0, deadline - time.monotonic())

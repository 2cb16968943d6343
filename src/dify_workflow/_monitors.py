"""Locks, and the wait for what changes under them, which the end of an iterator's lifetime ends."""

from __future__ import annotations

import contextlib
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from ._lifetimes import AsyncLifetime, Lifetime


class Alarm:
    """Wakes up a thread, from any other and from a signal handler: unlike events and conditions, it has no lock."""

    def __init__(self) -> None:
        self._rings: SimpleQueue[None] = SimpleQueue()

    def interrupt(self) -> None:
        """Wake up who waits, or will wait."""
        self._rings.put(None)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it rings, or the time is over."""
        with contextlib.suppress(Empty):
            self._rings.get(timeout=seconds)


class Monitor:
    """A lock, and the wait for what changes under it to become as it should.

    Args:
        lifetime: its end wakes up who waits.
    """

    def __init__(self, lifetime: Lifetime) -> None:
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._alarms: set[Alarm] = set()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def wait_for(self, ready: Callable[[], bool]) -> None:
        """Wait, holding the lock, until it is so.

        Raises:
            EndedError: the lifetime has ended.
        """
        if ready():
            return
        alarm = Alarm()
        self._alarms.add(alarm)
        try:
            while not ready():
                self._lock.release()
                try:
                    self._lifetime.run(alarm, alarm.wait)
                finally:
                    self._lock.acquire()
        finally:
            self._alarms.discard(alarm)

    def notify_all(self) -> None:
        """Have everyone look again. Unlike a condition's, this needs no lock."""
        for alarm in list(self._alarms):
            alarm.interrupt()


class AsyncMonitor:
    """As `Monitor`; tasks need no lock."""

    def __init__(self, lifetime: AsyncLifetime) -> None:
        self._lifetime = lifetime
        self._waiting: set[asyncio.Future[None]] = set()

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass

    async def wait_for(self, ready: Callable[[], bool]) -> None:
        """Wait until it is so.

        Raises:
            EndedError: the lifetime has ended.
        """
        while not ready():
            await self._lifetime.run(None, self._change)

    async def _change(self) -> None:
        from asyncio import get_running_loop  # noqa: PLC0415 - as above

        future = get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    def notify_all(self) -> None:
        """Have everyone look again."""
        for future in list(self._waiting):
            if not future.done():
                future.set_result(None)

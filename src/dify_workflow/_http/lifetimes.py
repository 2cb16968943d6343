"""The lifetime of an iterator: what it shares with everything that works for it, so that it can be ended from anywhere.

Walks, follows and streams have one each. Whatever waits for them (for a response, for data, for a moment to come, for a
worker) does so through it. `end` may be called from any thread, from a signal handler and from a finalizer, at any
moment, so it takes no lock that the interrupted code could hold: it sets a flag and wakes up who waits. Who begins to
wait makes itself known first and checks the flag then, so that no end is missed.

The thread or task that iterates does the cleaning up: there, the wait fails with `EndedError`.
"""

from __future__ import annotations

import threading
import time
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from . import forks
from .frames import in_signal_handler, is_collecting, runs_here
from .monitors import Waker

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

    from .attempts import Interruptible

T = TypeVar("T")

LONGEST_WAIT: Final = 5.0
"""Seconds for which closing waits for threads. They end at once, but for those that read with a caller's own httpx
client, and those that need a lock which the closing thread holds: it may be in a signal handler."""
PAUSE: Final = 0.002
"""Seconds between two checks whether another thread or task has left an iterator."""
FORKED: Final = "belongs to the process that made it, which was forked since; make a new one in this process"
IN_USE: Final = "generator already executing"
"""What Python says of a generator that runs already."""


class EndedError(Exception):
    """What was waited for is not wanted any more: the iterator has been closed."""


class _Base:
    """What the two clients have in common.

    Attributes:
        is_open: whether the next item may be requested from the iterator.
        is_over: whether nothing may begin any more.
        is_cut: whether that is so because the client was closed.
        is_forked: whether this is another process than the one in which the iterator was made.
    """

    def __init__(self, *, is_open: bool = True) -> None:
        self.is_open = is_open
        self.is_over = False
        self.is_cut = False
        self.is_forked = False
        self._waiting: set[Interruptible] = set()
        self._owners: list[weakref.ref[Any]] = []
        forks.register(self)

    def belongs_to(self, owner: object) -> None:
        """Keep an iterator as it is, and all that it refers to, in each child that is forked."""
        self._owners.append(weakref.ref(owner))

    def end(self) -> None:
        """End everything that waits, from wherever this is called."""
        self.is_over = True
        self.is_open = False
        for one in list(self._waiting):
            one.interrupt()

    def end_with_client(self) -> None:
        """End everything that waits, as the client is being closed."""
        self.is_cut = self.is_cut or not self.is_over
        self.end()

    def _check(self) -> None:
        if self.is_over:
            raise EndedError

    def refuse_in_child(self, name: str) -> None:
        """Refuse to continue in another process than the one in which the iterator was made.

        Raises:
            RuntimeError: this is another one.
        """
        if self.is_forked:
            raise RuntimeError(f"this {name} {FORKED}")

    def check_clash(self, error: Exception) -> None:
        """Pass over an error that says that the iterator runs already, where it is being closed.

        Raises:
            RuntimeError: two threads or tasks request the next item at the same time.
            Exception: it is another error.
        """
        if not str(error).endswith((IN_USE, "asynchronous generator is already running")):
            raise error
        if not self.is_over:
            raise RuntimeError("this iterator is used by two threads or tasks at the same time") from None

    def leave_to_parent(self) -> object:
        """In a forked child: refuse the use of the iterator, and close nothing of it."""
        self.is_over = self.is_forked = True
        self.is_open = False
        waiting, self._waiting = self._waiting, set()
        return waiting, [owner() for owner in self._owners]


class Lifetime(_Base):
    """The lifetime of an iterator of the sync client."""

    _owner: int | None = None

    def begin(self) -> None:
        """Note which thread iterates."""
        self._owner = threading.get_ident()

    def is_owner(self) -> bool:
        """Whether the caller is the thread that iterates, and no signal handler that interrupted it."""
        return self._owner == threading.get_ident() and not in_signal_handler()

    def run(self, attempt: Interruptible, work: Callable[[], T]) -> T:
        """What some work gives that waits in an attempt.

        Raises:
            EndedError: the lifetime has ended.
        """
        self._waiting.add(attempt)
        try:
            self._check()
            result = work()
        except Exception:
            if not self.is_over:
                raise
            raise EndedError from None
        finally:
            self._waiting.discard(attempt)
        self._check()  # again: a caller's own httpx client cannot be interrupted
        return result

    def sleep(self, seconds: float) -> None:
        """Sleep.

        Raises:
            EndedError: the lifetime has ended.
        """
        waker = Waker()
        self.run(waker, lambda: waker.wait(seconds))

    def close(self, items: Generator[Any, Any, Any]) -> bool:
        """End the lifetime, and close the generator that does the work; whether it is closed now.

        Where it runs below in this thread, or does not end for a while, it is left to end by itself. In a forked child
        nothing is done.
        """
        if self.is_forked:
            return False
        self.end()
        deadline = time.monotonic() + LONGEST_WAIT
        while True:
            try:
                items.close()
            except ValueError as error:
                if str(error) != IN_USE:
                    raise
            else:
                return True
            if runs_here(items) or time.monotonic() > deadline or is_collecting():
                return False
            time.sleep(PAUSE)


class AsyncLifetime(_Base):
    """The lifetime of an iterator of the async client."""

    def __init__(self, *, is_open: bool = True) -> None:
        import asyncio  # noqa: PLC0415 - the sync client does without asyncio, which is large

        super().__init__(is_open=is_open)
        self._asyncio = asyncio
        self._loop: asyncio.AbstractEventLoop | None = None
        self._owner: weakref.ref[asyncio.Task[Any]] | None = None

    def begin(self) -> None:
        """Note which task iterates."""
        task = self._asyncio.current_task()
        self._owner = None if task is None else weakref.ref(task)

    def is_owner(self) -> bool:
        """Whether the caller is the task that iterates."""
        return self._owner is not None and self._owner() is self._asyncio.current_task()

    async def run(self, _waited_for: object, work: Callable[[], Awaitable[T]]) -> T:
        """What some work gives that waits; its task is cancelled for a moment when the lifetime ends.

        Raises:
            EndedError: the lifetime has ended.
        """
        self._check()
        task = self._asyncio.current_task()
        if task is None:
            raise RuntimeError("there is no task that could wait")
        if self._loop is None:
            self._loop = task.get_loop()
        wait = _TaskWait(task)
        self._waiting.add(wait)
        try:
            result = await work()
        except self._asyncio.CancelledError:
            if not wait.is_ended():
                raise
            raise EndedError from None
        except Exception:
            if not self.is_over:
                raise
            await self._receive_cancellation(wait)
            raise EndedError from None
        finally:
            self._waiting.discard(wait)
        if self.is_over:
            await self._receive_cancellation(wait)
            raise EndedError
        return result

    async def _receive_cancellation(self, wait: _TaskWait) -> None:
        """Let the cancellation come here that the end requested, where the work was over before it came."""
        try:
            await self._asyncio.sleep(0)
        except self._asyncio.CancelledError:
            if not wait.is_ended():
                raise
        else:
            wait.is_ended()

    async def sleep(self, seconds: float) -> None:
        """Sleep.

        Raises:
            EndedError: the lifetime has ended.
        """
        await self.run(None, lambda: self._asyncio.sleep(seconds))

    def end_with_client(self) -> None:
        """As above; what waits in another thread's event loop ends in a moment."""
        loop = self._loop
        if loop is None or loop is self._asyncio.get_running_loop() or not loop.is_running():
            super().end_with_client()
        else:
            with suppress(RuntimeError):  # that loop has just ended
                loop.call_soon_threadsafe(super().end_with_client)

    async def close(self, items: AsyncGenerator[Any, Any]) -> bool:
        """End the lifetime, and close the generator that does the work; False in a forked child, which does nothing."""
        loop = self._loop
        if self.is_forked:
            return False
        if loop is None or loop is self._asyncio.get_running_loop() or not loop.is_running():
            await self._close_here(items)
        else:  # another thread
            closing = self._asyncio.run_coroutine_threadsafe(self._close_here(items), loop)
            await self._asyncio.wrap_future(closing)
        return True

    async def _close_here(self, items: AsyncGenerator[Any, Any]) -> None:
        self.end()
        while True:
            try:
                await items.aclose()
            except RuntimeError:
                if not getattr(items, "ag_running", False):
                    raise
            else:
                return
            await self._asyncio.sleep(PAUSE)  # until it has ended where it runs


class _TaskWait:
    """A task that waits for something of an iterator."""

    __slots__ = ("_cancellations", "_is_interrupted", "_task")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task = task
        self._cancellations = task.cancelling()
        self._is_interrupted = False

    def interrupt(self) -> None:
        """Cancel what the task waits for."""
        if not self._is_interrupted:
            self._is_interrupted = True
            self._task.cancel()

    def is_ended(self) -> bool:
        """Whether a cancellation was this one, and no other."""
        return self._is_interrupted and self._task.uncancel() <= self._cancellations

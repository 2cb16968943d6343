"""The lifetime of an iterator: what it shares with everything that works for it, so that it can be ended from anywhere.

Walks, follows and streams have one each. Whatever waits for them (for a response, for data, for a moment to come, for a
worker) does so through it. `end` may be called from any thread, from a signal handler and from a finalizer, at any
moment, so it takes no lock that the interrupted code could hold: it sets a flag and wakes up who waits. Who begins to
wait makes itself known first and looks at the flag then, so that no end is missed.

The thread or task that iterates does the cleaning up: there, the wait fails with `EndedError`.
"""

from __future__ import annotations

import contextlib
import gc
import threading
import time
import weakref
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar

from . import _forks

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

    from ._attempts import Interruptible

T = TypeVar("T")

LONGEST_WAIT: Final = 5.0
"""Seconds for which closing waits for threads. They end at once, but for those that read with a caller's own httpx
client, and those that need a lock which the closing thread holds: it may be in a signal handler."""
PAUSE: Final = 0.002
"""Seconds between two looks at whether another thread or task has left an iterator."""
FORKED: Final = "belongs to the process that made it, which was forked since; make a new one in this process"
IN_USE: Final = "generator already executing"
"""What Python says of a generator that runs already."""


class EndedError(Exception):
    """What was waited for is not wanted any more: the iterator has been closed."""


class _Base:
    """What the two halves have in common.

    Attributes:
        is_open: whether the iterator may be asked for its next item.
        is_over: whether nothing may begin any more.
        is_forked: whether this is another process than the one in which the iterator was made.
    """

    def __init__(self, *, is_open: bool = True) -> None:
        self.is_open = is_open
        self.is_over = False
        self.is_forked = False
        self._waiting: set[Interruptible] = set()
        self._owners: list[weakref.ref[Any]] = []
        _forks.register(self)

    def belongs_to(self, owner: object) -> None:
        """Keep an iterator as it is, and all that it refers to, in each child that is forked."""
        self._owners.append(weakref.ref(owner))

    def end(self) -> None:
        """End everything that waits, from wherever this is called."""
        self.is_over = True
        self.is_open = False
        for one in list(self._waiting):
            one.interrupt()

    def _check(self) -> None:
        if self.is_over:
            raise EndedError

    def refuse_in_child(self, name: str) -> None:
        """Refuse to go on in another process than the one in which the iterator was made.

        Raises:
            RuntimeError: this is another one.
        """
        if self.is_forked:
            raise RuntimeError(f"this {name} {FORKED}")

    def check_clash(self, error: Exception) -> None:
        """Pass over an error that says that the iterator runs already, where it is being closed.

        Raises:
            RuntimeError: two threads or tasks ask for the next item at the same time.
            Exception: it is another error.
        """
        if not str(error).endswith((IN_USE, "asynchronous generator is already running")):
            raise error
        if not self.is_over:
            raise RuntimeError("this iterator is used by two threads or tasks at the same time") from None

    def leave_to_parent(self) -> object:
        """In a forked child: whoever uses the iterator here is refused, and nothing of it is closed."""
        self.is_over = self.is_forked = True
        self.is_open = False
        waiting, self._waiting = self._waiting, set()
        return waiting, [owner() for owner in self._owners]


class Lifetime(_Base):
    """The lifetime of an iterator of the sync half."""

    _owner: int | None = None

    def begin(self) -> None:
        """Note which thread iterates."""
        self._owner = threading.get_ident()

    def is_owner(self) -> bool:
        """Whether the caller is the thread that iterates, and no signal handler that interrupted it."""
        return self._owner == threading.get_ident() and not _in_signal_handler()

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
        alarm = Alarm()
        self.run(alarm, lambda: alarm.wait(seconds))

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
            if _runs_here(items) or time.monotonic() > deadline or is_collecting():
                return False
            time.sleep(PAUSE)


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


def _runs_here(items: Generator[Any, Any, Any]) -> bool:
    """Whether a generator is being run by this very thread, below: this is a signal handler, or a finalizer."""
    import inspect  # noqa: PLC0415 - loaded when needed

    running = getattr(items, "gi_frame", None)
    frame = inspect.currentframe()
    while frame is not None and frame is not running:
        frame = frame.f_back
    return frame is not None


def _in_signal_handler() -> bool:
    """Whether a function that handles signals is among those that run in this thread, as far as can be seen."""
    import inspect  # noqa: PLC0415 - loaded when needed
    import signal  # noqa: PLC0415 - loaded when needed

    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    codes = {getattr(getattr(handler, "__func__", handler), "__code__", None) for handler in handlers} - {None}
    frame = inspect.currentframe()
    while frame is not None and frame.f_code not in codes:
        frame = frame.f_back
    return frame is not None


class _Cycle:
    """Something that only the garbage collector takes away."""

    def __init__(self) -> None:
        self.itself = self


def is_collecting() -> bool:
    """Whether garbage is being collected at the moment, most likely by this thread, and this is a finalizer.

    Then nothing may be waited for: the collector may have been started anywhere, holding any lock. There is no other
    way to find out than this: a collection that is begun inside another one does nothing.
    """
    gone = weakref.ref(_Cycle())
    gc.collect(0)
    return gone() is not None


class AsyncLifetime(_Base):
    """The lifetime of an iterator of the async half."""

    def __init__(self, *, is_open: bool = True) -> None:
        import asyncio  # noqa: PLC0415 - the sync half does without asyncio, which is large

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
            raise EndedError from None
        finally:
            self._waiting.discard(wait)
        self._check()
        return result

    async def sleep(self, seconds: float) -> None:
        """Sleep.

        Raises:
            EndedError: the lifetime has ended.
        """
        await self.run(None, lambda: self._asyncio.sleep(seconds))

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

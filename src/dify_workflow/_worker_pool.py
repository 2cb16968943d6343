"""What works at the same time: threads for the sync client, tasks for the async client, with the same methods."""

from __future__ import annotations

import threading
import time
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final

from ._http.event_loops import running_loop
from ._http.frames import is_collecting
from ._http.lifetimes import LONGEST_WAIT

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

NAME: Final = "dify-workflow-walk"


class Workers:
    """Threads that are waited for. Each has a copy of the context variables of the thread that starts it."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []

    def start(self, work: Callable[[], None]) -> None:
        """Have one more worker do this. It must not raise."""
        thread = threading.Thread(target=copy_context().run, args=(work,), name=NAME, daemon=True)
        self._threads.append(thread)
        thread.start()

    def is_one(self) -> bool:
        """Whether the caller is one of the workers."""
        return threading.current_thread() in self._threads

    def end(self) -> None:
        """Wait until all have gone, which they do at once when the lifetime of their iterator has ended.

        A finalizer waits for nobody, and everyone else not for ever: a worker may need a lock that is held here.
        """
        if not self._threads or is_collecting():
            return
        deadline = time.monotonic() + LONGEST_WAIT
        for thread in self._threads:
            if thread.ident not in {None, threading.get_ident()}:  # None: it could not be started
                thread.join(max(0.0, deadline - time.monotonic()))


class AsyncWorkers:
    """Tasks that are waited for."""

    def __init__(self) -> None:
        import asyncio  # noqa: PLC0415 - the sync client does without asyncio, which is large

        self._asyncio = asyncio
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have one more worker do this. It must not raise.

        Raises:
            ConfigurationError: the event loop is not one of asyncio.
        """
        loop = running_loop()
        self._tasks.append(loop.create_task(work(), name=NAME))

    def is_one(self) -> bool:
        """Whether the caller is one of the workers."""
        return self._asyncio.current_task() in self._tasks

    async def end(self) -> None:
        """Cancel all, and wait until they have gone."""
        if not self._tasks:
            return
        for task in self._tasks:
            task.cancel()
        await self._asyncio.gather(*self._tasks, return_exceptions=True)

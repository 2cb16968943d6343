"""What works at the same time: threads for the sync half, tasks for the async half, with the same methods."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

NAME: Final = "dify-workflow-walk"


class WorkersEndedError(Exception):
    """A worker was asked to end while it slept."""


class Workers:
    """Threads that are waited for."""

    def __init__(self) -> None:
        self._threads: list[_Worker] = []
        self._ended = threading.Event()

    def start(self, work: Callable[[], None]) -> None:
        """Have one more worker do this. It must not raise."""
        thread = _Worker(work, self._ended)
        self._threads.append(thread)
        thread.start()

    def is_one(self) -> bool:
        """Whether the caller is one of the workers."""
        return threading.current_thread() in self._threads

    def end(self) -> None:
        """Wait until all have gone. Those that sleep wake up; a request that is under way is finished."""
        self._ended.set()
        for thread in self._threads:
            if thread is not threading.current_thread():  # garbage may be collected in any of them
                thread.join()

    @staticmethod
    def sleep(seconds: float) -> None:
        """Sleep; a worker only until it has to end.

        Raises:
            WorkersEndedError: it has to end.
        """
        thread = threading.current_thread()
        if not isinstance(thread, _Worker):
            time.sleep(seconds)
        elif thread.ended.wait(seconds):
            raise WorkersEndedError


class _Worker(threading.Thread):
    def __init__(self, work: Callable[[], None], ended: threading.Event) -> None:
        super().__init__(target=work, name=NAME, daemon=True)
        self.ended = ended


class AsyncWorkers:
    """Tasks that are waited for."""

    def __init__(self) -> None:
        import asyncio  # noqa: PLC0415 - the sync half does without asyncio, which is large

        self._asyncio = asyncio
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have one more worker do this. It must not raise."""
        self._tasks.append(self._asyncio.create_task(work(), name=NAME))

    def is_one(self) -> bool:
        """Whether the caller is one of the workers."""
        return self._asyncio.current_task() in self._tasks

    async def end(self) -> None:
        """Cancel all, and wait until they have gone."""
        for task in self._tasks:
            task.cancel()
        await self._asyncio.gather(*self._tasks, return_exceptions=True)

    @staticmethod
    async def sleep(seconds: float) -> None:
        """Sleep; a worker that has to end is cancelled."""
        import asyncio  # noqa: PLC0415 - as above

        await asyncio.sleep(seconds)

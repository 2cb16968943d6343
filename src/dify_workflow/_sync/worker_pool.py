"""Workers that hand things over in order.

A worker pool stops as a whole: the first error, or `stop`, ends every worker, and what waits for something of it is
released.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from .._http.lifetimes import EndedError, Lifetime
from .._http.monitors import Monitor
from .._worker_pool import Workers

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class WorkerPoolStoppedError(Exception):
    """Something was waited for that will not come any more."""


class WorkerPool:
    """Workers for one consumer, who leaves its `with` when nothing more is wanted of them.

    Args:
        life: the lifetime of the iterator that they work for, which ends when the consumer leaves with an error.

    Attributes:
        changed: the lock of everything that the pool shares, and the news that some of it changed.
    """

    def __init__(self, life: Lifetime) -> None:
        self.changed = Monitor(life)
        self._life = life
        self._workers = Workers()
        self._error: Exception | None = None
        self._stopped = False

    def start(self, work: Callable[[], None]) -> None:
        """Have one more worker do this. Its error stops the pool, and is raised where the consumer waits."""

        def run() -> None:
            try:
                work()
            except (WorkerPoolStoppedError, EndedError):
                pass
            except Exception as error:  # noqa: BLE001 - it is raised again where the consumer waits
                self._let_go(error)

        self._workers.start(run)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if exc_type is not None:
            self._life.end()
        self._let_go(None)
        self._workers.end()

    def wait_for(self, ready: Callable[[], bool], deadline: float | None = None) -> None:
        """Wait, holding the lock, until it is so, or the deadline, a monotonic time, has passed.

        Raises:
            WorkerPoolStoppedError: the pool stopped before.
            EndedError: the lifetime of the iterator has ended.
            Exception: for the consumer, what a worker raised.
        """
        self.changed.wait_for(lambda: self._stopped or ready(), deadline)
        if self._error is not None and not self._workers.is_one():
            raise self._error
        if self._stopped:
            raise WorkerPoolStoppedError

    def _let_go(self, error: Exception | None) -> None:
        # Without the lock: a signal handler or a finalizer may come here, wherever this thread is.
        if not self._stopped:
            self._error = error
            self._stopped = True
        self.changed.notify()


class Channel(Generic[T]):
    """What one worker of a pool hands over to another, in order.

    Args:
        pool: the pool that it belongs to.
        size: items that it holds; who puts more in waits.
    """

    def __init__(self, pool: WorkerPool, size: int) -> None:
        self._pool = pool
        self._size = size
        self._items: deque[T] = deque()

    def put(self, item: T) -> None:
        """Hand over an item, as soon as there is room."""
        with self._pool.changed:
            self._pool.wait_for(lambda: len(self._items) < self._size)
            self._items.append(item)
            self._pool.changed.notify()

    def get(self) -> T:
        """The next item, as soon as there is one."""
        with self._pool.changed:
            self._pool.wait_for(lambda: bool(self._items))
            item = self._items.popleft()
            self._pool.changed.notify()
            return item

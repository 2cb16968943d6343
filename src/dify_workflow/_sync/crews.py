"""Workers that hand things over in order.

A crew stops as a whole: the first error, or `stop`, ends every worker, and whoever waits for something of a crew that
has stopped is let go.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from .._workers import Workers, WorkersEndedError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class CrewStoppedError(Exception):
    """Something was waited for that will not come any more."""


class Crew:
    """Workers for one consumer.

    Attributes:
        changed: the lock of everything that the crew shares, and the news that some of it changed.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._workers = Workers()
        self._error: Exception | None = None
        self._stopped = False

    def start(self, work: Callable[[], None]) -> None:
        """Have one more worker do this. Its error stops the crew, and is raised where the consumer waits."""

        def run() -> None:
            try:
                work()
            except (CrewStoppedError, WorkersEndedError):
                pass
            except Exception as error:  # noqa: BLE001 - it is raised again where the consumer waits
                self._let_go(error)

        self._workers.start(run)

    def stop(self) -> None:
        """Let everyone go, and wait until they have gone."""
        self._let_go(None)
        self._workers.end()

    def wait_for(self, ready: Callable[[], bool]) -> None:
        """Wait, holding the lock, until it is so.

        Raises:
            CrewStoppedError: the crew stopped before.
            Exception: for the consumer, what a worker raised.
        """
        self.changed.wait_for(lambda: self._stopped or ready())
        if self._error is not None and not self._workers.is_one():
            raise self._error
        if self._stopped:
            raise CrewStoppedError

    def _let_go(self, error: Exception | None) -> None:
        with self.changed:
            if not self._stopped:
                self._stopped, self._error = True, error
            self.changed.notify_all()


class Channel(Generic[T]):
    """What one of a crew hands over to another, in order.

    Args:
        crew: whose it is.
        size: items that it holds; who puts more in waits.
    """

    def __init__(self, crew: Crew, size: int) -> None:
        self._crew = crew
        self._size = size
        self._items: deque[T] = deque()

    def put(self, item: T) -> None:
        """Hand over an item, as soon as there is room."""
        with self._crew.changed:
            self._crew.wait_for(lambda: len(self._items) < self._size)
            self._items.append(item)
            self._crew.changed.notify_all()

    def get(self) -> T:
        """The next item, as soon as there is one."""
        with self._crew.changed:
            self._crew.wait_for(lambda: bool(self._items))
            item = self._items.popleft()
            self._crew.changed.notify_all()
            return item

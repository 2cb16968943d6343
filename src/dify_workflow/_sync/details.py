"""Logs joined with the details of their runs, several looked up at once, given in the order of the logs."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from .._errors import DifyError
from ..results import DetailedLog
from .crews import Channel, Crew

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType

    from .._configuration import TimeoutOption
    from ..models import WorkflowLog
    from .runs import Runs
    from .walks import LogWalk


class _Lookup(NamedTuple):
    """A row, the place of the walk after it, and where its run's detail will be handed over."""

    log: WorkflowLog
    checkpoint: dict[str, Any]
    done: Channel[DetailedLog]


class DetailedLogWalk:
    """An iterator over the logs with their runs' details; made by `logs.iter(details=...)`.

    It is the walk of `logs.iter`, with the same `.total`, `.seen` and `.checkpoint`. A detail that could not be had is
    the `.error` of its own row.
    """

    def __init__(self, walk: LogWalk, runs: Runs, *, at_once: int, timeout: TimeoutOption) -> None:
        self._walk = walk
        self._runs = runs
        self._at_once = at_once
        self._timeout = timeout
        self._checkpoint = walk.checkpoint
        self._rows = self._join()

    @property
    def total(self) -> int | None:
        """Rows that matched when the walk began; None before the first page, and where only the walk can tell."""
        return self._walk.total

    @property
    def seen(self) -> int:
        """Rows given so far, those before a checkpoint included."""
        seen: int = self._checkpoint["seen"]
        return seen

    @property
    def checkpoint(self) -> dict[str, Any]:
        """The place after the last row that was given, as a JSON value for `logs.iter(checkpoint=...)`."""
        return self._checkpoint

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> DetailedLog:
        return next(self._rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the walk: nothing of it stays behind."""
        self._rows.close()
        self._walk.close()

    def _join(self) -> Generator[DetailedLog]:
        crew = Crew()
        lookups: Channel[_Lookup] = Channel(crew, self._at_once)
        under_way: deque[_Lookup] = deque()

        def work() -> None:
            while True:
                lookup = lookups.get()
                lookup.done.put(self._detailed(lookup.log))

        try:
            for _ in range(self._at_once):
                crew.start(work)
            for log in self._walk:
                under_way.append(_Lookup(log, self._walk.checkpoint, Channel(crew, 1)))
                lookups.put(under_way[-1])
                if len(under_way) == self._at_once:
                    yield self._first(under_way)
            while under_way:
                yield self._first(under_way)
            self._checkpoint = self._walk.checkpoint
        finally:
            crew.stop()

    def _first(self, under_way: deque[_Lookup]) -> DetailedLog:
        lookup = under_way.popleft()
        detailed = lookup.done.get()
        self._checkpoint = lookup.checkpoint
        return detailed

    def _detailed(self, log: WorkflowLog) -> DetailedLog:
        run = log.workflow_run
        if run is None:
            return DetailedLog(log, None, None)
        try:
            return DetailedLog(log, self._runs.get(run.id, timeout=self._timeout), None)
        except (DifyError, ValueError) as error:
            return DetailedLog(log, None, error)

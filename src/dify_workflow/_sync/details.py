"""Logs joined with the details of their runs, several looked up at once, given in the order of the logs."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from .._errors import DifyError
from ..results import DetailedLog
from .crews import Channel, Crew

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..models import WorkflowLog
    from ..results import WorkflowRunDetail
    from .walks import LogWalk

    RunGetter = Callable[[str], WorkflowRunDetail]


class DetailedLogWalk:
    """An iterator over the logs with their runs' details; made by `logs.iter(details=...)`.

    It is the walk of `logs.iter`, with the same `.total`, `.seen` and `.checkpoint`. A detail that could not be had is
    the `.error` of its own row.
    """

    def __init__(self, walk: LogWalk, get_run: RunGetter, *, at_once: int) -> None:
        self._walk = walk
        self._place = _Place(walk.checkpoint)
        # Nothing that runs refers back to this object, so that forgetting it ends all at once.
        self._rows = _joined(walk, get_run, at_once, self._place)

    @property
    def total(self) -> int | None:
        """Rows that matched when the walk began; None before the first page, and where only the walk can tell."""
        return self._walk.total

    @property
    def seen(self) -> int:
        """Rows given so far, those before a checkpoint included."""
        seen: int = self._place.checkpoint["seen"]
        return seen

    @property
    def checkpoint(self) -> dict[str, Any]:
        """The place after the last row that was given, as a JSON value for `logs.iter(checkpoint=...)`."""
        return self._place.checkpoint

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> DetailedLog:
        try:
            return next(self._rows)
        except StopIteration:
            if self._place.checkpoint["ended"]:
                raise
        # As in the walk itself: stopping quietly would look as if every row had been given.
        raise RuntimeError("this walk ended before its last row; a new one can go on from its checkpoint")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the walk: nothing of it stays behind. It cannot go on; a new one can, from its checkpoint."""
        self._rows.close()
        self._walk.close()


class _Place:
    """Where the walk stands after the last row that was given; the walk itself is ahead of that."""

    __slots__ = ("checkpoint",)

    def __init__(self, checkpoint: dict[str, Any]) -> None:
        self.checkpoint = checkpoint


class _Lookup(NamedTuple):
    """A row, the place of the walk after it, and where its run's detail will be handed over."""

    log: WorkflowLog
    checkpoint: dict[str, Any]
    done: Channel[DetailedLog]


def _joined(walk: LogWalk, get_run: RunGetter, at_once: int, place: _Place) -> Generator[DetailedLog]:
    crew = Crew()
    lookups: Channel[_Lookup] = Channel(crew, at_once)
    under_way: deque[_Lookup] = deque()

    def work() -> None:
        while True:
            lookup = lookups.get()
            lookup.done.put(_detailed(lookup.log, get_run))

    try:
        for _ in range(at_once):
            crew.start(work)
        for log in walk:
            under_way.append(_Lookup(log, walk.checkpoint, Channel(crew, 1)))
            lookups.put(under_way[-1])
            if len(under_way) == at_once:
                first = under_way.popleft()
                detailed = first.done.get()
                place.checkpoint = first.checkpoint
                yield detailed
        for rest in under_way:
            detailed = rest.done.get()
            place.checkpoint = rest.checkpoint
            yield detailed
        place.checkpoint = walk.checkpoint
    finally:
        crew.stop()


def _detailed(log: WorkflowLog, get_run: RunGetter) -> DetailedLog:
    run = log.workflow_run
    if run is None:
        return DetailedLog(log, None, None)
    try:
        return DetailedLog(log, get_run(run.id), None)
    except (DifyError, ValueError) as error:
        return DetailedLog(log, None, error)

"""Logs joined with the details of their runs, several looked up at once, given in the order of the logs."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from .._errors import DifyError
from .._http.outages import Outages
from .._logs.arrow import AsyncArrowStream
from .._logs.detailed_log import DetailedLog
from .iterations import AsyncIteration, life_of, state_of
from .log_walk import ENDED_EARLY
from .worker_pool import AsyncChannel, AsyncWorkerPool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from .._http.config import Configuration
    from .._tracing.spans import WalkSpan
    from ..models import WorkflowLog
    from ..results import WorkflowRunDetail
    from .log_walk import AsyncLogWalk

    RunGetter = Callable[[str], Awaitable[WorkflowRunDetail]]


class AsyncDetailedLogWalk(AsyncArrowStream, AsyncIteration[DetailedLog]):
    """An iterator over the logs with their runs' details; made by `logs.iter(details=...)`.

    It is the walk of `logs.iter`, with the same `.total`, `.seen` and `.checkpoint`. A run that cannot be read is
    the `.error` of its log.
    """

    __module__ = "dify_workflow.types"

    _kind = "walk"
    _has_details = True

    def __init__(
        self,
        walk: AsyncLogWalk,
        get_run: RunGetter,
        *,
        at_once: int,
        outages: Outages | None = None,
        configuration: Configuration | None = None,
        span: WalkSpan | None = None,
    ) -> None:
        self._walk = walk
        self._at_once = at_once
        self._place = _Place(walk.checkpoint)
        items = _joined(walk, get_run, at_once, self._place, outages or Outages(0))
        if span is not None:
            from .tracing import traced_items  # noqa: PLC0415 - loaded when needed

            items = traced_items(span, items)
        super().__init__(life_of(walk), items, configuration=configuration)

    def _state(self) -> Mapping[str, object]:
        return {**state_of(self._walk), "seen": self.seen, "details": self._at_once}

    @property
    def total(self) -> int | None:
        """Number of logs that match, from the first page; None before it, and where the server does not count them."""
        return self._walk.total

    @property
    def seen(self) -> int:
        """Logs yielded so far, those before a checkpoint included."""
        seen: int = self._place.checkpoint["seen"]
        return seen

    @property
    def time_shift(self) -> int | None:
        """Displayed minus true seconds of the server's times; None before the first page, 0 on an ordinary server.

        It is -18000 where a database session runs in New York time, and `created_at` is then wrong by so much. A walk
        finds it when it reads its second page, or where the logs' times differ from those of their runs; a shift of
        both (Dify on Windows, run from source) is not found by a walk of one page, and 0 is reported.
        """
        return self._walk.time_shift

    @property
    def checkpoint(self) -> dict[str, Any]:
        """The position after the last log that was yielded, as a JSON value for `logs.iter(checkpoint=...)`."""
        return self._place.checkpoint

    def _end(self) -> Exception:
        return StopAsyncIteration() if self._place.checkpoint["ended"] else RuntimeError(ENDED_EARLY)

    async def close(self) -> None:
        """End the walk, from any thread, task or signal handler, and release its connections and workers.

        A thread or task that waits for its next log gets a `RuntimeError`, unless every log was yielded. The walk
        cannot continue; a new one can, from its checkpoint. With your own `http_client`, the sync client lets a read
        that is under way return first.
        """
        await super().close()


class _Place:
    """Where the walk stands after the last log that was given; the walk itself is ahead of that."""

    __slots__ = ("checkpoint",)

    def __init__(self, checkpoint: dict[str, Any]) -> None:
        self.checkpoint = checkpoint


class _Lookup(NamedTuple):
    """A log, the place of the walk after it, and where its run's detail will be handed over."""

    log: WorkflowLog
    checkpoint: dict[str, Any]
    done: AsyncChannel[DetailedLog]


async def _joined(
    walk: AsyncLogWalk, get_run: RunGetter, at_once: int, place: _Place, outages: Outages
) -> AsyncGenerator[DetailedLog]:
    pool = AsyncWorkerPool(life_of(walk))
    lookups: AsyncChannel[_Lookup] = AsyncChannel(pool, at_once)
    under_way: deque[_Lookup] = deque()

    async def work() -> None:
        while True:
            lookup = await lookups.get()
            await lookup.done.put(await _detailed(lookup.log, get_run, outages))

    async with pool, walk:
        for _ in range(at_once):
            pool.start(work)
        async for log in walk:
            under_way.append(_Lookup(log, walk.checkpoint, AsyncChannel(pool, 1)))
            await lookups.put(under_way[-1])
            if len(under_way) == at_once:
                first = under_way.popleft()
                detailed = await first.done.get()
                place.checkpoint = first.checkpoint
                yield detailed
        for rest in under_way:
            detailed = await rest.done.get()
            place.checkpoint = rest.checkpoint
            yield detailed
        place.checkpoint = walk.checkpoint


async def _detailed(log: WorkflowLog, get_run: RunGetter, outages: Outages) -> DetailedLog:
    run = log.workflow_run
    if run is None:
        return DetailedLog(log, None, None)
    try:
        return DetailedLog(log, await get_run(run.id), None)
    except (DifyError, ValueError) as error:
        if outages.has_given_up:  # it says nothing of this run, and there is no sense in trying the next one
            raise
        return DetailedLog(log, None, error)

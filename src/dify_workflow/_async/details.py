"""Logs joined with the details of their runs, several looked up at once, given in the order of the logs."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from .._errors import DifyError
from ..results import DetailedLog
from .crews import AsyncChannel, AsyncCrew

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from types import TracebackType

    from .._configuration import TimeoutOption
    from ..models import WorkflowLog
    from .runs import AsyncRuns
    from .walks import AsyncLogWalk


class _Lookup(NamedTuple):
    """A row, the place of the walk after it, and where its run's detail will be handed over."""

    log: WorkflowLog
    checkpoint: dict[str, Any]
    done: AsyncChannel[DetailedLog]


class AsyncDetailedLogWalk:
    """An iterator over the logs with their runs' details; made by `logs.iter(details=...)`.

    It is the walk of `logs.iter`, with the same `.total`, `.seen` and `.checkpoint`. A detail that could not be had is
    the `.error` of its own row.
    """

    def __init__(self, walk: AsyncLogWalk, runs: AsyncRuns, *, at_once: int, timeout: TimeoutOption) -> None:
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

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> DetailedLog:
        return await anext(self._rows)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the walk: nothing of it stays behind."""
        await self._rows.aclose()
        await self._walk.aclose()

    async def _join(self) -> AsyncGenerator[DetailedLog]:
        crew = AsyncCrew()
        lookups: AsyncChannel[_Lookup] = AsyncChannel(crew, self._at_once)
        under_way: deque[_Lookup] = deque()

        async def work() -> None:
            while True:
                lookup = await lookups.get()
                await lookup.done.put(await self._detailed(lookup.log))

        try:
            for _ in range(self._at_once):
                crew.start(work)
            async for log in self._walk:
                under_way.append(_Lookup(log, self._walk.checkpoint, AsyncChannel(crew, 1)))
                await lookups.put(under_way[-1])
                if len(under_way) == self._at_once:
                    yield await self._first(under_way)
            while under_way:
                yield await self._first(under_way)
            self._checkpoint = self._walk.checkpoint
        finally:
            await crew.stop()

    async def _first(self, under_way: deque[_Lookup]) -> DetailedLog:
        lookup = under_way.popleft()
        detailed = await lookup.done.get()
        self._checkpoint = lookup.checkpoint
        return detailed

    async def _detailed(self, log: WorkflowLog) -> DetailedLog:
        run = log.workflow_run
        if run is None:
            return DetailedLog(log, None, None)
        try:
            return DetailedLog(log, await self._runs.get(run.id, timeout=self._timeout), None)
        except (DifyError, ValueError) as error:
            return DetailedLog(log, None, error)

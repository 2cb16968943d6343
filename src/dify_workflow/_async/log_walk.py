"""Walks over the logs: they request pages and yield logs; what a page proves is decided in `_logs.walk`."""

from __future__ import annotations

import itertools
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .._http import logging
from .._http.lifetimes import AsyncLifetime
from .._logs.arrow import AsyncArrowStream
from .._logs.checkpoint import Position, position_from
from .._logs.walk import PageRequest, Ranges, SeenLog, WindowWalk, rows_of
from .iterations import AsyncIteration
from .worker_pool import AsyncChannel, AsyncWorkerPool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from .._http.config import Configuration
    from .._logs.filters import LogFilters
    from .._tracing.spans import WalkSpan
    from ..models import WorkflowLog, WorkflowLogPage

    PageReader = Callable[[PageRequest], Awaitable[WorkflowLogPage]]

PAGES_BEFORE_SPLIT: Final = 2
"""Pages that are read one by one first: they show whether the server can be relied on, and how much there is."""


ENDED_EARLY: Final = "this walk ended before its last log; a new one can continue from its checkpoint"


class AsyncLogWalk(AsyncArrowStream, AsyncIteration["WorkflowLog"]):
    """An iterator over the logs that yields each matching log exactly once, newest first; made by `logs.iter`.

    >>> async with client.logs.iter(status="failed") as walk:
    ...     async for log in walk:
    ...         ...

    It can be iterated without `async with` too; with it, leaving early releases everything at once.
    """

    __module__ = "dify_workflow.types"

    _kind = "walk"

    def __init__(
        self,
        read_page: PageReader,
        filters: LogFilters,
        *,
        checkpoint: object,
        workers: int,
        life: AsyncLifetime | None = None,
        configuration: Configuration | None = None,
        span: WalkSpan | None = None,
    ) -> None:
        self._filters = filters
        if checkpoint is None:
            self._position = Position(newest=filters.newest, oldest=filters.oldest)
        else:
            self._position = position_from(checkpoint, filters)
        life = life or AsyncLifetime()
        items = _logs(read_page, filters, self._position, workers, life)
        if span is not None:
            from .tracing import traced_items  # noqa: PLC0415 - loaded when needed

            items = traced_items(span, items)
        super().__init__(life, items, configuration=configuration)

    def _state(self) -> Mapping[str, object]:
        return {**self._filters.as_given(), "seen": self.seen, "total": self.total}

    @property
    def total(self) -> int | None:
        """Number of logs that match, from the first page; None before it, and where the server does not count them."""
        return self._position.total

    @property
    def seen(self) -> int:
        """Logs yielded so far, those before a checkpoint included."""
        return self._position.seen

    @property
    def time_shift(self) -> int | None:
        """Displayed minus true seconds of the server's times; None before the first page, 0 on an ordinary server.

        It is -18000 where a database session runs in New York time, and `created_at` is then wrong by so much. A walk
        finds it when it reads its second page, or where the logs' times differ from those of their runs; a shift of
        both (Dify on Windows, run from source) is not found by a walk of one page, and 0 is reported.
        """
        return self._position.time_shift

    @property
    def checkpoint(self) -> dict[str, Any]:
        """The position after the last log that was yielded, as a JSON value for `logs.iter(checkpoint=...)`."""
        return self._position.as_json(self._filters)

    def _end(self) -> Exception:
        # An error, a cancellation or `close` may have ended it: a normal end would claim that every log was given.
        return StopAsyncIteration() if self._position.ended else RuntimeError(ENDED_EARLY)

    async def close(self) -> None:
        """End the walk, from any thread, task or signal handler, and release its connections and workers.

        A thread or task that waits for its next log gets a `RuntimeError`, unless every log was yielded. The walk
        cannot continue; a new one can, from its checkpoint. With your own `http_client`, the sync client lets a read
        that is under way return first.
        """
        await super().close()


class Batch(NamedTuple):
    """Logs of one page, none of which was given before."""

    rows: list[SeenLog]
    is_ordered: bool
    time_shift: int | None


class Start(NamedTuple):
    """Where a range begins: its walk, None when there is no such range, and the page that was read to find out."""

    walk: WindowWalk | None
    rows: list[SeenLog]


async def _logs(
    read_page: PageReader, filters: LogFilters, position: Position, workers: int, life: AsyncLifetime
) -> AsyncGenerator[WorkflowLog]:
    """The logs from a position on, which moves along."""
    if not position.ended:
        walk = WindowWalk(
            position.newest,
            position.oldest,
            seen_at_newest=position.seen_at_newest,
            untimed_ids=position.untimed_ids,
            latest=position.latest,
            given_before=position.seen if filters.are_applied_by_server else None,
        )
        begun_at: tuple[int | None, set[str]] | None = (position.newest, set(position.seen_at_newest))
        async with aclosing(_batches(read_page, walk, workers, life)) as batches:
            async for rows, is_ordered, time_shift in batches:
                if walk.recounted is not None and begun_at is not None:
                    position.go_back(*begun_at, walk.recounted)
                    begun_at = None
                if time_shift and not position.time_shift:
                    logging.log_time_shift("logs.iter", time_shift)
                position.time_shift = time_shift
                if position.total is None and filters.are_applied_by_server:
                    position.total = walk.total
                for row in rows:
                    position.passed(row, is_ordered=is_ordered)
                    if filters.match(row.log):
                        position.seen += 1
                        yield row.log
    position.ended = True


async def _batches(read_page: PageReader, walk: WindowWalk, workers: int, life: AsyncLifetime) -> AsyncGenerator[Batch]:
    """The logs of a walk, a page at a time."""
    read = 0
    while (request := walk.next_request()) is not None:
        rows = walk.accept(await read_page(request))
        yield Batch(rows, walk.is_ordered, walk.time_shift)
        read += 1
        if read >= PAGES_BEFORE_SPLIT and (ranges := Ranges.of(walk, workers)) is not None:
            async with aclosing(AsyncRangesRead(read_page, ranges, workers, life).batches(walk)) as batches:
                async for batch in batches:
                    yield batch
            return


class AsyncRangesRead:
    """Several ranges at once, given in their order; each worker reads one at a time."""

    def __init__(self, read_page: PageReader, ranges: Ranges, workers: int, life: AsyncLifetime) -> None:
        self._read_page = read_page
        self._ranges = ranges
        self._workers = workers
        self._pool = AsyncWorkerPool(life)
        self._batches: list[AsyncChannel[Batch | None]] = [
            AsyncChannel(self._pool, ranges.pages * 2) for _ in range(ranges.count)
        ]
        self._starts: list[AsyncChannel[Start]] = [AsyncChannel(self._pool, 1) for _ in range(ranges.count + 1)]
        self._taken = itertools.count()
        self._given = 0  # ranges
        self._end = ranges.count  # the first range that proved not to exist

    async def batches(self, first: WindowWalk) -> AsyncGenerator[Batch]:
        """The logs of all ranges, the first of which is this walk."""
        await self._starts[0].put(Start(first, []))
        async with self._pool:
            for _ in range(self._workers):
                self._pool.start(self._work)
            for channel in self._batches:
                while (batch := await channel.get()) is not None:
                    yield batch
                async with self._pool.changed:
                    self._given += 1
                    self._pool.changed.notify()

    async def _work(self) -> None:
        while (index := next(self._taken)) < len(self._batches):
            async with self._pool.changed:  # a slow consumer must not let the ranges that were read pile up
                await self._pool.wait_for(partial(self._is_near, index))
            await self._read(index)

    def _is_near(self, index: int) -> bool:
        return index < self._given + self._workers

    async def _read(self, index: int) -> None:
        rows_below = await self._read_boundary(index + 1)
        start = await self._starts[index].get()
        walk, below = start.walk, None
        if walk is not None and (second := self._ranges.boundary_second(rows_below, walk)) is not None:
            below = walk.below(second - 1)
            walk.end_at(second, rows_below)
        await self._starts[index + 1].put(Start(below, rows_below))
        channel = self._batches[index]
        if walk is not None:
            rows = walk.begin_with(start.rows)
            await channel.put(Batch(rows, is_ordered=True, time_shift=walk.time_shift))
            while (request := walk.next_request()) is not None:
                rows = walk.accept(await self._read_page(request))
                await channel.put(Batch(rows, is_ordered=True, time_shift=walk.time_shift))
        await channel.put(None)

    async def _read_boundary(self, index: int) -> list[SeenLog]:
        request = self._ranges.boundary(index)
        if request is None or index >= self._end:
            return []
        rows = rows_of(await self._read_page(request))
        if not rows:
            self._end = min(self._end, index)
        return rows

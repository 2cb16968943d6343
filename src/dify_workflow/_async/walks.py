"""Walks over the logs: they ask for pages and give rows; what a page proves is decided in `_walks`."""

from __future__ import annotations

import itertools
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from .._checkpoints import Position, position_from
from .._walks import PageRequest, Ranges, WindowWalk, rows_of
from .crews import AsyncChannel, AsyncCrew

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from .._filters import LogFilters
    from .._walks import Row
    from ..models import WorkflowLog, WorkflowLogPage

PAGES_BEFORE_SPLIT: Final = 2
"""Pages that are read one by one first: they show whether the server can be relied on, and how much there is."""


class Start(NamedTuple):
    """Where a range begins: its walk, None when there is no such range, and the page that was read to find out."""

    walk: WindowWalk | None
    rows: list[Row]


class AsyncLogWalk:
    """An iterator over the logs that gives each matching row exactly once, newest first; made by `logs.iter`.

    >>> async with client.logs.iter(status="failed") as walk:
    ...     async for log in walk:
    ...         ...

    It can be iterated without `async with` too; with it, leaving early leaves nothing behind.
    """

    def __init__(
        self,
        read_page: Callable[[PageRequest], Awaitable[WorkflowLogPage]],
        filters: LogFilters,
        *,
        checkpoint: object,
        workers: int,
    ) -> None:
        self._read_page = read_page
        self._filters = filters
        self._workers = workers
        if checkpoint is None:
            self._position = Position(newest=filters.newest, oldest=filters.oldest)
        else:
            self._position = position_from(checkpoint, filters)
        self._rows = self._walk()

    @property
    def total(self) -> int | None:
        """Rows that matched when the walk began; None before the first page, and where only the walk can tell."""
        return self._position.total

    @property
    def seen(self) -> int:
        """Rows given so far, those before a checkpoint included."""
        return self._position.seen

    @property
    def checkpoint(self) -> dict[str, Any]:
        """The place after the last row that was given, as a JSON value for `logs.iter(checkpoint=...)`."""
        return self._position.as_json(self._filters)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> WorkflowLog:
        return await anext(self._rows)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the walk: nothing of it stays behind. It cannot go on; a new one can, from its checkpoint."""
        await self._rows.aclose()

    async def _walk(self) -> AsyncGenerator[WorkflowLog]:
        position = self._position
        walk = WindowWalk(position.newest, position.oldest, position.known)
        if not position.ended:
            async with aclosing(self._batches(walk)) as batches:
                async for rows in batches:
                    if position.total is None and self._filters.are_the_servers:
                        position.total = walk.total
                    for row in rows:
                        if walk.is_ordered:
                            position.passed(row)
                        else:
                            position.passed_out_of_order(row, walk.newest)
                        if self._filters.match(row.log):
                            position.seen += 1
                            yield row.log
        position.ended = True

    async def _batches(self, walk: WindowWalk) -> AsyncGenerator[list[Row]]:
        pages = 0
        while (request := walk.next_request()) is not None:
            yield walk.accept(await self._read_page(request))
            pages += 1
            if pages >= PAGES_BEFORE_SPLIT and (ranges := Ranges.of(walk, self._workers)) is not None:
                async with aclosing(self._ranges(ranges, walk)) as batches:
                    async for rows in batches:
                        yield rows
                return

    async def _ranges(self, ranges: Ranges, first: WindowWalk) -> AsyncGenerator[list[Row]]:
        """Several ranges at once, given in their order; each worker reads one at a time."""
        crew = AsyncCrew()
        batches: list[AsyncChannel[list[Row] | None]] = [
            AsyncChannel(crew, ranges.pages * 2) for _ in range(ranges.count)
        ]
        starts: list[AsyncChannel[Start]] = [AsyncChannel(crew, 1) for _ in range(ranges.count + 1)]
        taken = itertools.count()
        given = 0

        def is_near(index: int) -> bool:
            return index < given + self._workers

        async def work() -> None:
            while (index := next(taken)) < ranges.count:
                async with crew.changed:  # a slow consumer must not let the ranges that were read pile up
                    await crew.wait_for(partial(is_near, index))
                await self._read_range(ranges, index, starts, batches[index])

        await starts[0].put(Start(first, []))
        try:
            for _ in range(self._workers):
                crew.start(work)
            for index in range(ranges.count):
                while (rows := await batches[index].get()) is not None:
                    yield rows
                async with crew.changed:
                    given = index + 1
                    crew.changed.notify_all()
        finally:
            await crew.stop()

    async def _read_range(
        self, ranges: Ranges, index: int, starts: list[AsyncChannel[Start]], batches: AsyncChannel[list[Row] | None]
    ) -> None:
        boundary = ranges.boundary(index + 1)
        below = [] if boundary is None else rows_of(await self._read_page(boundary))
        start = await starts[index].get()
        walk, walk_below = start.walk, None
        if walk is not None and (second := ranges.boundary_second(below, walk)) is not None:
            walk_below = WindowWalk(second - 1, walk.oldest)
            walk.narrow(second)
        await starts[index + 1].put(Start(walk_below, below))
        if walk is not None:
            await batches.put(walk.begin_with(start.rows))
            while (request := walk.next_request()) is not None:
                await batches.put(walk.accept(await self._read_page(request)))
        await batches.put(None)

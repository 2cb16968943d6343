"""Following the logs: polls, returns logs and waits; `_logs.follow` decides what is new and how long to wait."""

from __future__ import annotations

import itertools
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from .._errors import DifyError, IncompleteWalkError
from .._http import logging
from .._http.lifetimes import AsyncLifetime
from .._logs.follow import MOST_LOOKUPS, OVERLAP_SECONDS
from .._logs.walk import MOST_REPEATED_WINDOWS, FilterClock, PageRequest, Reply, WindowWalk, page_from, rows_of
from .iterations import AsyncIteration

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping

    from .._http.config import Configuration
    from .._logs.follow import Following, Lookup
    from .._logs.walk import PageRequests, SeenLog
    from ..models import WorkflowLog, WorkflowLogPage


ENDED: Final = "this follow has ended; a new one can continue from its checkpoint"
CHANGES_ENDED: Final = "this iteration ended before its last log; a new one can continue from its checkpoint"


class AsyncLogFollow(AsyncIteration["WorkflowLog"]):
    """An iterator without end over new logs; made by `logs.follow`.

    >>> async with client.logs.follow(since="1h") as logs:
    ...     async for log in logs:
    ...         ...

    It can be iterated without `async with` too; with it, leaving releases everything at once.
    """

    __module__ = "dify_workflow.types"

    _kind = "follow"

    def __init__(
        self,
        read_page: Callable[[PageRequest], Awaitable[WorkflowLogPage]],
        following: Following,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        life: AsyncLifetime | None = None,
        configuration: Configuration | None = None,
    ) -> None:
        del clock  # it may be set at any time, so that nothing may depend on it
        self._following = following
        life = life or AsyncLifetime()
        items = AsyncPolling(read_page, following, monotonic, sleep or life.sleep).logs()
        super().__init__(life, items, configuration=configuration)

    def _state(self) -> Mapping[str, object]:
        return {**self._following.given_filters, "seen": self._following.seen}

    @property
    def time_shift(self) -> int | None:
        """Displayed minus true seconds of the server's times; None before the first page, 0 on an ordinary server.

        It is -18000 where a database session runs in New York time, and `created_at` is then wrong by so much. A shift
        of the logs' times and their runs' alike (Dify on Windows, run from source) is found when a poll shows that.
        """
        return self._following.time_shift

    @property
    def checkpoint(self) -> dict[str, Any]:
        """The position after the last log that was yielded, as a JSON value for `logs.follow(checkpoint=...)`."""
        return self._following.as_json()

    def _end(self) -> Exception:
        # An error or a cancellation may have ended it: a normal end would look as if it had been closed.
        return StopAsyncIteration() if self._life.is_over and not self._life.is_cut else RuntimeError(ENDED)

    async def close(self) -> None:
        """Stop following, from any thread, task or signal handler, and release the connection.

        For a thread or task that waits for the next log, the iteration ends normally. It cannot continue; a new
        follow can, from its checkpoint. With your own `http_client`, the sync client lets a read that is under way
        return first.
        """
        await super().close()


class AsyncLogChanges(AsyncIteration["WorkflowLog"]):
    """An iterator over the logs that are new or have ended since a checkpoint; made by `logs.changes`.

    >>> async with client.logs.changes(checkpoint=saved) as changes:
    ...     async for log in changes:
    ...         ...
    >>> save(changes.checkpoint)

    It can be iterated without `async with` too; with it, leaving early releases everything at once.
    """

    __module__ = "dify_workflow.types"

    _kind = "iteration"

    def __init__(
        self,
        read_page: Callable[[PageRequest], Awaitable[WorkflowLogPage]],
        following: Following,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        life: AsyncLifetime | None = None,
        configuration: Configuration | None = None,
    ) -> None:
        self._following = following
        self._progress = Progress()
        life = life or AsyncLifetime()
        polling = AsyncPolling(read_page, following, monotonic, life.sleep, is_single=True)
        super().__init__(life, noted(polling, self._progress), configuration=configuration)

    def _state(self) -> Mapping[str, object]:
        return {**self._following.given_filters, "seen": self._following.seen}

    @property
    def time_shift(self) -> int | None:
        """Displayed minus true seconds of the server's times; None before the first page, 0 on an ordinary server.

        It is -18000 where a database session runs in New York time, and `created_at` is then wrong by so much.
        """
        return self._following.time_shift

    @property
    def checkpoint(self) -> dict[str, Any]:
        """The position after the last log that was yielded: a JSON value for `logs.changes` and `logs.follow`."""
        return self._following.as_json()

    def _end(self) -> Exception:
        # An error, a cancellation or `close` may have ended it: a normal end would claim that every log was given.
        return StopAsyncIteration() if self._progress.is_complete else RuntimeError(CHANGES_ENDED)

    async def close(self) -> None:
        """End the iteration, from any thread, task or signal handler, and release the connection.

        A thread or task that waits for the next log gets a `RuntimeError`, unless every log was yielded. It cannot
        continue; a new one can, from its checkpoint. With your own `http_client`, the sync client lets a read that is
        under way return first.
        """
        await super().close()


class Progress:
    """Whether all changes were given."""

    __slots__ = ("is_complete",)

    def __init__(self) -> None:
        self.is_complete = False


async def noted(polling: AsyncPolling, progress: Progress) -> AsyncGenerator[WorkflowLog]:
    """The changes, and the note that there are no more."""
    async with aclosing(polling.changes()) as logs:
        async for log in logs:
            yield log
    progress.is_complete = True


class AsyncPolling:
    """Polls the logs, yields what is new, and waits."""

    def __init__(
        self,
        read_page: Callable[[PageRequest], Awaitable[WorkflowLogPage]],
        following: Following,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        *,
        is_single: bool = False,
    ) -> None:
        self._read_page = read_page
        self._following = following
        self._monotonic = monotonic
        self._sleep = sleep
        self._is_single = is_single
        self._is_clock_proven = False

    async def changes(self) -> AsyncGenerator[WorkflowLog]:
        """The logs of one poll. An outage or a contradiction ends it with its error."""
        following = self._following
        if not following.has_begun:
            await self._skip_what_is_there()
            return
        async with aclosing(self._poll()) as found:
            async for row in found:
                if following.take(row, self._monotonic()):
                    yield row.log

    async def logs(self) -> AsyncGenerator[WorkflowLog]:
        """The logs, without end."""
        following = self._following
        while True:
            happened = False
            try:
                if not following.has_begun:
                    await self._skip_what_is_there()
                async with aclosing(self._poll()) as found:
                    async for row in found:
                        happened = True
                        if following.take(row, self._monotonic()):
                            yield row.log
                pause = following.pause(happened=happened)
            except IncompleteWalkError as error:
                pause = following.pause_after_contradiction()
                logging.log_outage("logs.follow", error, pause)
            await self._sleep(pause)

    async def _skip_what_is_there(self) -> None:
        walk = WindowWalk(None, None)
        rows: list[SeenLog] = []
        while (request := walk.next_request()) is not None:
            rows += walk.accept(await self._read(request))
            self._adopt(walk)
            if walk.is_ordered and rows and rows[-1].second < rows[0].second - OVERLAP_SECONDS:
                break
        self._following.skip(rows, newest_of(rows))

    async def _poll(self) -> AsyncGenerator[SeenLog]:
        following = self._following
        async with aclosing(self._news()) as found:
            async for row in found:
                yield row
        for _ in itertools.count() if self._is_single else range(MOST_LOOKUPS):
            lookup = following.lookup_due(self._monotonic())
            if lookup is None:
                break
            rows: list[SeenLog] = []
            for clock in following.clocks_of(lookup):
                rows += await self._rows_of(lookup, clock)
                if not lookup.missing:
                    break
                if self._is_single:
                    await self._find_clock(rows)
            for row in following.ended_of(rows, lookup, self._monotonic()):
                yield row

    async def _begins_elsewhere(self, rows: list[SeenLog], *, again: bool = False) -> bool:
        """Whether logs that should show the newest known one do not, as a window has to begin by another clock."""
        if self._following.shows_the_newest(rows):
            return False
        self._is_clock_proven = self._is_clock_proven and not again
        return await self._find_clock(rows)

    async def _find_clock(self, rows: list[SeenLog]) -> bool:
        """Find out, once, how the filters relate to displayed times; whether windows begin elsewhere by that."""
        following = self._following
        if self._is_clock_proven:
            return False
        self._is_clock_proven = True
        found = await self._resolve(following.search_clock(rows))
        if found is None and (following.is_unproved if self._is_single else following.has_no_start):
            found = await self._resolve(following.search_clock_elsewhere())
        if found is not None:
            self._adopt(WindowWalk(None, None, clock=found))
        return found is not None

    async def _rows_of(self, lookup: Lookup, clock: FilterClock) -> list[SeenLog]:
        """The logs of a window of displayed seconds."""
        before, after = clock.before(lookup.last), clock.after(lookup.first)
        walk = WindowWalk(before, after, clock=FilterClock(clock.shift))
        rows = await self._all(walk)
        self._following.note_shown(rows, lookup, clock, is_exact=not (clock.has_margins or walk.clock.has_margins))
        return rows

    async def _news(self) -> AsyncGenerator[SeenLog]:
        """What is new since the last look, oldest first."""
        following = self._following
        helps_to_part, is_repeated, passes = True, False, 0
        await self._prove([])
        while True:
            passes += 1
            if passes > MOST_REPEATED_WINDOWS:
                raise IncompleteWalkError(
                    "GET /workflows/logs: no window shows the newest known log, which is shown alone",
                    expected=1,
                    seen=0,
                )
            before, start = following.clock, following.window_start
            page = await self._read(PageRequest(None, start))
            rows, walk = rows_of(page), WindowWalk(None, start, clock=following.clock)
            given = walk.accept(page)
            newest, ends = newest_of(rows), following.ends_of_parts(walk.total)
            is_all, is_backlog = walk.next_request() is None, helps_to_part and bool(ends)
            if (is_all or is_backlog) and await self._begins_elsewhere(rows, again=is_all and not self._is_single):
                continue
            if following.is_unchanged(rows, start, walk.total):
                given = rows
            elif is_backlog and newest is not None and not is_all:
                helps_to_part = False
                async with aclosing(self._parts(start, newest, ends)) as found:
                    async for row in found:
                        helps_to_part, passes = True, 0
                        yield row
                self._is_clock_proven = self._is_clock_proven and not helps_to_part  # it was for an older part
                continue
            else:
                given += await self._all(walk)
                is_early = following.goes_back(walk.clock) or following.shows_the_newest(given)
                if not is_early and self._adopt(walk) and not is_repeated:
                    is_repeated = True  # the window began by another clock
                    continue
                if await self._begins_elsewhere(given):
                    continue
                following.saw_all(start, walk.total, is_short=walk.is_short)
            async with aclosing(self._news_of(given, walk, start, before)) as found:
                async for row in found:
                    yield row
            following.gave_all(given, is_short=walk.is_short)
            await self._prove(given)
            return

    async def _news_of(
        self, rows: list[SeenLog], walk: WindowWalk, start: int | None, before: FilterClock
    ) -> AsyncGenerator[SeenLog]:
        """What is new among all logs of a window, and the change of the clock that they show."""
        following = self._following
        # The greater shift is the one that misses nothing, should the consumer stop among these logs.
        is_back = following.goes_back(walk.clock)
        if not is_back:
            self._adopt(walk)
        for row in following.news_of(
            rows, self._monotonic(), is_sorted=walk.is_ordered, start=start, is_contradiction=walk.obeys_after
        ):
            yield row
        if walk.is_ordered:
            if is_back:
                self._adopt(walk)
            self._set_back(rows, before)
            await self._step_back(rows)

    async def _prove(self, rows: list[SeenLog]) -> None:
        """Prove the clock by the newest known log where the times of runs contradict it."""
        if self._following.needs_proof:
            found = await self._resolve(self._following.search_clock(rows))
            if found is not None:
                self._adopt(WindowWalk(None, None, clock=found))

    async def _step_back(self, rows: list[SeenLog]) -> None:
        """Continue by another clock where the logs of a poll show that displayed times went back."""
        before = self._following.clock
        found = await self._resolve(self._following.search_step_back(rows))
        if found is not None:
            self._adopt(WindowWalk(None, None, clock=found))
            self._set_back(rows, before)

    def _set_back(self, rows: list[SeenLog], before: FilterClock) -> None:
        if self._following.clock != before:
            self._following.set_back(rows, before)

    async def _parts(self, start: int | None, newest: int, ends: Iterable[int]) -> AsyncGenerator[SeenLog]:
        """A backlog in parts, the oldest first, so that it is never held as a whole.

        The newest part is left to the next round, which begins a little before the newest log that was given then: what
        appears late until then is late by less than that.
        """
        following = self._following
        last, expected = start, None  # where the part before began, and the logs that there are from `start` on
        clock = following.clock
        for rank in ends:
            boundary = Reply.of(await self._read(page_from(rank, clock.before(newest), start)))
            if expected is not None and boundary.total is not None and boundary.total < expected:
                # Logs were deleted, or bounds leave out their own second: it is read with the next part.
                clock, start = clock.with_margins(), last
                boundary = Reply.of(await self._read(page_from(rank, clock.before(newest), start)))
            if not boundary.rows:
                return  # logs were deleted
            second = boundary.rows[0].second
            walk = WindowWalk(clock.before(second), start, clock=clock)
            is_beyond = last != start
            for row in following.news_of(await self._all(walk), self._monotonic(), is_beyond=is_beyond):
                yield row
            is_counted = boundary.total is not None and walk.total is not None
            expected = (boundary.total or 0) - (walk.total or 0) if is_counted else None
            last = start
            start = clock.after(second + 1) if start is None else max(clock.after(second + 1), start)

    async def _all(self, walk: WindowWalk) -> list[SeenLog]:
        rows: list[SeenLog] = []
        while (request := walk.next_request()) is not None:
            rows += walk.accept(await self._read(request))
        return rows

    def _adopt(self, walk: WindowWalk) -> bool:
        """Take over the clock that a walk has found; whether it is another one."""
        before = self._following.clock
        if self._following.adopt(walk.clock, walk.estimate):
            logging.log_time_shift("logs.follow", self._following.time_shift or 0)
        return walk.clock != before

    async def _resolve(self, requests: PageRequests[FilterClock | None]) -> FilterClock | None:
        """What is found out by the requests of a search."""
        try:
            request = next(requests)
            while True:
                request = requests.send(Reply.of(await self._read(request)))
        except StopIteration as end:
            found: FilterClock | None = end.value
            return found

    async def _read(self, request: PageRequest) -> WorkflowLogPage:
        """A page; an outage is waited out here, so that it costs none of the pages that were read before."""
        if self._is_single:
            return await self._read_page(request)
        while True:
            try:
                page = await self._read_page(request)
            except DifyError as error:
                pause = self._following.pause_in_outage(error)
                if pause is None:
                    raise
                logging.log_outage("logs.follow", error, pause)
            else:
                self._following.note_response()
                return page
            await self._sleep(pause)


def newest_of(rows: list[SeenLog]) -> int | None:
    """The latest second of logs that have one."""
    return max((row.second for row in rows if row.is_timed), default=None)

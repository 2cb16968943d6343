"""Following the logs: it looks, gives and waits; what is new and how long to wait is decided in `_following`."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from .. import _logging
from .._errors import DifyError, IncompleteWalkError
from .._following import MOST_LOOK_UPS, OVERLAP_SECONDS
from .._lifetimes import Lifetime
from .._walks import LARGEST_PAGE, MOST_PAGES, PageRequest, Reply, WindowWalk, rows_of
from .iterations import Iteration

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from .._following import Following
    from .._walks import FilterClock, Inquiry, Row
    from ..models import WorkflowLog, WorkflowLogPage


ENDED: Final = "this follow has ended; a new one can go on from its checkpoint"


class LogFollow(Iteration["WorkflowLog"]):
    """An iterator without end over new rows of the logs; made by `logs.follow`.

    >>> with client.logs.follow(since="1h") as rows:
    ...     for log in rows:
    ...         ...

    It can be iterated without `with` too; with it, leaving leaves nothing behind.
    """

    _kind = "follow"

    def __init__(
        self,
        read_page: Callable[[PageRequest], WorkflowLogPage],
        following: Following,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
        life: Lifetime | None = None,
    ) -> None:
        del clock  # it may be set at any time, so that nothing may depend on it
        self._following = following
        life = life or Lifetime()
        super().__init__(life, Looks(read_page, following, monotonic, sleep or life.sleep).logs())

    @property
    def time_shift(self) -> int | None:
        """Displayed minus true seconds of the server's times; None before the first page, 0 on an ordinary server.

        It is -18000 where a database session runs in New York time, and `created_at` is then wrong by so much. A shift
        of the logs' times and their runs' alike (Dify on Windows, run from source) is found when a poll shows that.
        """
        return self._following.time_shift

    @property
    def checkpoint(self) -> dict[str, Any]:
        """The place after the last row that was given, as a JSON value for `logs.follow(checkpoint=...)`."""
        return self._following.as_json()

    def _end(self) -> Exception:
        # An error or a cancellation may have ended it: a normal end would look as if it had been closed.
        return StopIteration() if self._life.is_over else RuntimeError(ENDED)

    def close(self) -> None:
        """Stop following, from any thread, task or signal handler: nothing of it stays behind.

        A thread or task that waits for the next log is let go: the iteration ends normally. It cannot go on; a new
        follow can, from its checkpoint. With your own `http_client`, the sync half lets a read that is under way
        return first.
        """
        super().close()


class Looks:
    """What looks at the logs, gives what is new, and waits."""

    def __init__(
        self,
        read_page: Callable[[PageRequest], WorkflowLogPage],
        following: Following,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._read_page = read_page
        self._following = following
        self._monotonic = monotonic
        self._sleep = sleep

    def logs(self) -> Generator[WorkflowLog]:
        """The rows, without end."""
        following = self._following
        while True:
            happened = False
            try:
                if not following.has_begun:
                    self._skip_what_is_there()
                with closing(self._look()) as found:
                    for row in found:
                        happened = True
                        if following.take(row, self._monotonic()):
                            yield row.log
                pause = following.pause(happened=happened)
            except IncompleteWalkError as error:
                pause = following.pause_after_contradiction()
                _logging.log_outage("logs.follow", error, pause)
            self._sleep(pause)

    def _skip_what_is_there(self) -> None:
        walk = WindowWalk(None, None)
        rows: list[Row] = []
        while (request := walk.next_request()) is not None:
            rows += walk.accept(self._read(request))
            self._adopt(walk)
            if walk.is_ordered and rows and rows[-1].second < rows[0].second - OVERLAP_SECONDS:
                break
        self._following.skip(rows, newest_of(rows))

    def _look(self) -> Generator[Row]:
        following = self._following
        with closing(self._news()) as found:
            for row in found:
                yield row
        for _ in range(MOST_LOOK_UPS):
            window = following.window_due(self._monotonic())
            if window is None:
                break
            rows = self._rows_of(window, following.clock)
            if not following.is_whole(rows, window):
                for step in (3600, -3600):  # logs of before a zone's change of its offset
                    rows += self._rows_of(window, replace(following.clock, shift=following.clock.shift + step))
            for row in following.ended_of(rows, window, self._monotonic()):
                yield row

    def _rows_of(self, window: tuple[int, int], clock: FilterClock) -> list[Row]:
        """The rows of a window of displayed seconds."""
        first, last = window
        return self._all(WindowWalk(clock.before(last), clock.after(first), clock=clock))

    def _news(self) -> Generator[Row]:
        """What is new since the last look, oldest first."""
        following = self._following
        helps_to_part = True
        while True:
            start = following.window_start
            page = self._read(PageRequest(None, start))
            rows, walk = rows_of(page), WindowWalk(None, start, clock=following.clock)
            given = walk.accept(page)
            newest, ends = newest_of(rows), following.ends_of_parts(walk.total)
            if walk.next_request() is None and not following.shows_the_newest(rows):
                clock = self._answer(following.search_clock(rows))
                if clock is not None:
                    self._adopt(WindowWalk(None, None, clock=clock))
                    continue
            if following.is_unchanged(rows, start, walk.total):
                given = rows
            elif helps_to_part and ends and newest is not None and walk.next_request() is not None:
                helps_to_part = False
                with closing(self._parts(start, newest, ends)) as found:
                    for row in found:
                        helps_to_part = True
                        yield row
                continue
            else:
                given += self._all(walk)
                following.saw_all(start, walk.total)
            if self._adopt(walk):
                following.set_back(given)
            for row in following.news_of(given, self._monotonic()):
                yield row
            return

    def _parts(self, start: int | None, newest: int, ends: Iterable[int]) -> Generator[Row]:
        """A backlog in parts, the oldest first, so that it is never held as a whole.

        The newest part is left to the next round, which begins a little before the newest row that was given then: what
        appears late meanwhile is late by less than that.
        """
        for rank in ends:
            clock = self._following.clock
            boundary = rows_of(self._read(page_from(rank, clock.before(newest), start)))
            if not boundary:
                return  # rows were deleted
            second = boundary[0].second
            rows = self._all(WindowWalk(clock.before(second), start, clock=clock))
            for row in self._following.news_of(rows, self._monotonic()):
                yield row
            start = clock.after(second + 1) if start is None else max(clock.after(second + 1), start)

    def _all(self, walk: WindowWalk) -> list[Row]:
        rows: list[Row] = []
        while (request := walk.next_request()) is not None:
            rows += walk.accept(self._read(request))
        return rows

    def _adopt(self, walk: WindowWalk) -> bool:
        """Take over the clock that a walk has found; whether it is another one."""
        before = self._following.clock
        if self._following.adopt(walk.clock, walk.estimate):
            _logging.log_time_shift("logs.follow", self._following.time_shift or 0)
        return walk.clock != before

    def _answer(self, inquiry: Inquiry[FilterClock | None]) -> FilterClock | None:
        """What an inquiry finds out from the pages that it asks for."""
        try:
            request = next(inquiry)
            while True:
                request = inquiry.send(Reply.of(self._read(request)))
        except StopIteration as end:
            found: FilterClock | None = end.value
            return found

    def _read(self, request: PageRequest) -> WorkflowLogPage:
        """A page; an outage is waited out here, so that it costs none of the pages that were read before."""
        while True:
            try:
                page = self._read_page(request)
            except DifyError as error:
                pause = self._following.pause_in_outage(error)
                if pause is None:
                    raise
                _logging.log_outage("logs.follow", error, pause)
            else:
                self._following.answered()
                return page
            self._sleep(pause)


def newest_of(rows: list[Row]) -> int | None:
    """The latest second of rows that have one."""
    return max((row.second for row in rows if row.is_timed), default=None)


def page_from(rank: int, newest: int, oldest: int | None) -> PageRequest:
    """The page that begins with the row of this rank, counted from the newest, or a little before."""
    limit = 1 if rank < MOST_PAGES else LARGEST_PAGE
    return PageRequest(newest, oldest, min(rank // limit + 1, MOST_PAGES), limit)

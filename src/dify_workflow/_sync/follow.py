"""Following the logs: it looks, gives and waits; what is new and how long to wait is decided in `_following`."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self

from .. import _logging
from .._errors import DifyError
from .._following import AT_ONCE, OVERLAP_SECONDS, Following
from .._walks import MOST_PAGES, PageRequest, WindowWalk, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from .._filters import LogFilters
    from .._walks import Row
    from ..models import WorkflowLog, WorkflowLogPage


class LogFollow:
    """An iterator without end over new rows of the logs; made by `logs.follow`.

    >>> with client.logs.follow(since="1h") as rows:
    ...     for log in rows:
    ...         ...

    It can be iterated without `with` too; with it, leaving leaves nothing behind.
    """

    def __init__(
        self,
        read_page: Callable[[PageRequest], WorkflowLogPage],
        filters: LogFilters,
        following: Following,
    ) -> None:
        self._read_page = read_page
        self._filters = filters
        self._following = following
        self._rows = self._follow()

    @property
    def checkpoint(self) -> dict[str, Any]:
        """The place after the last row that was given, as a JSON value for `logs.follow(checkpoint=...)`."""
        return self._following.as_json(self._filters)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> WorkflowLog:
        return next(self._rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop following. It cannot go on; a new one can, from its checkpoint."""
        self._rows.close()

    def _follow(self) -> Generator[WorkflowLog]:
        following = self._following
        while True:
            happened = False
            try:
                if not following.has_begun:
                    self._skip_what_is_there()
                with closing(self._look()) as found:
                    for row in found:
                        happened = True
                        following.gave(row, time.time())
                        if self._filters.match(row.log):
                            yield row.log
                pause = following.pause(happened=happened)
            except DifyError as error:
                longer = following.pause_after(error)
                if longer is None:
                    raise
                pause = longer
                _logging.log_outage(error, pause)
            time.sleep(pause)

    def _skip_what_is_there(self) -> None:
        newest = rows_of(self._read_page(PageRequest(None, None, limit=1)))
        second = newest[0].second if newest else None
        rows = [] if second is None else self._all(WindowWalk(second, second - OVERLAP_SECONDS))
        self._following.skip(rows, second)

    def _look(self) -> Generator[Row]:
        with closing(self._new()) as found:
            for row in found:
                yield row
        for window in self._following.windows_due(time.time()):
            rows = self._all(WindowWalk(window[1], window[0]))
            for row in self._following.ended_of(rows, window, time.time()):
                yield row

    def _new(self) -> Generator[Row]:
        """What was not given yet, oldest first; a backlog in parts, so that it is never held as a whole."""
        oldest = self._following.window_start
        while True:
            walk = WindowWalk(None, oldest)
            page = self._read_page(PageRequest(None, oldest))
            rows = walk.accept(page)
            behind = page.total - AT_ONCE
            is_part = walk.next_request() is not None and behind > 0 and walk.pinned is not None
            if is_part:
                oldest_part = self._read_page(_by_rank(behind, walk.pinned, oldest))
                second = rows_of(oldest_part)[0].second if oldest_part.data else walk.pinned
                rows = self._all(WindowWalk(second, oldest))
            else:
                second = None
                rows += self._all(walk)
            for row in self._following.new_of(rows):
                yield row
            if second is None:
                return
            oldest = second + 1

    def _all(self, walk: WindowWalk) -> list[Row]:
        rows: list[Row] = []
        while (request := walk.next_request()) is not None:
            rows += walk.accept(self._read_page(request))
        return rows


def _by_rank(rank: int, newest: int | None, oldest: int | None) -> PageRequest:
    """The page that begins with the row of this rank, counted from the newest, or a little before."""
    limit = 1 if rank < MOST_PAGES else 100
    return PageRequest(newest, oldest, min(rank // limit + 1, MOST_PAGES), limit)

"""How a walk over the logs reads every row: which page to ask for next, and what a page proves.

Decisions only: nothing here sends. The server (Dify 1.11) sorts by a creation time of whole seconds without a
tie-breaker, so that paging by number loses rows; but the time filters are inclusive and exact. Therefore:

- A walk asks for the first page of a window `[.., before]`. The page is newest first, so that every row newer than the
  page's oldest second is in it. That second may be cut, so it becomes the next window's `before` and is read again,
  whole; rows that were there already are known by their ids.
- Where one second fills a page, that second is read alone (`before` = `after`) in sweeps of pages, each sweep with
  another size and so in another order, until as many distinct ids were seen as the window has rows.
- The newest second of the first page pins the start by the server's own clock: no later window reaches beyond it.
- A server that ignores the time filters, or does not sort, gives itself away by what it sends; then the sweeps are made
  over everything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Final

from ._errors import IncompleteWalkError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .models import WorkflowLog, WorkflowLogPage

LARGEST_PAGE: Final = 100
MOST_PAGES: Final = 99_999
SIZES: Final = tuple(range(LARGEST_PAGE, 50, -1))
"""Sizes of the pages of one sweep after another; an order once seen teaches nothing when it is seen again."""
STALE_SWEEPS: Final = 8
"""So many sweeps in a row that find nothing new, and the walk gives up on a window."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page to ask for; times are epoch seconds, inclusive, and None is no bound."""

    before: int | None
    after: int | None
    page: int = 1
    limit: int = LARGEST_PAGE


@dataclass(frozen=True, slots=True)
class Row:
    """A row with the second that it belongs to, and what tells it from every other row."""

    log: WorkflowLog
    second: int
    identity: str


class WindowWalk:
    """Reads the rows from `newest` down to `oldest`, each once.

    Ask for what `next_request` names, hand the page to `accept`, until there is no next request.

    Args:
        newest: latest second to read, inclusive; None begins at the newest row that there is.
        oldest: earliest second to read, inclusive; None reads to the end.
        known: ids of rows of the second `newest` that are not to be given again.
    """

    def __init__(self, newest: int | None, oldest: int | None, known: Iterable[str] = ()) -> None:
        self.newest = newest
        self.oldest = oldest
        self.pinned = newest
        """The latest second of the walk: that of the newest row where none was asked for."""
        self.total: int | None = None
        """Rows in the window when the walk began, by the server's word; None before the first page."""
        self.seen = 0
        """Rows given so far."""
        self._known: set[str] = set(known)  # of the second `newest`, which is read anew with each window
        self._sweeps: _Sweeps | None = None
        self._ended = False

    @property
    def is_ordered(self) -> bool:
        """Whether the rows come newest first; not where the server ignores the time filters, or does not sort."""
        return self._sweeps is None or self._sweeps.second is not None

    @property
    def can_be_split(self) -> bool:
        """Whether the rest may be read in several ranges at once: the server sorts, and no second is half read."""
        return not self._ended and self._sweeps is None and self.newest is not None

    def narrow(self, oldest: int | None) -> None:
        """Read down to this second and no further."""
        self.oldest = oldest

    def begin_with(self, rows: list[Row]) -> list[Row]:
        """Take over a page that was read by its number and reaches into this window from above.

        Such a page is sorted, so that what lies between its first and its last second is whole.
        """
        inside = [row for row in rows if self.newest is None or row.second <= self.newest]
        if not inside:
            return []
        given = self._give(inside)
        self.newest = inside[-1].second
        self._known = {row.identity for row in inside if row.second == self.newest}
        return given

    def next_request(self) -> PageRequest | None:
        """The page to ask for next; None when every row was given."""
        if self._ended or (self.newest is not None and self.oldest is not None and self.newest < self.oldest):
            return None
        if self._sweeps is not None:
            return self._sweeps.next_request()
        return PageRequest(self.newest, self.oldest)

    def accept(self, page: WorkflowLogPage) -> list[Row]:
        """The rows of a page that were not given before, newest first.

        Raises:
            IncompleteWalkError: the server contradicts itself, so that nothing proves that all rows were seen.
        """
        if self.total is None:
            self.total = page.total
        rows = rows_of(page)
        if self._sweeps is not None:
            return self._accept_sweep(self._sweeps, rows, page)
        if not rows:
            return self._accept_nothing(page)
        if self.newest is None:
            self.newest = self.pinned = rows[0].second
        if rows[0].second > self.newest or not is_sorted(rows):
            return self._distrust(rows, page)
        return self._accept_window(rows, page)

    def _accept_nothing(self, page: WorkflowLogPage) -> list[Row]:
        if page.total:
            raise self._incomplete(page.total, 0, "the server counts rows in a window that it shows empty")
        self._ended = True
        return []

    def _accept_window(self, rows: list[Row], page: WorkflowLogPage) -> list[Row]:
        given = self._give(rows)
        last = rows[-1].second
        if (len(rows) < LARGEST_PAGE and page.total == len(rows)) or (self.oldest is not None and last < self.oldest):
            self._ended = True
        elif rows[0].second == last:
            # The second may have more rows than a page; it is also where a page that is shorter than `total` says
            # (a proxy may cap it) shows whether there is more.
            self._sweeps = _Sweeps(last, last, last)
            self._known = {row.identity for row in rows} | (self._known if last == self.newest else set())
            self.newest = last
        else:
            self._known = {row.identity for row in rows if row.second == last}
            self.newest = last
        return given

    def _accept_sweep(self, sweeps: _Sweeps, rows: list[Row], page: WorkflowLogPage) -> list[Row]:
        given = self._give(rows)
        self._known.update(row.identity for row in given)
        if sweeps.completed_by(rows, page):
            self._sweeps = None
            self._ended = sweeps.second is None
            if sweeps.second is not None:
                self.newest, self._known = sweeps.second - 1, set()
        elif sweeps.is_stale:
            raise self._incomplete(
                page.total, len(sweeps.counted), f"{STALE_SWEEPS} more sweeps showed no other row of this window"
            )
        return given

    def _distrust(self, rows: list[Row], page: WorkflowLogPage) -> list[Row]:
        # The server ignores `created_at__before`, or does not sort. If this is all there is, it is all there is.
        given = sorted(self._give(rows), key=lambda row: -row.second)
        if len(rows) < LARGEST_PAGE and page.total == len(rows):
            self._ended = True
        else:
            self._sweeps = _Sweeps(self.newest, self.oldest, None)
            self._known.update(row.identity for row in given)
        return given

    def _give(self, rows: list[Row]) -> list[Row]:
        newest, oldest = self.newest, self.oldest
        given = [
            row
            for row in rows
            if (newest is None or row.second <= newest)
            and (oldest is None or row.second >= oldest)
            and row.identity not in self._known
        ]
        self.seen += len(given)
        return given

    def _incomplete(self, expected: int, seen: int, reason: str) -> IncompleteWalkError:
        window = f"from {self.oldest} to {self.newest} (epoch seconds; None: no bound)"
        return IncompleteWalkError(
            f"GET /workflows/logs: {seen} of {expected} rows seen {window}: {reason}", expected=expected, seen=seen
        )


@dataclass(frozen=True, slots=True)
class Ranges:
    """How a walk is split into ranges of seconds, which are read at once and do not overlap.

    Where a range begins is found by asking for a page by its number. That the number is not exact does no harm: what
    counts is the second of the page's first row, which is the oldest second of the range above. The page itself is the
    first page of the range below.

    Attributes:
        newest: latest second of the whole walk.
        oldest: earliest second of the whole walk; None is no bound.
        count: how many ranges there are, the one that is being read included.
        pages: pages of `STEP` rows in each.
        passed: ranges that are behind already.
    """

    STEP: ClassVar[int] = 96
    """Rows of a page that is asked for by its number: a few less than fit, as windows overlap by a few rows."""

    newest: int
    oldest: int | None
    count: int
    pages: int
    passed: int

    @classmethod
    def of(cls, walk: WindowWalk, workers: int) -> Ranges | None:
        """The ranges for the rest of a walk; None where splitting is of no use, or not possible."""
        if workers == 1 or walk.pinned is None or not walk.can_be_split:
            return None
        total = min(walk.total or 0, MOST_PAGES * cls.STEP)
        pages = max(3, min(10, total // (cls.STEP * workers * 4)))
        passed = walk.seen // (cls.STEP * pages)
        count = -(-total // (cls.STEP * pages)) - passed
        return cls(walk.pinned, walk.oldest, count, pages, passed) if count > 1 else None

    def boundary(self, index: int) -> PageRequest | None:
        """The page with which a range begins; None where there is no such range."""
        if index >= self.count:
            return None
        return PageRequest(self.newest, self.oldest, 1 + (self.passed + index) * self.pages, self.STEP)

    def boundary_second(self, rows: list[Row], above: WindowWalk) -> int | None:
        """The second down to which the range above a page is to be read; None when the page is empty.

        Raises:
            IncompleteWalkError: the page is not sorted, though others were.
        """
        if not rows:
            return None
        if rows[0].second > self.newest or not is_sorted(rows):
            raise IncompleteWalkError(
                "GET /workflows/logs: the server sorts some pages and not others", expected=len(rows), seen=0
            )
        # Rows that were deleted meanwhile can have shifted a later page above an earlier one.
        return rows[0].second if above.newest is None else min(rows[0].second, above.newest)


class _Sweeps:
    """Reads one window page by page, again and again in other orders, until every id was seen.

    Args:
        before: latest second of the window.
        after: earliest second of the window.
        second: the crowded second that the window is; None when it is everything there is.
    """

    def __init__(self, before: int | None, after: int | None, second: int | None) -> None:
        self.second = second
        self.counted: set[str] = set()
        """Ids seen while the window's total was what it is now: after a deletion, earlier ids prove nothing."""
        self._before, self._after = before, after
        self._total: int | None = None
        self._reached_end = False
        self._sweep, self._page = 0, 1
        self._stale = 0
        self._found = False

    @property
    def is_stale(self) -> bool:
        """Whether further sweeps promise nothing."""
        return self._stale >= STALE_SWEEPS or self._sweep >= len(SIZES)

    def next_request(self) -> PageRequest:
        """The next page of the sweep, or the first one of the next sweep."""
        return PageRequest(self._before, self._after, self._page, SIZES[self._sweep])

    def completed_by(self, rows: list[Row], page: WorkflowLogPage) -> bool:
        """Count the rows of the page that was asked for; whether this completes the window."""
        if page.total != self._total:
            self._total, self.counted, self._reached_end = page.total, set(), False
            self._stale = 0
        before = len(self.counted)
        self.counted.update(row.identity for row in rows)
        self._found = self._found or len(self.counted) > before
        size = SIZES[self._sweep]
        # A proxy may cap the pages: then they are all short, and the end is where one is empty, or the count is full.
        ends = not rows or (len(rows) < size and self._page * size >= page.total) or self._page >= MOST_PAGES
        self._reached_end = self._reached_end or ends
        if self._reached_end and len(self.counted) >= page.total:
            return True
        if ends:
            self._stale = 0 if self._found else self._stale + 1
            self._sweep, self._page, self._found = self._sweep + 1, 1, False
        else:
            self._page += 1
        return False


def is_sorted(rows: list[Row]) -> bool:
    """Whether rows come newest first."""
    return all(row.second >= older.second for row, older in pairwise(rows))


def rows_of(page: WorkflowLogPage) -> list[Row]:
    """The rows of a page, each with its second and its identity.

    A row without a usable time is taken to be of the same second as its neighbour, and a row without an id is told
    apart by all that it holds: an odd row must cost neither itself nor the others.
    """
    logs = list(page.data)
    seconds = [_second(log) for log in logs]
    usable = next((second for second in seconds if second is not None), 0)
    rows: list[Row] = []
    for log, second in zip(logs, seconds, strict=True):
        usable = usable if second is None else second
        rows.append(Row(log, usable, _identity(log)))
    return rows


def _second(log: WorkflowLog) -> int | None:
    second: object = getattr(log, "created_at", None)
    return second if isinstance(second, int) and not isinstance(second, bool) else None


def _identity(log: WorkflowLog) -> str:
    identity: object = getattr(log, "id", None)
    if isinstance(identity, str):
        return identity
    return json.dumps(log.to_dict() if hasattr(log, "to_dict") else log, sort_keys=True)

"""How a walk over the logs reads every row: which page to ask for next, and what a page proves.

Decisions only: nothing here sends. The server (Dify 1.11) sorts by a creation time of whole seconds without a
tie-breaker, so that paging by number loses rows; but the time filters are inclusive and exact. Therefore:

- A walk asks for the first page of a window `[.., before]`. The page is newest first, so that every row newer than the
  page's oldest second is in it. That second may be cut, so it becomes the next window's `before` and is read again,
  whole; rows that were there already are known by their ids.
- Where one second fills a page, that second is read alone (`before` = `after`) in sweeps of pages, each sweep with
  another size and so in another order, until the rows that are known to have been there at one moment are as many as
  the server counted then.
- The newest second of the first page pins the start by the server's own clock: no later window reaches beyond it.
- A server that ignores the time filters, or does not sort, gives itself away by what it sends; then the sweeps are made
  over everything, in no order, and the ids of all rows are kept.

As many rows can be deleted from a window that is swept as arrive in it, between two of its pages, and its total does
not tell. So wherever rows may still arrive (in seconds near the newest row, where totals were seen to grow, or where
everything is swept) a row counts only where it was seen before and after a moment. As soon as such rows are as many as
the server counted at that moment, they are all that there was.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Final

from ._errors import IncompleteWalkError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .models import WorkflowLog, WorkflowLogPage

LARGEST_PAGE: Final = 100
MOST_PAGES: Final = 99_999
SECONDS: Final = range(-62_135_596_800 + 1, 253_402_300_800)
"""The epoch seconds of the years 1 to 9999; what is outside, such as milliseconds, is no time that can be sent."""
PATIENCE_WITH_A_SECOND: Final = 20
PATIENCE_WITH_EVERYTHING: Final = 12
"""So many sweeps in a row that find nothing new, and the walk gives up on a window. Where the order is pure chance, a
sweep misses a row with a chance of 1 in 2.7 at most."""
MOST_SWEEPS: Final = 60
MOST_REPEATS: Final = 3
"""Pages in a row that show nothing but what the same sweep showed before: the server does not turn pages."""
LATENESS: Final = 120
"""Seconds, by the server's clock, for which a row may appear after its own time; a database does so while a transaction
is open. In older seconds rows only vanish."""
MOST_EMPTY_ANSWERS: Final = 3
"""Times that a window may be shown empty though its rows are counted: they are counted a moment before."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page to ask for; times are epoch seconds, inclusive, and None is no bound."""

    before: int | None
    after: int | None
    page: int = 1
    limit: int = LARGEST_PAGE


@dataclass(frozen=True, slots=True)
class Row:
    """A row with the second that it belongs to, and what tells it from every other row.

    Attributes:
        is_timed: whether the second is the row's own, not that of its neighbour.
    """

    log: WorkflowLog
    second: int
    identity: str
    is_timed: bool


class WindowWalk:
    """Reads the rows from `newest` down to `oldest`, each once.

    Ask for what `next_request` names, hand the page to `accept`, until there is no next request.

    Args:
        newest: latest second to read, inclusive; None begins at the newest row that there is.
        oldest: earliest second to read, inclusive; None reads to the end.
        known: ids of rows of the second `newest` that are not to be given again.
        strays: ids of rows of any second that are not to be given again.
        latest: second of the newest row of the whole walk, where this is the rest of one.

    Attributes:
        pinned: the latest second of the walk: that of the newest row where none was asked for.
        total: rows in the window when the walk began, by the server's word; None before the first page.
        seen: rows given so far.
        is_ordered: whether the rows come newest first; not where the server ignores the time filters, or does not sort.
        is_part: whether other walks read the rest, so that this one cannot go on in no order.
    """

    def __init__(
        self,
        newest: int | None,
        oldest: int | None,
        *,
        known: Iterable[str] = (),
        strays: Iterable[str] = (),
        latest: int | None = None,
    ) -> None:
        self.newest = newest
        self.oldest = oldest
        self.pinned = newest
        self.total: int | None = None
        self.seen = 0
        self.is_ordered = True
        self.is_part = False
        self._known: set[str] = set(known)  # of the second `newest`, which is read anew with each window
        self._strays: set[str] = set(strays)  # also those without a time: they may come again at any second
        self._sweeps: _Sweeps | None = None
        self._doubt: _Doubt | None = None
        self._descends = False  # whether a page showed two seconds, the newer one first
        self._changes = False  # whether rows came or went behind the start since the walk began
        self._latest = latest
        self._rest: int | None = None  # rows of the next window, should none come or go
        self._empty_answers = 0
        self._begun = False
        self._ended = False

    @property
    def can_be_split(self) -> bool:
        """Whether the rest may be read in several ranges at once: the server sorts, and no second is half read."""
        return not self._ended and self._descends and self._sweeps is None and self._doubt is None

    def narrow(self, oldest: int | None) -> None:
        """Read down to this second and no further."""
        self.oldest = oldest

    def below(self, newest: int) -> WindowWalk:
        """The part of this walk that begins at an older second."""
        part = WindowWalk(newest, self.oldest, strays=self._strays, latest=self._latest)
        part.is_part = self.is_part
        part._descends, part._changes = self._descends, self._changes
        return part

    def begin_with(self, rows: list[Row]) -> list[Row]:
        """Take over a page that was read by its number and reaches into this window from above.

        Such a page is sorted, so that what lies between its first and its last second is whole.
        """
        inside = [row for row in rows if self.newest is None or row.second <= self.newest]
        if not inside or not all(row.is_timed for row in rows):
            return []  # a row without a time may belong to the range above
        given = self._give(inside)
        self._move_to(inside[-1].second, inside)
        return given

    def next_request(self) -> PageRequest | None:
        """The page to ask for next; None when every row was given."""
        if self._ended or (self.newest is not None and self.oldest is not None and self.newest < self.oldest):
            return None
        if self._doubt is not None:
            return PageRequest(self.newest, self.oldest if self._doubt.is_asked_again else self._doubt.second + 1)
        if self._sweeps is not None:
            return self._sweeps.next_request()
        return PageRequest(self.newest, self.oldest)

    def accept(self, page: WorkflowLogPage) -> list[Row]:
        """The rows of a page that were not given before, newest first.

        Raises:
            IncompleteWalkError: the server contradicts itself, so that nothing proves that all rows were seen.
        """
        rows, total = rows_of(page), _count(page)
        if not self._begun:
            self._begun, self.total = True, total
        if self._doubt is not None:
            return self._settle(self._doubt, rows)
        if self._sweeps is not None:
            return self._accept_sweep(self._sweeps, rows, total)
        if not rows:
            return self._accept_nothing(total)
        self._empty_answers = 0
        # A page that is shorter than asked for is the last one, unless a proxy caps the pages.
        is_all = len(rows) < LARGEST_PAGE and len(rows) == total and page.has_more is not True
        if not self._is_in_order(rows):
            return self._distrust(rows, is_all)
        self._changes = self._changes or (self._rest is not None and total != self._rest)
        self._rest = total
        return self._accept_window(rows, is_all)

    # Windows ----------------------------------------------------------------------------------------------------

    def _is_in_order(self, rows: list[Row]) -> bool:
        seconds = [row.second for row in rows if row.is_timed]
        if not seconds or not is_sorted(rows) or (self.newest is not None and seconds[0] > self.newest):
            return False
        # Where `created_at__after` is ignored, a row without a time cannot be told to be on this side of it.
        return len(seconds) == len(rows) or self.oldest is None or seconds[-1] >= self.oldest

    def _accept_nothing(self, total: int | None) -> list[Row]:
        if total:
            self._empty_answers += 1
            if self._empty_answers >= MOST_EMPTY_ANSWERS:
                raise self._incomplete(total, 0, "the server counts rows in a window that it shows empty")
        else:
            self._ended = True
        return []

    def _accept_window(self, rows: list[Row], is_all: bool) -> list[Row]:
        first, last = rows[0].second, rows[-1].second
        if is_all or (self.oldest is not None and last < self.oldest):
            self._ended = True
            return self._give(rows)
        if first > last:
            self._descends = True
        elif self._descends or last == self.newest:
            return self._read_alone(rows)
        else:
            self._doubt = _Doubt(rows)
            return []
        given = self._give(rows)
        self._move_to(last, rows)
        if self._rest is not None:
            self._rest -= sum(row.second > last for row in rows)
        return given

    def _move_to(self, second: int, rows: list[Row]) -> None:
        known = {row.identity for row in rows if row.second == second}
        self._known = known | self._known if second == self.newest else known
        self.newest = second
        if self.pinned is None:
            self.pinned = rows[0].second
        if self._latest is None:
            self._latest = rows[0].second

    def _read_alone(self, rows: list[Row]) -> list[Row]:
        # The second may have more rows than a page; it is also where a page that is shorter than `total` says (a proxy
        # may cap it) shows whether there is more.
        given = self._give(rows)
        second = rows[-1].second
        self._move_to(second, rows)
        rows_may_arrive = self._changes or second >= (self._latest or second) - LATENESS
        self._sweeps = _Sweeps(second, second, rows_may_arrive=rows_may_arrive, patience=PATIENCE_WITH_A_SECOND)
        return given

    # Sweeps -----------------------------------------------------------------------------------------------------

    def _accept_sweep(self, sweeps: _Sweeps, rows: list[Row], total: int | None) -> list[Row]:
        if self.is_ordered and any(row.is_timed and row.second != self.newest for row in rows):
            return self._distrust(rows, is_all=False)
        given = self._give(rows)
        self._known.update(row.identity for row in given)
        if sweeps.completed_by(rows, total):
            self._sweeps = None
            if self._rest is not None:
                self._rest -= total or 0
            if self.is_ordered and self.newest is not None:
                self.newest, self._known = self.newest - 1, set()
            else:
                self._ended = True
        elif sweeps.is_stale:
            raise self._incomplete(total or 0, sweeps.seen, sweeps.failure)
        return given

    # Mistrust ---------------------------------------------------------------------------------------------------

    def _settle(self, doubt: _Doubt, rows: list[Row]) -> list[Row]:
        if doubt.is_asked_again:
            if self._is_in_order(rows) and rows[0].second > doubt.second:
                self._descends, rows = True, []
        elif self._is_in_order(rows) and rows[-1].second > doubt.second:
            doubt.is_asked_again = True
            return []
        self._doubt = None
        return self._distrust([*doubt.rows, *rows], is_all=False) if rows else self._read_alone(doubt.rows)

    def _distrust(self, rows: list[Row], is_all: bool) -> list[Row]:
        # The server ignores the time filters, or does not sort. If this is all there is, it is all there is.
        if self.is_part:
            raise self._incomplete(self.total or 0, self.seen, "the server sorts and filters some pages and not others")
        self.is_ordered = False
        given = sorted(self._give(rows), key=lambda row: -row.second)
        self._known.update(row.identity for row in given)
        self._sweeps = _Sweeps(self.newest, self.oldest, rows_may_arrive=True, patience=PATIENCE_WITH_EVERYTHING)
        self._ended = is_all
        return given

    # Both -------------------------------------------------------------------------------------------------------

    def _give(self, rows: list[Row]) -> list[Row]:
        given: dict[str, Row] = {}
        for row in rows:
            if row.identity in self._known or row.identity in self._strays or row.identity in given:
                continue
            if not row.is_timed:
                self._strays.add(row.identity)
            elif (self.newest is not None and row.second > self.newest) or (
                self.oldest is not None and row.second < self.oldest
            ):
                continue
            given[row.identity] = row
        self.seen += len(given)
        return list(given.values())

    def _incomplete(self, expected: int, seen: int, reason: str) -> IncompleteWalkError:
        oldest = self.newest if self._sweeps is not None and self.is_ordered else self.oldest
        window = f"from {oldest} to {self.newest} (epoch seconds; None: no bound)"
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
        total: rows of the whole walk when it began.
    """

    STEP: ClassVar[int] = 96
    """Rows of a page that is asked for by its number: a few less than fit, as windows overlap by a few rows."""
    MOST_PAGES_OF_A_RANGE: ClassVar[int] = 10
    """What each worker may read ahead, more or less; it bounds the memory that a walk needs."""

    newest: int
    oldest: int | None
    count: int
    pages: int
    passed: int
    total: int

    @classmethod
    def of(cls, walk: WindowWalk, workers: int) -> Ranges | None:
        """The ranges for the rest of a walk, which is then the first of them.

        None where splitting is of no use, or not possible.
        """
        if workers == 1 or walk.pinned is None or not walk.can_be_split:
            return None
        counted = walk.total or 0
        total = min(counted, MOST_PAGES * cls.STEP)
        # As many for each worker, so that all end at about the same time.
        rounds = max(2, -(-total // (cls.STEP * workers * cls.MOST_PAGES_OF_A_RANGE)))
        pages = max(3, -(-total // (cls.STEP * workers * rounds)))
        passed = walk.seen // (cls.STEP * pages)
        count = -(-total // (cls.STEP * pages)) - passed
        if count <= 1:
            return None
        walk.is_part = True
        return cls(walk.pinned, walk.oldest, count, pages, passed, counted)

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
                "GET /workflows/logs: the server sorts some pages and not others", expected=self.total, seen=above.seen
            )
        # Rows that were deleted meanwhile can have shifted a later page above an earlier one.
        return rows[0].second if above.newest is None else min(rows[0].second, above.newest)


class _Doubt:
    """A page that is all of one second, of a server that was not yet seen to sort.

    It may be the newest second, or the oldest one of a server that sorts the other way. So the seconds above it are
    asked for. Should there be rows, they may have arrived just now: then the page is asked for again, and has to begin
    with them.
    """

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.second = rows[-1].second
        self.is_asked_again = False


class _Sweeps:
    """Reads one window page by page, again and again in other orders, until it is proven that every row was seen.

    The proof is a moment at which the server counted as many rows as are known to have been there: those that were seen
    before that moment and again after it. Then no other row was there. Where no rows can arrive, what is seen after a
    moment was there before.

    Args:
        before: latest second of the window.
        after: earliest second of the window.
        rows_may_arrive: whether rows may appear that were not there when the sweeps began.
        patience: sweeps in a row that may find nothing new.
    """

    def __init__(self, before: int | None, after: int | None, *, rows_may_arrive: bool, patience: int) -> None:
        self._before, self._after = before, after
        self._rows_may_arrive = rows_may_arrive
        self._patience = patience
        # The moments are those of the answers, counted from 0.
        self._totals: list[int | None] = []
        self._found: list[int] = []  # rows that were seen for the first time
        self._change: list[int] = [0]  # by how many more rows are known to have been there than a moment before
        self._last_seen: dict[str, int] = {}
        self._adds_up = False  # whether a whole sweep showed no more rows than were counted
        self._sweep, self._page, self._size = 1, 1, LARGEST_PAGE
        self._stale = 0
        self._begin()

    @property
    def is_stale(self) -> bool:
        """Whether further sweeps promise nothing."""
        return self._stale >= self._patience or self._sweep > MOST_SWEEPS or self._size < 1

    @property
    def seen(self) -> int:
        """Rows that were seen, also those that are gone."""
        return len(self._last_seen)

    @property
    def failure(self) -> str:
        """Why the window is not complete."""
        total = self._totals[-1]
        if total is None:
            return "the server does not count them"
        if not self._adds_up:
            return "the pages of a sweep never held as many rows as the server counts"
        if self.seen < total:
            return "sweep after sweep of its pages shows no other row"
        return "at no moment are as many known to have been there as the server counted then"

    def next_request(self) -> PageRequest:
        """The next page of the sweep, or the first one of the next sweep."""
        return PageRequest(self._before, self._after, self._page, self._size)

    def completed_by(self, rows: list[Row], total: int | None) -> bool:
        """Note the answer for the page that was asked for; whether this completes the window."""
        if self._totals and total != self._totals[-1]:
            self._rows_may_arrive = self._rows_may_arrive or (total or 0) > (self._totals[-1] or 0)
            self._stale = 0
        self._note(rows, total)
        # A proxy may cap the pages: then the sweep goes on with pages of that size, the next with smaller.
        if self._page == 1 and 0 < len(rows) < self._size and (total is None or len(rows) < total):
            self._size = len(rows)
        is_last = not rows or (len(rows) < self._size and self._rows >= (total or 0))
        if is_last and total is not None and self._rows <= self._largest_total:
            self._adds_up = True
        if self._adds_up:
            # One answer that is all there is needs no other moment: nothing came between.
            is_all = is_last and self._page == 1 and len(self._shown) == total
            if is_all or self._is_proven():
                return True
        if is_last or self._repeats >= MOST_REPEATS or self._page >= MOST_PAGES:
            self._stale = 0 if self._finds else self._stale + 1
            self._sweep, self._page, self._size = self._sweep + 1, 1, self._size - 1
            self._begin()
        else:
            self._page += 1
        return False

    def _begin(self) -> None:
        self._rows = 0  # that the pages of this sweep had, repeated ones included
        self._largest_total = 0
        self._shown: set[str] = set()
        self._repeats = 0
        self._finds = False

    def _note(self, rows: list[Row], total: int | None) -> None:
        ids = {row.identity for row in rows}
        self._rows += len(rows)
        self._largest_total = max(self._largest_total, total or 0)
        self._repeats = self._repeats + 1 if ids <= self._shown else 0
        self._shown |= ids
        now, new = len(self._totals), 0
        self._totals.append(total)
        self._change.append(0)
        for identity in ids:
            seen_before = self._last_seen.get(identity)
            self._last_seen[identity] = now
            if seen_before is None:
                new += 1
            else:  # it was there at each moment since: the server counts just before it reads
                self._change[seen_before + 1] += 1
                self._change[now + 1] -= 1
        self._found.append(new)
        self._finds = self._finds or new > 0

    def _is_proven(self) -> bool:
        seen_twice, seen_later = 0, len(self._last_seen)
        for total, found, change in zip(self._totals, self._found, self._change, strict=False):  # one change is to come
            seen_twice += change
            known = seen_twice if self._rows_may_arrive else seen_twice + seen_later
            if known == total:
                return True
            seen_later -= found
        return False


def is_sorted(rows: list[Row]) -> bool:
    """Whether rows come newest first."""
    return all(row.second >= older.second for row, older in pairwise(rows))


def rows_of(page: WorkflowLogPage) -> list[Row]:
    """The rows of a page, each with its second and its identity: an odd row costs neither itself nor the others.

    A row without a usable time gets the second of the next older row that has one, or that of the oldest one.
    """
    logs = list(page.data)
    seconds = [_second(log) for log in logs]
    identities: list[str] = []
    alike: Counter[str] = Counter()
    for log in logs:
        identity, is_its_own = _identity(log)
        identities.append(identity if is_its_own else f"{identity} {alike[identity]}")
        alike[identity] += 1
    rows: list[Row] = []
    usable = next((second for second in reversed(seconds) if second is not None), 0)
    for log, second, identity in zip(reversed(logs), reversed(seconds), reversed(identities), strict=True):
        usable = usable if second is None else second
        rows.append(Row(log, usable, identity, second is not None))
    rows.reverse()
    return rows


def _second(log: object) -> int | None:
    second: object = getattr(log, "created_at", None)
    return second if type(second) is int and second in SECONDS else None


def _identity(log: WorkflowLog) -> tuple[str, bool]:
    """What tells a row from others, and whether it does: rows without any id may hold the same."""
    identity: object = getattr(log, "id", None)
    if isinstance(identity, str):
        return identity, True
    if identity is None:  # all else of a row changes while it runs
        run: object = getattr(log, "workflow_run", None)
        identity = getattr(run, "id", None)
    if identity is not None:
        return json.dumps(identity), True
    return json.dumps(log.to_dict() if hasattr(log, "to_dict") else log, sort_keys=True), False


def _count(page: WorkflowLogPage) -> int | None:
    total: object = page.total
    return total if type(total) is int and total >= 0 else None

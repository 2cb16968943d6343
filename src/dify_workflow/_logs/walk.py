"""How a walk over the logs reads every log: which page to request next, and what a page proves.

Decisions only: nothing here sends. The server (Dify 1.11) sorts by a creation time of whole seconds without a
tie-breaker, so that paging by number loses logs; but it filters by creation time. Therefore:

- A walk requests the first page of a window `[.., before]`. The page is newest first, so that every log newer than the
  page's oldest second is in it. That second may be cut, so it becomes the next window's `before` and is read again,
  whole; logs that were there already are known by their ids.
- Every window must overlap with the one before it: it has to begin with known logs. So it does on a faithful server,
  for nothing. Where it does not, the filters see other seconds than the server displays (its time zone is not UTC:
  `FilterClock`), a bound is exclusive or ignored, logs were deleted, or a replica lags; `_reconcile` finds out which.
- Where one second fills a page, that second is read alone (`before` = `after`) in sweeps of pages, each sweep with
  another size and so in another order, until the logs that are known to have been there at one moment are as many as
  the server counted then.
- The newest second of the first page pins the start by the server's own clock: no later window reaches beyond it.
- A server that ignores the time filters, or does not sort, is noticed by what it sends; then the sweeps are made over
  everything, in no order, and the ids of all logs are kept.

As many logs can be deleted from a window that is swept as arrive in it, between two of its pages, and its total does
not show it. So wherever logs may still arrive (in seconds near the newest log, where totals were seen to grow, or where
everything is swept) a log counts only where it was seen before and after a moment. As soon as such logs are as many as
the server counted at that moment, they are all that there was.

Two kinds of seconds: displayed ones, in which logs and checkpoints are noted, and those of the filters, in which the
caller's bounds are. They differ by the shift of the clock, which is 0 on nearly every server.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, TypeVar

from .._errors import IncompleteWalkError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from ..models import WorkflowLog, WorkflowLogPage

    T = TypeVar("T")
    PageRequests = Generator["PageRequest", "Reply", T]
    """Requests pages, one after the other, and returns what they show."""

LARGEST_PAGE: Final = 100
MOST_PAGES: Final = 99_999
SECONDS: Final = range(-62_135_596_800 + 1, 253_402_300_800)
"""The epoch seconds of the years 1 to 9999; what is outside, such as milliseconds, is not a time that can be sent."""
PATIENCE_WITH_A_SECOND: Final = 20
PATIENCE_WITH_EVERYTHING: Final = 12
"""So many sweeps in a row that find nothing new, and the walk gives up on a window. Where the order is pure chance, a
sweep misses a log with a chance of 1 in 2.7 at most."""
MOST_SWEEPS: Final = 60
MOST_REPEATS: Final = 3
"""Pages in a row that show nothing but what the same sweep showed before: the server does not turn pages."""
LATENESS: Final = 120
"""Seconds, by the server's clock, for which a log may appear after its own time; a database does so while a transaction
is open. In older seconds logs only vanish."""
MOST_EMPTY_RESPONSES: Final = 3
"""Times that a window may be shown empty though its logs are counted: they are counted a moment before."""
QUARTER: Final = 900
"""All offsets of time zones in use since 1972 are multiples of a quarter of an hour."""
LARGEST_SHIFT: Final = 27 * 3600
"""Seconds between the two most distant time zones, and a little more."""
STEPS: Final = (3600, 1800, 7200)
"""Seconds by which zones change their offset, the most usual first."""
SMALLEST_STEP: Final = min(STEPS)
LARGEST_STEP: Final = max(STEPS)
_HOURS = (*range(15), 2.5, 3.5, 4.5, 5.5, 5.75, 6.5, 8.75, 9.5, 10.5, 11.5, 12.75, 13.75)
OFFSETS: Final = sorted({round(sign * hours * 3600) for hours in _HOURS for sign in (1, -1)})
"""Offsets of time zones in use, in seconds, and their opposites."""
LONG_AGO: Final = 0
FAR_AHEAD: Final = 4_102_444_800
"""1970 and 2100: no log is older, and none newer."""
MOST_RETREATS: Final = 3
"""Seconds above a seam at which an overlap is searched for when the logs of the seam itself are gone."""
MOST_KEPT: Final = 1000
"""Logs whose ids are kept until it is known whether the clock is shifted; where it is, those of all are."""
MOST_RETURNS: Final = 20
"""Times that a walk reads a second alone again, as more of its logs are counted later."""
MOST_REPEATED_PAGES: Final = 2
"""Times that a page of a second is requested again that is empty though others of it were not."""
MOST_REPEATED_WINDOWS: Final = 6
"""Times that a window is requested again where a replica lags behind."""
MOST_WITHOUT_LOGS: Final = 500
"""Requests in a row that give no log, those within sweeps aside, which have an end of their own; a search for a clock
takes less than 100. So a walk that gives n logs ends after (n + 1) · `MOST_WITHOUT_LOGS` requests and as many times
sweeps at most, whatever the server sends. (On a faithful one, each window gives a log.)"""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page to request; times are epoch seconds, inclusive, and None is no bound."""

    before: int | None
    after: int | None
    page: int = 1
    limit: int = LARGEST_PAGE


class SeenLog(NamedTuple):
    """A log with the second that it belongs to, and what identifies it.

    Attributes:
        is_timed: whether the second is the log's own, not that of its neighbour.
    """

    log: WorkflowLog
    second: int
    identity: str
    is_timed: bool


@dataclass(frozen=True, slots=True)
class FilterClock:
    """How a server's time filters see the seconds that it displays.

    Attributes:
        shift: displayed minus filtered seconds.
        before_margin: 1 where `created_at__before` is exclusive, else 0.
        after_margin: 1 where `created_at__after` is exclusive, else 0.
    """

    shift: int = 0
    before_margin: int = 0
    after_margin: int = 0

    def before(self, second: int) -> int:
        """The latest bound that includes a displayed second."""
        return _within_years(second - self.shift + self.before_margin)

    def after(self, second: int) -> int:
        """The earliest bound that includes a displayed second."""
        return _within_years(second - self.shift - self.after_margin)

    @property
    def has_margins(self) -> bool:
        """Whether a bound is exclusive."""
        return bool(self.before_margin or self.after_margin)

    def with_margins(self) -> FilterClock:
        """The same clock for a server whose bounds are both exclusive; on any other, windows are a second wider."""
        return replace(self, before_margin=1, after_margin=1)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a page shows."""

    rows: list[SeenLog]
    total: int | None
    has_more: bool

    @classmethod
    def of(cls, page: WorkflowLogPage) -> Reply:
        """Read a page."""
        return cls(rows_of(page), _count(page), page.has_more is True)

    @property
    def is_all(self) -> bool:
        """Whether the page holds its whole window. One shorter than asked for does, unless a proxy caps the pages."""
        return len(self.rows) < LARGEST_PAGE and len(self.rows) == self.total and not self.has_more

    def below(self, second: int, page: PageRequest) -> tuple[list[SeenLog] | None, bool]:
        """The logs after those of a second, or of newer ones, on a page that shows both, and whether it is the last.

        None where it does not show what is next to them.
        """
        below = rows_below(self.rows, second)
        is_last = not self.has_more and (page.page - 1) * page.limit + len(self.rows) == self.total
        if below is not None and not is_last and not any(row.is_timed for row in below):
            return None, is_last
        return below, is_last

    def is_of_one_second(self, second: int) -> bool:
        """Whether it shows logs of this displayed second and of no other."""
        return any(row.is_timed for row in self.rows) and all(row.second == second for row in self.rows)

    def shows_alone(self, second: int, known: set[str]) -> bool:
        """Whether it is a page of this displayed second alone, with a known log among its logs, or too many for one."""
        if not self.is_of_one_second(second):
            return False
        return len(self.rows) < (self.total or 0) or any(row.identity in known for row in self.rows)


class WindowWalk:
    """Reads the logs from `newest` down to `oldest`, each once.

    Request what `next_request` names, hand the page to `accept`, until there is no next request.

    Args:
        newest: latest second to read, inclusive: the caller's bound, or a displayed second with `seen_at_newest`. None
            begins at the newest log that there is.
        oldest: earliest second to read, inclusive, as the filter understands it; None reads to the end.
        seen_at_newest: ids of logs of the second `newest` that are not to be returned again.
        untimed_ids: ids of logs of any second that are not to be returned again, such as those without a time.
        latest: second of the newest log of the whole walk, where this is the rest of one.
        clock: how the filters relate to displayed seconds, as far as is known.
        given_before: logs of the whole walk that were given before, where this is the rest of it, and all are counted.

    Attributes:
        clock: likewise, as it was found at the last seam.
        estimate: the shift that the logs of the first page themselves show; None where they show none.
        total: logs in the window when the walk began, as the server counts; None before the first page.
        seen: logs given so far.
        is_ordered: whether the logs come newest first; not where the server ignores the time filters, or does not sort.
        is_part: whether other walks read the rest, so that this one cannot continue in no order.
        is_short: whether a response lacked logs that one before it had: they were deleted, or a replica lags.
    """

    def __init__(
        self,
        newest: int | None,
        oldest: int | None,
        *,
        seen_at_newest: Iterable[str] = (),
        untimed_ids: Iterable[str] = (),
        latest: int | None = None,
        clock: FilterClock | None = None,
        given_before: int | None = None,
    ) -> None:
        self.newest = newest
        self.oldest = oldest
        self.clock = clock or FilterClock()
        self.estimate: int | None = None
        self.total: int | None = None
        self.seen = 0
        self.is_ordered = True
        self.is_part = False
        self.is_short = False
        # Logs that the next window shows again: those of the page before it, and all of the second `newest`.
        self._seen_at_newest: dict[str, int] = dict.fromkeys(seen_at_newest, newest or 0)
        self._untimed_ids: set[str] = {*untimed_ids, *self._seen_at_newest}  # they may come at any second
        self._resumed = len(self._seen_at_newest)
        self._page: Sequence[SeenLog] = ()  # that one
        self._passed: dict[str, int] = {}  # logs of the second that was read alone last
        self._is_displayed = bool(self._seen_at_newest)  # whether `newest` is a displayed second
        self._pin, self._pin_is_displayed = newest, self._is_displayed
        self._pin_clock: FilterClock | None = None  # the clock at the first seam; the zone's offset may change below
        self._sweeps: _Sweeps | None = None
        self._requests: PageRequests[list[SeenLog]] | None = None
        self._pending: PageRequest | None = None
        self._floor: _Floor | None = None
        self._proven: int | None = None  # the displayed second for which the clock was proven last
        self._swept = 0  # logs of that second, as counted last
        self._returns = MOST_RETURNS  # times that a second is read alone once more
        self._gone: int | None = None  # a second that filled a page, and whose logs no window showed later
        self._to_show: int | None = None  # a displayed second so new, at least, a log must be that sweeps show
        self._ignores_before: bool | None = None
        self._ignores_after: bool | None = None
        self._descends = False  # whether a page showed two seconds, the newer one first
        self._steps_up = False  # whether displayed seconds once went up: the zone changed its offset there
        self._changes = False  # whether logs came or went behind the start since the walk began
        self._given: set[str] | None = set()  # all of them at first, and later only where the clock is shifted
        self._is_recount = False  # whether everything is swept once more, as the server counts more than was given
        self._latest = latest
        self._given_before = given_before if latest is not None else None
        self._rest: int | None = None  # logs of the next window, should none come or go
        self._most_rows = 0  # of a page
        self._is_capped = False  # whether a page had fewer logs than there were: a proxy may cap them
        self._empty_responses = 0
        self._disputes = 0
        self._without_logs = 0  # requests since the last log was given, those within sweeps aside
        self._begun = False
        self._ended = False

    @property
    def pinned(self) -> int | None:
        """The bound of the whole walk: the latest second, that of the newest log where none was requested."""
        if self._pin is None or not self._pin_is_displayed:
            return None if self._pin is None else self._pin + self.clock.before_margin
        return (self._pin_clock or self.clock).before(self._pin)

    @property
    def is_shifted(self) -> bool:
        """Whether the filters were found not to be inclusive and in the displayed time."""
        return self.clock != FilterClock()

    @property
    def time_shift(self) -> int | None:
        """Displayed minus true seconds, as far as is known; None before the first page."""
        if not self._begun:
            return None
        return self.clock.shift or self.estimate or 0

    @property
    def obeys_after(self) -> bool:
        """Whether logs were displayed before the window, and the server was seen to obey `created_at__after`."""
        return self._ignores_after is False

    @property
    def can_be_split(self) -> bool:
        """Whether the rest may be read in several ranges at once: the server sorts, and no second is half read.

        Nor may the next window begin with no known log: then its total has to be right, which a range would change.
        """
        is_between = self._sweeps is not None or self._requests is not None or not self._seen_at_newest
        return not self._ended and self._descends and not self._steps_up and not is_between

    @property
    def overlap(self) -> int:
        """Logs of the last page that the next window shows again."""
        return sum(row.second == self.newest for row in self._page)

    def narrow(self, oldest: int | None) -> None:
        """Read down to this second of the filter and no further."""
        self.oldest = oldest

    def end_at(self, second: int, rows: list[SeenLog]) -> None:
        """Read down to this displayed second, where the range below begins with the given page."""
        # A page that was shifted by deletions may lie above the range, and shows nothing of the range below.
        known = {row.identity: row.second for row in rows if row.second <= second}
        self._floor = _Floor(second, known, self.clock, second)
        self._rest = None  # it counts what is below, too

    def below(self, newest: int) -> WindowWalk:
        """The part of this walk that begins at an older displayed second."""
        part = WindowWalk(newest, self.oldest, untimed_ids=self._untimed_ids, latest=self._latest, clock=self.clock)
        part.is_part = self.is_part
        part._is_displayed = part._pin_is_displayed = True
        part._begun = True
        part._descends, part._changes = self._descends, self._changes
        part._ignores_after = self._ignores_after
        return part

    def begin_with(self, rows: list[SeenLog]) -> list[SeenLog]:
        """Take over a page that was read by its number and reaches into this window from above.

        Such a page is sorted, so that what is between its first and its last second is whole.
        """
        inside = [row for row in rows if self.newest is None or row.second <= self.newest]
        if not inside or not all(row.is_timed for row in rows):
            return []  # a log without a time may belong to the range above
        floor = self._floor
        if floor is not None and inside[-1].second < floor.second:  # it reaches below this range: the range is whole
            self._ended = True
            return self._give([row for row in inside if row.second >= floor.second])
        given = self._give(inside)
        self._move_to(inside[-1].second, inside)
        return given

    def next_request(self) -> PageRequest | None:
        """The page to request next; None when every log was given."""
        if self._pending is not None:
            return self._pending
        if self._ended:
            return None
        if self._sweeps is not None:
            return self._sweeps.next_request()
        return None if self._is_below_the_end() else self._window()

    def accept(self, page: WorkflowLogPage) -> list[SeenLog]:
        """The logs of a page that were not given before, newest first.

        Raises:
            IncompleteWalkError: the server contradicts itself, so that nothing proves that all logs were seen.
        """
        reply, sweeps = Reply.of(page), self._sweeps
        if not self._begun:
            self._begun, self.total = True, reply.total
            self.estimate = estimated_shift(reply.rows)
        try:
            if self._requests is None:
                self._requests = self._take(reply)
                self._pending = next(self._requests)
            else:
                self._pending = self._requests.send(reply)
            given: list[SeenLog] = []
        except StopIteration as end:
            self._requests = self._pending = None
            given = end.value
        self._without_logs = 0 if given else self._without_logs + (sweeps is None or sweeps is not self._sweeps)
        if self._without_logs > MOST_WITHOUT_LOGS:
            raise self._incomplete(self.total or 0, self.seen, "request after request shows nothing new")
        return given

    def _take(self, reply: Reply) -> PageRequests[list[SeenLog]]:
        if self._sweeps is not None:
            given = yield from self._take_sweep(self._sweeps, reply)
        elif reply.rows or not reply.total:
            given = yield from self._take_window(reply)
        else:
            self._empty_responses += 1
            if self._empty_responses >= MOST_EMPTY_RESPONSES:
                raise self._incomplete(reply.total, 0, "the server counts logs in a window that it shows empty")
            return []
        if self._ended and self.is_shifted and not self.is_part:
            yield from self._check_account()
        return given

    # Windows ----------------------------------------------------------------------------------------------------

    @property
    def _before(self) -> int | None:
        if self.newest is None:
            return None
        return self.clock.before(self.newest) if self._is_displayed else self.newest + self.clock.before_margin

    @property
    def _after(self) -> int | None:
        if self._floor is not None:
            return self.clock.after(self._floor.reach)
        return None if self.oldest is None else self.oldest - self.clock.after_margin

    def _window(self) -> PageRequest:
        return PageRequest(self._before, self._after)

    def _take_back_margins(self, rows: list[SeenLog]) -> bool:
        """Take back the margins of bounds whose own second a page shows; whether it is to be requested again.

        A replica that lagged made such a bound look exclusive. With its margin, a window shows again what is right
        above it, a second alone is not alone, and logs beyond the caller's bounds are shown.
        """
        if not self.clock.has_margins:
            return False
        clock, page = self.clock, self._window() if self._sweeps is None else self._sweeps.next_request()
        shown = {self._filtered(row.second) for row in rows if row.is_timed}
        before = clock.before_margin if page.before in shown else 0
        after = clock.after_margin if page.after in shown else 0
        if before or after:
            self.clock = FilterClock(clock.shift, clock.before_margin - before, clock.after_margin - after)
            self._sweeps = self._sweeps and self._sweeps.narrowed(before, after)
        return bool(before or after)

    def _is_below_the_end(self) -> bool:
        if self.newest is None or self._seen_at_newest:
            return False
        if self._floor is not None:
            return self.newest < self._floor.second and self._proven == self._floor.second
        before = self._before
        return before is not None and self.oldest is not None and before < self.oldest

    def _take_window(self, reply: Reply) -> PageRequests[list[SeenLog]]:
        rows = reply.rows
        if self._take_back_margins(rows):
            return []
        if rows and not self._is_in_order(rows):
            return (yield from self._sweep_instead(rows, is_all=reply.is_all))
        if self._seen_at_newest and not self._overlaps(reply):
            return (yield from self._reconcile(reply))
        if not self._seen_at_newest and self._proven is not None and reply.total != self._rest:
            return (yield from self._take_below(self._proven, reply))
        return (yield from self._take_unmatched(reply))

    def _take_unmatched(self, reply: Reply) -> PageRequests[list[SeenLog]]:
        """Take a window that begins where the one before it ended."""
        rows = reply.rows
        if not rows:
            return (yield from self._end([]))
        is_outside = yield from self._is_outside(rows)
        if (is_outside and self._ignores_before) or not (yield from self._is_below(rows)):
            return (yield from self._sweep_instead(rows, is_all=reply.is_all))
        return (yield from self._take_rows(reply))

    def _take_rows(self, reply: Reply) -> PageRequests[list[SeenLog]]:
        rows = reply.rows
        self._empty_responses = 0
        if self._steps_up and self._rest is not None and reply.total != self._rest and not self._changes:
            return (yield from self._step(self._rest, reply))
        self._changes = self._changes or (self._rest is not None and reply.total != self._rest)
        self.is_short = self.is_short or (reply.total or 0) < (self._rest or 0)
        self._rest = reply.total
        if self._seen_at_newest:
            self._pin_clock = self._pin_clock or self.clock
        if self._seen_at_newest and rows[0].second == self.newest:
            self._proven = self.newest
        self._inspect(reply)
        first, last = rows[0].second, rows[-1].second
        is_past_the_end = bool(self._ignores_after) and self.oldest is not None and self._filtered(last) < self.oldest
        if self._floor is not None and len(self._floor.end_of(rows) or rows) < len(rows):
            is_past_the_end = True
        if reply.is_all or is_past_the_end:
            return (yield from self._end(rows))
        if first != last:
            self._descends = True
        elif self._descends or last == self.newest:
            return self._read_alone(rows)
        else:
            return (yield from self._probe_order(rows))
        given = self._give(rows)
        tail = sum(1 for _ in takewhile(lambda row: row.second == last, reversed(rows)))
        self._move_to(last, rows)
        if self._rest is not None:
            self._rest -= len(rows) - tail
        return given

    def _inspect(self, reply: Reply) -> None:
        """Note what a page shows of the server."""
        self._most_rows = max(self._most_rows, len(reply.rows))
        self._is_capped = self._is_capped or len(reply.rows) < min(reply.total or 0, LARGEST_PAGE)
        if steps_up_in(reply.rows):
            self._steps_up = True
            if self.is_part:  # seconds of this range and of others are the same there
                raise self._incomplete(
                    self.total or 0, self.seen, "the server's zone changes its offset; it is read with workers=1"
                )

    def _step(self, rest: int, reply: Reply) -> PageRequests[list[SeenLog]]:
        """Take a window of another total than it should have, where the page above shows a change of the zone's offset.

        The last logs of that page are to be found by the offset from before that change.
        """
        second = self.newest
        last = {row.identity for row in takewhile(lambda row: row.second == second, reversed(self._page))}
        is_right = second is None or not last or (yield alone_in(self.clock, second)).shows_alone(second, last)
        if second is not None and not is_right and (yield from self._find_clock(second, last, self._page)):
            return (yield from self._take_window((yield self._window())))
        raise self._incomplete(rest, reply.total or 0, "the server sorts some pages and not others")

    def _end(self, rows: list[SeenLog]) -> PageRequests[list[SeenLog]]:
        """Take the last page of the window."""
        floor = self._floor
        if floor is not None and floor.has_known_logs:
            found = floor.end_of(rows)
            if found is None:
                return (yield from self._search_floor(floor))
            rows = found
        if floor is not None:
            self._check_floor(floor)
        self._ended = True
        return self._give(rows)

    def _is_in_order(self, rows: list[SeenLog]) -> bool:
        seconds = [row.second for row in rows if row.is_timed]
        if not seconds or not (is_sorted(rows) or steps_up_in(rows)):
            return False
        # Where `created_at__after` is ignored, it is not known whether a log without a time is on this side of it.
        return len(seconds) == len(rows) or self.oldest is None or self._filtered(seconds[-1]) >= self.oldest

    def _overlaps(self, reply: Reply, bound: int | None = None) -> bool:
        """Whether a page begins where the one before it was: in a second of which a log is known, or too many are.

        `bound` is the displayed second with which it may begin at most; that of the seam unless given.
        """
        rows = reply.rows
        bound = self.newest if bound is None else bound
        if not rows or bound is None or rows[0].second > bound + self.clock.before_margin:
            return False
        top = rows[0].second
        if any(row.identity in self._seen_at_newest for row in takewhile(lambda row: row.second == top, rows)):
            return True
        if not self._page:  # from a checkpoint on: the known logs may be gone, and others of that second left
            return top == self.newest
        return top == self.newest == rows[-1].second and not reply.is_all

    def _is_below(self, rows: list[SeenLog]) -> PageRequests[bool]:
        """Whether a window that need not overlap, as it is below a second that was read alone, is below it."""
        top = rows[0].second
        if self._seen_at_newest or not self._is_displayed or self.newest is None or top <= self.newest:
            return True
        if any(row.identity in self._passed for row in rows):
            return False
        # Right above, the server may have changed its zone's offset.
        return (yield from self._find_clock(top, {row.identity for row in rows if row.second == top}, rows))

    def _filtered(self, second: int) -> int:
        return second - self.clock.shift

    def _move_to(self, second: int, rows: list[SeenLog]) -> None:
        known = {row.identity: row.second for row in rows}
        # A page that logs arrived on may end further up than the one before it, whose logs are shown again then; or the
        # next window may begin further up, where a replica lagged that does not have some of them yet.
        known |= {identity: at for identity, at in self._seen_at_newest.items() if at <= rows[0].second}
        self._seen_at_newest, self._page = known, rows
        self.newest, self._is_displayed = second, True
        if self._pin is None:
            self._pin, self._pin_is_displayed = rows[0].second, True
        if self._latest is None:
            self._latest = rows[0].second

    def _probe_order(self, rows: list[SeenLog]) -> PageRequests[list[SeenLog]]:
        """Take a page that is all of one second, of a server that was not yet seen to sort.

        It may be the newest second, or the oldest one of a server that sorts the other way. So the seconds above it are
        asked for. Should there be logs, they may have arrived just now: then the page is requested again, and has to
        begin with them.
        """
        second = rows[-1].second
        above = yield PageRequest(self._before, self.clock.after(second + 1))
        if above.rows and self._is_in_order(above.rows) and above.rows[-1].second > second:
            again = yield self._window()
            if again.rows and not (self._is_in_order(again.rows) and again.rows[0].second > second):
                return (yield from self._sweep_instead([*rows, *again.rows], is_all=False))
            self._descends = bool(again.rows)
        elif above.rows:
            known = {row.identity for row in rows}
            if not is_sorted(above.rows) or not (yield from self._find_clock(second, known, rows)):
                return (yield from self._sweep_instead([*rows, *above.rows], is_all=False))
        return self._read_alone(rows)

    # Seams ------------------------------------------------------------------------------------------------------

    def _reconcile(self, reply: Reply) -> PageRequests[list[SeenLog]]:
        """Take a window that does not begin with known logs, after finding out why.

        Every way on has its proof: the known logs of the last second, alone in the second that the clock says; or a
        window that begins with known logs.
        """
        self._rest, self.is_short = None, True
        self._disputes += 1
        if self._disputes <= MOST_REPEATED_WINDOWS and self.newest is not None:
            for attempt in (self._take_shifted, self._take_from_above, self._take_again):
                given = yield from attempt(self.newest, reply)
                if given is not None or not self.is_ordered:
                    return given or []
        return (yield from self._sweep_instead(reply.rows, is_all=False, everything=True))

    def _take_shifted(self, second: int, reply: Reply) -> PageRequests[list[SeenLog] | None]:
        """The window by a clock that the logs at hand suggest."""
        for clock in hinted_clocks(self.clock, second, [*self._page, *reply.rows], reply.rows):
            alone = yield alone_in(clock, second)
            if contradicts_filters(alone, second):
                return (yield from self._sweep_instead(reply.rows, is_all=False, everything=True))
            if alone.shows_alone(second, self._seen_at(second)):
                self.clock = clock
                return (yield from self._take_window((yield self._window())))
        return None

    def _take_from_above(self, second: int, _: Reply) -> PageRequests[list[SeenLog] | None]:
        """A window that begins further up, as the known logs of the last second may be gone."""
        known = self._seen_at(second)
        for above in self._seconds_above(second):
            again = yield PageRequest(self.clock.before(above), self._after)
            if self._is_in_order(again.rows) and self._overlaps(again, above):
                missed: list[SeenLog] = []
                if any(row.identity in known for row in again.rows):  # they are there: only the window hides them
                    missed = yield from self._find_hidden(second, known)
                proven = self._proven
                given = yield from self._take_rows(again)
                self._proven = proven  # a window from further up says nothing about the clock at this second
                return missed + given
        return None

    def _take_again(self, second: int, reply: Reply) -> PageRequests[list[SeenLog] | None]:
        """The same window where the clock is right and a replica lagged, or by a clock that is searched for."""
        known = self._seen_at(second)
        if not self._page:
            for _ in range(MOST_REPEATED_WINDOWS):
                again = yield self._window()
                if self._is_in_order(again.rows) and self._overlaps(again):
                    return (yield from self._take_rows(again))
            given = yield from self._take_where_gone(second, reply)
            if given is not None:
                return given
        is_right = (yield alone_in(self.clock, second)).shows_alone(second, known)
        if is_right or (yield from self._find_clock(second, known, ())):
            return (yield from self._take_window((yield self._window())))
        return None

    def _take_below(self, second: int, reply: Reply) -> PageRequests[list[SeenLog]]:
        """Take the window below a second that was read alone, where the server counts other logs than it should hold.

        Such a window begins with no known log. Logs came or went, or a replica lags. A page by its number that shows
        logs of that second, or newer ones, and right after them older logs is of one state of the server: a replica
        that has the former has all that are older.
        """
        self._changes = True
        counted, largest = reply.total or 0, self._most_rows if self._is_capped else LARGEST_PAGE
        self.is_short = self.is_short or counted < (self._rest or 0)
        for before in dict.fromkeys((self.clock.before(second), self.pinned, None)):
            # Logs of the window that are not below the second, as far as is known.
            passed = self._swept
            if before != self.clock.before(second):
                passed += self.seen + self._resumed - len(self._passed)
            elif second == self._gone:
                continue
            for _ in range(MOST_REPEATED_WINDOWS):
                page = replace(page_around(passed, largest), before=before, after=self._after)
                across = yield page
                given = yield from self._take_across(second, page, across)
                if given is not None:
                    return given
                reply = yield self._window()
                if reply.total == self._rest and (reply.rows or not reply.total):
                    return (yield from self._take_unmatched(reply))
                if (across.total or 0) > (reply.total or 0):
                    passed = (across.total or 0) - (reply.total or 0)
        raise self._incomplete(
            self._rest or 0, counted, "nothing shows which logs are next to those of a second of many logs"
        )

    def _take_across(self, second: int, page: PageRequest, across: Reply) -> PageRequests[list[SeenLog] | None]:
        """The logs below a second, where a page shows that they are next to it or to newer ones; else None."""
        if second == self._gone and any(row.second == second for row in across.rows):
            return self._return_to(second)
        below, is_last = across.below(second, page)
        if below is None:
            return None
        counted = (page.page - 1) * page.limit + len(across.rows) - len(below)
        if page.before == self.clock.before(second) and counted > self._swept:
            return self._return_to(second)
        return (yield from self._take_proven(below, is_all=is_last))

    def _return_to(self, second: int) -> list[SeenLog]:
        """Read a second alone whose logs are there after all: a replica lagged, or a bound is exclusive."""
        self._returns -= 1
        if self._returns < 0:
            raise self._incomplete(self.total or 0, self.seen, "a second shows its logs in some responses only")
        self.newest, self._seen_at_newest = second, self._passed
        self._proven = self._gone = None
        self._sweep_second(second)
        return []

    def _take_proven(self, rows: list[SeenLog], *, is_all: bool) -> PageRequests[list[SeenLog]]:
        self._rest, self._empty_responses = None, 0
        if is_all:
            return (yield from self._end(rows))
        self._descends = True
        given = self._give(rows)
        self._move_to(rows[-1].second, rows)
        return given

    def _find_hidden(self, second: int, known: set[str]) -> PageRequests[list[SeenLog]]:
        """Find the clock for logs that a window hides; the logs that the caller's own bound hides likewise."""
        before = self.clock
        if (yield alone_in(before, second)).shows_alone(second, known):
            return []  # the clock is right: that page was of an older state
        yield from self._find_clock(second, known, ())
        is_exclusive = self.clock.before_margin > before.before_margin
        if not is_exclusive or self._pin is None or self._pin_is_displayed or self.is_part:
            return []
        at_the_bound = yield PageRequest(self._pin + 1, self._pin - self.clock.after_margin)
        if not at_the_bound.is_all:
            raise self._incomplete(at_the_bound.total or 0, 0, "`created_at__before` is exclusive")
        return self._give([row for row in at_the_bound.rows if self._filtered(row.second) <= self._pin])

    def _seen_at(self, second: int) -> set[str]:
        return {identity for identity, at in self._seen_at_newest.items() if at == second}

    def _seconds_above(self, second: int) -> list[int]:
        """Some seconds of the page above a seam: the next one, one half way up, and the first one."""
        above = list(dict.fromkeys(row.second for row in reversed(self._page) if row.second != second))
        places = sorted({0, len(above) // 2, len(above) - 1}) if above else []
        return [above[place] for place in places][:MOST_RETREATS]

    def _take_where_gone(self, second: int, reply: Reply) -> PageRequests[list[SeenLog] | None]:
        """The logs below a second whose known logs were deleted since the checkpoint; None where nothing proves it.

        The proof is a page that shows newer logs and right after them older ones: no replica that lags has those. It
        reaches further up than a zone changes its offset, so that logs that the clock hides are on it, too.
        """
        for before in (_within_years(self.clock.before(second) + LARGEST_STEP), None):
            passed = 0
            for _ in range(MOST_RETREATS):
                page = replace(page_around(passed, LARGEST_PAGE), before=before, after=self._after)
                across = yield page
                if any(row.second == second for row in across.rows):
                    return None
                below, is_last = across.below(second, page)
                if below is not None:
                    self._seen_at_newest = {}
                    return (yield from self._take_proven(below, is_all=is_last))
                if (across.total or 0) <= max(reply.total or 0, passed):
                    break
                passed = (across.total or 0) - (reply.total or 0)
        return None

    def _find_clock(self, second: int, known: set[str], rows: Iterable[SeenLog]) -> PageRequests[bool]:
        """Adopt the clock by which the known logs of a second are in that second; whether there is one."""
        found = yield from find_clock(self.clock, second, known, rows)
        self.clock = found or self.clock
        return found is not None

    def _is_outside(self, rows: list[SeenLog]) -> PageRequests[bool]:
        """Whether logs are displayed outside of the caller's bounds, after finding out why.

        It is where a bound is ignored; or the server's time is shifted, then what it shows is right.
        """
        bound = None if self._pin_is_displayed else self._pin
        oldest = self.oldest
        seconds = [self._filtered(row.second) for row in rows if row.is_timed]
        is_above = bound is not None and any(second > bound for second in seconds)
        is_below = oldest is not None and any(second < oldest for second in seconds)

        def is_out(second: int) -> bool:
            return (bound is not None and second > bound) or (oldest is not None and second < oldest)

        if is_above and self._ignores_before is None:
            self._ignores_before = bool((yield PageRequest(LONG_AGO, None, limit=1)).rows)
            is_shifted = not self._ignores_before
        elif is_below and self._ignores_after is None:
            self._ignores_after = bool((yield PageRequest(None, FAR_AHEAD, limit=1)).rows)
            is_shifted = not self._ignores_after
        else:
            return is_above or is_below
        if is_shifted and self.is_ordered:
            outside = next(row.second for row in rows if row.is_timed and is_out(self._filtered(row.second)))
            yield from self._find_clock(outside, {row.identity for row in rows if row.second == outside}, rows)
        return True

    def _check_account(self) -> PageRequests[None]:
        """Compare what was given with what the server counts, where its clock is not an ordinary one.

        Where it counts more, everything is swept for what was not given.
        """
        given = self.seen + self._resumed
        if not self.is_ordered or (not self._resumed and self.total is not None and given >= self.total):
            return
        oldest = None if self.oldest is None else self.oldest - self.clock.after_margin
        account = yield PageRequest(self.pinned, oldest, limit=1)
        if account.total is None or account.total <= given:
            yield from self._check_former_account(oldest)
            return
        if self._given is None:
            raise self._incomplete(account.total, given, "the server counts more in its time, which is shifted")
        self.is_ordered, self._ended = False, False
        self._is_recount = True
        self._seen_at_newest |= dict.fromkeys(self._given, 0)
        self._sweeps = _Sweeps(self.pinned, oldest, rows_may_arrive=True, patience=PATIENCE_WITH_EVERYTHING)

    def _check_former_account(self, oldest: int | None) -> PageRequests[None]:
        """Compare likewise for the whole walk, where this is the rest of one: what was given before is not known."""
        if self._given_before is None or self._latest is None:
            return
        given = self._given_before + self.seen
        for step in (0, 3600):  # the zone may have had another offset then
            account = yield PageRequest(self.clock.before(self._latest) - step, oldest, limit=1)
            if not account.rows or account.rows[0].second <= self._latest:
                break
        else:
            return
        if account.total is not None and account.total > given:
            raise self._incomplete(account.total, given, "the server counts more in its time, which is shifted")

    @property
    def recounted(self) -> set[str] | None:
        """Where everything is swept once more at the end: the ids of all logs that were given before."""
        return self._given if self._is_recount else None

    # Ranges -----------------------------------------------------------------------------------------------------

    def _search_floor(self, floor: _Floor) -> PageRequests[list[SeenLog]]:
        """Continue with a window that shows the known logs at which a range has to end; the last one did not."""
        self._rest = None
        lower = sorted({at for at in floor.known.values() if at < floor.reach}, reverse=True)
        for second in lower[: MOST_RETREATS if floor.tries else 0]:  # the logs of its last second may be gone
            reply = yield PageRequest(self._before, self.clock.after(second))
            if floor.end_of(reply.rows) is not None or not reply.is_all:
                self._floor = replace(floor, reach=second, tries=floor.tries - 1)
                return (yield from self._take_window(reply))
        known = {identity for identity, at in floor.known.items() if at == floor.second}
        is_right = (yield alone_in(self.clock, floor.second)).shows_alone(floor.second, known)
        if floor.tries and (is_right or (yield from self._find_clock(floor.second, known, ()))):
            self._floor = replace(floor, reach=floor.second, tries=floor.tries - 1)
            return (yield from self._take_window((yield self._window())))
        raise self._incomplete(self.total or 0, self.seen, "two ranges of it do not meet")

    def _check_floor(self, floor: _Floor) -> None:
        # A range that begins with no known log relies on the clock; a margin that only that one has hides nothing.
        before = floor.clock.before(floor.second) - self.clock.before(floor.second)
        if floor.is_bare and before not in {0, floor.clock.before_margin}:
            raise self._incomplete(self.total or 0, self.seen, "two ranges of it do not meet")

    # Seconds that fill a page -------------------------------------------------------------------------------------

    def _read_alone(self, rows: list[SeenLog]) -> list[SeenLog]:
        # The second may have more logs than a page; it is also where a page that is shorter than `total` says (a proxy
        # may cap it) shows whether there is more.
        given = self._give(rows)
        second = rows[-1].second
        self._move_to(second, rows)
        self._sweep_second(second)
        return given

    def _sweep_second(self, second: int) -> _Sweeps:
        rows_may_arrive = self._changes or self._is_young(second)
        alone = alone_in(self.clock, second)
        self._sweeps = _Sweeps(
            alone.before, alone.after, rows_may_arrive=rows_may_arrive, patience=PATIENCE_WITH_A_SECOND
        )
        self._sweeps.is_checked = self._after is None or self._after < (alone.after or 0)
        return self._sweeps

    def _take_sweep(self, sweeps: _Sweeps, reply: Reply) -> PageRequests[list[SeenLog]]:
        if self.is_ordered and self.newest is not None:
            found = yield from self._checked(self.newest, sweeps, reply)
            if found is None:
                return []
            sweeps, reply = found
            if self._take_back_margins(reply.rows):
                return []
            if not reply.is_of_one_second(self.newest) and reply.rows:
                return (yield from self._sweep_instead(reply.rows, is_all=False))
        elif self._take_back_margins(reply.rows):
            return []
        else:
            yield from self._is_outside(reply.rows)
        given = self._give(reply.rows)
        self._seen_at_newest.update((row.identity, row.second) for row in given)
        if self._to_show is not None and any(row.is_timed and row.second >= self._to_show for row in reply.rows):
            self._to_show = None
        if sweeps.completed_by(reply.rows, reply.total):
            self._end_sweeps(sweeps, reply.total or 0)
        elif sweeps.is_stale:
            raise self._incomplete(reply.total or 0, sweeps.seen, sweeps.failure)
        return given

    def _end_sweeps(self, sweeps: _Sweeps, counted: int) -> None:
        if self._to_show is not None and sweeps.largest_total:
            raise self._incomplete(self.total or 0, self.seen, "no log is shown that is as new as those given last")
        if self._to_show is not None and self._empty_responses < MOST_REPEATED_WINDOWS:  # a replica may have none yet
            self._empty_responses, self._sweeps = self._empty_responses + 1, sweeps.narrowed(0, 0)
            return
        self._sweeps, self.is_short = None, self.is_short or sweeps.has_fallen
        if not self.is_ordered or self.newest is None:
            self._ended = True
            return
        self._swept = counted
        if self._rest is not None:
            self._rest -= sweeps.first_total
        self._go_below(self.newest)
        if not counted:
            self._gone, self._rest = self._proven, None  # a replica may lag: a page has to show that they are gone

    def _is_young(self, second: int) -> bool:
        """Whether logs may still appear in a second."""
        return second >= (self._latest or second) - LATENESS

    def _checked(self, second: int, sweeps: _Sweeps, reply: Reply) -> PageRequests[tuple[_Sweeps, Reply] | None]:
        """A page of a second that is swept, and its sweeps; None where the second is gone."""
        if sweeps.were_counted or (sweeps.seen and reply.is_of_one_second(second)):
            # The logs of an empty page were just given: they are not gone before it was empty several times.
            return sweeps, (yield from self._repeated(reply, sweeps.next_request(), 1))
        if reply.shows_alone(second, self._seen_at(second)):
            return sweeps, reply
        found = yield from self._find_second(second, reply)
        if found is not None and not found[1].rows:
            raise self._incomplete(self.total or 0, self.seen, "a second does not show the logs that were given of it")
        return found

    def _repeated(self, reply: Reply, request: PageRequest, least: int) -> PageRequests[Reply]:
        """A page, requested again as long as fewer logs are counted than there were: a replica may lag behind."""
        for _ in range(MOST_REPEATED_PAGES):
            if reply.total is None or reply.total >= least:
                break
            reply = yield request
        return reply

    def _go_below(self, second: int) -> None:
        """Continue below a second that was read alone, so that its place in the filter is known."""
        if self._floor is not None and second == self._floor.second:
            self._check_floor(self._floor)
        self._proven, self._passed = second, self._seen_at_newest
        self._seen_at_newest = {identity: at for identity, at in self._passed.items() if at < second}
        self.newest, self._page = second - 1, ()

    def _find_second(self, second: int, reply: Reply) -> PageRequests[tuple[_Sweeps, Reply] | None]:
        """The sweeps of a second that does not show its known logs, and their first page; None where they are gone."""
        known, self.is_short = self._seen_at(second), True
        self._disputes += 1
        if self._disputes > MOST_RETURNS:
            raise self._incomplete(reply.total or 0, self.seen, "a second shows its logs in some responses only")
        if contradicts_filters(reply, second):
            return self._sweep_second(second), reply  # which is then found not to be of one second
        if self._proven == second:
            for _ in range(MOST_REPEATED_WINDOWS):
                again = yield self._window()
                if again.rows and again.rows[0].second >= second:
                    break
            else:
                self._sweeps = None
                self._go_below(second)
                self._gone, self._swept = second, 0
                return None
        alone = yield alone_in(self.clock, second)
        if not alone.shows_alone(second, known) and (yield from self._find_clock(second, known, self._page)):
            alone = yield alone_in(self.clock, second)
        return self._sweep_second(second), alone

    # Fall back to sweeps ------------------------------------------------------------------------------------------

    def _sweep_instead(
        self, rows: list[SeenLog], *, is_all: bool, everything: bool = False
    ) -> PageRequests[list[SeenLog]]:
        """Continue in no order: the server ignores the time filters, or does not sort, or shows no seam.

        Args:
            rows: what was shown.
            is_all: whether that is all that there is.
            everything: whether to sweep from the start on, as nothing shows where the rest begins for the filter.
        """
        if self.is_part or (everything and self._steps_up):
            raise self._incomplete(self.total or 0, self.seen, "the server sorts and filters some pages and not others")
        self.is_ordered = False
        yield from self._is_outside(rows)
        given = sorted(self._give(rows), key=lambda row: -row.second)
        self._seen_at_newest.update((row.identity, row.second) for row in given)
        before = self._before
        if everything:
            before = None if self._pin_is_displayed else self.pinned
            self._to_show = self.newest if self._is_displayed else None
        self._sweeps = _Sweeps(
            before, self._after, rows_may_arrive=True, patience=PATIENCE_WITH_EVERYTHING, is_strict=everything
        )
        self._ended = is_all
        return given

    # Both -------------------------------------------------------------------------------------------------------

    def _give(self, rows: list[SeenLog]) -> list[SeenLog]:
        given: dict[str, SeenLog] = {}
        bound = None if self._pin_is_displayed or not self._ignores_before else self._pin
        oldest = self.oldest if self._ignores_after else None
        # In no order, what is displayed above the last seam was given before it.
        seam = self.newest if self._is_displayed and not self.is_ordered and not self._is_recount else None
        for row in rows:
            if row.identity in self._seen_at_newest or row.identity in self._untimed_ids or row.identity in given:
                continue
            if not row.is_timed:
                self._untimed_ids.add(row.identity)
            elif (
                (bound is not None and self._filtered(row.second) > bound)
                or (oldest is not None and self._filtered(row.second) < oldest)
                or (seam is not None and row.second > seam)
            ):
                continue
            given[row.identity] = row
        self.seen += len(given)
        if given:
            self._disputes = 0
        if self._given is not None and not self._is_recount:
            self._given |= given.keys()
            if len(self._given) > MOST_KEPT and not self.is_shifted:
                self._given = None
        return list(given.values())

    def _incomplete(self, expected: int, seen: int, reason: str) -> IncompleteWalkError:
        oldest = self.newest if self._sweeps is not None and self.is_ordered else self.oldest
        window = f"from {oldest} to {self.newest} (epoch seconds; None: no bound)"
        return IncompleteWalkError(
            f"GET /workflows/logs: {seen} of {expected} logs seen {window}: {reason}", expected=expected, seen=seen
        )


@dataclass(frozen=True, slots=True)
class _Floor:
    """Where a range ends.

    Attributes:
        second: its last displayed second.
        known: displayed seconds of the logs of the page with which the range below begins, by their ids.
        clock: the clock by which that range begins.
        reach: the displayed second down to which windows reach, lower where the logs of the last one are gone.
        tries: windows that may still be tried.
    """

    second: int
    known: dict[str, int]
    clock: FilterClock
    reach: int
    tries: int = MOST_RETREATS

    @property
    def is_bare(self) -> bool:
        """Whether the range below begins with no log of that page, as all are of the last second of this range."""
        return all(second >= self.second for second in self.known.values())

    @property
    def has_known_logs(self) -> bool:
        """Whether logs of its last second are known."""
        return self.second in self.known.values()

    def end_of(self, rows: list[SeenLog]) -> list[SeenLog] | None:
        """The logs of a window that belong to the range; None where it does not reach the known ones."""
        known = [place for place, row in enumerate(rows) if row.identity in self.known]
        inside = [place for place in known if rows[place].second == self.second]
        if not inside:
            below = rows[known[0]].second if known else None
            return None if below is None else list(takewhile(lambda row: row.second != below, rows))
        end = inside[-1] + 1
        while end < len(rows) and rows[end].second == self.second:
            end += 1
        return rows[:end]


@dataclass(frozen=True, slots=True)
class Ranges:
    """How a walk is split into ranges of seconds, which are read at once and do not overlap.

    Where a range begins is found by requesting a page by its number. That the number is not exact does no harm: what
    counts is the second of the page's first log, which is the oldest second of the range above. The page itself is the
    first page of the range below.

    Attributes:
        newest: latest second of the whole walk, for the filter.
        oldest: earliest second of the whole walk, likewise; None is no bound.
        count: how many ranges there are, the one that is being read included.
        pages: pages in each.
        step: logs of a page that is requested by its number: a few less than fit, as windows overlap by a few logs. The
            last window of a range is then nearly full.
        passed: ranges that are behind already.
        total: logs of the whole walk when it began.
    """

    STEPS: ClassVar[range] = range(88, 99)
    MOST_PAGES_OF_A_RANGE: ClassVar[int] = 10
    """What each worker may read ahead, more or less; it bounds the memory that a walk needs."""

    newest: int
    oldest: int | None
    count: int
    pages: int
    step: int
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
        step = max(cls.STEPS[0], cls.STEPS[-1] - walk.overlap)
        total = min(counted, MOST_PAGES * step)
        # As many for each worker, so that all end at about the same time.
        rounds = max(2, -(-total // (step * workers * cls.MOST_PAGES_OF_A_RANGE)))
        pages = max(3, -(-total // (step * workers * rounds)))
        passed = walk.seen // (step * pages)
        count = -(-total // (step * pages)) - passed
        if count <= 1:
            return None
        walk.is_part = True
        return cls(walk.pinned, walk.oldest, count, pages, step, passed, counted)

    def boundary(self, index: int) -> PageRequest | None:
        """The page with which a range begins; None where there is no such range."""
        if index >= self.count:
            return None
        return PageRequest(self.newest, self.oldest, 1 + (self.passed + index) * self.pages, self.step)

    def boundary_second(self, rows: list[SeenLog], above: WindowWalk) -> int | None:
        """The displayed second down to which the range above a page is to be read; None when the page is none.

        Raises:
            IncompleteWalkError: the page is not sorted, though others were.
        """
        if not rows or steps_up_in(rows):
            return None
        is_too_new = rows[0].second - above.clock.shift > self.newest + (LARGEST_STEP if above.is_shifted else 0)
        if is_too_new or not is_sorted(rows):
            raise IncompleteWalkError(
                "GET /workflows/logs: the server sorts some pages and not others", expected=self.total, seen=above.seen
            )
        # Logs that were deleted during the walk can have shifted a later page above an earlier one.
        return rows[0].second if above.newest is None else min(rows[0].second, above.newest)


class _Sweeps:
    """Reads one window page by page, again and again in other orders, until it is proven that every log was seen.

    The proof is a moment at which the server counted as many logs as are known to have been there: those that were seen
    before that moment and again after it. Then no other log was there. Where no logs can arrive, what is seen after a
    moment was there before.

    Args:
        before: latest second of the window.
        after: earliest second of the window.
        rows_may_arrive: whether logs may appear that were not there when the sweeps began.
        patience: sweeps in a row that may find nothing new.
        is_strict: whether only a moment with the largest total is a proof, as pages may be of a replica that lags.

    Attributes:
        is_checked: whether the window below shows it where all logs seem to be gone and are not.
        has_fallen: whether a total was smaller than the one before.
    """

    def __init__(
        self, before: int | None, after: int | None, *, rows_may_arrive: bool, patience: int, is_strict: bool = False
    ) -> None:
        self._before, self._after = before, after
        self._rows_may_arrive = rows_may_arrive
        self._patience = patience
        self._is_strict = is_strict
        self.is_checked = False
        self.has_fallen = False
        self._alike = 0  # responses in a row that count as many logs
        self._is_odd = False  # whether totals fell and rose again: some pages may be of a replica that lags behind
        # The moments are those of the responses, counted from 0.
        self._totals: list[int | None] = []
        self._found: list[int] = []  # logs that were seen for the first time
        self._change: list[int] = [0]  # by how many more logs are known to have been there than a moment before
        self._last_seen: dict[str, int] = {}
        self._adds_up = False  # whether a whole sweep showed no more logs than were counted
        self._sweep, self._page, self._size = 1, 1, LARGEST_PAGE
        self._stale = 0
        self._begin()

    def narrowed(self, before: int, after: int) -> _Sweeps:
        """Sweeps, from the first on, of a window that is so many seconds shorter at its bounds."""
        bounds = (
            None if self._before is None else self._before - before,
            None if self._after is None else self._after + after,
        )
        again = _Sweeps(
            *bounds, rows_may_arrive=self._rows_may_arrive, patience=self._patience, is_strict=self._is_strict
        )
        again.is_checked = self.is_checked
        return again

    @property
    def is_stale(self) -> bool:
        """Whether further sweeps promise nothing."""
        return self._stale >= self._patience or self._sweep > MOST_SWEEPS or self._size < 1

    @property
    def first_total(self) -> int:
        """The logs that the first page counted."""
        return (self._totals[0] if self._totals else None) or 0

    @property
    def largest_total(self) -> int:
        """The most logs that a page counted."""
        return max((total or 0 for total in self._totals), default=0)

    @property
    def were_counted(self) -> bool:
        """Whether the page before counted logs, or did not count at all."""
        return bool(self._totals) and self._totals[-1] != 0

    @property
    def seen(self) -> int:
        """Logs that were seen, also those that are gone."""
        return len(self._last_seen)

    @property
    def failure(self) -> str:
        """Why the window is not complete."""
        total = self._totals[-1]
        if total is None:
            return "the server does not count them"
        if not self._adds_up:
            return "the pages of a sweep never held as many logs as the server counts"
        if self.seen < total:
            return "sweep after sweep of its pages shows no other log"
        return "at no moment are as many known to have been there as the server counted then"

    def next_request(self) -> PageRequest:
        """The next page of the sweep, or the first one of the next sweep."""
        return PageRequest(self._before, self._after, self._page, self._size)

    def completed_by(self, rows: list[SeenLog], total: int | None) -> bool:
        """Note the response for the page that was requested; whether this completes the window."""
        before = self._totals[-1] if self._totals else total or 1  # a window is not swept before it showed a log
        self._alike += 1
        if total != before:
            rises = (total or 0) > (before or 0)
            self._rows_may_arrive = self._rows_may_arrive or rises
            self._is_odd = self._is_odd or (rises and self.has_fallen)
            self.has_fallen = self.has_fallen or not rises
            self._stale = self._alike = 0
        self._note(rows, total)
        # A proxy may cap the pages: then the sweep continues with pages of that size, the next with smaller.
        if self._page == 1 and 0 < len(rows) < self._size and (total is None or len(rows) < total):
            self._size = len(rows)
        is_last = not rows or (len(rows) < self._size and self._rows >= (total or 0))
        if is_last and total is not None and self._rows <= self._largest_total:
            self._adds_up = True
        # Logs that are gone stay gone; a replica that lags shows them again.
        is_doubtful = self.has_fallen and self._alike < MOST_REPEATED_PAGES and not (self.is_checked and total == 0)
        if self._adds_up and not is_doubtful:
            # One response that is all there is needs no other moment: nothing came between.
            is_all = is_last and self._page == 1 and len(self._shown) == total
            if (is_all and not (self._is_strict or self._is_odd)) or self._is_proven():
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

    def _note(self, rows: list[SeenLog], total: int | None) -> None:
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
        largest = self.largest_total if self._is_strict or self._is_odd else 0
        for total, found, change in zip(self._totals, self._found, self._change, strict=False):  # one change is to come
            seen_twice += change
            known = seen_twice if self._rows_may_arrive else seen_twice + seen_later
            if total is not None and total == known and total >= largest:
                return True
            seen_later -= found
        return False


def alone_in(clock: FilterClock, second: int) -> PageRequest:
    """The page of one displayed second alone."""
    return PageRequest(clock.before(second), clock.after(second))


def page_from(rank: int, newest: int | None, oldest: int | None) -> PageRequest:
    """The page that begins with the log of this rank, counted from the newest, or a little before."""
    limit = 1 if rank < MOST_PAGES else LARGEST_PAGE
    return PageRequest(newest, oldest, min(rank // limit + 1, MOST_PAGES), limit)


def page_around(place: int, largest: int) -> PageRequest:
    """A page, without bounds, that shows the logs on both sides of a place in its window, as many as can be.

    Args:
        place: the logs above it.
        largest: the logs of the largest page that the server returns.
    """

    def margin(limit: int) -> int:
        return min(place % limit, limit - place % limit)

    limit = max(range(largest, max(largest // 2, 1) - 1, -1), key=margin)
    return PageRequest(None, None, page=min(place // limit + 1, MOST_PAGES), limit=limit)


def rows_below(rows: list[SeenLog], second: int) -> list[SeenLog] | None:
    """The logs after those of a second, or of newer ones, on a page that shows both; None where it shows no such."""
    places = [place for place, row in enumerate(rows) if row.is_timed and row.second >= second]
    return rows[places[-1] + 1 :] if places and is_sorted(rows) else None


def contradicts_filters(alone: Reply, second: int) -> bool:
    """Whether a window of one second shows logs of several: then a bound is ignored."""
    seconds = {row.second for row in alone.rows if row.is_timed}
    return len(seconds) > 1 and second in seconds


def hinted_clocks(
    clock: FilterClock, second: int, rows: Iterable[SeenLog], window: Sequence[SeenLog] = ()
) -> Iterator[FilterClock]:
    """Clocks that the logs at hand suggest, other than the present one.

    Args:
        clock: the present one.
        second: the displayed second that it is to be right for.
        rows: logs near that second.
        window: logs of a window that should begin with that second.
    """
    hints: list[int] = []
    estimate = estimated_shift(rows)
    if estimate is not None:
        hints.append(estimate)
    if window and window[0].second != second:  # its first log is the newest one that the filter let through
        hints.append(clock.shift - (second - window[0].second) // QUARTER * QUARTER)
    for shift in dict.fromkeys(hints):
        if shift != clock.shift and abs(shift) <= LARGEST_SHIFT:
            yield replace(clock, shift=shift)


def neighbours(clock: FilterClock) -> list[FilterClock]:
    """The clocks from before or after a zone's change of its offset."""
    return [replace(clock, shift=clock.shift + sign * step) for step in STEPS for sign in (1, -1)]


def find_clock(
    clock: FilterClock, second: int, known: set[str], rows: Iterable[SeenLog] = ()
) -> PageRequests[FilterClock | None]:
    """Search for the clock by which the known logs of a displayed second are in that second.

    Args:
        clock: the present one, which does not show them.
        second: that second.
        known: their ids.
        rows: logs near that second.
    """
    candidates = list(hinted_clocks(clock, second, rows))
    if clock.shift:
        candidates += neighbours(clock)
    candidates += [
        replace(clock, before_margin=before, after_margin=after) for before, after in ((0, 0), (0, 1), (1, 0), (1, 1))
    ]
    for candidate in candidates:
        if candidate != clock:
            alone = yield alone_in(candidate, second)
            if alone.shows_alone(second, known):
                # A replica that lags looks as if a bound were exclusive.
                is_right = candidate.shift == clock.shift and (yield from _is_right(clock, second, known))
                return clock if is_right else candidate
            if candidate.shift != clock.shift and contradicts_filters(alone, second):
                return None
    return (yield from _search_shifts(clock, second, known))


def _is_right(clock: FilterClock, second: int, known: set[str]) -> PageRequests[bool]:
    for _ in range(MOST_REPEATED_WINDOWS):
        if (yield alone_in(clock, second)).shows_alone(second, known):
            return True
    return False


def _search_shifts(clock: FilterClock, second: int, known: set[str]) -> PageRequests[FilterClock | None]:
    def newest_by(shift: int) -> PageRequests[int | None]:
        rows = (yield PageRequest(replace(clock, shift=shift).before(second), None, limit=1)).rows
        return rows[0].second if rows else None

    is_there = False  # whether there are logs so new at all
    for shifts in (OFFSETS, range(-LARGEST_SHIFT, LARGEST_SHIFT, QUARTER), range(-LARGEST_SHIFT, LARGEST_SHIFT)):
        # The greatest shift with which a window still reaches up to the second.
        low, high = 0, len(shifts)
        while high - low > 1:
            middle = (low + high) // 2
            newest = yield from newest_by(shifts[middle])
            if newest is None and not is_there:
                latest = yield from newest_by(-LARGEST_SHIFT)
                if latest is None or latest < second:
                    return None
                is_there = True
            low, high = (low, middle) if newest is None or newest < second else (middle, high)
        candidate = replace(clock, shift=shifts[low])
        if (yield alone_in(candidate, second)).shows_alone(second, known):
            return candidate
    return None


def estimated_shift(rows: Iterable[SeenLog]) -> int | None:
    """The shift that the logs themselves show, where only their own time is shifted, not that of their runs.

    A log is written when its run begins, or soon after. None where they show none, or do not agree.
    """
    shifts: set[int] = set()
    for row in rows:
        begun: object = getattr(getattr(row.log, "workflow_run", None), "created_at", None)
        if row.is_timed and type(begun) is int:
            shifts.add(round((row.second - begun) / QUARTER) * QUARTER)
    shift = shifts.pop() if len(shifts) == 1 else 0
    return shift if 2 * QUARTER <= abs(shift) <= LARGEST_SHIFT else None


def steps_up_in(rows: list[SeenLog]) -> bool:
    """Whether a page is sorted but for one step up: there the server's zone, by which it displays, has changed."""
    steps = [older.second - row.second for row, older in pairwise(rows)]
    up = [step for step in steps if step > 0]
    return len(up) == 1 and up[0] <= LARGEST_STEP and sum(step < 0 for step in steps) > 1


def is_sorted(rows: list[SeenLog]) -> bool:
    """Whether logs come newest first."""
    return all(row.second >= older.second for row, older in pairwise(rows))


def rows_of(page: WorkflowLogPage) -> list[SeenLog]:
    """The logs of a page, each with its second and its identity: an odd log costs neither itself nor the others.

    A log without a usable time gets the second of the next older log that has one, or that of the oldest one.
    """
    logs = list(page.data)
    seconds = [_second(log) for log in logs]
    identities: list[str] = []
    alike: Counter[str] = Counter()
    for log in logs:
        identity, is_its_own = _identity(log)
        identities.append(identity if is_its_own else f"{identity} {alike[identity]}")
        alike[identity] += 1
    rows: list[SeenLog] = []
    usable = next((second for second in reversed(seconds) if second is not None), 0)
    for log, second, identity in zip(reversed(logs), reversed(seconds), reversed(identities), strict=True):
        usable = usable if second is None else second
        rows.append(SeenLog(log, usable, identity, second is not None))
    rows.reverse()
    return rows


def _within_years(second: int) -> int:
    return max(SECONDS.start, min(second, SECONDS.stop - 1))


def _second(log: object) -> int | None:
    second: object = getattr(log, "created_at", None)
    return second if type(second) is int and second in SECONDS else None


def _identity(log: WorkflowLog) -> tuple[str, bool]:
    """What identifies a log, and whether it does: logs without any id may be equal."""
    identity: object = getattr(log, "id", None)
    if isinstance(identity, str):
        return identity, True
    if identity is None:  # all else of a log changes while it runs
        run: object = getattr(log, "workflow_run", None)
        identity = getattr(run, "id", None)
    if identity is not None:
        return json.dumps(identity), True
    return json.dumps(log.to_dict() if hasattr(log, "to_dict") else log, sort_keys=True), False


def _count(page: WorkflowLogPage) -> int | None:
    total: object = page.total
    return total if type(total) is int and total >= 0 else None

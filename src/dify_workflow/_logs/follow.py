"""How the logs are followed: what is new, what has ended since, and when to poll again.

Decisions only: nothing here sends or sleeps. The server has no stream of logs and its listing never reports that a run
has ended: a log changes where it is. So each poll requests everything since a little before the newest log that was
given, and older logs that were unfinished are looked up again, less and less often, until they have ended or are
given up.

Each poll has to show the newest known log. Where it does not, the server's filters see other seconds than it displays
(`_logs.walk.FilterClock`), and the clock is searched for; unless that log was deleted, or a replica lags behind.

Ages count by a monotonic clock within a process and by the server's own time across restarts; this machine's clock,
which may be set, decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, cast

from .._errors import APIResponseError, APIStatusError, DifyError, IncompleteWalkError, InternalServerError
from .._http.config import MOST_SECONDS
from .._http.outages import is_outage
from .._runs import statuses
from . import times
from .filters import log_filters
from .walk import (
    LARGEST_SHIFT,
    LARGEST_STEP,
    SECONDS,
    SMALLEST_STEP,
    STEPS,
    FilterClock,
    PageRequest,
    alone_in,
    estimated_shift,
    find_clock,
    hinted_clocks,
    neighbours,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .filters import LogFilters
    from .times import Time
    from .walk import PageRequests, SeenLog

VERSION: Final = 1
OVERLAP_SECONDS: Final = 30
"""A log gets its time before it can be seen, so that an older one may appear after a newer one; this much older."""
MOST_OVERLAP: Final = 300
"""As much older, at most, where a poll showed that a replica lags behind, which may have hidden such a log."""
AT_ONCE: Final = 1000
"""Logs of a backlog that are read, reversed and returned before the next ones are read."""
SLOWEST: Final = 6
"""While nothing happens the pause between two polls grows up to so many times `poll`."""
LONGEST_OUTAGE_PAUSE: Final = 60.0
LONGEST_RETRY_AFTER: Final = 86_400.0
"""A server that asks for a longer pause than a day is mistaken, and no clock could be set for the longest ones."""
AGE_PART: Final = 10
"""An unfinished log is looked up again after a tenth of its age."""
MOST_MISSES: Final = 8
"""Lookups in a row that do not show a log before it is taken as gone: a response may be of a replica that lags."""
MOST_LOOKUPS: Final = 10
"""Windows of time, of `OVERLAP_SECONDS` at most, in which unfinished logs are looked up in one poll."""
STEP_BACK: Final = 3600
"""Seconds by which displayed times go back where a zone ends its summer time."""
MOST_WITNESSES: Final = 3
"""Seconds before the newest known one by which the clock is proved where the logs of that one are gone."""


@dataclass(slots=True)
class Unfinished:
    """A log that had not ended when its turn came, and may have to be given later.

    Attributes:
        second: displayed second of the log, by which it is found again.
        since: when its turn was, in epoch seconds as the server displays them.
        due: when it is looked up again, by the monotonic clock.
        began: when its turn was, likewise; None until it is first looked at after a restart.
        shift: displayed minus filtered seconds when its turn was, or by which it was looked up last.
        misses: lookups in a row that did not show it.
    """

    second: int
    since: float
    due: float
    began: float | None
    shift: int
    misses: int = 0

    def as_json(self, shift: int) -> list[float]:
        """What a checkpoint keeps of it; `shift` is that of the present clock."""
        if self.shift != shift:
            return [self.second, self.since, self.misses, self.shift]
        return [self.second, self.since, *([self.misses] if self.misses else [])]


@dataclass(frozen=True, slots=True)
class Lookup:
    """A window in which to look up unfinished logs.

    Attributes:
        first: its first displayed second.
        last: its last one.
        shift: displayed minus filtered seconds, as far as is known of these logs.
        missing: those that were not shown yet.
    """

    first: int
    last: int
    shift: int
    missing: dict[str, Unfinished]


class Following:
    """What is known of the logs that are followed.

    Args:
        filters: which logs the caller wants.
        oldest: earliest second to give, inclusive; None gives what arrives from now on.
        poll: seconds between two polls while something happens.
        give_up_after: age in seconds beyond which an unfinished log is not looked up any more.
    """

    def __init__(self, filters: LogFilters, *, oldest: int | None, poll: float, give_up_after: float) -> None:
        self.oldest = oldest
        self.newest: int | None = None
        self.clock = FilterClock()
        self.time_shift: int | None = None
        """Displayed minus true seconds; None before the first page."""
        self.has_begun = oldest is not None
        """Whether it is known where to continue; else the logs that there are now have to be skipped first."""
        self.seen = 0
        """Logs that were given; a log counts again when it is given again."""
        self._filters = filters
        self._in_any_status = filters._replace(status=None)
        self._poll = poll
        self._give_up_after = give_up_after
        self._recent: dict[str, int] = {}
        self._forget_over = AT_ONCE  # known logs beyond which those are forgotten that no window shows again
        # A displayed second at which the clock was that of the second pass of an hour, and logs were of the first one.
        self._first_pass: int | None = None
        self._estimate: int | None = None  # the shift that logs showed last by the times of their runs
        self._newest_true: int | None = None  # true second of the newest log, where the times of runs show it
        self._proved: FilterClock | None = None  # the clock by which a known log was found
        self._held: int | None = None  # displayed second from which on a lagging replica may have hidden logs
        self._known_from: int | None = None  # displayed second from which on all logs are known that were given
        self._reached: dict[str, int] = {}  # seconds that rows of the present look count as of
        self._known_after: int | None = None  # earliest second, for the filter, from which on all shown logs are known
        self._unfinished: dict[str, Unfinished] = {}
        self._whole: tuple[int | None, int | None] | None = None
        self._suspect_second: int | None = None
        self._unproved_second: int | None = None  # the newest known second, where no clock shows a log in it
        self._is_restored = False
        self._has_inclusive_bounds = False  # whether a window showed logs of the seconds of both its bounds
        self._margin = 0
        self._quiet = 0
        self._failures = 0
        self._contradictions = 0

    @property
    def given_filters(self) -> dict[str, str]:
        """The filters as the caller gave them."""
        return self._filters.as_given()

    # What is given ----------------------------------------------------------------------------------------------

    @property
    def window_start(self) -> int | None:
        """Earliest second of the next poll, as the server's filter understands it."""
        if self.newest is None:
            return self.oldest
        margin = self._overlap + max(self._margin, STEP_BACK if self._may_repeat else 0)
        start = self.clock.after(max(self.newest - margin, SECONDS.start))
        if self._newest_true is not None:  # the filter takes a log for an hour later, at most, never for an earlier one
            start = max(min(start, self._newest_true - self._overlap), start - STEP_BACK)
        if self.is_unproved:
            # It may have been displayed by another clock before it was deleted: by the present one, hours ahead.
            earliest = self.oldest if self._known_after is None else self._known_after
            if earliest is None:
                return None
            start = min(start, earliest)
        return start if self.oldest is None else max(start, self.oldest)

    @property
    def _recent_start(self) -> int | None:
        """Earliest displayed second of the known logs that the next poll shows again."""
        if self.newest is None:
            return None
        start = self._late_from
        if not self._is_shifted:
            return start
        # A database session takes both passes of an hour that is displayed twice for the second one: windows show the
        # logs of the first one for an hour, and those of the second one are displayed before them.
        return start - STEP_BACK if self._known_from is None else min(start, max(start - STEP_BACK, self._known_from))

    @property
    def _overlap(self) -> int:
        """Seconds before the newest log's, in which a log may appear that is late."""
        if self._held is None:
            return OVERLAP_SECONDS
        return min(max((self.newest or 0) - self._held, OVERLAP_SECONDS), MOST_OVERLAP)

    @property
    def _late_from(self) -> int:
        """Displayed second from which on a log may appear that is late."""
        return (self.newest or 0) - self._overlap

    @property
    def _is_shifted(self) -> bool:
        return bool(self.time_shift or self.clock.shift) or self._may_repeat

    @property
    def _differs(self) -> bool:
        return self._estimate is not None and self._estimate != self.clock.shift

    @property
    def needs_proof(self) -> bool:
        """Whether the clock is to be proved by the newest known log, as times of runs contradict it."""
        return (self._differs or self._may_repeat) and self._proved != self.clock and not self.is_clock_suspect

    @property
    def _may_repeat(self) -> bool:
        """Whether the hour of the newest known log may be displayed once more."""
        return self._first_pass is not None and (self.newest or 0) <= self._first_pass + 2 * STEP_BACK

    def skip(self, rows: Iterable[SeenLog], newest: int | None) -> None:
        """Note logs that were there before, so that they are not given; `newest` is the newest log's second."""
        self.has_begun = True
        self.newest = newest
        self._known_from = None if newest is None else newest - OVERLAP_SECONDS
        for row in rows:
            self._recent[row.identity] = row.second
            self._note_run_time(row)
        self._forget()

    def news_of(
        self,
        rows: list[SeenLog],
        now: float,
        *,
        is_sorted: bool = True,
        is_beyond: bool = False,
        start: int | None = None,
        is_contradiction: bool = False,
    ) -> list[SeenLog]:
        """Those logs of a poll whose turn it is, oldest first: new ones, and those that have ended since.

        What comes before the newest known log is new, whatever its time. Behind it, the filter may have let through
        more than was requested.

        Args:
            rows: the logs.
            now: the moment, by the monotonic clock.
            is_sorted: whether the server sorts them, the newest first.
            is_beyond: whether they are newer than all that were given, where no known log is among them.
            start: earliest second of the window for the filter, where they are all that is in it.
            is_contradiction: whether the filter obeys that, and logs are displayed before it.
        """
        place = next((place for place, row in enumerate(rows) if row.identity in self._recent), None)
        is_placed = is_sorted and place is not None
        if not is_sorted:
            place = 0  # then no place says whether a log is new
        elif place is None:
            place = len(rows) if is_beyond or self.newest is None else 0
        front = [row for row in rows[:place] if self._is_unknown(row)]
        seconds = self._late_of(rows[place:], is_sorted=is_sorted)
        if self._margin or self._may_repeat or start == self.oldest:
            start = None  # the window begins earlier than it need, and shows what was forgotten
        if is_contradiction and start is not None and self.newest is not None:
            self._note_contradiction(rows[place:], start, seconds, is_placed=is_placed)
        known = self._newest_known()
        if start is not None and (not known or any(row.identity in known for row in rows)):
            self._known_after = start
        late = [row for row in rows[place:] if row.identity in seconds and self._is_unknown(row)]
        # Displayed times may go back, when the zone of a server changes its offset: what is newer by its place counts
        # as of the latest second until then, so that it is known for as long as windows show it.
        self._reached = {row.identity: seconds[row.identity] for row in late}
        reached = self.newest
        for row in reversed(front):
            reached = row.second if reached is None else max(reached, row.second)
            if is_sorted:
                self._reached[row.identity] = reached
        # Those of one second in the order of their places, as of these some may be left to the next poll.
        return _oldest_first([*late, *reversed(front), *self._changed_of(rows, now)], self._reached)

    def _note_contradiction(
        self, rows: Iterable[SeenLog], start: int, late: dict[str, int], *, is_placed: bool
    ) -> None:
        """Note those logs that are displayed before the window's start, and not late.

        Displayed times went back, so that nothing displayed says whether such a log is new. It is where it is not
        behind a known one (`is_placed`), and the poll before would have shown it. It is known from then on, for as long
        as the newest known log is.
        """
        newest = self.newest or 0
        unknown = [row for row in rows if row.identity not in late and self._is_unknown(row)]
        hidden = [row for row in unknown if self.clock.after(row.second) < start]
        if not is_placed and self._known_after is not None and start >= self._known_after:
            late |= {row.identity: newest for row in hidden}
        else:
            self._recent |= {row.identity: newest for row in hidden}

    def _is_unknown(self, row: SeenLog) -> bool:
        return row.identity not in self._recent and row.identity not in self._unfinished

    def _late_of(self, rows: list[SeenLog], *, is_sorted: bool) -> dict[str, int]:
        """Those logs behind the newest known one that may have appeared after it, and the seconds they count as of.

        Above displayed times that went back, older ones count as if they had always been as they are now.
        """
        late: dict[str, int] = {}
        start = self._recent_start
        known = rows[0] if rows and rows[0].identity in self._recent else None
        # What a log's second is by the place of the newest known one, beyond what is displayed.
        more = 0 if known is None or not known.is_timed else self._recent[known.identity] - known.second
        above = self.newest
        for row in rows:
            if row.is_timed and is_sorted and known is not None and above is not None:
                if row.second + more > above + OVERLAP_SECONDS:  # here displayed times went back
                    more -= -(-(row.second + more - above) // SMALLEST_STEP) * SMALLEST_STEP
                elif start is not None and row.second + more < start:
                    step = _step_in(above - row.second - more)
                    recent = self._late_from
                    if start > recent - step:  # else all are known that were given since before the step
                        more, start = more + step, recent if step else start
                above = row.second + more
            if start is None or not row.is_timed or row.second + more >= start:
                # Known by the second that made it late, for as long as windows show it: below that of the newest log.
                second = row.second + more
                late[row.identity] = second if self.newest is None else min(second, max(self.newest - 1, row.second))
            elif self._is_new_by_run(row):
                late[row.identity] = self.newest or row.second
        return late

    def _is_new_by_run(self, row: SeenLog) -> bool:
        """Whether the time of its run shows that a log is of the second pass of an hour, or is late then."""
        shift = estimated_shift([row])
        if self.newest is None or not has_run_time(row) or (shift is None and self._newest_true is None):
            return False
        newest = self.newest - (self._estimate or 0) if self._newest_true is None else self._newest_true
        return row.second - (shift or 0) >= newest - self._overlap

    def _note_run_time(self, row: SeenLog) -> None:
        estimate = estimated_shift([row])
        if estimate is None and self._newest_true is not None and has_run_time(row):
            estimate = 0  # where the times of runs are true, as was seen
        if estimate is None:
            return
        self._newest_true = max(row.second - estimate, self._newest_true or SECONDS.start)
        if estimate != self._estimate:
            self._estimate, self._proved = estimate, None

    def take(self, row: SeenLog, now: float) -> bool:
        """Note that it was a log's turn; whether it is one that the caller wants."""
        matches = self._filters.match(row.log)
        self._note_run_time(row)
        second = self._reached.pop(row.identity, row.second)
        is_later = self.newest is None or second > self.newest
        if row.is_timed and is_later and row.identity not in self._unfinished:
            self.newest, self._margin = second, 0
            self._first_pass = second if self._differs else self._first_pass
            if len(self._recent) > self._forget_over:
                self._forget()
                self._forget_over = max(AT_ONCE, 2 * len(self._recent))
        # A log without a time was seen where the newest log was, or before it.
        second = second if row.is_timed or self.newest is None else self.newest
        self._recent[row.identity] = max(second, self._recent.get(row.identity, second))
        if self._is_settled(row):
            self._unfinished.pop(row.identity, None)
        else:
            since = float(row.second if self.newest is None else self.newest)
            unfinished = self._unfinished[row.identity] = Unfinished(row.second, since, now, now, self.clock.shift)
            unfinished.due = self._next_due(unfinished, now)
        self.seen += matches
        return matches

    def is_unchanged(self, rows: Iterable[SeenLog], start: int | None, total: int | None) -> bool:
        """Whether the first page of a poll proves enough: all was read before, and the logs are as many as then.

        Without this, a crowded second would be read again with each poll for as long as nothing newer arrives.
        """
        return (start, total) == self._whole and all(row.identity in self._recent for row in rows)

    def saw_all(self, start: int | None, total: int | None, *, is_short: bool) -> None:
        """Note that a poll read all logs from `start` on, and how many the server says there are.

        Where a response lacked logs that one before it had (`is_short`), logs may be hidden that are not known: polls
        begin there until all of one was given that has no such response, and the newest known log.
        """
        self._whole = (start, total) if total is not None and not is_short else None
        self._held = self._late_from if is_short else self._held

    def gave_all(self, rows: Iterable[SeenLog], *, is_short: bool) -> None:
        """Note that all of a poll was given; unless `is_short`, its responses lack no logs that ones before had."""
        known = self._newest_known()
        if not is_short and any(row.identity in known for row in rows):
            self._held = None

    def ends_of_parts(self, total: int | None) -> range:
        """Where to part a backlog: the ranks, counted from the newest log, of the last logs of the older parts.

        None for what can be given at once, and none for the newest part, to which logs are still being added.
        """
        self._forget()
        start = self._late_from
        known = sum(1 for second in self._recent.values() if not self._is_shifted or second >= start)
        return range((total or 0) - known - AT_ONCE, 0, -AT_ONCE)

    # The server's clock -----------------------------------------------------------------------------------------

    def _newest_known(self) -> set[str]:
        return {identity for identity, second in self._recent.items() if second == self.newest}

    def adopt(self, clock: FilterClock, estimate: int | None) -> bool:
        """Take over the clock that a poll has found; whether the shift is news."""
        if clock.shift != self.clock.shift:
            self._held = None  # it is a second by the other one
        before, self.clock = self.time_shift, clock
        self.time_shift = clock.shift or estimate or 0
        return bool(self.time_shift) and not before

    def goes_back(self, clock: FilterClock) -> bool:
        """Whether displayed times went back by a clock that a poll has found, and its window begins early enough."""
        return self._known_after is not None and clock.shift < self.clock.shift

    def shows_the_newest(self, rows: Iterable[SeenLog]) -> bool:
        """Whether a poll shows a log of the newest known second, as it has to; or is not expected to."""
        known = self._newest_known()
        return not known or self._suspect_second == self.newest or any(row.identity in known for row in rows)

    def search_clock(self, rows: Iterable[SeenLog]) -> PageRequests[FilterClock | None]:
        """Search for the clock by which the newest known log is in its second.

        None where the present one is right, so that the poll was of an older state, and where none is: then the log was
        deleted, and is not searched for again.
        """
        known, second = self._newest_known(), self.newest
        if second is None:
            return None
        if (yield alone_in(self.clock, second)).shows_alone(second, known):
            self._proved = self.clock
            return None
        for earlier in sorted({at for at in self._recent.values() if at < second}, reverse=True)[:MOST_WITNESSES]:
            if second - earlier >= SMALLEST_STEP:
                break  # displayed times may have gone forward between them
            witnesses = {identity for identity, at in self._recent.items() if at == earlier}
            if (yield alone_in(self.clock, earlier)).shows_alone(earlier, witnesses):
                self._suspect_second = second
                return None
        # A checkpoint may be of before a zone's change of its offset, which is that of UTC now.
        before = [] if self.clock.shift else [replace(self.clock, shift=step) for step in STEPS[:2]]
        for clock in (*hinted_clocks(self.clock, second, rows), *before):
            if (yield alone_in(clock, second)).shows_alone(second, known):
                self._proved = clock
                return clock
        found = self._proved = yield from find_clock(self.clock, second, known)
        if found is None:
            self._suspect_second = self._unproved_second = second
        return found

    @property
    def is_clock_suspect(self) -> bool:
        """Whether no known log shows how the filters relate to displayed times: all recent ones were deleted."""
        return self._suspect_second is not None and self._suspect_second == self.newest

    @property
    def is_unproved(self) -> bool:
        """Whether, in addition, nothing showed by which clock the newest known log was displayed."""
        return self._unproved_second is not None and self._unproved_second == self.newest

    @property
    def has_no_start(self) -> bool:
        """Whether, in addition, no former window shows where the next one has to begin."""
        return self.is_unproved and self._known_after is None

    def search_clock_elsewhere(self) -> PageRequests[FilterClock | None]:
        """Search for the clock by the newest log that there is, where the known ones are gone; None where it is empty.

        The zone may have changed its offset since the newest known log: windows then begin earlier by that much.

        Raises:
            IncompleteWalkError: no clock shows that log in its second, so that new logs may be hidden.
        """
        rows = [row for row in (yield PageRequest(None, None)).rows if row.is_timed]
        if not rows:
            return None
        second = rows[0].second
        known = {row.identity for row in rows if row.second == second}
        found: FilterClock | None = self.clock
        if not (yield alone_in(self.clock, second)).shows_alone(second, known):
            found = yield from find_clock(self.clock, second, known, rows)
        if found is None:
            raise IncompleteWalkError(
                "GET /workflows/logs: the logs of the checkpoint are gone, and nothing shows how the server's time "
                "filters relate to the times that it displays",
                expected=1,
                seen=0,
            )
        self._margin, self._unproved_second = LARGEST_STEP, None
        return found

    def search_step_back(self, rows: list[SeenLog]) -> PageRequests[FilterClock | None]:
        """Search for the clock of the newest logs of a poll in which displayed times went back.

        None where they did not, or the present clock is right for them.
        """
        newest = _before_step_back(rows)
        if not newest:
            return None
        second = newest[0].second
        known = {row.identity for row in newest if row.second == second}
        if (yield alone_in(self.clock, second)).shows_alone(second, known):
            return None
        for step in STEPS:
            clock = replace(self.clock, shift=self.clock.shift - step)
            if (yield alone_in(clock, second)).shows_alone(second, known):
                return clock
        return (yield from find_clock(self.clock, second, known, newest))

    def set_back(self, rows: list[SeenLog], clock: FilterClock) -> None:
        """Continue by the newest logs of a poll in which displayed times went back, and by their clock.

        Args:
            rows: the logs of the poll, all of which were given.
            clock: the clock of those before them.
        """
        back = clock.shift - self.clock.shift
        displayed = {row.identity: row.second for row in _before_step_back(rows)}
        if not displayed and back > 0 and all(row.second < (self.newest or 0) for row in rows):
            # The newest known log was deleted, and with it what was displayed before times went back.
            displayed = {row.identity: row.second for row in rows if row.is_timed}
        if not displayed:
            if back in STEPS[:2]:  # these times may be displayed once more
                self._first_pass = self.newest
            return
        self._recent = {key: displayed.get(key, second - back) for key, second in self._recent.items()}
        self.newest = max(displayed.values())

    # What has not ended -----------------------------------------------------------------------------------------

    def lookup_due(self, now: float) -> Lookup | None:
        """A window in which to look up unfinished logs now: those that wait longest."""
        due = {identity: row for identity, row in self._unfinished.items() if row.due <= now}
        if not due:
            return None
        first = min(due.values(), key=lambda row: (row.due, row.second))
        seconds = range(first.second, first.second + OVERLAP_SECONDS + 1)
        near = {key: row for key, row in due.items() if row.second in seconds and row.shift == first.shift}
        for row in near.values():  # before they are read: what fails must not keep the others waiting
            row.due = self._next_due(row, now)
        return Lookup(first.second, max(row.second for row in near.values()), first.shift, near)

    def clocks_of(self, lookup: Lookup) -> Iterator[FilterClock]:
        """The clocks by which to look up logs, one after the other, until all are shown."""
        clock = replace(self.clock, shift=lookup.shift)
        yield clock
        if not self._has_inclusive_bounds:
            yield clock.with_margins()
        misses = {row.misses for row in lookup.missing.values()}
        may_differ = lookup.shift or self._is_shifted or self._is_restored
        if MOST_MISSES - 1 in misses or (may_differ and 0 in misses):  # the zone's offset may have been another one
            others = (self.clock, *neighbours(clock), *neighbours(self.clock))
            yield from (other for other in dict.fromkeys(others) if other != clock)

    def note_shown(self, rows: Iterable[SeenLog], lookup: Lookup, clock: FilterClock, *, is_exact: bool) -> None:
        """Note which logs that are looked up are shown by a clock, and with no wider bounds (`is_exact`)."""
        if is_exact and {lookup.first, lookup.last} <= {row.second for row in rows}:
            self._has_inclusive_bounds = True
        for row in rows:
            shown = lookup.missing.pop(row.identity, None)
            if shown is not None:
                shown.shift, shown.misses = clock.shift, 0

    def ended_of(self, rows: list[SeenLog], lookup: Lookup, now: float) -> list[SeenLog]:
        """Those logs of a lookup that have ended since their turn, oldest first; logs that are gone are dropped."""
        for identity, unfinished in lookup.missing.items():
            unfinished.misses += 1
            if unfinished.misses >= MOST_MISSES or self._age(unfinished, now) > self._give_up_after:
                self._unfinished.pop(identity, None)
        return _oldest_first(self._changed_of(rows, now))

    def _changed_of(self, rows: Iterable[SeenLog], now: float) -> list[SeenLog]:
        changed: dict[str, SeenLog] = {}  # a log may be in several windows
        for row in rows:
            unfinished = self._unfinished.get(row.identity)
            if unfinished is None:
                continue
            if self._is_settled(row):
                changed[row.identity] = row
            elif self._age(unfinished, now) > self._give_up_after:
                del self._unfinished[row.identity]
            else:
                unfinished.due = self._next_due(unfinished, now)
        return list(changed.values())

    def _is_settled(self, row: SeenLog) -> bool:
        """Whether a log, once its turn was, can be left alone: nothing of it will be wanted later."""
        if self._filters.status is not None and self._filters.match(row.log):
            return True
        return has_ended(row) or not self._in_any_status.match(row.log)

    def _age(self, unfinished: Unfinished, now: float) -> float:
        # By both clocks: the monotonic one, and the server's, which has reached the newest log's second.
        by_server = 0 if self.newest is None else self.newest - unfinished.second
        if unfinished.began is None:
            since = max(unfinished.since, unfinished.second)
            unfinished.began = now - (0 if self.newest is None else max(self.newest - since, 0))
        return max(now - unfinished.began, by_server)

    def _next_due(self, unfinished: Unfinished, now: float) -> float:
        return now + max(self._poll, self._age(unfinished, now) / AGE_PART)

    # When to poll again -----------------------------------------------------------------------------------------

    def pause(self, *, happened: bool) -> float:
        """Seconds until the next poll: `poll` while something happens, longer and longer while nothing does."""
        self._contradictions = 0
        self._quiet = 0 if happened else self._quiet + 1
        return self._poll * min(1 + self._quiet / 2, SLOWEST) if self._quiet else self._poll

    def pause_after_contradiction(self) -> float:
        """Seconds until the next poll after one that did not add up."""
        self._contradictions += 1
        return self._grown(self._contradictions)

    def pause_in_outage(self, error: DifyError) -> float | None:
        """Seconds until the same page is requested again; None when waiting does not help."""
        if not is_outage(error) and not isinstance(error, APIResponseError | InternalServerError):
            return None
        self._failures += 1
        asked = error.retry_after if isinstance(error, APIStatusError) else None
        return max(min(asked or 0.0, LONGEST_RETRY_AFTER), self._grown(self._failures))

    def note_response(self) -> None:
        """Note that a page came: an outage, if there was one, is over."""
        self._failures = 0

    def _grown(self, failures: int) -> float:
        return max(min(self._poll * 2.0 ** min(failures, 16), LONGEST_OUTAGE_PAUSE), self._poll)

    # Checkpoints ------------------------------------------------------------------------------------------------

    def as_json(self) -> dict[str, Any]:
        """The checkpoint: a JSON value that says which filters it belongs to."""
        self._forget()
        # Only a hint: where it is not right any more, windows do not show the newest known log.
        shift: dict[str, Any] = {}
        if self._is_shifted:
            shift = {"shift": self.clock.shift, "first_pass": self._first_pass, "known_from": self._recent_start}
        if self._newest_true is not None:
            shift["newest_true"] = self._newest_true
        if self._known_after is not None:
            shift["known_after"] = self._known_after
        if self._held is not None:
            shift["held"] = self._late_from
        return shift | {
            "version": VERSION,
            "walk": "logs.follow",
            "filters": dict(self._filters.given),
            "has_begun": self.has_begun,
            "oldest": self.oldest,
            "newest": self.newest,
            "recent": dict(self._recent),
            "unfinished": {key: row.as_json(self.clock.shift) for key, row in self._unfinished.items()},
        }

    def restore(self, checkpoint: object) -> None:
        """Continue where a checkpoint stands.

        Raises:
            ValueError: it is not a checkpoint of this SDK, or of other filters.
        """
        filters = dict(self._filters.given)
        value = cast("Mapping[str, Any]", checkpoint if isinstance(checkpoint, dict) else {})
        if value.get("walk") != "logs.follow":
            raise ValueError("checkpoint must be the .checkpoint of logs.follow, as it was or read from JSON")
        if value.get("version") != VERSION:
            raise ValueError(f"checkpoint has version {value.get('version')!r}; this SDK reads version {VERSION}")
        if value.get("filters") != filters:
            raise ValueError(f"checkpoint belongs to the filters {value.get('filters')!r}, not {filters!r}")
        if not isinstance(value.get("has_begun"), bool):
            raise ValueError("checkpoint is damaged: 'has_begun' must be true or false")
        self._is_restored, self.has_begun = True, value["has_begun"]
        self.oldest = _bound(value, "oldest")
        self.newest = _bound(value, "newest")
        self._recent = {
            identity: _second(second, "recent") for identity, second in _entries(value.get("recent"), "recent")
        }
        shift = _shift(value.get("shift", 0), "shift")
        self.clock = FilterClock(shift)
        self._unfinished = {
            identity: _unfinished(place, shift) for identity, place in _entries(value.get("unfinished"), "unfinished")
        }
        self._known_after = _optional(value, "known_after")
        self._first_pass = _optional(value, "first_pass")
        self._newest_true = _optional(value, "newest_true")
        self._held = _optional(value, "held")
        self._known_from = _optional(value, "known_from")
        if self._known_from is None and self.newest is not None:
            self._known_from = self.newest - OVERLAP_SECONDS

    def _forget(self) -> None:
        start, newest = self._recent_start, self.newest
        if start is None or newest is None:
            return
        # Where displayed times went forward, those right before are as recent as they would be without that. Others so
        # old were forgotten before.
        self._recent = {
            identity: second
            for identity, second in self._recent.items()
            if second >= start or any(start <= second + step <= newest for step in STEPS)
        }
        self._known_from = start


def checked_following(
    *,
    keyword: str | None,
    status: str | None,
    created_by_end_user_session_id: str | None,
    created_by_account: str | None,
    version: str | None,
    poll: float,
    give_up_after: float,
    since: Time | None,
    checkpoint: object,
) -> tuple[LogFilters, Following]:
    """The filters of what is followed, and its state; `version` is the server's, None when it is not known yet.

    Raises:
        ValueError: one that cannot be meant, or a checkpoint of other filters.
    """
    for name, seconds in {"poll": poll, "give_up_after": give_up_after}.items():
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= MOST_SECONDS:
            raise ValueError(f"{name} must be seconds over 0, and at most {MOST_SECONDS:g}, got {seconds!r}")
    filters = log_filters(
        keyword=keyword,
        status=status,
        created_at__before=None,
        created_at__after=None,
        created_by_end_user_session_id=created_by_end_user_session_id,
        created_by_account=created_by_account,
        version=version,
    ).with_status_here(status)
    oldest = times.earliest_second("since", since)
    following = Following(filters, oldest=oldest, poll=float(poll), give_up_after=float(give_up_after))
    if checkpoint is not None:
        following.restore(checkpoint)
    return filters, following


def has_ended(row: SeenLog) -> bool:
    """Whether a log will not change any more: its run has ended, or is gone, or nothing could show it."""
    return statuses.has_ended(getattr(row.log, "workflow_run", None))


def has_run_time(row: SeenLog) -> bool:
    """Whether a log has the time of its run."""
    return type(getattr(getattr(row.log, "workflow_run", None), "created_at", None)) is int


def _oldest_first(rows: list[SeenLog], reached: Mapping[str, int] | None = None) -> list[SeenLog]:
    seconds = reached or {}
    return sorted(rows, key=lambda row: seconds.get(row.identity, row.second))


def _step_in(seconds: int) -> int:
    """By how much a zone has changed its offset, perhaps, between two logs that are displayed so many seconds apart."""
    return next((step for step in STEPS if step <= seconds <= step + OVERLAP_SECONDS), 0)


def _before_step_back(rows: list[SeenLog]) -> list[SeenLog]:
    """The newest logs, down to the one above which displayed times went back; none where they did not."""
    timed = [row for row in rows if row.is_timed]
    for number, (row, older) in enumerate(pairwise(timed), 1):
        if older.second > row.second + OVERLAP_SECONDS:
            return timed[:number]
    return []


def _entries(value: object, name: str) -> list[tuple[str, object]]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in cast("dict[object, object]", value)):
        raise ValueError(f"checkpoint is damaged: {name!r} must be an object")
    return list(cast("dict[str, object]", value).items())


def _bound(value: Mapping[str, object], name: str) -> int | None:
    if name not in value:
        raise ValueError(f"checkpoint is damaged: {name!r} is missing")
    return _optional(value, name)


def _optional(value: Mapping[str, object], name: str) -> int | None:
    second = value.get(name)
    return None if second is None else _second(second, name)


def _second(value: object, name: str) -> int:
    # A poll begins a little before it, which must be a time as well.
    if type(value) is not int or value not in SECONDS or value - OVERLAP_SECONDS not in SECONDS:
        raise ValueError(f"checkpoint is damaged: {name!r} must have whole seconds of the years 1 to 9999")
    return value


def _shift(value: object, name: str) -> int:
    if type(value) is not int or abs(value) > LARGEST_SHIFT:
        raise ValueError(f"checkpoint is damaged: {name!r} must be seconds between two time zones")
    return value


def _unfinished(place: object, shift: int) -> Unfinished:
    parts = cast("list[object]", place) if isinstance(place, list) else []
    if len(parts) in {2, 3, 4}:
        second, since, misses, shown = parts + [0, shift][len(parts) - 2 :]
        if isinstance(since, int | float) and 0 <= since < SECONDS.stop and type(misses) is int and misses >= 0:
            at, shown = _second(second, "unfinished"), _shift(shown, "unfinished")
            return Unfinished(at, float(since), float("-inf"), None, shown, misses)
    raise ValueError(
        "checkpoint is damaged: 'unfinished' must have a second, a time, and perhaps a count and a shift for each log"
    )

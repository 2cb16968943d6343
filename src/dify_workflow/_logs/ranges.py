"""Ranges of time that split the logs into disjoint parts of about equal size. Decisions only: nothing here sends.

The logs of one second come in another order on each page, so that a rank names no log. It names a second all the same,
and between two whole seconds any boundary is correct: each log is in exactly one range, whatever arrives or is deleted.
Only the sizes depend on the ranks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from .._errors import IncompleteWalkError
from .filters import TEXT_FILTERS, TIME_FILTERS, filters_from, log_filters
from .log_range import LogRange, moment_of
from .times import text_of_second
from .walk import FilterClock, PageRequest, alone_in, find_clock, page_from

if TYPE_CHECKING:
    from .filters import LogFilters
    from .walk import PageRequests, Reply

MOST_PARTS: Final = 1000


class Plan:
    """Finds the ranges: request what `next_request` names, hand the reply to `accept`, until there is no next request.

    Args:
        filters: which logs the ranges are of.
        parts: how many ranges are wanted.

    Attributes:
        ranges: the result.

    Raises:
        ValueError: `parts` is not a number from 1 to 1000.
    """

    def __init__(self, filters: LogFilters, parts: int) -> None:
        if isinstance(parts, bool) or not isinstance(parts, int) or not 1 <= parts <= MOST_PARTS:
            raise ValueError(f"parts must be an integer from 1 to {MOST_PARTS}, got {parts!r}")
        self.ranges: list[LogRange] = []
        self._filters = filters
        self._parts = parts
        self._requests = self._cut()
        self._pending: PageRequest | None = next(self._requests)

    def next_request(self) -> PageRequest | None:
        """The page to request next; None when the ranges are found."""
        return self._pending

    def accept(self, reply: Reply) -> None:
        """Take the page that was requested.

        Raises:
            IncompleteWalkError: ranges of this server would leave out logs.
        """
        try:
            self._pending = self._requests.send(reply)
        except StopIteration as end:
            self._pending, self.ranges = None, end.value

    def _cut(self) -> PageRequests[list[LogRange]]:
        newest, oldest = self._filters.newest, self._filters.oldest
        first = yield PageRequest(newest, oldest, limit=1)
        if not first.rows and not first.total:
            return []
        total = first.total or 0
        whole = [self._range(oldest, newest, total)]
        if self._parts == 1 or total <= 1 or not first.rows or not first.rows[0].is_timed:
            return whole
        top = first.rows[0]
        clock = yield from self._clock_at(top.second, top.identity, total)
        if clock is None:
            return whole
        latest = clock.before(top.second) if newest is None else min(clock.before(top.second), newest)
        edges: dict[int, int] = {}  # ranks by the second, as the filter understands it, of the log of that rank
        for rank in sorted({part * total // self._parts for part in range(1, self._parts)} - {0}):
            reply = yield page_from(rank, latest, oldest)
            if not reply.rows:
                break  # logs were deleted
            second = clock.before(reply.rows[0].second)
            if reply.rows[0].is_timed and second < latest and (oldest is None or second >= oldest):
                edges.setdefault(second, rank)
        return self._between(latest, sorted(edges.items(), reverse=True), total)

    def _clock_at(self, second: int, identity: str, total: int) -> PageRequests[FilterClock | None]:
        """How the filters see a displayed second; None where that cannot be found out."""
        if (yield alone_in(FilterClock(), second)).shows_alone(second, {identity}):
            return FilterClock()
        clock = yield from find_clock(FilterClock(), second, {identity})
        if clock is not None and (clock.before_margin or clock.after_margin):
            raise IncompleteWalkError(
                "GET /workflows/logs: the server's time filters exclude the bounds themselves, so that ranges would "
                "leave out logs; read them with logs.iter",
                expected=total,
                seen=0,
            )
        return clock

    def _between(self, latest: int, edges: list[tuple[int, int]], total: int) -> list[LogRange]:
        ranges: list[LogRange] = []
        passed = 0
        for second, rank in edges:
            ranges.append(self._range(second + 1, latest, rank - passed))
            latest, passed = second, rank
        return [*ranges, self._range(self._filters.oldest, latest, total - passed)]

    def _range(self, oldest: int | None, newest: int | None, expected: int) -> LogRange:
        texts = tuple(
            (name, text) for name, text in sorted(self._filters.as_given().items()) if name not in TIME_FILTERS
        )
        return LogRange(moment_of(text_of_second(oldest)), moment_of(text_of_second(newest)), max(expected, 0), texts)


def walk_filters(
    log_range: LogRange | None,
    checkpoint: object,
    *,
    version: str | None,
    **given: Any,  # noqa: ANN401 - checked there
) -> LogFilters:
    """The filters of a walk: those given, or those of its range, or, where there are none, of its checkpoint.

    Raises:
        ValueError: one that cannot be meant, or filters beside a range.
    """
    is_continued = checkpoint is not None
    has_filters = any(value is not None for value in given.values())
    if log_range is not None:
        if not isinstance(log_range, LogRange):
            raise ValueError(f"range must be a LogRange of logs.ranges, got {log_range!r}")
        if has_filters:
            names = ", ".join(name for name, value in given.items() if value is not None)
            raise ValueError(f"range has the filters that were given to logs.ranges; {names} must be given there")
        given |= log_range.filters
        given |= {"created_at__after": log_range.created_at__after, "created_at__before": log_range.created_at__before}
    elif is_continued and not has_filters:
        given |= _filters_of(checkpoint)
    return log_filters(**given, version=version, is_continued=is_continued)


def _filters_of(checkpoint: object) -> dict[str, Any]:
    """The filters of a checkpoint; what is none has none, and is refused later."""
    value = cast("Mapping[str, Any]", checkpoint if isinstance(checkpoint, Mapping) else {})
    filters: object = value.get("filters")
    if not filters or value.get("walk") != "logs.iter":
        return {}
    if "verbatim" not in value and not TEXT_FILTERS.isdisjoint({"keyword", "status"} & set(cast("Any", filters))):
        raise ValueError(
            "checkpoint was made by an earlier version, and does not say whether its keyword or status was given as "
            f"Verbatim: give the filters again, {filters!r}"
        )
    return filters_from(filters, value.get("verbatim", []))

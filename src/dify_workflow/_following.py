"""How the logs are followed: what is new, what has ended meanwhile, and when to look again.

Decisions only: nothing here sends or sleeps. The server has no stream of logs and its listing never tells that a run
has ended: a row changes where it is. So each look asks for everything since a little before the newest row that was
given, and rows that were unfinished are looked up again, ever more seldom, until they have ended or are given up on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from ._errors import (
    APIConnectionError,
    APIResponseError,
    DifyError,
    IncompleteWalkError,
    InternalServerError,
    RateLimitError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ._filters import LogFilters
    from ._walks import Row

VERSION: Final = 1
OVERLAP_SECONDS: Final = 30
"""A row gets its time before it can be seen, so that an older one may appear after a newer one; this much older."""
AT_ONCE: Final = 1000
"""Rows of a backlog that are read, turned round and given before the next ones are read."""
SLOWEST: Final = 6
"""While nothing happens the pause between two looks grows up to so many times `poll`."""
LONGEST_OUTAGE_PAUSE: Final = 60.0
AGE_PART: Final = 10
"""An unfinished row is looked up again after a tenth of the time that it is known for."""
ENDED_STATUSES: Final = frozenset({"succeeded", "failed", "stopped", "partial-succeeded"})


@dataclass(slots=True)
class Unfinished:
    """A row that had not ended when it was given.

    Attributes:
        second: second of the row, by which it is found again.
        since: when it was given, in epoch seconds by this machine's clock.
        due: when it is looked up again, likewise.
    """

    second: int
    since: float
    due: float


class Following:
    """What is known of the logs that are followed.

    Args:
        oldest: earliest second to give, inclusive; None gives what arrives from now on.
        poll: seconds between two looks while something happens.
        give_up_after: seconds after which an unfinished row is not looked up any more.
    """

    def __init__(self, *, oldest: int | None, poll: float, give_up_after: float) -> None:
        self.oldest = oldest
        self.newest: int | None = None
        self.has_begun = oldest is not None
        """Whether it is known where to go on; else the rows that there are now have to be skipped first."""
        self._poll = poll
        self._give_up_after = give_up_after
        self._recent: dict[str, int] = {}
        self._unfinished: dict[str, Unfinished] = {}
        self._quiet = 0
        self._failures = 0

    @property
    def window_start(self) -> int | None:
        """Earliest second of the next look."""
        if self.newest is None:
            return self.oldest
        start = self.newest - OVERLAP_SECONDS
        return start if self.oldest is None else max(start, self.oldest)

    def skip(self, rows: Iterable[Row], newest: int | None) -> None:
        """Note rows that were there before, so that they are not given; `newest` is the newest row's second."""
        self.has_begun = True
        self.newest = newest
        self._recent.update((row.identity, row.second) for row in rows)

    def new_of(self, rows: Iterable[Row]) -> list[Row]:
        """Those rows that were not given before, oldest first."""
        return sorted((row for row in rows if row.identity not in self._recent), key=lambda row: row.second)

    def gave(self, row: Row, now: float) -> None:
        """Note that a row was given: a new one, or one that has ended meanwhile."""
        self._unfinished.pop(row.identity, None)
        if row.identity not in self._recent and (self.newest is None or row.second > self.newest):
            self.newest = row.second
            if len(self._recent) > AT_ONCE:
                self._forget()
        self._recent[row.identity] = row.second
        if not has_ended(row):
            self._unfinished[row.identity] = Unfinished(row.second, now, now)

    def windows_due(self, now: float) -> list[tuple[int, int]]:
        """Seconds, from and to, in which unfinished rows are to be looked up now; rows that are too old are dropped."""
        self._forget()
        for identity, row in list(self._unfinished.items()):
            if now - row.since > self._give_up_after:
                del self._unfinished[identity]
        seconds = sorted(row.second for row in self._unfinished.values() if row.due <= now)
        windows: list[tuple[int, int]] = []
        for second in seconds:
            if windows and second - windows[-1][1] <= OVERLAP_SECONDS:
                windows[-1] = windows[-1][0], second
            else:
                windows.append((second, second))
        return windows

    def ended_of(self, rows: Iterable[Row], window: tuple[int, int], now: float) -> list[Row]:
        """Those rows of a window that have ended since they were given, oldest first; the others are due later."""
        found = {row.identity: row for row in rows}
        ended: list[Row] = []
        for identity, unfinished in list(self._unfinished.items()):
            if not window[0] <= unfinished.second <= window[1]:
                continue
            row = found.get(identity)
            if row is None:  # it was deleted
                del self._unfinished[identity]
            elif has_ended(row):
                ended.append(row)
            else:
                unfinished.due = now + max(self._poll, (now - unfinished.since) / AGE_PART)
        return sorted(ended, key=lambda row: row.second)

    def pause(self, *, happened: bool) -> float:
        """Seconds until the next look: `poll` while something happens, longer and longer while nothing does."""
        self._failures = 0
        self._quiet = 0 if happened else self._quiet + 1
        return self._poll * min(1 + self._quiet / 2, SLOWEST) if self._quiet else self._poll

    def pause_after(self, error: DifyError) -> float | None:
        """Seconds until the next look after an outage; None when waiting does not help."""
        helps = (APIConnectionError, APIResponseError, IncompleteWalkError, InternalServerError, RateLimitError)
        if not isinstance(error, helps):
            return None
        self._failures += 1
        asked = error.retry_after if isinstance(error, RateLimitError) else None
        grown = min(self._poll * 2.0 ** min(self._failures, 16), LONGEST_OUTAGE_PAUSE)
        return max(asked or 0.0, grown)

    def as_json(self, filters: LogFilters) -> dict[str, Any]:
        """The checkpoint: a JSON value that says which filters it belongs to."""
        self._forget()
        return {
            "version": VERSION,
            "walk": "logs.follow",
            "filters": dict(filters.given),
            "has_begun": self.has_begun,
            "oldest": self.oldest,
            "newest": self.newest,
            "recent": dict(self._recent),
            "unfinished": {identity: [row.second, row.since] for identity, row in self._unfinished.items()},
        }

    def restore(self, checkpoint: object, filters: LogFilters) -> None:
        """Go on where a checkpoint stands.

        Raises:
            ValueError: it is no checkpoint of this SDK, or of other filters.
        """
        value = cast("Mapping[str, Any]", checkpoint if isinstance(checkpoint, dict) else {})
        if value.get("walk") != "logs.follow":
            raise ValueError("checkpoint must be the .checkpoint of logs.follow, as it was or read from JSON")
        if value.get("version") != VERSION:
            raise ValueError(f"checkpoint has version {value.get('version')!r}; this SDK reads version {VERSION}")
        if value.get("filters") != dict(filters.given):
            raise ValueError(f"checkpoint belongs to the filters {value.get('filters')!r}, not {dict(filters.given)!r}")
        try:
            self.oldest = None if value["oldest"] is None else int(value["oldest"])
            self.newest = None if value["newest"] is None else int(value["newest"])
            self._recent = {str(identity): int(second) for identity, second in value["recent"].items()}
            self._unfinished = {
                str(identity): Unfinished(int(second), float(since), 0.0)
                for identity, (second, since) in value["unfinished"].items()
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError("checkpoint is damaged") from error
        self.has_begun = bool(value.get("has_begun"))

    def _forget(self) -> None:
        start = self.window_start
        if start is not None:
            self._recent = {identity: second for identity, second in self._recent.items() if second >= start}


def has_ended(row: Row) -> bool:
    """Whether a row will not change any more: its run has ended, or is gone."""
    run = row.log.workflow_run
    return run is None or run.finished_at is not None or run.status in ENDED_STATUSES

"""Where a walk is, as a small JSON value from which another process can continue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from .walk import SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .filters import LogFilters
    from .walk import SeenLog

VERSION: Final = 1
NAMES: Final = frozenset(
    {"version", "walk", "filters", "latest", "newest", "oldest", "known", "strays", "seen", "total", "ended"}
)


class Position:
    """The place of a walk after the last log that it passed.

    Attributes:
        latest: the second of the first log that was passed, the newest of the walk; None before it.
        newest: the second of the last one, in epoch seconds as displayed; every newer row was passed. Before the first
            row, the latest second of the walk as the server's filter understands it; None is no bound.
        oldest: earliest second of the walk, as it was when the walk began; None is no bound.
        seen_at_newest: ids of the logs of the second `newest` that were passed: `known` in a checkpoint.
        untimed_ids: ids of logs that were passed and may come again at any second (`strays` in a checkpoint): those
            without a time, and all those of a server that does not sort.
        seen: logs given to the caller.
        total: logs that matched when the walk began; None while that is not known.
        ended: whether every log was given.
        time_shift: displayed minus true seconds as found last; None before the first page. Not part of a checkpoint:
            the walk that continues finds it again.
    """

    __slots__ = ("ended", "latest", "newest", "oldest", "seen", "seen_at_newest", "time_shift", "total", "untimed_ids")

    def __init__(self, *, newest: int | None, oldest: int | None) -> None:
        self.latest: int | None = None
        self.newest = newest
        self.oldest = oldest
        self.seen_at_newest: set[str] = set()
        self.untimed_ids: set[str] = set()
        self.seen = 0
        self.total: int | None = None
        self.ended = False
        self.time_shift: int | None = None

    def passed(self, row: SeenLog, *, is_ordered: bool) -> None:
        """Note that a log was passed, in the order in which logs come; or, unless `is_ordered`, in none."""
        if not is_ordered or not row.is_timed:
            self.untimed_ids.add(row.identity)
            return
        is_first = self.latest is None
        if is_first:
            self.latest = row.second
        if is_first or self.newest is None or row.second < self.newest:
            self.newest, self.seen_at_newest = row.second, {row.identity}
        else:
            self.seen_at_newest.add(row.identity)

    def go_back(self, newest: int | None, known: set[str], passed: Iterable[str]) -> None:
        """Return to where the walk began, as logs before the last one may be missing; `passed` are those that are not.

        Args:
            newest: as the attribute was then.
            known: likewise, `seen_at_newest`.
            passed: ids of all logs that were passed since.
        """
        self.newest, self.seen_at_newest = newest, known
        self.untimed_ids.update(passed)

    def as_json(self, filters: LogFilters) -> dict[str, Any]:
        """The checkpoint: a JSON value that says which filters it belongs to."""
        verbatim = {"verbatim": sorted(filters.verbatim)} if {"keyword", "status"} & filters.given.keys() else {}
        return {
            "version": VERSION,
            "walk": "logs.iter",
            "filters": dict(filters.given),
            **verbatim,
            "latest": self.latest,
            "newest": self.newest,
            "oldest": self.oldest,
            "known": sorted(self.seen_at_newest),
            "strays": sorted(self.untimed_ids),
            "seen": self.seen,
            "total": self.total,
            "ended": self.ended,
        }


def position_from(checkpoint: object, filters: LogFilters) -> Position:
    """The place that a checkpoint stands for.

    Raises:
        ValueError: it is not a checkpoint of this SDK, or of a walk with other filters.
    """
    value = cast("Mapping[str, Any]", checkpoint if isinstance(checkpoint, Mapping) else {})
    if value.get("walk") != "logs.iter":
        raise ValueError("checkpoint must be the .checkpoint of a walk by logs.iter, as it was or read from JSON")
    if value.get("version") != VERSION:
        raise ValueError(f"checkpoint has version {value.get('version')!r}; this SDK reads version {VERSION}")
    if missing := sorted(NAMES - set(value)):
        raise ValueError(f"checkpoint is damaged: {', '.join(missing)} missing")
    if value["filters"] != dict(filters.given):
        raise ValueError(
            f"checkpoint belongs to a walk with the filters {value['filters']!r}, not {dict(filters.given)!r}"
        )
    position = Position(newest=_number(value, "newest", SECONDS), oldest=_number(value, "oldest", SECONDS))
    position.latest = _number(value, "latest", SECONDS)
    position.seen_at_newest = _ids(value, "known")
    position.untimed_ids = _ids(value, "strays")
    position.seen = _number(value, "seen", range(2**63)) or 0
    position.total = _number(value, "total", range(2**63))
    position.ended = value["ended"] is True
    return position


def _number(value: Mapping[str, Any], name: str, allowed: range) -> int | None:
    found: object = value[name]
    if found is not None and (type(found) is not int or found not in allowed):
        raise ValueError(f"checkpoint is damaged: {name!r} must be a whole number in its range, or null")
    return found


def _ids(value: Mapping[str, Any], name: str) -> set[str]:
    found: object = value[name]
    if not isinstance(found, list) or not all(isinstance(identity, str) for identity in cast("list[object]", found)):
        raise ValueError(f"checkpoint is damaged: {name!r} must be a list of ids")
    return set(cast("list[str]", found))

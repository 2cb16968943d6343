"""Where a walk is, as a small JSON value from which another process can go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._filters import LogFilters
    from ._walks import Row

VERSION: Final = 1


class Position:
    """The place of a walk after the last row that it passed.

    Attributes:
        newest: the second of that row, in epoch seconds; every newer row was passed. None before the first row.
        oldest: earliest second of the walk, as it was when the walk began; None is no bound.
        known: ids of the rows of the second `newest` that were passed.
        seen: rows given to the caller.
        total: rows that matched when the walk began; None while that is not known.
        ended: whether every row was given.
    """

    __slots__ = ("ended", "known", "newest", "oldest", "seen", "total")

    def __init__(self, *, newest: int | None, oldest: int | None) -> None:
        self.newest = newest
        self.oldest = oldest
        self.known: set[str] = set()
        self.seen = 0
        self.total: int | None = None
        self.ended = False

    def passed(self, row: Row) -> None:
        """Note that a row was passed, in the order in which rows come."""
        if self.newest is None or row.second < self.newest:
            self.newest, self.known = row.second, {row.identity}
        else:
            self.known.add(row.identity)

    def passed_out_of_order(self, row: Row, newest: int | None) -> None:
        """Note that a row was passed, of those up to `newest` that come in no order: all their ids have to be kept."""
        self.newest = newest
        self.known.add(row.identity)

    def as_json(self, filters: LogFilters) -> dict[str, Any]:
        """The checkpoint: a JSON value that says which filters it belongs to."""
        return {
            "version": VERSION,
            "walk": "logs.iter",
            "filters": dict(filters.given),
            "newest": self.newest,
            "oldest": self.oldest,
            "known": sorted(self.known),
            "seen": self.seen,
            "total": self.total,
            "ended": self.ended,
        }


def position_from(checkpoint: object, filters: LogFilters) -> Position:
    """The place that a checkpoint stands for.

    Raises:
        ValueError: it is no checkpoint of this SDK, or of a walk with other filters.
    """
    value = cast("Mapping[str, Any]", checkpoint if isinstance(checkpoint, dict) else {})
    if value.get("walk") != "logs.iter":
        raise ValueError("checkpoint must be the .checkpoint of a walk by logs.iter, as it was or read from JSON")
    if value.get("version") != VERSION:
        raise ValueError(f"checkpoint has version {value.get('version')!r}; this SDK reads version {VERSION}")
    if value.get("filters") != dict(filters.given):
        raise ValueError(
            f"checkpoint belongs to a walk with the filters {value.get('filters')!r}, not {dict(filters.given)!r}"
        )
    position = Position(newest=_second(value, "newest"), oldest=_second(value, "oldest"))
    known: object = value.get("known")
    if not isinstance(known, list) or not all(isinstance(identity, str) for identity in cast("list[object]", known)):
        raise ValueError("checkpoint is damaged: 'known' must be a list of ids")
    position.known = set(cast("list[str]", known))
    position.seen = _second(value, "seen") or 0
    position.total = _second(value, "total")
    position.ended = value.get("ended") is True
    return position


def _second(value: Mapping[str, Any], name: str) -> int | None:
    found: object = value.get(name)
    if found is not None and (isinstance(found, bool) or not isinstance(found, int)):
        raise ValueError(f"checkpoint is damaged: {name!r} must be a whole number or null")
    return found

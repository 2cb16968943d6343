"""One measured figure, as every benchmark module hands it over."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """What one way of doing a thing took."""

    section: str
    """The table that it belongs to, such as "one page of 100 rows, sync"."""
    way: str
    """Who does it, such as "dify-workflow-sdk, orjson"."""
    values: tuple[float, ...]
    """One for each round; all ways of a section are taken in turn."""
    unit: str
    """Such as "cpu s", "s", "MB", "events/s", "rows lost", "requests"."""
    base: str | None = None
    """The way of the same section that its ratio is taken to."""
    promise: float | None = None
    """The ratio (without a base: the value) that is promised; at most, unless the unit is a rate, then at least."""
    note: str = ""
    """The reason, where a way cannot do it; values is empty then."""

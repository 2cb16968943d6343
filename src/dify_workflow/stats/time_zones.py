"""Days and hours of epoch seconds in a time zone."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

_STRETCH = 21_600  # seconds; no zone changes its offset and changes it back within six hours
_CACHED_STRETCHES = 4096  # of almost three years

_ORDINAL_OF_1970 = 719_163

Hour = tuple[int, int, int]
"""Day as `date.toordinal`, weekday (Monday is 0), hour."""


class TimeZone:
    """A time zone, with its offsets of the days that were used last.

    Args:
        zone: A `tzinfo`, the name of a zone such as "Europe/Berlin", or None: the zone of this machine.

    Raises:
        ValueError: There is no zone of that name on this machine.
    """

    __slots__ = ("_info", "_offsets", "name")

    def __init__(self, zone: tzinfo | str | None) -> None:
        self._info = _found(zone) if isinstance(zone, str) else zone
        self._offsets: dict[int, int | None] = {}
        self.name = _local_name() if self._info is None else str(self._info)

    def hour_of(self, seconds: int) -> Hour:
        """The day, weekday and hour of epoch seconds, on the zone's clocks."""
        stretch = seconds // _STRETCH
        offset = self._offsets.get(stretch)
        if offset is None:
            offset = self._offset(seconds)
            if stretch not in self._offsets:
                self._remember(stretch)
        days, second = divmod(seconds + offset, 86_400)
        return days + _ORDINAL_OF_1970, (days + 3) % 7, second // 3600  # 1970 began on a Thursday

    def _remember(self, stretch: int) -> None:
        """Keep the offset of a stretch of time; None if it changes within."""
        if len(self._offsets) >= _CACHED_STRETCHES:
            self._offsets.clear()
        first, last = self._offset(stretch * _STRETCH), self._offset((stretch + 1) * _STRETCH - 1)
        self._offsets[stretch] = first if first == last else None

    def _offset(self, seconds: int) -> int:
        offset = datetime.fromtimestamp(seconds, UTC).astimezone(self._info).utcoffset() or timedelta()
        return offset // timedelta(seconds=1)


def _found(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"tz: no time zone {name!r} on this machine; give a name such as 'Europe/Berlin' or 'UTC' "
            f"(where the machine has no time zones at all: pip install tzdata)"
        ) from None


def _local_name() -> str:
    name = os.environ.get("TZ", "").lstrip(":")
    if not name:
        try:
            name = str(Path("/etc/localtime").resolve()).rpartition("zoneinfo/")[2]
        except OSError:
            name = ""
    return name if name and not name.startswith("/") else datetime.now().astimezone().tzname() or "local"

"""Rows of a table, made of logs: some hundreds at once, which is faster than one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .. import records

if TYPE_CHECKING:
    from collections.abc import Callable

AT_ONCE: Final = 500
DAY: Final = 86_400
MOST_DAYS: Final = 10_000
"""Days whose texts are remembered."""


class Rows:
    """Rows that are to be written.

    Args:
        details: whether the logs come with the details of their runs.
        apps: whether the name of the app is the first column.
        time: what makes the value of a time from epoch seconds, unless that is these.
    """

    def __init__(self, *, details: bool, apps: bool = False, time: Callable[[int], Any] | None = None) -> None:
        self._details = details
        self._apps = apps
        self._time = time
        self._logs: list[Any] = []
        self._app: str | None = None
        self._rows: list[list[Any]] = []

    def add(self, app: str | None, log: Any) -> None:  # noqa: ANN401 - a server may send anything as a log
        """Take a log."""
        if app != self._app:
            self._convert()
            self._app = app
        self._logs.append(log)
        if len(self._logs) >= AT_ONCE:
            self._convert()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._logs) + len(self._rows)

    @property
    def ready(self) -> list[list[Any]]:
        """The rows."""
        self._convert()
        return self._rows

    def clear(self) -> None:
        """Forget the rows, which were written."""
        self._rows = []

    def _convert(self) -> None:
        logs, self._logs = self._logs, []
        if not logs:
            return
        if self._details:
            rows = records.rows_of([log.log for log in logs], self._time)
            rows = [[*row, *records.details_of(log)] for row, log in zip(rows, logs, strict=True)]
        else:
            rows = records.rows_of(logs, self._time)
        self._rows += [[self._app, *row] for row in rows] if self._apps else rows


_days: dict[int, str] = {}


def time_text(second: int) -> str:
    """A time as ISO 8601 text, for targets that have no type for it."""
    day, rest = divmod(second, DAY)
    text = _days.get(day)
    if text is None:
        from datetime import date, timedelta  # noqa: PLC0415 - loaded when needed

        if len(_days) >= MOST_DAYS:
            _days.clear()
        text = _days[day] = (date(1970, 1, 1) + timedelta(days=day)).isoformat()
    return f"{text}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"

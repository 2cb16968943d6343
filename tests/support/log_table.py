"""The server's table of logs in plain Python: it gives the pages that a walk requests, without HTTP.

    table = LogTable([(1_790_000_000, 350), (1_790_000_001, 3)])
    page = table.page(PageRequest(before=None, after=None))

It responds as a measured server does: newest first, rows of one second in an order that depends on the page's size, its
offset and the window, both bounds inclusive, `total` of the window. `Faults` are what other servers and proxies may do;
`before_request` is the place to change rows between two pages.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dify_workflow.models import WorkflowLog, WorkflowLogPage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dify_workflow._logs.walk import PageRequest

PRIME = 2**31 - 1


@dataclass(frozen=True)
class ServerFaults:
    """What a server or a proxy may do wrong."""

    ignores_before: bool = False
    ignores_after: bool = False
    total: Callable[[int], Any] = lambda true: true
    has_more: bool | None = None
    cap: int | None = None
    """Rows of the largest page."""
    cuts: bool = False
    """Whether larger pages are cut to `cap`; else a larger `limit` is taken for `cap`."""
    order: str = "descending"
    """Or "ascending", or "unsorted"."""
    ignores_page: bool = False
    name: str = ""

    def __str__(self) -> str:
        return self.name or ", ".join(
            f"{name}={value}" for name, value in vars(self).items() if value != getattr(ServerFaults, name)
        )


FAULTLESS = ServerFaults()

ODD_FORMS: dict[str, Callable[[str, int], Any]] = {
    "null": lambda key, second: None,
    "number": lambda key, second: int(key),
    "text": lambda key, second: f"row {key}",
    "list": lambda key, second: [key],
    "no id": lambda key, second: {"workflow_run": {"id": key}, "created_at": second},
    "no id and no run": lambda key, second: {"created_at": second, "details": key},
    "id is a number": lambda key, second: {"id": int(key), "created_at": second},
    "no time": lambda key, second: {"id": key},
    "time is null": lambda key, second: {"id": key, "created_at": None},
    "time is text": lambda key, second: {"id": key, "created_at": str(second)},
    "time is a float": lambda key, second: {"id": key, "created_at": second + 0.5},
    "time is true": lambda key, second: {"id": key, "created_at": True},
    "time in milliseconds": lambda key, second: {"id": key, "created_at": second * 1000},
    "time is huge": lambda key, second: {"id": key, "created_at": 10**40},
    "run is text": lambda key, second: {"id": key, "created_at": second, "workflow_run": "gone"},
}
"""What may stand in the place of a row, by key (digits) and second."""


@dataclass(frozen=True)
class TableRow:
    """One row: its key is digits, and stands for it in every comparison."""

    key: str
    second: int
    log: WorkflowLog = field(repr=False)
    tie: int


class LogTable:
    """The table, and every request that it responded to.

    Args:
        crowds: seconds, and how many rows each has.
        odd: forms of rows by their number, counted from 0 in the order in which they are added.
        before_request: called with the number of each request, counted from 1, before it is responded to.
    """

    def __init__(
        self,
        crowds: Iterable[tuple[int, int]] = (),
        *,
        faults: ServerFaults = FAULTLESS,
        odd: dict[int, str] | None = None,
        statuses: tuple[str, ...] = ("succeeded",),
        before_request: Callable[[int], object] | None = None,
    ) -> None:
        self.faults = faults
        self.before_request = before_request
        self.requests: list[PageRequest] = []
        self.rows: dict[str, TableRow] = {}
        self.deleted: set[str] = set()
        self.seconds_ever: dict[str, int] = {}
        """The second of each row that there ever was, by its key."""
        self._odd = odd or {}
        self._statuses = statuses
        self._made = 0
        self._crowds: dict[int, list[TableRow]] = {}
        self._seconds: list[int] = []
        for second, count in crowds:
            self.add(second, count)

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, second: int, count: int = 1) -> list[str]:
        """Add rows to a second; their keys."""
        added = [self._make(second) for _ in range(count)]
        if added and second not in self._crowds:
            self._crowds[second] = []
            insort(self._seconds, second)
        for row in added:
            self._crowds[second].append(row)
            self.rows[row.key] = row
            self.seconds_ever[row.key] = second
        return [row.key for row in added]

    def delete(self, keys: Iterable[str]) -> None:
        """Delete rows; those that are gone already do no harm."""
        for key in list(keys):
            row = self.rows.pop(key, None)
            if row is not None:
                self.deleted.add(key)
                self._crowds[row.second].remove(row)

    def keys(self, newest: int | None = None, oldest: int | None = None) -> set[str]:
        """The keys of the rows within these seconds."""
        return {
            row.key
            for row in self.rows.values()
            if (newest is None or row.second <= newest) and (oldest is None or row.second >= oldest)
        }

    def crowd(self, second: int) -> list[str]:
        """The keys of the rows of a second."""
        return [row.key for row in self._crowds.get(second, ())]

    def page(self, request: PageRequest) -> WorkflowLogPage:
        """Respond to a request."""
        self.requests.append(request)
        if self.before_request is not None:
            self.before_request(len(self.requests))
        faults = self.faults
        before = None if faults.ignores_before else request.before
        after = None if faults.ignores_after else request.after
        limit = request.limit if faults.cap is None or faults.cuts else min(request.limit, faults.cap)
        offset = 0 if faults.ignores_page else (request.page - 1) * limit
        shuffle = 1 + zlib.crc32(f"{limit} {offset} {before} {after}".encode()) % (PRIME - 1)
        low = 0 if after is None else bisect_left(self._seconds, after)
        high = len(self._seconds) if before is None else bisect_right(self._seconds, before)
        seconds = self._seconds[low:high]
        total = sum(len(self._crowds[second]) for second in seconds)
        if faults.order == "unsorted":
            rows = sorted((row for second in seconds for row in self._crowds[second]), key=lambda row: row.tie)
            shown = rows[offset : offset + limit]
        else:
            shown = self._slice(seconds if faults.order == "ascending" else seconds[::-1], offset, limit, shuffle)
        shown = shown[: faults.cap]
        return WorkflowLogPage(
            page=request.page,
            limit=limit,
            total=faults.total(total),
            has_more=total > offset + limit if faults.has_more is None else faults.has_more,
            data=[row.log for row in shown],
        )

    def _slice(self, seconds: list[int], offset: int, limit: int, shuffle: int) -> list[TableRow]:
        shown: list[TableRow] = []
        for second in seconds:
            crowd = self._crowds[second]
            if offset >= len(crowd):
                offset -= len(crowd)
                continue
            ordered = crowd if len(crowd) == 1 else sorted(crowd, key=lambda row: row.tie * shuffle % PRIME)
            shown += ordered[offset : offset + limit - len(shown)]
            offset = 0
            if len(shown) >= limit:
                break
        return shown

    def _make(self, second: int) -> TableRow:
        number = self._made
        self._made += 1
        key = str(1_000_000 + number)
        form = self._odd.get(number)
        if form is not None:
            value = ODD_FORMS[form](key, second)
            log = WorkflowLog.from_dict(value) if isinstance(value, dict) else value
            key = key_of(log)
        else:
            status = self._statuses[number % len(self._statuses)]
            log = _log(key, second, status)
        return TableRow(key, second, log, 1 + zlib.crc32(str(number).encode()) % (PRIME - 1))


@lru_cache(maxsize=50_000)
def _log(key: str, second: int, status: str) -> WorkflowLog:
    run = {"id": f"run-{key}", "status": status}
    return WorkflowLog.from_dict({"id": key, "workflow_run": run, "created_at": second})


def key_of(log: Any) -> str:
    """The key of a row that was given."""
    if isinstance(log, WorkflowLog):
        identity = log.id or (log.workflow_run.id if log.workflow_run else log.details)
        return str(identity)
    return str(log[0] if isinstance(log, list) else log).removeprefix("row ")

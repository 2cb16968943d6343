"""The servers that the benchmark of walks reads.

Usage: log_server.py sandbox 602|25000
       log_server.py synthetic ROWS LATENCY   (latency in seconds)

`sandbox` is the project's sandbox with 602 rows, up to 21 in one second, or 25,000 rows, 350 in one second.
`synthetic` generates its logs, three to a second, as cheaply as it can, and serves windows, pages, totals and changing
ties as a real server does.
"""

from __future__ import annotations

import asyncio
import random
import sys
import zlib
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from loopback import KEY, Responding, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_workflow.testing import LogRow

NOW: Final = 1_790_000_000
A_SECOND: Final = 3

ROW: Final = (
    '{"id": "00000000-0000-4000-8000-%012d", "workflow_run": {"id": "00000000-0000-4000-9000-%012d", "version": '
    '"2026-09-20 21:52:44.948869", "status": "succeeded", "triggered_from": "app-run", "error": null, "elapsed_time": '
    '1.25, "total_tokens": 120, "total_steps": 3, "created_at": %d, "finished_at": %d, "exceptions_count": 0}, '
    '"details": null, "created_from": "service-api", "created_by_role": "end_user", "created_by_account": null, '
    '"created_by_end_user": {"id": "00000000-0000-4000-a000-000000000001", "type": "service-api", "is_anonymous": '
    'false, "session_id": "user-1"}, "created_at": %d}'
)


def rows_like_a_real_servers(kind: str) -> Iterator[LogRow]:
    """602 rows in bursts of up to 21; or 25,000 over 60 days, of which 350 share one second."""
    from dify_workflow.testing import new_log

    chance = random.Random(7)  # noqa: S311 - the same rows each time, no secrets
    count, second = int(kind), NOW
    crowd = 350 if count > 350 * 2 else 0
    made = 0
    while made < count - crowd:
        second -= chance.randint(1, 400)
        for _ in range(min(chance.choice([1, 1, 1, 2, 3, 5, 8, 21]), count - crowd - made)):
            made += 1
            yield new_log(created_at=second)
    for _ in range(crowd):
        yield new_log(created_at=NOW - 1_000_000)


class Synthetic:
    """A number of generated logs."""

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def respond(self, target: str) -> bytes:
        """The page that a target asks for."""
        query = dict(parse_qsl(target.partition("?")[2]))
        before, after = (_second(query.get(f"created_at__{bound}")) for bound in ("before", "after"))
        first = 0 if before is None else max(0, (NOW - before) * A_SECOND)
        end = self._rows if after is None else min(self._rows, (NOW - after + 1) * A_SECOND)
        page, limit = int(query.get("page", "1")), int(query.get("limit", "20"))
        # Rows of one second come in an order that differs from query to query, as a database returns them that is asked
        # to sort by the second: a row may be on the end of one page, and again on the next in the place of another.
        shift = zlib.crc32(f"{before} {after} {page} {limit}".encode())
        places = range(first + (page - 1) * limit, max(first, min(end, first + page * limit)))
        data = ", ".join([_row(self._number(place, shift)) for place in places])
        total = max(0, end - first)
        more = "true" if total > page * limit else "false"
        body = f'{{"page": {page}, "limit": {limit}, "total": {total}, "has_more": {more}, "data": [{data}]}}\n'
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return (head + body).encode("ascii")

    def _number(self, place: int, shift: int) -> int:
        begin = place - place % A_SECOND
        return begin + (place + shift) % min(A_SECOND, self._rows - begin)


@lru_cache(maxsize=200_000)  # made once, of that many at least
def _row(number: int) -> str:
    created_at = NOW - number // A_SECOND
    return ROW % (number, number, created_at, created_at + 1, created_at)


def _second(text: str | None) -> int | None:
    return None if text is None else int(datetime.fromisoformat(text).timestamp())


def main(arguments: list[str]) -> None:
    """Serve what is requested."""
    if arguments[0] == "sandbox":
        from dify_workflow.testing import Sandbox

        with Sandbox(rows=0, api_key=KEY) as sandbox:
            sandbox.add_logs(rows_like_a_real_servers(arguments[1]))
            print(sandbox.base_url, flush=True)
            sys.stdin.read()
    else:
        rows = Synthetic(int(arguments[1]))
        asyncio.run(serve(lambda: Responding(rows.respond, float(arguments[2]))))


if __name__ == "__main__":
    main(sys.argv[1:])

"""The servers that the benchmark of walks reads, each in a process of its own.

Usage: log_server.py sandbox 602|25000
       log_server.py synthetic ROWS LATENCY   (latency in seconds)

It prints its address; it ends when its standard input is closed.

`sandbox` is the project's sandbox with 602 rows, up to 21 in one second, or 25,000 rows, 350 in one second.
`synthetic` makes up its rows, three to a second, as cheaply as it can, and answers windows, pages, totals and changing
ties as a real server does.
"""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import zlib
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from dify_workflow.testing import LogRow, Sandbox, new_log

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY: Final = "app-benchmark"
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


class Synthetic(asyncio.Protocol):
    """One connection to the rows that are made up."""

    def __init__(self, rows: int, latency: float) -> None:
        self.rows = rows
        self.latency = latency
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what the answers are written to."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP connection is one
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each complete request, after the latency; none of them has a body."""
        *requests, self.received = (self.received + data).split(b"\r\n\r\n")
        for request in requests:
            target = request.split(b" ", 2)[1].decode("ascii")
            answer = self.answer(dict(parse_qsl(target.partition("?")[2])))
            asyncio.get_running_loop().call_later(self.latency, self.transport.write, answer)

    def answer(self, query: dict[str, str]) -> bytes:
        """The page that a query asks for."""
        before, after = (_second(query.get(f"created_at__{bound}")) for bound in ("before", "after"))
        first = 0 if before is None else max(0, (NOW - before) * A_SECOND)
        end = self.rows if after is None else min(self.rows, (NOW - after + 1) * A_SECOND)
        page, limit = int(query["page"]), int(query["limit"])
        shift = zlib.crc32(f"{before} {after} {page} {limit}".encode()) % A_SECOND
        places = range(first + (page - 1) * limit, max(first, min(end, first + page * limit)))
        data = ", ".join([_row(place, shift) for place in places])
        total = max(0, end - first)
        more = "true" if total > page * limit else "false"
        body = f'{{"page": {page}, "limit": {limit}, "total": {total}, "has_more": {more}, "data": [{data}]}}\n'
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return (head + body).encode("ascii")


def _row(place: int, shift: int) -> str:
    second = place // A_SECOND
    number = second * A_SECOND + (place + shift) % A_SECOND
    created_at = NOW - second
    return ROW % (number, number, created_at, created_at + 1, created_at)


def _second(text: str | None) -> int | None:
    return None if text is None else int(datetime.fromisoformat(text).timestamp())


async def serve_synthetic(rows: int, latency: float) -> None:
    """Serve until standard input is closed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Synthetic(rows, latency), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    ended = asyncio.Event()

    def wait_for_the_end_of_input() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait_for_the_end_of_input, daemon=True).start()
    await ended.wait()


def main(arguments: list[str]) -> None:
    """Serve what is asked for."""
    if arguments[0] == "sandbox":
        with Sandbox(rows=0, api_key=KEY) as sandbox:
            sandbox.add_logs(rows_like_a_real_servers(arguments[1]))
            print(sandbox.base_url, flush=True)
            sys.stdin.read()
    else:
        asyncio.run(serve_synthetic(int(arguments[1]), float(arguments[2])))


if __name__ == "__main__":
    main(sys.argv[1:])

"""A server that answers every request with one recorded page of 100 logs, as cheaply as it can.

Usage: page_server.py   (prints its address; ends when its standard input is closed)

It runs in a process of its own, so that its work is not counted as the client's.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from pathlib import Path

RECORDING = Path(__file__).resolve().parent.parent / "tests" / "recordings" / "logs-bulk-page-1_limit-100.json"


def page() -> bytes:
    """The body of the recorded page."""
    recording = json.loads(RECORDING.read_text("utf-8"))
    return str(recording["response"]["body"]).encode("ascii")


class Answer(asyncio.Protocol):
    """One connection: the same answer after each request's empty line."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what the answers are written to."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP connection is one
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each complete request; none of them has a body."""
        *requests, self.received = (self.received + data).split(b"\r\n\r\n")
        for _ in requests:
            self.transport.write(self.answer)


async def serve() -> None:
    """Serve until standard input is closed."""
    body = page()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    answer = head.encode() + body
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answer(answer), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    ended = asyncio.Event()

    def wait_for_the_end_of_input() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait_for_the_end_of_input, daemon=True).start()
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(serve())

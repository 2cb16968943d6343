"""Servers on loopback, each in a process of its own, so that its work is not counted as the client's.

A server prints its address when it is ready, and ends when its standard input is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

KEY: Final = "app-benchmark"
RECEIVED_BYTES: Final = 1 << 16
LIMIT: Final = "a socket and orjson"
"""A way without an HTTP library, which checks nothing: the least that any client in Python could take."""
LIMIT_NOTE: Final = "the limit: no HTTP library, no check of anything, plain values"


@contextlib.contextmanager
def server(script: str, *arguments: object) -> Iterator[str]:
    """A server of this folder; its address, which ends in "/v1"."""
    command = [sys.executable, str(Path(__file__).with_name(script)), *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout  # noqa: S101 - it was requested
        try:
            yield process.stdout.readline().strip()
        finally:
            process.communicate()  # closes its input, which ends it


class Connected(asyncio.Protocol):
    """One connection, which can be written to."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what the responses are written to."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP connection is one
        self._transport = transport


class Responding(Connected):
    """One connection, each request of which, having no body, is responded to after its empty line.

    Args:
        response: the whole response to a request's target, such as "/v1/workflows/logs?limit=100".
        latency: seconds before a response.
    """

    def __init__(self, response: Callable[[str], bytes], latency: float = 0) -> None:
        self._response = response
        self._latency = latency
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Respond to each complete request."""
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        for request in requests:
            response = self._response(request.split(b" ", 2)[1].decode("ascii"))
            if self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._transport.write, response)
            else:
                self._transport.write(response)


class RawConnection:
    """A connection without an HTTP library: what is left when a client does nothing but send and receive.

    Args:
        address: of the server.
        path: below it.
        body: of each request; a GET has none.
        kind: its content type.
        size: its bytes, where they are sent by the caller.
    """

    def __init__(
        self, address: str, path: str, body: bytes = b"", kind: str = "application/json", size: int = 0
    ) -> None:
        host, _, port = address.split("/")[2].partition(":")
        self.socket = socket.create_connection((host, int(port)))
        method = "POST" if body or size else "GET"
        length = f"Content-Type: {kind}\r\nContent-Length: {size or len(body)}\r\n" if method == "POST" else ""
        target = f"/{address.split('/', 3)[3]}{path}"
        head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {KEY}\r\n{length}\r\n"
        self.request = head.encode("ascii") + body

    def respond(self) -> bytes:
        """The body of the response to one more request, as it was announced."""
        self.socket.sendall(self.request)
        return self.received()

    def received(self) -> bytes:
        """The body of a response to a request that was sent."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.socket.recv(RECEIVED_BYTES)
        head, _, content = data.partition(b"\r\n\r\n")
        parts, missing = [content], content_length(head) - len(content)
        while missing > 0:
            parts.append(self.socket.recv(RECEIVED_BYTES))
            missing -= len(parts[-1])
        return b"".join(parts)


def content_length(head: bytes) -> int:
    """Bytes of the body that follows the head of a request."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def serve(connection: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None = None) -> None:
    """Serve until standard input is closed."""
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(connection, "127.0.0.1", 0, ssl=tls)
    scheme = "http" if tls is None else "https"
    print(f"{scheme}://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1", flush=True)
    ended = asyncio.Event()

    def wait_for_the_end_of_input() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait_for_the_end_of_input, daemon=True).start()
    await ended.wait()

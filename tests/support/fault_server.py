"""A server that misbehaves on purpose, on loopback: what the facade's fault tests talk to.

    with FaultServer(reset(), response(200, b"{}")) as server:
        ...                                  # the first request is cut off, every later one is responded to
    assert len(server.requests) == 2

One behaviour is played per request, in order; the last one repeats. The server notes what reached it, so that a test
can say how often a request was sent and what it carried. It never keeps a key: of `Authorization` it remembers only
whether it was there and whether it was the expected one.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

KEY = "app-distinctive-KEY-7f3e9a51c2"
"""The key that the tests' clients use: a text that occurs nowhere by chance."""

JSON = "application/json"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class ReceivedRequest:
    """One complete request, as it arrived."""

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    authorization: Literal["expected", "other", "absent"]
    carries_key: bool
    """True when the key stands anywhere in the request, in whatever header, path or body."""
    connection: int
    """Which connection it came on, counted from 1."""


@dataclass(frozen=True)
class Behaviour:
    """What the server does with one request, or (`on_accept`) with one connection before anything is read from it."""

    name: str
    play: Callable[[Exchange], Awaitable[None]] = field(repr=False)
    on_accept: bool = False
    on_head: bool = False
    """True when it reads the request's body itself."""


class Exchange:
    """The server's end of one connection while a behaviour plays."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.request: ReceivedRequest | None = None
        """What is being responded to; None where nothing was read yet."""

    async def body(self) -> AsyncIterator[bytes]:
        """The body of a request of which only the head was read, in pieces."""
        assert self.request is not None
        left = int(self.request.headers["content-length"])
        while left:
            piece = await self._reader.read(min(left, 1 << 16))
            if not piece:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(piece)
            yield piece

    async def send(self, data: bytes) -> None:
        """Send bytes; a client that has gone away ends the behaviour quietly (`ConnectionError`)."""
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        """End the connection in the orderly way (FIN)."""
        self._writer.close()

    def reset(self) -> None:
        """End the connection with RST, as a crashed process or a firewall does."""
        linger_for_nothing = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_nothing)
        self._writer.transport.abort()

    async def wait_for_client_to_leave(self) -> None:
        """Wait until the client closes its end."""
        while await self._reader.read(65536):
            pass


class FaultServer:
    """The server: a context manager that listens on a free port and stops without leaving a thread behind."""

    def __init__(
        self, *behaviours: Behaviour, host: str = "127.0.0.1", key: str = KEY, tls: ssl.SSLContext | None = None
    ) -> None:
        self.requests: list[ReceivedRequest] = []
        self.connections = 0
        self.open_connections = 0
        self.most_open_connections = 0
        self._behaviours = list(behaviours)
        self._host = host
        self._key = key
        self._tls = tls
        self._port = 0
        self._ready = threading.Event()
        self._change = threading.Condition()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="fault-server", daemon=True)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{self._host}:{self._port}"

    @property
    def base_url(self) -> str:
        """What a client is given as `base_url`."""
        return f"{self.origin}/v1"

    def wait_for_no_connection(self, seconds: float = 5.0) -> bool:
        """Wait until every connection has been closed on both ends; False when that did not happen in time."""
        with self._change:
            return self._change.wait_for(lambda: self.open_connections == 0, seconds)

    def wait_for_requests(self, count: int, seconds: float = 5.0) -> None:
        """Wait until as many requests have been read: a busy server reads them after their clients have given up."""
        deadline = time.monotonic() + seconds
        while len(self.requests) < count and time.monotonic() < deadline:
            time.sleep(0.002)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the fault server did not start")
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        if self._thread.is_alive():
            raise RuntimeError("the fault server did not stop")

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, self._host, 0, limit=1 << 20, ssl=self._tls)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        # A connection that was just accepted begins to be served, and can be closed: asyncio leaves its socket open
        # when the server is closed before that.
        await self._turns()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._turns()  # transports that were aborted close their sockets

    @staticmethod
    async def _turns() -> None:
        for _ in range(6):
            await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is always served in a task")
        self._tasks.add(task)
        self._count_open(+1)
        try:
            await self._converse(reader, writer, self.connections)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client left; for a fault server that is everyday life
        except asyncio.CancelledError:
            writer.transport.abort()  # the test is over
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()
            self._count_open(-1)
            self._tasks.discard(task)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> None:
        exchange = Exchange(reader, writer)
        if self._behaviours[0].on_accept:
            await self._next_behaviour().play(exchange)
            return
        while not writer.is_closing():
            exchange.request = await self._read_request(reader, connection, whole=not self._behaviours[0].on_head)
            self.requests.append(exchange.request)
            await self._next_behaviour().play(exchange)

    async def _read_request(self, reader: asyncio.StreamReader, connection: int, *, whole: bool) -> ReceivedRequest:
        head = await reader.readuntil(b"\r\n\r\n")
        request_line, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, path, _ = request_line.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0"))) if whole else b""
        authorization = headers.pop("authorization", None)
        verdict: Literal["expected", "other", "absent"] = "absent"
        if authorization is not None:
            verdict = "expected" if authorization == f"Bearer {self._key}" else "other"
        carries_key = self._key.encode() in head + body
        return ReceivedRequest(method, path, headers, body, verdict, carries_key, connection)

    def _next_behaviour(self) -> Behaviour:
        return self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]

    def _count_open(self, difference: int) -> None:
        with self._change:
            self.connections += difference > 0
            self.open_connections += difference
            self.most_open_connections = max(self.most_open_connections, self.open_connections)
            self._change.notify_all()


# --- behaviours -------------------------------------------------------------------------------------------------------


def respond(
    status: int,
    body: bytes | str = b"",
    *,
    content_type: str | None = JSON,
    headers: tuple[tuple[str, str], ...] = (),
    then: Literal["keep", "close"] = "keep",
) -> Behaviour:
    """A complete and well-formed HTTP/1.1 response; `then="close"` closes it without having announced that."""
    return raw(_head(status, body, content_type, headers) + _bytes(body), then=then, name=f"response {status}")


def json_response(status: int, value: Any, *, headers: tuple[tuple[str, str], ...] = ()) -> Behaviour:
    """A complete response with a JSON body."""
    return respond(status, json.dumps(value) + "\n", headers=headers)


def error_response(status: int, code: str, message: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Behaviour:
    """An error in the shape that Dify gives its errors."""
    return json_response(status, {"code": code, "message": message, "status": status}, headers=headers)


def page_response(*, rows: int = 1, headers: tuple[tuple[str, str], ...] = ()) -> Behaviour:
    """A correct page of workflow logs."""
    return json_response(200, log_page(rows), headers=headers)


def short_body(status: int, body: bytes, *, missing: int = 10) -> Behaviour:
    """A body that ends, with the connection, before its Content-Length is reached."""
    return raw(_head(status, body, JSON, ()) + body[:-missing], then="close", name="short body")


def cut_chunks(body: bytes) -> Behaviour:
    """A chunked body whose last chunk never comes."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return raw(head + f"{len(body):x}\r\n".encode() + body + b"\r\n", then="close", name="cut chunks")


def reset() -> Behaviour:
    """RST after the whole request has been read, before anything is responded to."""
    return raw(then="reset", name="reset")


def reset_inside_body(body: bytes) -> Behaviour:
    """RST in the middle of a body."""
    return raw(_head(200, body, JSON, ()) + body[: len(body) // 2], 0.02, then="reset", name="reset inside the body")


def close() -> Behaviour:
    """The connection is closed in order after the request has been read: no response."""
    return raw(then="close", name="close")


def close_on_accept() -> Behaviour:
    """The connection is closed as soon as it is made: no request is read."""

    async def play(exchange: Exchange) -> None:
        exchange.close()

    return Behaviour("close on accept", play, on_accept=True)


def silence() -> Behaviour:
    """The request is read and never responded to."""

    async def play(exchange: Exchange) -> None:
        await exchange.wait_for_client_to_leave()
        exchange.close()

    return Behaviour("silence", play)


def drip(body: bytes, *, every: float = 0.02) -> Behaviour:
    """The head at once, then the body byte by byte: each read succeeds, the whole takes for ever."""
    return raw(_head(200, body, JSON, ()), *_one_by_one(body, every), then="close", name="drip")


def drip_head(*, every: float = 0.02) -> Behaviour:
    """Even the head comes byte by byte; its body is `{}`."""
    return raw(*_one_by_one(_head(200, b"{}", JSON, ()) + b"{}", every), then="close", name="drip the head")


def gather(count: int, behaviour: Behaviour) -> Behaviour:
    """Hold every request until `count` of them are waiting at once, then play `behaviour` for all; once only."""
    waiting = 0
    everyone_is_here = asyncio.Event()

    async def play(exchange: Exchange) -> None:
        nonlocal waiting
        waiting += 1
        if waiting >= count:
            everyone_is_here.set()
        await everyone_is_here.wait()
        await behaviour.play(exchange)

    return Behaviour(f"gather {count}", play)


def raw(*pieces: bytes | float, then: Literal["keep", "close", "reset"] = "close", name: str = "raw") -> Behaviour:
    """Bytes as they are; a number between them is a pause in seconds."""

    async def play(exchange: Exchange) -> None:
        for piece in pieces:
            if isinstance(piece, bytes):
                await exchange.send(piece)
            else:
                await asyncio.sleep(piece)
        if then == "close":
            exchange.close()
        elif then == "reset":
            exchange.reset()

    return Behaviour(name, play)


def event_stream(
    *pieces: bytes | float | threading.Event,
    then: Literal["end", "cut", "reset", "wait"] = "end",
    headers: tuple[tuple[str, str], ...] = (),
    content_type: str | None = "text/event-stream; charset=utf-8",
) -> Behaviour:
    """A stream of events: each piece of bytes is sent at once and by itself, as a chunk of its own.

    A number is a pause in seconds. An event of threading is waited for: the test sets it. At last the stream is ended
    in order, the connection is closed or reset without the stream's end, or the client is waited for until it leaves.
    """

    async def play(exchange: Exchange) -> None:
        lines = ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"]
        lines += [] if content_type is None else [f"Content-Type: {content_type}"]
        lines += [f"{name}: {value}" for name, value in headers]
        await exchange.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        for piece in pieces:
            if isinstance(piece, bytes):
                await exchange.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            elif isinstance(piece, threading.Event):
                while not piece.is_set():  # noqa: ASYNC110 - it is set in another thread
                    await asyncio.sleep(0.002)
            else:
                await asyncio.sleep(piece)
        if then == "end":
            await exchange.send(b"0\r\n\r\n")
        elif then == "reset":
            exchange.reset()
        else:
            if then == "wait":
                await exchange.wait_for_client_to_leave()
            exchange.close()

    return Behaviour("stream of events", play)


def swallow(behaviour: Behaviour, take: Callable[[bytes], object]) -> Behaviour:
    """Read the request's body piece by piece, give each piece to `take`, keep nothing, then play `behaviour`."""

    async def play(exchange: Exchange) -> None:
        async for piece in exchange.body():
            take(piece)
        await behaviour.play(exchange)

    return Behaviour(f"swallow, then {behaviour.name}", play, on_head=True)


async def pass_on(exchange: Exchange, port: int) -> None:
    """Respond as another server on loopback does, and close the connection."""
    request = exchange.request
    assert request is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = (
        f"{request.method} {request.path} HTTP/1.1",
        "Host: x",
        "Connection: close",
        f"Authorization: Bearer {KEY}",
        f"Content-Type: {request.headers.get('content-type', JSON)}",
        f"Content-Length: {len(request.body)}",
    )
    writer.write("\r\n".join([*lines, "", ""]).encode() + request.body)
    try:
        while piece := await reader.read(1 << 16):
            await exchange.send(piece)
    finally:
        writer.close()
        exchange.close()


def before_the_body(behaviour: Behaviour, *, then_read: bool) -> Behaviour:
    """Play `behaviour` as soon as the head is there; what follows of the request is read and thrown away, or not."""

    async def play(exchange: Exchange) -> None:
        await behaviour.play(exchange)
        if then_read:
            async for _ in exchange.body():
                pass
        exchange.close()

    return Behaviour(f"{behaviour.name} before the body", play, on_head=True)


# --- bodies -----------------------------------------------------------------------------------------------------------


def log_page(rows: int = 1) -> dict[str, Any]:
    """A page of workflow logs as the server would send it, filled with plain rows."""
    return {"page": 1, "limit": 20, "total": rows, "has_more": False, "data": [_log_row(n) for n in range(rows)]}


def log_page_bytes(rows: int = 1) -> bytes:
    """The same as the bytes of a body."""
    return json.dumps(log_page(rows)).encode() + b"\n"


def large_page_bytes(size: int) -> bytes:
    """A correct page whose body has at least `size` bytes, most of them in one row's error text."""
    page = log_page(2)
    page["data"][0]["workflow_run"]["error"] = "x" * size
    return json.dumps(page).encode()


def sse(value: Any) -> bytes:
    """An event as Dify writes it: no name of its own, its JSON in one line of data, nothing escaped."""
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def gzipped(data: bytes) -> bytes:
    """The same data, compressed as `Content-Encoding: gzip` means it."""
    return gzip.compress(data, mtime=0)


@contextlib.contextmanager
def refusing_origin() -> Iterator[str]:
    """An address that refuses connections for as long as the block runs: its port is taken, and nobody listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"


def _log_row(number: int) -> dict[str, Any]:
    created_at = 1_790_000_000 - number
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "workflow_run": {
            "id": f"00000000-0000-4000-9000-{number:012d}",
            "version": "2026-09-20 21:52:44.948869",
            "status": "succeeded",
            "triggered_from": "app-run",
            "error": None,
            "elapsed_time": 1.25,
            "total_tokens": 100 + number,
            "total_steps": 3,
            "created_at": created_at,
            "finished_at": created_at + 1,
            "exceptions_count": 0,
        },
        "details": None,
        "created_from": "service-api",
        "created_by_role": "end_user",
        "created_by_account": None,
        "created_by_end_user": {
            "id": "00000000-0000-4000-a000-000000000001",
            "type": "service-api",
            "is_anonymous": False,
            "session_id": "user-1",
        },
        "created_at": created_at,
    }


def _head(status: int, body: bytes | str, content_type: str | None, headers: tuple[tuple[str, str], ...]) -> bytes:
    lines = [f"HTTP/1.1 {status} {_reason(status)}", f"Content-Length: {len(_bytes(body))}"]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"  # 499, 520 and 599 belong to proxies, not to the standard


def _bytes(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else body


def _one_by_one(data: bytes, every: float) -> list[bytes | float]:
    return [piece for byte in data for piece in (bytes([byte]), every)]

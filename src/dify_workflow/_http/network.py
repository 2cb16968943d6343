"""The network below httpcore, for own connections: each stream knows the attempt that it serves.

Connections are kept alive (TCP keepalive), so that a blocking run, which is silent for minutes, outlives the memory of
NATs and load balancers. One on which a server has sent more than its response is not used again.

`install(transport)` makes an `httpx.HTTPTransport` use it, `install_async` an `httpx.AsyncHTTPTransport`; proxies
included. The pool of connections inside a transport is a private attribute of httpx, as httpx has no option for this:
where it is not found, connections work as usual, but nothing bounds an attempt as a whole, and none can be interrupted.
A test says when that is the case.

What is done to every connection or to every read and write of own connections belongs into these classes. See
`_http.attempts` for what an attempt is.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakSet

from . import surplus
from .attempts import POOLS, InterruptedAttemptError, Phase
from .config import CLOSED
from .library import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    from .library import httpx

    SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


KEEPALIVE_SECONDS: Final = 60
KEEPALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), KEEPALIVE_SECONDS)
        for name in ("TCP_KEEPIDLE", "TCP_KEEPALIVE", "TCP_KEEPINTVL")  # the first is called like the second on macOS
        if hasattr(socket, name)
    ),
)


def install(transport: httpx.HTTPTransport) -> bool:
    """Make a transport use this network; whether that is possible."""
    pool = getattr(transport, "_pool", None)
    if not isinstance(getattr(pool, "_network_backend", None), httpcore.NetworkBackend):
        return False
    pool._network_backend = Network()  # type: ignore[union-attr] # noqa: SLF001 - it was just searched for
    POOLS.add(pool)
    return True


def install_async(transport: httpx.AsyncHTTPTransport) -> bool:
    """Make an async transport use this network; whether that is possible."""
    pool = getattr(transport, "_pool", None)
    if not isinstance(getattr(pool, "_network_backend", None), httpcore.AsyncNetworkBackend):
        return False
    pool._network_backend = AsyncNetwork()  # type: ignore[union-attr] # noqa: SLF001 - as above
    return True


def shut_down(transport: httpx.HTTPTransport | httpx.AsyncHTTPTransport) -> None:
    """End what waits in the connections of a transport, and the next ones, as it is about to be closed."""
    backend = getattr(getattr(transport, "_pool", None), "_network_backend", None)
    if isinstance(backend, Network | AsyncNetwork):
        backend.is_closed = True
    if isinstance(backend, Network):  # those of an event loop end when they are closed
        for stream in list(backend.streams):
            stream.interrupt()


class Network(httpcore.SyncBackend):
    """Opens connections.

    Attributes:
        is_closed: whether those that are opened fail.
        streams: the connections.
    """

    def __init__(self) -> None:
        self.is_closed = False
        self.streams: WeakSet[Stream] = WeakSet()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a connection."""
        stream = None
        if type(timeout) is Phase and timeout.attempt.is_interruptible:
            from .interruptions import connection  # noqa: PLC0415 - loaded when needed

            stream = connection(host, port, timeout, NO_STREAM, local_address, socket_options or ())
        if stream is None:
            seconds = timeout.seconds(NO_STREAM) if type(timeout) is Phase else timeout
            stream = super().connect_tcp(host, port, seconds, local_address, socket_options)
        _keep_alive(stream)
        return Stream(stream, self)


class Stream(httpcore.NetworkStream):
    """One connection."""

    __slots__ = ("_inner", "_network", "_parser", "_unread", "is_watched")

    def __init__(self, inner: httpcore.NetworkStream, network: Network) -> None:
        self._inner = inner
        self._network = network
        self._unread = _unread(inner)
        self._parser: Any = None
        self.is_watched = False
        network.streams.add(self)
        if network.is_closed:  # since it began to connect
            inner.close()
            raise httpcore.ConnectError(CLOSED)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Wait for bytes, and give them."""
        if type(timeout) is Phase and timeout.attempt.is_sending:
            timeout.attempt.restart()
        try:
            data = self._inner.read(max_bytes, timeout.seconds(self) if type(timeout) is Phase else timeout)
        except httpcore.ReadTimeout:
            raise_if_late(timeout)
            raise
        if not data and type(timeout) is Phase:  # the connection's end may be a response's regular end
            timeout.seconds(self)  # not this one, if it was interrupted
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        if not buffer:  # as httpcore ends each body
            return
        if type(timeout) is not Phase:
            self._inner.write(buffer, timeout)
            return
        attempt = timeout.attempt
        if attempt.is_sending and not attempt.is_interrupted:  # one of the many parts of a body
            # httpcore copies what a socket does not take at once; of a view it copies nothing.
            self._inner.write(cast("bytes", memoryview(buffer)), timeout.bound)
        else:
            attempt.is_sending = attempt.has_body
            self._inner.write(buffer, timeout.seconds(self))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Begin to encrypt."""
        if type(timeout) is not Phase or not timeout.attempt.is_interruptible:
            seconds = timeout.seconds(self) if type(timeout) is Phase else timeout
            return Stream(self._inner.start_tls(ssl_context, server_hostname, seconds), self._network)
        from .interruptions import DuplicateSocket  # noqa: PLC0415 - loaded when needed

        duplicate = DuplicateSocket(self._inner.get_extra_info("socket"))
        try:
            encrypted = self._inner.start_tls(ssl_context, server_hostname, timeout.seconds(duplicate))
            return Stream(encrypted, self._network)
        except InterruptedAttemptError:
            self.close()
            raise
        finally:
            duplicate.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as in httpcore
        """What httpcore requests: the socket, its addresses, whether there is something to read."""
        if info == "is_readable":  # httpcore closes a connection on which something came before it is used again
            if self._parser is not None and self._parser.trailing_data[0]:
                return True
            for count in self._unread:
                if count():
                    return True
        return self._inner.get_extra_info(info)

    def watch(self, response: httpx.Response) -> None:
        """Look at what comes behind this response, and the next ones, before the connection is used again."""
        self._parser = surplus.parser_of(response.stream)
        self.is_watched = True

    def interrupt(self) -> None:
        """Wake up the thread that waits in this connection, which cannot be used afterwards."""
        found = self._inner.get_extra_info("socket")
        if isinstance(found, socket.socket):
            with contextlib.suppress(OSError):  # it is not connected any more
                # Not the method of a socket of TLS: that would take the encryption away from who reads.
                socket.socket.shutdown(found, socket.SHUT_RDWR)


class AsyncNetwork(httpcore.AsyncNetworkBackend):
    """Opens connections in an event loop."""

    def __init__(self) -> None:
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
        self.is_closed = False

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a connection."""
        seconds = timeout.seconds(NO_STREAM) if type(timeout) is Phase else timeout
        stream = await self._inner.connect_tcp(host, port, seconds, local_address, socket_options)
        _keep_alive(stream)
        return await self.opened(stream)

    async def opened(self, stream: httpcore.AsyncNetworkStream) -> AsyncStream:
        """A connection, unless all have been closed since it was begun."""
        if self.is_closed:
            await stream.aclose()
            raise httpcore.ConnectError(CLOSED)
        return AsyncStream(stream, self)

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await self._inner.sleep(seconds)


class AsyncStream(httpcore.AsyncNetworkStream):
    """One connection; as `Stream`. A task that waits in it is cancelled to interrupt it."""

    __slots__ = ("_inner", "_network", "_parser", "_unread", "is_watched")

    def __init__(self, inner: httpcore.AsyncNetworkStream, network: AsyncNetwork) -> None:
        self._inner = inner
        self._network = network
        self._unread = _unread(inner)
        self._parser: Any = None
        self.is_watched = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Wait for bytes, and give them."""
        if type(timeout) is Phase and timeout.attempt.is_sending:
            timeout.attempt.restart()
        try:
            return await self._inner.read(max_bytes, timeout.seconds(self) if type(timeout) is Phase else timeout)
        except httpcore.ReadTimeout:
            raise_if_late(timeout)
            raise

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        if not buffer:
            return
        if type(timeout) is not Phase:
            await self._inner.write(buffer, timeout)
            return
        attempt = timeout.attempt
        if attempt.is_sending and not attempt.is_interrupted:  # one of the many parts of a body
            await self._inner.write(buffer, timeout.bound)
        else:
            attempt.is_sending = attempt.has_body
            await self._inner.write(buffer, timeout.seconds(self))

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Begin to encrypt."""
        seconds = timeout.seconds(self) if type(timeout) is Phase else timeout
        return await self._network.opened(await self._inner.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as in httpcore
        """What httpcore requests: the socket, its addresses, whether there is something to read."""
        if info == "is_readable":  # httpcore closes a connection on which something came before it is used again
            if self._parser is not None and self._parser.trailing_data[0]:
                return True
            for count in self._unread:
                if count():
                    return True
        return self._inner.get_extra_info(info)

    def watch(self, response: httpx.Response) -> None:
        """Look at what comes behind this response, and the next ones, before the connection is used again."""
        self._parser = surplus.parser_of(response.stream)
        self.is_watched = True

    def interrupt(self) -> None:
        """Nothing has to be done: see above."""


def raise_if_late(timeout: float | None) -> None:
    """Raise the error of an attempt whose deadline has passed."""
    if isinstance(timeout, Phase) and timeout.attempt.is_over():
        raise timeout.error(timeout.attempt.timeout_message()) from None


def _unread(stream: httpcore.NetworkStream | httpcore.AsyncNetworkStream) -> list[Callable[[], int]]:
    """What counts the bytes that were taken from the socket and wait to be read: of TLS, and in anyio's queue.

    The names are private, those of TLS excepted: where there is none, nothing is counted.
    """
    counts: list[Callable[[], int]] = []
    pending = getattr(stream.get_extra_info("ssl_object"), "pending", None)
    if pending is not None:
        counts.append(pending)
    inner = getattr(stream, "_stream", None)
    encrypted = getattr(inner, "_read_bio", None)
    if encrypted is not None:
        counts.append(lambda: int(encrypted.pending))
    queue = getattr(getattr(getattr(inner, "transport_stream", inner), "_protocol", None), "read_queue", None)
    if queue is not None:
        counts.append(queue.__len__)
    return counts


def _keep_alive(stream: httpcore.NetworkStream | httpcore.AsyncNetworkStream) -> None:
    """Turn TCP keepalive on, as far as the platform can."""
    found = stream.get_extra_info("socket")
    for option in KEEPALIVE:
        with contextlib.suppress(OSError, AttributeError, TypeError, NotImplementedError):
            found.setsockopt(*option)


class _NoStream:
    """What an attempt waits for before there is a stream."""

    def interrupt(self) -> None:
        """It is noticed within a moment: see `_http.interruptions`."""


NO_STREAM = _NoStream()

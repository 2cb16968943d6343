"""The network below httpcore, for own connections: each stream knows the attempt that it serves.

`install(transport)` makes an `httpx.HTTPTransport` use it, `install_async` an `httpx.AsyncHTTPTransport`; proxies
included. The pool of connections inside a transport is a private attribute of httpx, as httpx has no option for this:
where it is not found, connections work as usual, but nothing bounds an attempt as a whole, and none can be interrupted.
A test says when that is the case.

What is done to every connection or to every read and write of own connections belongs into these classes. See
`_attempts` for what an attempt is.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any, cast

import httpcore

from ._attempts import Phase

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    import httpx

    SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


def install(transport: httpx.HTTPTransport) -> bool:
    """Make a transport use this network; whether that is possible."""
    pool = getattr(transport, "_pool", None)
    if not isinstance(getattr(pool, "_network_backend", None), httpcore.NetworkBackend):
        return False
    pool._network_backend = Network()  # type: ignore[union-attr] # noqa: SLF001 - it was just looked for
    return True


def install_async(transport: httpx.AsyncHTTPTransport) -> bool:
    """Make an async transport use this network; whether that is possible."""
    pool = getattr(transport, "_pool", None)
    if not isinstance(getattr(pool, "_network_backend", None), httpcore.AsyncNetworkBackend):
        return False
    pool._network_backend = AsyncNetwork()  # type: ignore[union-attr] # noqa: SLF001 - as above
    return True


class Network(httpcore.SyncBackend):
    """Opens connections."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a connection."""
        seconds = timeout.seconds(NO_STREAM) if type(timeout) is Phase else timeout
        return Stream(super().connect_tcp(host, port, seconds, local_address, socket_options))


class Stream(httpcore.NetworkStream):
    """One connection."""

    __slots__ = ("_inner",)

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Wait for bytes, and give them."""
        data = self._inner.read(max_bytes, timeout.seconds(self) if type(timeout) is Phase else timeout)
        if not data and type(timeout) is Phase:  # the connection's end may be a response's regular end
            timeout.seconds(self)  # not this one, if it was interrupted
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        self._inner.write(buffer, timeout.seconds(self) if type(timeout) is Phase else timeout)

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Begin to encrypt."""
        seconds = timeout.seconds(self) if type(timeout) is Phase else timeout
        return Stream(self._inner.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as in httpcore
        """What httpcore asks for: the socket, its addresses, whether there is something to read."""
        return self._inner.get_extra_info(info)

    def interrupt(self) -> None:
        """Wake up whoever waits in this connection, which is of no use afterwards."""
        found = self._inner.get_extra_info("socket")
        if isinstance(found, socket.socket):
            with contextlib.suppress(OSError):  # it is not connected any more
                # Not the method of a socket of TLS: that would take the encryption away from who reads.
                socket.socket.shutdown(found, socket.SHUT_RDWR)


class AsyncNetwork(httpcore.AsyncNetworkBackend):
    """Opens connections in an event loop."""

    def __init__(self) -> None:
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

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
        return AsyncStream(await self._inner.connect_tcp(host, port, seconds, local_address, socket_options))

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await self._inner.sleep(seconds)


class AsyncStream(httpcore.AsyncNetworkStream):
    """One connection; as `Stream`. A task that waits in it is cancelled by whoever interrupts."""

    __slots__ = ("_inner",)

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Wait for bytes, and give them."""
        return await self._inner.read(max_bytes, timeout.seconds(self) if type(timeout) is Phase else timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        await self._inner.write(buffer, timeout.seconds(self) if type(timeout) is Phase else timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Begin to encrypt."""
        seconds = timeout.seconds(self) if type(timeout) is Phase else timeout
        return AsyncStream(await self._inner.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as in httpcore
        """What httpcore asks for: the socket, its addresses, whether there is something to read."""
        return self._inner.get_extra_info(info)

    def interrupt(self) -> None:
        """Nothing has to be done: see above."""


class _NoStream:
    """What an attempt waits for before there is a stream."""

    def interrupt(self) -> None:
        """It is noticed when the connection is there."""


NO_STREAM = _NoStream()

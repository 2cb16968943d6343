"""Ways to a connection that can be ended from elsewhere: Python's own cannot, as they are single calls.

The wait for a connection is cut into slices, between which the attempt may be found interrupted. A lookup of a host's
name cannot be ended by any means: it continues in a thread, and nobody waits for it. What replaces Python's
own functions (by gevent, PySocks), or of httpcore's, is used as it is, and cannot be ended in these phases.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import sys
import threading
import time
from errno import EINPROGRESS, EWOULDBLOCK
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .library import httpcore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .attempts import Interruptible, Phase

    Address: TypeAlias = tuple[int, int, int, str, Any]

SLICE: Final = 0.05
"""Seconds after which a wait checks whether it was interrupted."""
NAME: Final = "dify-workflow-lookup"
CONNECTS_LATER: Final = frozenset({EINPROGRESS, EWOULDBLOCK})
STREAM: Final[Any] = getattr(sys.modules.get(f"{httpcore.__name__}._backends.sync"), "SyncStream", None)
"""httpcore's stream over a socket, which has no public name."""
ORIGINALS: Final = (
    (socket, "socket", "socket"),
    (socket, "create_connection", "socket"),
    (httpcore.SyncBackend, "connect_tcp", f"{httpcore.__name__}._backends.sync"),
)
"""What makes connections, and the module that each is of unless something takes its place."""
NO_ADDRESS: Final = "the name of the host has no address"


def connection(
    host: str, port: int, timeout: Phase, waiting: Interruptible, local_address: str | None, options: Iterable[Any]
) -> httpcore.NetworkStream | None:
    """A connection to a host, by the first of its addresses that can be reached.

    None where functions for connections have been replaced, or httpcore's class of streams is not found.

    Args:
        host: the host.
        port: its port.
        timeout: the phase of the attempt, which bounds each address.
        waiting: what the attempt is said to wait in.
        local_address: the address to connect from; None for any.
        options: options of the socket.

    Raises:
        InterruptedAttemptError: the attempt was interrupted.
        httpcore.ConnectTimeout: it took too long.
        httpcore.ConnectError: no address can be reached, or there is none.
    """
    if STREAM is None or any(getattr(owner, name).__module__ != module for owner, name, module in ORIGINALS):
        return None
    failure: Exception | None = None
    for family, kind, protocol, _, address in _addresses(host, port, timeout, waiting):
        found = socket.socket(family, kind, protocol)
        try:
            if local_address is not None:
                found.bind((local_address, 0))
            _connect(found, address, timeout, waiting)
            for option in options:
                found.setsockopt(*option)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            found.close()
            failure = error
        except BaseException:
            found.close()
            raise
        else:
            stream: httpcore.NetworkStream = STREAM(found)
            return stream
    kind_of_failure = httpcore.ConnectTimeout if isinstance(failure, TimeoutError) else httpcore.ConnectError
    raise kind_of_failure(str(failure or NO_ADDRESS)) from failure


def _addresses(host: str, port: int, timeout: Phase, waiting: Interruptible) -> list[Address]:
    with contextlib.suppress(OSError):  # it is a name
        return _look_up(host, port, socket.AI_NUMERICHOST)
    results: SimpleQueue[list[Address] | Exception] = SimpleQueue()

    def look_up() -> None:
        try:
            results.put(_look_up(host, port, 0))
        except Exception as error:  # noqa: BLE001 - raised by who waits
            results.put(error)

    threading.Thread(target=look_up, name=NAME, daemon=True).start()
    while True:
        timeout.seconds(waiting)  # raises when the attempt is over, or was interrupted
        with contextlib.suppress(Empty):
            result = results.get(timeout=SLICE)
            break
    if isinstance(result, OSError):
        raise httpcore.ConnectError(str(result)) from result
    if isinstance(result, Exception):
        raise result
    return result


def _look_up(host: str, port: int, flags: int) -> list[Address]:
    return [*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)]


def _connect(found: socket.socket, address: Any, timeout: Phase, waiting: Interruptible) -> None:  # noqa: ANN401
    end = None if timeout.bound is None else time.monotonic() + timeout.bound
    found.setblocking(False)
    code = found.connect_ex(address)
    if code not in CONNECTS_LATER | {0}:
        raise OSError(code, os.strerror(code))
    with selectors.DefaultSelector() as selector:
        selector.register(found, selectors.EVENT_WRITE)
        while not selector.select(min(SLICE, timeout.seconds(waiting) or SLICE)):
            if end is not None and time.monotonic() >= end:
                raise TimeoutError("timed out")
    code = found.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


class DuplicateSocket:
    """Another socket of the same connection: to begin TLS takes the first one away from the interrupting thread."""

    def __init__(self, found: socket.socket) -> None:
        self._socket = socket.fromfd(found.fileno(), found.family, found.type)

    def interrupt(self) -> None:
        """Wake up the thread that waits in the connection."""
        with contextlib.suppress(OSError):  # it is not connected any more
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close this socket. The connection stays."""
        self._socket.close()

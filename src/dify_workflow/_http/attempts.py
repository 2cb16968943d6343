"""One attempt to send a request: what bounds it, and how it is ended from elsewhere.

An attempt has to be known wherever its bytes pass, which is below httpx and httpcore. Both hand the timeouts of a
request (its extension "timeout") down to the network stream without a change, so each of these numbers carries its
attempt. `_http.network` reads it from there.

How it is used:

- `_async/base_client.py` makes an `Attempt` each time that it sends a request, and gives `attempt.phases()` to httpx.
- For each read, write, handshake and connection `_http.network` calls `Phase.seconds`, which bounds the timeout by
  `Attempt.deadline`. A deadline is set by `Attempt(limits, total=...)` or later by `attempt.deadline = ...`. It also
  bounds headers and interim responses that come drop by drop, handshakes of TLS, and what proxies say.
- `Attempt.interrupt` ends what is under way: each later read or write fails, and one that waits in a socket wakes up,
  as does one that waits for a connection of a full pool. An attempt that is made with `is_interruptible=True` also ends
  while it looks a host up, connects, or agrees on TLS: see `_http.interruptions`.
  It takes no lock that the interrupted code may hold, so that a signal handler and a finaliser may call it.

A caller's own httpx client is given plain numbers: nothing here applies to it.
"""

from __future__ import annotations

import math
import time
from _thread import start_new_thread
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from .library import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class Interruptible(Protocol):
        """A network stream, or whatever else an attempt waits for."""

        def interrupt(self) -> None:
            """Wake up what waits."""
            ...


LATE: Final = 0.001
"""Seconds for which data is still waited for after the deadline: what has arrived by then is read."""

LONGEST_SEARCH: Final = 5.0
"""Seconds for which an interrupted attempt is searched for in the queues of pools, which it may be about to join."""
PAUSE: Final = 0.005
"""Seconds between two checks."""

POOLS: Final[WeakSet[Any]] = WeakSet()
"""httpcore's pools in which an attempt may wait for a connection."""


class InterruptedAttemptError(Exception):
    """The attempt was ended from elsewhere. No retry follows, and no error of the SDK is made of it."""


class Attempt:
    """One attempt to send a request and to read its response.

    Args:
        timeouts: seconds for each phase: connect, read, write, pool; None is no bound.
        deadline: moment, by `time.monotonic`, that bounds each phase as well; None is no bound.
        total: seconds from now to the deadline, instead of `deadline`.
        has_body: whether the request has a body: sending that may take longer than `total`, which counts from its end.
        is_interruptible: whether `interrupt` may be called.

    Attributes:
        deadline: as above.
        stream: the network stream in use; None before there is one, and for a caller's own httpx client.
        is_interrupted: whether `interrupt` was called.
        is_sending: whether a request with a body is being sent: then the deadline bounds nothing.
    """

    __slots__ = (
        "_late_for",
        "_timeouts",
        "_total",
        "deadline",
        "has_body",
        "is_interrupted",
        "is_interruptible",
        "is_sending",
        "stream",
    )

    def __init__(
        self,
        timeouts: Mapping[str, float | None],
        *,
        deadline: float | None = None,
        total: float | None = None,
        has_body: bool = False,
        is_interruptible: bool = False,
    ) -> None:
        self._timeouts = timeouts
        self._total = total
        self._late_for: float | None = None
        self.has_body = has_body
        self.is_interruptible = is_interruptible
        self.is_sending = False
        self.deadline = deadline if total is None else time.monotonic() + total
        self.stream: Interruptible | None = None
        self.is_interrupted = False

    def phases(self) -> dict[str, float | None]:
        """The timeouts as httpx takes them, each of which leads back to this attempt."""
        phases: dict[str, float | None] = dict(self._timeouts)
        for name, error in _ERRORS:
            seconds = phases[name]
            phase = phases[name] = Phase(math.inf if seconds is None else seconds)
            phase.attempt, phase.bound, phase.error = self, seconds, error
        return phases

    def restart(self) -> None:
        """Count from now: the request with its body has been sent, and its response is waited for."""
        self.is_sending = False
        if self.deadline is not None and self._total is not None:
            self.deadline = time.monotonic() + self._total

    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def last_wait(self, error: type[httpx.TimeoutException]) -> float:
        """Seconds that may be waited after the deadline, once for each: what has arrived is read.

        Raises:
            httpx.TimeoutException: that has been done; the class is the given one.
        """
        if self._late_for == self.deadline:
            raise error(self.timeout_message())
        self._late_for = self.deadline
        return LATE

    def timeout_message(self) -> str:
        """What to say when the deadline has passed; nothing where it bounds something else than the whole response."""
        return "" if self._total is None else f"no complete response within {self._total:g} s"

    def end(self) -> None:
        """Remove the deadline: the response is a stream, which may continue for hours."""
        self._total = self.deadline = None

    def interrupt(self) -> None:
        """End the attempt, from any thread or from a signal handler."""
        self.is_interrupted = True  # first: who begins to wait after this notices it
        stream = self.stream
        if stream is not None:
            stream.interrupt()
        elif any(map(_is_full, POOLS)):
            with suppress(RuntimeError):  # no thread can be started: Python ends
                start_new_thread(_leave_queue, (self,))


def end_attempt(request: httpx.Request) -> None:
    """Remove the deadline of a request's attempt: its response is a stream, which may continue for hours."""
    attempt = attempt_of(request)
    if attempt is not None:
        attempt.end()


def attempt_of(request: httpx.Request) -> Attempt | None:
    """The attempt that a request belongs to; None for one that is sent over a caller's own httpx client."""
    timeouts: dict[str, object] = request.extensions.get("timeout", {})
    read = timeouts.get("read")
    return read.attempt if isinstance(read, Phase) else None


def _is_full(pool: Any) -> bool:  # noqa: ANN401 - httpcore's, with private attributes, as below
    return len(getattr(pool, "_requests", ())) >= getattr(pool, "_max_connections", math.inf)


def _leave_queue(attempt: Attempt) -> None:
    """Wake up the attempt where it waits for a connection of a pool: httpcore ends it with an error.

    In a thread of its own, as an event has a lock, which the interrupted code may hold.
    """
    deadline = time.monotonic() + LONGEST_SEARCH
    while attempt.stream is None and time.monotonic() < deadline:
        for pool in list(POOLS):
            for queued in list(getattr(pool, "_requests", ())):
                read = queued.request.extensions.get("timeout", {}).get("read")
                if getattr(read, "attempt", None) is attempt:
                    event = getattr(queued, "_connection_acquired", None)
                    if event is not None:
                        event.set()
                    return
        time.sleep(PAUSE)


class Phase(float):
    """Seconds for one phase of an attempt; infinity is no bound.

    Attributes:
        attempt: the attempt.
        bound: the seconds; None is no bound.
        error: what ends it when the phase takes longer.
    """

    __slots__ = ("attempt", "bound", "error")

    attempt: Attempt
    bound: float | None
    error: type[httpx.TimeoutException]

    def seconds(self, stream: Interruptible) -> float | None:
        """Seconds that may be waited now, in this stream; None is no bound.

        Raises:
            InterruptedAttemptError: the attempt was interrupted.
            httpx.TimeoutException: its deadline has passed.
        """
        attempt = self.attempt
        attempt.stream = stream  # before the check: an interruption that comes after it finds the stream
        if attempt.is_interrupted:
            raise InterruptedAttemptError
        if attempt.deadline is None or attempt.is_sending:
            return self.bound
        left = attempt.deadline - time.monotonic()
        return min(self, left if left >= LATE else attempt.last_wait(self.error))


_ERRORS: Final = (("connect", httpx.ConnectTimeout), ("read", httpx.ReadTimeout), ("write", httpx.WriteTimeout))

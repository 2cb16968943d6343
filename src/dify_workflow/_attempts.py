"""One attempt to send a request: what bounds it, and how it is ended from elsewhere.

An attempt has to be known wherever its bytes pass, which is below httpx and httpcore. Both hand the timeouts of a
request (its extension "timeout") down to the network stream without a change, so each of these numbers carries its
attempt. `_network` reads it from there.

How it is used:

- `_async/caller.py` makes an `Attempt` each time that it sends a request, and gives `attempt.phases()` to httpx.
- For each read, write, handshake and connection `_network` calls `Phase.seconds`, which bounds the timeout by
  `Attempt.deadline`. A deadline is set by `Attempt(limits, deadline=...)` or later by `attempt.deadline = ...`.
- `Attempt.interrupt` ends what is under way: each later read or write fails, and one that waits in a socket wakes up.
  It takes no lock that the interrupted code may hold, so that a signal handler and a finaliser may call it.

A caller's own httpx client is given plain numbers: nothing here applies to it.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

LATE: Final = 0.001
"""Seconds for which data is still waited for after the deadline: what has arrived by then is read."""


class Interruptible(Protocol):
    """A network stream, or whatever else an attempt waits for."""

    def interrupt(self) -> None:
        """Wake up whoever waits."""
        ...


class InterruptedAttemptError(Exception):
    """The attempt was ended from elsewhere. No retry follows, and no error of the SDK is made of it."""


class Attempt:
    """One attempt to send a request and to read its response.

    Args:
        timeouts: seconds for each phase: connect, read, write, pool; None is no bound.
        deadline: moment, by `time.monotonic`, that bounds each phase as well; None is no bound.

    Attributes:
        deadline: as above.
        stream: the network stream in use; None before there is one, and for a caller's own httpx client.
        is_interrupted: whether `interrupt` was called.
    """

    __slots__ = ("_timeouts", "deadline", "is_interrupted", "stream")

    def __init__(self, timeouts: Mapping[str, float | None], *, deadline: float | None = None) -> None:
        self._timeouts = timeouts
        self.deadline = deadline
        self.stream: Interruptible | None = None
        self.is_interrupted = False

    def phases(self) -> dict[str, float | None]:
        """The timeouts as httpx takes them, each of which leads back to this attempt."""
        timeouts = self._timeouts
        return {
            "connect": Phase.of(timeouts["connect"], self),
            "read": Phase.of(timeouts["read"], self),
            "write": Phase.of(timeouts["write"], self),
            "pool": timeouts["pool"],
        }

    def interrupt(self) -> None:
        """End the attempt, from any thread or from a signal handler."""
        self.is_interrupted = True  # first: who begins to wait after this notices it
        stream = self.stream
        if stream is not None:
            stream.interrupt()


def attempt_of(request: httpx.Request) -> Attempt | None:
    """The attempt that a request belongs to; None for one that is sent over a caller's own httpx client."""
    timeouts: dict[str, object] = request.extensions.get("timeout", {})
    read = timeouts.get("read")
    return read.attempt if isinstance(read, Phase) else None


class Phase(float):
    """Seconds for one phase of an attempt; infinity is no bound."""

    __slots__ = ("attempt",)

    attempt: Attempt

    @classmethod
    def of(cls, seconds: float | None, attempt: Attempt) -> Self:
        """The phase of an attempt that may take so many seconds; None is no bound."""
        phase = cls(math.inf if seconds is None else seconds)
        phase.attempt = attempt
        return phase

    def seconds(self, stream: Interruptible) -> float | None:
        """Seconds that may be waited now, in this stream; None is no bound.

        Raises:
            InterruptedAttemptError: the attempt was interrupted.
        """
        attempt = self.attempt
        attempt.stream = stream  # before the check: an interruption that comes after it finds the stream
        if attempt.is_interrupted:
            raise InterruptedAttemptError
        seconds = float(self)
        if attempt.deadline is not None:
            seconds = min(seconds, max(attempt.deadline - time.monotonic(), LATE))
        return None if seconds == math.inf else seconds

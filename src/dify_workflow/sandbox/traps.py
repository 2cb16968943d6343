"""Behaviour that tests can switch while the sandbox runs."""

from collections.abc import Callable
from dataclasses import dataclass

from .journal import ReceivedRequest

__all__ = ["Traps"]


@dataclass(slots=True)
class Traps:
    """The switches of one sandbox, read anew for each request.

    Attributes:
        latency: Seconds that every answer is held back.
        stable_ties: Whether rows of one second keep their order. The real server's do not, which is why walking it
            page by page loses rows.
        before_request: Called, in the server's thread, when a request has arrived and before anything is read for
            it; the place to add, change or delete rows between two pages. It must not block.
        ping_seconds: Seconds between the pings of a stream; None for a stream that sends none.
        first_byte_seconds: Seconds between the start of a run and the first byte of its stream.
        hold_streams_after: A stream keeps back what comes after so many events, until this is None again or more; its
            pings go on.
        end_streams_after: A stream ends after so many events, as if nothing were missing.
    """

    latency: float = 0.0
    stable_ties: bool = False
    before_request: Callable[[ReceivedRequest], object] | None = None
    ping_seconds: float | None = 10.0
    first_byte_seconds: float = 0.0
    hold_streams_after: int | None = None
    end_streams_after: int | None = None

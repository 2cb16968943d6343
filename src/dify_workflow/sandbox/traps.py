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
    """

    latency: float = 0.0
    stable_ties: bool = False
    before_request: Callable[[ReceivedRequest], object] | None = None

"""What an outage of a server is, and how long it is waited out. Decisions only: nothing here sleeps or sends."""

from __future__ import annotations

from typing import Final

from .._errors import APIConnectionError, APIStatusError, DifyError, RateLimitError
from .retry import RETRIED_STATUSES

LONGEST_PAUSE: Final = 30.0
FIRST_PAUSE: Final = 1.0
FIRST_PART: Final = 20
"""The first pause is at most this part of the patience."""
LONE_FAILURES: Final = 2
"""Failures of one request, each after a success of another request: the server is up, and cannot process this one."""
CONTINUE: Final = "the walk has ended; continue from walk.checkpoint with {what}(checkpoint=...)"


def is_outage(error: DifyError) -> bool:
    """Whether an error may pass by itself: connection errors, timeouts, 408, 429, and each 5xx but 501 and 505."""
    if isinstance(error, APIConnectionError | RateLimitError):
        return True
    return isinstance(error, APIStatusError) and error.status_code in RETRIED_STATUSES


class Request:
    """What is known of one request that is repeated. Moments are counts of the failures in a walk.

    Attributes:
        began: the moment at which its last attempt began.
        failed: the moment of its last failure; None before the first.
        lone_failures: failures since whose last one another request succeeded.
    """

    __slots__ = ("began", "failed", "lone_failures")

    def __init__(self) -> None:
        self.began = 0
        self.failed: int | None = None
        self.lone_failures = 0


class Outages:
    """The outages that a walk meets. All of its workers share one: an outage is one, and a success ends it.

    Args:
        patience: seconds for which each outage is waited out; 0 raises each error at once.

    Attributes:
        has_given_up: whether an outage lasted longer.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._begun: float | None = None
        self._has_succeeded = False
        self._moment = 0
        self._last_success = 0
        self.has_given_up = False

    def begin(self, request: Request) -> None:
        """Note that an attempt of a request begins."""
        request.began = self._moment

    def succeeded(self, request: Request) -> None:
        """Note that a request succeeded."""
        self._has_succeeded = True
        self._last_success = max(self._last_success, request.began)
        self._begun = None

    def needs_probe(self, request: Request) -> bool:
        """Whether no other request that began after the last failure of this one has succeeded."""
        return request.failed is not None and self._last_success < request.failed

    def pause(self, request: Request, error: DifyError, now: float, *, may_be_its_own: bool = False) -> float | None:
        """Seconds until a request is repeated; None when its error is to be raised.

        The first request of a walk fails as any other call does: it shows whether the address and the key are right.

        Args:
            request: the request.
            error: what it ended in.
            now: a monotonic time.
            may_be_its_own: whether the server may fail to process this request alone.
        """
        if not self._patience or not self._has_succeeded or not is_outage(error):
            return None
        if request.failed is not None and not self.needs_probe(request):
            request.lone_failures += 1
        self._moment += 1
        request.failed = self._moment
        if may_be_its_own and request.lone_failures >= LONE_FAILURES:
            return None
        if self._begun is None:
            self._begun = now
        passed = now - self._begun
        asked = error.retry_after or 0.0 if isinstance(error, APIStatusError) else 0.0
        left = self._patience - passed
        if left <= 0 or asked > left:
            self.has_given_up = True
            return None
        grown = max(passed / 2, min(FIRST_PAUSE, self._patience / FIRST_PART))
        return max(asked, min(grown, LONGEST_PAUSE, left))

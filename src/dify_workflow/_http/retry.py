"""Whether a request is sent again, and how long to wait first. Decisions only: nothing here sleeps or sends.

A GET can be repeated freely. Anything else may start work (a workflow run costs money), so it is sent again only
when the server cannot have begun: the connection was never made, or the server refused because it is busy.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from .._errors import APIConnectionError, APIStatusError, DifyError, RateLimitError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
RETRIED_STATUSES: Final = frozenset({408, 429, *range(500, 600)} - {501, 505})
"""Statuses after which the same GET may succeed: every 5xx, a proxy's own 520 to 530, 529 and 598 included, but
501 (not implemented) and 505 (HTTP version not supported), which are permanent."""
LONGEST_RETRY_AFTER: Final = 60.0
LONGEST_BACKOFF: Final = 8.0


def seconds_before_retry(
    error: DifyError, *, method: str, retries_made: int, max_retries: int, backoff: float, jitter: Callable[[], float]
) -> float | None:
    """Seconds to wait before the request is sent again; None when the error is to be raised now.

    Args:
        error: what the last attempt ended in.
        method: HTTP method.
        retries_made: retries so far; 0 after the first attempt.
        max_retries: how many there may be.
        backoff: seconds before the first retry, doubled for each further one up to 8, less a random share up to 1/2.
        jitter: returns a random number from 0 up to 1, so that many clients do not retry at the same moment.
    """
    if retries_made >= max_retries or not _may_be_sent_again(error, method):
        return None
    asked = error.retry_after if isinstance(error, APIStatusError) else None
    if asked is not None:
        return asked if asked <= LONGEST_RETRY_AFTER else None
    return float(min(backoff * 2.0 ** min(retries_made, 16), LONGEST_BACKOFF) * (1 - jitter() / 2))


def _may_be_sent_again(error: DifyError, method: str) -> bool:
    # A Dify server reports its limit of concurrent requests as 400; `RateLimitError` covers that and 429.
    if isinstance(error, RateLimitError):
        return True
    if isinstance(error, APIConnectionError):
        return method in SAFE_METHODS or not error.request_sent
    return isinstance(error, APIStatusError) and method in SAFE_METHODS and error.status_code in RETRIED_STATUSES


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """The seconds that a `Retry-After` header asks for, as a number or as a date; None where it says nothing usable."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,9})?", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:  # "-0000" is how a mail date says: UTC, of no known place
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())

"""Behaviour that tests can switch while the sandbox runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .request_log import ReceivedRequest

__all__ = ["LogOrder", "Traps", "shown_log_time", "shown_time"]

LogOrder = Literal["newest first", "oldest first", "unsorted"]


@dataclass(slots=True)
class Traps:
    """The switches of one sandbox, read again for each request.

    Attributes:
        latency: Seconds that every response is delayed.
        stable_ties: Whether rows of one second keep their order. The real server's do not, which is why walking it
            page by page loses rows.
        before_request: Called, in the server's thread, when a request has arrived and before anything is read for
            it; the place to add, change or delete rows between two pages. It must not block.
        log_order: The order of the logs. Servers sort with the newest first; what stands in front of them, or in their
            place, may not.
        ignores_before: Whether `created_at__before` is ignored, as a server or proxy does that knows it by another
            name.
        ignores_after: Whether `created_at__after` is ignored.
        largest_page: A larger `limit` is taken for this one, as some proxies do; None for any.
        count: What the logs' `total` is, given the true number; None for the truth.
        has_more: What the logs' `has_more` always is; None for the truth.
        ping_seconds: Seconds between the pings of a stream; None for a stream that sends none.
        first_byte_seconds: Seconds between the start of a run and the first byte of its stream.
        hold_streams_after: A stream keeps back what comes after so many events, until this is None again or more; its
            pings continue.
        end_streams_after: A stream ends after so many events, as if nothing were missing.
        queue_delay: Seconds for which the worker that executes streaming runs is busy: the stream sends one ping and
            then nothing, the run is not stored yet; and a run whose form was submitted stays paused. Servers before
            1.14 have no such queue.
        stream_idle_seconds: Seconds after which a stream that waits (for a busy worker, for a form, for events after
            the end) ends silently, from 1.14 on.
        displayed_time_shift: Seconds that displayed times are ahead of the true ones, which the filters go by; negative
            for behind. A whole number.
        shift_all_times: Whether all displayed times are shifted, as on a server whose process has a zone; otherwise
            only the `created_at` of a log is, as where the database session has one.
        exclusive_bounds: Whether a log created exactly at `created_at__before` or `created_at__after` is left out.
        replica_lag: Seconds until a new log, and a change of a run, can be read, as from a replica of the database.
    """

    latency: float = 0.0
    stable_ties: bool = False
    before_request: Callable[[ReceivedRequest], object] | None = None
    log_order: LogOrder = "newest first"
    ignores_before: bool = False
    ignores_after: bool = False
    largest_page: int | None = None
    count: Callable[[int], object] | None = None
    has_more: bool | None = None
    ping_seconds: float | None = 10.0
    first_byte_seconds: float = 0.0
    hold_streams_after: int | None = None
    end_streams_after: int | None = None
    queue_delay: float = 0.0
    stream_idle_seconds: float = 300.0
    displayed_time_shift: int = 0
    shift_all_times: bool = False
    exclusive_bounds: bool = False
    replica_lag: float = 0.0


def shown_log_time(traps: Traps, second: int) -> int:
    """Return the `created_at` of a log as it is displayed."""
    return second + int(traps.displayed_time_shift)


def shown_time(traps: Traps, second: int) -> int:
    """Return any other time as it is displayed."""
    return shown_log_time(traps, second) if traps.shift_all_times else second

"""Which requests arrived, and which runs they started, for tests that count them."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

__all__ = ["ReceivedRequest", "RequestLog", "StartedRun"]

_KEPT: Final = 100_000
"""Requests, and runs, kept at most, so that a sandbox that serves for days does not grow without end."""


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request as it arrived, without its headers (one of them is the key) and body.

    Attributes:
        path: The path as it was sent, percent-encoded.
        query: The query string as it was sent, percent-encoded, without the question mark.
    """

    method: str
    path: str
    query: str

    @property
    def params(self) -> list[tuple[str, str]]:
        """The query's names and values, decoded, in the order in which they were sent."""
        return parse_qsl(self.query, keep_blank_values=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedRun:
    """A run that a request has started.

    Attributes:
        app: Name of the app.
        user: The `user` of the request, as text.
        inputs: What the workflow got.
        streaming: Whether its events were requested.
    """

    id: str
    task_id: str
    app: str
    user: str
    inputs: Mapping[str, Any]
    streaming: bool


class RequestLog:
    """The requests and runs of one sandbox in the order of arrival. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: deque[ReceivedRequest] = deque(maxlen=_KEPT)
        self._runs: deque[StartedRun] = deque(maxlen=_KEPT)

    def add(self, request: ReceivedRequest) -> None:
        """Note a request."""
        with self._lock:
            self._requests.append(request)

    def requests(self) -> tuple[ReceivedRequest, ...]:
        """Give the requests since the start or the last `clear`, oldest first."""
        with self._lock:
            return tuple(self._requests)

    def add_run(self, run: StartedRun) -> None:
        """Note that a run was started."""
        with self._lock:
            self._runs.append(run)

    def runs(self) -> tuple[StartedRun, ...]:
        """Give the runs since the start or the last `clear`, oldest first."""
        with self._lock:
            return tuple(self._runs)

    def clear(self) -> None:
        """Forget the requests and runs so far."""
        with self._lock:
            self._requests.clear()
            self._runs.clear()

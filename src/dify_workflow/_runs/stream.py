"""What a stream of events means: which model an event is, what is known of the run so far, and whether it is whole.

Decisions only: nothing here reads from a connection.
"""

from __future__ import annotations

import json
import time
from math import inf
from typing import TYPE_CHECKING, Any, Final

from .._http.config import MOST_SECONDS
from .._http.decode import BrokenEventError, ReportedError, is_object, kind_of
from .._http.library import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .._http.attempts import Attempt
    from .._http.config import Timeout
    from .._http.decode import Model
    from .._http.sse import ServerSentEvent
    from ..results import WorkflowRunResult
    from .node_executions import NodeExecution


RESUMING_EVENTS: Final = frozenset(
    {"workflow_started", "node_started", "human_input_form_filled", "human_input_form_timeout"}
)
"""What says that a run continues after a pause."""


NODE_EVENTS: Final = frozenset({"node_started", "node_retry", "node_finished"})
"""What says how one execution of a node goes."""


QUEUE_SECONDS: Final = 330.0
"""Dify 1.14 and 1.16 send one ping, and then nothing for up to 300 seconds, while a run waits for a free worker."""

SPEECH_SECONDS: Final = 5.0
"""What may follow the end of a run is speech: Dify 1.11 waits so long for more of it, and then ends the stream."""

TICK: Final = 0.001
"""Seconds by which a socket's wait may end early."""

COUNT_OF_REFUSAL: Final = 2
"""Events of a run that Dify 1.16 reports and does not have: `workflow_started` and `workflow_finished`, and no node."""

LONGEST_BLANK: Final = 4096
"""Bytes of empty lines with which a stream without the right content type may begin."""

_MARK: Final = b"\xef\xbb\xbf"
_BEGINNINGS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")
_DECODER: Final = json.JSONDecoder()


def checked_max_silence(seconds: float | None) -> float | None:
    """The bound of a stream's silence.

    Raises:
        ValueError: it is not a number over 0 and up to `MOST_SECONDS`.
    """
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if seconds is not None and not (is_number and 0 < seconds <= MOST_SECONDS):
        raise ValueError(f"max_silence must be seconds over 0, up to {MOST_SECONDS:g}, or None; got {seconds!r}")
    return seconds


def looks_like_events(beginning: bytes) -> bool | None:
    """Whether a body is a stream of events, by its first bytes; None while these are too few.

    Gateways relabel streams, as `application/octet-stream` or `text/plain`. A stream begins with a field or a comment,
    which no JSON value and no HTML page does; a byte order mark and empty lines may stand before it.
    """
    if len(beginning) < len(_MARK) and _MARK.startswith(beginning):
        return None
    line = beginning.removeprefix(_MARK).lstrip(b"\r\n")
    if len(beginning) - len(line) > LONGEST_BLANK:
        return False
    if line.startswith(_BEGINNINGS):
        return True
    return None if any(field.startswith(line) for field in _BEGINNINGS) else False


class StreamProgress:
    """What the events of a stream have said so far.

    Attributes:
        task_id: what `runs.stop` takes; None before the first event.
        workflow_run_id: the run; None before the first event.
        result: the `workflow_finished` event; None before it.
        text: the text that came in chunks so far.
        count: events so far, without pings.
        last: name of the latest event.
        is_whole: whether the stream may end here: the run has finished, or, on newer servers, waits for a person.
        is_over: whether reading stops here: the stream is whole, and nothing can follow.
        inputs_refused: whether Dify 1.16 reports a run that does not exist, as it refuses the inputs.
        observe: what is called with the name and the fields of each event.

    Args:
        load_event: gives the model for the name of an event.
        ends_at_pause: whether the server ends the stream where the run waits for a person.
        ends_with_run: whether nothing can follow the end of the run. After `POST /workflows/run`, speech can
            (`tts_message`); after `GET /workflow/{id}/events` only pings, which a server may send for 300 seconds.
    """

    __slots__ = (
        "_ends_at_pause",
        "_ends_with_run",
        "_load",
        "_nodes",
        "_outcome",
        "_texts",
        "count",
        "inputs_refused",
        "is_over",
        "is_whole",
        "last",
        "observe",
        "result",
        "task_id",
        "workflow_run_id",
    )

    def __init__(
        self, load_event: Callable[[str], type[Any]], *, ends_at_pause: bool = True, ends_with_run: bool = False
    ) -> None:
        self._load = load_event
        self._ends_at_pause = ends_at_pause
        self._ends_with_run = ends_with_run
        self._texts: list[str] = []
        self._nodes: dict[str, dict[str, Any]] = {}
        self._outcome: dict[str, Any] | None = None
        self.task_id: str | None = None
        self.workflow_run_id: str | None = None
        self.result: Any = None
        self.count = 0
        self.last: str | None = None
        self.is_whole = False
        self.is_over = False
        self.inputs_refused = False
        self.observe: Callable[[str, dict[str, Any]], None] | None = None

    @property
    def text(self) -> str:
        """The text that came in chunks so far."""
        return "".join(self._texts)

    @property
    def outcome(self) -> WorkflowRunResult | None:
        """How the run ended, or that it waits for a person; None until it has ended."""
        if self._outcome is None:
            return None
        from ..results import WorkflowRunResult  # noqa: PLC0415 - the models of results are loaded when there is one

        ids = {"task_id": self.task_id, "workflow_run_id": self.workflow_run_id}
        return WorkflowRunResult.from_dict({**ids, "data": self._outcome})

    @property
    def nodes(self) -> list[NodeExecution]:
        """The executions of nodes so far, in the order in which they started."""
        from .node_executions import node_execution  # noqa: PLC0415 - few programs look at nodes

        return [node_execution(data) for data in self._nodes.values()]

    def last_events(self, received: Iterable[ServerSentEvent]) -> list[Model]:
        """The models of what a stream ended in without an empty line: it may be cut, and is dropped if it is.

        Raises:
            ReportedError: it is a complete `error` event.
        """
        try:
            events = [self.event_of(one) for one in received]
        except BrokenEventError:
            return []
        return [event for event in events if event is not None]

    def event_of(self, received: ServerSentEvent) -> Model | None:
        """The model of an event; None for a ping, and for an unknown event without data.

        Raises:
            ReportedError: it is an `error` event.
            BrokenEventError: it is not what the API promises.
        """
        name, data = received
        if not data or name == "ping":
            self._drop(name)
            return None
        value: Any
        try:
            value, end = _DECODER.raw_decode(data)
        except (ValueError, RecursionError):
            value, end = None, -1
        if end != len(data):
            value = _json_value(data)
        fields: dict[str, Any] = value
        if not isinstance(value, dict):
            raise BrokenEventError(f"{kind_of(value)} where the object of an event belongs", data)
        found = fields.get("event")
        if found and isinstance(found, str):
            name = found
        if name == "ping":
            return None
        event = self._noted(name, fields)
        if self.observe is not None:
            self.observe(name, fields)
        return event

    def _drop(self, name: str) -> None:
        # The WHATWG's format drops every event without data. Where it is one of the API's own, something was lost.
        if name and name != "ping" and self._load(name) is not self._load(""):
            raise BrokenEventError(f"an event {name!r} without data", "")

    def _noted(self, name: str, value: dict[str, Any]) -> Model:
        self.count += 1
        self.last = name
        if value.get("task_id") != self.task_id:
            self.task_id = _text(value, "task_id") or self.task_id
        if value.get("workflow_run_id") != self.workflow_run_id:
            self.workflow_run_id = _text(value, "workflow_run_id") or self.workflow_run_id
        if name == "error":
            status: object = value.get("status")
            raise ReportedError(
                _text(value, "code"),
                status if isinstance(status, int) else None,
                _text(value, "message") or "(no text)",
            )
        event: Model = self._load(name).from_dict(value)
        if name == "text_chunk":
            self._texts += _texts(value)
        elif name == "text_replace":
            self._texts = _texts(value) or self._texts
        elif name == "workflow_finished":
            self.result, self.is_whole, self.is_over = event, True, self._ends_with_run
            self.inputs_refused = self.count == COUNT_OF_REFUSAL and _is_made_up(value.get("data"))
            self._outcome = _data(value)
        elif self.result is None and name == "workflow_paused":
            self._outcome = {"status": "paused", **_data(value)}
            self.is_whole = self._ends_at_pause
            self.is_over = self.is_whole and self._ends_with_run
        elif self.result is None and name in RESUMING_EVENTS:
            self.is_whole, self._outcome = False, None
        if name in NODE_EVENTS:
            self._note_node(value)
        return event

    def _note_node(self, value: dict[str, Any]) -> None:
        data = _data(value)
        key = _text(data, "id") or _text(data, "node_id")
        if key is not None:
            self._nodes[key] = data

    def summary(self) -> str:
        """What was seen so far, for the message of an error."""
        return (
            f"after {self.count} events (the last: {self.last or 'none'}) of task {self.task_id or '(unknown)'}, "
            f"run {self.workflow_run_id or '(unknown)'}"
        )


class StreamWaits:
    """How long to wait for more of a stream, at each moment.

    Args:
        progress: what the stream has said so far.
        timeout: the bounds that the call or the client has.
        max_silence: seconds without an event other than pings, after which the stream is given up; None: no bound.
        is_queued: whether the run may wait for a free worker before its first event.
        clock: gives seconds, and does not jump.

    Attributes:
        timeout: the bounds with which the request is sent. The wait for data in it is the longest one of the stream.
    """

    __slots__ = (
        "_clock",
        "_count",
        "_heard",
        "_max_silence",
        "_progress",
        "_read",
        "_silence",
        "_speech",
        "_wait",
        "timeout",
    )

    def __init__(
        self,
        progress: StreamProgress,
        timeout: Timeout,
        *,
        max_silence: float | None,
        is_queued: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        read, total = timeout.phases["read"], timeout.total
        first = read
        if is_queued and not timeout.is_given:
            first = total = QUEUE_SECONDS
        self._clock = clock
        self._progress = progress
        self._count = -1
        self._heard = 0.0
        self._read = inf if read is None else read
        self._wait = inf if first is None else first
        self._silence = self._max_silence = inf if max_silence is None else max_silence
        self._speech = min(SPEECH_SECONDS, self._max_silence)
        longest = min(self._wait, self._max_silence)
        self.timeout = timeout.with_read(None if longest == inf else longest, total=total)

    def before_read(self, attempt: Attempt | None) -> None:
        """Set the deadline of the next wait for data, as a wait begins.

        Args:
            attempt: what is given the deadline; None for a stream over a caller's own httpx client, whose waits have
                the longest bound throughout.

        Raises:
            httpx.ReadTimeout: there has been no event for too long; only pings came.
        """
        now, progress = self._clock(), self._progress
        if progress.count != self._count:  # what the caller does with an event takes its time, and is no silence
            self._count, self._heard = progress.count, now
            self._silence = self._speech if progress.is_whole else self._max_silence
            if progress.count:
                self._wait = self._read
        elif now - self._heard >= self._silence:
            raise self._timeout()
        if attempt is not None:
            attempt.deadline = now + self._wait
            if self._silence != inf:
                attempt.deadline = min(attempt.deadline, self._heard + self._silence)

    def explained(self, error: httpx.HTTPError) -> httpx.HTTPError:
        """The error that ended a stream; where it is the end of a silence that lasted too long, it says so."""
        # The wait of a socket may end a little early.
        is_silence = isinstance(error, httpx.ReadTimeout) and self._clock() - self._heard >= self._silence - TICK
        return self._timeout() if is_silence else error

    def _timeout(self) -> httpx.ReadTimeout:
        option = "" if self._progress.is_whole else " (max_silence)"
        return httpx.ReadTimeout(f"no event other than pings for {self._silence:g} s{option}")


def _json_value(text: str) -> Any:  # noqa: ANN401 - JSON is anything
    """The value of a text that is not JSON alone: there may be space around it, which the server's events have not.

    Raises:
        BrokenEventError: it is not valid JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BrokenEventError(f"broken JSON in an event ({error})", text) from None


def _is_made_up(data: object) -> bool:
    # Every run that exists has been created by somebody.
    return is_object(data) and data.get("status") == "failed" and data.get("created_by") == {}


def _data(value: dict[str, Any]) -> dict[str, Any]:
    data: object = value.get("data")
    return data if is_object(data) else {}


def _texts(value: dict[str, Any]) -> list[str]:
    data: object = value.get("data")
    text: object = data.get("text") if is_object(data) else None
    return [text] if isinstance(text, str) else []


def _text(value: dict[str, Any], name: str) -> str | None:
    found: object = value.get(name)
    return found if isinstance(found, str) and found else None

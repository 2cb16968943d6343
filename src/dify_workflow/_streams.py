"""What a stream of events means: which model an event is, what is known of the run so far, and whether it is whole.

Decisions only: nothing here reads from a connection.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ._responses import BrokenEventError, ReportedError, is_object, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ._responses import Model
    from ._sse import ServerSentEvent

RESUMING_EVENTS: Final = frozenset(
    {"workflow_started", "node_started", "human_input_form_filled", "human_input_form_timeout"}
)
"""What says that a run goes on after a pause."""


LONGEST_BLANK: Final = 4096
"""Bytes of empty lines with which a stream without the right content type may begin."""

_MARK: Final = b"\xef\xbb\xbf"
_BEGINNINGS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")
_DECODER: Final = json.JSONDecoder()


def looks_like_events(beginning: bytes) -> bool | None:
    """Whether a body is a stream of events, by its first bytes; None while these are too few to tell.

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
        "_texts",
        "count",
        "is_over",
        "is_whole",
        "last",
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
        self.task_id: str | None = None
        self.workflow_run_id: str | None = None
        self.result: Any = None
        self.count = 0
        self.last: str | None = None
        self.is_whole = False
        self.is_over = False

    @property
    def text(self) -> str:
        """The text that came in chunks so far."""
        return "".join(self._texts)

    def events_of(self, received: Iterable[ServerSentEvent]) -> Iterator[Model]:
        """The models of events, one at a time, up to the one with which the stream is over.

        Raises:
            ReportedError: as `event_of`, after the events before it.
            BrokenEventError: as `event_of`, after the events before it.
        """
        for one in received:
            event = self.event_of(one)
            if event is not None:
                yield event
                if self.is_over:
                    return

    def last_events_of(self, received: Iterable[ServerSentEvent]) -> list[Model]:
        """The models of what a stream ended in without an empty line: it may be cut, and is dropped if it is.

        Raises:
            ReportedError: it is a complete `error` event.
        """
        try:
            return list(self.events_of(received))
        except BrokenEventError:
            return []

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
        try:
            value = _json_value(data)
        except (ValueError, RecursionError) as error:
            raise BrokenEventError(f"broken JSON in an event ({error})", data) from None
        if not is_object(value):
            raise BrokenEventError(f"{kind_of(value)} where the object of an event belongs", data)
        name = _text(value, "event") or name
        return None if name == "ping" else self._noted(name, value)

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
        elif self.result is None and name == "workflow_paused":
            self.is_whole = self._ends_at_pause
            self.is_over = self.is_whole and self._ends_with_run
        elif self.result is None and name in RESUMING_EVENTS:
            self.is_whole = False
        return event

    def summary(self) -> str:
        """What was seen so far, for the message of an error."""
        return (
            f"after {self.count} events (the last: {self.last or 'none'}) of task {self.task_id or '(unknown)'}, "
            f"run {self.workflow_run_id or '(unknown)'}"
        )


def _json_value(text: str) -> Any:  # noqa: ANN401 - JSON is anything
    try:
        value, end = _DECODER.raw_decode(text)
    except ValueError:
        value, end = None, -1
    # `loads` also reads what has space around it, which the server's events have not, and says what is wrong.
    return value if end == len(text) else json.loads(text)


def _texts(value: dict[str, Any]) -> list[str]:
    data: object = value.get("data")
    text: object = data.get("text") if is_object(data) else None
    return [text] if isinstance(text, str) else []


def _text(value: dict[str, Any], name: str) -> str | None:
    found: object = value.get(name)
    return found if isinstance(found, str) and found else None

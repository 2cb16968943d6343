"""What a stream of events means: which model an event is, what is known of the run so far, and whether it is whole.

Decisions only: nothing here reads from a connection.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ._errors import WorkflowStreamError
from ._responses import is_object

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._responses import Model
    from ._sse import ServerSentEvent

LAST_EVENTS: Final = frozenset({"workflow_finished", "workflow_paused"})
"""What a whole stream has: on newer servers, one of a run that waits for a person ends with a pause."""


class BrokenEventError(Exception):
    """The data of an event is not a JSON object; the text says what it is."""


class StreamProgress:
    """What a stream of events has told so far.

    Attributes:
        task_id: what `runs.stop` takes; None before the first event.
        workflow_run_id: the run; None before the first event.
        result: the `workflow_finished` event; None before it.
        text: the text that came in chunks so far.
        count: events so far, without pings.
        last: name of the latest event.
        is_whole: whether an event came that a stream may end after.
    """

    __slots__ = ("_load", "_texts", "count", "is_whole", "last", "result", "task_id", "workflow_run_id")

    def __init__(self, load_event: Callable[[str], type[Any]]) -> None:
        self._load = load_event
        self._texts: list[str] = []
        self.task_id: str | None = None
        self.workflow_run_id: str | None = None
        self.result: Any = None
        self.count = 0
        self.last: str | None = None
        self.is_whole = False

    @property
    def text(self) -> str:
        """The text that came in chunks so far."""
        return "".join(self._texts)

    def event_of(self, received: ServerSentEvent) -> Model | None:
        """The model of an event; None for a ping, which only says that the connection lives.

        Raises:
            WorkflowStreamError: it is an `error` event.
            BrokenEventError: it is not what the API promises.
        """
        if not received.data:
            if received.event in {"", "ping"}:
                return None
            raise BrokenEventError(f"an event {received.event!r} without data")
        try:
            value = json.loads(received.data)
        except (ValueError, RecursionError) as error:
            raise BrokenEventError(f"broken JSON in an event ({error})") from None
        if not is_object(value):
            raise BrokenEventError(f"an event that is no object: {received.data[:80]!r}")
        name: object = value.get("event", received.event)
        if name == "ping":
            return None
        return self._noted(name if isinstance(name, str) else "", value)

    def _noted(self, name: str, value: dict[str, Any]) -> Model:
        self.count += 1
        self.last = name
        self.task_id = _text(value, "task_id") or self.task_id
        self.workflow_run_id = _text(value, "workflow_run_id") or self.workflow_run_id
        if name == "error":
            raise _stream_error(value)
        event: Model = self._load(name).from_dict(value)
        data: object = value.get("data")
        chunk: object = data.get("text") if is_object(data) else None
        if name == "text_chunk" and isinstance(chunk, str):
            self._texts.append(chunk)
        elif name == "text_replace" and isinstance(chunk, str):
            self._texts = [chunk]
        elif name == "workflow_finished":
            self.result = event
        self.is_whole = self.is_whole or name in LAST_EVENTS
        return event

    def summary(self) -> str:
        """What was seen so far, for the message of an error."""
        return (
            f"after {self.count} events (the last: {self.last or 'none'}) of task {self.task_id or '(unknown)'}, "
            f"run {self.workflow_run_id or '(unknown)'}"
        )


def _stream_error(value: dict[str, Any]) -> WorkflowStreamError:
    status: object = value.get("status")
    code, message = _text(value, "code"), _text(value, "message") or "(no text)"
    return WorkflowStreamError(
        f"the run ended with an error event: {code or 'no code'}: {message}",
        code=code,
        status=status if isinstance(status, int) else None,
        message=message,
    )


def _text(value: dict[str, Any], name: str) -> str | None:
    found: object = value.get(name)
    return found if isinstance(found, str) and found else None

"""`stream_workflow_run_events`."""

from __future__ import annotations

from typing import Final

from ... import models as _models
from ... import types as _types
from ...types import Model, Request

EVENTS: Final[dict[str, str]] = {
    "workflow_started": "WorkflowStartedEvent",
    "node_started": "NodeStartedEvent",
    "node_finished": "NodeFinishedEvent",
    "node_retry": "NodeRetryEvent",
    "iteration_started": "IterationStartedEvent",
    "iteration_next": "IterationNextEvent",
    "iteration_completed": "IterationCompletedEvent",
    "loop_started": "LoopStartedEvent",
    "loop_next": "LoopNextEvent",
    "loop_completed": "LoopCompletedEvent",
    "text_chunk": "TextChunkEvent",
    "text_replace": "TextReplaceEvent",
    "reasoning_chunk": "ReasoningChunkEvent",
    "agent_log": "AgentLogEvent",
    "workflow_finished": "WorkflowFinishedEvent",
    "workflow_paused": "WorkflowPausedEvent",
    "human_input_required": "HumanInputRequiredEvent",
    "human_input_form_filled": "HumanInputFormFilledEvent",
    "human_input_form_timeout": "HumanInputFormTimeoutEvent",
    "tts_message": "TtsMessageEvent",
    "tts_message_end": "TtsMessageEndEvent",
    "message_file": "MessageFileEvent",
    "error": "ErrorEvent",
}
"""The events of the stream: the names of their models, by their own."""


def build_request(
    *,
    workflow_run_id: str,
    user: str,
    include_state_snapshot: bool | None = None,
    continue_on_pause: bool | None = None,
) -> Request[bytes]:
    """Follow the events of a run

    Streams the events of a run that was started elsewhere, or that continues after a pause; one that has ended gives
    its `workflow_finished` at once. Mind the path: `/workflow`, not `/workflows`.

    Servers from version 1.14 on have this operation; version 1.11.2 responds with 404 and HTML.

    GET /workflow/{workflow_run_id}/events

    Args:
        workflow_run_id: The run's id, a UUID.
        user: Who the run was started for. Another one gets status 404.
        include_state_snapshot: Whether the stream begins with events of what happened before.
            The server's own default is false.
        continue_on_pause: Whether the stream stays open while the run waits for a form, instead of ending with
            `workflow_paused`.
            The server's own default is false.

    Raises:
        ValueError: An argument is not what the API takes; nothing was sent.
    """
    return Request(
        operation="stream_workflow_run_events",
        method="GET",
        path=_types.path(
            "/workflow/", _types.segment("workflow_run_id", workflow_run_id, required=True, uuid=True), "/events"
        ),
        params=_types.pairs(
            ("user", _types.text("user", user, required=True)),
            ("include_state_snapshot", _types.boolean("include_state_snapshot", include_state_snapshot)),
            ("continue_on_pause", _types.boolean("continue_on_pause", continue_on_pause)),
        ),
        load_response=_response,
    )


def load_event(name: object) -> type[Model]:
    """The model of an event of the stream, by the event's name; `WorkflowEvent` for any other.

    A model is loaded when it is first asked for.
    """
    found = EVENTS.get(name) if isinstance(name, str) else None
    model: type[Model] = getattr(_models, found or "WorkflowEvent")
    return model


def _response() -> type[bytes]:
    return bytes

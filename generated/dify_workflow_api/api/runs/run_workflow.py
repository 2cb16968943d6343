"""`run_workflow`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ... import models as _models
from ... import types as _types
from ...types import Model, Request

if TYPE_CHECKING:
    from ...models.workflow_run_request import WorkflowRunRequest
    from ...models.workflow_run_response import WorkflowRunResponse


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
    body: WorkflowRunRequest | dict[str, Any],
) -> Request[WorkflowRunResponse]:
    """Run the published workflow

    Starts a run and responds with its result (`blocking`) or with its events while it runs (`streaming`).

    Nothing makes a repeated request harmless: each one that arrives starts, and bills, another run. A request whose
    response was lost must not be sent again.

    A blocking run keeps the connection without a byte until it ends, and proxies cut such connections, often after 60
    or 100 seconds. The run continues in either mode when the client disconnects; `POST
    /workflows/tasks/{task_id}/stop` ends it.

    A run that fails is no error of the request: the status is 200, `data.status` is `failed` and `data.error` says
    why.

    From version 1.14 on a streaming run is queued: the stream begins with a ping and is silent until a worker takes
    the run, and it ends without an event after 300 seconds, although the run is executed later. Inputs that the app
    refuses get status 400 in blocking mode and, on version 1.11.2, in streaming mode; a stream of version 1.14.2
    stays silent then, and one of 1.16.1 reports a failed run that does not exist.

    POST /workflows/run

    Args:
        body: What to run, for whom, and how to answer.

    Raises:
        ValueError: An argument is not what the API takes; nothing was sent.
    """
    return Request(
        operation="run_workflow",
        method="POST",
        path="/workflows/run",
        json=_types.body(body, required=True, is_object=True),
        load_response=_response,
    )


def load_event(name: object) -> type[Model]:
    """The model of an event of the stream, by the event's name; `WorkflowEvent` for any other.

    A model is loaded when it is first asked for.
    """
    found = EVENTS.get(name) if isinstance(name, str) else None
    model: type[Model] = getattr(_models, found or "WorkflowEvent")
    return model


def _response() -> type[WorkflowRunResponse]:
    from ...models.workflow_run_response import WorkflowRunResponse  # loaded when there is a response

    return WorkflowRunResponse

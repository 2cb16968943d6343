"""`stop_workflow_run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import types as _types
from ...types import Request

if TYPE_CHECKING:
    from ...models.stop_request import StopRequest
    from ...models.stop_response import StopResponse


def build_request(
    *,
    task_id: str,
    body: StopRequest | dict[str, Any],
) -> Request[StopResponse]:
    """Stop a run

    Asks for a running task to be stopped. The run's stream or blocking response then ends with the status `stopped`
    and the error "Stopped by user.".

    The response is always a success, also for a task that is unknown, has ended or is another app's, so it proves
    nothing. `user` must be given but is not compared with that of the run.

    Server version 1.16.1 stores the run as `stopped`. On 1.11.2 and 1.14.2 the stored run stays `running`, without an
    end, for good: neither the logs nor `GET /workflows/run/{workflow_run_id}` ever say `stopped` of it. A run that
    has paused is not stopped: it stays paused, and its form open.

    POST /workflows/tasks/{task_id}/stop

    Args:
        task_id: The id of the task: `task_id` of the run's events or of its blocking response. It is not the
            run's id.
        body: Who stops the run.

    Raises:
        ValueError: An argument is not what the API takes; nothing was sent.
    """
    return Request(
        operation="stop_workflow_run",
        method="POST",
        path=_types.path("/workflows/tasks/", _types.segment("task_id", task_id, required=True), "/stop"),
        json=_types.body(body, required=True, is_object=True),
        load_response=_response,
    )


def _response() -> type[StopResponse]:
    from ...models.stop_response import StopResponse  # loaded when there is a response

    return StopResponse

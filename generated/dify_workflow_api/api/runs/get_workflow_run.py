"""`get_workflow_run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import types as _types
from ...types import Request

if TYPE_CHECKING:
    from ...models.workflow_run import WorkflowRun


def build_request(
    *,
    workflow_run_id: str,
) -> Request[WorkflowRun]:
    """Get a run

    Returns a run as it was stored, its inputs and outputs included. Runs that were started in the console are found
    too.

    On server version 1.11.2, an id that this app has no run for gets status 200 and an object with null in every
    field, not 404; from version 1.14 on it gets 404. A log's own id is such an id: a run's is in the log's
    `workflow_run`.

    `inputs` is JSON inside a string; `outputs` is so on server version 1.11.2 and an object from 1.14 on. A run that
    was stopped through the API stays `running` for good on versions 1.11.2 and 1.14.2.

    GET /workflows/run/{workflow_run_id}

    Args:
        workflow_run_id: The run's id: a UUID, with or without dashes. Any other string gets status 500.

    Raises:
        ValueError: An argument is not what the API takes; nothing was sent.
    """
    return Request(
        operation="get_workflow_run",
        method="GET",
        path=_types.path(
            "/workflows/run/", _types.segment("workflow_run_id", workflow_run_id, required=True, uuid=True)
        ),
        load_response=_response,
    )


def _response() -> type[WorkflowRun]:
    from ...models.workflow_run import WorkflowRun  # loaded when there is a response

    return WorkflowRun

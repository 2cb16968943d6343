"""The enum WorkflowRunStatus."""

from enum import StrEnum
from typing import Final


class WorkflowRunStatus(StrEnum):
    """The state of a run. `partial-succeeded` means that some nodes failed and the workflow continued by its own rules;
    `paused` that it waits to be resumed; `scheduled` that it has not begun.
    """

    __module__ = "dify_workflow.models"

    SCHEDULED = "scheduled"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    PARTIAL_SUCCEEDED = "partial-succeeded"
    PAUSED = "paused"


WORKFLOW_RUN_STATUS_MEMBERS: Final[dict[str, WorkflowRunStatus]] = {
    member.value: member for member in WorkflowRunStatus
}

"""The enum NodeStatus."""

from enum import StrEnum
from typing import Final


class NodeStatus(StrEnum):
    """The state of one node of a run. `exception` means that it failed and the workflow continued by its own rules;
    `retry` that it is tried once more.
    """

    __module__ = "dify_workflow.models"

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXCEPTION = "exception"
    STOPPED = "stopped"
    PAUSED = "paused"
    RETRY = "retry"


NODE_STATUS_MEMBERS: Final[dict[str, NodeStatus]] = {member.value: member for member in NodeStatus}

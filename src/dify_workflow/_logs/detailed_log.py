"""The item of `logs.iter(details=...)`."""

from typing import NamedTuple

from dify_workflow_api.models.workflow_log import WorkflowLog

from ..results import WorkflowRunDetail


class DetailedLog(NamedTuple):
    """A log with its run: an item of `logs.iter(details=...)`."""

    log: WorkflowLog
    """The log."""

    run: WorkflowRunDetail | None
    """The run with its inputs and outputs; None where the server no longer has it, or where `error` is set."""

    error: Exception | None
    """Why the run could not be read; None when it was read, and when the log has no run."""


DetailedLog.__module__ = "dify_workflow.types"  # in the class, mypy takes it for a field

"""A page of logs as a user of pydantic would write it down."""

from typing import Any

from pydantic import BaseModel


class Account(BaseModel):
    """Who ran it in the console."""

    id: str
    name: str
    email: str


class EndUser(BaseModel):
    """For whom it ran."""

    id: str
    type: str
    is_anonymous: bool
    session_id: str | None


class WorkflowRunSummary(BaseModel):
    """What ran."""

    id: str
    version: str
    status: str
    triggered_from: str
    error: str | None
    elapsed_time: float
    total_tokens: int
    total_steps: int | None
    created_at: int
    finished_at: int | None
    exceptions_count: int | None


class WorkflowLog(BaseModel):
    """A row."""

    id: str
    workflow_run: WorkflowRunSummary | None
    details: Any
    created_from: str
    created_by_role: str
    created_by_account: Account | None
    created_by_end_user: EndUser | None
    created_at: int


class WorkflowLogPage(BaseModel):
    """A page."""

    page: int
    limit: int
    total: int
    has_more: bool
    data: list[WorkflowLog]

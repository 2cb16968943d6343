"""What is known of a run that was started, and how often it is read from the server. Decisions only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

from .._errors import APITimeoutError
from .._http.config import CLOSED
from .._http.library import httpx
from ..results import WorkflowRunResult
from .statuses import ENDED_STATUSES

if TYPE_CHECKING:
    from ..results import WorkflowRunDetail

PAUSED: Final = "paused"

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 10.0
GROWTH: Final = 1.5

OUTAGE: Final = 300.0
"""Seconds for which an outage of the server is waited out during a run."""

LONGEST_LOOK: Final = 5.0
"""Seconds without an event after which a run whose events were to show its pause is taken to be running."""

FORM_CLOSED: Final = 412
"""The status of the response for a form that was submitted, or has expired."""

WAIT_CLOSED: Final = f"{CLOSED}; the run continues, and runs.attach of another client can wait for it"

FIELDS: Final = (
    "id",
    "workflow_id",
    "status",
    "outputs",
    "error",
    "elapsed_time",
    "total_tokens",
    "total_steps",
    "created_at",
    "finished_at",
)
"""Of a run's detail, what a result has."""


def has_events(version: str | None) -> bool:
    """Whether a server, by its version, gives the events of runs again, and has files that belong to one end user.

    False for Dify 1.11 and older, and where the version is not known.
    """
    found = re.match(r"(\d+)\.(\d+)\.", version or "")
    return found is not None and (int(found[1]), int(found[2])) > (1, 11)


def next_pause(pause: float) -> float:
    """Seconds until a run is requested again, after a pause of so many seconds."""
    return min(pause * GROWTH, LONGEST_PAUSE)


def result_of(detail: WorkflowRunDetail, task_id: str | None) -> WorkflowRunResult | None:
    """The result of a run that has ended or waits for a person; None until it has ended."""
    status: object = detail.status
    if status != PAUSED and status not in ENDED_STATUSES:
        return None
    data = {name: getattr(detail, name) for name in FIELDS if name in detail.to_dict()}
    result: dict[str, Any] = {"task_id": task_id, "workflow_run_id": detail.id, "data": data}
    return WorkflowRunResult.from_dict(result)


def form_tokens(result: WorkflowRunResult) -> list[str]:
    """The tokens of the forms that a paused run waits for."""
    reasons: object = getattr(result.data, "reasons", None)
    known = cast("list[object]", reasons) if isinstance(reasons, list) else []
    tokens = [getattr(reason, "form_token", None) for reason in known]
    return [token for token in tokens if isinstance(token, str)]


def not_ended(base_url: str, run_id: str, seconds: float) -> APITimeoutError:
    """The error of a wait that was not long enough."""
    return APITimeoutError(
        f"the run {run_id} has not ended within {seconds:g} s; it continues: wait() again, or stop() it",
        request=httpx.Request("GET", f"{base_url}/workflows/run/{run_id}"),
    )


def checked_wait(timeout: float | None) -> float | None:
    """The seconds to wait for a run.

    Raises:
        ValueError: they are not a number of 0 or more.
    """
    is_number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if timeout is not None and not (is_number and timeout >= 0):
        raise ValueError(f"timeout must be seconds, 0 or more, or None to wait without a limit; got {timeout!r}")
    return timeout

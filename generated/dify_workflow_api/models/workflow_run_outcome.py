"""The model WorkflowRunOutcome."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of, utc
from .pause_reason import PauseReason
from .workflow_run_creator import WorkflowRunCreator
from .workflow_run_status import WORKFLOW_RUN_STATUS_MEMBERS, WorkflowRunStatus


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class WorkflowRunOutcome(Model):
    """How a run ended."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "id": "id",
        "workflow_id": "workflow_id",
        "status": "status",
        "outputs": "outputs",
        "error": "error",
        "elapsed_time": "elapsed_time",
        "total_tokens": "total_tokens",
        "total_steps": "total_steps",
        "created_at": "created_at",
        "finished_at": "finished_at",
        "created_by": "created_by",
        "exceptions_count": "exceptions_count",
        "files": "files",
        "paused_nodes": "paused_nodes",
        "reasons": "reasons",
    }

    id: str = ABSENT
    """The run's id; the same as `workflow_run_id`."""

    workflow_id: str = ABSENT
    """The id of the version of the workflow that ran. `POST /workflows/{workflow_id}/run` takes it."""

    status: WorkflowRunStatus | str = ABSENT
    """How the run ended. A failed run is not an error of the request: its HTTP status is 200 and its status here
    `failed`.
    """

    outputs: dict[str, Any] | None = ABSENT
    """What the workflow's end node gave, by name; empty when the run failed."""

    error: str | None = ABSENT
    """The error of a run that did not succeed, such as `Stopped by user.`; null for the others. It can be long and have
    several lines.
    """

    elapsed_time: float | None = ABSENT
    """How long the run took, in seconds. The logs may have a few milliseconds more or less."""

    total_tokens: int | None = ABSENT
    """How many model tokens the run used."""

    total_steps: int | None = ABSENT
    """How many nodes of the workflow ran."""

    created_at: int = ABSENT
    """When the run started, in epoch seconds."""

    finished_at: int | None = ABSENT
    """When the run ended, in epoch seconds; null while it has not, as when it is paused."""

    created_by: WorkflowRunCreator | None = ABSENT
    """Who started the run. Only newer servers send it in a blocking response."""

    exceptions_count: int | None = ABSENT
    """How many nodes failed and were passed over by the workflow's own rules. Only newer servers send it in a blocking
    response.
    """

    files: list[dict[str, Any]] | None = ABSENT
    """The files among the outputs. Only newer servers send it in a blocking response."""

    paused_nodes: list[str] | None = ABSENT
    """The ids of the nodes that wait. Servers from version 1.14 on send it when the run has paused."""

    reasons: list[PauseReason] | None = ABSENT
    """Why the run waits, an object for each reason. Servers from version 1.14 on send it when the run has paused."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @property
    def created_at_utc(self) -> datetime | None:
        """`created_at` as an aware datetime in UTC; None when it is no time."""
        return utc(self.created_at)

    @property
    def finished_at_utc(self) -> datetime | None:
        """`finished_at` as an aware datetime in UTC; None when it is no time."""
        return utc(self.finished_at)

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = WorkflowRunOutcome) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 15:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.id = src["id"]
        self.workflow_id = src["workflow_id"]
        self.status = _workflow_run_status(_value, _value) if isinstance(_value := src["status"], str) else _value
        self.outputs = src["outputs"]
        self.error = src["error"]
        self.elapsed_time = src["elapsed_time"]
        self.total_tokens = src["total_tokens"]
        self.total_steps = src["total_steps"]
        self.created_at = src["created_at"]
        self.finished_at = src["finished_at"]
        self.created_by = (
            _decode_workflow_run_creator(_value) if isinstance(_value := src["created_by"], dict) else _value
        )
        self.exceptions_count = src["exceptions_count"]
        self.files = src["files"]
        self.paused_nodes = src["paused_nodes"]
        self.reasons = (
            [_decode_pause_reason(_item) if isinstance(_item, dict) else _item for _item in _value]
            if isinstance(_value := src["reasons"], list)
            else _value
        )
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


_workflow_run_status = WORKFLOW_RUN_STATUS_MEMBERS.get
from .pause_reason import decode as _decode_pause_reason
from .workflow_run_creator import decode as _decode_workflow_run_creator

"""The model WorkflowPausedData."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of, utc
from .pause_reason import PauseReason
from .workflow_run_status import WORKFLOW_RUN_STATUS_MEMBERS, WorkflowRunStatus


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class WorkflowPausedData(Model):
    """Where and why a run waits."""

    __module__ = "dify_workflow.models"

    array_fields: ClassVar[tuple[str, ...]] = ("paused_nodes", "reasons")
    _names: ClassVar[dict[str, str]] = {
        "workflow_run_id": "workflow_run_id",
        "paused_nodes": "paused_nodes",
        "outputs": "outputs",
        "reasons": "reasons",
        "status": "status",
        "created_at": "created_at",
        "elapsed_time": "elapsed_time",
        "total_tokens": "total_tokens",
        "total_steps": "total_steps",
    }

    workflow_run_id: str = ABSENT
    """The id of the run."""

    paused_nodes: list[Any] = ABSENT
    """The nodes that wait."""

    outputs: dict[str, Any] | None = ABSENT
    """What the workflow gave so far."""

    reasons: list[PauseReason] = ABSENT
    """Why it waits, an object for each reason."""

    status: WorkflowRunStatus | str = ABSENT
    """The state of the run, `paused`."""

    created_at: int = ABSENT
    """When the run started, in epoch seconds."""

    elapsed_time: float | None = ABSENT
    """How long the run took so far, in seconds."""

    total_tokens: int | None = ABSENT
    """How many model tokens the run used so far."""

    total_steps: int | None = ABSENT
    """How many nodes of the workflow ran so far."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @property
    def created_at_utc(self) -> datetime | None:
        """`created_at` as an aware datetime in UTC; None when it is no time."""
        return utc(self.created_at)

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = WorkflowPausedData) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 9:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.workflow_run_id = src["workflow_run_id"]
        self.paused_nodes = src["paused_nodes"]
        self.outputs = src["outputs"]
        self.reasons = (
            [_decode_pause_reason(_item) if isinstance(_item, dict) else _item for _item in _value]
            if isinstance(_value := src["reasons"], list)
            else _value
        )
        self.status = _workflow_run_status(_value, _value) if isinstance(_value := src["status"], str) else _value
        self.created_at = src["created_at"]
        self.elapsed_time = src["elapsed_time"]
        self.total_tokens = src["total_tokens"]
        self.total_steps = src["total_steps"]
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

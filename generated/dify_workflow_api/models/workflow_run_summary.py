"""The model WorkflowRunSummary."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of, utc
from .workflow_run_status import WORKFLOW_RUN_STATUS_MEMBERS, WorkflowRunStatus


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class WorkflowRunSummary(Model):
    """The run that a log is about, without its inputs and outputs."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "id": "id",
        "version": "version",
        "status": "status",
        "triggered_from": "triggered_from",
        "error": "error",
        "elapsed_time": "elapsed_time",
        "total_tokens": "total_tokens",
        "total_steps": "total_steps",
        "created_at": "created_at",
        "finished_at": "finished_at",
        "exceptions_count": "exceptions_count",
    }

    id: str = ABSENT
    """The run's id."""

    version: str = ABSENT
    """The version of the workflow that ran: the time it was published, as a string such as `2026-11-22 21:52:44.948869`."""

    status: WorkflowRunStatus | str = ABSENT
    """The state of the run. Other server versions may send states that are not in the list. `running` may be permanent:
    a run that was stopped through the API keeps it, with `finished_at` null.
    """

    triggered_from: str = ABSENT
    """What triggered the run; `app-run` for the runs that are listed in practice."""

    error: str | None = ABSENT
    """The error of a run that failed; null, or in some cases an empty string, for others. It can be long and have
    several lines.
    """

    elapsed_time: float = ABSENT
    """How long the run took, in seconds; 0 while it is running."""

    total_tokens: int = ABSENT
    """How many model tokens the run used."""

    total_steps: int | None = ABSENT
    """How many nodes of the workflow ran; null when it was not recorded."""

    created_at: int = ABSENT
    """When the run started, in epoch seconds."""

    finished_at: int | None = ABSENT
    """When the run ended, in epoch seconds; null while it has not."""

    exceptions_count: int | None = ABSENT
    """How many nodes of the workflow failed; null when it was not recorded."""

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


def decode(src: Mapping[str, Any], cls: Any = WorkflowRunSummary) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 11:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.id = src["id"]
        self.version = src["version"]
        self.status = _workflow_run_status(_value, _value) if isinstance(_value := src["status"], str) else _value
        self.triggered_from = src["triggered_from"]
        self.error = src["error"]
        self.elapsed_time = src["elapsed_time"]
        self.total_tokens = src["total_tokens"]
        self.total_steps = src["total_steps"]
        self.created_at = src["created_at"]
        self.finished_at = src["finished_at"]
        self.exceptions_count = src["exceptions_count"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


_workflow_run_status = WORKFLOW_RUN_STATUS_MEMBERS.get

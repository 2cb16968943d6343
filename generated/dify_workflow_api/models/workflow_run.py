"""The model WorkflowRun."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of, utc
from .workflow_run_status import WORKFLOW_RUN_STATUS_MEMBERS, WorkflowRunStatus


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class WorkflowRun(Model):
    """A run as the server stored it. On server version 1.11.2 every field is null when the server has no run of this app
    with the requested id; from 1.14 on that gets status 404.
    """

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "id": "id",
        "workflow_id": "workflow_id",
        "status": "status",
        "inputs": "inputs",
        "outputs": "outputs",
        "error": "error",
        "total_steps": "total_steps",
        "total_tokens": "total_tokens",
        "created_at": "created_at",
        "finished_at": "finished_at",
        "elapsed_time": "elapsed_time",
    }

    id: str | None = ABSENT
    """The run's id, with dashes in whichever form it was requested; null when there is no such run."""

    workflow_id: str | None = ABSENT
    """The id of the version of the workflow that ran."""

    status: WorkflowRunStatus | str | None = ABSENT
    """The state of the run. It stays `running` for good after the run was stopped through the API on server versions
    1.11.2 and 1.14.2, and then `finished_at` stays null.
    """

    inputs: str | dict[str, Any] | None = ABSENT
    """The values that the run was given, the server's own `sys.*` ones included. All measured servers send them as JSON
    inside a string, which has to be decoded once more.
    """

    outputs: str | dict[str, Any] | None = ABSENT
    """What the run gave. Server version 1.11.2 sends it as JSON inside a string: `{}` while it is running, null when it
    failed. From version 1.14 on it is an object, empty while the run is running or paused and when it failed.
    """

    error: str | None = ABSENT
    """The error of a run that did not succeed, such as `Stopped by user.`; null for the others. It can be long and have
    several lines.
    """

    total_steps: int | None = ABSENT
    """How many nodes of the workflow ran; 0 while it is running."""

    total_tokens: int | None = ABSENT
    """How many model tokens the run used."""

    created_at: int | None = ABSENT
    """When the run started, in epoch seconds."""

    finished_at: int | None = ABSENT
    """When the run ended, in epoch seconds; null while it has not, and for good after it was stopped through the API."""

    elapsed_time: float | None = ABSENT
    """How long the run took, in seconds; 0 while it is running."""

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


def decode(src: Mapping[str, Any], cls: Any = WorkflowRun) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 11:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.id = src["id"]
        self.workflow_id = src["workflow_id"]
        self.status = _workflow_run_status(_value, _value) if isinstance(_value := src["status"], str) else _value
        self.inputs = src["inputs"]
        self.outputs = src["outputs"]
        self.error = src["error"]
        self.total_steps = src["total_steps"]
        self.total_tokens = src["total_tokens"]
        self.created_at = src["created_at"]
        self.finished_at = src["finished_at"]
        self.elapsed_time = src["elapsed_time"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


_workflow_run_status = WORKFLOW_RUN_STATUS_MEMBERS.get

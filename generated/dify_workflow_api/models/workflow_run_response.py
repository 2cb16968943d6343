"""The model WorkflowRunResponse."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of
from .workflow_run_outcome import WorkflowRunOutcome


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class WorkflowRunResponse(Model):
    """The response to a blocking run."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "task_id": "task_id",
        "workflow_run_id": "workflow_run_id",
        "data": "data",
    }

    task_id: str = ABSENT
    """The id of the running task, which stops it; it is of no use once the run has ended, and it is not the run's id."""

    workflow_run_id: str = ABSENT
    """The run's id, which `GET /workflows/run/{workflow_run_id}` takes and the logs have as `workflow_run.id`."""

    data: WorkflowRunOutcome = ABSENT
    """How the run ended."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = WorkflowRunResponse) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 3:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.task_id = src["task_id"]
        self.workflow_run_id = src["workflow_run_id"]
        self.data = _decode_workflow_run_outcome(_value) if isinstance(_value := src["data"], dict) else _value
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


from .workflow_run_outcome import decode as _decode_workflow_run_outcome

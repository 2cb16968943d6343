"""The model WorkflowRunResponse."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new
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
    size = len(src)
    if size < 3:
        return cls._of_part(src)
    self = new(cls)
    try:
        self.task_id = src["task_id"]
        self.workflow_run_id = src["workflow_run_id"]
        self.data = _decode_workflow_run_outcome(_value) if isinstance(_value := src["data"], dict) else _value
    except KeyError:
        return cls._of_part(src)
    self._extra = None
    if size > 3:
        self._take_extra(src)
    return self


from .workflow_run_outcome import decode as _decode_workflow_run_outcome

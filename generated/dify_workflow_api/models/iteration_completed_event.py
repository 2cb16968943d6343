"""The model IterationCompletedEvent."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from ..types import ABSENT, Model, attrs, new, shape_of
from .iteration_completed_data import IterationCompletedData


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class IterationCompletedEvent(Model):
    """An iteration node has ended, well or not."""

    __module__ = "dify_workflow.models"

    _constants: ClassVar[dict[str, object]] = {
        "event": "iteration_completed",
    }
    _names: ClassVar[dict[str, str]] = {
        "event": "event",
        "workflow_run_id": "workflow_run_id",
        "task_id": "task_id",
        "data": "data",
    }

    event: Literal["iteration_completed"] = ABSENT
    """The name of the event."""

    workflow_run_id: str = ABSENT
    """The id of the run."""

    task_id: str = ABSENT
    """The id of the running task; what `POST /workflows/tasks/{task_id}/stop` takes."""

    data: IterationCompletedData = ABSENT
    """What happened."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = IterationCompletedEvent) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 4:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.event = src["event"]
        self.workflow_run_id = src["workflow_run_id"]
        self.task_id = src["task_id"]
        self.data = _decode_iteration_completed_data(_value) if isinstance(_value := src["data"], dict) else _value
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


from .iteration_completed_data import decode as _decode_iteration_completed_data

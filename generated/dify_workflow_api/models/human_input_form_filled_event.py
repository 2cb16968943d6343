"""The model HumanInputFormFilledEvent."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from ..types import ABSENT, Model, attrs, new, shape_of
from .human_input_form_filled_data import HumanInputFormFilledData


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class HumanInputFormFilledEvent(Model):
    """A form was submitted, and the run continues. Only newer servers send it."""

    __module__ = "dify_workflow.models"

    _constants: ClassVar[dict[str, object]] = {
        "event": "human_input_form_filled",
    }
    _names: ClassVar[dict[str, str]] = {
        "event": "event",
        "workflow_run_id": "workflow_run_id",
        "task_id": "task_id",
        "data": "data",
    }

    event: Literal["human_input_form_filled"] = ABSENT
    """The name of the event."""

    workflow_run_id: str = ABSENT
    """The id of the run."""

    task_id: str = ABSENT
    """The id of the running task; what `POST /workflows/tasks/{task_id}/stop` takes."""

    data: HumanInputFormFilledData = ABSENT
    """What happened."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = HumanInputFormFilledEvent) -> Any:
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
        self.data = _decode_human_input_form_filled_data(_value) if isinstance(_value := src["data"], dict) else _value
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


from .human_input_form_filled_data import decode as _decode_human_input_form_filled_data

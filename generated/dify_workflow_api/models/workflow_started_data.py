"""The model WorkflowStartedData."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of, utc


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class WorkflowStartedData(Model):
    """What is known when a run begins."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "id": "id",
        "workflow_id": "workflow_id",
        "inputs": "inputs",
        "created_at": "created_at",
        "reason": "reason",
        "sequence_number": "sequence_number",
    }

    id: str = ABSENT
    """The run's id."""

    workflow_id: str = ABSENT
    """The id of the version of the workflow that runs."""

    inputs: dict[str, Any] | None = ABSENT
    """The values that the run was given, by name, the server's own `sys.*` ones included."""

    created_at: int = ABSENT
    """When the run started, in epoch seconds."""

    reason: str | None = ABSENT
    """Why the run continues here: `initial`, or `resumption` after a pause. Server version 1.11.2 does not send it."""

    sequence_number: int | None = ABSENT
    """The number of the run among those of its app. Only older servers send it."""

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


def decode(src: Mapping[str, Any], cls: Any = WorkflowStartedData) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 6:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.id = src["id"]
        self.workflow_id = src["workflow_id"]
        self.inputs = src["inputs"]
        self.created_at = src["created_at"]
        self.reason = src["reason"]
        self.sequence_number = src["sequence_number"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

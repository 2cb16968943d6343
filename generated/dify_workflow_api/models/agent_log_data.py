"""The model AgentLogData."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class AgentLogData(Model):
    """A step of an agent."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "node_execution_id": "node_execution_id",
        "id": "id",
        "label": "label",
        "parent_id": "parent_id",
        "error": "error",
        "status": "status",
        "data": "data",
        "metadata": "metadata",
        "node_id": "node_id",
    }

    node_execution_id: str = ABSENT
    """The id of the execution of the agent's node."""

    id: str = ABSENT
    """The step's id."""

    label: str = ABSENT
    """The step's name, for people."""

    parent_id: str | None = ABSENT
    """The id of the step that this one is part of; null for none."""

    error: str | None = ABSENT
    """The step's error; null when there was none."""

    status: str = ABSENT
    """The state of the step, such as `start`, `success` or `error`."""

    data: dict[str, Any] | None = ABSENT
    """What the step is about."""

    metadata: dict[str, Any] | None = ABSENT
    """What it cost, and more of that kind."""

    node_id: str = ABSENT
    """The node's id in the workflow's graph: the id of the place, where `id` is that of this one execution."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = AgentLogData) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 9:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.node_execution_id = src["node_execution_id"]
        self.id = src["id"]
        self.label = src["label"]
        self.parent_id = src["parent_id"]
        self.error = src["error"]
        self.status = src["status"]
        self.data = src["data"]
        self.metadata = src["metadata"]
        self.node_id = src["node_id"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

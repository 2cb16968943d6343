"""The model NodeStartedData."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of, utc


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class NodeStartedData(Model):
    """What is known when a node begins."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "id": "id",
        "node_id": "node_id",
        "node_type": "node_type",
        "title": "title",
        "index": "index",
        "predecessor_node_id": "predecessor_node_id",
        "inputs": "inputs",
        "inputs_truncated": "inputs_truncated",
        "created_at": "created_at",
        "extras": "extras",
        "iteration_id": "iteration_id",
        "loop_id": "loop_id",
        "agent_strategy": "agent_strategy",
    }

    id: str = ABSENT
    """The id of this execution of the node."""

    node_id: str = ABSENT
    """The node's id in the workflow's graph: the id of the place, where `id` is that of this one execution."""

    node_type: str = ABSENT
    """The node's type, such as `start`, `llm`, `http-request`, `if-else` or `end`."""

    title: str = ABSENT
    """The node's title, as it is shown in the editor."""

    index: int = ABSENT
    """The node's place in the order of execution; always 1 on server version 1.11.2."""

    predecessor_node_id: str | None = ABSENT
    """The id of the node before this one; null when it is not given."""

    inputs: dict[str, Any] | None = ABSENT
    """What the node was given; null as long as that is not known, which is usual here."""

    inputs_truncated: bool | None = ABSENT
    """Whether `inputs` was cut short because of its size."""

    created_at: int = ABSENT
    """When the node began, in epoch seconds."""

    extras: dict[str, Any] | None = ABSENT
    """What goes with nodes of this type, such as a tool's icon."""

    iteration_id: str | None = ABSENT
    """The id of the iteration node that this one runs in; null outside of one."""

    loop_id: str | None = ABSENT
    """The id of the loop node that this one runs in; null outside of one."""

    agent_strategy: Any = ABSENT
    """The strategy of an agent node; null for others."""

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


def decode(src: Mapping[str, Any], cls: Any = NodeStartedData) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 13:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.id = src["id"]
        self.node_id = src["node_id"]
        self.node_type = src["node_type"]
        self.title = src["title"]
        self.index = src["index"]
        self.predecessor_node_id = src["predecessor_node_id"]
        self.inputs = src["inputs"]
        self.inputs_truncated = src["inputs_truncated"]
        self.created_at = src["created_at"]
        self.extras = src["extras"]
        self.iteration_id = src["iteration_id"]
        self.loop_id = src["loop_id"]
        self.agent_strategy = src["agent_strategy"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

"""The model NodeFinishedData."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of, utc
from .node_execution_metadata import NodeExecutionMetadata
from .node_status import NODE_STATUS_MEMBERS, NodeStatus


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class NodeFinishedData(Model):
    """What a node did."""

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
        "process_data": "process_data",
        "process_data_truncated": "process_data_truncated",
        "outputs": "outputs",
        "outputs_truncated": "outputs_truncated",
        "status": "status",
        "error": "error",
        "elapsed_time": "elapsed_time",
        "execution_metadata": "execution_metadata",
        "created_at": "created_at",
        "finished_at": "finished_at",
        "files": "files",
        "iteration_id": "iteration_id",
        "loop_id": "loop_id",
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
    """What the node was given."""

    inputs_truncated: bool | None = ABSENT
    """Whether `inputs` was cut short because of its size."""

    process_data: dict[str, Any] | None = ABSENT
    """What the node notes about its work, such as the request that it sent or the prompt that it used."""

    process_data_truncated: bool | None = ABSENT
    """Whether `process_data` was cut short because of its size."""

    outputs: dict[str, Any] | None = ABSENT
    """What the node gave."""

    outputs_truncated: bool | None = ABSENT
    """Whether `outputs` was cut short because of its size."""

    status: NodeStatus | str = ABSENT
    """How the node ended."""

    error: str | None = ABSENT
    """The node's error; null when there was none."""

    elapsed_time: float | None = ABSENT
    """How long the node took, in seconds."""

    execution_metadata: NodeExecutionMetadata | None = ABSENT
    """What the execution cost; null for nodes that count nothing."""

    created_at: int = ABSENT
    """When the node began, in epoch seconds."""

    finished_at: int | None = ABSENT
    """When the node ended, in epoch seconds."""

    files: list[dict[str, Any]] | None = ABSENT
    """The files among the outputs."""

    iteration_id: str | None = ABSENT
    """The id of the iteration node that this one runs in; null outside of one."""

    loop_id: str | None = ABSENT
    """The id of the loop node that this one runs in; null outside of one."""

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


def decode(src: Mapping[str, Any], cls: Any = NodeFinishedData) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 21:
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
        self.process_data = src["process_data"]
        self.process_data_truncated = src["process_data_truncated"]
        self.outputs = src["outputs"]
        self.outputs_truncated = src["outputs_truncated"]
        self.status = _node_status(_value, _value) if isinstance(_value := src["status"], str) else _value
        self.error = src["error"]
        self.elapsed_time = src["elapsed_time"]
        self.execution_metadata = (
            _decode_node_execution_metadata(_value) if isinstance(_value := src["execution_metadata"], dict) else _value
        )
        self.created_at = src["created_at"]
        self.finished_at = src["finished_at"]
        self.files = src["files"]
        self.iteration_id = src["iteration_id"]
        self.loop_id = src["loop_id"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


_node_status = NODE_STATUS_MEMBERS.get
from .node_execution_metadata import decode as _decode_node_execution_metadata

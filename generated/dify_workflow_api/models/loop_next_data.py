"""The model LoopNextData."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of, utc


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class LoopNextData(Model):
    """Where a loop is."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "id": "id",
        "node_id": "node_id",
        "node_type": "node_type",
        "title": "title",
        "index": "index",
        "created_at": "created_at",
        "extras": "extras",
        "pre_loop_output": "pre_loop_output",
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
    """Which round is next."""

    created_at: int | None = ABSENT
    """When it began, in epoch seconds."""

    extras: dict[str, Any] | None = ABSENT
    """What goes with nodes of this type."""

    pre_loop_output: Any = ABSENT
    """What the round before gave, of any type."""

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


def decode(src: Mapping[str, Any], cls: Any = LoopNextData) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 8:
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
        self.created_at = src["created_at"]
        self.extras = src["extras"]
        self.pre_loop_output = src["pre_loop_output"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

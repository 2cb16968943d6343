"""The model NodeExecutionMetadata."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class NodeExecutionMetadata(Model):
    """What a node's execution cost, and more that depends on the node's type."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "total_tokens": "total_tokens",
        "total_price": "total_price",
        "currency": "currency",
        "iteration_id": "iteration_id",
        "iteration_index": "iteration_index",
        "iteration_duration_map": "iteration_duration_map",
        "loop_id": "loop_id",
        "loop_index": "loop_index",
        "loop_duration_map": "loop_duration_map",
        "loop_variable_map": "loop_variable_map",
        "completed_reason": "completed_reason",
        "error_strategy": "error_strategy",
    }

    total_tokens: int | None = ABSENT
    """How many model tokens the node used."""

    total_price: float | str | None = ABSENT
    """What those tokens cost, in `currency`; a number, or text that holds one."""

    currency: str | None = ABSENT
    """The currency of `total_price`, such as `USD`."""

    iteration_id: str | None = ABSENT
    """The id of the iteration node that this one runs in."""

    iteration_index: int | None = ABSENT
    """The number of the iteration's round, counted from 0."""

    iteration_duration_map: dict[str, float] | None = ABSENT
    """How long each round of an iteration took, in seconds, by its number."""

    loop_id: str | None = ABSENT
    """The id of the loop node that this one runs in."""

    loop_index: int | None = ABSENT
    """The number of the loop's round, counted from 0."""

    loop_duration_map: dict[str, float] | None = ABSENT
    """How long each round of a loop took, in seconds, by its number."""

    loop_variable_map: dict[str, Any] | None = ABSENT
    """The variables of a loop after each round, by its number."""

    completed_reason: str | None = ABSENT
    """Why a loop ended, such as `loop_break` or `loop_completed`."""

    error_strategy: str | None = ABSENT
    """What is done when the node fails, such as `fail-branch` or `default-value`."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = NodeExecutionMetadata) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 12:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.total_tokens = src["total_tokens"]
        self.total_price = src["total_price"]
        self.currency = src["currency"]
        self.iteration_id = src["iteration_id"]
        self.iteration_index = src["iteration_index"]
        self.iteration_duration_map = src["iteration_duration_map"]
        self.loop_id = src["loop_id"]
        self.loop_index = src["loop_index"]
        self.loop_duration_map = src["loop_duration_map"]
        self.loop_variable_map = src["loop_variable_map"]
        self.completed_reason = src["completed_reason"]
        self.error_strategy = src["error_strategy"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

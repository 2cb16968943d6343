"""The model HumanInputFormFilledData."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class HumanInputFormFilledData(Model):
    """What was submitted."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "node_id": "node_id",
        "node_title": "node_title",
        "rendered_content": "rendered_content",
        "action_id": "action_id",
        "action_text": "action_text",
        "submitted_data": "submitted_data",
    }

    node_id: str = ABSENT
    """The node's id in the workflow's graph: the id of the place, where `id` is that of this one execution."""

    node_title: str = ABSENT
    """The node's title, as it is shown in the editor."""

    rendered_content: str = ABSENT
    """The form's text with the values in it."""

    action_id: str = ABSENT
    """The id of the button that was chosen."""

    action_text: str = ABSENT
    """What that button says."""

    submitted_data: dict[str, Any] | None = ABSENT
    """The values of the form's fields, by name."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = HumanInputFormFilledData) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 6:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.node_id = src["node_id"]
        self.node_title = src["node_title"]
        self.rendered_content = src["rendered_content"]
        self.action_id = src["action_id"]
        self.action_text = src["action_text"]
        self.submitted_data = src["submitted_data"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

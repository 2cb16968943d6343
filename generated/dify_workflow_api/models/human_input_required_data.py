"""The model HumanInputRequiredData."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of
from .form_action import FormAction
from .form_input import FormInput


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class HumanInputRequiredData(Model):
    """The form that is to be filled in."""

    __module__ = "dify_workflow.models"

    array_fields: ClassVar[tuple[str, ...]] = ("inputs", "actions")
    _names: ClassVar[dict[str, str]] = {
        "form_id": "form_id",
        "node_id": "node_id",
        "node_title": "node_title",
        "form_content": "form_content",
        "inputs": "inputs",
        "actions": "actions",
        "display_in_ui": "display_in_ui",
        "form_token": "form_token",
        "resolved_default_values": "resolved_default_values",
        "expiration_time": "expiration_time",
        "approval_channels": "approval_channels",
    }

    form_id: str = ABSENT
    """The form's id; it is not its token."""

    node_id: str = ABSENT
    """The node's id in the workflow's graph: the id of the place, where `id` is that of this one execution."""

    node_title: str = ABSENT
    """The node's title, as it is shown in the editor."""

    form_content: str = ABSENT
    """The form's text in Markdown, with a mark where each field belongs."""

    inputs: list[FormInput] = ABSENT
    """The form's fields."""

    actions: list[FormAction] = ABSENT
    """The form's buttons."""

    display_in_ui: bool | None = ABSENT
    """Whether the form is meant to be shown where the run was started."""

    form_token: str | None = ABSENT
    """What `GET` and `POST /form/human_input/{form_token}` take; null when the form is delivered in another way only."""

    resolved_default_values: dict[str, str] | None = ABSENT
    """What fields hold at first when that comes from a variable, by the field's name."""

    expiration_time: int | None = ABSENT
    """When the form can no longer be submitted, in epoch seconds; null when it is not given."""

    approval_channels: list[str] | None = ABSENT
    """Where the form can be filled in besides, such as `console`. Server version 1.16.1 sends it, 1.14.2 does not."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = HumanInputRequiredData) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 11:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.form_id = src["form_id"]
        self.node_id = src["node_id"]
        self.node_title = src["node_title"]
        self.form_content = src["form_content"]
        self.inputs = (
            [_decode_form_input(_item) if isinstance(_item, dict) else _item for _item in _value]
            if isinstance(_value := src["inputs"], list)
            else _value
        )
        self.actions = (
            [_decode_form_action(_item) if isinstance(_item, dict) else _item for _item in _value]
            if isinstance(_value := src["actions"], list)
            else _value
        )
        self.display_in_ui = src["display_in_ui"]
        self.form_token = src["form_token"]
        self.resolved_default_values = src["resolved_default_values"]
        self.expiration_time = src["expiration_time"]
        self.approval_channels = src["approval_channels"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


from .form_action import decode as _decode_form_action
from .form_input import decode as _decode_form_input

"""The model PauseReason."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of
from .form_action import FormAction
from .form_input import FormInput


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class PauseReason(Model):
    """Why a run waits."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "TYPE": "type",
        "form_id": "form_id",
        "form_content": "form_content",
        "inputs": "inputs",
        "actions": "actions",
        "node_id": "node_id",
        "node_title": "node_title",
        "resolved_default_values": "resolved_default_values",
        "form_token": "form_token",
        "approval_channels": "approval_channels",
        "expiration_time": "expiration_time",
    }

    type: str = ABSENT
    """The kind of reason, such as `human_input_required`; the other fields are those of that kind.

    `TYPE` in JSON.
    """

    form_id: str | None = ABSENT
    """The form's id; it is not its token."""

    form_content: str | None = ABSENT
    """The form's text in Markdown, with a mark where each field belongs."""

    inputs: list[FormInput] | None = ABSENT
    """The form's fields."""

    actions: list[FormAction] | None = ABSENT
    """The form's buttons."""

    node_id: str | None = ABSENT
    """The id of the node that waits, in the workflow's graph."""

    node_title: str | None = ABSENT
    """The node's title, as it is shown in the editor."""

    resolved_default_values: dict[str, str] | None = ABSENT
    """What fields hold at first when that comes from a variable, by the field's name."""

    form_token: str | None = ABSENT
    """What `GET` and `POST /form/human_input/{form_token}` take; null when the form is delivered in another way only."""

    approval_channels: list[str] | None = ABSENT
    """Where the form can be filled in besides, such as `console`. Server version 1.16.1 sends it, 1.14.2 does not."""

    expiration_time: int | None = ABSENT
    """When the form can no longer be submitted, in epoch seconds; null when it is not given."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = PauseReason) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 11:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.type = src["TYPE"]
        self.form_id = src["form_id"]
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
        self.node_id = src["node_id"]
        self.node_title = src["node_title"]
        self.resolved_default_values = src["resolved_default_values"]
        self.form_token = src["form_token"]
        self.approval_channels = src["approval_channels"]
        self.expiration_time = src["expiration_time"]
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

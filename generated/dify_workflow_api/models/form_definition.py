"""The model FormDefinition."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of
from .form_action import FormAction
from .form_input import FormInput


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class FormDefinition(Model):
    """A form that a paused run waits for."""

    __module__ = "dify_workflow.models"

    array_fields: ClassVar[tuple[str, ...]] = ("inputs", "user_actions")
    _names: ClassVar[dict[str, str]] = {
        "form_content": "form_content",
        "inputs": "inputs",
        "resolved_default_values": "resolved_default_values",
        "user_actions": "user_actions",
        "expiration_time": "expiration_time",
    }

    form_content: str = ABSENT
    """The form's text in Markdown, with a mark where each field belongs."""

    inputs: list[FormInput] = ABSENT
    """The form's fields."""

    resolved_default_values: dict[str, str] | None = ABSENT
    """What fields hold at first when that comes from a variable, by the field's name."""

    user_actions: list[FormAction] = ABSENT
    """The form's buttons."""

    expiration_time: int | None = ABSENT
    """When the form can no longer be submitted, in epoch seconds; null when it is not given."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = FormDefinition) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 5:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.form_content = src["form_content"]
        self.inputs = (
            [_decode_form_input(_item) if isinstance(_item, dict) else _item for _item in _value]
            if isinstance(_value := src["inputs"], list)
            else _value
        )
        self.resolved_default_values = src["resolved_default_values"]
        self.user_actions = (
            [_decode_form_action(_item) if isinstance(_item, dict) else _item for _item in _value]
            if isinstance(_value := src["user_actions"], list)
            else _value
        )
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

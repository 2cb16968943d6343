"""The model AppMeta."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of
from .tool_icon import ToolIcon


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class AppMeta(Model):
    """What else a client may want to show."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "tool_icons": "tool_icons",
    }

    tool_icons: dict[str, str | ToolIcon] = ABSENT
    """The icons of the workflow's tools, by the tool's name: the address of an image, or an emoji on a colour."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = AppMeta) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 1:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.tool_icons = (
            {_key: _decode_tool_icon(_item) if isinstance(_item, dict) else _item for _key, _item in _value.items()}
            if isinstance(_value := src["tool_icons"], dict)
            else _value
        )
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


from .tool_icon import decode as _decode_tool_icon

"""The model AppMeta."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new
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
    size = len(src)
    if size < 1:
        return cls._of_part(src)
    self = new(cls)
    try:
        self.tool_icons = (
            {_key: _decode_tool_icon(_item) if isinstance(_item, dict) else _item for _key, _item in _value.items()}
            if isinstance(_value := src["tool_icons"], dict)
            else _value
        )
    except KeyError:
        return cls._of_part(src)
    self._extra = None
    if size > 1:
        self._take_extra(src)
    return self


from .tool_icon import decode as _decode_tool_icon

"""The model FormInputDefault."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class FormInputDefault(Model):
    """What a form's field holds before it is filled in."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "type": "type",
        "selector": "selector",
        "value": "value",
    }

    type: str = ABSENT
    """Where the value comes from: `constant` or `variable`."""

    selector: list[str] | None = ABSENT
    """The variable, when it comes from one: the node's id, then the variable's name."""

    value: Any = ABSENT
    """The value itself, when it is a constant."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = FormInputDefault) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    size = len(src)
    if size < 3:
        return cls._of_part(src)
    self = new(cls)
    try:
        self.type = src["type"]
        self.selector = src["selector"]
        self.value = src["value"]
    except KeyError:
        return cls._of_part(src)
    self._extra = None
    if size > 3:
        self._take_extra(src)
    return self

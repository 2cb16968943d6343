"""The model FormAction."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class FormAction(Model):
    """A way to submit a form: one of its buttons."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "id": "id",
        "title": "title",
        "button_style": "button_style",
    }

    id: str = ABSENT
    """The action's id, of at most 20 characters: what `action` is when the form is submitted."""

    title: str = ABSENT
    """What the button says, at most 100 characters."""

    button_style: str = ABSENT
    """How the button looks, such as `primary` or `default`."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = FormAction) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    size = len(src)
    if size < 3:
        return cls._of_part(src)
    self = new(cls)
    try:
        self.id = src["id"]
        self.title = src["title"]
        self.button_style = src["button_style"]
    except KeyError:
        return cls._of_part(src)
    self._extra = None
    if size > 3:
        self._take_extra(src)
    return self

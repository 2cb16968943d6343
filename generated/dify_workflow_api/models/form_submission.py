"""The model FormSubmission."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class FormSubmission(Model):
    """A form, filled in."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "inputs": "inputs",
        "action": "action",
        "user": "user",
    }

    inputs: dict[str, Any] = ABSENT
    """The values of the form's fields, by name (`output_variable_name`)."""

    action: str = ABSENT
    """The id of the button that was chosen, one of `user_actions`."""

    user: str = ABSENT
    """Who submits the form."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = FormSubmission) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    size = len(src)
    if size < 3:
        return cls._of_part(src)
    self = new(cls)
    try:
        self.inputs = src["inputs"]
        self.action = src["action"]
        self.user = src["user"]
    except KeyError:
        return cls._of_part(src)
    self._extra = None
    if size > 3:
        self._take_extra(src)
    return self

"""The model Account."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class Account(Model):
    """A member of the Dify workspace."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "id": "id",
        "name": "name",
        "email": "email",
    }

    id: str = ABSENT
    """The account's id."""

    name: str = ABSENT
    """The name that the member is shown by."""

    email: str = ABSENT
    """The e-mail address; what the filter `created_by_account` takes."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = Account) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    size = len(src)
    if size < 3:
        return cls._of_part(src)
    self = new(cls)
    try:
        self.id = src["id"]
        self.name = src["name"]
        self.email = src["email"]
    except KeyError:
        return cls._of_part(src)
    self._extra = None
    if size > 3:
        self._take_extra(src)
    return self

"""The model ErrorResponse."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class ErrorResponse(Model):
    """The body of an error."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "code": "code",
        "message": "message",
        "status": "status",
    }

    code: str = ABSENT
    """What went wrong, as a stable word such as `invalid_param` or `unauthorized`."""

    message: str = ABSENT
    """What went wrong, for people. It can be several lines of raw text from the server's libraries."""

    status: int = ABSENT
    """The HTTP status, repeated."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = ErrorResponse) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    size = len(src)
    if size < 3:
        return cls._of_part(src)
    self = new(cls)
    try:
        self.code = src["code"]
        self.message = src["message"]
        self.status = src["status"]
    except KeyError:
        return cls._of_part(src)
    self._extra = None
    if size > 3:
        self._take_extra(src)
    return self

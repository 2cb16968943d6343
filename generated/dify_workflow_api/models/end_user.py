"""The model EndUser."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class EndUser(Model):
    """Someone who uses the app without an account of the workspace."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "id": "id",
        "type": "type",
        "is_anonymous": "is_anonymous",
        "session_id": "session_id",
    }

    id: str = ABSENT
    """The end user's id."""

    type: str = ABSENT
    """How the end user reached the app, such as `service-api`, `browser`, `mcp` or `trigger`."""

    is_anonymous: bool = ABSENT
    """Always false on server version 1.11.2."""

    session_id: str = ABSENT
    """The id that the caller gave as `user` when the run was started; what the filter `created_by_end_user_session_id`
    takes.
    """

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = EndUser) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 4:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.id = src["id"]
        self.type = src["type"]
        self.is_anonymous = src["is_anonymous"]
        self.session_id = src["session_id"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

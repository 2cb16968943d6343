"""The model EndUserDetail."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class EndUserDetail(Model):
    """Someone who uses the app without an account of the workspace, in full. The times are strings here, where other
    schemas have epoch seconds.
    """

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "id": "id",
        "tenant_id": "tenant_id",
        "app_id": "app_id",
        "type": "type",
        "external_user_id": "external_user_id",
        "name": "name",
        "is_anonymous": "is_anonymous",
        "session_id": "session_id",
        "created_at": "created_at",
        "updated_at": "updated_at",
    }

    id: str = ABSENT
    """The end user's id."""

    tenant_id: str = ABSENT
    """The id of the workspace."""

    app_id: str | None = ABSENT
    """The id of the app."""

    type: str = ABSENT
    """How the end user reached the app, such as `service-api` or `browser`."""

    external_user_id: str | None = ABSENT
    """The end user's id in another system; null for none."""

    name: str | None = ABSENT
    """The end user's name; null when it is not known."""

    is_anonymous: bool = ABSENT
    """Whether the end user is not known by name."""

    session_id: str = ABSENT
    """The id that the caller gave as `user`."""

    created_at: str = ABSENT
    """When the end user was first seen, in ISO 8601."""

    updated_at: str = ABSENT
    """When the record was last changed, in ISO 8601."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = EndUserDetail) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 10:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.id = src["id"]
        self.tenant_id = src["tenant_id"]
        self.app_id = src["app_id"]
        self.type = src["type"]
        self.external_user_id = src["external_user_id"]
        self.name = src["name"]
        self.is_anonymous = src["is_anonymous"]
        self.session_id = src["session_id"]
        self.created_at = src["created_at"]
        self.updated_at = src["updated_at"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

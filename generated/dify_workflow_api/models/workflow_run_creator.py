"""The model WorkflowRunCreator."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class WorkflowRunCreator(Model):
    """Who started a run: an end user by id and the `user` that the caller gave, an account by id, name and e-mail
    address.
    """

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "id": "id",
        "user": "user",
        "name": "name",
        "email": "email",
    }

    id: str = ABSENT
    """The id of the end user or of the account."""

    user: str | None = ABSENT
    """The `user` that the run was started for."""

    name: str | None = ABSENT
    """The account's name."""

    email: str | None = ABSENT
    """The account's e-mail address."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = WorkflowRunCreator) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 4:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.id = src["id"]
        self.user = src["user"]
        self.name = src["name"]
        self.email = src["email"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

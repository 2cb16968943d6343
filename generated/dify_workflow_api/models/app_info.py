"""The model AppInfo."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class AppInfo(Model):
    """What the app is."""

    __module__ = "dify_workflow.models"

    array_fields: ClassVar[tuple[str, ...]] = ("tags",)
    _names: ClassVar[dict[str, str]] = {
        "name": "name",
        "description": "description",
        "tags": "tags",
        "mode": "mode",
        "author_name": "author_name",
    }

    name: str = ABSENT
    """The app's name."""

    description: str = ABSENT
    """What the app is for; it may be empty."""

    tags: list[str] = ABSENT
    """The app's tags."""

    mode: str = ABSENT
    """The app's type: `workflow` for the apps that this API is about. The operation works for others too, such as
    `chat`, `advanced-chat`, `agent-chat` and `completion`.
    """

    author_name: str = ABSENT
    """The name of the account that made the app."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = AppInfo) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 5:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.name = src["name"]
        self.description = src["description"]
        self.tags = src["tags"]
        self.mode = src["mode"]
        self.author_name = src["author_name"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

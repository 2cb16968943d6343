"""The model FileUpload."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of
from .image_upload import ImageUpload


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class FileUpload(Model):
    """Whether and how files can be given to a run as a whole."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "enabled": "enabled",
        "image": "image",
    }

    enabled: bool | None = ABSENT
    """Whether it is on."""

    image: ImageUpload | None = ABSENT
    """The same for images; absent on server version 1.11.2 when it is off."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = FileUpload) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 2:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.enabled = src["enabled"]
        self.image = _decode_image_upload(_value) if isinstance(_value := src["image"], dict) else _value
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


from .image_upload import decode as _decode_image_upload

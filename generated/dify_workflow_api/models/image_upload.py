"""The model ImageUpload."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of
from .file_transfer_method import FILE_TRANSFER_METHOD_MEMBERS, FileTransferMethod


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class ImageUpload(Model):
    """Whether and how images can be given to a run."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "enabled": "enabled",
        "number_limits": "number_limits",
        "detail": "detail",
        "transfer_methods": "transfer_methods",
    }

    enabled: bool = ABSENT
    """Whether it is on."""

    number_limits: int | None = ABSENT
    """How many images a run takes at most."""

    detail: str | None = ABSENT
    """How closely models look at images: `low` or `high`."""

    transfer_methods: list[FileTransferMethod | str] | None = ABSENT
    """Where images may come from."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = ImageUpload) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 4:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.enabled = src["enabled"]
        self.number_limits = src["number_limits"]
        self.detail = src["detail"]
        self.transfer_methods = (
            [_file_transfer_method(_item, _item) if isinstance(_item, str) else _item for _item in _value]
            if isinstance(_value := src["transfer_methods"], list)
            else _value
        )
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


_file_transfer_method = FILE_TRANSFER_METHOD_MEMBERS.get

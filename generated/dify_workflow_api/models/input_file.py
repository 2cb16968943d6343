"""The model InputFile."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of
from .file_transfer_method import FILE_TRANSFER_METHOD_MEMBERS, FileTransferMethod
from .file_type import FILE_TYPE_MEMBERS, FileType


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class InputFile(Model):
    """A file for a run, by URL or by the id of an upload. The server takes it only when the workflow's form has a field
    for files of this type and transfer method.
    """

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "type": "type",
        "transfer_method": "transfer_method",
        "url": "url",
        "upload_file_id": "upload_file_id",
    }

    type: FileType | str = ABSENT
    """What kind of file it is."""

    transfer_method: FileTransferMethod | str = ABSENT
    """Whether `url` or `upload_file_id` names the file."""

    url: str | None = ABSENT
    """The file's address, which the server itself must be able to reach. Needed with `remote_url`."""

    upload_file_id: str | None = ABSENT
    """The id of a file from `POST /files/upload`. Needed with `local_file`; an unknown one gets status 400, "Invalid
    upload file".
    """

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = InputFile) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 4:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.type = _file_type(_value, _value) if isinstance(_value := src["type"], str) else _value
        self.transfer_method = (
            _file_transfer_method(_value, _value) if isinstance(_value := src["transfer_method"], str) else _value
        )
        self.url = src["url"]
        self.upload_file_id = src["upload_file_id"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


_file_transfer_method = FILE_TRANSFER_METHOD_MEMBERS.get
_file_type = FILE_TYPE_MEMBERS.get

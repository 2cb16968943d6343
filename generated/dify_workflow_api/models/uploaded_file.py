"""The model UploadedFile."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of, utc


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class UploadedFile(Model):
    """A file that was uploaded. Its `id` is what `upload_file_id` of an input takes."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "id": "id",
        "name": "name",
        "size": "size",
        "extension": "extension",
        "mime_type": "mime_type",
        "created_by": "created_by",
        "created_at": "created_at",
        "preview_url": "preview_url",
        "source_url": "source_url",
        "reference": "reference",
        "original_url": "original_url",
        "user_id": "user_id",
        "tenant_id": "tenant_id",
        "conversation_id": "conversation_id",
        "file_key": "file_key",
    }

    id: str = ABSENT
    """The file's id."""

    name: str = ABSENT
    """The file's name, as it was given."""

    size: int = ABSENT
    """The file's size in bytes; it may be 0."""

    extension: str | None = ABSENT
    """What follows the last dot of the name, without the dot; an empty string when there is none."""

    mime_type: str | None = ABSENT
    """The content type that the file was sent with."""

    created_by: str | None = ABSENT
    """The id of the end user that the file belongs to."""

    created_at: int = ABSENT
    """When the file was uploaded, in epoch seconds."""

    preview_url: str | None = ABSENT
    """Null on server version 1.11.2."""

    source_url: str | None = ABSENT
    """A signed address of the file, good for a short time only. It is under the address that the server believes to
    have, which may be one that callers cannot reach. Treat it as a secret.
    """

    reference: str | None = ABSENT
    """How newer servers refer to the file."""

    original_url: str | None = ABSENT
    """Where newer servers took the file from, when it came by URL."""

    user_id: str | None = ABSENT
    """The id of who uploaded the file, on newer servers."""

    tenant_id: str | None = ABSENT
    """The id of the workspace, on newer servers."""

    conversation_id: str | None = ABSENT
    """Null for a workflow app, on newer servers."""

    file_key: str | None = ABSENT
    """Where newer servers store the file."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @property
    def created_at_utc(self) -> datetime | None:
        """`created_at` as an aware datetime in UTC; None when it is no time."""
        return utc(self.created_at)

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = UploadedFile) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 15:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.id = src["id"]
        self.name = src["name"]
        self.size = src["size"]
        self.extension = src["extension"]
        self.mime_type = src["mime_type"]
        self.created_by = src["created_by"]
        self.created_at = src["created_at"]
        self.preview_url = src["preview_url"]
        self.source_url = src["source_url"]
        self.reference = src["reference"]
        self.original_url = src["original_url"]
        self.user_id = src["user_id"]
        self.tenant_id = src["tenant_id"]
        self.conversation_id = src["conversation_id"]
        self.file_key = src["file_key"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

"""The model SystemParameters."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class SystemParameters(Model):
    """The server's limits for uploads."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "image_file_size_limit": "image_file_size_limit",
        "video_file_size_limit": "video_file_size_limit",
        "audio_file_size_limit": "audio_file_size_limit",
        "file_size_limit": "file_size_limit",
        "workflow_file_upload_limit": "workflow_file_upload_limit",
    }

    image_file_size_limit: int = ABSENT
    """The largest image, in megabytes."""

    video_file_size_limit: int = ABSENT
    """The largest video, in megabytes."""

    audio_file_size_limit: int = ABSENT
    """The largest sound file, in megabytes."""

    file_size_limit: int = ABSENT
    """The largest other file, in megabytes."""

    workflow_file_upload_limit: int | None = ABSENT
    """How many files a run takes at most."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = SystemParameters) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 5:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.image_file_size_limit = src["image_file_size_limit"]
        self.video_file_size_limit = src["video_file_size_limit"]
        self.audio_file_size_limit = src["audio_file_size_limit"]
        self.file_size_limit = src["file_size_limit"]
        self.workflow_file_upload_limit = src["workflow_file_upload_limit"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

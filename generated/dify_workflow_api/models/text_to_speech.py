"""The model TextToSpeech."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class TextToSpeech(Model):
    """Whether and how the output is spoken."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "enabled": "enabled",
        "language": "language",
        "voice": "voice",
        "autoPlay": "auto_play",
    }

    enabled: bool = ABSENT
    """Whether it is on."""

    language: str | None = ABSENT
    """The language, such as `en-US`; empty for the model's own choice."""

    voice: str | None = ABSENT
    """The voice; empty for the model's own choice."""

    auto_play: str | None = ABSENT
    """Whether speech begins by itself: `enabled` or `disabled`.

    `autoPlay` in JSON.
    """

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = TextToSpeech) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 4:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.enabled = src["enabled"]
        self.language = src["language"]
        self.voice = src["voice"]
        self.auto_play = src["autoPlay"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

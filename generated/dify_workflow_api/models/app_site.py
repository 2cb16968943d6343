"""The model AppSite."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class AppSite(Model):
    """How the app's own web page looks."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "title": "title",
        "chat_color_theme": "chat_color_theme",
        "chat_color_theme_inverted": "chat_color_theme_inverted",
        "icon_type": "icon_type",
        "icon": "icon",
        "icon_background": "icon_background",
        "icon_url": "icon_url",
        "description": "description",
        "copyright": "copyright",
        "privacy_policy": "privacy_policy",
        "custom_disclaimer": "custom_disclaimer",
        "default_language": "default_language",
        "show_workflow_steps": "show_workflow_steps",
        "use_icon_as_answer_icon": "use_icon_as_answer_icon",
        "input_placeholder": "input_placeholder",
    }

    title: str = ABSENT
    """The page's title."""

    chat_color_theme: str | None = ABSENT
    """The colour of a chat; null for the usual one."""

    chat_color_theme_inverted: bool | None = ABSENT
    """Whether that colour is inverted."""

    icon_type: str | None = ABSENT
    """What `icon` is: `emoji` or `image`."""

    icon: str | None = ABSENT
    """The emoji, or the id of the image."""

    icon_background: str | None = ABSENT
    """The colour behind the emoji, such as `#FFEAD5`."""

    icon_url: str | None = ABSENT
    """The address of the image; null for an emoji."""

    description: str | None = ABSENT
    """What the page says about the app."""

    copyright: str | None = ABSENT
    """Whose work it is."""

    privacy_policy: str | None = ABSENT
    """The address of the privacy policy."""

    custom_disclaimer: str | None = ABSENT
    """A text by the owner; often empty."""

    default_language: str = ABSENT
    """The page's language, such as `en-US`."""

    show_workflow_steps: bool | None = ABSENT
    """Whether the page shows the steps of a run."""

    use_icon_as_answer_icon: bool | None = ABSENT
    """Whether the icon stands beside answers."""

    input_placeholder: str | None = ABSENT
    """What an empty input field says. Server version 1.11.2 does not send it."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = AppSite) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 15:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.title = src["title"]
        self.chat_color_theme = src["chat_color_theme"]
        self.chat_color_theme_inverted = src["chat_color_theme_inverted"]
        self.icon_type = src["icon_type"]
        self.icon = src["icon"]
        self.icon_background = src["icon_background"]
        self.icon_url = src["icon_url"]
        self.description = src["description"]
        self.copyright = src["copyright"]
        self.privacy_policy = src["privacy_policy"]
        self.custom_disclaimer = src["custom_disclaimer"]
        self.default_language = src["default_language"]
        self.show_workflow_steps = src["show_workflow_steps"]
        self.use_icon_as_answer_icon = src["use_icon_as_answer_icon"]
        self.input_placeholder = src["input_placeholder"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

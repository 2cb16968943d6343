"""The model TtsMessageEvent."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal, Self

from ..types import ABSENT, Model, attrs, new, shape_of, utc


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class TtsMessageEvent(Model):
    """A piece of the output as speech. It has its fields beside `event`, not in `data`, and may arrive after
    `workflow_finished`.
    """

    __module__ = "dify_workflow.models"

    _constants: ClassVar[dict[str, object]] = {
        "event": "tts_message",
    }
    _names: ClassVar[dict[str, str]] = {
        "event": "event",
        "workflow_run_id": "workflow_run_id",
        "task_id": "task_id",
        "audio": "audio",
        "message_id": "message_id",
        "created_at": "created_at",
    }

    event: Literal["tts_message"] = ABSENT
    """The name of the event."""

    workflow_run_id: str | None = ABSENT
    """The id of the run; null or absent when the run did not get that far."""

    task_id: str | None = ABSENT
    """The id of the running task. Not every server sends it with this event."""

    audio: str = ABSENT
    """The piece of sound in Base64; empty in the last one."""

    message_id: str | None = ABSENT
    """The id of the message that is spoken. Server version 1.11.2 does not send it."""

    created_at: int | None = ABSENT
    """When the piece was made, in epoch seconds. Server version 1.11.2 does not send it."""

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


def decode(src: Mapping[str, Any], cls: Any = TtsMessageEvent) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 6:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.event = src["event"]
        self.workflow_run_id = src["workflow_run_id"]
        self.task_id = src["task_id"]
        self.audio = src["audio"]
        self.message_id = src["message_id"]
        self.created_at = src["created_at"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

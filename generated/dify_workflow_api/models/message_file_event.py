"""The model MessageFileEvent."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from ..types import ABSENT, Model, attrs, new, shape_of


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class MessageFileEvent(Model):
    """A file was made. The server knows this event; which of its fields are sent for a workflow was not measured. They
    stand beside `event`, not in `data`.
    """

    __module__ = "dify_workflow.models"

    _constants: ClassVar[dict[str, object]] = {
        "event": "message_file",
    }
    _names: ClassVar[dict[str, str]] = {
        "event": "event",
        "workflow_run_id": "workflow_run_id",
        "task_id": "task_id",
        "id": "id",
        "type": "type",
        "belongs_to": "belongs_to",
        "url": "url",
    }

    event: Literal["message_file"] = ABSENT
    """The name of the event."""

    workflow_run_id: str | None = ABSENT
    """The id of the run; null or absent when the run did not get that far."""

    task_id: str | None = ABSENT
    """The id of the running task. Not every server sends it with this event."""

    id: str | None = ABSENT
    """The file's id."""

    type: str | None = ABSENT
    """What kind of file it is, such as `image`."""

    belongs_to: str | None = ABSENT
    """Whose file it is, such as `assistant`."""

    url: str | None = ABSENT
    """The file's address."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = MessageFileEvent) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 7:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.event = src["event"]
        self.workflow_run_id = src["workflow_run_id"]
        self.task_id = src["task_id"]
        self.id = src["id"]
        self.type = src["type"]
        self.belongs_to = src["belongs_to"]
        self.url = src["url"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

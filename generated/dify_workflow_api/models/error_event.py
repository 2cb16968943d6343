"""The model ErrorEvent."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from ..types import ABSENT, Model, attrs, new, shape_of


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class ErrorEvent(Model):
    """The run could not be begun, or the server failed over it. The stream ends here, its HTTP status stays 200, and no
    log is written of a run that was not begun. The fields stand beside `event`, not in `data`.
    """

    __module__ = "dify_workflow.models"

    _constants: ClassVar[dict[str, object]] = {
        "event": "error",
    }
    _names: ClassVar[dict[str, str]] = {
        "event": "event",
        "workflow_run_id": "workflow_run_id",
        "task_id": "task_id",
        "code": "code",
        "status": "status",
        "message": "message",
    }

    event: Literal["error"] = ABSENT
    """The name of the event."""

    workflow_run_id: str | None = ABSENT
    """The id of the run; null or absent when the run did not get that far."""

    task_id: str | None = ABSENT
    """The id of the running task. Not every server sends it with this event."""

    code: str = ABSENT
    """What went wrong, in the words of ordinary errors, such as `invalid_param`, `provider_quota_exceeded`,
    `completion_request_error` or `internal_server_error`.
    """

    status: int = ABSENT
    """The HTTP status that an ordinary response would have had."""

    message: str = ABSENT
    """What went wrong, for people; it can be several lines of raw text."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = ErrorEvent) -> Any:
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
        self.code = src["code"]
        self.status = src["status"]
        self.message = src["message"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self

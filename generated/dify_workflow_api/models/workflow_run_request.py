"""The model WorkflowRunRequest."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of
from .input_file import InputFile
from .response_mode import RESPONSE_MODE_MEMBERS, ResponseMode


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class WorkflowRunRequest(Model):
    """What to run, for whom, and how to answer."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "inputs": "inputs",
        "response_mode": "response_mode",
        "user": "user",
        "files": "files",
        "trace_session_id": "trace_session_id",
    }

    inputs: dict[str, Any] = ABSENT
    """The values of the workflow's input variables, by name; an empty object when it has none. `GET /parameters`
    describes them in `user_input_form`. A missing required one, one that is too long, not a number where a number
    belongs, or not one of a select's options gets status 400; an empty string passes for a required one, and names
    that the workflow does not know are ignored. A value for a file is an `InputFile`, one for a list of files an
    array of them.
    """

    response_mode: ResponseMode | str | None = ABSENT
    """`blocking` or `streaming`; absent or null means `blocking`. Any other word gets status 400."""

    user: str = ABSENT
    """Who the run is for, in the caller's own words: the end user's session id, which the logs can be filtered by. Up to
    255 characters; longer ones get status 500, empty ones 400.
    """

    files: list[InputFile] | None = ABSENT
    """Files that go with the run as a whole (the workflow reads them as `sys.files`). A file for an input variable
    belongs into `inputs`.
    """

    trace_session_id: str | None = ABSENT
    """The session under which the server's own tracing (Phoenix and others) files the run, 1 to 200 characters without
    leading and trailing white space. The header `X-Trace-Session-Id` takes precedence. Version 1.16 refuses other
    values with status 400; older versions ignore the field.
    """

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = WorkflowRunRequest) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 5:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.inputs = src["inputs"]
        self.response_mode = (
            _response_mode(_value, _value) if isinstance(_value := src["response_mode"], str) else _value
        )
        self.user = src["user"]
        self.files = (
            [_decode_input_file(_item) if isinstance(_item, dict) else _item for _item in _value]
            if isinstance(_value := src["files"], list)
            else _value
        )
        self.trace_session_id = src["trace_session_id"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


_response_mode = RESPONSE_MODE_MEMBERS.get
from .input_file import decode as _decode_input_file

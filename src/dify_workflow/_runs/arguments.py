"""What runs and forms are given: the bodies of their requests, checked and put into the API's form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

from dify_workflow_api import types

from .._http.decode import MissingError, UnusableBodyError, model_value
from ..results import Upload, WorkflowRunDetail

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

LONGEST_USER: Final = 255
"""Characters of `user`; a longer one is a 500 on Dify 1.11."""


def run_body(
    inputs: Mapping[str, Any],
    *,
    user: str,
    files: Iterable[object] | None,
    trace_session_id: str | None,
    mode: Literal["blocking", "streaming"],
    **others: object,
) -> dict[str, Any]:
    """The JSON body that starts a run. `others` are further fields, checked before.

    Raises:
        ValueError: an argument that cannot be sent.
    """
    body: dict[str, Any] = {"inputs": checked_inputs(inputs), "response_mode": mode, "user": checked_user(user)}
    if files is not None:
        body["files"] = _checked_files(files)
    if trace_session_id is not None:
        body["trace_session_id"] = _checked_session(trace_session_id)
    return body | _given(others)


def form_body(inputs: Mapping[str, Any], *, action: str, user: str, **others: object) -> dict[str, Any]:
    """The JSON body that fills in a form. `others` are further fields, checked before.

    Raises:
        ValueError: an argument that cannot be sent.
    """
    if not isinstance(action, str) or not action:
        raise ValueError(f"action must be the id of one of the form's buttons, got {action!r}")
    body = {"inputs": checked_inputs(inputs), "action": _json_value("action", action), "user": checked_user(user)}
    return body | _given(others)


def user_body(*, user: str, **others: object) -> dict[str, Any]:
    """The JSON body that names the end user. `others` are further fields, checked before.

    Raises:
        ValueError: an argument that cannot be sent.
    """
    return {"user": checked_user(user)} | _given(others)


def fields_body(**fields: object) -> dict[str, Any]:
    """The JSON body of these fields, checked before, without those that are None."""
    return _given(fields)


def _given(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def checked_field(name: str, value: T, kind: str, *, required: bool = False, **bounds: Any) -> T:  # noqa: ANN401 - texts and numbers
    """A field of a body, as it is sent; None where it is left out.

    Args:
        name: its name.
        value: its value.
        kind: what it must be: `text`, `integer`, `number`, `boolean`, `object` or `array`.
        required: whether it cannot be left out.
        bounds: what the check of `dify_workflow_api.types` for this kind takes, such as `minimum`; for an array,
            `items` is the kind of its items.

    Raises:
        ValueError: it is not what the API takes.
    """
    if value is None:
        if required:
            raise ValueError(f"{name} must be given")
        return value
    plain: Any = value.value if isinstance(value, Enum) else value
    if kind == "object":
        if not isinstance(plain, Mapping) or not all(
            isinstance(key, str) for key in cast("Mapping[object, object]", plain)
        ):
            raise ValueError(f"{name} must be a mapping with names for keys, got {plain!r}")
        plain = dict(cast("Mapping[str, Any]", plain))
    elif kind == "array":
        if isinstance(plain, str | bytes | Mapping) or not isinstance(plain, Iterable):
            raise ValueError(f"{name} must be a list, got {plain!r}")
        items = cast("Iterable[object]", plain)
        of = bounds.get("items")
        plain = [checked_field(f"{name}[{i}]", item, of) if of else item for i, item in enumerate(items)]
    else:
        getattr(types, kind)(name, plain, **bounds)
    return cast("T", _json_value(name, plain))


def checked_user(user: str) -> str:
    """The end user's id.

    Raises:
        ValueError: it is not a string of 1 to 255 characters.
    """
    if not isinstance(user, str) or not 1 <= len(user) <= LONGEST_USER:
        raise ValueError(f"user must be a string of 1 to {LONGEST_USER} characters, got {user!r}")
    return cast("str", _json_value("user", user))


def _checked_session(value: str) -> object:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _LONGEST_SESSION:
        raise ValueError(f"trace_session_id must be a string of 1 to {_LONGEST_SESSION} characters, got {value!r}")
    return _json_value("trace_session_id", value)


def checked_id(name: str, value: str) -> str:
    """The id of a run, a workflow or an end user: a malformed one of a run is a 500 on Dify 1.11.

    Raises:
        ValueError: it is not a UUID.
    """
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise ValueError(f"{name} must be a UUID such as '0b6ad0fc-7a3e-4e1c-8d5f-2f1b9c3d4e5a', got {value!r}")
    return value


_LONGEST_SESSION: Final = 200  # newer servers refuse more
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-?)([0-9a-fA-F]{4}\1){3}[0-9a-fA-F]{12}")


def checked_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(inputs, Mapping) or not all(isinstance(name, str) for name in inputs):
        raise ValueError(f"inputs must be a mapping of the names of inputs to values, got {inputs!r}")
    return {name: _json_value(f"inputs[{name!r}]", value) for name, value in inputs.items()}


def _checked_files(files: Iterable[object]) -> list[object]:
    if isinstance(files, str | bytes | Mapping | Upload) or not isinstance(files, Iterable):
        raise ValueError("files must be a list of uploads, or of what as_input() and remote_file() give")
    checked = [_json_value(f"files[{number}]", file) for number, file in enumerate(files)]
    for number, file in enumerate(checked):
        if not isinstance(file, dict):
            raise ValueError(f"files[{number}] must be an upload, or what as_input() and remote_file() give")
    return checked


def _json_value(name: str, value: object) -> object:
    """A value as it is sent: an upload, also inside a list, is the object that stands for it."""
    try:
        sent = _with_uploads_replaced(value)
        json.dumps(sent, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{name} must be a JSON value: {error}") from None
    return sent


def _with_uploads_replaced(value: object) -> object:
    if isinstance(value, Upload):
        return value.as_input()
    if isinstance(value, list | tuple):
        return [_with_uploads_replaced(item) for item in cast("Iterable[object]", value)]
    return value


def detail_or_missing(workflow_run_id: str) -> Callable[[bytes], WorkflowRunDetail]:
    """What turns the body of `runs.get` into the run.

    Dify 1.11 responds to an unknown run, and to one of another app, with status 200 and a null in every field.
    """

    def read(content: bytes) -> WorkflowRunDetail:
        detail = model_value(content, WorkflowRunDetail)
        received = detail.to_dict()
        if not received:
            raise UnusableBodyError("an empty object")
        if all(value is None for value in received.values()):
            raise MissingError(
                f"there is no run {workflow_run_id} in this app; "
                "of a log, `workflow_run.id` is the run's id, and `id` is the log's own"
            )
        return detail

    return read

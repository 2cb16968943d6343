"""What a run is started with: the body of the request, checked and put into the API's form."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from ._responses import MissingError, model_value
from .results import Upload, WorkflowRunDetail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LONGEST_USER: Final = 255
"""Characters of `user`; a longer one is a 500 on Dify 1.11."""


def run_body(
    inputs: Mapping[str, Any], *, user: str, files: Iterable[object] | None, mode: Literal["blocking", "streaming"]
) -> dict[str, Any]:
    """The JSON body that starts a run.

    Raises:
        ValueError: an argument that cannot be sent.
    """
    if not isinstance(inputs, Mapping):
        raise ValueError(f"inputs must be a mapping of the workflow's input names to values, got {inputs!r}")
    body: dict[str, Any] = {
        "inputs": {name: as_input(value) for name, value in inputs.items()},
        "response_mode": mode,
        "user": checked_user(user),
    }
    if files is not None:
        if isinstance(files, str | bytes | Mapping):
            raise ValueError("files must be a list of uploads, or of what as_input() and remote_file() give")
        body["files"] = [as_input(file) for file in files]
    try:
        json.dumps(body, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"inputs and files must be JSON values: {error}") from None
    return body


def as_input(value: object) -> object:
    """A value of an input as it is sent: an upload, also inside a list, becomes the object that stands for it."""
    if isinstance(value, Upload):
        return value.as_input()
    if isinstance(value, list | tuple):
        return [as_input(item) for item in cast("Iterable[object]", value)]
    return value


def checked_user(user: str) -> str:
    """The end user's id.

    Raises:
        ValueError: it is not text of 1 to 255 characters.
    """
    if not isinstance(user, str) or not 1 <= len(user) <= LONGEST_USER:
        raise ValueError(f"user must be text of 1 to {LONGEST_USER} characters, got {user!r}")
    return user


def checked_id(name: str, value: str) -> str:
    """An id of a run or a workflow: a malformed one is a 500 on Dify 1.11.

    Raises:
        ValueError: it is no UUID.
    """
    try:
        return str(uuid.UUID(value)) if isinstance(value, str) else _no_id(name, value)
    except ValueError:
        return _no_id(name, value)


def _no_id(name: str, value: object) -> str:
    raise ValueError(f"{name} must be a UUID such as '0b6ad0fc-7a3e-4e1c-8d5f-2f1b9c3d4e5a', got {value!r}") from None


def detail_or_missing(workflow_run_id: str) -> Callable[[bytes], WorkflowRunDetail]:
    """What turns the body of `runs.get` into the run.

    Dify 1.11 answers for an unknown run, and for one of another app, with status 200 and a null in every field.
    """

    def read(content: bytes) -> WorkflowRunDetail:
        detail = model_value(content, WorkflowRunDetail)
        if all(value is None for value in detail.to_dict().values()):
            raise MissingError(
                f"there is no run {workflow_run_id} in this app; "
                "of a log, `workflow_run.id` is the run's id, and `id` is the log's own"
            )
        return detail

    return read

"""The JSON bodies of requests, and the `user` in them."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from starlette.requests import Request

from .errors import ApiError, invalid_param, nul_character, unknown_error
from .validation import Problem, refusal

__all__ = ["RunPayload", "check_trace_session", "parse_run_payload", "parse_user", "read_json_object"]

_LONGEST_USER: Final = 255


@dataclass(frozen=True, slots=True)
class RunPayload:
    """The body of a request to run a workflow."""

    inputs: dict[str, Any]
    files: list[dict[str, Any]]
    streaming: bool


async def read_json_object(request: Request) -> dict[str, Any]:
    """Read a JSON body.

    Raises:
        ApiError: 415 without a JSON content type; 400 for what is not JSON, or not UTF-8 without a byte order mark, or
            has half of a surrogate pair or more than 1,024 nested arrays and objects; 500 for JSON that is not an
            object.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise ApiError.of(
            415,
            "unsupported_media_type",
            "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.",
        )
    body = _parse_json(await request.body())
    if not isinstance(body, dict):
        raise unknown_error()
    return cast("dict[str, Any]", body)


def parse_user(value: object, *, default: str | None = None) -> str:
    """Give the text of a `user`: whatever is not text becomes text.

    Args:
        value: What the request has; None when it has none.
        default: Who it is then; without, a user has to be named.

    Raises:
        ApiError: 400 without a user, and for text that the server's database does not take; 500 for one that is too
            long for it.
    """
    if not value:
        if default is None:
            raise invalid_param("Arg user must be provided.")
        return default
    user = str(value)
    if "\0" in user:
        raise nul_character()
    if len(user) > _LONGEST_USER:
        raise unknown_error()
    return user


def parse_run_payload(body: Mapping[str, Any], pydantic: str) -> RunPayload:
    """Check the types of a body and give its parts.

    Args:
        body: The body.
        pydantic: The pydantic release that the server's messages name.

    Raises:
        ApiError: 400, in the server's words.
    """
    problems: list[Problem] = []
    inputs = body.get("inputs")
    if "inputs" not in body:
        problems.append(Problem("inputs", "missing", "Field required", body))
    elif not isinstance(inputs, dict):
        problems.append(Problem("inputs", "dict_type", _NO_DICTIONARY, inputs))
    files = body.get("files")
    if files is not None and not isinstance(files, list):
        problems.append(Problem("files", "list_type", "Input should be a valid list", files))
    else:
        problems += [
            Problem(f"files.{position}", "dict_type", _NO_DICTIONARY, file)
            for position, file in enumerate(cast("list[object]", files or []))
            if not isinstance(file, dict)
        ]
    mode = body.get("response_mode")
    if mode not in ("blocking", "streaming", None):
        problems.append(Problem("response_mode", "literal_error", "Input should be 'blocking' or 'streaming'", mode))
    if problems:
        raise refusal("WorkflowRunPayload", problems, pydantic)
    return RunPayload(body["inputs"], cast("list[dict[str, Any]]", files or []), mode == "streaming")


def check_trace_session(request: Request, body: Mapping[str, Any]) -> None:
    """Check the tracing session of a run: the header's, else the query's, else the body's.

    Raises:
        ApiError: 400, unless it is absent or a string of 1 to 200 characters after trimming.
    """
    for values, name in ((request.headers, "X-Trace-Session-Id"), (request.query_params, _SESSION), (body, _SESSION)):
        if name in values:
            session: object = values[name]
            break
    else:
        return
    if not isinstance(session, str):
        raise ApiError.of(400, "bad_request", "trace_session_id must be a string.")
    if not 0 < len(session.strip()) <= _LONGEST_SESSION:
        raise ApiError.of(400, "bad_request", "trace_session_id must be 1 to 200 characters after trimming.")


_SESSION: Final = "trace_session_id"
_LONGEST_SESSION: Final = 200
_NO_DICTIONARY: Final = "Input should be a valid dictionary"


def _parse_json(data: bytes) -> object:
    """Parse JSON as strictly as the server's parser, orjson, does."""
    bad_request = ApiError.of(
        400, "bad_request", "The browser (or proxy) sent a request that this server could not understand."
    )
    try:
        text = data.decode()
        if _nesting(text) > _DEEPEST:
            raise bad_request
        body: object = json.loads(text, parse_constant=_finite, parse_float=_finite)
        if "\\u" in text:
            json.dumps(body, ensure_ascii=False).encode()  # fails for half of a surrogate pair
    except (ValueError, RecursionError):
        raise bad_request from None
    return body


_DEEPEST: Final = 1024
_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])')


def _nesting(text: str) -> int:
    """Give how many arrays and objects are nested at most, as far as it matters."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return 0
    depth = deepest = 0
    for match in _BRACKETS.finditer(text):
        depth += (match[1] is not None) - (match[2] is not None)
        deepest = max(deepest, depth)
    return deepest


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # neither JSON nor anything that a response could repeat
        raise ValueError(text)
    return number

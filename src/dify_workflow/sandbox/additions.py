"""What updates of the spec added: parameters, whose types are checked, and operations, which respond with an example.

The tables are written by `make update`. A parameter has no effect here until somebody writes one; an operation that the
sandbox is to have for good moves to a module of its own.
"""

import math
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast

from starlette.requests import Request
from starlette.responses import Response

from .json_responses import json_response
from .request_bodies import read_json_object
from .state import SandboxState
from .validation import Problem, refusal

__all__ = ["check_additions", "stubs"]

FIELDS: Final[dict[str, list[dict[str, Any]]]] = {}
"""Parameters and fields of bodies by operation: the name, where it is, its types and bounds as in the spec."""

STUBS: Final[dict[str, Any]] = {}
"""Operations: the status and the body of the response."""


async def check_additions(state: SandboxState, request: Request, key: str) -> None:
    """Check what was added to an operation, by its key such as `GET /workflows/logs`.

    Raises:
        ApiError: 400, in the server's words; what an operation refuses for other reasons, such as the key.
    """
    fields = FIELDS.get(key)
    if not fields:
        return
    state.app_of(request)
    query = request.query_params
    body = await read_json_object(request) if any(field["where"] == "body" for field in fields) else {}
    problems: list[Problem] = []
    for field in fields:
        given: Mapping[str, Any] = body if field["where"] == "body" else query
        if field["name"] in given:
            value = given[field["name"]]
            read = value if field["where"] == "body" else _read(value, field["kinds"])
            problems += [] if is_allowed(read, field) else [_problem(field, value)]
        elif field.get("required"):
            problems.append(Problem(field["name"], "missing", "Field required", dict(given)))
    if problems:
        raise refusal("Request", problems, state.server.pydantic)


def stubs() -> dict[str, dict[str, Callable[[SandboxState, Request], Awaitable[Response]]]]:
    """The routes of the added operations."""
    found: dict[str, dict[str, Callable[[SandboxState, Request], Awaitable[Response]]]] = {}
    for key, (status, value) in STUBS.items():
        method, _, path = key.partition(" ")
        found.setdefault(f"/v1{path}", {})[method] = _stub(status, value)
    return found


def _stub(status: int, value: object) -> Callable[[SandboxState, Request], Awaitable[Response]]:
    async def respond(state: SandboxState, request: Request) -> Response:
        state.app_of(request)
        return Response(status_code=status) if value is None else json_response(status, value)

    return respond


def _read(text: str, kinds: list[str]) -> object:
    """The value that the text of a parameter stands for; the text itself where it stands for none of its types."""
    if "boolean" in kinds and text.lower() in _FLAGS:
        return _FLAGS[text.lower()]
    if "integer" in kinds and _INTEGER.fullmatch(text.strip()):
        return int(text.strip().partition(".")[0])
    if "number" in kinds and _NUMBER.fullmatch(text.strip()):
        return float(text)
    return text


_FLAGS: Final = {"true": True, "false": False, "1": True, "0": False}
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,4000}(?:\.0+)?")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")


def is_allowed(value: object, field: Mapping[str, Any]) -> bool:
    """Whether a field may have a value."""
    if field["kinds"] and not any(_is_of(value, kind) for kind in field["kinds"]):
        return False
    if "allowed" in field and value not in field["allowed"]:
        return False
    if isinstance(value, str):
        return bool(field.get("minLength", 0) <= len(value) <= field.get("maxLength", math.inf))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return bool(field.get("minimum", -math.inf) <= value <= field.get("maximum", math.inf))
    return True


def _is_of(value: object, kind: str) -> bool:
    if kind in {"integer", "number"}:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and (kind == "number" or value == int(cast("float", value)))
    types = {"string": str, "boolean": bool, "object": dict, "array": list, "null": type(None)}
    return isinstance(value, types[kind])


def _problem(field: Mapping[str, Any], value: object) -> Problem:
    kinds = [kind for kind in field["kinds"] if kind != "null"]
    return Problem(field["name"], "value_error", f"Input should be a valid {' or '.join(kinds) or 'value'}", value)

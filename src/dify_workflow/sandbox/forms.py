"""The operations on the forms of paused runs, `/form/human_input/{form_token}`, which servers from 1.14 on have."""

import json
import re
import time
from collections.abc import Mapping
from typing import Any, Final, cast

from starlette.requests import Request
from starlette.responses import Response

from .engine import PendingForm
from .errors import ApiError
from .faults import shown_time
from .input_form import form_allows_file
from .json_responses import json_response
from .records import AppRow
from .request_bodies import parse_user, read_json_object
from .state import SandboxState
from .validation import Problem, refusal
from .workflow_steps import FormSubmission, HumanForm

__all__ = ["get_form", "submit_form"]


async def get_form(state: SandboxState, request: Request) -> Response:
    """`GET /form/human_input/{form_token}`."""
    pending = _find(state, state.app_of(request), request)
    shown = {
        "form_content": pending.form.content,
        "inputs": list(pending.form.inputs),
        "resolved_default_values": pending.defaults,
        "user_actions": pending.actions,
        "expiration_time": shown_time(state.traps, pending.expires_at),
    }
    return Response(json.dumps(shown), media_type="application/json")  # without the newline of other responses


async def submit_form(state: SandboxState, request: Request) -> Response:
    """`POST /form/human_input/{form_token}`; the run continues with what it brings."""
    app = state.app_of(request)
    body = await read_json_object(request)
    state.end_user(app, parse_user(body.get("user")))
    _check_types(body, state.server.pydantic)
    pending = _find(state, app, request)
    pending.submit(_submission(body, pending.form))
    return json_response(200, {})


_FORM_ROUTES: Final = (
    "/v1/form/human_input/<string:form_token>",
    "/api/form/human_input/<string:form_token>",
    "/api/form/human_input/<string:form_token>/upload-token",
)


def _find(state: SandboxState, app: AppRow, request: Request) -> PendingForm:
    pending = state.engine.forms.get(request.path_params["form_token"])
    if pending is None or pending.app.name != app.name:
        raise ApiError.of(404, "not_found", "Form not found" + _routes_like(request.scope["path"]))
    if pending.state == "submitted":
        message = f"This form has already been submitted by another user, form_id={pending.form_id}"
        raise ApiError.of(412, "human_input_form_submitted", message)
    if pending.state != "waiting" or pending.expires_at < time.time() - 1:
        raise ApiError.of(412, "human_input_form_expired", f"This form has expired, form_id={pending.form_id}")
    return pending


def _routes_like(path: str) -> str:
    """Give what the server's web framework adds to some of its 404s: routes that look like the address."""
    from difflib import get_close_matches  # noqa: PLC0415 - rarely needed

    routes = {re.sub("<.*>", "", route): route for route in _FORM_ROUTES}
    matches = [routes[match] for match in get_close_matches(path, routes)]
    return f". You have requested this URI [{path}] but did you mean {' or '.join(matches)} ?" if matches else ""


def _check_types(body: Mapping[str, Any], pydantic: str) -> None:
    problems: list[Problem] = []
    for name, kind, type_, message in (
        ("inputs", dict, "dict_type", "Input should be a valid dictionary"),
        ("action", str, "string_type", "Input should be a valid string"),
    ):
        if name not in body:
            problems.append(Problem(name, "missing", "Field required", body))
        elif not isinstance(body[name], kind):
            problems.append(Problem(name, type_, message, body[name]))
    if problems:
        raise refusal("HumanInputFormSubmitPayload", problems, pydantic)


def _submission(body: Mapping[str, Any], form: HumanForm) -> FormSubmission:
    given, action = cast("dict[str, Any]", body["inputs"]), str(body["action"])
    if action not in form.actions:
        raise _invalid(f"Invalid action: {action}")
    fields = {str(field["output_variable_name"]): field for field in form.inputs}
    if missing := [name for name in fields if name not in given]:
        raise _invalid(f"Missing required inputs: {', '.join(missing)}")
    return FormSubmission({name: _value(name, field, given[name]) for name, field in fields.items()}, action)


def _value(name: str, field: Mapping[str, Any], value: object) -> object:
    match field.get("type"):
        case "select":
            if not isinstance(value, str):
                raise _invalid(f"Invalid value for select input '{name}': expected string")
            source: Mapping[str, Any] = field.get("option_source") or {}
            if source.get("type") == "constant" and value not in source.get("value", ()):
                raise _invalid(f"Invalid value for select input '{name}': {value}")
            return value
        case "file":
            if not isinstance(value, dict):
                raise _invalid(f"Invalid value for file input '{name}': expected mapping")
            return _file(name, field, cast("dict[str, Any]", value))
        case "file-list":
            if not isinstance(value, list):
                raise _invalid(f"Invalid value for file list input '{name}': expected list")
            files = cast("list[object]", value)
            if not all(isinstance(file, dict) for file in files):
                raise _invalid(f"Invalid value for file list input '{name}': expected list of mappings")
            limit = field.get("number_limits") or 0
            if 0 < limit < len(files):
                raise _invalid(f"Invalid value for file list input '{name}': exceeds number limit")
            return [_file(name, field, cast("dict[str, Any]", file)) for file in files]
        case _:
            return value if isinstance(value, str) else str(value)


_FILE_TYPES: Final = {"document", "image", "audio", "video", "custom"}
_TRANSFER_METHODS: Final = {"remote_url", "local_file", "tool_file", "datasource_file"}


def _file(name: str, field: Mapping[str, Any], file: dict[str, Any]) -> dict[str, Any]:
    kind, method, extension = file.get("type"), file.get("transfer_method"), file.get("extension")
    if kind not in _FILE_TYPES:
        raise _invalid(f"Invalid value for file input '{name}': unsupported file type")
    if method not in _TRANSFER_METHODS:
        raise _invalid(f"Invalid value for file input '{name}': unsupported transfer method")
    if not form_allows_file(field, str(kind), extension if isinstance(extension, str) else "", str(method)):
        raise _invalid(f"Invalid value for file input '{name}': file is not allowed by config")
    return file


def _invalid(message: str) -> ApiError:
    return ApiError.of(400, "invalid_form_data", message)

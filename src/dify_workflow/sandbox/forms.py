"""The operations on the forms of paused runs, `/form/human_input/{form_token}`, which servers from 1.14 on have."""

import time
from collections.abc import Mapping
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from .answers import json_answer
from .engine import PendingForm
from .errors import ApiError, invalid_param
from .payloads import parse_user, read_json_object
from .rows import AppRow
from .services import Services
from .steps import FormSubmission

__all__ = ["get_form", "submit_form"]


async def get_form(services: Services, request: Request) -> Response:
    """`GET /form/human_input/{form_token}`."""
    pending = _find(services, services.app_of(request), request.path_params["form_token"])
    return json_answer(
        200,
        {
            "form_content": pending.form.content,
            "inputs": list(pending.form.inputs),
            "resolved_default_values": {},
            "user_actions": pending.actions,
            "expiration_time": pending.expires_at,
        },
    )


async def submit_form(services: Services, request: Request) -> Response:
    """`POST /form/human_input/{form_token}`; the run goes on with what it brings."""
    app = services.app_of(request)
    body = await read_json_object(request)
    services.end_user(parse_user(body.get("user")))
    pending = _find(services, app, request.path_params["form_token"])
    pending.submit(_submission(body, pending.form.actions))
    return json_answer(200, {})


def _find(services: Services, app: AppRow, token: str) -> PendingForm:
    pending = services.engine.forms.get(token)
    if pending is None or pending.app.name != app.name:
        raise ApiError.of(404, "not_found", "There is no such form.")
    if pending.state == "submitted":
        raise ApiError.of(412, "human_input_form_submitted", "Somebody has submitted this form already.")
    if pending.state != "waiting" or pending.expires_at < time.time() - 1:
        raise ApiError.of(412, "human_input_form_expired", "This form has expired.")
    return pending


def _submission(body: Mapping[str, Any], actions: Mapping[str, str]) -> FormSubmission:
    inputs, action = body.get("inputs"), body.get("action")
    if not isinstance(inputs, dict):
        raise invalid_param("inputs must be an object")
    if not isinstance(action, str):
        raise invalid_param("action must be a string")
    if action not in actions:
        raise ApiError.of(400, "invalid_form_data", f"The form has no action {action}.")
    return FormSubmission(cast("dict[str, Any]", inputs), action)

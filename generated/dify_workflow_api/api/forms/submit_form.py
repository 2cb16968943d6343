"""`submit_form`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import types as _types
from ...types import Request

if TYPE_CHECKING:
    from ...models.form_submission import FormSubmission


def build_request(
    *,
    form_token: str,
    body: FormSubmission | dict[str, Any],
) -> Request[dict[str, Any]]:
    """Submit a form

    Submits a form; the run that waits for it continues, and `GET /workflow/{workflow_run_id}/events` follows it. A
    form can be submitted once.

    Servers from version 1.14 on have this operation; version 1.11.2 responds with 404 and HTML.

    POST /form/human_input/{form_token}

    Args:
        form_token: The form's token: `form_token` of a `human_input_required` event. Everyone who has it can
            submit the form, so treat it as a secret.
        body: The form, filled in.

    Raises:
        ValueError: An argument is not what the API takes; nothing was sent.
    """
    return Request(
        operation="submit_form",
        method="POST",
        path=_types.path("/form/human_input/", _types.segment("form_token", form_token, required=True)),
        json=_types.body(body, required=True, is_object=True),
        load_response=_response,
    )


def _response() -> type[dict[str, Any]]:
    return dict

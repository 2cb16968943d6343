"""`get_form`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import types as _types
from ...types import Request

if TYPE_CHECKING:
    from ...models.form_definition import FormDefinition


def build_request(
    *,
    form_token: str,
) -> Request[FormDefinition]:
    """Get a form

    Returns a form that a paused run waits for.

    Servers from version 1.14 on have this operation; version 1.11.2 responds with 404 and HTML.

    GET /form/human_input/{form_token}

    Args:
        form_token: The form's token: `form_token` of a `human_input_required` event. Everyone who has it can
            submit the form, so treat it as a secret.

    Raises:
        ValueError: An argument is not what the API takes; nothing was sent.
    """
    return Request(
        operation="get_form",
        method="GET",
        path=_types.path("/form/human_input/", _types.segment("form_token", form_token, required=True)),
        load_response=_response,
    )


def _response() -> type[FormDefinition]:
    from ...models.form_definition import FormDefinition  # loaded when there is a response

    return FormDefinition

"""Forms for which paused runs wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_workflow_api.api.forms import get_form, submit_form

from ..._http import decode
from ..._http.advice import after_submission
from ..._runs.arguments import form_body
from . import AsyncResource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..._http.config import TimeoutOption
    from ...models import FormDefinition
    from .raw_resources import AsyncRawForms


class AsyncForms(AsyncResource):
    """Forms for which paused runs wait. Newer servers have them; Dify 1.11 responds 404."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    @property
    def with_raw_response(self) -> AsyncRawForms:
        """The same methods, which return the response: its status, its headers, and `.parse()` for the result."""
        from .raw_resources import AsyncRawForms  # noqa: PLC0415 - loaded when needed

        return AsyncRawForms(self._base_client)

    async def get(self, form_token: str, *, timeout: TimeoutOption = None) -> FormDefinition:
        """The definition of a form: `GET /form/human_input/{form_token}`.

        Args:
            form_token: the form's token, from the event `human_input_required`.
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: the token cannot be part of a path; raised before any request is sent.
            NotFoundError: there is no such form, or the server has no forms.
            APIStatusError: 412: it was submitted before, or has expired.
            DifyError: no usable response came, or one with an error status.
        """
        return await self._base_client.call(get_form.build_request(form_token=form_token), timeout)

    async def submit(
        self, form_token: str, *, inputs: Mapping[str, Any], action: str, user: str, timeout: TimeoutOption = None
    ) -> None:
        """Submit a form, so that its run continues: `POST /form/human_input/{form_token}`.

        Args:
            form_token: the form's token.
            inputs: values by the names of the form's inputs.
            action: id of the chosen button.
            user: id of the end user who submits it.
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: an invalid argument; raised before any request is sent.
            BadRequestError: the server refuses the values (`invalid_form_data`).
            NotFoundError: there is no such form, or the server has no forms.
            APIStatusError: 412: it was submitted before, or has expired.
            DifyError: no usable response came, or one with an error status.
        """
        body = form_body(inputs, action=action, user=user)
        call = submit_form.build_request(form_token=form_token, body=body)
        return await self._base_client.send(call, decode.nothing, timeout, after_submission)

"""`get_app_parameters`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...types import Request

if TYPE_CHECKING:
    from ...models.app_parameters import AppParameters


def build_request() -> Request[AppParameters]:
    """Get what the app takes

    Returns the workflow's input variables and the server's limits for uploads.

    GET /parameters
    """
    return Request(
        operation="get_app_parameters",
        method="GET",
        path="/parameters",
        load_response=_response,
    )


def _response() -> type[AppParameters]:
    from ...models.app_parameters import AppParameters  # loaded when there is a response

    return AppParameters

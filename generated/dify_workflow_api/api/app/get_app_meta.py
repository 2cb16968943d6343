"""`get_app_meta`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...types import Request

if TYPE_CHECKING:
    from ...models.app_meta import AppMeta


def build_request() -> Request[AppMeta]:
    """Get the icons of the app's tools

    Returns the icons of the tools that the workflow uses; none for an app that is not published.

    GET /meta
    """
    return Request(
        operation="get_app_meta",
        method="GET",
        path="/meta",
        load_response=_response,
    )


def _response() -> type[AppMeta]:
    from ...models.app_meta import AppMeta  # loaded when there is a response

    return AppMeta

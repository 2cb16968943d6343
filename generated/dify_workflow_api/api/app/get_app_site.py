"""`get_app_site`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...types import Request

if TYPE_CHECKING:
    from ...models.app_site import AppSite


def build_request() -> Request[AppSite]:
    """Get how the app's web page looks

    Returns the settings of the app's own web page.

    GET /site
    """
    return Request(
        operation="get_app_site",
        method="GET",
        path="/site",
        load_response=_response,
    )


def _response() -> type[AppSite]:
    from ...models.app_site import AppSite  # loaded when there is a response

    return AppSite

"""`get_app_info`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...types import Request

if TYPE_CHECKING:
    from ...models.app_info import AppInfo


def build_request() -> Request[AppInfo]:
    """Get what the app is

    Returns the app's name, description, tags and mode. It works for every kind of app, and for one that is not
    published: the cheapest way to see whether a key works, and whether it is a workflow's.

    GET /info
    """
    return Request(
        operation="get_app_info",
        method="GET",
        path="/info",
        load_response=_response,
    )


def _response() -> type[AppInfo]:
    from ...models.app_info import AppInfo  # loaded when there is a response

    return AppInfo

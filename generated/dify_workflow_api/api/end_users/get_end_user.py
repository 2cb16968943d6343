"""`get_end_user`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import types as _types
from ...types import Request

if TYPE_CHECKING:
    from ...models.end_user_detail import EndUserDetail


def build_request(
    *,
    end_user_id: str,
) -> Request[EndUserDetail]:
    """Get an end user

    Returns an end user of the app by the id that logs and uploads have, not by the `user` that was given.

    Servers from version 1.14 on have this operation; version 1.11.2 responds with 404 and HTML.

    GET /end-users/{end_user_id}

    Args:
        end_user_id: The end user's id: `created_by_end_user.id` of a log, or `created_by` of an upload.

    Raises:
        ValueError: An argument is not what the API takes; nothing was sent.
    """
    return Request(
        operation="get_end_user",
        method="GET",
        path=_types.path("/end-users/", _types.segment("end_user_id", end_user_id, required=True)),
        load_response=_response,
    )


def _response() -> type[EndUserDetail]:
    from ...models.end_user_detail import EndUserDetail  # loaded when there is a response

    return EndUserDetail

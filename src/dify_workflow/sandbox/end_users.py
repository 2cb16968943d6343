"""The operation `GET /end-users/{end_user_id}`, which servers from 1.14 on have."""

import time
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from .answers import json_answer
from .errors import ApiError
from .rows import WORKSPACE_ID
from .services import Services

__all__ = ["get_end_user"]


async def get_end_user(services: Services, request: Request) -> Response:
    """`GET /end-users/{end_user_id}`; here alone, times are text."""
    app = services.app_of(request)
    end_user = services.database.find_end_user(request.path_params["end_user_id"])
    if end_user is None:
        raise ApiError.of(404, "end_user_not_found", "There is no such end user.")
    first_seen = services.database.first_seen(end_user)
    created_at = datetime.fromtimestamp(time.time() if first_seen is None else first_seen, UTC).isoformat()
    return json_answer(
        200,
        {
            "id": end_user.id,
            "tenant_id": WORKSPACE_ID,
            "app_id": app.id,
            "type": end_user.type,
            "external_user_id": end_user.session_id,
            "name": None,
            "is_anonymous": False,
            "session_id": end_user.session_id,
            "created_at": created_at,
            "updated_at": created_at,
        },
    )

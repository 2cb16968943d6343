"""The operation `GET /end-users/{end_user_id}`, which servers from 1.14 on have."""

import time
import uuid
from datetime import UTC, datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from .errors import ApiError
from .faults import shown_time
from .json_responses import json_response
from .records import WORKSPACE_ID
from .state import SandboxState

__all__ = ["get_end_user"]


async def get_end_user(state: SandboxState, request: Request) -> Response:
    """`GET /end-users/{end_user_id}`; here alone, times are text, in UTC without an offset."""
    app = state.app_of(request)
    try:
        end_user_id = str(uuid.UUID(request.path_params["end_user_id"]))
    except ValueError:
        raise HTTPException(404) from None  # the route takes UUIDs alone
    end_user = state.database.find_end_user(app, end_user_id)
    if end_user is None:
        raise ApiError.of(404, "end_user_not_found", "End user not found.")
    first_seen = state.database.first_seen(end_user)
    second = shown_time(state.traps, int(time.time()) if first_seen is None else first_seen)
    created_at = datetime.fromtimestamp(second, UTC).replace(tzinfo=None).isoformat()
    return json_response(
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

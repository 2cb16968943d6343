"""The operation `GET /workflows/logs`."""

from starlette.requests import Request
from starlette.responses import Response

from .answers import json_answer
from .queries import parse_log_query
from .services import Services

__all__ = ["list_workflow_logs"]


async def list_workflow_logs(services: Services, request: Request) -> Response:
    """Answer one request with a page.

    The key is checked first, then the parameters, then the filters against the rows. Apps of every mode are let in:
    those that run no workflows have no logs.

    Raises:
        ApiError: The refusal.
    """
    app = services.app_of(request)
    query = parse_log_query(request.url.query)
    page = services.database.list_logs(app, query, stable_ties=services.traps.stable_ties)
    return json_answer(
        200,
        {
            "page": query.page,
            "limit": query.limit,
            "total": page.total,
            "has_more": page.total > query.page * query.limit,
            "data": page.items,
        },
    )

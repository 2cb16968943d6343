"""The operation `GET /workflows/logs`."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from .answers import json_answer
from .queries import LogQuery, parse_log_query
from .services import Services
from .traps import Traps

__all__ = ["list_workflow_logs"]


async def list_workflow_logs(services: Services, request: Request) -> Response:
    """Answer one request with a page.

    The key is checked first, then the parameters, then the filters against the rows. Apps of every mode are let in:
    those that run no workflows have no logs.

    Raises:
        ApiError: The refusal.
    """
    app, traps = services.app_of(request), services.traps
    query = _as_understood(parse_log_query(request.url.query), traps)
    page = services.database.list_logs(app, query, order=traps.log_order, stable_ties=traps.stable_ties)
    has_more = page.total > query.page * query.limit
    return json_answer(
        200,
        {
            "page": query.page,
            "limit": query.limit,
            "total": page.total if traps.count is None else traps.count(page.total),
            "has_more": has_more if traps.has_more is None else traps.has_more,
            "data": page.items,
        },
    )


def _as_understood(query: LogQuery, traps: Traps) -> LogQuery:
    return replace(
        query,
        limit=query.limit if traps.largest_page is None else min(query.limit, traps.largest_page),
        created_at__before=None if traps.ignores_before else query.created_at__before,
        created_at__after=None if traps.ignores_after else query.created_at__after,
    )

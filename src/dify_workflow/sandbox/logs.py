"""The operation `GET /workflows/logs`."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .faults import Traps, shown_log_time, shown_time
from .json_responses import json_response
from .query_params import LogQuery, parse_log_query
from .state import SandboxState

__all__ = ["list_workflow_logs"]


async def list_workflow_logs(state: SandboxState, request: Request) -> Response:
    """Answer one request with a page.

    The key is checked first, then the parameters, then the filters against the rows. Apps of every mode are let in:
    those that run no workflows have no logs.

    Raises:
        ApiError: The refusal.
    """
    app, traps = state.app_of(request), state.traps
    query = parse_log_query(request.url.query, state.server, exclusive_bounds=traps.exclusive_bounds)
    query = _as_understood(query, traps)
    page = state.database.list_logs(
        app, query, order=traps.log_order, stable_ties=traps.stable_ties, lag=traps.replica_lag
    )
    if traps.displayed_time_shift:
        for item in page.items:
            _shift_times(item, traps)
    has_more = page.total > query.page * query.limit
    return json_response(
        200,
        {
            "page": query.page,
            "limit": query.limit,
            "total": page.total if traps.count is None else traps.count(page.total),
            "has_more": has_more if traps.has_more is None else traps.has_more,
            "data": page.items,
        },
    )


def _shift_times(item: dict[str, Any], traps: Traps) -> None:
    item["created_at"] = shown_log_time(traps, item["created_at"])
    run = item["workflow_run"]
    if run is not None:
        for name in ("created_at", "finished_at"):
            run[name] = None if run[name] is None else shown_time(traps, run[name])


def _as_understood(query: LogQuery, traps: Traps) -> LogQuery:
    return replace(
        query,
        limit=query.limit if traps.largest_page is None else min(query.limit, traps.largest_page),
        created_at__before=None if traps.ignores_before else query.created_at__before,
        created_at__after=None if traps.ignores_after else query.created_at__after,
    )

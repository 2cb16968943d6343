"""The operation `GET /workflows/logs`."""

from typing import Any

from .access import authorize
from .database import Database
from .queries import parse_log_query
from .traps import Traps

__all__ = ["list_logs"]


def list_logs(database: Database, traps: Traps, *, authorization: str | None, query_string: str) -> dict[str, Any]:
    """Answer one request with the JSON object of a page.

    The key is checked first, then the parameters, then the filters against the rows. Apps of every mode are let in:
    those that run no workflows have no logs.

    Raises:
        ApiError: The refusal.
    """
    app = authorize(authorization, database.find_app)
    query = parse_log_query(query_string)
    page = database.list_logs(app, query, stable_ties=traps.stable_ties)
    return {
        "page": query.page,
        "limit": query.limit,
        "total": page.total,
        "has_more": page.total > query.page * query.limit,
        "data": page.items,
    }

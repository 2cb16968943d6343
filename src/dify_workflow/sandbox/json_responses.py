"""JSON responses, written as the server writes them."""

import json
from typing import Any

from starlette.responses import Response

__all__ = ["json_response"]


def json_response(status: int, content: Any, headers: dict[str, str] | None = None) -> Response:  # noqa: ANN401 - any JSON
    """A JSON response: ASCII-escaped and ended by a newline."""
    return Response(json.dumps(content) + "\n", status, headers, media_type="application/json")

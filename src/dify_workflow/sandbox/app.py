"""The ASGI application: routes, headers, and the answers that belong to no operation."""

import asyncio
import html
import json
import logging
import re
import threading
import time
from http import HTTPStatus
from typing import Any, cast

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import SERVER_VERSION
from .database import Database
from .errors import ApiError, unknown_error
from .journal import Journal, ReceivedRequest
from .logs import list_logs
from .traps import Traps

__all__ = ["create_app"]

# One line per request at info: method, path, status, time. Never a query, a header or a body.
_logger = logging.getLogger("dify_sandbox")

_VERSION_HEADERS = {"X-Version": SERVER_VERSION, "X-Env": "PRODUCTION"}
_OPERATION_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "X-Env, X-Trace-Id, X-Version",
}


def create_app(database: Database, journal: Journal, traps: Traps, stopping: threading.Event) -> Starlette:
    """Make the application that answers from `database`, notes requests in `journal` and obeys `traps`.

    Once `stopping` is set, nothing is held back any longer.
    """

    async def workflow_logs(request: Request) -> Response:
        if request.method == "OPTIONS":  # answered without a look at the key
            return _operation(HTMLResponse("", headers={"Allow": "GET, OPTIONS, HEAD"}))
        page = list_logs(
            database,
            traps,
            authorization=request.headers.get("authorization"),
            query_string=request.url.query,
        )
        return _operation(_json(200, page))

    app = Starlette(
        routes=[Route("/v1/workflows/logs", workflow_logs, methods=["GET", "OPTIONS"])],
        middleware=[Middleware(_Entrance, journal=journal, traps=traps, stopping=stopping)],
        exception_handlers={
            ApiError: _refuse,
            HTTPException: _answer_outside_operations,
            Exception: _answer_to_a_defect,
        },
    )
    app.router.redirect_slashes = False  # the real server does not know an address with a slash at its end
    return app


class _Entrance:
    """What every request passes: it is noted, held back as long as `traps` says, and its answer is marked."""

    def __init__(self, app: ASGIApp, journal: Journal, traps: Traps, stopping: threading.Event) -> None:
        self._app = app
        self._journal = journal
        self._traps = traps
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = ReceivedRequest(
            method=scope["method"],
            path=scope["raw_path"].decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
        )
        arrival = time.perf_counter()
        self._journal.add(request)
        await self._hold_back(self._traps.latency)
        if self._traps.before_request is not None:
            self._traps.before_request(request)

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_VERSION_HEADERS)
                milliseconds = (time.perf_counter() - arrival) * 1000
                _logger.info("%s %s: %d in %.1f ms", request.method, request.path, message["status"], milliseconds)
            await send(message)

        await self._app(scope, receive, send_marked)

    async def _hold_back(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._stopping.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(min(left, 0.1))


def _json(status: int, content: Any, headers: dict[str, str] | None = None) -> Response:  # noqa: ANN401 - any JSON
    # ASCII-escaped and ended by a newline, as the real server writes it
    return Response(json.dumps(content) + "\n", status, headers, media_type="application/json")


def _operation(response: Response) -> Response:
    response.headers.update(_OPERATION_HEADERS)
    return response


async def _refuse(_request: Request, error: Exception) -> Response:
    refusal = cast("ApiError", error)
    return _operation(_json(refusal.status, refusal.body, dict(refusal.headers)))


async def _answer_outside_operations(request: Request, error: Exception) -> Response:
    if cast("HTTPException", error).status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _json(
            405,
            {
                "code": "method_not_allowed",
                "message": "The method is not allowed for the requested URL.",
                "status": 405,
            },
        )
    path = request.scope["path"]
    merged = "/v1/" if path == "/v1" else re.sub("/{2,}", "/", path)
    if merged != path and (merged == "/v1/" or _is_served(request, merged)):
        location = str(request.url.replace(path=merged))
        link = html.escape(location)
        page = _page("Redirecting...", f'This address has moved to <a href="{link}">{link}</a>.')
        return HTMLResponse(page, 308, {"Location": location})
    return HTMLResponse(_page("404 Not Found", "The sandbox has nothing at this address."), 404)


async def _answer_to_a_defect(_request: Request, _error: Exception) -> Response:
    # Sent from outside `_Entrance`. The server then logs the traceback, which shows no values.
    refusal = unknown_error()
    return _operation(_json(refusal.status, refusal.body, _VERSION_HEADERS))


def _is_served(request: Request, path: str) -> bool:
    scope = {**request.scope, "path": path}
    return any(route.matches(scope)[0] != Match.NONE for route in request.app.routes)


def _page(title: str, text: str) -> str:
    return f"<!doctype html>\n<html lang=en>\n<title>{title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n"

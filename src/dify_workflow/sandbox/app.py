"""The ASGI application: routes, headers, and the responses that belong to no operation."""

import html
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final, cast

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .additions import check_additions, stubs
from .app_info import get_app_info, get_app_meta, get_app_parameters, get_app_site
from .end_users import get_end_user
from .errors import ApiError, unknown_error
from .forms import get_form, submit_form
from .json_responses import json_response
from .logs import list_workflow_logs
from .other_products import OTHER_ROUTES
from .request_log import ReceivedRequest, RequestLog
from .runs import (
    get_workflow_run,
    run_workflow,
    run_workflow_version,
    stop_workflow_run,
    stream_workflow_run_events,
)
from .state import SandboxState
from .uploads import fetch_file, preview_file, upload_file
from .versions import ServerVersion

__all__ = ["create_app"]

# One line per request at info: method, path, status, time. Never a query, a header or a body.
_logger = logging.getLogger("dify_sandbox")

_ALLOWED_HEADERS: Final = {"authorization", "content-type", "x-app-code"}
_ALLOWED_METHODS: Final = "DELETE, GET, OPTIONS, PATCH, POST, PUT"

Operation = Callable[[SandboxState, Request], Awaitable[Response]]

_ROUTES: Final[dict[str, dict[str, Operation]]] = {
    "/v1/workflows/logs": {"GET": list_workflow_logs},
    "/v1/workflows/run": {"POST": run_workflow},
    "/v1/workflows/run/{workflow_run_id}": {"GET": get_workflow_run},
    "/v1/workflows/{workflow_id}/run": {"POST": run_workflow_version},
    "/v1/workflows/tasks/{task_id}/stop": {"POST": stop_workflow_run},
    "/v1/files/upload": {"POST": upload_file},
    "/v1/files/{file_id:uuid}/preview": {"GET": preview_file},
    "/v1/info": {"GET": get_app_info},
    "/v1/parameters": {"GET": get_app_parameters},
    "/v1/meta": {"GET": get_app_meta},
    "/v1/site": {"GET": get_app_site},
}
_FORM_ROUTES: Final[dict[str, dict[str, Operation]]] = {
    "/v1/workflow/{workflow_run_id}/events": {"GET": stream_workflow_run_events},
    "/v1/form/human_input/{form_token}": {"GET": get_form, "POST": submit_form},
    "/v1/end-users/{end_user_id}": {"GET": get_end_user},
}


def create_app(state: SandboxState, request_log: RequestLog) -> Starlette:
    """Make the application that responds with `state` and notes requests in `request_log`."""
    table = {**_ROUTES, **(_FORM_ROUTES if state.server.has_forms else {}), **OTHER_ROUTES}
    for path, operations in stubs().items():
        table[path] = {**operations, **table.get(path, {})}
    app = Starlette(
        routes=[
            *(_route(path, operations, state) for path, operations in table.items()),
            _route("/files/{file_id}/file-preview", {"GET": fetch_file}, state),
        ],
        middleware=[Middleware(_RequestMiddleware, state=state, request_log=request_log)],
        exception_handlers={
            ApiError: _refuse,
            HTTPException: _respond_outside_operations,
            Exception: _defect_response(state.server),
        },
    )
    app.router.redirect_slashes = False  # the real server does not know an address with a slash at its end
    return app


def _route(path: str, operations: Mapping[str, Operation], state: SandboxState) -> Route:
    allowed = ", ".join([*operations, "OPTIONS", *(["HEAD"] if "GET" in operations else [])])

    async def respond(request: Request) -> Response:
        if request.method == "OPTIONS":  # answered without a look at the key
            headers = {"Allow": allowed, **_preflight_headers(request)}
            return _operation(request, HTMLResponse("", headers=headers))
        method = "GET" if request.method == "HEAD" else request.method
        await check_additions(state, request, f"{method} {path.removeprefix('/v1')}")
        operation = operations[method]
        return _operation(request, await operation(state, request))

    return Route(path, respond, methods=[*operations, "OPTIONS"])


def _preflight_headers(request: Request) -> dict[str, str]:
    """Give what a browser wants to know before it sends a request from a page of another host."""
    wanted = request.headers.get("access-control-request-method", "").upper()
    if wanted not in _ALLOWED_METHODS.split(", "):
        return {}
    asked = request.headers.get("access-control-request-headers", "").split(",")
    allowed = sorted(name for name in map(str.strip, asked) if name.lower() in _ALLOWED_HEADERS)
    headers = {"Access-Control-Allow-Methods": _ALLOWED_METHODS}
    return {**headers, "Access-Control-Allow-Headers": ", ".join(allowed)} if allowed else headers


class _RequestMiddleware:
    """What every request passes: it is noted, held back as long as `traps` says, and its response is marked."""

    def __init__(self, app: ASGIApp, state: SandboxState, request_log: RequestLog) -> None:
        self._app = app
        self._state = state
        self._traps = state.traps
        self._request_log = request_log

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
        self._request_log.add(request)
        await self._state.hold_back(self._traps.latency)
        if self._traps.before_request is not None:
            self._traps.before_request(request)

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_version_headers(self._state.server))
                if self._state.server.varies_by_cookie:
                    headers.add_vary_header("Cookie")
                milliseconds = (time.perf_counter() - arrival) * 1000
                _logger.info("%s %s: %d in %.1f ms", request.method, request.path, message["status"], milliseconds)
            await send(message)

        await self._app(scope, receive, send_marked)


def _operation(request: Request, response: Response) -> Response:
    origin = request.headers.get("origin")
    response.headers["Access-Control-Allow-Origin"] = origin or "*"
    response.headers["Access-Control-Expose-Headers"] = "X-Env, X-Trace-Id, X-Version"
    if origin:
        response.headers.add_vary_header("Origin")
    return response


async def _refuse(request: Request, error: Exception) -> Response:
    refusal = cast("ApiError", error)
    return _operation(request, json_response(refusal.status, refusal.body, dict(refusal.headers)))


async def _respond_outside_operations(request: Request, error: Exception) -> Response:
    if cast("HTTPException", error).status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return json_response(
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


def _defect_response(server: ServerVersion) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def respond(request: Request, _error: Exception) -> Response:
        # Sent from outside `_RequestMiddleware`. The server then logs the traceback, which shows no values.
        refusal = unknown_error()
        return _operation(request, json_response(refusal.status, refusal.body, _version_headers(server)))

    return respond


def _version_headers(server: ServerVersion) -> dict[str, str]:
    return {"X-Version": server.number, "X-Env": "PRODUCTION"}


def _is_served(request: Request, path: str) -> bool:
    scope = {**request.scope, "path": path}
    return any(route.matches(scope)[0] != Match.NONE for route in request.app.routes)


def _page(title: str, text: str) -> str:
    return f"<!doctype html>\n<html lang=en>\n<title>{title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n"

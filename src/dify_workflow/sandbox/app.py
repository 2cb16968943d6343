"""The ASGI application: routes, headers, and the answers that belong to no operation."""

import html
import logging
import re
import time
from collections.abc import Awaitable, Callable
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

from . import VERSIONS
from .answers import json_answer
from .app_info import get_app_info, get_app_meta, get_app_parameters, get_app_site
from .end_users import get_end_user
from .errors import ApiError, unknown_error
from .forms import get_form, submit_form
from .journal import Journal, ReceivedRequest
from .logs import list_workflow_logs
from .runs import (
    get_workflow_run,
    run_workflow,
    run_workflow_version,
    stop_workflow_run,
    stream_workflow_run_events,
)
from .services import Services
from .uploads import upload_file

__all__ = ["create_app"]

# One line per request at info: method, path, status, time. Never a query, a header or a body.
_logger = logging.getLogger("dify_sandbox")

_OPERATION_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "X-Env, X-Trace-Id, X-Version",
}


Operation = Callable[[Services, Request], Awaitable[Response]]

_ROUTES: Final[dict[str, dict[str, Operation]]] = {
    "/v1/workflows/logs": {"GET": list_workflow_logs},
    "/v1/workflows/run": {"POST": run_workflow},
    "/v1/workflows/run/{workflow_run_id}": {"GET": get_workflow_run},
    "/v1/workflows/{workflow_id}/run": {"POST": run_workflow_version},
    "/v1/workflows/tasks/{task_id}/stop": {"POST": stop_workflow_run},
    "/v1/files/upload": {"POST": upload_file},
    "/v1/info": {"GET": get_app_info},
    "/v1/parameters": {"GET": get_app_parameters},
    "/v1/meta": {"GET": get_app_meta},
    "/v1/site": {"GET": get_app_site},
}
_NEWER_ROUTES: Final[dict[str, dict[str, Operation]]] = {
    "/v1/workflow/{workflow_run_id}/events": {"GET": stream_workflow_run_events},
    "/v1/form/human_input/{form_token}": {"GET": get_form, "POST": submit_form},
    "/v1/end-users/{end_user_id}": {"GET": get_end_user},
}


def create_app(services: Services, journal: Journal) -> Starlette:
    """Make the application that answers with `services` and notes requests in `journal`."""
    table = _ROUTES if services.version == "1.11.2" else _ROUTES | _NEWER_ROUTES
    app = Starlette(
        routes=[_route(path, operations, services) for path, operations in table.items()],
        middleware=[Middleware(_Entrance, services=services, journal=journal)],
        exception_handlers={
            ApiError: _refuse,
            HTTPException: _answer_outside_operations,
            Exception: _answer_to_a_defect(VERSIONS[services.version]),
        },
    )
    app.router.redirect_slashes = False  # the real server does not know an address with a slash at its end
    return app


def _route(path: str, operations: dict[str, Operation], services: Services) -> Route:
    allowed = ", ".join([*operations, "OPTIONS", *(["HEAD"] if "GET" in operations else [])])

    async def answer(request: Request) -> Response:
        if request.method == "OPTIONS":  # answered without a look at the key
            return _operation(HTMLResponse("", headers={"Allow": allowed}))
        operation = operations["GET" if request.method == "HEAD" else request.method]
        return _operation(await operation(services, request))

    return Route(path, answer, methods=[*operations, "OPTIONS"])


class _Entrance:
    """What every request passes: it is noted, held back as long as `traps` says, and its answer is marked."""

    def __init__(self, app: ASGIApp, services: Services, journal: Journal) -> None:
        self._app = app
        self._services = services
        self._traps = services.traps
        self._journal = journal

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
        await self._services.hold_back(self._traps.latency)
        if self._traps.before_request is not None:
            self._traps.before_request(request)

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_version_headers(VERSIONS[self._services.version]))
                milliseconds = (time.perf_counter() - arrival) * 1000
                _logger.info("%s %s: %d in %.1f ms", request.method, request.path, message["status"], milliseconds)
            await send(message)

        await self._app(scope, receive, send_marked)


def _operation(response: Response) -> Response:
    response.headers.update(_OPERATION_HEADERS)
    return response


async def _refuse(_request: Request, error: Exception) -> Response:
    refusal = cast("ApiError", error)
    return _operation(json_answer(refusal.status, refusal.body, dict(refusal.headers)))


async def _answer_outside_operations(request: Request, error: Exception) -> Response:
    if cast("HTTPException", error).status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return json_answer(
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


def _answer_to_a_defect(version: str) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(_request: Request, _error: Exception) -> Response:
        # Sent from outside `_Entrance`. The server then logs the traceback, which shows no values.
        refusal = unknown_error()
        return _operation(json_answer(refusal.status, refusal.body, _version_headers(version)))

    return answer


def _version_headers(version: str) -> dict[str, str]:
    return {"X-Version": version, "X-Env": "PRODUCTION"}


def _is_served(request: Request, path: str) -> bool:
    scope = {**request.scope, "path": path}
    return any(route.matches(scope)[0] != Match.NONE for route in request.app.routes)


def _page(title: str, text: str) -> str:
    return f"<!doctype html>\n<html lang=en>\n<title>{title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n"

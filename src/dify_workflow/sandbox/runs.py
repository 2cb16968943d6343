"""The operations on runs: start one, look at it, follow it, stop it."""

import json
import re
import uuid
from collections.abc import AsyncGenerator, Iterable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from .answers import json_answer
from .errors import ApiError, invalid_param, unknown_error
from .events import RunIds
from .input_form import take_files, take_inputs
from .payloads import parse_run_payload, parse_user, read_json_object
from .rows import AppRow, FileRow, RunRow
from .services import Services
from .streams import idle_stream, stream_run

__all__ = [
    "get_workflow_run",
    "run_workflow",
    "run_workflow_version",
    "stop_workflow_run",
    "stream_workflow_run_events",
]


async def run_workflow(services: Services, request: Request) -> Response:
    """`POST /workflows/run`."""
    return await _run(services, request, None)


async def run_workflow_version(services: Services, request: Request) -> Response:
    """`POST /workflows/{workflow_id}/run`."""
    return await _run(services, request, request.path_params["workflow_id"])


async def get_workflow_run(services: Services, request: Request) -> Response:
    """`GET /workflows/run/{workflow_run_id}`; a run that is not there is a 200 with null in every field."""
    app = services.app_of(request)
    if app.mode not in {"workflow", "advanced-chat"}:
        raise _not_workflow_app()
    run_id = _database_uuid(request.path_params["workflow_run_id"])
    if run_id is None:  # the server hands it to its database, which refuses it
        raise unknown_error()
    run = services.database.find_run(app, run_id)
    return json_answer(200, dict.fromkeys(_DETAIL) if run is None else _detail(services, app, run))


async def stop_workflow_run(services: Services, request: Request) -> Response:
    """`POST /workflows/tasks/{task_id}/stop`; a success also when there is no such task, whoever asks."""
    app = services.app_of(request)
    body = await read_json_object(request)
    services.end_user(parse_user(body.get("user")))
    _require_workflow_app(app)
    services.engine.stop(request.path_params["task_id"])
    return json_answer(200, {"result": "success"})


async def stream_workflow_run_events(services: Services, request: Request) -> Response:
    """`GET /workflow/{workflow_run_id}/events`.

    A run that has ended gives its last event. One that goes on gives its events from now on or, if it has paused, from
    the last pause on; with `include_state_snapshot` from its start on.
    """
    app = services.app_of(request)
    query = request.query_params
    user = parse_user(query.get("user"))
    _require_workflow_app(app)
    run_id = _database_uuid(request.path_params["workflow_run_id"])
    run = None if run_id is None else services.database.find_run(app, run_id)
    owner = None if run is None else services.database.find_run_user(run.id)
    if run is None or owner is None or owner.session_id != user:
        raise ApiError.of(404, "not_found", "There is no such run of this user.")
    engine = services.engine
    execution = engine.find(app, run.id)
    if request.method == "HEAD":
        frames = _replay([])
    elif execution is None:
        frames = (
            idle_stream(engine, services.traps) if run.finished_at is None else _last_frame(app, run, owner.id, user)
        )
    elif execution.ended:
        frames = _replay(execution.frames[-1:])
    else:
        snapshot = _is_true(query.get("include_state_snapshot"))
        if snapshot:
            position = 0
        elif execution.pauses:
            position = execution.pauses[-1] - execution.paused
        else:
            position = len(execution.frames)
        frames = stream_run(
            execution,
            engine,
            services.traps,
            position=position,
            beyond_pauses=_is_true(query.get("continue_on_pause")),
        )
    return StreamingResponse(frames, media_type="text/event-stream")


# Starting a run -------------------------------------------------------------------------------------------------


async def _run(services: Services, request: Request, workflow_id: str | None) -> Response:
    app = services.app_of(request)
    body = await read_json_object(request)
    end_user = services.end_user(parse_user(body.get("user")))
    _require_workflow_app(app)
    payload = parse_run_payload(body)
    services.engine.refuse_too_many(app)
    _require_runnable(app, workflow_id)

    def find_file(file_id: str) -> FileRow | None:
        return services.database.find_file(app, file_id)

    behavior = services.behavior_of(app)
    files = take_files(payload.files, find_file)
    inputs = take_inputs(behavior.form, payload.inputs, find_file)
    execution = services.engine.start(
        app, end_user, behavior.workflow, inputs, files=files, streaming=payload.streaming
    )
    if payload.streaming:
        await services.hold_back(services.traps.first_byte_seconds)
        frames = stream_run(execution, services.engine, services.traps)
        return StreamingResponse(frames, media_type="text/event-stream")
    await execution.settled()
    if execution.refusal is not None:
        raise execution.refusal
    if execution.outcome is None:  # the sandbox stops
        raise unknown_error()
    answer = {"task_id": execution.task_id, "workflow_run_id": execution.id, "data": execution.outcome}
    # No newline here, and a charset: the server makes this answer by hand.
    return Response(json.dumps(answer), media_type="application/json; charset=utf-8")


def _require_workflow_app(app: AppRow) -> None:
    if app.mode != "workflow":
        raise _not_workflow_app()


def _not_workflow_app() -> ApiError:
    message = "Please check if your app mode matches the right API route."
    return ApiError.of(400, "not_workflow_app", message)


def _require_runnable(app: AppRow, workflow_id: str | None) -> None:
    if workflow_id is None:
        if not app.published:
            raise invalid_param("Workflow not published")
        return
    try:
        wanted = str(uuid.UUID(workflow_id))
    except ValueError:
        raise ApiError.of(400, "bad_request", f"Invalid workflow_id: {workflow_id} is not a UUID.") from None
    if wanted == app.draft_workflow_id:
        advice = "Please use a published workflow version or leave workflow_id empty."
        message = f"Cannot use draft workflow version. Workflow ID: {workflow_id}. {advice}"
        raise ApiError.of(400, "bad_request", message)
    if wanted != app.workflow_id or not app.published:
        raise ApiError.of(404, "not_found", f"Workflow not found with id: {workflow_id}")


# A run that is stored -------------------------------------------------------------------------------------------

_DETAIL: Final = (
    "id",
    "workflow_id",
    "status",
    "inputs",
    "outputs",
    "error",
    "total_steps",
    "total_tokens",
    "created_at",
    "finished_at",
    "elapsed_time",
)


def _detail(services: Services, app: AppRow, run: RunRow) -> dict[str, Any]:
    outputs: object = run.outputs
    if outputs is None and run.status != "failed":
        outputs = "{}"  # what the server notes when a run begins
    if services.version != "1.11.2":
        outputs = json.loads(run.outputs or "{}")
    values = {name: getattr(run, name) for name in _DETAIL}
    return {**values, "workflow_id": run.workflow_id or app.workflow_id, "outputs": outputs}


_POSTGRES_UUID: Final = re.compile(r"(\{)?(?:[0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}(?(1)\})")


def _database_uuid(text: str) -> str | None:
    """Read a UUID as the server's database does: in any case, with and without dashes and braces."""
    return str(uuid.UUID(text)) if _POSTGRES_UUID.fullmatch(text) else None


async def _last_frame(app: AppRow, run: RunRow, end_user_id: str, user: str) -> AsyncGenerator[bytes, None]:
    data: dict[str, Any] = {
        "id": run.id,
        "workflow_id": run.workflow_id or app.workflow_id,
        "status": run.status,
        "outputs": json.loads(run.outputs or "{}"),
        "error": run.error,
        "elapsed_time": run.elapsed_time,
        "total_tokens": run.total_tokens,
        "total_steps": run.total_steps,
        "created_by": {"id": end_user_id, "user": user},
        "created_at": run.created_at,
        "finished_at": run.finished_at,
        "exceptions_count": run.exceptions_count,
        "files": [],
    }
    yield RunIds(run.id, run.id).frame("workflow_finished", data)


async def _replay(frames: Iterable[bytes]) -> AsyncGenerator[bytes, None]:
    for frame in frames:
        yield frame


def _is_true(text: str | None) -> bool:
    return text is not None and text.lower() == "true"

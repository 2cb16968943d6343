"""The operations on runs: start one, look at it, follow it, stop it."""

import json
import re
import time
import uuid
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from .engine import Execution
from .errors import ApiError, invalid_param, nul_character, unknown_error
from .events import PING, RunIds, files_in, spaced_frame
from .faults import shown_time
from .input_form import take_files, take_inputs
from .json_responses import json_response
from .records import AppRow, EndUserRow, RunRow
from .request_bodies import check_trace_session, parse_run_payload, parse_user, read_json_object
from .state import SandboxState
from .streams import follow_run, idle_stream, refused_stream, stream_run

__all__ = [
    "get_workflow_run",
    "run_workflow",
    "run_workflow_version",
    "stop_workflow_run",
    "stream_workflow_run_events",
]


async def run_workflow(state: SandboxState, request: Request) -> Response:
    """`POST /workflows/run`."""
    return await _run(state, request, None)


async def run_workflow_version(state: SandboxState, request: Request) -> Response:
    """`POST /workflows/{workflow_id}/run`."""
    return await _run(state, request, request.path_params["workflow_id"])


async def get_workflow_run(state: SandboxState, request: Request) -> Response:
    """`GET /workflows/run/{workflow_run_id}`; a run that is not there is a 404 or a 200 with null in every field."""
    app = state.app_of(request)
    if app.mode not in {"workflow", "advanced-chat"}:
        raise _not_workflow_app()
    run = state.database.find_run(app, _run_id(request), lag=state.traps.replica_lag)
    if run is None and state.server.unknown_run_status == 404:  # noqa: PLR2004 - the status itself
        raise ApiError.of(404, "not_found", "Workflow run not found.")
    return json_response(200, dict.fromkeys(_DETAIL) if run is None else _detail(state, app, run))


async def stop_workflow_run(state: SandboxState, request: Request) -> Response:
    """`POST /workflows/tasks/{task_id}/stop`; a success for every user, also when there is no such task."""
    app = state.app_of(request)
    body = await read_json_object(request)
    state.end_user(app, parse_user(body.get("user")))
    _require_workflow_app(app)
    state.engine.stop(request.path_params["task_id"])
    return json_response(200, {"result": "success"})


async def stream_workflow_run_events(state: SandboxState, request: Request) -> Response:
    """`GET /workflow/{workflow_run_id}/events`.

    A run that has ended gives its last event. One that has not ended gives its events from now on; with
    `include_state_snapshot`, after what has happened so far. With `continue_on_pause` alone, the stream does not end
    with the run.
    """
    app = state.app_of(request)
    query = request.query_params
    user = parse_user(query.get("user"))
    _require_workflow_app(app)
    run = state.database.find_run(app, _run_id(request))
    owner = None if run is None else state.database.find_run_user(run.id)
    if run is None or owner is None or owner.session_id != user:
        raise ApiError.of(404, "not_found", "Workflow run not found")
    engine = state.engine
    execution = engine.find(app, run.id)
    if request.method == "HEAD":
        frames = _replay([])
    elif run.finished_at is not None:
        frames = _last_frame(state, app, run, owner)
    elif execution is None or execution.ended:
        frames = idle_stream(engine, state.traps)
    else:
        snapshot, beyond_pauses = (
            _is_true(query.get(name)) for name in ("include_state_snapshot", "continue_on_pause")
        )
        frames = _events(state, execution, snapshot=snapshot, beyond_pauses=beyond_pauses)
    return StreamingResponse(frames, headers={"Cache-Control": "no-cache"}, media_type="text/event-stream")


async def _events(
    state: SandboxState, execution: Execution, *, snapshot: bool, beyond_pauses: bool
) -> AsyncGenerator[bytes, None]:
    position, paused = len(execution.frames), execution.paused
    yield PING
    if snapshot:
        for frame in execution.snapshot():
            yield frame
        if paused and not beyond_pauses:
            return
    rest = follow_run(
        execution,
        state.engine,
        state.traps,
        position=position,
        beyond_pauses=beyond_pauses,
        beyond_end=beyond_pauses and not snapshot,
    )
    async for frame in rest:
        yield frame


# Starting a run -------------------------------------------------------------------------------------------------


async def _run(state: SandboxState, request: Request, workflow_id: str | None) -> Response:
    app = state.app_of(request)
    body = await read_json_object(request)
    end_user = state.end_user(app, parse_user(body.get("user")))
    _require_workflow_app(app)
    payload = parse_run_payload(body, state.server.pydantic)
    if state.server.trace_sessions:
        check_trace_session(request, body)
    state.engine.refuse_too_many(app, streaming=payload.streaming)
    _require_runnable(app, workflow_id)

    behavior, known_files = state.behavior_of(app), state.files_of(app, request)
    try:
        files = take_files(payload.files, known_files)
        inputs = take_inputs(behavior.form, payload.inputs, known_files)
    except ApiError as refusal:
        if not payload.streaming or not state.server.queues_streams:
            raise
        frames = refused_stream(_failure(state, app, payload.inputs, end_user, refusal), state.engine, state.traps)
        return StreamingResponse(frames, media_type="text/event-stream")
    execution = state.engine.start(app, end_user, behavior.workflow, inputs, files=files, streaming=payload.streaming)
    if payload.streaming:
        await state.hold_back(state.traps.first_byte_seconds)
        return StreamingResponse(stream_run(execution, state.engine, state.traps), media_type="text/event-stream")
    await execution.settled()
    if execution.refusal is not None:
        raise execution.refusal
    if execution.outcome is None:  # the sandbox stops
        raise unknown_error()
    response = {"task_id": execution.task_id, "workflow_run_id": execution.id, "data": execution.outcome}
    # No newline here, and a charset: the server makes this response by hand.
    return Response(json.dumps(response), media_type="application/json; charset=utf-8")


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
        raise ApiError.of(400, "bad_request", f"Invalid workflow_id format: '{workflow_id}'. ") from None
    if _database_uuid(workflow_id) is None:  # Python takes it, such as `urn:uuid:...`, and the database does not
        raise unknown_error()
    if wanted == app.draft_workflow_id:
        advice = "Please use a published workflow version or leave workflow_id empty."
        message = f"Cannot use draft workflow version. Workflow ID: {workflow_id}. {advice}"
        raise ApiError.of(400, "bad_request", message)
    if wanted != app.workflow_id or not app.published:
        raise ApiError.of(404, "not_found", f"Workflow not found with id: {workflow_id}")


def _failure(
    state: SandboxState, app: AppRow, inputs: Mapping[str, Any], end_user: EndUserRow, refusal: ApiError
) -> list[bytes]:
    """Give the frames that report a run that does not exist: a worker has refused its inputs."""
    if state.server.refused_stream == "silence":
        return []
    ids = RunIds(str(uuid.uuid4()), str(uuid.uuid4()))
    now = shown_time(state.traps, int(time.time()))
    started = {"id": ids.run_id, "workflow_id": app.workflow_id, "inputs": inputs, "created_at": now}
    finished: dict[str, Any] = {
        "id": ids.run_id,
        "workflow_id": app.workflow_id,
        "status": "failed",
        "outputs": {},
        "error": refusal.body["message"],
        "elapsed_time": 0.0,
        "total_tokens": 0,
        "total_steps": 0,
        "created_by": {},
        "created_at": now,
        "finished_at": now,
        "exceptions_count": 0,
        "files": [],
    }
    return [
        ids.frame("workflow_started", {**started, "reason": "initial"}),
        ids.frame("workflow_finished", finished),
    ]


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


def _detail(state: SandboxState, app: AppRow, run: RunRow) -> dict[str, Any]:
    outputs: object = run.outputs
    if outputs is None and run.status != "failed":
        outputs = "{}"  # what the server notes when a run begins
    if state.server.outputs_as_object:
        outputs = json.loads(run.outputs or "{}")
    values = {name: getattr(run, name) for name in _DETAIL}
    for name in ("created_at", "finished_at"):
        values[name] = None if values[name] is None else shown_time(state.traps, values[name])
    return {**values, "workflow_id": run.workflow_id or app.workflow_id, "outputs": outputs}


def _run_id(request: Request) -> str:
    """Give the run id of a request's path.

    Raises:
        ApiError: If the server's database refuses it: 500, or 400 for one with a NUL character.
    """
    text: str = request.path_params["workflow_run_id"]
    if "\0" in text:
        raise nul_character()
    run_id = _database_uuid(text)
    if run_id is None:
        raise unknown_error()
    return run_id


_POSTGRES_UUID: Final = re.compile(r"(\{)?(?:[0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}(?(1)\})")


def _database_uuid(text: str) -> str | None:
    """Read a UUID as the server's database does: in any case, with and without dashes and braces."""
    return str(uuid.UUID(text)) if _POSTGRES_UUID.fullmatch(text) else None


async def _last_frame(state: SandboxState, app: AppRow, run: RunRow, owner: EndUserRow) -> AsyncGenerator[bytes, None]:
    data: dict[str, Any] = {
        "id": run.id,
        "workflow_id": run.workflow_id or app.workflow_id,
        "status": run.status,
        "outputs": json.loads(run.outputs or "{}"),
        "error": run.error,
        "elapsed_time": run.elapsed_time,
        "total_tokens": run.total_tokens,
        "total_steps": run.total_steps,
        "created_by": {"id": owner.id, "user": owner.session_id},
        "created_at": shown_time(state.traps, run.created_at),
        "finished_at": None if run.finished_at is None else shown_time(state.traps, run.finished_at),
        "exceptions_count": run.exceptions_count,
        "files": files_in(json.loads(run.outputs or "{}")),
    }
    yield spaced_frame({"event": "workflow_finished", "task_id": run.id, "workflow_run_id": run.id, "data": data})


async def _replay(frames: Iterable[bytes]) -> AsyncGenerator[bytes, None]:
    for frame in frames:
        yield frame


def _is_true(text: str | None) -> bool:
    return text is not None and text.lower() == "true"

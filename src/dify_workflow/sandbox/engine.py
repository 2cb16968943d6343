"""What happens between the start of a run and its end.

A run is a task of its own in the sandbox's thread. It stores its events; the task that serves the request reads
them from there, so a client that disconnects does not stop it.
"""

import asyncio
import contextlib
import json
import logging
import re
import secrets
import string
import time
import uuid
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from .database import Database
from .errors import ApiError, invalid_param
from .events import Node, RunIds, as_text, error_frame, files_in, frame
from .faults import Traps, shown_time
from .records import PUBLISHED_AT, AppRow, EndUserRow, LogRow, RunRow, json_text
from .request_log import RequestLog, StartedRun
from .versions import ServerVersion
from .workflow_steps import Emit, FormSubmission, HumanForm, NextNode, Step, StreamError, Wait, Wire, Workflow

__all__ = ["Engine", "Execution", "PendingForm"]

_KEPT: Final = 100
"""Ended runs whose events, and answered forms whose state is kept."""

# Failures in here, which are not reported to the client.
_logger = logging.getLogger("dify_sandbox")


_TOKEN_CHARACTERS: Final = string.ascii_letters + string.digits


class PendingForm:
    """A form that a paused run shows to people.

    Attributes:
        state: `waiting`, `submitted` or `expired`.
        defaults: Values of the fields whose default is a variable.
    """

    def __init__(self, execution: "Execution", form: HumanForm, node: Node, server: ServerVersion) -> None:
        self.token = "".join(secrets.choice(_TOKEN_CHARACTERS) for _ in range(22))
        self.form_id = node.id if server.form_id_is_node_execution else str(uuid.uuid4())
        self.form = form
        self.node = node
        self.app = execution.app
        self.expires_at = int(time.time() + form.expires_in)
        self.state = "waiting"
        self.submission: FormSubmission | None = None
        self.defaults = execution.form_defaults(form)
        self._execution = execution
        self._server = server

    @property
    def actions(self) -> list[dict[str, str]]:
        """The form's buttons."""
        return [
            {"id": id_, "title": title, "button_style": "default" if number else "primary"}
            for number, (id_, title) in enumerate(self.form.actions.items())
        ]

    def shown(self) -> dict[str, Any]:
        """Give what events and responses show of the form."""
        return {
            "form_id": self.form_id,
            "form_content": self.form.content,
            "inputs": list(self.form.inputs),
            "actions": self.actions,
            "node_id": self.node.node_id,
            "node_title": self.node.title,
            "resolved_default_values": self.defaults,
            "form_token": self.token,
            **({"approval_channels": ["console"]} if self._server.approval_channels else {}),
            "expiration_time": self._execution.shown_time(self.expires_at),
        }

    def submit(self, submission: FormSubmission) -> None:
        """Let the run continue with what somebody has filled in."""
        self.state = "submitted"
        self.submission = submission
        self._execution.wake()


class Engine:
    """All runs of one sandbox. Everything is called in the sandbox's thread.

    Args:
        database: Where runs and logs are written.
        request_log: Where it is noted that a run was started.
        server: The server version whose behavior it shows.
        traps: Behavior that tests can switch.
    """

    def __init__(self, database: Database, request_log: RequestLog, server: ServerVersion, traps: Traps) -> None:
        self.server = server
        self.traps = traps
        self.closing = False
        self.forms: dict[str, PendingForm] = {}
        self._database = database
        self._request_log = request_log
        self._executions: dict[str, Execution] = {}

    def start(
        self,
        app: AppRow,
        end_user: EndUserRow,
        workflow: Workflow,
        inputs: Mapping[str, Any],
        *,
        files: Sequence[Mapping[str, Any]],
        streaming: bool,
    ) -> "Execution":
        """Start a run; a streaming one waits in the queue first, where the server has one."""
        execution = Execution(self, self._database, app, end_user, workflow, inputs, files)
        self._forget_old()
        self._executions[execution.id] = execution
        self._request_log.add_run(
            StartedRun(
                id=execution.id,
                task_id=execution.task_id,
                app=app.name,
                user=end_user.session_id,
                inputs=dict(inputs),
                streaming=streaming,
            )
        )
        execution.begin(self.traps.queue_delay if streaming and self.server.queues_streams else 0.0)
        return execution

    def refuse_too_many(self, app: AppRow, *, streaming: bool) -> None:
        """Refuse one run more than the app may have under way; a streaming run counts twice where it is queued.

        Raises:
            ApiError: 400: the server's own error for it is a ValueError, and taken for one.
        """
        limit = app.max_active_requests
        active = sum(
            other.app.name == app.name and not other.ended and not other.paused for other in self._executions.values()
        )
        if limit and active + (2 if streaming and self.server.queues_streams else 1) > limit:
            raise invalid_param(
                "Too many requests. Please try again later. "
                f"The current maximum concurrent requests allowed for {app.id} is {limit}."
            )

    def find(self, app: AppRow, run_id: str) -> "Execution | None":
        """Give a run of this app that has not ended or was kept."""
        execution = self._executions.get(run_id)
        return execution if execution is not None and execution.app.name == app.name else None

    def stop(self, task_id: str) -> None:
        """Stop the run of this task, if there is one and it has not paused."""
        for execution in self._executions.values():
            if execution.task_id == task_id and not execution.paused:
                execution.stop()

    async def close(self) -> None:
        """End all runs at once, as a server does that is switched off: nothing is written of them any more."""
        self.closing = True
        await asyncio.gather(*(execution.abandon() for execution in self._executions.values()))

    def _forget_old(self) -> None:
        ended = [id_ for id_, execution in self._executions.items() if execution.ended]
        for id_ in ended[: max(0, len(ended) - _KEPT)]:
            del self._executions[id_]
        for token in [token for token, form in self.forms.items() if form.state != "waiting"][:-_KEPT]:
            del self.forms[token]


@dataclass(frozen=True, slots=True)
class _End:
    """What a workflow leaves when it is over."""

    outputs: Mapping[str, Any] | None = None
    error: str | None = None


class Execution:
    """One run.

    Attributes:
        frames: What a stream sends, in order; it only grows.
        pauses: How many frames there were each time the run paused.
        paused: Whether it waits for somebody now.
        queued: Whether no worker has taken it yet.
        ended: Whether nothing more will come.
        outcome: The `data` of a blocking response, once there is one.
        refusal: The response instead, when the workflow broke down.
    """

    def __init__(
        self,
        engine: Engine,
        database: Database,
        app: AppRow,
        end_user: EndUserRow,
        workflow: Workflow,
        inputs: Mapping[str, Any],
        files: Sequence[Mapping[str, Any]],
    ) -> None:
        self.id = str(uuid.uuid4())
        self.task_id = str(uuid.uuid4())
        self.app = app
        self.end_user = end_user
        self.frames: list[bytes] = []
        self.pauses: list[int] = []
        self.paused = False
        self.queued = False
        self.ended = False
        self.outcome: dict[str, Any] | None = None
        self.refusal: ApiError | None = None
        self._engine = engine
        self._database = database
        self._workflow = workflow
        self._inputs = dict(inputs)
        self._ids = RunIds(self.id, self.task_id)
        self._shown_inputs = {
            **self._inputs,
            "sys.files": list(files),
            "sys.user_id": end_user.session_id,
            "sys.app_id": app.id,
            "sys.workflow_id": app.workflow_id,
            "sys.workflow_run_id": self.id,
        }
        self._server = engine.server
        self._traps = engine.traps
        self._created_at = time.time()
        self._shown_start = self._created_at
        self._clock = time.perf_counter()
        self._nodes: list[Node] = []
        self._pending: PendingForm | None = None
        self._steps_done = 0
        self._has_streamed_text = False
        self._stopped = False
        self._woken = asyncio.Event()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._work: Node | None = None

    # From outside -----------------------------------------------------------------------------------------------

    def begin(self, queue_delay: float) -> None:
        """Let it run, once a worker has taken it after so many seconds."""
        self.queued = queue_delay > 0
        self._task = asyncio.get_running_loop().create_task(self._run(queue_delay), name=f"run {self.id}")

    def stop(self) -> None:
        """Make it end at its next step."""
        self._stopped = True
        self.wake()

    def wake(self) -> None:
        """Make it look around: it was stopped, or its form is filled in."""
        self._woken.set()

    async def abandon(self) -> None:
        """End it without a trace."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._finish()

    async def news(self, position: int, timeout: float | None = None) -> None:
        """Wait until there are more frames than `position`, or no more will come, or so many seconds have passed."""
        changed = self._changed
        if len(self.frames) <= position and not self.ended:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), timeout)

    async def settled(self) -> None:
        """Wait until it has ended or paused."""
        while not self.ended and not self.paused:
            await self._changed.wait()

    def shown_time(self, second: float) -> int:
        """Return a time as it is displayed."""
        return shown_time(self._traps, int(second))

    def form_defaults(self, form: HumanForm) -> dict[str, str]:
        """Return the values of the fields of a form whose default is a variable of the run."""
        defaults: dict[str, str] = {}
        for field in form.inputs:
            given: object = field.get("default")
            default: Mapping[str, Any] = cast("Mapping[str, Any]", given) if isinstance(given, Mapping) else {}
            if default.get("type") == "variable" and default.get("selector"):
                value = self._inputs.get(str(default["selector"][-1]))
                defaults[str(field.get("output_variable_name"))] = "" if value is None else str(value)
        return defaults

    def snapshot(self) -> list[bytes]:
        """Return the frames that show what has happened so far, as `include_state_snapshot` asks for them."""
        frames = [self._ids.frame("workflow_started", self._started_data("initial", self._created_at))]
        for node in self._nodes:
            frames.append(self._ids.frame("node_started", node.started_data(self.shown_time)))
            if node.status != "running":
                data = node.finished_data(self.shown_time, inputs=None, process_data=None, outputs=None)
                frames.append(self._ids.frame("node_finished", data))
        if self.paused and self._pending is not None:
            frames += self._pause_frames(self._pending)
        return frames

    # The run ----------------------------------------------------------------------------------------------------

    async def _run(self, queue_delay: float) -> None:
        try:
            if queue_delay > 0:
                await asyncio.sleep(queue_delay)
                self.queued = False
                self._created_at = self._shown_start = time.time()
                self._clock = time.perf_counter()
            with contextlib.closing(self._script()) as steps:
                await self._follow(steps)
        except Exception:  # a defect of the sandbox, for which nobody must wait
            _logger.exception("a run failed in the sandbox itself")
            self._break_down(self.id, StreamError("The sandbox failed.", "internal_server_error", 500))
        finally:
            self._finish()

    def _script(self) -> "Generator[Step, FormSubmission | None, Mapping[str, Any] | None]":
        result = self._workflow(dict(self._inputs))  # its own, to change as it likes
        if isinstance(result, Generator):
            return (yield from result)
        return result

    async def _follow(self, steps: "Generator[Step, FormSubmission | None, Mapping[str, Any] | None]") -> None:
        move = _advance(steps, None)
        if isinstance(move, StreamError):
            self._break_down(None, move)
            return
        self._write_start()
        self._publish_start("initial")
        start = self._start_node("start", "start", "Start")
        start_inputs = self._stamped_inputs() if self._server.start_node_has_system_inputs else self._inputs
        self._finish_node(start, inputs=start_inputs, outputs=start_inputs)
        if not isinstance(move, HumanForm):
            self._start_work()
        while not self._stopped:
            match move:
                case _End():
                    self._end(move)
                    return
                case StreamError():
                    self._break_down(self.id, move)
                    return
                case HumanForm():
                    if not self._server.has_forms:
                        self._end(_End(error="This server cannot pause a run for a form."))
                        return
                    submission = await self._request_form(move)
                    move = _advance(steps, submission)
                case _:
                    await self._take(move)
                    if not self._stopped:
                        move = _advance(steps, None)
        self._end_stopped()

    async def _take(self, step: "str | Wait | NextNode | Emit | Wire") -> None:
        match step:
            case NextNode():
                self._finish_node(self._start_work(), inputs=self._inputs, outputs={})
                self._work = self._start_node(step.title.lower().replace(" ", "_"), step.node_type, step.title)
            case str():
                self._has_streamed_text = True
                self._publish_text(step, [self._start_work().node_id, "text"])
            case Emit():
                self._publish(frame({"workflow_run_id": self.id, "task_id": self.task_id, **step.event}))
            case Wire():
                self._publish(step.data)
            case Wait():
                await self._sleep(step.seconds)
        await asyncio.sleep(0)  # a workflow that yields without end still leaves time for other tasks

    def _start_work(self) -> Node:
        """Give the node that works, and start one if none does."""
        if self._work is None:
            self._work = self._start_node("work", "code", "Work")
        return self._work

    async def _sleep(self, seconds: float) -> None:
        """Let time pass until the run is woken."""
        self._woken.clear()
        if self._stopped:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds)

    # Pauses -----------------------------------------------------------------------------------------------------

    async def _request_form(self, form: HumanForm) -> FormSubmission | None:
        if self._work is not None:
            self._finish_node(self._work, inputs=self._inputs, outputs={})
            self._work = None
        node = self._start_node("ask", "human-input", "Ask")
        pending = PendingForm(self, form, node, self._server)
        self._engine.forms[pending.token] = pending
        started_waiting = time.perf_counter()
        self._pause(pending)
        left = form.expires_in
        while pending.state == "waiting" and left > 0:
            before = time.monotonic()
            await self._sleep(left)
            left -= time.monotonic() - before
        if pending.submission is not None and self._server.queues_streams:
            await asyncio.sleep(self._traps.queue_delay)  # it stays paused until a worker takes it
        self._resume(node, started_waiting)
        names = {"node_id": node.node_id, "node_title": node.title}
        submission = pending.submission
        if submission is None:
            pending.state = "expired"
            if self._server.form_events:
                expiration_time = self.shown_time(pending.expires_at)
                self._publish(
                    self._ids.frame("human_input_form_timeout", {**names, "expiration_time": expiration_time})
                )
            self._finish_node(node, inputs={}, outputs={})
            return None
        content = _rendered(form.content, submission.inputs)
        title = form.actions[submission.action]
        if self._server.form_events:
            filled = {"rendered_content": content, "action_id": submission.action, "action_text": title}
            self._publish(self._ids.frame("human_input_form_filled", {**names, **filled}))
        values = {"__action_id": submission.action, "__action_value": title, "__rendered_content": content}
        self._finish_node(node, inputs={}, outputs={**submission.inputs, **values})
        return submission

    def _pause(self, pending: PendingForm) -> None:
        node = pending.node
        self._steps_done += 1
        node.end("paused", None, time.time())
        self._pending = pending
        self._database.update_run(self.id, {"status": "paused", "total_steps": self._steps_done})
        for data in self._pause_frames(pending):
            self._publish(data)
        self.outcome = {
            **self._outcome("paused", {}, None, finished_at=None),
            "paused_nodes": [node.node_id],
            "reasons": [_reason(pending)],
        }
        self.pauses.append(len(self.frames))
        self.paused = True
        self._announce()

    def _pause_frames(self, pending: PendingForm) -> list[bytes]:
        form = pending.shown()
        names = ("form_id", "node_id", "node_title", "form_content", "inputs", "actions")
        required = {name: form.pop(name) for name in names}
        required |= {"display_in_ui": True, "form_token": form.pop("form_token")}
        if "approval_channels" in form:
            required["approval_channels"] = form.pop("approval_channels")
        required |= form
        paused: dict[str, Any] = {
            "workflow_run_id": self.id,
            "paused_nodes": [pending.node.node_id],
            "outputs": {},
            "reasons": [_reason(pending)],
            "status": "paused",
            "created_at": self.shown_time(self._created_at),
            "elapsed_time": self._elapsed(),
            "total_tokens": 0,
            "total_steps": self._steps_done,
        }
        return [self._ids.frame("human_input_required", required), self._ids.frame("workflow_paused", paused)]

    def _resume(self, node: Node, started_waiting: float) -> None:
        self.paused = False
        self._pending = None
        self.outcome = None
        self._clock += time.perf_counter() - started_waiting  # the wait does not count
        self._shown_start = time.time()
        self._database.update_run(self.id, {"status": "running"})
        self._publish_start("resumption")
        node.begin()
        self._publish(self._ids.frame("node_started", node.started_data(self.shown_time)))

    # Starts and ends --------------------------------------------------------------------------------------------

    def _write_start(self) -> None:
        run = RunRow(
            id=self.id,
            version=PUBLISHED_AT,
            status="running",
            created_at=int(self._created_at),
            finished_at=None,
            inputs=json_text(self._stamped_inputs()),
            outputs="{}",
        )
        log = LogRow(
            id=str(uuid.uuid4()),
            created_at=round(self._created_at),  # the server's database rounds, and is up to a second ahead of the run
            run=run,
            created_from="service-api",
            created_by_role="end_user",
            creator=self.end_user,
        )
        self._database.add_logs(self.app.name, [log])

    def _publish_start(self, reason: str) -> None:
        self._publish(self._ids.frame("workflow_started", self._started_data(reason, self._shown_start)))

    def _started_data(self, reason: str, created_at: float) -> dict[str, Any]:
        data = {
            "id": self.id,
            "workflow_id": self.app.workflow_id,
            "inputs": self._shown_inputs,
            "created_at": self.shown_time(created_at),
        }
        return {**data, "reason": reason} if self._server.has_forms else data

    def _publish_text(self, text: str, selector: list[str]) -> None:
        self._publish(self._ids.frame("text_chunk", {"text": text, "from_variable_selector": selector}))

    def _publish_outputs(self, outputs: Mapping[str, Any], node_id: str) -> None:
        for number, (name, value) in enumerate(outputs.items()):
            if number:
                self._publish_text("\n", ["end", "answer"])
            self._publish_text(as_text(value), [node_id, name])

    def _end(self, end: _End) -> None:
        outputs, error = end.outputs or {}, end.error
        status = "succeeded" if error is None else "failed"
        if error is None and not self._has_streamed_text:
            self._publish_outputs(outputs, "work" if self._work is None else self._work.node_id)
        if error is not None or self._work is not None:
            empty: dict[str, Any] | None = {} if error is None or self._server.failed_node_outputs else None
            node_outputs = outputs or empty
            self._finish_node(self._start_work(), inputs=self._inputs, outputs=node_outputs, status=status, error=error)
        if error is None:
            last = self._start_node("end", "end", "End")
            self._finish_node(last, inputs=outputs, outputs=outputs)
        now = int(time.time())
        outcome = self._outcome(status, outputs, error, finished_at=now)
        self._database.update_run(
            self.id,
            {
                "status": status,
                "outputs": json_text(outputs) if error is None else None,
                "error": error,
                "elapsed_time": outcome["elapsed_time"],
                "total_steps": self._steps_done,
                "finished_at": now,
                "exceptions_count": 0 if error is None else 1,
            },
        )
        self._publish_end(outcome)

    def _end_stopped(self) -> None:
        stored, now = self._server.stored_stop, int(time.time())
        outcome = self._outcome("stopped", {}, stored or "Stopped by user.", finished_at=now)
        if stored is not None:  # elsewhere nothing updates the stored run, which stays `running` for good
            self._database.update_run(
                self.id,
                {
                    "status": "stopped",
                    "error": stored,
                    "elapsed_time": outcome["elapsed_time"],
                    "total_steps": self._steps_done,
                    "finished_at": now,
                },
            )
        self._publish_end(outcome)

    def _publish_end(self, outcome: dict[str, Any]) -> None:
        self.outcome = outcome
        creator = {"id": self.end_user.id, "user": self.end_user.session_id}
        names = list(outcome)
        place = names.index("created_at")
        data: dict[str, Any] = {
            **{name: outcome[name] for name in names[:place]},
            "created_by": creator,
            **{name: outcome[name] for name in names[place:]},
            "exceptions_count": 1 if outcome["status"] == "failed" else 0,
            "files": files_in(outcome["outputs"]),
        }
        self._publish(self._ids.frame("workflow_finished", data))

    def _break_down(self, run_id: str | None, step: StreamError) -> None:
        self.refusal = ApiError.of(step.status, step.code, step.message)
        self._publish(error_frame(run_id, code=step.code, status=step.status, message=step.message))

    def _outcome(
        self, status: str, outputs: Mapping[str, Any], error: str | None, *, finished_at: int | None
    ) -> dict[str, Any]:
        return {
            "id": self.id,
            "workflow_id": self.app.workflow_id,
            "status": status,
            "outputs": outputs,
            "error": error,
            "elapsed_time": self._elapsed(),
            "total_tokens": 0,
            "total_steps": self._steps_done,
            "created_at": self.shown_time(self._shown_start),
            "finished_at": None if finished_at is None else self.shown_time(finished_at),
        }

    # Helpers ----------------------------------------------------------------------------------------------------

    def _start_node(self, node_id: str, node_type: str, title: str) -> Node:
        node = Node(node_id, node_type, title)
        self._nodes.append(node)
        self._publish(self._ids.frame("node_started", node.started_data(self.shown_time)))
        return node

    def _finish_node(
        self,
        node: Node,
        *,
        inputs: Mapping[str, Any],
        outputs: Mapping[str, Any] | None,
        status: str = "succeeded",
        error: str | None = None,
    ) -> None:
        self._steps_done += 1
        node.end(status, error, time.time())
        data = node.finished_data(self.shown_time, inputs=inputs, process_data={}, outputs=outputs)
        self._publish(self._ids.frame("node_finished", data))

    def _stamped_inputs(self) -> dict[str, Any]:
        inputs = {**self._shown_inputs, "sys.timestamp": self.shown_time(self._created_at)}
        if not self._server.start_node_has_system_inputs:  # newer servers also have it in another place
            for name in ("sys.workflow_id", "sys.workflow_run_id"):
                inputs[name] = inputs.pop(name)
        return inputs

    def _elapsed(self) -> float:
        return round(time.perf_counter() - self._clock, 6)

    def _publish(self, data: bytes) -> None:
        self.frames.append(data)
        self._announce()

    def _finish(self) -> None:
        self.ended = True
        self._announce()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _reason(pending: PendingForm) -> dict[str, Any]:
    return {"TYPE": "human_input_required", **pending.shown()}


def _rendered(content: str, values: Mapping[str, Any]) -> str:
    """Give the content of a form with its fields filled in, which stand there as `{{#$output.name#}}`."""
    return re.sub(
        r"\{\{#\$output\.(\w+)#\}\}", lambda match: str(values[match[1]]) if match[1] in values else match[0], content
    )


def _advance(
    steps: "Generator[Step, FormSubmission | None, Mapping[str, Any] | None]", submission: FormSubmission | None
) -> "Step | _End":
    """Take a workflow's next step; whatever goes wrong in it is the run's error."""
    try:
        step = steps.send(submission)
    except StopIteration as end:
        return _ended(end.value)
    except Exception as error:  # noqa: BLE001 - the workflow is the user's: its failure is the run's
        return _End(error=str(error) or type(error).__name__)
    if not isinstance(step, str | Wait | NextNode | Emit | Wire | StreamError | HumanForm):
        return _End(error=f"a workflow cannot yield {type(step).__name__}")
    if isinstance(step, Emit):
        try:
            frame(step.event)
        except (TypeError, ValueError, RecursionError) as error:
            return _End(error=f"the event is not JSON: {error}")
    return step


def _ended(outputs: object) -> _End:
    if outputs is None:
        return _End({})
    if not isinstance(outputs, Mapping):
        return _End(error=f"the outputs of a workflow are a mapping, not {type(outputs).__name__}")
    try:
        # As JSON has it: text for keys, and nothing that a client could not read.
        return _End(json.loads(json.dumps(outputs, allow_nan=False)))
    except (TypeError, ValueError, RecursionError) as error:
        return _End(error=f"the outputs are not JSON: {error}")

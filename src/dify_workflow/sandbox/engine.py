"""What happens between the start of a run and its end.

A run is a task of its own in the sandbox's thread. It writes its events down as it goes; whoever answers the request
reads them from there, so a client that goes away does not stop it.
"""

import asyncio
import contextlib
import json
import logging
import time
import uuid
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .database import Database
from .errors import ApiError, invalid_param
from .events import Node, RunIds, error_frame, frame
from .journal import Journal, StartedRun
from .rows import PUBLISHED_AT, AppRow, EndUserRow, LogRow, RunRow, json_text
from .steps import Emit, FormSubmission, HumanForm, NextNode, Step, StreamError, Wait, Wire, Workflow

__all__ = ["Engine", "Execution", "PendingForm"]

_KEPT: Final = 100
"""Ended runs whose events, and answered forms whose state is kept."""

# What goes wrong in here, of which a client is told nothing.
_logger = logging.getLogger("dify_sandbox")


class PendingForm:
    """A form that a paused run shows to people.

    Attributes:
        state: `waiting`, `submitted` or `expired`.
    """

    def __init__(self, execution: "Execution", form: HumanForm, node: Node) -> None:
        self.token = uuid.uuid4().hex
        self.form_id = str(uuid.uuid4())
        self.form = form
        self.node = node
        self.app = execution.app
        self.expires_at = int(time.time() + form.expires_in)
        self.state = "waiting"
        self.submission: FormSubmission | None = None
        self._execution = execution

    @property
    def actions(self) -> list[dict[str, str]]:
        """The form's buttons."""
        return [
            {"id": id_, "title": title, "button_style": "default" if number else "primary"}
            for number, (id_, title) in enumerate(self.form.actions.items())
        ]

    def submit(self, submission: FormSubmission) -> None:
        """Let the run go on with what somebody has filled in."""
        self.state = "submitted"
        self.submission = submission
        self._execution.paused = False
        self._execution.wake()


class Engine:
    """All runs of one sandbox. Everything is called in the sandbox's thread.

    Args:
        database: Where runs and logs are written.
        journal: Where it is noted that a run was started.
        pauses: Whether runs can pause for people.
    """

    def __init__(self, database: Database, journal: Journal, *, pauses: bool) -> None:
        self.pauses = pauses
        self.closing = False
        self.forms: dict[str, PendingForm] = {}
        self._database = database
        self._journal = journal
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
        """Start a run."""
        execution = Execution(self, self._database, app, end_user, workflow, inputs, files)
        self._forget_old()
        self._executions[execution.id] = execution
        self._journal.add_run(
            StartedRun(
                id=execution.id,
                task_id=execution.task_id,
                app=app.name,
                user=end_user.session_id,
                inputs=dict(inputs),
                streaming=streaming,
            )
        )
        execution.begin()
        return execution

    def refuse_too_many(self, app: AppRow) -> None:
        """Refuse one run more than the app may have under way.

        Raises:
            ApiError: 400: the server's own error for it is a ValueError, and taken for one.
        """
        limit = app.max_active_requests
        active = sum(
            other.app.name == app.name and not other.ended and not other.paused for other in self._executions.values()
        )
        if limit and active >= limit:
            raise invalid_param(
                "Too many requests. Please try again later. "
                f"The current maximum concurrent requests allowed for {app.id} is {limit}."
            )

    def find(self, app: AppRow, run_id: str) -> "Execution | None":
        """Give a run of this app that goes on or was kept."""
        execution = self._executions.get(run_id)
        return execution if execution is not None and execution.app.name == app.name else None

    def stop(self, task_id: str) -> None:
        """Stop the run of this task, if there is one."""
        for execution in self._executions.values():
            if execution.task_id == task_id:
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
        ended: Whether nothing more will come.
        outcome: The `data` of a blocking answer, once there is one.
        refusal: The answer instead, when the workflow broke down.
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
        self._created_at = time.time()
        self._clock = time.perf_counter()
        self._steps_done = 0
        self._stopped = False
        self._woken = asyncio.Event()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._work: Node

    # From outside -----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Let it run."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"run {self.id}")

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

    # The run ----------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            with contextlib.closing(self._script()) as steps:
                await self._follow(steps)
        except Exception:  # a defect of the sandbox, which nobody must wait for in vain
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
        self._finish_node(start, inputs=self._stamped_inputs(), outputs=self._stamped_inputs())
        self._work = self._start_node("work", "code", "Work")
        while not self._stopped:
            match move:
                case _End():
                    self._end(move)
                    return
                case StreamError():
                    self._break_down(self.id, move)
                    return
                case HumanForm():
                    if not self._engine.pauses:
                        self._end(_End(error="This server cannot pause a run for a form."))
                        return
                    submission = await self._ask(move)
                    if not self._stopped:
                        move = _advance(steps, submission)
                case _:
                    await self._take(move)
                    if not self._stopped:
                        move = _advance(steps, None)
        self._end_stopped()

    async def _take(self, step: "str | Wait | NextNode | Emit | Wire") -> None:
        match step:
            case NextNode():
                self._finish_node(self._work, inputs=self._inputs, outputs={})
                self._work = self._start_node(step.title.lower().replace(" ", "_"), step.node_type, step.title)
            case str():
                self._publish(
                    self._ids.frame(
                        "text_chunk", {"text": step, "from_variable_selector": [self._work.node_id, "text"]}
                    )
                )
            case Emit():
                self._publish(frame({"workflow_run_id": self.id, "task_id": self.task_id, **step.event}))
            case Wire():
                self._publish(step.data)
            case Wait():
                await self._sleep(step.seconds)
        await asyncio.sleep(0)  # a workflow that yields without end still leaves time for everybody else

    async def _sleep(self, seconds: float) -> None:
        """Let time pass until the run is woken."""
        self._woken.clear()
        if self._stopped:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds)

    # Pauses -----------------------------------------------------------------------------------------------------

    async def _ask(self, form: HumanForm) -> FormSubmission | None:
        node = self._start_node("ask", "human-input", "Ask")
        pending = PendingForm(self, form, node)
        self._engine.forms[pending.token] = pending
        self._pause(pending)
        left = form.expires_in
        while pending.state == "waiting" and not self._stopped and left > 0:
            before = time.monotonic()
            await self._sleep(left)
            left -= time.monotonic() - before
        self.paused = False
        if self._stopped:
            return None
        self._database.update_run(self.id, {"status": "running"})
        self._publish_start("resumption")
        names = {"node_id": node.node_id, "node_title": node.title}
        submission = pending.submission
        if submission is None:
            pending.state = "expired"
            self._publish(self._ids.frame("human_input_form_timeout", {**names, "expiration_time": pending.expires_at}))
            self._finish_node(node, inputs={}, outputs={})
            return None
        self._publish(
            self._ids.frame(
                "human_input_form_filled",
                {
                    **names,
                    "rendered_content": form.content,
                    "action_id": submission.action,
                    "action_text": form.actions[submission.action],
                    "submitted_data": submission.inputs,
                },
            )
        )
        self._finish_node(node, inputs={}, outputs={**submission.inputs, "__action_id": submission.action})
        return submission

    def _pause(self, pending: PendingForm) -> None:
        form, node = pending.form, pending.node
        shown: dict[str, Any] = {
            "form_id": pending.form_id,
            "node_id": node.node_id,
            "node_title": node.title,
            "form_content": form.content,
            "inputs": list(form.inputs),
            "actions": pending.actions,
            "display_in_ui": True,
            "form_token": pending.token,
            "resolved_default_values": {},
            "expiration_time": pending.expires_at,
        }
        self._publish(self._ids.frame("human_input_required", shown))
        self._database.update_run(self.id, {"status": "paused"})
        self._publish(
            self._ids.frame(
                "workflow_paused",
                {
                    "workflow_run_id": self.id,
                    "paused_nodes": [node.node_id],
                    "outputs": {},
                    "reasons": [{"type": "human_input_required", **shown}],
                    "status": "paused",
                    "created_at": int(self._created_at),
                    "elapsed_time": self._elapsed(),
                    "total_tokens": 0,
                    "total_steps": self._steps_done,
                },
            )
        )
        self.outcome = self._outcome("paused", {}, None, finished_at=None)
        self.pauses.append(len(self.frames))
        self.paused = True
        self._announce()

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
        data = {
            "id": self.id,
            "workflow_id": self.app.workflow_id,
            "inputs": self._shown_inputs,
            "created_at": int(self._created_at),
        }
        if self._engine.pauses:
            data["reason"] = reason
        self._publish(self._ids.frame("workflow_started", data))

    def _end(self, end: _End) -> None:
        outputs, error = end.outputs or {}, end.error
        status = "succeeded" if error is None else "failed"
        self._finish_node(self._work, inputs=self._inputs, outputs=outputs or None, status=status, error=error)
        if error is None:
            last = self._start_node("end", "end", "End")
            self._finish_node(last, inputs=outputs, outputs=outputs)
        outcome = self._outcome(status, outputs, error, finished_at=int(time.time()))
        self._database.update_run(
            self.id,
            {
                "status": status,
                "outputs": json_text(outputs) if error is None else None,
                "error": error,
                "elapsed_time": outcome["elapsed_time"],
                "total_steps": self._steps_done,
                "finished_at": outcome["finished_at"],
                "exceptions_count": 0 if error is None else 1,
            },
        )
        self._publish_end(outcome)

    def _end_stopped(self) -> None:
        # The stream says that it was stopped; nobody tells the stored run, which stays `running` for good.
        self._publish_end(self._outcome("stopped", {}, "Stopped by user.", finished_at=int(time.time())))

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
            "files": [],
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
            "created_at": int(self._created_at),
            "finished_at": finished_at,
        }

    # Helpers ----------------------------------------------------------------------------------------------------

    def _start_node(self, node_id: str, node_type: str, title: str) -> Node:
        node = Node(str(uuid.uuid4()), node_id, node_type, title, int(time.time()), time.perf_counter())
        self._publish(self._ids.frame("node_started", node.started_data()))
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
        data = node.finished_data(
            inputs=inputs,
            outputs=outputs,
            status=status,
            error=error,
            elapsed_time=round(time.perf_counter() - node.started, 6),
            finished_at=int(time.time()),
        )
        self._publish(self._ids.frame("node_finished", data))

    def _stamped_inputs(self) -> dict[str, Any]:
        return {**self._shown_inputs, "sys.timestamp": int(self._created_at)}

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

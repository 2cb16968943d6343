"""The app's runs."""

from __future__ import annotations

from collections.abc import Sized
from functools import partial
from typing import TYPE_CHECKING, Any

from dify_workflow_api.api.runs import (
    get_workflow_run,
    run_workflow,
    run_workflow_version,
    stop_workflow_run,
    stream_workflow_run_events,
)

from ..._http import decode
from ..._http.advice import after_run
from ..._runs.arguments import checked_id, checked_user, detail_or_missing, run_body, user_body
from ..._tracing.spans import run_span
from ...results import WorkflowRunResult
from ..run_stream import RunStream, begun_span, stream_over
from . import Resource
from .app import App

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from dify_workflow_api.types import Request

    from ..._http.config import TimeoutOption
    from ...models import StopResponse, WorkflowRunResponse
    from ...results import WorkflowRunDetail
    from ..batch import Batch
    from ..started_run import Run
    from .raw_resources import RawRuns


class Runs(Resource):
    """The app's runs: start, stream, read and stop them."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    @property
    def with_raw_response(self) -> RawRuns:
        """The same methods, which return the response: its status, its headers, and `.parse()` for the result."""
        from .raw_resources import RawRuns  # noqa: PLC0415 - loaded when needed

        return RawRuns(self._base_client)

    def run(
        self,
        inputs: Mapping[str, Any],
        *,
        user: str,
        files: Iterable[Any] | None = None,
        workflow_id: str | None = None,
        trace_session_id: str | None = None,
        check_inputs: bool = False,
        timeout: TimeoutOption = None,
    ) -> WorkflowRunResult:
        """Run the workflow and wait for its end: `POST /workflows/run`, or `POST /workflows/{workflow_id}/run`.

        It is sent again only when the server cannot have begun the run. After a timeout the run may continue: give a
        `timeout` that fits the workflow, or use `stream`, which waits as long as the run takes. A run that fails is a
        result, whose `status` and `error` say so; `raise_for_status()` makes an error of it.

        Args:
            inputs: the workflow's inputs by name, JSON values; a result of `files.upload` stands for a file.
            user: id of the end user for whom it runs, 1 to 255 characters of your choice; the logs' `session_id`.
            files: files for the whole run: uploads, or results of `as_input()` and `remote_file()`.
            workflow_id: the id of a published version of the workflow; the newest one unless given.
            trace_session_id: session under which the server's own tracing files the run, 1 to 200 characters. Versions
                before Dify 1.16 ignore it.
            check_inputs: whether the inputs are checked against the app's form before (`app.check_inputs`). Without a
                `workflow_id` only: the form is that of the newest version.
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: an invalid argument, raised before any request is sent; or inputs that do not fit the app's
                form.
            BadRequestError: the server refuses an input, or the app is not a workflow app, or is not published.
            NotFoundError: there is no such version of the workflow.
            RateLimitError: the app's limit of runs at once, or the plan's.
            APITimeoutError: no response in time. The run may still be running, and is not started again: look for it
                with `logs.list(created_by_end_user_session_id=user)`. The message of this error, of a connection that
                was cut and of a gateway's status (502, 503, 504, 52x) says so.
            DifyError: no usable response came, or one with an error status.
        """
        body = run_body(inputs, user=user, files=files, trace_session_id=trace_session_id, mode="blocking")
        read = decode.reader_as(WorkflowRunResult)
        span = run_span(self._base_client.configuration, body, workflow_id)
        with span.whole():
            if check_inputs and workflow_id is None:
                App(self._base_client).check_inputs(inputs, timeout=timeout)
            return self._base_client.send(_start(body, workflow_id), span.reader(read), timeout, after_run(body))

    def start(
        self,
        inputs: Mapping[str, Any],
        *,
        user: str,
        files: Iterable[Any] | None = None,
        workflow_id: str | None = None,
        trace_session_id: str | None = None,
        check_inputs: bool = True,
        timeout: TimeoutOption = None,
    ) -> Run:
        """Start a run and return when its id is known: `POST /workflows/run`, or `POST /workflows/{workflow_id}/run`.

        >>> run = client.runs.start({"query": "hi"}, user="u-1")
        >>> result = run.wait()

        A run may take as long as it likes: a worker keeps its stream open until it ends, and where the stream breaks,
        the run is read from the server. The run is never started twice. Closing the client ends the workers; the runs
        continue, and `attach` finds them by their ids.

        Before anything is started, the inputs are checked against the app's form, which is read once for each client:
        `app.check_inputs`.

        Args:
            inputs: the workflow's inputs by name, JSON values; for a file, a `pathlib.Path`, which is uploaded first,
                or a result of `files.upload`.
            user: id of the end user for whom it runs, 1 to 255 characters of your choice; the logs' `session_id`.
            files: files for the whole run: uploads, or what `as_input()` and `remote_file()` give.
            workflow_id: the id of a published version of the workflow; the newest one unless given. Inputs are not
                checked then: the form is that of the newest version.
            trace_session_id: session under which the server's own tracing files the run, 1 to 200 characters. Versions
                before Dify 1.16 ignore it.
            check_inputs: whether the inputs are checked before.
            timeout: seconds to connect and for each wait for more data, or an `httpx.Timeout`; the client's own unless
                given.

        Raises:
            ValueError: an argument that cannot be sent, or inputs that do not fit the app's form; nothing was started.
            OSError: a file among the inputs cannot be read; nothing was started.
            APITimeoutError: no event came in time. The run may be executed later: the message says how to look for it.
            DifyError: no usable response came, or one with an error status.
        """
        from ..._runs.file_inputs import paths_in, to_check  # noqa: PLC0415 - loaded when needed
        from ..started_run import Run  # noqa: PLC0415 - as above

        checked = not check_inputs or workflow_id is not None
        if paths_in(inputs):
            from .files import Files  # noqa: PLC0415 - as above

            checked_user(user)
            if not checked:
                App(self._base_client).check_inputs(to_check(inputs), timeout=timeout)
            inputs, checked = Files(self._base_client).upload_all(inputs, user=user), True
        stream = self.stream(
            inputs, user=user, files=files, workflow_id=workflow_id, trace_session_id=trace_session_id, timeout=timeout
        )
        with begun_span(stream).active():
            if not checked:
                App(self._base_client).check_inputs(inputs, timeout=timeout)
            stream.__enter__()
        try:
            while (run_id := stream.workflow_run_id) is None:
                next(stream)
        except BaseException:
            stream.close()
            raise
        return Run(self, workflow_run_id=run_id, user=user, stream=stream)

    def attach(self, workflow_run_id: str, *, user: str) -> Run:
        """A run that was started before or elsewhere, by its id, to wait for it. Nothing is sent.

        Args:
            workflow_run_id: the run's id, a UUID.
            user: the `user` of the run.

        Raises:
            ValueError: the id is not a UUID, or the user is not a string of 1 to 255 characters.
        """
        from ..started_run import Run  # noqa: PLC0415 - loaded when needed

        return Run(self, workflow_run_id=checked_id("workflow_run_id", workflow_run_id), user=checked_user(user))

    def batch(
        self,
        rows: Iterable[Mapping[str, Any]],
        *,
        user: str,
        journal: str | os.PathLike[str],
        workflow_id: str | None = None,
        trace_session_id: str | None = None,
        at_once: int = 8,
        one_user: bool = False,
        retry_failed: bool = False,
        in_order: bool = False,
        check_inputs: bool = True,
        settle: float = 30.0,
        lost_after: float = 3600.0,
        timeout: TimeoutOption = None,
    ) -> Batch:
        """Run many rows of inputs: `POST /workflows/run`, or `POST /workflows/{workflow_id}/run`, once for each.

        >>> for item in client.runs.batch(rows, user="batch", journal="in.journal"):
        ...     print(item.index, item.status, item.outputs)

        The journal, a file, has what is known of each row. A batch that was interrupted, at whatever moment, is
        continued by the same call with the same rows; one that has finished gives its items again, and starts nothing.
        Each row is started at most once, and exactly once where each has a user of its own, which is the default:
        `{user}/{batch}/{index}`, by which the log of a run is found after a crash. It costs one end user for each row
        on the server. What cannot be proven: a request that left this machine before a crash is sent a second time
        where the server receives it, or, since Dify 1.14, begins to execute it, only `settle` seconds later.

        A run that fails is an item, and so is one that the server refuses. Outages of the server are waited out for 300
        seconds. Where the app allows fewer runs at once, fewer are sent, and no row fails. Memory does not grow with
        the number of rows: they are read as they are needed.

        Args:
            rows: the inputs of each run by name, as of `start`: JSON values, and a `pathlib.Path` for a file. For each
                content, a file is uploaded once; since Dify 1.14, when files began to belong to one end user, once for
                each row unless `one_user`.
            user: what the end users of the rows begin with; with `one_user`, the end user of all.
            journal: the path of the journal. One process at a time can use it.
            workflow_id: the id of a published version of the workflow; the newest one unless given. Inputs are not
                checked then: the form is that of the newest version.
            trace_session_id: session under which the server's own tracing files the runs, 1 to 200 characters. Versions
                before Dify 1.16 ignore it.
            at_once: runs at once, 1 to 64; it may differ when a batch is continued.
            one_user: whether all rows run for `user` itself. The log of a row cannot be found then: a row that was
                being sent when the batch was interrupted is `unknown`, and is not sent again.
            retry_failed: whether rows that have failed, were stopped or refused in an earlier call are started once
                more; their inputs may have been changed.
            in_order: whether the items come in the order of the rows, and not as they end; then at most 10,000 rows are
                begun before the oldest one has ended.
            check_inputs: whether rows are checked against the app's form before they are sent. The first row of a new
                batch raises; a later one is an item with status `refused`.
            settle: seconds after which a row whose request may have been lost, and whose log is not there, is sent
                again.
            lost_after: seconds for which the log of a run is waited for that the server has accepted and not begun;
                then the row is `unknown`. It is never sent again, and looked for once when the batch is continued.
            timeout: seconds to connect and for each wait for more data of a run's stream, or an `httpx.Timeout`; the
                client's own unless given.

        Raises:
            ValueError: an invalid argument, raised before any request is sent; while iterating: the journal is that of
                another batch, or a row is another one than it was, or the first row does not fit the app's form.
            OSError: while iterating: the journal cannot be written, or another process uses it.
            DifyError: while iterating: an error that concerns every row, or an outage that lasts longer. The batch can
                be continued.
        """
        from ..._runs.batch import Rules, checked_rules  # noqa: PLC0415 - loaded when needed
        from ..batch import Batch  # noqa: PLC0415 - as above

        rules = checked_rules(
            Rules(
                user=user,
                one_user=one_user,
                at_once=at_once,
                retry_failed=retry_failed,
                settle=settle,
                lost_after=lost_after,
                in_order=in_order,
                check_inputs=check_inputs,
                workflow_id=workflow_id,
            )
        )
        base_client = self._base_client.without_retries()

        def start(inputs: Mapping[str, Any], user: str) -> RunStream:
            stream = self.stream(
                inputs, user=user, workflow_id=workflow_id, trace_session_id=trace_session_id, timeout=timeout
            )
            return stream_over(stream, base_client)

        start({}, user)  # the other arguments are checked before anything is sent
        total = len(rows) if isinstance(rows, Sized) else None
        return Batch(self, rows, rules, journal=journal, start=start, total=total)

    def rerun(
        self,
        workflow_run_id: str,
        *,
        user: str,
        workflow_id: str | None = None,
        trace_session_id: str | None = None,
        timeout: TimeoutOption = None,
    ) -> WorkflowRunResult:
        """Run an earlier run's inputs again: `POST /workflows/run`, or `POST /workflows/{workflow_id}/run`.

        It reads the inputs and files of the earlier run (`GET /workflows/run/{workflow_run_id}`), starts a new one of
        the newest published version, or of `workflow_id`, and waits for its end as `run` does: so yesterday's inputs
        test today's version.

        Args:
            workflow_run_id: the earlier run's id, a UUID.
            user: id of the end user for whom it runs, 1 to 255 characters. Uploaded files can be used only for the end
                user for whom they were uploaded.
            workflow_id: the id of a published version of the workflow; the newest one unless given.
            trace_session_id: session under which the server's own tracing files the run, 1 to 200 characters. Versions
                before Dify 1.16 ignore it.
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: an argument that cannot be sent, or inputs of the earlier run that cannot be sent again; no run
                was started.
            NotFoundError: there is no such run, or no such version of the workflow.
            DifyError: no usable response came, or one with an error status.
        """
        checked_user(user)
        detail = self.get(workflow_run_id, timeout=timeout)
        return self.run(
            detail.inputs_for_rerun(),
            user=user,
            files=detail.files_for_rerun(),
            workflow_id=workflow_id,
            trace_session_id=trace_session_id,
            timeout=timeout,
        )

    def stream(
        self,
        inputs: Mapping[str, Any],
        *,
        user: str,
        files: Iterable[Any] | None = None,
        workflow_id: str | None = None,
        trace_session_id: str | None = None,
        check_inputs: bool = False,
        max_silence: float | None = None,
        timeout: TimeoutOption = None,
    ) -> RunStream:
        """Run the workflow and stream its events: `POST /workflows/run` or `POST /workflows/{workflow_id}/run`.

        The request is sent when the `with` begins. There is no limit on the run's duration: while it is executed, the
        server sends a ping about every 10 seconds, and the stream fails only when nothing is received for `timeout`
        seconds. After `workflow_finished` nothing is an error: the iteration ends.

        Dify 1.14 and 1.16 queue runs: while all workers are busy, nothing comes for up to 300 seconds, and the run is
        executed later even if nobody waits for it. So the wait for the first event is 330 seconds, unless a timeout was
        given to this call or to the client; the error of a stream that gave no event says how to look for the run. Over
        your own `http_client` the wait cannot be changed while a response is read: there, each is so long, and
        `max_silence` can take up to twice its seconds.

        Wrong inputs are a `BadRequestError` on Dify 1.11, when the `with` begins. Dify 1.14 does not report them: its
        stream ends after 300 seconds without an event, which is an `APIConnectionError`. Dify 1.16 sends
        `workflow_started` and `workflow_finished` of a failed run that does not exist, and that `runs.get` does not
        find: `inputs_refused` of the stream is True then. (`run` raises `BadRequestError` on all of them.)

        Args:
            inputs: the workflow's inputs by name, JSON values; a result of `files.upload` stands for a file.
            user: id of the end user for whom it runs, 1 to 255 characters of your choice; the logs' `session_id`.
            files: files for the whole run: uploads, or results of `as_input()` and `remote_file()`.
            workflow_id: the id of a published version of the workflow; the newest one unless given.
            trace_session_id: session under which the server's own tracing files the run, 1 to 200 characters. Versions
                before Dify 1.16 ignore it.
            check_inputs: whether the inputs are checked, when the `with` begins, against the app's form before
                (`app.check_inputs`). Without a `workflow_id` only: the form is that of the newest version.
            max_silence: seconds without an event other than a ping, after which the stream is given up, as a server
                or gateway may continue sending pings for a run that has died; no bound unless given.
            timeout: seconds to connect and for each wait for more data, or an `httpx.Timeout`; the client's own unless
                given.

        Raises:
            ValueError: an invalid argument, raised before any request is sent; when the `with` begins: inputs that do
                not fit the app's form.
            RuntimeError: the stream is read outside its `with`, or used a second time.
            DifyError: when the `with` begins: no usable response came, or one with an error status.
            WorkflowStreamError: while reading: the server sent an `error` event.
            APIConnectionError: while reading: the connection broke, or ended before the run did.
            APITimeoutError: while reading: nothing came for too long, or nothing but pings for `max_silence`.
        """
        body = run_body(inputs, user=user, files=files, trace_session_id=trace_session_id, mode="streaming")
        return RunStream(
            self._base_client,
            _start(body, workflow_id),
            run_workflow.load_event,
            user=user,
            timeout=timeout,
            max_silence=max_silence,
            starts_run=True,
            advice=after_run(body),
            begin_span=partial(run_span, self._base_client.configuration, body, workflow_id),
            check=partial(App(self._base_client).check_inputs, inputs, timeout=timeout)
            if check_inputs and workflow_id is None
            else None,
        )

    def get(self, workflow_run_id: str, *, timeout: TimeoutOption = None) -> WorkflowRunDetail:
        """A run with its inputs and outputs: `GET /workflows/run/{workflow_run_id}`.

        Args:
            workflow_run_id: the run's id: `result.workflow_run_id`, or `log.workflow_run.id` (not the log's own `id`).
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: the id is not a UUID; raised before any request is sent.
            NotFoundError: there is no such run. Dify 1.11 reports it as 200 with nulls.
            DifyError: no usable response came, or one with an error status.
        """
        call = get_workflow_run.build_request(workflow_run_id=checked_id("workflow_run_id", workflow_run_id))
        return self._base_client.send(call, detail_or_missing(workflow_run_id), timeout)

    def stop(self, task_id: str, *, user: str, timeout: TimeoutOption = None) -> StopResponse:
        """Stop a run that has not ended: `POST /workflows/tasks/{task_id}/stop`.

        The server says `success` whatever the id is. On Dify 1.11 the log of a stopped run stays `running` for good.

        Args:
            task_id: the task's id: `events.task_id`, or `result.task_id`.
            user: the `user` of the run.
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: an invalid argument; raised before any request is sent.
            DifyError: no usable response came, or one with an error status.
        """
        call = stop_workflow_run.build_request(task_id=task_id, body=user_body(user=user))
        return self._base_client.call(call, timeout)

    def events(
        self,
        workflow_run_id: str,
        *,
        user: str,
        include_state_snapshot: bool | None = True,
        continue_on_pause: bool | None = None,
        max_silence: float | None = None,
        timeout: TimeoutOption = None,
    ) -> RunStream:
        """The events of a run that has not ended, however it was started: `GET /workflow/{workflow_run_id}/events`.

        Reading ends after `workflow_finished`, and after `workflow_paused` unless `continue_on_pause` is True. Newer
        servers have this operation; Dify 1.11 responds 404.

        Args:
            workflow_run_id: the run's id.
            user: the `user` of the run.
            include_state_snapshot: whether what the run has done so far comes first, as events: the default. With
                False (or None, which leaves the choice to the server), only what happens from now on; of a run that is
                paused or that no worker executes any more, Dify 1.14 and 1.16 then send nothing but pings for 300
                seconds, and end the stream without `workflow_finished`.
            continue_on_pause: whether the stream continues where the run waits for a person.
            max_silence: seconds without an event other than a ping, after which the stream is given up
                (`APITimeoutError`); no bound unless given. With `continue_on_pause`, the time for which the run waits
                for a person counts.
            timeout: seconds to connect and for each wait for more data, or an `httpx.Timeout`; the client's own unless
                given.

        Raises:
            ValueError: an invalid argument; raised before any request is sent.
            NotFoundError: when the `with` begins: no such run, or another user's, or a server without this operation.
            DifyError: when the `with` begins or while reading: no usable response came, or one with an error
                status.
        """
        call = stream_workflow_run_events.build_request(
            workflow_run_id=checked_id("workflow_run_id", workflow_run_id),
            user=checked_user(user),
            include_state_snapshot=include_state_snapshot,
            continue_on_pause=continue_on_pause,
        )
        return RunStream(
            self._base_client,
            call,
            stream_workflow_run_events.load_event,
            user=user,
            timeout=timeout,
            max_silence=max_silence,
            ends_at_pause=not continue_on_pause,
        )


def _start(body: dict[str, Any], workflow_id: str | None) -> Request[WorkflowRunResponse]:
    if workflow_id is None:
        return run_workflow.build_request(body=body)
    return run_workflow_version.build_request(workflow_id=checked_id("workflow_id", workflow_id), body=body)

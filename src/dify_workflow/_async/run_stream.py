"""Streams of events: they read and give; what an event means is decided in `_runs.stream`."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from dify_workflow_api.api.runs import stop_workflow_run

from .._http import logging, response_errors, transport_errors
from .._http.advice import add_advice, after_broken_stream
from .._http.attempts import attempt_of
from .._http.decode import BrokenEventError, ReportedError
from .._http.lifetimes import AsyncLifetime, EndedError
from .._http.sse import EventParser
from .._runs.stream import StreamProgress, StreamWaits, checked_max_silence
from .._tracing.spans import NO_SPAN
from .iterations import AsyncIteration

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from dify_workflow_api.types import Request

    from .._errors import DifyError
    from .._http.advice import Advice
    from .._http.config import TimeoutOption
    from .._http.library import httpx
    from .._http.open_responses import AsyncHeldResponse
    from .._http.secrets import Secret
    from .._runs.node_executions import NodeExecution
    from .._tracing.spans import RunSpan
    from ..models import StopResponse, WorkflowFinishedEvent, WorkflowRunStatus
    from ..results import WorkflowRunResult
    from .base_client import AsyncBaseClient, AsyncOpenStream


LEFT: Final = (
    "this stream was left before its end, so that it has no result: call wait() inside its `with`, or ask "
    "runs.get(workflow_run_id) for the run"
)
UNKNOWN_END: Final = "the stream ended without saying how the run did; runs.get(workflow_run_id) does"
OUTSIDE: Final = "a stream is read inside its `with`, which sends the request and closes the connection"


class AsyncRunStream(AsyncIteration[Any]):
    """The events of a run as they happen; made by `runs.stream` and `runs.events`.

    >>> async with client.runs.stream({"query": "hi"}, user="u-1") as events:
    ...     async for event in events:
    ...         print(event.event)

    The request is sent when the `with` begins. Its end, however it comes, closes the connection; the run itself goes
    on, unless `stop` ended it. A stream can be used once: it is one request.
    """

    __module__ = "dify_workflow.types"

    _kind = "stream"

    def __init__(
        self,
        base_client: AsyncBaseClient,
        call: Request[Any],
        load_event: Callable[[str], type[Any]],
        *,
        user: str,
        timeout: TimeoutOption,
        max_silence: float | None,
        ends_at_pause: bool = True,
        starts_run: bool = False,
        advice: Advice | None = None,
        begin_span: Callable[[], RunSpan] | None = None,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        life = AsyncLifetime(is_open=False)
        self._base_client = base_client
        self._call = call
        self._user = user
        self._timeout = timeout
        self._advice = advice
        self._check = check
        self._progress = StreamProgress(load_event, ends_at_pause=ends_at_pause, ends_with_run=not starts_run)
        self._waits = StreamWaits(
            self._progress,
            base_client.limits(timeout),
            max_silence=checked_max_silence(max_silence),
            is_queued=starts_run,
        )
        self._reading = AsyncReading(
            self._progress, self._waits, life, base_client.configuration.api_key, starts_run=starts_run
        )
        self._begin_span = begin_span
        self._is_used = False
        self._is_left = False
        self._held: AsyncHeldResponse | None = None
        super().__init__(life, _nothing(), configuration=base_client.configuration)

    def _state(self) -> Mapping[str, object]:
        return {"workflow_run_id": self.workflow_run_id, "task_id": self.task_id, "events": self._progress.count}

    @property
    def task_id(self) -> str | None:
        """The task, which `runs.stop` takes; None before the first event."""
        return self._progress.task_id

    @property
    def workflow_run_id(self) -> str | None:
        """The run, which `runs.get` takes; None before the first event."""
        return self._progress.workflow_run_id

    @property
    def result(self) -> WorkflowFinishedEvent | None:
        """The event `workflow_finished`; None before it, and when the run waits for a person.

        Raises:
            RuntimeError: the stream was left before its end.
        """
        finished: WorkflowFinishedEvent | None = self._progress.result
        if finished is None:
            self._check_not_left()
        return finished

    @property
    def status(self) -> WorkflowRunStatus | str | None:
        """How the run ended, or `paused` when it waits for a person; None until it has ended.

        Raises:
            RuntimeError: the stream was left before its end.
        """
        outcome = self._outcome()
        return None if outcome is None else outcome.status

    @property
    def outputs(self) -> Any:  # noqa: ANN401 - JSON is anything
        """The workflow's outputs by name; None until the run ends.

        Raises:
            RuntimeError: the stream was left before its end.
        """
        outcome = self._outcome()
        return None if outcome is None else outcome.outputs

    @property
    def error(self) -> str | None:
        """The error of a run that failed; None unless it did.

        Raises:
            RuntimeError: the stream was left before its end.
        """
        outcome = self._outcome()
        return None if outcome is None else outcome.error

    @property
    def nodes(self) -> list[NodeExecution]:
        """What each node did so far: the executions of nodes, in the order in which they started."""
        return self._progress.nodes

    async def wait(self) -> WorkflowRunResult:
        """Read the events that are left, and return how the run ended.

        A run that waits for a person has the status `paused`, unless the stream continues there.

        Raises:
            RuntimeError: outside the `with` of a stream that was not read to its end; or the stream ended without
                saying how the run did.
            DifyError: as for reading.
        """
        if not (self._is_left and self._progress.is_whole):
            with suppress(StopAsyncIteration):
                while True:
                    await anext(self)
        outcome = self._outcome()
        if outcome is None:
            raise RuntimeError(UNKNOWN_END)
        return outcome

    def raise_for_status(self) -> Self:
        """This stream, unless the run failed or was stopped.

        Raises:
            WorkflowRunError: the run failed or was stopped.
            RuntimeError: the run has not ended: `wait()` reads the stream to its end.
        """
        outcome = self._outcome()
        if outcome is None:
            raise RuntimeError("this run has not ended: wait() reads the stream to its end")
        outcome.raise_for_status()
        return self

    def _outcome(self) -> WorkflowRunResult | None:
        outcome = self._progress.outcome
        if outcome is None:
            self._check_not_left()
        return outcome

    def _check_not_left(self) -> None:
        failure = self._reading.failure
        if self._is_left and not self._progress.is_whole and (failure is None or isinstance(failure, RuntimeError)):
            raise RuntimeError(LEFT)

    @property
    def text(self) -> str:
        """The text that came in `text_chunk` events so far."""
        return self._progress.text

    @property
    def response_headers(self) -> httpx.Headers | None:
        """Headers of the response, without the API key where the server repeats it; None before the `with` begins."""
        held = self._held
        return (
            None if held is None else response_errors.headers_of(held.response, self._base_client.configuration.api_key)
        )

    @property
    def inputs_refused(self) -> bool:
        """Whether the server refused the inputs, and started no run.

        Dify 1.16 reports this by `workflow_started` and `workflow_finished` of a run that does not exist: the run has
        failed, `result.data.error` says why, and its `workflow_run_id` does not exist. Dify 1.11 raises
        `BadRequestError` instead.
        """
        return self._progress.inputs_refused

    async def stop(self) -> StopResponse:
        """End the run: `POST /workflows/tasks/{task_id}/stop`. Its last events still come.

        Raises:
            RuntimeError: no event with the task's id was received yet.
            DifyError: no usable response came, or one with an error status.
        """
        if self.task_id is None:
            raise RuntimeError("the run cannot be stopped before its first event, which has its task_id")
        call = stop_workflow_run.build_request(task_id=self.task_id, body={"user": self._user})
        return await self._base_client.call(call, self._timeout)

    def _end(self) -> Exception:
        if self._held is None or self._is_left:
            return RuntimeError(OUTSIDE)
        if self._life.is_cut and not self._progress.is_whole:
            return RuntimeError(UNKNOWN_END)
        if not self._life.is_over and self._reading.failure is not None:
            return self._reading.failure  # each time: only a whole stream may look as if it had come to its end
        return StopAsyncIteration()

    def _begun_span(self) -> RunSpan:
        if self._begin_span is not None:
            self._reading.span, self._begin_span = self._begin_span(), None
            if self._reading.span is not NO_SPAN:
                self._progress.observe = self._reading.span.event
        return self._reading.span

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        if self._is_used:
            raise RuntimeError("a stream can be used once; `runs.stream` and `runs.events` give another one")
        self._is_used = True
        base_client = self._base_client.within(self._life)
        try:
            with begun_span(self).active():
                if self._check is not None:
                    await self._check()
                opened = await base_client.open_stream(self._call, self._waits.timeout, self._advice)
        except EndedError:
            raise RuntimeError("this stream was closed while it was being opened") from None
        self._held = opened[0]
        self._life.begin()
        self._items = self._reading.events(opened)
        self._life.is_open = not self._life.is_over
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._is_left = True
        await super().__aexit__(*exc_info)

    async def close(self) -> None:
        """Close the connection, from any thread, task or signal handler. Closing twice is fine.

        The iteration ends normally where another thread or task, or a signal handler, closes it; the thread or task
        that reads the stream and closes it itself cannot continue reading. The run continues.
        """
        self._is_left = self._is_left or self._life.is_owner()
        if await self._life.close(self._items) and self._held is not None:
            await self._held.aclose()
            self._reading.span.leave()


def span_of(stream: AsyncRunStream) -> RunSpan:
    """The span of a stream's run, for what waits for the run."""
    return stream._reading.span  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - a friend of the class


def begun_span(stream: AsyncRunStream) -> RunSpan:
    """The same; it begins now, unless it has begun."""
    return stream._begun_span()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - a friend of the class


def stream_over(stream: AsyncRunStream, base_client: AsyncBaseClient) -> AsyncRunStream:
    """A stream that has not begun, which another base client sends."""
    stream._base_client = base_client  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - a friend of the class
    return stream


async def _nothing() -> AsyncGenerator[Any]:
    return
    yield


class AsyncReading:
    """What reads the events, without a way back to the stream that gives them.

    Attributes:
        failure: what kept the events from being all; raised where no variable shows them.
        span: the span of the run, which ends with its stream.
    """

    def __init__(
        self, progress: StreamProgress, waits: StreamWaits, life: AsyncLifetime, secret: Secret, *, starts_run: bool
    ) -> None:
        self._progress = progress
        self._waits = waits
        self._life = life
        self._secret = secret
        self._starts_run = starts_run
        self.failure: Exception | None = None
        self.span: RunSpan = NO_SPAN

    async def events(self, opened: AsyncOpenStream) -> AsyncGenerator[Any]:
        """The events."""
        held, chunks = opened
        response = held.response
        parser, progress, waits = EventParser(), self._progress, self._waits
        attempt, next_chunk = attempt_of(response.request), partial(anext, chunks, None)
        secret = self._secret
        failure: DifyError | None = None
        try:
            waits.before_read(attempt)
            while (chunk := await self._life.run(held, next_chunk)) is not None:
                for received in parser.feed(chunk):
                    event = progress.event_of(received)
                    if event is not None:
                        yield event
                        if progress.is_over:
                            self.span.end()
                            return
                waits.before_read(attempt)
            for event in progress.last_events(parser.end()):
                yield event
        except (BrokenEventError, ReportedError) as error:
            failure = response_errors.failed_stream(error, response, progress.summary(), secret)
        except transport_errors.raised() as error:
            found = waits.explained(transport_errors.as_http_error(error))
            failure = response_errors.failed_stream(found, response, progress.summary(), secret)
        except BaseException as error:
            self.failure = RuntimeError("reading this stream was interrupted, which closed its connection")
            self.span.failed(error)
            response_errors.conceal(error, response, secret)
            raise
        finally:
            await held.aclose()
        if failure is None and not progress.is_whole:
            failure = response_errors.cut_stream(response, progress.summary(), secret)
        self._keep(failure)

    def _keep(self, failure: DifyError | None) -> None:
        """Keep what ended the stream, unless the run had ended before."""
        if failure is None:
            self.span.end()
            return
        self.span.failed(failure)
        if self._progress.is_whole:
            logging.log_end_of_stream(failure)
            return
        run = self._progress.workflow_run_id
        add_advice(failure, after_broken_stream(failure, workflow_run_id=run, starts_run=self._starts_run))
        self.failure = failure

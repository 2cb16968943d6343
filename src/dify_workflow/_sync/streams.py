"""Streams of events: they read and give; what an event means is decided in `_streams`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from dify_workflow_api.api.runs import stop_workflow_run

from .. import _logging, _responses, _transport_errors
from .._advice import add_advice, after_broken_stream, no_advice
from .._attempts import attempt_of
from .._responses import BrokenEventError, ReportedError
from .._sse import EventParser
from .._streams import StreamProgress, StreamWaits, checked_max_silence

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType

    import httpx
    from dify_workflow_api.types import Request

    from .._advice import Advice
    from .._configuration import TimeoutOption
    from .._errors import DifyError
    from ..models import StopResponse, WorkflowFinishedEvent
    from .caller import Caller, OpenStream


class RunStream:
    """The events of a run as they happen; made by `runs.stream` and `runs.events`.

    >>> with client.runs.stream({"query": "hi"}, user="u-1") as events:
    ...     for event in events:
    ...         print(event.event)

    The request is sent when the `with` begins. Its end, however it comes, closes the connection; the run itself goes
    on, unless `stop` ended it. A stream can be used once: it is one request.
    """

    def __init__(
        self,
        caller: Caller,
        call: Request[Any],
        load_event: Callable[[str], type[Any]],
        *,
        user: str,
        timeout: TimeoutOption,
        max_silence: float | None,
        ends_at_pause: bool = True,
        starts_run: bool = False,
        advice: Advice = no_advice,
    ) -> None:
        self._caller = caller
        self._call = call
        self._user = user
        self._timeout = timeout
        self._starts_run = starts_run
        self._advice = advice
        self._progress = StreamProgress(load_event, ends_at_pause=ends_at_pause, ends_with_run=not starts_run)
        self._waits = StreamWaits(
            self._progress, caller.limits(timeout), max_silence=checked_max_silence(max_silence), is_queued=starts_run
        )
        self._is_used = False
        self._response: httpx.Response | None = None
        self._events: Generator[Any] | None = None
        self._failure: Exception | None = None

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
        """The event `workflow_finished`; None before it."""
        finished: WorkflowFinishedEvent | None = self._progress.result
        return finished

    @property
    def text(self) -> str:
        """The text that came in `text_chunk` events so far."""
        return self._progress.text

    @property
    def inputs_refused(self) -> bool:
        """Whether the server refused the inputs, and started no run.

        Dify 1.16 reports this by `workflow_started` and `workflow_finished` of a run that it has made up: the run has
        failed, `result.data.error` says why, and its `workflow_run_id` does not exist. Dify 1.11 raises
        `BadRequestError` instead.
        """
        return self._progress.inputs_refused

    def stop(self) -> StopResponse:
        """End the run: `POST /workflows/tasks/{task_id}/stop`. Its last events still come.

        Raises:
            RuntimeError: no event has told the task's id yet.
            DifyError: as every method does.
        """
        if self.task_id is None:
            raise RuntimeError("the run cannot be stopped before its first event, which tells its task_id")
        call = stop_workflow_run.build_request(task_id=self.task_id, body={"user": self._user})
        return self._caller.call(call, self._timeout)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:  # noqa: ANN401 - a model for each name of an event
        if self._events is None:
            raise RuntimeError("a stream is read inside its `with`, which sends the request and closes the connection")
        event = next(self._events, None)
        if event is not None:
            return event
        if self._failure is not None:  # each time: only a whole stream may look as if it had come to its end
            raise self._failure
        raise StopIteration

    def __enter__(self) -> Self:
        if self._is_used:
            raise RuntimeError("a stream can be used once; `runs.stream` and `runs.events` give another one")
        self._is_used = True
        opened = self._caller.open_stream(self._call, self._waits.timeout, self._advice)
        self._response = opened.response
        self._events = self._read(opened)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Closing twice is fine."""
        events, self._events = self._events, None
        try:
            if events is not None:
                events.close()
        finally:
            if self._response is not None:
                self._response.close()

    def _read(self, opened: OpenStream) -> Generator[Any]:
        """The events; what kept them from being all is in `_failure` then, and raised where no variable shows them."""
        response, chunks = opened
        parser, progress, waits = EventParser(), self._progress, self._waits
        attempt = attempt_of(response.request)
        secret = self._caller.configuration.api_key
        failure: DifyError | None = None
        try:
            waits.before_read(attempt)
            for chunk in chunks:
                for received in parser.feed(chunk):
                    event = progress.event_of(received)
                    if event is not None:
                        yield event
                        if progress.is_over:
                            return
                waits.before_read(attempt)
            for event in progress.last_events(parser.end()):
                yield event
        except (BrokenEventError, ReportedError) as error:
            failure = _responses.failed_stream(error, response, progress.summary(), secret)
        except _transport_errors.raised() as error:
            found = waits.explained(_transport_errors.as_http_error(error))
            failure = _responses.failed_stream(found, response, progress.summary(), secret)
        except BaseException:
            self._failure = RuntimeError("reading this stream was interrupted, which closed its connection")
            raise
        finally:
            response.close()
        if failure is None and not progress.is_whole:
            failure = _responses.cut_stream(response, progress.summary(), secret)
        self._end(failure)

    def _end(self, failure: DifyError | None) -> None:
        """Keep what ended the stream, unless the run had ended before."""
        if failure is None:
            return
        if self._progress.is_whole:
            _logging.log_end_of_stream(failure)
            return
        run = self._progress.workflow_run_id
        add_advice(failure, after_broken_stream(failure, workflow_run_id=run, starts_run=self._starts_run))
        self._failure = failure

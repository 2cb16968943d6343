"""Streams of events: they read and give; what an event means is decided in `_streams`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import httpx
from dify_workflow_api.api.runs import stop_workflow_run

from .. import _responses
from .._sse import EventParser
from .._streams import BrokenEventError, StreamProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType

    from dify_workflow_api.types import Request

    from .._configuration import TimeoutOption
    from .._errors import DifyError
    from .._sse import ServerSentEvent
    from ..models import StopResponse, WorkflowFinishedEvent
    from .caller import Caller


class RunStream:
    """The events of a run as they happen; made by `runs.stream` and `runs.events`.

    >>> with client.runs.stream({"query": "hi"}, user="u-1") as events:
    ...     for event in events:
    ...         print(event.event)

    The request is sent when the `with` begins. Its end, however it comes, closes the connection; the run itself goes
    on, unless `stop` ended it.
    """

    def __init__(
        self,
        caller: Caller,
        call: Request[Any],
        load_event: Callable[[str], type[Any]],
        *,
        user: str,
        timeout: TimeoutOption,
    ) -> None:
        self._caller = caller
        self._call = call
        self._user = user
        self._timeout = timeout
        self._progress = StreamProgress(load_event)
        self._response: httpx.Response | None = None
        self._events: Generator[Any] | None = None

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
            raise RuntimeError("a stream is read inside its `with`, which sends the request")
        return next(self._events)

    def __enter__(self) -> Self:
        if self._response is None:
            self._response = self._caller.open_stream(self._call, self._timeout)
            self._events = self._read(self._response)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Closing twice is fine."""
        if self._events is not None:
            self._events.close()
        if self._response is not None:
            self._response.close()

    def _read(self, response: httpx.Response) -> Generator[Any]:
        parser, progress = EventParser(), self._progress
        secret = self._caller.configuration.api_key
        failure: DifyError
        try:
            for chunk in response.iter_bytes():
                for received in parser.feed(chunk):
                    event = progress.event_of(received)
                    if event is not None:
                        yield event
            for event in self._last(parser.end()):
                yield event
        except BrokenEventError as error:
            failure = _responses.broken_stream(response, str(error), progress.summary(), secret)
        except httpx.HTTPError as error:
            failure = _responses.transport_error(error, response.request, response, secret, progress.summary())
        else:
            if progress.is_whole:
                return
            failure = _responses.cut_stream(response, progress.summary())
        finally:
            response.close()
        raise failure

    def _last(self, received: list[ServerSentEvent]) -> list[Any]:
        """The event that had no empty line behind it: it may be cut, and is then as good as not received."""
        try:
            events = [self._progress.event_of(one) for one in received]
        except BrokenEventError:
            return []
        return [event for event in events if event is not None]

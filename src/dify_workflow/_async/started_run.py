"""Runs that were started: their streams are kept open by workers, and what they do not know is read from the server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .._errors import APIStatusError, APITimeoutError, DifyError
from .._http.lifetimes import AsyncLifetime, EndedError
from .._http.monitors import AsyncMonitor
from .._http.outages import Outages, Request
from .._runs.started_run import (
    FIRST_PAUSE,
    FORM_CLOSED,
    LONGEST_LOOK,
    OUTAGE,
    PAUSED,
    WAIT_CLOSED,
    checked_wait,
    form_tokens,
    has_events,
    next_pause,
    not_ended,
    result_of,
)
from .._worker_pool import AsyncWorkers
from .iterations import Ending, life_of
from .outages import AsyncCallThroughOutages
from .resources import base_client_of
from .resources.forms import AsyncForms
from .resources.runs import AsyncRuns
from .run_stream import span_of

if TYPE_CHECKING:
    from ..models import StopResponse
    from ..results import WorkflowRunDetail, WorkflowRunResult
    from .base_client import AsyncBaseClient
    from .run_stream import AsyncRunStream


class AsyncRun:
    """A run that was started: `runs.start` and `runs.attach` return it.

    >>> run = await client.runs.start({"query": "hi"}, user="u-1")
    >>> result = await run.wait()

    Attributes:
        id: the run's id, which `runs.get` and `runs.attach` take.
        user: the end user for whom it runs.
    """

    __module__ = "dify_workflow.types"

    def __init__(
        self, runs: AsyncRuns, *, workflow_run_id: str, user: str, stream: AsyncRunStream | None = None
    ) -> None:
        self._runs = runs
        self.id = workflow_run_id
        self.user = user
        self._task_id = None if stream is None else stream.task_id
        self._is_pause_known = False
        self._reader = None if stream is None else AsyncStreamReader(stream, runs, workflow_run_id, user)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.id!r}, user={self.user!r})"

    @property
    def task_id(self) -> str | None:
        """The task, which `runs.stop` takes; None where no event has come, as of a run that was attached to."""
        return self._task_id

    async def wait(self, timeout: float | None = None) -> WorkflowRunResult:
        """Wait until the run ends, and return its result.

        A run that fails is a result, and so is one that waits for a person: its status is `paused`. Call `wait` again
        when the person has decided. Where the stream of the run breaks, the run is read from the server from then on,
        every 0.5 seconds at first and every 10 seconds in the end; an outage of the server is waited out for 300
        seconds.

        Args:
            timeout: seconds; None waits as long as the run takes.

        Raises:
            ValueError: `timeout` is not a number of 0 or more.
            APITimeoutError: the run has not ended in time. It continues.
            NotFoundError: there is no such run.
            RuntimeError: the client was closed; or the run belongs to the process that started it, which was forked
                since.
            DifyError: the run cannot be read from the server.
        """
        seconds = checked_wait(timeout)
        deadline = None if seconds is None else time.monotonic() + seconds
        reader = self._reader
        if reader is not None and not self._is_pause_known:
            result = await reader.wait(deadline)
            self._is_pause_known = result is not None and result.status == PAUSED  # it may continue from there
            if result is not None or not reader.is_left:
                return self._ended(result, seconds)
        life = AsyncLifetime()
        runs = AsyncRuns(base_client_of(self._runs).within(life))
        try:
            return self._ended(await poll(runs, self.id, self.user, self.task_id, life, deadline), seconds)
        except EndedError:
            raise RuntimeError(WAIT_CLOSED) from None

    async def get(self) -> WorkflowRunDetail:
        """The run as it is now, with its inputs and outputs: `GET /workflows/run/{workflow_run_id}`.

        Raises:
            DifyError: no usable response came, or one with an error status.
        """
        return await self._runs.get(self.id)

    async def stop(self) -> StopResponse:
        """End the run: `POST /workflows/tasks/{task_id}/stop`.

        Raises:
            RuntimeError: the task's id is not known, as of a run that was attached to.
            DifyError: no usable response came, or one with an error status.
        """
        if self.task_id is None:
            raise RuntimeError(
                "the run cannot be stopped: only events have its task_id, and it was attached to by its id"
            )
        return await self._runs.stop(self.task_id, user=self.user)

    def events(self) -> AsyncRunStream:
        """The events of the run, from its first one: `GET /workflow/{workflow_run_id}/events`; Dify 1.14 and newer.

        Raises:
            DifyError: no usable response came, or one with an error status.
        """
        return self._runs.events(self.id, user=self.user)

    async def detach(self) -> None:
        """Close the run's stream and end its worker. The run continues; `wait` polls the server for it from now on."""
        if self._reader is not None:
            self._reader.is_left = self._reader.is_left or not self._reader.is_over
            await self._reader.leave()

    def _ended(self, result: WorkflowRunResult | None, seconds: float | None) -> WorkflowRunResult:
        if result is None:
            raise not_ended(base_client_of(self._runs).configuration.base_url, self.id, seconds or 0)
        return result


class AsyncStreamReader:
    """A worker that reads the stream of a run until it ends, and polls the run where the stream breaks.

    Attributes:
        is_left: whether `detach` ended it before the run was.
        is_over: whether it has ended.
    """

    def __init__(self, stream: AsyncRunStream, runs: AsyncRuns, run_id: str, user: str) -> None:
        self._stream = stream
        self._runs = runs
        self._run_id = run_id
        self._user = user
        self._span = span_of(stream)
        self._span.is_awaited = True
        self._life = AsyncLifetime()
        self._changed = AsyncMonitor(self._life)
        self._workers = AsyncWorkers()
        self._result: WorkflowRunResult | None = None
        self._error: Exception | None = None
        self.is_over = False
        self.is_left = False
        base_client_of(runs).pool.leave_with(self)
        self._workers.start(self._work)

    async def wait(self, deadline: float | None) -> WorkflowRunResult | None:
        """Wait for the result; None when the deadline has passed, or the reader was ended, before.

        Raises:
            Exception: what kept the worker from the result.
            RuntimeError: the client was closed; or this is another process than the one that started the run.
        """
        self._life.refuse_in_child("run")
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: self.is_over, deadline)
        except EndedError:
            self._life.refuse_in_child("run")
        if self._error is not None:
            raise self._error
        if self._result is None and self._life.is_over and not self.is_left:
            raise RuntimeError(WAIT_CLOSED)
        return self._result

    async def leave(self) -> None:
        """End the worker and close the stream; the run continues."""
        self._life.end()
        life_of(self._stream).end()
        await self._workers.end()

    async def _work(self) -> None:
        try:
            self._result = await self._read()
        except EndedError:
            pass
        except Exception as error:  # noqa: BLE001 - it is raised again where the result is waited for
            if not self._life.is_over:
                self._error = error
        finally:
            self._span.settle(self._result, self._error)
            self.is_over = True
            self._changed.notify()

    async def _read(self) -> WorkflowRunResult | None:
        try:
            return await self._stream.wait()
        except (DifyError, RuntimeError):  # the stream broke, or ended without a result
            if self._life.is_over:
                return None
        finally:
            await self._stream.close()
        return await ended_result(self._runs, self._run_id, self._user, self._stream.task_id, self._life)


async def ended_result(
    runs: AsyncRuns, run_id: str, user: str, task_id: str | None, life: AsyncLifetime
) -> WorkflowRunResult | None:
    """Wait for the end of a run without its stream: by its events where the server has them, else by polling.

    Args:
        runs: the runs of the client.
        run_id: the run.
        user: the user of the run.
        task_id: the task of the run, if it is known.
        life: what ends the waiting.

    Raises:
        DifyError: the run cannot be read from the server.
        EndedError: the lifetime has ended.
    """
    base_client = base_client_of(runs).within(life)
    runs = AsyncRuns(base_client)
    if has_events(base_client.version):
        events = runs.events(run_id, user=user)
        try:
            await life.run(Ending(events), events.__aenter__)
            return await life.run(Ending(events), events.wait)
        except (DifyError, RuntimeError):  # it is not there any more, or its events broke as well
            pass
        finally:
            await events.close()
    return await poll(runs, run_id, user, task_id, life, None)


async def poll(
    runs: AsyncRuns, run_id: str, user: str, task_id: str | None, life: AsyncLifetime, deadline: float | None
) -> WorkflowRunResult | None:
    """Poll a run until it has ended or waits for a person; None when the deadline has passed before.

    A run stays `paused` after its form was submitted, until a worker of the server takes it: then it waits for nobody.

    Raises:
        DifyError: the run cannot be read from the server.
        EndedError: the lifetime has ended.
    """
    outages, pause = Outages(OUTAGE), FIRST_PAUSE
    outages.succeeded(Request())  # the server was up when it started the run
    get: AsyncCallThroughOutages[str, WorkflowRunDetail] = AsyncCallThroughOutages(runs.get, outages, life, what="wait")
    while True:
        result = result_of(await get(run_id), task_id)
        left = None if deadline is None else deadline - time.monotonic()
        if result is not None and result.status == PAUSED and not await awaits_person(runs, run_id, user, life):
            result = None
        if result is not None or (left is not None and left <= 0):
            return result
        await life.sleep(pause if left is None else min(pause, left))
        pause = next_pause(pause)


async def awaits_person(runs: AsyncRuns, run_id: str, user: str, life: AsyncLifetime) -> bool:
    """Whether a form of a paused run is open, or nothing shows that none is.

    Raises:
        EndedError: the lifetime has ended.
    """
    base_client = base_client_of(runs)
    if not has_events(base_client.version):
        return True
    events = runs.events(run_id, user=user, max_silence=LONGEST_LOOK)
    try:
        await life.run(Ending(events), events.__aenter__)
        result = await life.run(Ending(events), events.wait)
    except APITimeoutError:
        return False  # it continues
    except (DifyError, RuntimeError):
        return True
    finally:
        await events.close()
    if result.status != PAUSED:
        return False
    tokens = form_tokens(result)
    for token in tokens:
        if await is_open(base_client, token):
            return True
    return not tokens


async def is_open(base_client: AsyncBaseClient, form_token: str) -> bool:
    """Whether a form can still be submitted, or nothing shows that it cannot."""
    try:
        await AsyncForms(base_client).get(form_token)
    except APIStatusError as error:
        return error.status_code != FORM_CLOSED
    except DifyError:
        pass
    return True

"""Batches of runs: they read rows, send them and read streams; what to do with a row is decided in `_runs.batch`."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from .._errors import APIStatusError, DifyError, NotFoundError, WorkflowStreamError
from .._http.lifetimes import AsyncLifetime
from .._http.outages import Outages, Request
from .._runs.batch import (
    LOST,
    MOST_WAITING,
    REFUSED,
    WINDOW,
    BatchProgress,
    JobState,
    Task,
    after_search,
    begun,
    digest_of,
    first_step,
    meaning_of,
    pause_of,
    row_user,
)
from .._runs.batch_item import BatchItem
from .._runs.file_inputs import Contents, paths_in, to_check, with_paths_replaced
from .._runs.input_form import check_inputs, form_of
from .._runs.started_run import OUTAGE, has_events
from .iterations import AsyncIteration, Ending
from .outages import AsyncCallThroughOutages
from .resources import base_client_of
from .resources.app import AsyncApp
from .resources.files import AsyncFiles
from .resources.logs import AsyncLogs
from .resources.runs import AsyncRuns
from .run_stream import span_of
from .started_run import ended_result
from .worker_pool import AsyncWorkerPool

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
    from pathlib import Path

    from .._runs.batch import Entry, Rules
    from .._runs.batch_journal import Journal
    from .._runs.input_form import Form
    from ..results import WorkflowRunResult
    from .run_stream import AsyncRunStream

    Start = Callable[[Mapping[str, Any], str], AsyncRunStream]

WHAT: Final = "runs.batch"
AGAIN: Final = "the batch can be continued: call runs.batch again with the same rows and journal"
GONE: Final = "the run was started, and the server does not have it any more"
ENDED_EARLY: Final = f"the batch was ended before its last item; {AGAIN}"


class AsyncBatch(AsyncIteration[BatchItem]):
    """An iterator over the rows of a batch whose runs have ended; made by `runs.batch`.

    >>> async with client.runs.batch(rows, user="batch", journal="in.journal") as batch:
    ...     async for item in batch:
    ...         print(item.index, item.status, item.outputs)

    Work begins with the first item that is requested. Leaving early ends the workers and no run; the same call then
    continues the batch.
    """

    __module__ = "dify_workflow.types"

    _kind = "batch"

    def __init__(
        self,
        runs: AsyncRuns,
        rows: Iterable[Mapping[str, Any]],
        rules: Rules,
        *,
        journal: str | os.PathLike[str],
        start: Start,
        total: int | None,
    ) -> None:
        life = AsyncLifetime()
        base_client = base_client_of(runs)
        self._progress = BatchProgress(total, rules.at_once)
        job = AsyncBatchJob(runs, rows, rules, life=life, start=start, progress=self._progress)
        self._state_of_job = job.state
        super().__init__(life, job.items(journal), configuration=base_client.configuration)

    def _state(self) -> Mapping[str, object]:
        return {"total": self.total, "done": self.done, "failed": self.failed}

    @property
    def total(self) -> int | None:
        """Number of rows; None until all were read, unless the rows have a length."""
        return self._progress.total

    @property
    def done(self) -> int:
        """Items so far, those of earlier calls included."""
        return self._progress.done

    @property
    def failed(self) -> int:
        """Items so far that failed, were stopped or refused, or are unknown."""
        return self._progress.failed

    @property
    def running(self) -> int:
        """Runs that are under way now."""
        return self._progress.slots.active

    @property
    def at_once(self) -> int:
        """Runs at once, as far as the server allows them now: `at_once`, or fewer."""
        return self._progress.slots.limit

    @property
    def tokens(self) -> int:
        """Tokens that the runs of the items so far used."""
        return self._progress.tokens

    def _end(self) -> Exception:
        return StopAsyncIteration() if self._state_of_job.is_complete else RuntimeError(ENDED_EARLY)

    async def close(self) -> None:
        """End the workers and unlock the journal, from any thread, task or signal handler. The runs continue."""
        await super().close()


class AsyncBatchJob:
    """The work of a batch: a worker that reads rows, one that looks for logs, and some that send rows."""

    def __init__(
        self,
        runs: AsyncRuns,
        rows: Iterable[Mapping[str, Any]],
        rules: Rules,
        *,
        life: AsyncLifetime,
        start: Start,
        progress: BatchProgress,
    ) -> None:
        base_client = base_client_of(runs).within(life)
        self._base_client = base_client
        self._runs = AsyncRuns(base_client)
        self._rows = rows
        self._rules = rules
        self._life = life
        self._start = start
        self._progress = progress
        self._slots = progress.slots
        self._workers = AsyncWorkerPool(life)
        self._outages = Outages(OUTAGE)
        self._contents = Contents()
        self._form: Form | None = None
        self._journal: Journal
        self.state = JobState()

    async def items(self, journal: str | os.PathLike[str]) -> AsyncGenerator[BatchItem]:
        """The items, as rows end or in their order."""
        from .._runs.batch_journal import Journal  # noqa: PLC0415 - loaded when needed

        pool, state = self._base_client.pool, self.state
        self._journal = await pool.run_blocking(partial(Journal, journal, self._rules))
        early: dict[int, tuple[Entry, BatchItem]] = {}
        try:
            async with self._workers:
                self._workers.start(self._read_rows)
                self._workers.start(self._look_for_rows)
                for _ in range(self._rules.at_once):
                    self._workers.start(self._run_rows)
                while (ended := await self._next()) is not None:
                    if not self._rules.in_order:
                        yield self._given(*ended)
                        continue
                    early[ended[0].row] = ended
                    while (following := early.pop(state.given, None)) is not None:
                        yield self._given(*following)
                state.is_complete = True
        finally:
            self._journal.close()

    def _given(self, entry: Entry, item: BatchItem) -> BatchItem:
        self.state.given += 1
        self._progress.count(entry, item)
        self._workers.changed.notify()
        return item

    async def _next(self) -> tuple[Entry, BatchItem] | None:
        state = self.state
        async with self._workers.changed:
            await self._workers.wait_for(lambda: bool(state.ended) or (state.is_read and not state.taken))
            if not state.ended:
                return None
            state.taken -= 1
            self._workers.changed.notify()
            return state.ended.popleft()

    # --- reading -----------------------------------------------------------------------------------------------------

    async def _read_rows(self) -> None:
        state, rules = self.state, self._rules
        for number, inputs in enumerate(self._rows):
            digest = digest_of(inputs)
            known = self._journal.entry(number)
            step = first_step(known, rules)
            entry = begun(known, row=number, digest=digest, rules=rules, now=time.time())
            if known is not None and entry.attempt > known.attempt:
                step = "send"
            task = Task(inputs, entry, step)
            if step == "send":
                problem = await self._problem(inputs, is_first=not number and self._journal.is_new)
                if problem is not None:
                    task.entry = entry.now("ended", time.time(), status=REFUSED, error=problem)
                    await self._write(task.entry)
                    task.step = "done"
            async with self._workers.changed:
                state.taken += 1
                await self._workers.wait_for(self._has_room)
                state.read += 1
                if task.step == "done":
                    state.ended.append((task.entry, task.entry.item(inputs)))
                else:
                    (state.searching if task.step == "search" else state.ready).append(task)
                self._workers.changed.notify()
        async with self._workers.changed:
            state.is_read = True
            self._progress.total = state.read
            self._workers.changed.notify()

    def _has_room(self) -> bool:
        state = self.state
        if self._rules.in_order and state.read - state.given >= WINDOW:
            return False
        few = self._rules.at_once
        return len(state.ready) < few and len(state.ended) < few and len(state.searching) < MOST_WAITING

    async def _problem(self, inputs: Mapping[str, Any], *, is_first: bool) -> str | None:
        """Why a row is not sent; None where it is.

        Raises:
            ValueError: it is the first one of a new batch: most often, all rows have the same fault.
        """
        if self._form is None and self._rules.check_inputs and self._rules.workflow_id is None:
            self._form = form_of(await AsyncApp(self._base_client).parameters())
            self._outages.succeeded(Request())
        try:
            checked = to_check(inputs)
            if self._form is not None:
                check_inputs(checked, self._form)
        except (ValueError, OSError) as error:
            if is_first:
                raise
            return str(error)
        return None

    # --- running -----------------------------------------------------------------------------------------------------

    async def _run_rows(self) -> None:
        state, changed = self.state, self._workers.changed
        while True:
            async with changed:
                await self._workers.wait_for(lambda: bool(state.ready) and self._slots.has_room())
                task = state.ready.popleft()
                epoch = self._slots.begin()
                changed.notify()
            pause = 0.0
            try:
                if task.step == "follow":
                    await self._follow(task)
                else:
                    pause = await self._send(task, epoch)
            finally:
                async with changed:
                    self._slots.end()
                    changed.notify()
            if pause:
                await self._life.sleep(pause)
            await self._dispatch(task)

    async def _dispatch(self, task: Task) -> None:
        state = self.state
        async with self._workers.changed:
            if task.step == "done":
                await self._workers.wait_for(lambda: len(state.ended) < self._rules.at_once)
                state.ended.append((task.entry, task.entry.item(task.inputs)))
            elif task.step == "search":
                state.searching.append(task)
            else:
                state.ready.appendleft(task)
            self._workers.changed.notify()

    async def _send(self, task: Task, epoch: int) -> float:
        """Send a row, and read its stream; the seconds to wait where it could not be sent."""
        user = self._user(task)
        inputs = await self._uploaded(task, user)
        if inputs is None:
            return 0.0
        try:
            stream = self._start(inputs, user)
        except ValueError as error:
            await self._end_refused(task, str(error))
            return 0.0
        task.entry = task.entry.now("sending", time.time())
        await self._write(task.entry, sync=True)
        task.sends += 1
        task.searches = 0
        self._outages.begin(task.request)
        try:
            try:
                await self._life.run(Ending(stream), stream.__aenter__)
            except DifyError as error:
                return await self._refused(task, error, epoch)
            task.entry = task.entry.now("accepted", time.time())
            await self._write(task.entry, sync=True)
            self._outages.succeeded(task.request)
            self._slots.accepted()
            self.state.busy_since, task.busy = None, 0
            span = span_of(stream)
            span.is_awaited = True
            result = None
            try:
                result = await self._life.run(Ending(stream), partial(self._read_stream, task, stream))
                if result is None and task.step == "follow":
                    await stream.close()
                    result = await self._follow(task)
            finally:
                span.settle(result, None)
        finally:
            await stream.close()
        return 0.0

    async def _read_stream(self, task: Task, stream: AsyncRunStream) -> WorkflowRunResult | None:
        try:
            with suppress(StopAsyncIteration):
                while stream.workflow_run_id is None:
                    await anext(stream)
            await self._note_start(task, stream)
            result = await stream.wait()
        except WorkflowStreamError as error:
            await self._note_start(task, stream)
            await self._end_reported(task, error)
        except (DifyError, RuntimeError):  # the stream broke, or ended without saying how the run did
            await self._note_start(task, stream)
            task.step = "follow" if task.entry.run else "search"
        else:
            if stream.inputs_refused:
                task.entry = task.entry.now("sending", time.time(), run=None, task=None)
                await self._end_refused(task, result.error or "(no error text)")
            else:
                await self._end(task, result)
            return result
        return None

    async def _note_start(self, task: Task, stream: AsyncRunStream) -> None:
        if task.entry.event == "accepted" and (run_id := stream.workflow_run_id) is not None:
            task.entry = task.entry.now("started", time.time(), run=run_id, task=stream.task_id)
            await self._write(task.entry)

    async def _follow(self, task: Task) -> WorkflowRunResult | None:
        """Wait for the end of a run that was started."""
        run_id, seconds = task.entry.run or "", task.entry.at + self._rules.settle - time.time()
        deadline = time.monotonic() + min(seconds, self._rules.settle)
        while True:
            try:
                result = await ended_result(self._runs, run_id, self._user(task), task.entry.task, self._life)
            except NotFoundError:
                if time.monotonic() >= deadline:
                    task.entry = task.entry.now("lost", time.time(), error=GONE)
                    await self._write(task.entry)
                    task.step = "done"
                    return None
                await self._life.sleep(1.0)  # a lagging replica of the database
            else:
                if result is not None:
                    await self._end(task, result)
                    return result

    async def _end(self, task: Task, result: WorkflowRunResult) -> None:
        task.entry = task.entry.ended(result, time.time())
        await self._write(task.entry)
        task.step = "done"

    async def _end_refused(self, task: Task, error: str) -> None:
        task.entry = task.entry.now("ended", time.time(), status=REFUSED, error=error)
        await self._write(task.entry)
        task.step = "done"

    async def _end_reported(self, task: Task, error: WorkflowStreamError) -> None:
        """The server reported an error in the stream: it is how the run ended, unless the server has another end."""
        run_id = task.entry.run
        if run_id is None:
            await self._end_refused(task, str(error))
            return
        task.entry = task.entry.now("ended", time.time(), status="failed", error=str(error))
        with suppress(DifyError):
            detail = await self._runs.get(run_id)
            if detail.finished_at is not None:
                task.entry = task.entry.now("started", time.time(), status=None, error=None)
                task.step = "follow"
                return
        await self._write(task.entry)
        task.step = "done"

    async def _refused(self, task: Task, error: DifyError, epoch: int) -> float:
        """Decide what follows when a row could not be sent; the seconds to wait.

        Raises:
            DifyError: it concerns every row, or lasts too long.
        """
        now = time.monotonic()
        task.error = str(error)
        meaning = meaning_of(error)
        if meaning == "busy":
            self._slots.refused(epoch)
            state = self.state
            state.busy_since = now if state.busy_since is None else state.busy_since
            if self._slots.active == 1 and now - state.busy_since > OUTAGE:
                raise error
            asked = error.retry_after if isinstance(error, APIStatusError) else None
            task.busy += 1
            await self._note_unsent(task)
            return max(asked or 0.0, pause_of(task.busy))
        if meaning == "outage":
            pause = self._outages.pause(task.request, error, now)
            await self._note_unsent(task)
            if pause is None:
                raise error
            return pause
        if meaning == "refused":
            await self._end_refused(task, str(error))
        elif meaning == "fatal":
            if isinstance(error, APIStatusError):  # else it is not a response of the API, and says nothing of the run
                await self._note_unsent(task)
            raise error
        elif self._rules.one_user:
            task.entry = task.entry.now("lost", time.time(), error=str(error))
            await self._write(task.entry)
            task.step = "done"
        else:
            task.step, task.is_doubtful = "search", meaning == "doubtful"
        return 0.0

    async def _note_unsent(self, task: Task) -> None:
        task.sends -= 1
        task.entry = task.entry.now("unsent", time.time())
        await self._write(task.entry)

    # --- searching ---------------------------------------------------------------------------------------------------

    async def _look_for_rows(self) -> None:
        state, changed = self.state, self._workers.changed
        find: AsyncCallThroughOutages[str, str | None] = AsyncCallThroughOutages(
            self._find, self._outages, self._life, what=WHAT
        )
        while True:
            async with changed:
                await self._workers.wait_for(lambda: bool(state.searching))
                task = min(state.searching, key=lambda one: one.due)
                if task.due > time.monotonic():
                    await self._workers.wait_for(partial(self._has_earlier_search, task.due), task.due)
                    continue
                state.searching.remove(task)
            searched_at = time.time()
            run_id = None if self._rules.one_user else await find(self._user(task))
            task.searches += 1
            if run_id is not None:
                task.entry = task.entry.now("started", time.time(), run=run_id)
                await self._write(task.entry)
                task.step = "follow"
            else:
                await self._not_found(task, searched_at)
            await self._dispatch(task)

    def _has_earlier_search(self, due: float) -> bool:
        return any(one.due < due for one in self.state.searching)

    async def _find(self, user: str) -> str | None:
        page = await AsyncLogs(self._base_client).list(created_by_end_user_session_id=user, limit=1)
        for log in page.data or ():
            if log.workflow_run is not None:
                return log.workflow_run.id
        return None

    async def _not_found(self, task: Task, searched_at: float) -> None:
        next_step = after_search(
            task.entry,
            searched_at=searched_at,
            searches=task.searches,
            sends=task.sends,
            is_doubtful=task.is_doubtful,
            rules=self._rules,
        )
        task.step = next_step.step
        task.due = time.monotonic() + next_step.pause
        if next_step.step == "lost":
            task.entry = task.entry.now("lost", time.time(), error=task.entry.error or LOST)
            await self._write(task.entry)
            task.step = "done"
        elif next_step.step == "refused":
            await self._end_refused(task, task.error or "(no error text)")

    # --- files and journal -------------------------------------------------------------------------------------------

    def _user(self, task: Task) -> str:
        rules, entry = self._rules, task.entry
        return rules.user if rules.one_user else row_user(rules.user, self._journal.batch, entry.row, entry.attempt)

    async def _uploaded(self, task: Task, user: str) -> Mapping[str, Any] | None:
        """A row with its files uploaded; None where one cannot be, and the row is refused."""
        paths = paths_in(task.inputs)
        if not paths:
            return task.inputs
        # Since Dify 1.14 a run can use the files of its own user only.
        is_shared = self._rules.one_user or not has_events(await self._base_client.fetched_version(None))
        owner = self._rules.user if is_shared else user
        files: dict[Path, Any] = {}
        try:
            for path in paths:
                files[path] = await self._upload(path, owner, is_shared=is_shared)
        except (OSError, ValueError) as error:
            await self._end_refused(task, str(error))
            return None
        except APIStatusError as error:
            if meaning_of(error) != "refused":
                raise
            await self._end_refused(task, str(error))
            return None
        found: Mapping[str, Any] = with_paths_replaced(task.inputs, files.__getitem__)
        return found

    async def _upload(self, path: Path, owner: str, *, is_shared: bool) -> Any:  # noqa: ANN401 - JSON is anything
        call: AsyncCallThroughOutages[Path, Any] = AsyncCallThroughOutages(
            partial(self._upload_once, owner), self._outages, self._life, what=WHAT
        )
        if not is_shared:
            return (await call(path)).as_input()
        uploads, uploading, changed = self._journal.uploads, self.state.uploading, self._workers.changed
        key = f"{owner}/{await self._base_client.pool.run_blocking(partial(self._contents.digest, path))}"
        async with changed:
            await self._workers.wait_for(lambda: key not in uploading)
            if key in uploads:
                return uploads[key]
            uploading.add(key)
        try:
            file = (await call(path)).as_input()
            self._journal.note_upload(key, file)
        finally:
            async with changed:
                uploading.discard(key)
                changed.notify()
        return file

    async def _upload_once(self, owner: str, path: Path) -> Any:  # noqa: ANN401 - as above
        return await AsyncFiles(self._base_client).upload(path, user=owner)

    async def _write(self, entry: Entry, *, sync: bool = False) -> None:
        if sync:
            await self._base_client.pool.run_blocking(partial(self._journal.write, entry, sync=True))
        else:
            self._journal.write(entry)

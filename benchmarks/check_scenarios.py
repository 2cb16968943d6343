"""What `check.py` counts: each scenario in a process of its own, without a clock and without a network.

Usage: check_scenarios.py calls|memory SCENARIO   (prints what doing it once takes, as JSON)
       check_scenarios.py run SCENARIO TIMES      (does it so many times, for who counts from outside)
       check_scenarios.py fork SCENARIO ...       (the same with some that can be repeated; prints each process)

A connection leads to responds in memory, below httpcore; everything above it is what users run, without extras. Nothing
that is counted depends on how fast the machine is: nothing waits, and the garbage collector does not run.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import cache
from itertools import repeat as repeat_value
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import FrameType

KEY: Final = "app-benchmark"
ADDRESS: Final = "http://127.0.0.1:1/v1"
ROWS: Final = 2000
EVENTS: Final = 500
UPLOADED_BYTES: Final = 1 << 20
UPLOADED: Final = b'{"id": "00000000-0000-4000-8000-000000000001", "name": "a.pdf", "size": 1, "extension": "pdf"}'

Work: TypeAlias = Callable[[], object]
"""Does the thing once, and gives what a user keeps of it."""
ScriptedResponse: TypeAlias = Callable[[str], bytes]
"""The whole response to a request's target."""


class Scenario(NamedTuple):
    """A thing that is done."""

    setup: Callable[[], Work]
    """Makes all that is needed for it."""
    before: int = 1
    """How often it is done before it is counted; 0 where the first time is the point."""
    times: int = 1
    """How often it is done for one count of instructions, so that there are enough of them."""
    keeps: bool = True
    """Whether what a user keeps of it is large enough to be compared."""


def main(arguments: list[str]) -> None:
    """Count, or run."""
    sys.modules["orjson"] = None  # type: ignore[assignment] # what makes an import of it fail
    # The clock stands: a machine that is busy for a while would let a connection be taken for too old to be used.
    time.monotonic = repeat_value(0.0).__next__
    command, *names = arguments
    if command == "fork":
        fork_each(names)
    elif command == "run":
        repeat(SCENARIOS[names[0]].setup(), int(names[1]))
    else:
        scenario = SCENARIOS[names[0]]
        work = scenario.setup()
        repeat(work, scenario.before)
        print(json.dumps(calls(work) if command == "calls" else memory(work, keeps=scenario.keeps)))


def fork_each(names: list[str]) -> None:
    """Do each scenario that can be repeated in two processes, in one of them so many times more.

    All that is needed is imported once, as this takes most of the time where instructions are counted. Printed are, as
    JSON, a list for each process: the scenario, how often it was done, the process's number.
    """
    repeatable = {name: SCENARIOS[name] for name in names}
    for scenario in repeatable.values():
        if scenario.times > 1:  # the longer ones need hardly anything else
            repeat(scenario.setup(), scenario.before)
    for name, scenario in repeatable.items():
        for times in (scenario.before, scenario.before + scenario.times):
            number = os.fork()
            if not number:
                status = 1
                try:
                    repeat(scenario.setup(), times)
                    status = 0
                finally:
                    os._exit(status)
            if os.waitpid(number, 0)[1]:
                raise RuntimeError(f"{name}: it failed")
            print(json.dumps([name, times, number]), flush=True)


def repeat(work: Work, times: int) -> None:
    """Do it so many times, each time as cleanly as the first."""
    gc.disable()
    for _ in range(times):
        work()
    gc.collect()


def calls(work: Work) -> dict[str, int]:
    """How many functions are called."""
    python = c = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal python, c
        if event == "call":  # also when a generator resumes
            python += 1
        elif event == "c_call":
            c += 1

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return {"Python calls": python, "C calls": c}


def memory(work: Work, *, keeps: bool) -> dict[str, int]:
    """How much is held at the height, and by what the user keeps."""
    tracemalloc.start()
    begun, _ = tracemalloc.get_traced_memory()
    kept = work()
    _, peak = tracemalloc.get_traced_memory()
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return {"bytes at the height": peak - begun, **({"bytes kept": held - begun} if keeps else {})}


# A network in memory ------------------------------------------------------------------------------------------------


class Connection:
    """What httpcore takes for a connection: each request, once its body is whole, is responded to at once."""

    def __init__(self, response: ScriptedResponse) -> None:
        self._response = response
        self._target = ""
        self._missing = -1  # bytes of the request's body; below zero before its head was there
        self._unread = memoryview(b"")

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Take a part of a request: httpcore gives its head as one, and nothing as the end of its body."""
        if not buffer:
            return
        if self._missing < 0:
            head, _, buffer = buffer.partition(b"\r\n\r\n")
            self._target = head.split(b" ", 2)[1].decode("ascii")
            self._missing = _content_length(head)
        self._missing -= len(buffer)
        if self._missing == 0:
            self._missing = -1
            self._unread = memoryview(self._response(self._target))

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Give the next part of the response."""
        part, self._unread = self._unread[:max_bytes], self._unread[max_bytes:]
        return bytes(part)

    def close(self) -> None:
        """There is nothing to close."""

    def get_extra_info(self, info: str) -> None:
        """Nothing is reported, and nothing is read without a request."""


class AsyncConnection:
    """The same for asyncio."""

    def __init__(self, response: ScriptedResponse) -> None:
        self._connection = Connection(response)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Take a part of a request."""
        self._connection.write(buffer)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Give the next part of the response."""
        return self._connection.read(max_bytes)

    async def aclose(self) -> None:
        """There is nothing to close."""

    def get_extra_info(self, info: str) -> None:
        """Nothing is reported."""


def connect_to(response: ScriptedResponse) -> None:
    """Let every connection of this process, wherever it is meant to lead, give these responses."""
    import httpcore

    def connect(*_: object, **__: object) -> Connection:
        return Connection(response)

    async def connect_async(*_: object, **__: object) -> AsyncConnection:
        return AsyncConnection(response)

    httpcore.SyncBackend.connect_tcp = connect  # type: ignore[method-assign, assignment] # it cannot be passed in
    httpcore.AnyIOBackend.connect_tcp = connect_async  # type: ignore[method-assign, assignment] # it cannot be passed in


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


# The scenarios ------------------------------------------------------------------------------------------------------


def import_alone() -> Work:
    """The import of the package."""

    def work() -> None:
        import dify_workflow  # noqa: F401 - the import is the point

    return work


def first_call() -> Work:
    """A program's way to its first response: import, client, call."""
    connect_to(_page(1))

    def work() -> object:
        from dify_workflow import DifyWorkflow

        return DifyWorkflow(api_key=KEY, base_url=ADDRESS).logs.list(limit=1)

    return work


def construction() -> Work:
    """A client is made."""
    from dify_workflow import DifyWorkflow

    return lambda: DifyWorkflow(api_key=KEY, base_url=ADDRESS).logs


def page_of_1() -> Work:
    """A page of one row: hardly more than what each call costs."""
    return _list(1)


def page_of_100() -> Work:
    """A page of 100 rows."""
    return _list(100)


def page_of_100_async() -> Work:
    """A page of 100 rows, with asyncio."""
    from dify_workflow import AsyncDifyWorkflow

    connect_to(_page(100))
    client = AsyncDifyWorkflow(api_key=KEY, base_url=ADDRESS)
    return _in_a_loop(lambda: client.logs.list(limit=100))


def decoding() -> Work:
    """The models of a page of 100 rows."""
    from pages import page

    from dify_workflow.models import WorkflowLogPage

    value = page(100)
    return lambda: WorkflowLogPage.from_dict(value)


def walk() -> Work:
    """A walk over rows, three to a second."""
    from log_server import Synthetic

    from dify_workflow import DifyWorkflow

    connect_to(cache(Synthetic(ROWS).respond))  # the same requests each time: the first walk makes all responses
    client = DifyWorkflow(api_key=KEY, base_url=ADDRESS)
    return lambda: _checked(sum(1 for _ in client.logs.iter()), ROWS)


def stream() -> Work:
    """The stream of a run, its events kept."""
    from dify_workflow import DifyWorkflow

    connect_to(_run())
    client = DifyWorkflow(api_key=KEY, base_url=ADDRESS)

    def work() -> object:
        with client.runs.stream({"query": "hi"}, user="u-1") as events:
            kept = list(events)
        _checked(len(kept), EVENTS)
        return kept

    return work


def stream_async() -> Work:
    """The stream of a run, its events kept, with asyncio."""
    from dify_workflow import AsyncDifyWorkflow

    connect_to(_run())
    client = AsyncDifyWorkflow(api_key=KEY, base_url=ADDRESS)

    async def work() -> object:
        async with client.runs.stream({"query": "hi"}, user="u-1") as events:
            kept = [event async for event in events]
        _checked(len(kept), EVENTS)
        return kept

    return _in_a_loop(work)


def upload() -> Work:
    """A file from disk."""
    from pages import respond

    from dify_workflow import DifyWorkflow

    responded = respond(UPLOADED)
    connect_to(lambda _: responded)
    client = DifyWorkflow(api_key=KEY, base_url=ADDRESS)
    file = _File(UPLOADED_BYTES)
    return lambda: client.files.upload(file.path, user="u-1")


class _File:
    """A file that is there as long as this is."""

    def __init__(self, size: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.path = Path(self._folder.name, "a.pdf")
        self.path.write_bytes(bytes(size))


def _list(rows: int) -> Work:
    from dify_workflow import DifyWorkflow

    connect_to(_page(rows))
    client = DifyWorkflow(api_key=KEY, base_url=ADDRESS)
    return lambda: client.logs.list(limit=rows)


def _page(rows: int) -> ScriptedResponse:
    from pages import body, respond

    responded = respond(body(rows))
    return lambda _: responded


def _run() -> ScriptedResponse:
    from stream_server import HEAD, chunked, events

    responded = HEAD + b"".join(chunked(events(EVENTS)))
    return lambda _: responded


def _in_a_loop(work: Callable[[], Coroutine[Any, Any, object]]) -> Work:
    runner = asyncio.Runner()
    return lambda: runner.run(work())


def _checked(count: int, expected: int) -> int:
    if count != expected:
        raise RuntimeError(f"{count} of {expected}: what is cheap because it loses something is not counted")
    return count


SCENARIOS: Final = {
    "import": Scenario(import_alone, before=0),
    "first call": Scenario(first_call, before=0),
    "client made": Scenario(construction, times=50, keeps=False),
    "page of 1 row": Scenario(page_of_1, times=10, keeps=False),
    "page of 100 rows": Scenario(page_of_100, times=4),
    "page of 100 rows, async": Scenario(page_of_100_async, times=4),
    "decoding 100 rows": Scenario(decoding, times=10),
    f"walk of {ROWS:,} rows": Scenario(walk, keeps=False),
    f"stream of {EVENTS} events": Scenario(stream),
    f"stream of {EVENTS} events, async": Scenario(stream_async),
    "upload of 1 MiB": Scenario(upload, times=3, keeps=False),
}
"""All that is counted."""

if __name__ == "__main__":
    main(sys.argv[1:])

"""Iterators of logs that are left early, in every way: no thread, task, connection or complaint stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import DRIVERS, EACH_DRIVER, Driver
from support.fault_server import KEY, FaultServer, page_response, silence
from support.leaks import nothing_left_open

from dify_workflow import AsyncDifyWorkflow
from dify_workflow._http.library import httpx
from dify_workflow.testing import Sandbox, new_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW = int(time.time())
TAKEN = 300
"""Logs of the last day, which are those that a follow gives; so many are taken, unless it is one."""
ROWS = [
    new_log(created_at=NOW - number - (0 if number < TAKEN else 200_000), status=("running", "failed")[number % 2])
    for number in range(1500)
]
PROGRAM = Path(__file__).with_name("walking_program.py")
KINDS: dict[str, Callable[[Any], Any]] = {
    "follow": lambda client: client.logs.follow(since="1d", poll=0.01),
    "walk": lambda client: client.logs.iter(),
    "workers": lambda client: client.logs.iter(workers=8),
    "details": lambda client: client.logs.iter(details=4, workers=2),
}
WALKS = [kind for kind in KINDS if kind != "follow"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0) as sandbox:
        sandbox.add_logs(ROWS)
        yield sandbox


@pytest.fixture
def no_collector():
    """What is forgotten has to end at once, not when the garbage is next collected."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def walk_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "dify-workflow-walk"]


class LeftError(Exception):
    pass


async def take(logs: Any, count: int = TAKEN) -> None:
    for _ in range(count):
        await anext(logs)


async def by_break(make: Callable[[], Any]) -> None:
    count = 0
    async for _ in make():
        count += 1
        if count == TAKEN:
            break


async def by_close(make: Callable[[], Any]) -> None:
    logs = make()
    await take(logs)
    await logs.close()
    await logs.close()


async def by_with(make: Callable[[], Any]) -> None:
    async with make() as logs:
        await anext(logs)


async def by_an_exception(make: Callable[[], Any]) -> None:
    with contextlib.suppress(LeftError):
        async with make() as logs:
            await take(logs)
            raise LeftError


async def by_an_exception_without_with(make: Callable[[], Any]) -> None:
    with contextlib.suppress(LeftError):
        async for _ in make():
            raise LeftError


async def by_forgetting(make: Callable[[], Any]) -> None:
    await take(make())


async def before_the_first_log(make: Callable[[], Any]) -> None:
    make()
    await make().close()


WAYS = [
    *(by_break, by_close, by_with, by_an_exception, by_an_exception_without_with, by_forgetting, before_the_first_log),
]


async def by_cancellation(make: Callable[[], Any]) -> None:
    async def consume() -> None:
        async with make() as logs:
            await take(logs)
            reached.set()
            await take(logs)

    reached = asyncio.Event()
    task = asyncio.create_task(consume())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def by_a_timeout(make: Callable[[], Any]) -> None:
    async def consume() -> None:
        async with make() as logs:
            async for _ in logs:
                await asyncio.sleep(0.01)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(consume(), 0.05)


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("driver", "leave"),
    [*itertools.product(DRIVERS, WAYS), *((DRIVERS[1], leave) for leave in (by_cancellation, by_a_timeout))],
    ids=lambda value: value.name if isinstance(value, Driver) else value.__name__,
)
def test_leaving_an_iterator_leaves_nothing(driver: Driver, kind: str, leave: Any, sandbox: Sandbox):
    complaints: list[str] = []

    async def story(client: Any) -> None:
        if driver.name == "async":
            handle = asyncio.get_running_loop().set_exception_handler
            handle(lambda _, context: complaints.append(str(context["message"])))
        await leave(lambda: KINDS[kind](client))
        for _ in range(100 if driver.tasks() else 0):  # a loop that was left ends in a task of its own
            await asyncio.sleep(0.01)
            if not driver.tasks():
                break
        assert not driver.tasks()
        assert walk_threads() == []

    with nothing_left_open():
        driver.play(sandbox.base_url, story, api_key=sandbox.api_key)
    assert complaints == []


@EACH_DRIVER
def test_closing_inside_the_loop_ends_a_follow_for_good(driver: Driver, sandbox: Sandbox):
    async def story(client: Any) -> None:
        async with KINDS["follow"](client) as logs:
            seen = 0
            async for _ in logs:
                seen += 1
                if seen == 7:
                    await logs.close()
        assert seen == 7
        with pytest.raises(StopAsyncIteration):
            await anext(logs)
        assert len(logs.checkpoint["unfinished"]) == 3

    driver.play(sandbox.base_url, story, api_key=sandbox.api_key)


@EACH_DRIVER
@pytest.mark.parametrize("kind", WALKS)
def test_a_walk_that_was_left_does_not_look_finished(driver: Driver, kind: str, sandbox: Sandbox):
    async def story(client: Any) -> None:
        async with KINDS[kind](client) as walk:
            await anext(walk)
        with pytest.raises(RuntimeError, match="checkpoint"):
            await anext(walk)

    driver.play(sandbox.base_url, story, api_key=sandbox.api_key)


@EACH_DRIVER
@pytest.mark.parametrize("kind", WALKS)
def test_closing_the_client_under_a_walk_ends_it(driver: Driver, kind: str, sandbox: Sandbox):
    async def story(client: Any) -> None:
        walk = KINDS[kind](client)
        await anext(walk)
        await client.close()
        with pytest.raises(Exception, match="closed"):
            await take(walk, len(ROWS))
        assert not driver.tasks()
        assert walk_threads() == []

    with nothing_left_open():
        driver.play(sandbox.base_url, story, api_key=sandbox.api_key)


@pytest.mark.parametrize("options", [{"workers": 4}, {"details": 4}], ids=str)
@pytest.mark.parametrize("most", [0, 2])
def test_threads_that_cannot_be_started_are_the_error(options: Any, most: int, sandbox: Sandbox, monkeypatch):
    begun: list[threading.Thread] = []
    start = threading.Thread.start

    def start_few(thread: threading.Thread) -> None:
        if thread.name == "dify-workflow-walk":
            if len(begun) == most:
                raise RuntimeError("can't start new thread")
            begun.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_few)
    with nothing_left_open(), sandbox.client() as client:
        with pytest.raises(RuntimeError, match="can't start new thread"):
            list(client.logs.iter(**options))
        assert not [thread for thread in begun if thread.is_alive()]


@pytest.mark.timeout(40)
def test_waiting_workers_do_not_keep_a_walk_from_ending(sandbox: Sandbox):
    asked_to_wait, others = threading.Event(), set(threading.enumerate())

    class Busy(httpx.HTTPTransport):
        """Lets nobody look further ahead than the first ranges."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if int(request.url.params["page"]) <= 6:
                return super().handle_request(request)
            asked_to_wait.set()
            return httpx.Response(429, headers={"Retry-After": "59"})

    with httpx.Client(transport=Busy()) as http, sandbox.client(http_client=http) as client:
        walk = client.logs.iter(workers=8)
        assert len([next(walk) for _ in range(202)]) == 202
        assert asked_to_wait.wait(20)
        walk.close()
        left = set(threading.enumerate()) - others
        assert not [thread for thread in left if thread.name == "dify-workflow-walk"]


@pytest.mark.parametrize("moment", ["while it waits", "while it asks"])
def test_a_cancelled_task_ends_at_once_and_its_checkpoint_holds(moment: str):
    async def cancel() -> None:
        behaviours = [page_response(rows=2)] + ([silence()] if moment == "while it asks" else [])
        with FaultServer(*behaviours) as server:
            async with AsyncDifyWorkflow(api_key=KEY, base_url=server.base_url) as client:
                poll = 0.01 if moment == "while it asks" else 1000.0
                follow = client.logs.follow(since="2026-01-01", poll=poll)
                rows = [await anext(follow) for _ in range(2)]
                task = asyncio.ensure_future(anext(follow))
                while len(server.requests) < len(behaviours):  # noqa: ASYNC110 - it happens in another thread
                    await asyncio.sleep(0.005)
                await asyncio.sleep(0.01)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert asyncio.all_tasks() == {asyncio.current_task()}
                assert set(follow.checkpoint["recent"]) == {log.id for log in rows}
                with pytest.raises(RuntimeError, match="checkpoint"):
                    await anext(follow)

    with nothing_left_open():
        asyncio.run(cancel(), debug=True)


# Ctrl-C -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["with", "bare"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_ctrl_c_ends_a_program_with_eight_workers(kind: str, how: str):
    with Sandbox(rows=0) as sandbox:
        sandbox.add_logs(ROWS)

        def slow_down(_: object) -> None:
            if len(sandbox.requests) > 5:
                sandbox.traps.latency = 0.3

        sandbox.traps.before_request = slow_down
        command = [sys.executable, "-W", "error", PROGRAM, kind, how, sandbox.base_url, sandbox.api_key]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "under way\n"
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=30)
            finally:
                process.kill()
        sandbox.traps.latency = 0
        sandbox.traps.before_request = None
        if kind == "sync" and how == "bare":
            assert process.returncode == -signal.SIGINT
            assert err.rstrip().endswith("KeyboardInterrupt")
            assert "Error" not in err
            return
        assert (process.returncode, err) == (7, "")
        left = json.loads(out)
        assert left["threads"] == []
        with sandbox.client() as client:
            rest = [log.id for log in client.logs.iter(checkpoint=left["checkpoint"])]
        assert len(rest) == 1500 - left["checkpoint"]["seen"]
        assert set(rest) <= {row.id for row in ROWS}


SYNC_PROGRAM = """
import json, sys
from dify_workflow import DifyWorkflow

with DifyWorkflow(api_key=sys.argv[1], base_url=sys.argv[2]) as client:
    rows = client.logs.follow(since="1d", poll=3600)
    try:
        for log in rows:
            print(log.id, flush=True)
    except KeyboardInterrupt:
        print(json.dumps(rows.checkpoint), flush=True)
"""


ASYNC_PROGRAM = """
import asyncio, json, sys
from dify_workflow import AsyncDifyWorkflow

async def main():
    async with AsyncDifyWorkflow(api_key=sys.argv[1], base_url=sys.argv[2]) as client:
        rows = client.logs.follow(since="1d", poll=3600)
        try:
            async for log in rows:
                print(log.id, flush=True)
        except asyncio.CancelledError:
            print(json.dumps(rows.checkpoint), flush=True)
            raise

try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
"""


def test_programs_of_tests_can_be_ended_by_ctrl_c():
    """Also in the background of a shell: see `pytest_configure`."""
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be sent Ctrl-C alone there")
@pytest.mark.parametrize("program", [SYNC_PROGRAM, ASYNC_PROGRAM], ids=["sync", "async"])
def test_ctrl_c_while_it_waits_ends_a_program_without_noise(program: str):
    with Sandbox(rows=0) as sandbox:
        log = sandbox.add_log(status="running")
        command = [sys.executable, "-W", "error", "-c", program, sandbox.api_key, sandbox.base_url]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline() == log.id + "\n"
            time.sleep(0.3)  # by now it waits; should the machine be slower, Ctrl-C comes earlier, and must do as well
            process.send_signal(signal.SIGINT)
            checkpoint = json.loads(process.stdout.read())
            assert process.stderr.read() == ""
            assert process.wait() == 0
        assert set(checkpoint["recent"]) == {log.id}
        with sandbox.client() as client, client.logs.follow(checkpoint=checkpoint, poll=0.01) as rows:
            assert log.run is not None
            sandbox.update_run(log.run.id, status="succeeded", finished_at=NOW)
            assert next(rows).id == log.id

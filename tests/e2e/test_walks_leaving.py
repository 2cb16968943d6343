"""Walks that are left early, in every way: no thread, task, connection or complaint stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.leaks import nothing_left_open

from dify_workflow._http.library import httpx
from dify_workflow.testing import Sandbox, new_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dify_workflow import DifyWorkflow

NOW = 1_790_000_000
ROWS = [new_log(created_at=NOW - number // 3) for number in range(1500)]
ALL = sorted(row.id for row in ROWS)
PROGRAM = Path(__file__).with_name("walking_program.py")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0) as sandbox:
        sandbox.add_logs(ROWS)
        yield sandbox


class LeftError(Exception):
    pass


def by_break(client: DifyWorkflow, workers: int) -> None:
    for number, _ in enumerate(client.logs.iter(workers=workers)):
        if number == 300:
            break


def by_close(client: DifyWorkflow, workers: int) -> None:
    walk = client.logs.iter(workers=workers)
    for _ in range(300):
        next(walk)
    walk.close()


def by_with(client: DifyWorkflow, workers: int) -> None:
    with client.logs.iter(workers=workers) as walk:
        next(walk)


def by_an_exception(client: DifyWorkflow, workers: int) -> None:
    with contextlib.suppress(LeftError):
        for number, _ in enumerate(client.logs.iter(workers=workers)):
            if number == 300:
                raise LeftError


def by_forgetting(client: DifyWorkflow, workers: int) -> None:
    walk = client.logs.iter(workers=workers)
    for _ in range(300):
        next(walk)
    del walk


def before_the_first_row(client: DifyWorkflow, workers: int) -> None:
    client.logs.iter(workers=workers)
    client.logs.iter(workers=workers).close()


def by_closing_the_client_under_it(client: DifyWorkflow, workers: int) -> None:
    walk = client.logs.iter(workers=workers)
    next(walk)
    client.close()
    with pytest.raises(Exception, match="closed"):
        list(walk)


SYNC_WAYS = [
    by_break, by_close, by_with, by_an_exception, by_forgetting, before_the_first_row, by_closing_the_client_under_it,
]  # fmt: skip


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("leave", SYNC_WAYS)
def test_nothing_of_a_sync_walk_stays_behind(
    leave: Callable[[DifyWorkflow, int], None], workers: int, sandbox: Sandbox
):
    with nothing_left_open():
        threads = set(threading.enumerate())
        with sandbox.client() as client:
            leave(client, workers)
            assert {thread for thread in threading.enumerate() if thread.name == "dify-workflow-walk"} <= threads


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


async def async_break(client: Any, workers: int) -> None:
    number = 0
    async for _ in client.logs.iter(workers=workers):
        number += 1
        if number == 300:
            break


async def async_close(client: Any, workers: int) -> None:
    walk = client.logs.iter(workers=workers)
    for _ in range(300):
        await anext(walk)
    await walk.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def async_with(client: Any, workers: int) -> None:
    async with client.logs.iter(workers=workers) as walk:
        await anext(walk)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def async_exception(client: Any, workers: int) -> None:
    with contextlib.suppress(LeftError):
        async with client.logs.iter(workers=workers) as walk:
            async for _ in walk:
                if walk.seen == 300:
                    raise LeftError
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def async_cancelled(client: Any, workers: int) -> None:
    async def consume() -> None:
        async with client.logs.iter(workers=workers) as walk:
            async for _ in walk:
                if walk.seen == 300:
                    reached.set()

    reached = asyncio.Event()
    task = asyncio.create_task(consume())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def async_timeout(client: Any, workers: int) -> None:
    async def consume() -> None:
        async with client.logs.iter(workers=workers) as walk:
            async for _ in walk:
                await asyncio.sleep(0.01)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(consume(), 0.05)
    assert asyncio.all_tasks() == {asyncio.current_task()}


ASYNC_WAYS = [async_break, async_close, async_with, async_exception, async_cancelled, async_timeout]


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("leave", ASYNC_WAYS)
def test_nothing_of_an_async_walk_stays_behind(leave: Any, workers: int, sandbox: Sandbox):
    complaints: list[str] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(str(context["message"])))
        async with sandbox.async_client() as client:
            await leave(client, workers)
            for _ in range(100):  # a loop that was left ends in a task of its own
                if asyncio.all_tasks() == {asyncio.current_task()}:
                    break
                await asyncio.sleep(0.01)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    with nothing_left_open():
        asyncio.run(run())
    assert complaints == []


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
        assert set(rest) <= set(ALL)

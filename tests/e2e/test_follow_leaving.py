"""Leaving `logs.follow`, in whatever way, leaves nothing behind: no thread, task, connection, or complaint."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from support.fault_server import KEY, FaultServer, page_response, silence
from support.leaks import nothing_left_open

from dify_workflow import AsyncDifyWorkflow, DifyWorkflow
from dify_workflow.testing import Sandbox, new_log

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = int(time.time())
ROWS = 300


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0) as sandbox:
        sandbox.add_logs(new_log(created_at=NOW - n, status=("running", "failed")[n % 2]) for n in range(ROWS))
        yield sandbox


@pytest.mark.parametrize("taken", [0, 1, 140, ROWS])
def test_a_break_leaves_nothing(sandbox: Sandbox, taken: int):
    with nothing_left_open(), sandbox.client() as client:
        seen = 0
        for _ in client.logs.follow(since="1d", poll=0.01):
            seen += 1
            if seen >= taken:
                break
    assert seen == max(taken, 1)


@pytest.mark.parametrize("taken", [0, 1, 220, ROWS])
def test_with_and_close_end_it_and_iterating_then_stops(sandbox: Sandbox, taken: int):
    with nothing_left_open(), sandbox.client() as client:
        with client.logs.follow(since="1d", poll=0.01) as rows:
            for _ in range(taken):
                next(rows)
        assert list(rows) == []
        rows.close()
        assert len(rows.checkpoint["unfinished"]) == taken // 2


def test_closing_inside_the_loop_ends_the_loop(sandbox: Sandbox):
    with sandbox.client() as client, client.logs.follow(since="1d", poll=0.01) as rows:
        seen = 0
        for _ in rows:
            seen += 1
            if seen == 7:
                rows.close()
    assert seen == 7


def test_a_callers_exception_passes_and_leaves_nothing(sandbox: Sandbox):
    def fail() -> None:
        with sandbox.client() as client, client.logs.follow(since="1d", poll=0.01) as rows:
            for _ in rows:
                raise LookupError("the caller's own")

    with nothing_left_open(), pytest.raises(LookupError):
        fail()


@pytest.mark.parametrize("taken", [0, 1, 220, ROWS])
@pytest.mark.parametrize("way", ["break", "with", "exception"])
def test_async_leaving_leaves_no_task_and_nothing_else(sandbox: Sandbox, taken: int, way: str):
    async def leave() -> int:
        seen = 0
        async with sandbox.async_client() as client:
            follow = client.logs.follow(since="1d", poll=0.01)
            async with contextlib.AsyncExitStack() as stack:
                if way != "break":
                    await stack.enter_async_context(follow)
                if taken:
                    async for _ in follow:
                        seen += 1
                        if seen == taken and way == "exception":
                            raise LookupError("the caller's own")
                        if seen == taken:
                            break
        del follow
        gc.collect()
        # Whoever just forgets it leaves its end to the loop, which takes a turn or two for that.
        while asyncio.all_tasks() != {asyncio.current_task()}:  # noqa: ASYNC110 - tasks of Python's own
            await asyncio.sleep(0)
        return seen

    with nothing_left_open():
        if way == "exception" and taken:
            with pytest.raises(LookupError):
                asyncio.run(leave(), debug=True)
        else:
            assert asyncio.run(leave(), debug=True) == taken


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


def test_no_thread_works_for_it(sandbox: Sandbox):
    before = set(threading.enumerate())
    with sandbox.client() as client, client.logs.follow(since="1d", poll=0.01) as rows:
        for _ in range(220):
            next(rows)
        assert set(threading.enumerate()) == before


def test_forgetting_it_ends_it(sandbox: Sandbox):
    with nothing_left_open():
        client = DifyWorkflow(api_key=sandbox.api_key, base_url=sandbox.base_url)
        next(client.logs.follow(since="1d", poll=0.01))
        client.close()


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

"""Iterators that are forgotten, and freed by the garbage collector wherever it comes by, do not stop the client."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.fault_server import KEY, Behaviour, FaultServer, event_stream, page_response, sse
from support.leaks import nothing_left_open

from dify_workflow import AsyncDifyWorkflow, DifyWorkflow
from dify_workflow._http.library import httpx
from dify_workflow._http.open_responses import lock_of

if TYPE_CHECKING:
    from support.fault_server import Exchange

HELLO = sse({"event": "text_chunk", "task_id": "t", "workflow_run_id": "r", "data": {"text": "x"}})

PROGRAM = """
import faulthandler, gc, os, sys, threading
from dify_workflow._http.library import httpx
from dify_workflow import DifyWorkflow

faulthandler.dump_traceback_later(50, exit=True)
own, key, base_url = sys.argv[1:]
limits = httpx.Limits(max_connections=100)
http = httpx.Client(limits=limits) if own == "own" else None
client = DifyWorkflow(api_key=key, base_url=base_url, timeout=10, max_retries=0, http_client=http)
ended, calls = threading.Event(), 0

class Relay:
    "Hands on what an iterator gives, and is a part of a cycle with the generator that does it."
    def __init__(self, iterator):
        self.items = self.read(iterator)
    def read(self, iterator):
        with iterator as items:
            for item in items:
                yield item

class Holder:
    "Holds an iterator in a cycle."
    def __init__(self, iterator):
        self.itself, self.iterator = self, iterator

def stream():
    return client.runs.stream({}, user="u-1")

KINDS = {
    "plain": lambda: next(stream().__enter__()),
    "held": lambda: next(Holder(stream().__enter__()).iterator),
    "unread": lambda: Holder(stream().__enter__()),
    "generator": lambda: next(Relay(stream()).items),
    "walk": lambda: next(Relay(client.logs.iter(workers=2)).items),
    "details": lambda: next(Relay(client.logs.iter(details=2)).items),
    "follow": lambda: next(Relay(client.logs.follow(since="2020-01-01")).items),
}
TIMES = {"held": 60, "generator": 60} if own else {
    "plain": 100, "held": 250, "unread": 50, "generator": 250, "walk": 40, "details": 40, "follow": 40
}

def call():
    global calls
    while not ended.is_set():
        client.logs.list()
        calls += 1

gc.set_threshold(60, 3, 3)  # it comes by often, and nearly everywhere
other = threading.Thread(target=call)
other.start()
for kind, times in TIMES.items():
    print(kind, flush=True)
    for _ in range(times):
        KINDS[kind]()
ended.set()
other.join()
gc.collect()
client.logs.list()
assert calls > 3, calls
open_files = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
assert open_files < 20, open_files
print("done")
"""


async def respond(exchange: Exchange) -> None:
    assert exchange.request is not None
    is_stream = exchange.request.method == "POST" or exchange.request.path.partition("?")[0].endswith("/events")
    behaviour = event_stream(HELLO, then="wait") if is_stream else page_response(rows=3)
    await behaviour.play(exchange)


@pytest.mark.parametrize("own", ["", "own"], ids=["own connections", "a client"])
def test_forgotten_iterators_let_other_threads_go_on(own: str):
    with FaultServer(Behaviour("streams and pages", respond)) as server:
        command = [sys.executable, "-c", PROGRAM, own, KEY, server.base_url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout.endswith("\ndone\n"), done  # else the last line says what was forgotten
        assert done.returncode == 0, done.stderr
        assert server.wait_for_no_connection()


def test_httpcore_still_has_the_lock_that_is_looked_at():
    """When this fails, a release of httpcore has moved the lock of its pool: `lock_of` has to look elsewhere."""
    with (
        FaultServer(page_response()) as server,
        httpx.Client() as http,
        http.stream("GET", server.base_url) as response,
    ):
        assert lock_of(response.stream) is not None


def test_forgotten_streams_give_their_connections_back():
    with nothing_left_open(), FaultServer(event_stream(HELLO, then="wait")) as server:
        client = DifyWorkflow(api_key=KEY, base_url=server.base_url)
        for number in range(120):  # more than the pool has
            events = client.runs.stream({}, user="u-1").__enter__()
            if number % 2:
                next(events)
        del events
        assert server.wait_for_no_connection()
        client.close()


def test_forgotten_async_streams_give_their_connections_back():
    async def use(server: FaultServer) -> None:
        async with AsyncDifyWorkflow(api_key=KEY, base_url=server.base_url) as client:
            for number in range(120):
                events: Any = await client.runs.stream({}, user="u-1").__aenter__()
                if number % 2:
                    await anext(events)
                del events
                gc.collect(0)

    with nothing_left_open(), FaultServer(event_stream(HELLO, then="wait")) as server:
        asyncio.run(use(server))
        assert server.wait_for_no_connection()


def test_a_stream_closed_inside_httpcore_ends_its_connection():
    with nothing_left_open(), FaultServer(event_stream(HELLO, then="wait")) as server:
        client = DifyWorkflow(api_key=KEY, base_url=server.base_url)
        events = client.runs.stream({}, user="u-1").__enter__()
        responses = client._base_client.pool.connections()._responses  # type: ignore[union-attr]
        assert responses.begin()  # as where a collection begins in httpcore
        events.close()
        assert server.wait_for_no_connection()
        responses.end()
        client.close()


ENDING = """
import asyncio, sys
from dify_workflow import AsyncDifyWorkflow, DifyWorkflow

options = {"api_key": sys.argv[1], "base_url": sys.argv[2]}
client, run_id = DifyWorkflow(**options), "fa4cf86e-b841-4148-a141-7c32afcb82ce"
iterators = [
    client.runs.stream({}, user="u-1").__enter__(),
    client.logs.iter(workers=2),
    client.logs.iter(details=2),
    client.logs.follow(since="2020-01-01"),
    client.logs.changes(since="2020-01-01"),
]
iterators.append(iterators)  # freed by the last collection

async def main():
    client = AsyncDifyWorkflow(**options)
    stream = await client.runs.stream({}, user="u-1").__aenter__()
    iterators.extend([stream, client.logs.iter(workers=2), client.logs.follow(since="2020-01-01")])
    for iterator in iterators[-3:]:
        await anext(iterator)

for iterator in iterators[:5]:
    next(iterator)
asyncio.run(main())
left = client.runs.events(run_id, user="u-1").__enter__()
next(left)
"""


def test_a_program_that_ends_with_open_iterators_is_quiet():
    with FaultServer(Behaviour("streams and pages", respond)) as server:
        command = [sys.executable, "-c", ENDING, KEY, server.base_url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")

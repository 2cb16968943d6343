"""A client in forked processes: a child never uses, and never closes, a connection of its parent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from support.fault_server import (
    KEY,
    Behaviour,
    Exchange,
    FaultServer,
    event_stream,
    json_response,
    log_page,
    page_response,
    sse,
)
from support.tls import certified

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

PRELUDE = """
import asyncio, gc, json, os, sys, threading, time, traceback
from dify_workflow import AsyncDifyWorkflow, DifyWorkflow

key, base_url = sys.argv[1:]

def client(cls=DifyWorkflow, **options):
    return cls(api_key=key, base_url=base_url, backoff=0, timeout=20, **options)

def fork(work):
    "Do something in a child; what it returns can be read from the file."
    reading, writing = os.pipe()
    if not (process := os.fork()):
        try:
            result = work()
        except BaseException as error:
            traceback.print_exc()
            result = f"{type(error).__name__}: {error}"
        os.write(writing, json.dumps(result).encode())
        gc.collect()
        os._exit(0)
    os.close(writing)
    return process, reading

def results(children):
    found = []
    for process, reading in children:
        with os.fdopen(reading) as file:
            found.append(json.loads(file.read()))
        os.waitpid(process, 0)
    return found

def own(client, name):
    "How many of some calls did not give what was requested."
    return sum(client.logs.list(keyword=str(name * 100 + n)).total != name * 100 + n for n in range(8))
"""


def echo() -> Behaviour:
    """A page whose total is the number that was given as keyword, after a moment in which others may interfere."""

    async def play(exchange: Exchange) -> None:
        assert exchange.request is not None
        keyword = parse_qs(urlsplit(exchange.request.path).query).get("keyword", ["1"])[0]
        await json_response(200, {**log_page(), "total": int(keyword)}).play(exchange)

    return Behaviour("echo", play)


def run(program: str, server: FaultServer, *options: str) -> Any:
    """What a program prints as JSON; nothing else may be printed, and no warning."""
    command = [sys.executable, *(options or ("-W", "error")), "-c", PRELUDE + program, KEY, server.base_url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.fixture(params=["direct", "proxy", "TLS"])
def server(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    """A server that echoes numbers, reached in each way."""
    tls = certified(tmp_path / "authority.pem") if request.param == "TLS" else None
    with FaultServer(echo(), tls=tls) as server:
        if request.param == "TLS":
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        if request.param == "proxy":
            monkeypatch.setenv("http_proxy", server.origin)
            monkeypatch.delenv("no_proxy", raising=False)
            monkeypatch.delenv("NO_PROXY", raising=False)
        yield server


def test_children_and_parent_each_get_their_own_responses(server: FaultServer):
    program = """
made = client()
derived = made.with_options(max_retries=1)
made.logs.list()
begun = time.monotonic()
def use_and_close():
    wrong = own(made, 1)
    made.close()
    gc.collect()
    return wrong
wrong = results([fork(use_and_close)])
made.logs.list()
idle = time.monotonic() - begun
children = [fork(lambda n=n: own((made, derived)[n % 2], n)) for n in range(1, 5)]
print(json.dumps([idle, [*wrong, own(made, 9), *results(children)]]))
"""
    idle, wrong = run(program, server)
    assert wrong == [0] * 6
    first, *child, last = [request.connection for request in server.requests[:10]]
    assert first not in child
    assert last == first or idle > 1.4  # the child left the connection open; an idle one is not used for longer


def test_a_child_that_exits_as_usual_says_nothing():
    program = """
made = client()
made.logs.list()
if not os.fork():
    made.logs.list()
    made.close()
    sys.exit()
os.wait()
made.close()
print(json.dumps("done"))
"""
    with FaultServer(page_response()) as server:
        assert run(program, server, "-X", "dev", "-W", "error") == "done"


def test_a_client_in_use_by_other_threads_can_be_forked():
    program = """
made = client()
made.logs.list()  # a thread that is importing something keeps every child from importing it, whatever it is
ended = threading.Event()
def use():
    while not ended.is_set():
        made.logs.list()
threads = [threading.Thread(target=use) for _ in range(2)]
for thread in threads:
    thread.start()
children = [fork(lambda n=n: own(made, n)) for n in range(1, 9)]
found = results(children)
ended.set()
for thread in threads:
    thread.join()
print(json.dumps(found))
"""
    with FaultServer(echo()) as server:
        assert run(program, server) == [0] * 8


def test_a_child_may_fork_again():
    program = """
made = client()
made.logs.list()
def fork_again():
    before = own(made, 1)
    inner = [fork(lambda n=n: own(made, n)) for n in (2, 3)]
    return before + own(made, 4) + sum(results(inner))
print(json.dumps(results([fork(fork_again), fork(fork_again)])))
"""
    with FaultServer(echo()) as server:
        assert run(program, server) == [0, 0]


def test_an_async_client_works_in_a_loop_of_the_child():
    program = """
made = client(AsyncDifyWorkflow)
async def wrong(name):
    return sum([(await made.logs.list(keyword=str(name * 100 + n))).total != name * 100 + n for n in range(8)])
async def main():
    await made.logs.list()
    children = []
    for name in range(1, 5):
        def work(name=name):
            asyncio.events._set_running_loop(None)
            return asyncio.run(wrong(name))
        children.append(fork(work))
    found = [await wrong(9), *results(children)]
    await made.close()
    return found
print(json.dumps(asyncio.run(main())))
"""
    with FaultServer(echo()) as server:
        assert run(program, server, "-W", "error", "-W", "ignore::ResourceWarning") == [0] * 5


def test_multiprocessing_uses_a_client_in_every_way_of_starting():
    program = """
import multiprocessing
made = client()
def total(number):
    return made.logs.list(keyword=str(number)).total - number
if __name__ == "__main__":
    made.logs.list()
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(json.dumps(pool.map(total, range(1, 31), chunksize=1)))
        pool.close()
        pool.join()
"""
    with FaultServer(echo()) as server:
        assert run(program, server) == [0] * 30


# Iterators ----------------------------------------------------------------------------------------------------------

HELLO = sse({"event": "text_chunk", "task_id": "t", "workflow_run_id": "r", "data": {"text": "x"}})


async def respond(exchange: Exchange) -> None:
    assert exchange.request is not None
    if exchange.request.method == "POST":
        await event_stream(HELLO, HELLO, then="wait").play(exchange)
    elif "/run/" in exchange.request.path:
        await json_response(200, {"id": "x", "status": "succeeded", "workflow_id": "w"}).play(exchange)
    else:
        await page_response(rows=9).play(exchange)


def test_an_open_iterator_belongs_to_the_process_that_opened_it():
    program = """
client = client()
MAKE = {
    "walk": lambda: client.logs.iter(),
    "walk with details": lambda: client.logs.iter(details=4),
    "follow": lambda: client.logs.follow(since="2020-01-01", poll=1000),
    "stream": lambda: client.runs.stream({}, user="u-1"),
}
found = {}
for kind, make in MAKE.items():
    with make() as items:
        next(items)
        def use():
            found = []
            for action in (lambda: next(items), lambda: next(items), items.__enter__):
                try:
                    action()
                    found.append("nothing")
                except RuntimeError as error:
                    found.append(str(error))
            items.close()
            items.close()
            own_items = globals().pop("items")
            del own_items
            gc.collect()
            return found + [client.logs.list().total]
        [found[kind]] = results([fork(use)])
        next(items)
print(json.dumps(found))
"""
    with FaultServer(Behaviour("streams and pages", respond)) as server:
        found = run(program, server)
    assert len(found) == 4
    for kind, (*refusals, total) in found.items():
        assert len(refusals) == 3
        assert all(refusal.startswith(f"this {kind.split()[0]} ") and "forked" in refusal for refusal in refusals)
        assert total == 9


def test_an_async_iterator_belongs_to_the_process_that_opened_it():
    program = """
client = client(AsyncDifyWorkflow)
async def main():
    async with client.runs.stream({}, user="u-1") as events, client.logs.follow(since="2020-01-01") as follow:
        await anext(events), await anext(follow)
        async def use():
            found = []
            for items in (events, follow):
                try:
                    await anext(items)
                except RuntimeError as error:
                    found.append(str(error))
                await items.close()
            return [*found, (await client.logs.list()).total]
        def work():
            asyncio.events._set_running_loop(None)
            return asyncio.run(use())
        [found] = results([fork(work)])
        await anext(events), await anext(follow)
    await client.close()
    return found
print(json.dumps(asyncio.run(main())))
"""
    with FaultServer(Behaviour("streams and pages", respond)) as server:
        stream, follow, total = run(program, server, "-W", "error", "-W", "ignore::ResourceWarning")
    assert "this stream" in stream
    assert "this follow" in follow
    assert "forked" in stream
    assert total == 9

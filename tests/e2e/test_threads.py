"""One client in many threads: one pool of connections, every response to whom it belongs, and nothing left behind."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from support.fault_server import (
    KEY,
    Behaviour,
    Exchange,
    FaultServer,
    gather,
    json_response,
    log_page,
    page_response,
    reset,
    respond,
)
from support.leaks import nothing_left_open

from dify_workflow import DifyWorkflow, InternalServerError
from dify_workflow._http.library import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 16


def in_threads(action: Callable[[int], Any], count: int = THREADS) -> list[Any]:
    """The results of `action(0)`, `action(1)`, ... each from a thread of its own, all begun at one moment."""
    together = threading.Barrier(count)

    def begin(number: int) -> Any:
        together.wait(10)
        return action(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(begin, range(count)))


def made_for(server: FaultServer, **options: Any) -> DifyWorkflow:
    return DifyWorkflow(api_key=KEY, base_url=server.base_url, backoff=0, **options)


def echo() -> Behaviour:
    """A page whose total is the number that was given as keyword."""

    async def play(exchange: Exchange) -> None:
        assert exchange.request is not None
        keyword = parse_qs(urlsplit(exchange.request.path).query)["keyword"][0]
        await json_response(200, {**log_page(), "total": int(keyword)}).play(exchange)

    return Behaviour("echo", play)


def test_sixteen_threads_share_one_pool_and_leave_nothing():
    rounds = 10
    with nothing_left_open(), FaultServer(gather(THREADS, echo())) as server:
        with made_for(server) as client:

            def read(number: int) -> list[int]:
                return [client.logs.list(keyword=str(number * 1000 + turn)).total for turn in range(rounds)]

            results = in_threads(read)
        assert server.wait_for_no_connection()
    assert results == [[number * 1000 + turn for turn in range(rounds)] for number in range(THREADS)]
    assert len(server.requests) == THREADS * rounds
    # All were sending at once, then each continued with what was there; one that idled too long is made again.
    assert THREADS <= server.connections < 3 * THREADS


def test_threads_that_meet_at_the_first_call_make_one_pool():
    # A second pool would be lost, with its open connection, when the first is put in its place.
    with nothing_left_open(), FaultServer(gather(THREADS, page_response())) as server:
        with made_for(server) as client:
            in_threads(lambda _: client.logs.list())
            assert server.connections == THREADS
        assert server.wait_for_no_connection()


def test_derived_clients_in_threads_share_the_pool():
    with nothing_left_open(), FaultServer(gather(THREADS, page_response())) as server:
        with made_for(server) as client:

            def read(number: int) -> int:
                derived = client.with_options(timeout=10 + number, max_retries=0)
                return sum(derived.logs.list().total for _ in range(5))

            assert in_threads(read) == [5] * THREADS
        assert server.wait_for_no_connection()
    assert THREADS <= server.connections < 3 * THREADS


def test_an_error_in_one_thread_is_none_in_another():
    async def play(exchange: Exchange) -> None:
        assert exchange.request is not None
        broken = "keyword=odd" in exchange.request.path
        await (respond(500, "broken") if broken else page_response()).play(exchange)

    with nothing_left_open(), FaultServer(Behaviour("odd ones break", play)) as server, made_for(server) as client:

        def read(number: int) -> str:
            try:
                client.logs.list(keyword="odd" if number % 2 else "even", timeout=10)
            except InternalServerError as error:
                return str(error.request.url.params["keyword"])
            return "page"

        assert in_threads(read) == ["page", "odd"] * (THREADS // 2)


def test_threads_recover_from_cut_connections_each_for_itself():
    cuts = [reset() for _ in range(THREADS)]
    with nothing_left_open(), FaultServer(*cuts, page_response()) as server:
        with made_for(server, max_retries=THREADS) as client:
            assert in_threads(lambda _: client.logs.list().total) == [1] * THREADS
        assert server.wait_for_no_connection()
    assert len(server.requests) == 2 * THREADS


def test_the_callers_own_httpx_client_is_used_and_stays_open():
    own = {"headers": {"X-Mine": "1"}, "limits": httpx.Limits(max_connections=THREADS)}
    with nothing_left_open(), FaultServer(page_response()) as server, httpx.Client(**own) as http:
        with made_for(server, http_client=http) as client:
            assert in_threads(lambda _: sum(client.logs.list().total for _ in range(5))) == [5] * THREADS
        client.close()
        assert not http.is_closed
        assert made_for(server, http_client=http).logs.list().total == 1
        assert http.get(server.base_url).status_code == 200
    assert {request.headers.get("x-mine") for request in server.requests} == {"1"}


def test_derived_clients_share_the_pool_and_end_with_it():
    with nothing_left_open(), FaultServer(page_response()) as server:
        client = made_for(server)
        with client.with_options(timeout=5) as derived:
            derived.logs.list()
            client.logs.list()
        client.logs.list()  # closing a derived client closed nothing
        derived.logs.list()
        derived.with_options(max_retries=0).logs.list()
        assert server.connections == 1
        client.close()
        assert server.wait_for_no_connection()
        for closed in (client, derived):
            with pytest.raises(RuntimeError, match="closed"):
                closed.logs.list()


def test_closing_twice_or_before_any_call_is_fine():
    with nothing_left_open(), FaultServer(page_response()) as server:
        with made_for(server) as client:
            client.close()
            client.close()
        with made_for(server) as client:
            client.logs.list()
            client.close()
    assert server.connections == 1


def test_a_client_that_is_forgotten_closes_its_connections():
    with nothing_left_open(), FaultServer(page_response()) as server:
        client = made_for(server)
        client.logs.list()
        gone = weakref.ref(client)
        del client
        gc.collect()
        assert gone() is None
        assert server.wait_for_no_connection()


def test_a_sibling_keeps_the_pool_of_a_client_that_is_forgotten():
    with nothing_left_open(), FaultServer(page_response()) as server:
        derived = made_for(server).with_options(timeout=5)
        gc.collect()
        assert derived.logs.list().total == 1
        del derived
        gc.collect()
        assert server.wait_for_no_connection()

"""One async client in one event loop after another, in many tasks at once, and when tasks are cancelled."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from support.fault_server import KEY, FaultServer, error_response, gather, page_response, silence
from support.leaks import nothing_left_open

from dify_workflow import APITimeoutError, AsyncDifyWorkflow, AuthenticationError
from dify_workflow._http.library import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

TASKS = 30


def made_for(server: FaultServer, **options: Any) -> AsyncDifyWorkflow:
    return AsyncDifyWorkflow(api_key=KEY, base_url=server.base_url, backoff=0, **options)


async def until(condition: Callable[[], object]) -> None:
    """Let the loop continue until the condition holds; the test's own time limit ends what never comes."""
    while not condition():  # noqa: ASYNC110 - what is waited for happens in another thread
        await asyncio.sleep(0.005)


async def read(client: AsyncDifyWorkflow, times: int = 1) -> list[int]:
    return [(await client.logs.list()).total for _ in range(times)]


def test_one_client_works_in_several_loops_and_leaves_nothing():
    with nothing_left_open(), FaultServer(page_response()) as server:
        client = made_for(server)
        for _ in range(3):
            assert asyncio.run(read(client, times=3)) == [1, 1, 1]
            assert server.wait_for_no_connection()  # a loop takes its connections with it
    assert [request.connection for request in server.requests] == [1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_a_client_that_was_made_in_a_loop_works_in_the_next_too():
    async def make(server: FaultServer) -> AsyncDifyWorkflow:
        client = made_for(server)
        await read(client)
        return client

    with nothing_left_open(), FaultServer(page_response()) as server:
        client = asyncio.run(make(server))
        assert asyncio.run(read(client)) == [1]


def test_derived_clients_share_the_pool_of_their_loop():
    async def both(client: AsyncDifyWorkflow) -> None:
        await read(client)
        async with client.with_options(timeout=7) as derived:
            await read(derived)
        await read(client)

    with nothing_left_open(), FaultServer(page_response()) as server:
        client = made_for(server)
        asyncio.run(both(client))
        assert server.connections == 1
        asyncio.run(both(client.with_options(max_retries=0)))
        assert server.connections == 2


def test_a_loops_end_closes_connections_after_an_exception_too():
    async def fail(client: AsyncDifyWorkflow) -> None:
        await read(client)
        raise LookupError("the caller's own")

    with nothing_left_open(), FaultServer(page_response()) as server:
        client = made_for(server)
        with pytest.raises(LookupError):
            asyncio.run(fail(client))
        assert server.wait_for_no_connection()
        assert asyncio.run(read(client)) == [1]


def test_async_with_closes_and_plain_use_after_it_is_refused():
    async def use(client: AsyncDifyWorkflow, server: FaultServer) -> None:
        async with client:
            await read(client, times=2)
        await until(lambda: not server.open_connections)
        await client.close()
        with pytest.raises(RuntimeError, match="closed"):
            await read(client)

    with nothing_left_open(), FaultServer(page_response()) as server:
        client = made_for(server)
        asyncio.run(read(client))  # plain use in an earlier loop
        asyncio.run(use(client, server))
        with pytest.raises(RuntimeError, match="closed"):
            asyncio.run(read(client))
    assert server.connections == 2


def test_many_tasks_at_once_share_one_pool():
    async def use(client: AsyncDifyWorkflow) -> list[list[int]]:
        results = []
        for _ in range(3):
            results += await asyncio.gather(*(read(client, times=2) for _ in range(TASKS)))
        return results

    with nothing_left_open(), FaultServer(gather(TASKS, page_response())) as server:
        assert asyncio.run(use(made_for(server))) == [[1, 1]] * 3 * TASKS
        assert server.wait_for_no_connection()
    assert len(server.requests) == 6 * TASKS
    assert TASKS <= server.connections < 3 * TASKS  # one that idled too long, on a busy machine, is made again


def test_loops_in_several_threads_at_once_each_have_their_pool():
    loops = 4
    together = threading.Barrier(loops)
    with nothing_left_open(), FaultServer(gather(loops, page_response())) as server:
        client = made_for(server)

        def run(_: int) -> list[int]:
            together.wait(10)
            return asyncio.run(read(client, times=5))

        with ThreadPoolExecutor(loops) as threads:
            assert list(threads.map(run, range(loops))) == [[1] * 5] * loops
        assert server.wait_for_no_connection()
    assert server.connections == loops


def test_a_cancelled_call_frees_its_connection_only():
    async def use(client: AsyncDifyWorkflow, server: FaultServer) -> list[int]:
        waiting = asyncio.create_task(read(client))
        await until(lambda: server.requests)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await until(lambda: not server.open_connections)
        return await read(client, times=2)

    with nothing_left_open(), FaultServer(silence(), page_response()) as server:
        assert asyncio.run(use(made_for(server), server)) == [1, 1]
    assert len(server.requests) == 3  # a cancelled call is not sent again


def test_an_outer_deadline_is_neither_swallowed_nor_retried():
    async def use(client: AsyncDifyWorkflow) -> None:
        async with asyncio.timeout(0.2):
            await read(client)

    with nothing_left_open(), FaultServer(silence()) as server, pytest.raises(TimeoutError) as caught:
        asyncio.run(use(made_for(server)))
    assert not isinstance(caught.value, APITimeoutError)
    assert len(server.requests) == 1


def test_a_call_can_be_cancelled_while_it_waits_for_its_retry(caplog):
    caplog.set_level(logging.INFO, "dify_workflow")

    async def use(client: AsyncDifyWorkflow) -> None:
        waiting = asyncio.create_task(read(client))
        await until(lambda: "retry 1" in caplog.text)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    with nothing_left_open(), FaultServer(error_response(429, "x", "y", headers=(("Retry-After", "50"),))) as server:
        asyncio.run(use(made_for(server)))
    assert len(server.requests) == 1


def test_a_given_httpx_client_keeps_its_limits_and_stays_open():
    async def use(server: FaultServer) -> None:
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=4)) as http:
            async with made_for(server, http_client=http) as client:
                await asyncio.gather(*(read(client, times=2) for _ in range(TASKS)))
            assert not http.is_closed
            await client.close()
            assert not http.is_closed
            assert await read(made_for(server, http_client=http)) == [1]

    with nothing_left_open(), FaultServer(page_response()) as server:
        asyncio.run(use(server))
        assert server.wait_for_no_connection()
    assert server.most_open_connections <= 4


def test_a_client_never_used_or_only_refused_leaves_nothing():
    async def refused(client: AsyncDifyWorkflow) -> None:
        with pytest.raises(AuthenticationError):
            await read(client)

    with nothing_left_open(), FaultServer(error_response(401, "unauthorized", "no")) as server:
        made_for(server)
        client = made_for(server)
        asyncio.run(client.close())
        asyncio.run(refused(made_for(server)))
        gc.collect()


def test_a_forgotten_client_closes_while_its_loop_goes_on():
    async def use(server: FaultServer) -> None:
        for _ in range(5):
            await read(made_for(server))
            gc.collect()
            await until(lambda: not server.open_connections)

    with nothing_left_open(), FaultServer(page_response()) as server:
        asyncio.run(use(server))
    assert server.connections == 5


def test_a_client_forgotten_as_its_loop_ends_leaves_nothing():
    async def use(client: AsyncDifyWorkflow) -> None:
        await asyncio.gather(*(read(client) for _ in range(TASKS)))

    async def use_in_a_task(server: FaultServer) -> None:
        await asyncio.create_task(use(made_for(server)))

    with nothing_left_open(), FaultServer(gather(TASKS, page_response())) as server:
        asyncio.run(use(made_for(server)))
        assert server.wait_for_no_connection()
        asyncio.run(use_in_a_task(server))
        assert server.wait_for_no_connection()


def test_a_manually_driven_loop_keeps_its_pool_until_shutdown():
    with nothing_left_open(), FaultServer(page_response()) as server:
        client = made_for(server)
        loop = asyncio.new_event_loop()
        try:
            for _ in range(2):
                assert loop.run_until_complete(read(client)) == [1]
            assert server.connections == 1
            loop.run_until_complete(loop.shutdown_asyncgens())
            assert server.wait_for_no_connection()
        finally:
            loop.close()
        assert asyncio.run(read(client)) == [1]

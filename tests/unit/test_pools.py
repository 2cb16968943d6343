"""The connections underneath: once closed they are closed, and nothing is sent over them any more."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from dify_workflow import _pools
from dify_workflow._pools import (
    AsyncClientConnections,
    AsyncConnections,
    AsyncPool,
    ClientConnections,
    Connections,
    Pool,
)

REQUEST = httpx.Request("GET", "http://127.0.0.1:9/v1/info")


PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_a_connection_is_given_up_before_a_server_may_close_it():
    assert _pools.LIMITS.keepalive_expiry is not None
    assert _pools.LIMITS.keepalive_expiry < 2  # gunicorn's own limit


def test_a_hundred_requests_go_at_once_each_over_a_connection_that_is_kept():
    limits = _pools.LIMITS
    assert (limits.max_connections, limits.max_keepalive_connections) == (100, 100)


def test_over_closed_connections_nothing_is_sent():
    connections = Connections()
    connections.close()
    with pytest.raises(RuntimeError, match="closed"):
        connections.send(REQUEST)

    async def story() -> None:
        connections = AsyncConnections()
        await connections.aclose()
        with pytest.raises(RuntimeError, match="closed"):
            await connections.send(REQUEST)

    asyncio.run(story())


@pytest.mark.parametrize("name", PROXIES)
def test_behind_a_proxy_an_httpx_client_finds_the_way_and_is_closed_with_the_sdks(monkeypatch, name: str):
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    pool = Pool(None)
    connections = pool.connections()
    assert isinstance(connections, ClientConnections)
    pool.close()
    with pytest.raises(RuntimeError, match="closed"):
        connections.send(REQUEST)

    async def story() -> None:
        pool = AsyncPool(None)
        connections = await pool.connections()
        assert isinstance(connections, AsyncClientConnections)
        await pool.close()
        with pytest.raises(RuntimeError, match="closed"):
            await connections.send(REQUEST)

    asyncio.run(story())


def test_without_a_proxy_nothing_stands_between_the_sdk_and_the_connections(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "example.com")
    pool = Pool(None)
    assert isinstance(pool.connections(), Connections)
    assert pool.connections() is pool.connections()
    pool.close()

    async def story() -> None:
        pool = AsyncPool(None)
        connections = await pool.connections()
        assert isinstance(connections, AsyncConnections)
        assert await pool.connections() is connections
        await pool.close()
        with pytest.raises(RuntimeError, match="closed"):
            await connections.send(REQUEST)

    asyncio.run(story())


def test_a_closed_pool_makes_no_connections_even_if_it_never_had_any():
    pool = Pool(None)
    pool.close()
    with pytest.raises(RuntimeError, match="this client is closed"):
        pool.connections()

    async def story() -> None:
        pool = AsyncPool(None)
        await pool.close()
        with pytest.raises(RuntimeError, match="this client is closed"):
            await pool.connections()

    asyncio.run(story())


def test_of_loops_that_have_ended_nothing_is_kept_and_those_that_only_rest_keep_theirs():
    pool = AsyncPool(None)
    resting = asyncio.new_event_loop()
    first = resting.run_until_complete(pool.connections())
    for _ in range(3):
        asyncio.run(pool.connections())
    assert len(pool._made) == 2  # of the one that rests, and of the last of those that ended
    assert resting.run_until_complete(pool.connections()) is first
    resting.run_until_complete(resting.shutdown_asyncgens())
    resting.close()


def test_the_connections_of_a_forgotten_pool_are_closed_a_moment_later_while_its_loop_goes_on():
    async def story() -> None:
        pool = AsyncPool(None)
        connections = await pool.connections()
        del pool
        for _ in range(100):
            await asyncio.sleep(_pools.MOMENT / 4)
            if connections._closed:
                return
        pytest.fail("they are still open")

    asyncio.run(story())

"""The connections underneath: once closed they are closed, and nothing is sent over them any more."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dify_workflow._http import pools
from dify_workflow._http.connections import LIMITS, AsyncConnections, Connections
from dify_workflow._http.library import httpcore, httpx
from dify_workflow._http.pools import AsyncPool, Pool

REQUEST = httpx.Request("GET", "http://127.0.0.1:9/v1/info")


PROXY = "http://127.0.0.1:9"


def test_a_connection_is_given_up_before_a_server_may_close_it():
    assert LIMITS.keepalive_expiry is not None
    assert LIMITS.keepalive_expiry < 2  # gunicorn's own limit


def test_a_hundred_concurrent_requests_keep_their_connections():
    limits = LIMITS
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


def test_a_pools_connections_are_made_once_and_closed_with_it():
    pool = Pool(None)
    connections = pool.connections()
    assert isinstance(connections, Connections)
    assert pool.connections() is connections
    pool.close()
    with pytest.raises(RuntimeError, match="closed"):
        connections.send(REQUEST)

    async def story() -> None:
        pool = AsyncPool(None)
        connections = await pool.connections()
        assert isinstance(connections, AsyncConnections)
        assert await pool.connections() is connections
        await pool.close()
        with pytest.raises(RuntimeError, match="closed"):
            await connections.send(REQUEST)

    asyncio.run(story())


@pytest.mark.parametrize("make", [Connections, AsyncConnections])
def test_addresses_reached_in_the_same_way_share_connections(make: Any):
    one, other = (httpx.URL(f"http://{host}.example:8080/v1") for host in "ab")
    direct = make({"HTTPS_PROXY": PROXY, "NO_PROXY": "a.example"})
    assert direct._opened(one) is direct._opened(other)
    proxied = make({"ALL_PROXY": PROXY, "NO_PROXY": "a.example"})
    assert proxied._opened(one) is proxied._opened(one)
    assert proxied._opened(one) is not proxied._opened(other)
    assert isinstance(proxied._opened(other)._pool, httpcore.HTTPProxy | httpcore.AsyncHTTPProxy)
    assert not isinstance(proxied._opened(one)._pool, httpcore.HTTPProxy | httpcore.AsyncHTTPProxy)


def test_a_closed_pool_makes_no_connections():
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


def test_a_pool_is_closed_in_a_loop_that_made_nothing():
    pool = AsyncPool(None)
    other = asyncio.new_event_loop()
    connections = other.run_until_complete(pool.connections())
    asyncio.run(pool.close())
    assert [*pool._made] == [other]
    other.run_until_complete(pool.close())
    assert not pool._made
    with pytest.raises(RuntimeError, match="closed"):
        other.run_until_complete(connections.send(REQUEST))
    other.close()


def test_only_loops_that_have_ended_are_forgotten():
    pool = AsyncPool(None)
    resting = asyncio.new_event_loop()
    first = resting.run_until_complete(pool.connections())
    for _ in range(3):
        asyncio.run(pool.connections())
    assert len(pool._made) == 2  # of the one that rests, and of the last of those that ended
    assert resting.run_until_complete(pool.connections()) is first
    resting.run_until_complete(resting.shutdown_asyncgens())
    resting.close()


def test_a_forgotten_pool_is_closed_while_its_loop_goes_on():
    async def story() -> None:
        pool = AsyncPool(None)
        connections = await pool.connections()
        del pool
        for _ in range(100):
            await asyncio.sleep(pools.MOMENT / 4)
            if connections._closed:
                return
        pytest.fail("they are still open")

    asyncio.run(story())

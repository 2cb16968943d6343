"""The connections underneath: once closed they are closed, and nothing is sent over them any more."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from dify_workflow import _pools
from dify_workflow._pools import AsyncConnections, AsyncPool, Connections, Pool

REQUEST = httpx.Request("GET", "http://127.0.0.1:9/v1/info")


@pytest.fixture
def _proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")


def test_a_connection_is_given_up_before_a_server_may_close_it():
    assert _pools.LIMITS.keepalive_expiry is not None
    assert _pools.LIMITS.keepalive_expiry < 2  # gunicorn's own limit


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


@pytest.mark.usefixtures("_proxied")
def test_connections_behind_a_proxy_are_closed_with_the_client_too():
    pool = Pool(None)
    send = pool.connections().send
    pool.close()
    with pytest.raises(RuntimeError, match="closed"):
        send(REQUEST)

    async def story() -> None:
        pool = AsyncPool(None)
        send = (await pool.connections()).send
        await pool.close()
        with pytest.raises(RuntimeError, match="closed"):
            await send(REQUEST)

    asyncio.run(story())

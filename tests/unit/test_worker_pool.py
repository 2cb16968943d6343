"""Workers that hand things over: in order, and no more of them than there is room for."""

from __future__ import annotations

import asyncio

from dify_workflow._async.worker_pool import AsyncChannel, AsyncWorkerPool
from dify_workflow._http.lifetimes import AsyncLifetime


def test_a_channel_holds_its_size_and_further_puts_wait():
    async def story() -> None:
        channel: AsyncChannel[int] = AsyncChannel(AsyncWorkerPool(AsyncLifetime()), 2)
        await channel.put(1)
        await channel.put(2)
        third = asyncio.create_task(channel.put(3))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not third.done()
        assert await channel.get() == 1
        await third
        assert [await channel.get(), await channel.get()] == [2, 3]

    asyncio.run(asyncio.wait_for(story(), 10))

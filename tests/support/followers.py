"""One way to follow with both halves of the facade, row by row, so that one table of expectations holds for the two.

    with half(sandbox.base_url, api_key=sandbox.api_key) as follower:
        sandbox.add_log(...)
        assert follower.take(1)[0].id == ...

A row that never comes is ended by the test's own time limit.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Self

import pytest

from dify_workflow import AsyncDifyWorkflow, DifyWorkflow
from support.fault_server import KEY

if TYPE_CHECKING:
    from dify_workflow.models import WorkflowLog

POLL = 0.01


class SyncFollower:
    name = "sync"

    def __init__(self, base_url: str, *, api_key: str = KEY, max_retries: int = 0, **options: Any) -> None:
        self._client = DifyWorkflow(api_key=api_key, base_url=base_url, max_retries=max_retries, backoff=0)
        self._follow = self._client.logs.follow(**{"poll": POLL} | options)

    def take(self, count: int = 1) -> list[WorkflowLog]:
        """The next rows."""
        return [next(self._follow) for _ in range(count)]

    @property
    def checkpoint(self) -> Any:
        """The checkpoint as another machine would get it."""
        return json.loads(json.dumps(self._follow.checkpoint))

    def close(self) -> None:
        """Stop following and close the client."""
        self._follow.close()
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncFollower:
    name = "async"

    def __init__(self, base_url: str, *, api_key: str = KEY, max_retries: int = 0, **options: Any) -> None:
        self._client = AsyncDifyWorkflow(api_key=api_key, base_url=base_url, max_retries=max_retries, backoff=0)
        self._follow = self._client.logs.follow(**{"poll": POLL} | options)
        self._runner = asyncio.Runner()

    def take(self, count: int = 1) -> list[WorkflowLog]:
        """The next rows."""

        async def take() -> list[WorkflowLog]:
            return [await anext(self._follow) for _ in range(count)]

        return self._runner.run(take())

    @property
    def checkpoint(self) -> Any:
        """The checkpoint as another machine would get it."""
        return json.loads(json.dumps(self._follow.checkpoint))

    def close(self) -> None:
        """Stop following and close the client."""

        async def close() -> None:
            await self._follow.close()
            await self._client.close()

        self._runner.run(close())
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


Follower = type[SyncFollower] | type[AsyncFollower]
EACH_FOLLOWER = pytest.mark.parametrize("half", [SyncFollower, AsyncFollower], ids=lambda half: half.name)

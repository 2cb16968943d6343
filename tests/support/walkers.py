"""One way to walk with both halves of the facade, so that one table of expectations holds for the two.

walk = walker.walk(sandbox.base_url, sandbox.api_key, status="failed")
assert walk.ids == [...]
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from dify_workflow import AsyncDifyWorkflow, DifyWorkflow
from dify_workflow._http.library import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENT_OPTIONS = {"timeout", "max_retries", "http_client"}


@dataclass
class Walked:
    """What came of a walk, or of a part of it."""

    logs: list[Any] = field(default_factory=list)
    error: Exception | None = None
    total: int | None = None
    seen: int = 0
    checkpoint: dict[str, Any] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        return [log.id for log in self.logs]

    def note(self, walk: Any) -> None:
        self.total, self.seen, self.checkpoint = walk.total, walk.seen, walk.checkpoint


class SyncWalker:
    name = "sync"

    def walk(
        self,
        base_url: str,
        api_key: str,
        *,
        rows: int | None = None,
        each: Callable[[Any], object] | None = None,
        transport: httpx.BaseTransport | None = None,
        **options: Any,
    ) -> Walked:
        """Walk to the end, to an error, or until `rows` were given; `each` is called with the walk after each row."""
        walked = Walked()
        with contextlib.ExitStack() as stack:
            if transport is not None:
                options["http_client"] = stack.enter_context(httpx.Client(transport=transport))
            made = DifyWorkflow(api_key=api_key, base_url=base_url, backoff=0, **_of_client(options))
            client = stack.enter_context(made)
            with client.logs.iter(**options) as walk:
                try:
                    while rows is None or len(walked.logs) < rows:
                        walked.logs.append(next(walk))
                        if each is not None:
                            each(walk)
                except StopIteration:
                    pass
                except Exception as error:  # noqa: BLE001 - what it is, is for the test to say
                    walked.error = error
            walked.note(walk)
        return walked


class AsyncWalker:
    name = "async"

    def walk(
        self,
        base_url: str,
        api_key: str,
        *,
        rows: int | None = None,
        each: Callable[[Any], object] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        **options: Any,
    ) -> Walked:
        """As in the sync half, in an event loop of its own."""
        walked = Walked()

        async def run() -> None:
            async with contextlib.AsyncExitStack() as stack:
                if transport is not None:
                    options["http_client"] = await stack.enter_async_context(httpx.AsyncClient(transport=transport))
                made = AsyncDifyWorkflow(api_key=api_key, base_url=base_url, backoff=0, **_of_client(options))
                client = await stack.enter_async_context(made)
                async with client.logs.iter(**options) as walk:
                    try:
                        while rows is None or len(walked.logs) < rows:
                            walked.logs.append(await anext(walk))
                            if each is not None:
                                each(walk)
                    except StopAsyncIteration:
                        pass
                    except Exception as error:  # noqa: BLE001 - as above
                        walked.error = error
                walked.note(walk)
                others = asyncio.all_tasks() - {asyncio.current_task()}
                assert not others, f"tasks left behind: {others}"

        asyncio.run(run())
        return walked


def _of_client(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options.pop(name) for name in CLIENT_OPTIONS & options.keys()}


Walker = SyncWalker | AsyncWalker
EACH_WALKER = pytest.mark.parametrize("walker", [SyncWalker(), AsyncWalker()], ids=lambda walker: walker.name)
EACH_CREW = pytest.mark.parametrize("workers", [1, 8], ids=lambda workers: f"{workers} workers")

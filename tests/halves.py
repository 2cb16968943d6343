"""One way to call both halves of the facade, so that one table of expectations holds for the two.

    half.call(server.base_url, lambda client: client.logs.list(), max_retries=0)

An action gives the result in the sync half and something to await in the async half; `call` makes the client, runs the
actions one after another, closes everything, and gives the last result.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fault_server import KEY

from dify_workflow import AsyncDifyWorkflow, DifyError, DifyWorkflow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Action = Callable[[Any], Any]


def list_logs(client: Any) -> Any:
    return client.logs.list()


def post(client: Any) -> Any:
    return client.request("POST", "/workflows/run", json={"inputs": {}, "user": "u-1"})


class SyncHalf:
    name = "sync"

    def call(
        self, base_url: str, *actions: Action, http: Mapping[str, Any] | None = None, backoff: float = 0, **options: Any
    ) -> Any:
        """Run the actions with one client; `http` are the options of an httpx client of the caller's own."""
        with contextlib.ExitStack() as stack:
            if http is not None:
                options["http_client"] = stack.enter_context(httpx.Client(**http))
            made = DifyWorkflow(api_key=KEY, base_url=base_url, backoff=backoff, **options)
            client = stack.enter_context(made)
            result = None
            for action in actions:
                result = action(client)
            return result

    def pause(self, seconds: float) -> Action:
        """An action that only lets time pass."""
        return lambda client: time.sleep(seconds)

    def counting_transport(self, attempts: list[str]) -> httpx.BaseTransport:
        """A transport that notes each attempt to send, also the ones that reach nobody."""

        class Transport(httpx.HTTPTransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                attempts.append(request.method)
                return super().handle_request(request)

        return Transport()


class AsyncHalf:
    name = "async"

    def call(
        self, base_url: str, *actions: Action, http: Mapping[str, Any] | None = None, backoff: float = 0, **options: Any
    ) -> Any:
        """As in the sync half, in an event loop of its own."""

        async def run() -> Any:
            async with contextlib.AsyncExitStack() as stack:
                if http is not None:
                    options["http_client"] = await stack.enter_async_context(httpx.AsyncClient(**http))
                made = AsyncDifyWorkflow(api_key=KEY, base_url=base_url, backoff=backoff, **options)
                client = await stack.enter_async_context(made)
                result = None
                for action in actions:
                    result = await action(client)
                return result

        return asyncio.run(run())

    def pause(self, seconds: float) -> Action:
        """As in the sync half."""
        return lambda client: asyncio.sleep(seconds)

    def counting_transport(self, attempts: list[str]) -> httpx.AsyncBaseTransport:
        """As in the sync half."""

        class Transport(httpx.AsyncHTTPTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                attempts.append(request.method)
                return await super().handle_async_request(request)

        return Transport()


Half = SyncHalf | AsyncHalf


def failure(half: Half, base_url: str, *actions: Action, **options: Any) -> DifyError:
    """The error that a call ends in."""
    with pytest.raises(DifyError) as caught:
        half.call(base_url, *actions, **options)
    return caught.value


EACH_HALF = pytest.mark.parametrize("half", [SyncHalf(), AsyncHalf()], ids=lambda half: half.name)

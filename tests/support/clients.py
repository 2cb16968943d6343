"""One way to call both halves of the facade, so that one table of expectations holds for the two.

    half.call(server.base_url, lambda client: client.logs.list(), max_retries=0)

An action gives the result in the sync half and something to await in the async half; `call` makes the client, runs the
actions one after another, closes everything, and gives the last result.

    async def story(client):
        async with client.runs.stream({}, user="u-1") as events:
            return [event async for event in events]

    half.play(server.base_url, story)

A story is written as for the async half. In the sync half it is played with the sync client, without an event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import time
from typing import TYPE_CHECKING, Any

import pytest

from dify_workflow import AsyncDifyWorkflow, DifyError, DifyWorkflow, types
from dify_workflow._http.library import httpx
from support.fault_server import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    Action = Callable[[Any], Any]
    Story = Callable[[Any], Coroutine[Any, Any, Any]]


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

    def play(self, base_url: str, story: Story, **options: Any) -> Any:
        """Play a story with one client, and give what it gives; the options are those of `call`."""

        return self.call(base_url, self.action(story), **options)

    def action(self, story: Story) -> Action:
        """A story as an action of `call`."""

        def act(client: Any) -> Any:
            coroutine = story(AsyncView(client))
            try:
                coroutine.send(None)
            except StopIteration as end:
                return end.value
            raise AssertionError("a story of the sync half waits for nothing but the client")

        return act

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

    def play(self, base_url: str, story: Story, **options: Any) -> Any:
        """As in the sync half."""
        return self.call(base_url, story, **options)

    def action(self, story: Story) -> Action:
        """As in the sync half."""
        return story

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


SEEN = (
    DifyWorkflow,
    types.Iteration,
    types.Resource,
    types.Run,
)
"""What a story of the sync half sees through an `AsyncView`."""


class AsyncView:
    """An object of the sync half that is used as its twin of the async half is."""

    NOT_AWAITED = frozenset(
        {"attach", "batch", "changes", "events", "follow", "iter", "raise_for_status", "stream", "with_options"}
    )

    def __init__(self, seen: Any) -> None:
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._seen, name)
        if not inspect.ismethod(found):
            return self._view(found)
        if name in self.NOT_AWAITED:
            return lambda *args, **kwargs: self._view(found(*args, **kwargs))

        async def call(*args: Any, **kwargs: Any) -> Any:
            return self._view(found(*args, **kwargs))

        return call

    async def __aenter__(self) -> Any:
        self._seen.__enter__()
        return self

    async def __aexit__(self, *exc_info: object) -> Any:
        return self._seen.__exit__(*exc_info)

    def __aiter__(self) -> AsyncView:
        iter(self._seen)
        return self

    def __repr__(self) -> str:
        return repr(self._seen)

    async def __anext__(self) -> Any:
        try:
            return next(self._seen)
        except StopIteration:
            raise StopAsyncIteration from None

    @staticmethod
    def _view(value: Any) -> Any:
        return AsyncView(value) if isinstance(value, SEEN) else value


Half = SyncHalf | AsyncHalf


def failure(half: Half, base_url: str, *actions: Action, **options: Any) -> DifyError:
    """The error that a call ends in."""
    with pytest.raises(DifyError) as caught:
        half.call(base_url, *actions, **options)
    return caught.value


EACH_HALF = pytest.mark.parametrize("half", [SyncHalf(), AsyncHalf()], ids=lambda half: half.name)

"""One way to call both clients of the facade, so that one table of expectations holds for the two.

    driver.call(server.base_url, lambda client: client.logs.list(), max_retries=0)

An action gives the result in the sync client and something to await in the async client; `call` makes the client, runs
the actions one after another, closes everything, and gives the last result.

    async def story(client):
        async with client.runs.stream({}, user="u-1") as events:
            return [event async for event in events]

    driver.play(server.base_url, story)

A story is written as for the async client. In the sync client it is played with the sync client, without an event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import pytest

from dify_workflow import AsyncDifyWorkflow, DifyError, DifyWorkflow, types
from dify_workflow._http.library import httpx
from support.fault_server import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping
    from contextlib import AbstractContextManager

    from dify_workflow.models import WorkflowLog

    Action = Callable[[Any], Any]
    Story = Callable[[Any], Coroutine[Any, Any, Any]]


def list_logs(client: Any) -> Any:
    return client.logs.list()


def post(client: Any) -> Any:
    return client.request("POST", "/workflows/run", json={"inputs": {}, "user": "u-1"})


def recording(status: int = 200, body: Any = None) -> tuple[list[httpx.Request], httpx.MockTransport]:
    """A transport that responds to every request with a JSON body, `{}` if none is given; and what it was asked."""
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, json=body or {})

    return seen, httpx.MockTransport(respond)


class Driver:
    """A client of one kind, and what calls it."""

    name: str

    def call(self, base_url: str, *actions: Action, **options: Any) -> Any:
        """Run the actions one after the other with one client, and give the last result; the options are `opened`'s."""
        with self.opened(base_url, **options) as run:
            return [run(action) for action in actions][-1]

    def play(self, base_url: str, story: Story, **options: Any) -> Any:
        """Play a story with one client, and give what it gives; the options are those of `opened`."""
        return self.call(base_url, self.action(story), **options)

    def opened(
        self, base_url: str, *, http: Mapping[str, Any] | None = None, **options: Any
    ) -> AbstractContextManager[Callable[[Action], Any]]:
        """What runs actions with one client; `http` are the options of an httpx client of the caller's own."""
        return self._opened(http, {"api_key": KEY, "base_url": base_url, "backoff": 0, **options})

    def _opened(
        self, http: Mapping[str, Any] | None, options: dict[str, Any]
    ) -> AbstractContextManager[Callable[[Action], Any]]:
        raise NotImplementedError

    def action(self, story: Story) -> Action:
        """A story as an action of `call`."""
        raise NotImplementedError

    def pause(self, seconds: float) -> Action:
        """An action that only lets time pass."""
        raise NotImplementedError

    def tasks(self) -> set[Any]:
        """The tasks of the event loop beside the one that runs."""
        return set()

    def counting_transport(self, attempts: list[str]) -> Any:
        """A transport that notes each attempt to send, also the ones that reach nobody."""
        return self.transport(lambda request: attempts.append(request.method))

    def transport(self, note: Callable[[httpx.Request], object]) -> Any:
        """A transport that calls `note` with each request before it is sent."""
        raise NotImplementedError


class SyncDriver(Driver):
    name = "sync"

    @contextlib.contextmanager
    def _opened(self, http: Mapping[str, Any] | None, options: dict[str, Any]) -> Iterator[Callable[[Action], Any]]:
        with contextlib.ExitStack() as stack:
            if http is not None:
                options["http_client"] = stack.enter_context(httpx.Client(**http))
            client = stack.enter_context(DifyWorkflow(**options))
            yield lambda action: action(client)

    def action(self, story: Story) -> Action:
        def act(client: Any) -> Any:
            coroutine = story(AsyncView(client))
            try:
                coroutine.send(None)
            except StopIteration as end:
                return end.value
            raise AssertionError("a story of the sync client waits for nothing but the client")

        return act

    def pause(self, seconds: float) -> Action:
        return lambda client: time.sleep(seconds)

    def transport(self, note: Callable[[httpx.Request], object]) -> httpx.BaseTransport:
        class Transport(httpx.HTTPTransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                note(request)
                return super().handle_request(request)

        return Transport()


class AsyncDriver(Driver):
    """Each time in an event loop of its own."""

    name = "async"

    @contextlib.contextmanager
    def _opened(self, http: Mapping[str, Any] | None, options: dict[str, Any]) -> Iterator[Callable[[Action], Any]]:
        stack = contextlib.AsyncExitStack()

        async def enter() -> AsyncDifyWorkflow:
            if http is not None:
                options["http_client"] = await stack.enter_async_context(httpx.AsyncClient(**http))
            return await stack.enter_async_context(AsyncDifyWorkflow(**options))

        async def run(action: Action) -> Any:
            return await action(client)

        with asyncio.Runner() as runner:
            try:
                client = runner.run(enter())
                yield lambda action: runner.run(run(action))
            finally:
                runner.run(stack.aclose())

    def action(self, story: Story) -> Action:
        return story

    def pause(self, seconds: float) -> Action:
        return lambda client: asyncio.sleep(seconds)

    def tasks(self) -> set[Any]:
        return asyncio.all_tasks() - {asyncio.current_task()}

    def transport(self, note: Callable[[httpx.Request], object]) -> httpx.AsyncBaseTransport:
        class Transport(httpx.AsyncHTTPTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                note(request)
                return await super().handle_async_request(request)

        return Transport()


SEEN = (
    DifyWorkflow,
    types.Iteration,
    types.Resource,
    types.Run,
)
"""What a story of the sync client sees through an `AsyncView`."""


class AsyncView:
    """An object of the sync client that is used as its twin of the async client is."""

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


def failure(driver: Driver, base_url: str, *actions: Action, **options: Any) -> DifyError:
    """The error that a call ends in."""
    with pytest.raises(DifyError) as caught:
        driver.call(base_url, *actions, **options)
    return caught.value


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


def walk(
    driver: Driver,
    base_url: str,
    *,
    count: int | None = None,
    each: Callable[[Any], object] = id,
    **options: Any,
) -> Walked:
    """Walk to the end, to an error, or until `count` logs were given; `each` is called with the walk after each log."""
    walked = Walked()
    of_client = {name: options.pop(name) for name in {"api_key", "http", "max_retries", "timeout"} & options.keys()}

    async def story(client: Any) -> None:
        async with client.logs.iter(**options) as logs:
            try:
                while count is None or len(walked.logs) < count:
                    walked.logs.append(await anext(logs))
                    each(logs)
            except StopAsyncIteration:
                pass
            except Exception as error:  # noqa: BLE001 - what it is, is for the test to say
                walked.error = error
        walked.total, walked.seen, walked.checkpoint = logs.total, logs.seen, logs.checkpoint
        assert not driver.tasks()

    driver.play(base_url, story, **of_client)
    return walked


class Follower:
    """Follows log by log; a log that never comes is ended by the test's own time limit.

    with Follower(driver, sandbox.base_url, api_key=sandbox.api_key) as follower:
        sandbox.add_log(...)
        assert follower.take(1)[0].id == ...
    """

    def __init__(
        self, driver: Driver, base_url: str, *, api_key: str = KEY, max_retries: int = 0, **options: Any
    ) -> None:
        async def begin(client: Any) -> Any:
            return client.logs.follow(**{"poll": 0.01} | options)

        self._driver = driver
        with contextlib.ExitStack() as stack:
            self._run = stack.enter_context(driver.opened(base_url, api_key=api_key, max_retries=max_retries))
            self._follow = self._play(begin)
            stack.callback(self._play, lambda client: self._follow.close())
            self._closing = stack.pop_all()

    def _play(self, story: Story) -> Any:
        return self._run(self._driver.action(story))

    def take(self, count: int = 1) -> list[WorkflowLog]:
        """The next logs."""

        async def take(client: Any) -> list[WorkflowLog]:
            return [await anext(self._follow) for _ in range(count)]

        return self._play(take)

    @property
    def checkpoint(self) -> Any:
        """The checkpoint as another machine would get it."""
        return json.loads(json.dumps(self._follow.checkpoint))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()


DRIVERS: tuple[Driver, ...] = (SyncDriver(), AsyncDriver())
EACH_DRIVER = pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)
EACH_WORKERS = pytest.mark.parametrize("workers", [1, 8], ids=lambda workers: f"{workers} workers")

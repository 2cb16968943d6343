"""Walks wait out an outage of the server once they have begun."""

from __future__ import annotations

import contextvars
import threading
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_DRIVER, Driver
from support.fault_server import (
    KEY,
    Behaviour,
    Exchange,
    FaultServer,
    error_response,
    json_response,
    pass_on,
    reset,
    respond,
)
from support.leaks import nothing_left_open

from dify_workflow import APIConnectionError, DifyWorkflow, InternalServerError
from dify_workflow._http.library import httpx
from dify_workflow.testing import Sandbox, new_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS = 105
FAULTS: dict[str, Behaviour] = {
    "reset": reset(),
    "503": respond(503),
    "429": error_response(429, "x", "y", headers=(("Retry-After", "0.05"),)),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0, api_key=KEY) as sandbox:
        sandbox.add_logs(new_log(created_at=1_790_000_000 - number) for number in range(ROWS))
        yield sandbox


@pytest.fixture(scope="module")
def few() -> Iterator[tuple[Sandbox, list[str]]]:
    """A sandbox of few logs, and the ids of their runs in the order in which they are listed."""
    logs = [new_log(created_at=1_790_000_000 - number) for number in range(6)]
    with Sandbox(rows=0, api_key=KEY) as sandbox:
        sandbox.add_logs(logs)
        yield sandbox, [log.run.id for log in logs if log.run is not None]


def outage(sandbox: Sandbox, fault: Behaviour, *, first: int, last: int, details: bool = False) -> FaultServer:
    """A proxy whose requests for pages, or for runs, fail from one number to another."""
    asked = 0

    async def play(exchange: Exchange) -> None:
        nonlocal asked
        assert exchange.request is not None
        is_concerned = ("/logs" in exchange.request.path) is not details
        asked += is_concerned
        if is_concerned and first <= asked <= last:
            await fault.play(exchange)
        else:
            await pass_on(exchange, sandbox.port)

    return FaultServer(Behaviour("outage", play))


def walk(driver: Driver, base_url: str, **options: Any) -> list[Any]:
    found: list[Any] = []

    async def story(client: Any) -> None:
        async with client.logs.iter(**options) as logs:
            async for log in logs:
                found.append(log)  # noqa: PERF401 - what came before an error counts

    driver.play(base_url, story, max_retries=0)
    return found


@EACH_DRIVER
@pytest.mark.parametrize("fault", FAULTS)
def test_an_outage_after_the_first_page_is_waited_out(
    driver: Driver, fault: str, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
):
    with nothing_left_open(), outage(sandbox, FAULTS[fault], first=2, last=4) as server:
        logs = walk(driver, server.base_url, patience=1)
    assert len({log.id for log in logs}) == len(logs) == ROWS
    assert sum("logs.iter looks again in" in record.getMessage() for record in caplog.records) == 3


@EACH_DRIVER
def test_an_outage_is_waited_out_for_details_as_well(driver: Driver, few: tuple[Sandbox, list[str]]):
    sandbox, runs = few
    with nothing_left_open(), outage(sandbox, respond(503), first=3, last=9, details=True) as server:
        logs = walk(driver, server.base_url, patience=10, details=4)
    assert [log.error for log in logs] == [None] * len(runs)
    assert [log.run.id for log in logs] == runs


@EACH_DRIVER
@pytest.mark.parametrize("broken", [0, 1, 4], ids=["first", "second", "fifth"])
@pytest.mark.parametrize("details", [1, 4])
def test_a_run_that_always_fails_is_the_error_of_its_log(
    driver: Driver, details: int, broken: int, few: tuple[Sandbox, list[str]]
):
    sandbox, runs = few
    failed = runs[broken]

    async def play(exchange: Exchange) -> None:
        assert exchange.request is not None
        fails = exchange.request.path.endswith(failed)
        await (respond(500).play(exchange) if fails else pass_on(exchange, sandbox.port))

    with nothing_left_open(), FaultServer(Behaviour("broken run", play)) as server:
        logs = walk(driver, server.base_url, patience=3, details=details)
        asked = [request.path for request in server.requests if request.path.endswith(failed)]
    assert [index for index, log in enumerate(logs) if log.error is not None] == [broken]
    assert isinstance(logs[broken].error, InternalServerError)
    assert [log.log.workflow_run.id for log in logs] == runs
    assert len(asked) <= 4


@EACH_DRIVER
@pytest.mark.parametrize("options", [{}, {"details": 2}], ids=["pages", "details"])
def test_a_longer_outage_raises_its_error_with_what_to_do(driver: Driver, options: dict[str, Any], sandbox: Sandbox):
    with nothing_left_open(), outage(sandbox, respond(503), first=2, last=999, details=bool(options)) as server:
        with pytest.raises(InternalServerError, match=r"continue from walk\.checkpoint"):
            walk(driver, server.base_url, patience=0.3, **options)
        assert len(server.requests) > 3


@EACH_DRIVER
def test_the_first_page_fails_at_once(driver: Driver):
    with nothing_left_open(), FaultServer(reset()) as server:
        with pytest.raises(APIConnectionError) as caught:
            walk(driver, server.base_url)
        assert "checkpoint" not in str(caught.value)
        assert len(server.requests) == 1


@pytest.mark.parametrize("patience", [-1, True, "300", None, float("nan"), float("inf")])
@EACH_DRIVER
def test_an_unusable_patience_is_refused(driver: Driver, patience: Any):
    def iterate(client: Any) -> Any:
        with pytest.raises(ValueError, match="patience must be seconds from 0"):
            client.logs.iter(patience=patience)
        return client.app.info()

    with FaultServer(json_response(200, {"name": "x", "description": "", "tags": []})) as server:
        driver.call(server.base_url, iterate)


def test_worker_threads_have_the_iterators_context_variables(sandbox: Sandbox):
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="lost")
    seen: set[tuple[str, bool]] = set()

    def note(make: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*args: Any, **kwargs: Any) -> Any:
            seen.add((variable.get(), threading.current_thread() is threading.main_thread()))
            return make(*args, **kwargs)

        return noting

    class Transport(httpx.HTTPTransport):
        handle_request = note(httpx.HTTPTransport.handle_request)

    with outage(sandbox, respond(503), first=99, last=0) as server, httpx.Client(transport=Transport()) as http:
        client = DifyWorkflow(api_key=KEY, base_url=server.base_url, http_client=http)
        logs = client.logs.iter(details=4)
        variable.set("kept")  # after the walk was made, before it begins
        assert len(list(logs)) == ROWS
    assert seen == {("kept", True), ("kept", False)}


@EACH_DRIVER
@pytest.mark.parametrize(("options", "warnings"), [({}, 0), ({"patience": 0.3}, 1)])
def test_changes_wait_for_no_outage_unless_they_may(
    driver: Driver, options: dict[str, Any], warnings: int, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
):
    async def story(client: Any) -> None:
        with pytest.raises(InternalServerError):
            async for _ in client.logs.changes(since="2020-01-01", **options):
                pass

    with nothing_left_open(), outage(sandbox, respond(503), first=2, last=99) as server:
        driver.play(server.base_url, story, max_retries=0)
    assert min(1, sum("logs.changes looks again in" in message for message in caplog.messages)) == warnings

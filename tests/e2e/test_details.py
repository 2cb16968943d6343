"""`logs.iter(details=N)`: each row with its run, in the order of the rows; what goes wrong stays with its own row."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_DRIVER, Driver
from support.fault_server import KEY

from dify_workflow import NotFoundError
from dify_workflow._sync.log_details import DetailedLogWalk
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from dify_workflow.results import DetailedLog


def joined(sandbox: Sandbox, mode: str, **arguments: Any) -> list[DetailedLog]:
    async def in_a_loop() -> list[DetailedLog]:
        async with sandbox.async_client() as client:
            return [row async for row in client.logs.iter(**arguments)]

    if mode == "async":
        return asyncio.run(in_a_loop())
    with sandbox.client() as client:
        return list(client.logs.iter(**arguments))


@pytest.fixture
def sandbox():
    with Sandbox(rows=150, crowd=10) as running:
        yield running


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("details", [1, 8])
def test_each_log_comes_with_its_own_run_in_walk_order(sandbox: Sandbox, mode: str, details: int) -> None:
    rows = joined(sandbox, mode, details=details)
    with sandbox.client() as client:
        assert sorted(row.log.id for row in rows) == sorted(log.id for log in client.logs.iter())
    assert [row.log.created_at for row in rows] == sorted((row.log.created_at for row in rows), reverse=True)
    for log, run, error in rows:
        assert error is None
        assert (run and run.id) == (log.workflow_run and log.workflow_run.id)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_run_that_fails_to_load_affects_only_its_own_log(sandbox: Sandbox, mode: str) -> None:
    # The listing still shows the run while its detail is all nulls, which is how a server says that it is gone.
    known = [row for row in joined(sandbox, mode, details=4) if row.run is not None]
    lost = known[3].run
    assert lost is not None

    def forget(request: Any) -> None:
        if request.path.endswith(lost.id):
            sandbox.traps.before_request = None
            sandbox.update_run(lost.id, app="another")

    sandbox.traps.before_request = forget
    rows = joined(sandbox, mode, details=4)
    failed = [row for row in rows if row.error is not None]
    assert [row.log.workflow_run.id for row in failed if row.log.workflow_run] == [lost.id]
    assert isinstance(failed[0].error, NotFoundError)
    assert failed[0].run is None
    assert len(rows) == 150


def test_a_checkpoint_stands_after_the_last_log_returned(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        with client.logs.iter(details=8) as walk:
            first = [next(walk).log.id for _ in range(37)]
            checkpoint = json.loads(json.dumps(walk.checkpoint))
            assert walk.seen == 37
        rest = [row.log.id for row in client.logs.iter(details=8, checkpoint=checkpoint)]
    assert len(first) + len(rest) == len({*first, *rest}) == 150


@EACH_DRIVER
def test_at_each_log_the_walk_knows_seen_and_total(driver: Driver) -> None:
    async def story(client: Any) -> list[tuple[int, int, int]]:
        async with client.logs.iter(details=4) as walk:
            assert (walk.seen, walk.checkpoint["seen"]) == (0, 0)
            return [(walk.seen, walk.checkpoint["seen"], walk.total) async for _ in walk]

    with Sandbox(rows=6, crowd=1, api_key=KEY) as sandbox:
        reported = driver.play(sandbox.base_url, story)
    assert reported == [(number, number, 6) for number in range(1, 7)]


def test_as_many_runs_are_looked_up_at_once_as_was_asked_for() -> None:
    together = threading.Barrier(4)

    def get_run(_: str) -> Any:
        together.wait(10)  # breaks, which is no error of a row's own, where fewer come together

    with Sandbox(rows=8, crowd=1) as sandbox, sandbox.client() as client:
        walk = DetailedLogWalk(client.logs.iter(), get_run, at_once=4)
        assert len(list(walk)) == 8


@pytest.mark.parametrize("details", [0, 65, True, "8"])
def test_another_number_is_refused_before_anything_is_sent(sandbox: Sandbox, details: Any) -> None:
    with sandbox.client() as client, pytest.raises(ValueError, match="details must be an integer from 1 to 64"):
        client.logs.iter(details=details)
    assert sandbox.requests == ()

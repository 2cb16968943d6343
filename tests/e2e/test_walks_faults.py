"""Walks through a proxy that fails requests by chance, with a fixed seed: the rows stay exact."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_DRIVER, EACH_WORKERS, Driver, Walked, walk
from support.fault_server import KEY, Behaviour, Exchange, FaultServer, close, pass_on, reset
from support.fault_table import FAULTS, REPEATED, Fault

from dify_workflow import DifyError
from dify_workflow._http.library import httpx
from dify_workflow.testing import Sandbox, new_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW = 1_790_000_000
ROWS = [new_log(created_at=NOW - number // 7) for number in range(560)]
ROWS += [new_log(created_at=NOW - 300) for _ in range(140)]
ALL = sorted(row.id for row in ROWS)

SLOW = [fault for fault in REPEATED if "timeout" in fault.options]
QUICK = [fault for fault in REPEATED if fault not in SLOW]
FINAL = [fault for fault in FAULTS if fault not in REPEATED]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0, api_key=KEY) as sandbox:
        sandbox.add_logs(ROWS)
        yield sandbox


def faulty_proxy(sandbox: Sandbox, faults: list[Fault], *, share: float, seed: int) -> FaultServer:
    """A proxy in front of the sandbox that fails a share of all requests, each in a way by chance."""
    random = Random(seed)  # noqa: S311 - the same faults each time

    async def play(exchange: Exchange) -> None:
        if random.random() < share:
            await random.choice(faults).behaviour().play(exchange)
        else:
            await pass_on(exchange, sandbox.port)

    return FaultServer(Behaviour("faulty proxy", play), key=KEY)


def to_the_end(part: Callable[[dict[str, Any] | None], Walked], most: int = 300) -> tuple[list[str], list[Exception]]:
    """Walk, and continue from the checkpoint after each error: the ids that were given, and the errors."""
    ids: list[str] = []
    errors: list[Exception] = []
    checkpoint: dict[str, Any] | None = None
    while len(errors) < most:
        walked = part(checkpoint)
        ids += walked.ids
        if walked.error is None:
            return ids, errors
        errors.append(walked.error)
        checkpoint = json.loads(json.dumps(walked.checkpoint))
    raise AssertionError(f"no end after {most} errors")


@EACH_WORKERS
@EACH_DRIVER
def test_what_is_tried_again_leaves_the_rows_exact(driver: Driver, workers: int, sandbox: Sandbox):
    with faulty_proxy(sandbox, QUICK, share=0.5, seed=workers) as proxy:
        walked = walk(driver, proxy.base_url, workers=workers, max_retries=60)
        assert proxy.wait_for_no_connection()
    assert walked.error is None
    assert sorted(walked.ids) == ALL
    assert (walked.seen, walked.total) == (700, 700)


@EACH_DRIVER
def test_lost_responses_leave_the_rows_exact(driver: Driver, sandbox: Sandbox):
    with faulty_proxy(sandbox, SLOW, share=0.15, seed=4) as proxy:
        walked = walk(driver, proxy.base_url, workers=4, max_retries=60, timeout=0.5)
    assert walked.error is None
    assert sorted(walked.ids) == ALL


@EACH_WORKERS
@EACH_DRIVER
def test_errors_without_retry_are_raised_and_can_be_resumed(driver: Driver, workers: int, sandbox: Sandbox):
    with faulty_proxy(sandbox, FINAL, share=0.3, seed=workers) as proxy:
        ids, errors = to_the_end(
            lambda checkpoint: walk(driver, proxy.base_url, workers=workers, checkpoint=checkpoint, patience=0)
        )
        assert proxy.wait_for_no_connection()
    assert sorted(ids) == ALL
    assert len(errors) > 2
    assert {type(error) for error in errors} <= {fault.error for fault in FINAL}
    assert not any(KEY in str(error) for error in errors)


@EACH_DRIVER
def test_without_retries_each_fault_is_raised_and_resumable(driver: Driver, sandbox: Sandbox):
    with faulty_proxy(sandbox, QUICK + FINAL, share=0.3, seed=8) as proxy:
        ids, errors = to_the_end(
            lambda checkpoint: walk(driver, proxy.base_url, workers=2, checkpoint=checkpoint, max_retries=0, patience=0)
        )
    assert sorted(ids) == ALL
    assert all(isinstance(error, DifyError) for error in errors)
    assert len(errors) > 2


@EACH_DRIVER
def test_connections_that_are_refused_leave_the_rows_exact(driver: Driver, sandbox: Sandbox):
    random = Random(2)  # noqa: S311 - the same faults each time

    def refuse(_: httpx.Request) -> None:
        if random.random() < 0.5:
            raise httpx.ConnectError("refused")

    http = {"transport": driver.transport(refuse)}
    walked = walk(driver, sandbox.base_url, workers=4, max_retries=60, http=http)
    assert walked.error is None
    assert sorted(walked.ids) == ALL


@EACH_DRIVER
@pytest.mark.parametrize("fault", [reset, close], ids=["reset", "close"])
def test_a_server_gone_for_good_ends_the_walk_with_its_error(
    driver: Driver, fault: Callable[[], Behaviour], sandbox: Sandbox
):
    sent = 0

    async def play(exchange: Exchange) -> None:
        nonlocal sent
        sent += 1
        await (fault().play(exchange) if sent > 3 else pass_on(exchange, sandbox.port))

    with FaultServer(Behaviour("dies", play), key=KEY) as proxy:
        walked = walk(driver, proxy.base_url, max_retries=2, patience=0)
        assert len(proxy.requests) == 3 + 3
    assert isinstance(walked.error, DifyError)
    assert walked.seen == len(walked.ids) == len(set(walked.ids)) > 200

"""`logs.follow` against the sandbox, both clients: what is given, how often, in which order, and for which filters."""

from __future__ import annotations

import inspect
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_DRIVER, Driver, Follower

from dify_workflow import AsyncDifyWorkflow, DifyWorkflow
from dify_workflow.testing import Sandbox, new_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_workflow.models import WorkflowLog
    from dify_workflow.testing import LogRow

NOW = int(time.time())
UNFINISHED = ["running", "scheduled", "paused", "something-new"]
ENDS = ["succeeded", "failed", "stopped", "partial-succeeded"]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0) as sandbox:
        yield sandbox


def follow(driver: Driver, sandbox: Sandbox, **options: Any) -> Follower:
    return Follower(driver, sandbox.base_url, api_key=sandbox.api_key, **options)


def end(sandbox: Sandbox, log: LogRow, status: str, **changes: object) -> None:
    assert log.run is not None
    assert sandbox.update_run(log.run.id, status=status, finished_at=NOW + 5, **changes)


def id_and_status(logs: list[WorkflowLog]) -> list[tuple[str, str | None]]:
    return [(log.id, None if log.workflow_run is None else str(log.workflow_run.status)) for log in logs]


def text_of(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


def begun(follower: Any, sandbox: Sandbox, **fields: Any) -> None:
    """Have a follower give a first row, so that what is added from now on is new to it."""
    log = sandbox.add_log(created_at=NOW, **fields)
    assert [given.id for given in follower.take()] == [log.id]


@EACH_DRIVER
def test_each_new_row_comes_once_and_once_more_when_it_has_ended(driver: Driver, sandbox: Sandbox):
    with follow(driver, sandbox, since="1d") as follower:
        begun(follower, sandbox)
        logs = [sandbox.add_log(created_at=NOW + 1, status=status) for status in UNFINISHED]
        assert sorted(id_and_status(follower.take(4))) == sorted(
            (log.id, status) for log, status in zip(logs, UNFINISHED, strict=True)
        )
        for log, status in zip(logs, ENDS, strict=True):
            end(sandbox, log, status)
        assert sorted(id_and_status(follower.take(4))) == sorted(
            (log.id, status) for log, status in zip(logs, ENDS, strict=True)
        )
        for log in logs:  # a change after the end is reported to nobody
            end(sandbox, log, "failed", total_tokens=7)
        last = sandbox.add_log(created_at=NOW + 2, status="failed")
        end(sandbox, last, "succeeded")
        after = sandbox.add_log(created_at=NOW + 3)
        given = id_and_status(follower.take(2))
        assert [identity for identity, _ in given] == [last.id, after.id]


@EACH_DRIVER
def test_since_includes_its_second_and_nothing_before(driver: Driver, sandbox: Sandbox):
    sandbox.add_logs(new_log(created_at=NOW - 100 + n) for n in range(10))
    with follow(driver, sandbox, since=text_of(NOW - 95)) as follower:
        assert [log.created_at - NOW for log in follower.take(5)] == [-95, -94, -93, -92, -91]
        early = sandbox.add_log(created_at=NOW - 96)
        late = sandbox.add_log(created_at=NOW - 95)
        assert [log.id for log in follower.take()] == [late.id] != [early.id]


# Filters ----------------------------------------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize(
    "filters",
    [
        {"keyword": "needle"},
        {"created_by_account": "ann@example.com"},
        {"created_by_end_user_session_id": "wanted"},
        {"keyword": "needle", "created_by_end_user_session_id": "wanted"},
    ],
    ids="+".join,
)
def test_filters_give_what_matches_and_its_end(driver: Driver, sandbox: Sandbox, filters: dict[str, str]):
    account = filters.get("created_by_account")
    wanted = {"inputs": {"query": "a needle"}, "session_id": "wanted", "account": account}
    others: list[dict[str, Any]] = [
        wanted | {"inputs": {"query": "hay"}} if "keyword" in filters else {},
        wanted | {"session_id": "other"} if "created_by_end_user_session_id" in filters else {},
        {"account": "bob@example.com"},
    ]
    sandbox.add_log(created_at=NOW - 99_999, **wanted)
    with follow(driver, sandbox, since="1d", **filters) as follower:
        for n, other in enumerate(others):
            sandbox.add_log(created_at=NOW + n, status="running", **other)
        log = sandbox.add_log(created_at=NOW + 5, status="running", **wanted)
        assert id_and_status(follower.take()) == [(log.id, "running")]
        end(sandbox, log, "succeeded")
        assert id_and_status(follower.take()) == [(log.id, "succeeded")]
        unfinished = follower.checkpoint["unfinished"]
    assert unfinished == {}


@EACH_DRIVER
def test_a_row_comes_when_it_takes_the_status_and_no_other_time(driver: Driver, sandbox: Sandbox):
    with follow(driver, sandbox, since="1d", status="failed") as follower:
        running = sandbox.add_log(created_at=NOW, status="running")
        other = sandbox.add_log(created_at=NOW, status="running")
        failed = sandbox.add_log(created_at=NOW + 1, status="failed")
        assert id_and_status(follower.take()) == [(failed.id, "failed")]
        end(sandbox, other, "succeeded")
        end(sandbox, running, "failed")
        assert id_and_status(follower.take()) == [(running.id, "failed")]
        failed = sandbox.add_log(created_at=NOW + 2, status="failed")
        assert id_and_status(follower.take()) == [(failed.id, "failed")]


# Checkpoints ------------------------------------------------------------------------------------------------------


@EACH_DRIVER
def test_a_restart_tells_what_ended_meanwhile(driver: Driver, sandbox: Sandbox):
    old = sandbox.add_log(created_at=NOW - 3000, status="running")
    young = sandbox.add_log(created_at=NOW, status="running")
    with follow(driver, sandbox, since="1d") as follower:
        follower.take(2)
        checkpoint = follower.checkpoint
    end(sandbox, old, "failed")
    end(sandbox, young, "succeeded")
    later = sandbox.add_log(created_at=NOW + 7000)
    with follow(driver, sandbox, checkpoint=checkpoint) as follower:
        given = id_and_status(follower.take(3))
        assert given == [(young.id, "succeeded"), (later.id, "succeeded"), (old.id, "failed")]
        assert set(follower.checkpoint["recent"]) == {later.id}
        assert follower.checkpoint["unfinished"] == {}


@EACH_DRIVER
def test_a_checkpoint_counts_more_than_since(driver: Driver, sandbox: Sandbox):
    with follow(driver, sandbox, since="1d") as follower:
        begun(follower, sandbox)
        checkpoint = follower.checkpoint
    after = sandbox.add_log(created_at=NOW + 1)
    with follow(driver, sandbox, since="30d", checkpoint=checkpoint) as follower:
        assert id_and_status(follower.take()) == [(after.id, "succeeded")]


# Arguments --------------------------------------------------------------------------------------------------------

WRONG: list[tuple[dict[str, Any], str]] = [
    *(
        ({name: value}, name)
        for name in ("poll", "give_up_after")
        for value in (0, -1, True, None, "5", float("nan"), float("inf"), 10**400, 1e300, 2e9)
    ),
    *(({"since": value}, "since") for value in ("yesterday", 1_790_000_000, "", "1 h", 1.5)),
    ({"keyword": 5}, "keyword"),
    ({"status": 1}, "status"),
    ({"checkpoint": {}}, "checkpoint"),
    ({"checkpoint": []}, "checkpoint"),
    ({"checkpoint": "text"}, "checkpoint"),
]


@pytest.mark.parametrize("client", [DifyWorkflow, AsyncDifyWorkflow])
@pytest.mark.parametrize(("options", "name"), WRONG, ids=lambda value: str(value)[:40])
def test_a_wrong_argument_is_refused_before_anything_is_sent(client: Any, options: dict[str, Any], name: str):
    logs = client(api_key="app-1", base_url="http://127.0.0.1:9/v1").logs
    with pytest.raises(ValueError, match=rf"^{name}\b"):
        logs.follow(**options)


@pytest.mark.parametrize("client", [DifyWorkflow, AsyncDifyWorkflow])
def test_by_default_it_polls_every_5_s_and_gives_up_after_a_day(client: Any):
    logs = client(api_key="app-1").logs
    assert logs.follow()
    parameters = inspect.signature(logs.follow).parameters
    assert (parameters["poll"].default, parameters["give_up_after"].default) == (5.0, 86_400.0)


@EACH_DRIVER
def test_a_checkpoint_of_a_walk_is_refused(driver: Driver, sandbox: Sandbox):
    sandbox.add_log()
    with sandbox.client() as client, client.logs.iter() as walk:
        next(walk)
        checkpoint = walk.checkpoint
    sandbox.clear_requests()
    with pytest.raises(ValueError, match=r"logs\.follow"):
        follow(driver, sandbox, checkpoint=checkpoint)
    assert sandbox.requests == ()

"""`logs.follow` against the sandbox, both halves: what is given, how often, in which order, and for which filters."""

from __future__ import annotations

import inspect
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_HALF, Follower, Half

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


def follow(half: Half, sandbox: Sandbox, **options: Any) -> Follower:
    return Follower(half, sandbox.base_url, api_key=sandbox.api_key, **options)


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


@EACH_HALF
def test_each_new_row_comes_once_and_once_more_when_it_has_ended(half: Half, sandbox: Sandbox):
    with follow(half, sandbox, since="1d") as follower:
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


@EACH_HALF
def test_a_row_far_in_the_past_is_still_told_to_have_ended(half: Half, sandbox: Sandbox):
    old = sandbox.add_log(created_at=NOW - 3000, status="running")
    rows = [sandbox.add_log(created_at=NOW - 2000 + n * 100) for n in range(10)]
    with follow(half, sandbox, since="1d") as follower:
        assert [log.id for log in follower.take(11)] == [old.id, *(row.id for row in rows)]
        end(sandbox, old, "failed", error="boom")
        (log,) = follower.take()
        assert id_and_status([log]) == [(old.id, "failed")]
        assert log.workflow_run is not None
        assert log.workflow_run.error == "boom"


@EACH_HALF
def test_a_row_that_appears_late_is_not_missed(half: Half, sandbox: Sandbox):
    with follow(half, sandbox, since="1d") as follower:
        begun(follower, sandbox)
        for age in (30, 1, 0, 17):
            late = sandbox.add_log(created_at=NOW - age)
            assert id_and_status(follower.take()) == [(late.id, "succeeded")]


@EACH_HALF
@pytest.mark.parametrize("hours", [-8, -1, 5])
def test_new_logs_come_where_displayed_times_are_shifted(half: Half, sandbox: Sandbox, hours: int):
    sandbox.add_logs(new_log(created_at=NOW - 72 * number) for number in range(1, 1000))
    sandbox.traps.displayed_time_shift = hours * 3600
    with follow(half, sandbox, since=text_of(NOW)) as follower:
        for _ in range(5):
            log = sandbox.add_log(created_at=int(time.time()))
            assert id_and_status(follower.take()) == [(log.id, "succeeded")]


@EACH_HALF
def test_what_is_new_in_one_look_comes_oldest_first(half: Half, sandbox: Sandbox):
    with follow(half, sandbox, since="1d") as follower:
        begun(follower, sandbox)
        sandbox.add_logs(new_log(created_at=NOW + second) for second in (9, 3, 7, 1, 5))
        assert [log.created_at - NOW for log in follower.take(5)] == [1, 3, 5, 7, 9]


@EACH_HALF
@pytest.mark.parametrize("there", [0, 1, 250])
def test_what_is_there_at_the_start_is_left_out(half: Half, sandbox: Sandbox, there: int):
    sandbox.add_logs(new_log(created_at=NOW - n // 120) for n in range(there))
    running = [sandbox.add_log(created_at=NOW, status="running")] if there else []
    new: list[LogRow] = []
    overlap = text_of(NOW - 30)

    def add_once_the_start_was_read(_: object) -> None:
        asked = [dict(request.params) for request in sandbox.requests]
        looks = [params for params in asked if params.get("created_at__after") == overlap]
        looks = [params for params in looks if "created_at__before" not in params]
        if not new and (looks or (not there and len(sandbox.requests) > 1)):
            new.append(sandbox.add_log(created_at=NOW))

    sandbox.traps.before_request = add_once_the_start_was_read
    with follow(half, sandbox) as follower:
        assert [log.id for log in follower.take()] == [log.id for log in new]
        for log in running:
            end(sandbox, log, "failed")
        after = sandbox.add_log(created_at=NOW + 1)
        assert [log.id for log in follower.take()] == [after.id]


@EACH_HALF
def test_since_includes_its_second_and_nothing_before(half: Half, sandbox: Sandbox):
    sandbox.add_logs(new_log(created_at=NOW - 100 + n) for n in range(10))
    with follow(half, sandbox, since=text_of(NOW - 95)) as follower:
        assert [log.created_at - NOW for log in follower.take(5)] == [-95, -94, -93, -92, -91]
        early = sandbox.add_log(created_at=NOW - 96)
        late = sandbox.add_log(created_at=NOW - 95)
        assert [log.id for log in follower.take()] == [late.id] != [early.id]


@EACH_HALF
def test_a_backlog_with_a_crowded_second_is_whole_and_in_order(half: Half, sandbox: Sandbox):
    rows = [new_log(created_at=NOW - 100_000 + n * 30) for n in range(1900)]
    rows += [new_log(created_at=NOW - 70_000) for _ in range(400)]
    sandbox.add_logs(rows)
    arriving: list[LogRow] = []

    def arrive(_: object) -> None:
        if len(arriving) < 30:
            arriving.append(sandbox.add_log(created_at=NOW + len(arriving)))

    sandbox.traps.before_request = arrive
    with follow(half, sandbox, since="2d") as follower:
        given = follower.take(len(rows) + 30)
    assert len({log.id for log in given}) == len(given)
    assert {log.id for log in given} == {log.id for log in [*rows, *arriving]}
    seconds = [log.created_at for log in given]
    assert seconds[: len(rows)] == sorted(row.created_at for row in rows)


@EACH_HALF
def test_an_idle_look_is_exactly_one_request(half: Half, sandbox: Sandbox):
    sandbox.add_logs(new_log(created_at=NOW - n // 50) for n in range(300))
    with follow(half, sandbox, since="1d") as follower:
        follower.take(300)
        follow_up = len(sandbox.requests)

        def add_in_the_end(_: object) -> None:
            if len(sandbox.requests) == follow_up + 32:
                sandbox.add_log(created_at=NOW + 60)

        sandbox.traps.before_request = add_in_the_end
        follower.take()
    # The first look after the backlog makes sure that it was all; each one after it sends the request that asks for
    # news, and no other.
    queries = [request.query for request in sandbox.requests[follow_up + 20 : follow_up + 32]]
    assert set(queries) == {queries[0]}
    assert "created_at__after" in queries[0]
    assert "created_at__before" not in queries[0]


# Filters ----------------------------------------------------------------------------------------------------------


@EACH_HALF
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
def test_filters_give_what_matches_and_its_end(half: Half, sandbox: Sandbox, filters: dict[str, str]):
    account = filters.get("created_by_account")
    wanted = {"inputs": {"query": "a needle"}, "session_id": "wanted", "account": account}
    others: list[dict[str, Any]] = [
        wanted | {"inputs": {"query": "hay"}} if "keyword" in filters else {},
        wanted | {"session_id": "other"} if "created_by_end_user_session_id" in filters else {},
        {"account": "bob@example.com"},
    ]
    sandbox.add_log(created_at=NOW - 99_999, **wanted)
    with follow(half, sandbox, since="1d", **filters) as follower:
        for n, other in enumerate(others):
            sandbox.add_log(created_at=NOW + n, status="running", **other)
        log = sandbox.add_log(created_at=NOW + 5, status="running", **wanted)
        assert id_and_status(follower.take()) == [(log.id, "running")]
        end(sandbox, log, "succeeded")
        assert id_and_status(follower.take()) == [(log.id, "succeeded")]
        unfinished = follower.checkpoint["unfinished"]
    assert unfinished == {}


@EACH_HALF
def test_a_row_comes_when_it_takes_the_status_and_no_other_time(half: Half, sandbox: Sandbox):
    with follow(half, sandbox, since="1d", status="failed") as follower:
        running = sandbox.add_log(created_at=NOW, status="running")
        other = sandbox.add_log(created_at=NOW, status="running")
        failed = sandbox.add_log(created_at=NOW + 1, status="failed")
        assert id_and_status(follower.take()) == [(failed.id, "failed")]
        end(sandbox, other, "succeeded")
        end(sandbox, running, "failed")
        assert id_and_status(follower.take()) == [(running.id, "failed")]
        failed = sandbox.add_log(created_at=NOW + 2, status="failed")
        assert id_and_status(follower.take()) == [(failed.id, "failed")]


@EACH_HALF
def test_a_status_that_is_no_end_comes_when_the_row_takes_it(half: Half, sandbox: Sandbox):
    with follow(half, sandbox, since="1d", status="paused") as follower:
        log = sandbox.add_log(created_at=NOW, status="running")
        first = sandbox.add_log(created_at=NOW + 1, status="paused")
        assert id_and_status(follower.take()) == [(first.id, "paused")]
        assert log.run is not None
        sandbox.update_run(log.run.id, status="paused")
        assert id_and_status(follower.take()) == [(log.id, "paused")]
        end(sandbox, log, "succeeded")
        end(sandbox, first, "succeeded")
        last = sandbox.add_log(created_at=NOW + 2, status="paused")
        assert id_and_status(follower.take()) == [(last.id, "paused")]


@EACH_HALF
def test_a_row_whose_run_or_creator_is_gone_comes_once(half: Half, sandbox: Sandbox):
    bare = replace(new_log(created_at=NOW), run=None, creator=None)
    sandbox.add_logs([bare])
    with follow(half, sandbox, since="1d") as follower:
        assert id_and_status(follower.take()) == [(bare.id, None)]
        after = sandbox.add_log(created_at=NOW + 1)
        assert id_and_status(follower.take()) == [(after.id, "succeeded")]


@EACH_HALF
def test_rows_that_are_deleted_are_no_news(half: Half, sandbox: Sandbox):
    with follow(half, sandbox, since="1d") as follower:
        gone = [sandbox.add_log(created_at=NOW - n * 100, status="running") for n in (1, 0)]
        assert [log.id for log in follower.take(2)] == [log.id for log in gone]
        sandbox.delete_logs(log.id for log in gone)
        log = sandbox.add_log(created_at=NOW + 200, status="running")
        assert id_and_status(follower.take()) == [(log.id, "running")]
        end(sandbox, log, "succeeded")
        assert id_and_status(follower.take()) == [(log.id, "succeeded")]


# Checkpoints ------------------------------------------------------------------------------------------------------


@EACH_HALF
@pytest.mark.parametrize("first", [1, 3, 7, 120, 199])
def test_a_restart_after_any_row_loses_and_repeats_nothing(half: Half, sandbox: Sandbox, first: int):
    sandbox.add_logs(new_log(created_at=NOW - n // 40, status=("running", "succeeded")[n % 2]) for n in range(200))
    with follow(half, sandbox, since="1d") as follower:
        given = id_and_status(follower.take(first))
        checkpoint = follower.checkpoint
    with follow(half, sandbox, checkpoint=checkpoint) as follower:
        given += id_and_status(follower.take(200 - first))
        after = sandbox.add_log(created_at=NOW + 1)
        assert id_and_status(follower.take()) == [(after.id, "succeeded")]
    assert len(set(given)) == 200


@EACH_HALF
def test_a_restart_tells_what_ended_meanwhile(half: Half, sandbox: Sandbox):
    old = sandbox.add_log(created_at=NOW - 3000, status="running")
    young = sandbox.add_log(created_at=NOW, status="running")
    with follow(half, sandbox, since="1d") as follower:
        follower.take(2)
        checkpoint = follower.checkpoint
    end(sandbox, old, "failed")
    end(sandbox, young, "succeeded")
    later = sandbox.add_log(created_at=NOW + 7000)
    with follow(half, sandbox, checkpoint=checkpoint) as follower:
        given = id_and_status(follower.take(3))
        assert given == [(young.id, "succeeded"), (later.id, "succeeded"), (old.id, "failed")]
        assert set(follower.checkpoint["recent"]) == {later.id}
        assert follower.checkpoint["unfinished"] == {}


@EACH_HALF
def test_a_checkpoint_counts_more_than_since(half: Half, sandbox: Sandbox):
    with follow(half, sandbox, since="1d") as follower:
        begun(follower, sandbox)
        checkpoint = follower.checkpoint
    after = sandbox.add_log(created_at=NOW + 1)
    with follow(half, sandbox, since="30d", checkpoint=checkpoint) as follower:
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


@EACH_HALF
def test_a_checkpoint_of_a_walk_is_refused(half: Half, sandbox: Sandbox):
    sandbox.add_log()
    with sandbox.client() as client, client.logs.iter() as walk:
        next(walk)
        checkpoint = walk.checkpoint
    sandbox.clear_requests()
    with pytest.raises(ValueError, match=r"logs\.follow"):
        follow(half, sandbox, checkpoint=checkpoint)
    assert sandbox.requests == ()

"""`logs.changes` and `logs.ranges` over random histories, and what they cost: no HTTP, no waiting.

`make soak` tries thousands of the histories of tests/job_histories.py.
"""

from __future__ import annotations

import asyncio
import json
import pickle
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_DRIVER, Driver
from support.job_histories import (
    BEGIN,
    NEVER,
    JobHistory,
    JobRow,
    JobTable,
    check_changes,
    check_ranges,
    random_job,
    random_ranges,
)
from support.log_histories import NO_FILTERS
from support.zoned_histories import changes_of

from dify_workflow import APIConnectionError, AsyncDifyWorkflow, DifyWorkflow, Verbatim
from dify_workflow._async.log_follow import AsyncLogChanges
from dify_workflow._logs.follow import Following
from dify_workflow._sync.log_follow import LogChanges
from dify_workflow.testing import Sandbox
from dify_workflow.types import LogRange

if TYPE_CHECKING:
    from collections.abc import Callable

    from dify_workflow._logs.walk import PageRequest
    from dify_workflow.models import WorkflowLogPage


@pytest.mark.parametrize(
    ("make", "check", "count"), [(random_job, check_changes, 20), (random_ranges, check_ranges, 100)]
)
def test_random_histories_lose_and_repeat_nothing(
    make: Callable[[Random], Any], check: Callable[[Any], Any], count: int
):
    for seed in range(count):
        check(make(Random(seed)))  # noqa: S311 - histories that can be repeated, no secrets


NOWHERE = "http://127.0.0.1:9/v1"


def table_of(seconds: list[int], *, ended_at: float = 0.0) -> JobTable:
    rows = [JobRow(str(number), second, second, ended_at, NEVER, "failed") for number, second in enumerate(seconds)]
    return JobTable(JobHistory("", "UTC", rows, [], None, 0))


def read_changes(table: JobTable, checkpoint: Any = None, since: int | None = None) -> tuple[int, int, Any]:
    """The logs that a call gives, its requests, and its checkpoint."""
    following = Following(NO_FILTERS, oldest=since, poll=1e9, give_up_after=86_400.0)
    if checkpoint is not None:
        following.restore(checkpoint)
    before = len(table.requests)
    changes = LogChanges(table.page, following, monotonic=lambda: table.now)
    given = sum(1 for _ in changes)
    return given, len(table.requests) - before, json.loads(json.dumps(changes.checkpoint))


@pytest.mark.parametrize("new", [0, 1, 50, 180, 450, 900])
def test_a_call_of_changes_takes_few_requests(new: int):
    table = table_of([BEGIN + number for number in range(100 + new)])
    table.now = BEGIN + 99
    _, _, checkpoint = read_changes(table)
    table.now += new
    given, requests, checkpoint = read_changes(table, checkpoint)
    assert given == new
    assert requests <= 2 + -(-(new + 31) // 100)  # the logs of the last half minute are shown again
    assert len(json.dumps(checkpoint)) <= 200 + 60 * 31


def test_unfinished_logs_cost_one_request_for_each_window():
    table = table_of([BEGIN + 1000 * number for number in range(40)], ended_at=BEGIN + 50_000)
    table.now = BEGIN + 40_000
    given, _, checkpoint = read_changes(table, since=BEGIN)
    assert given == 40
    assert read_changes(table, checkpoint)[:2] == (0, 1 + 39)  # all are due; the newest is shown anyway
    table.now = BEGIN + 50_000
    assert read_changes(table, checkpoint)[:2] == (40, 1 + 39)


def test_a_run_that_hangs_drags_nothing_back():
    table = table_of([BEGIN + number for number in range(5000)])
    table.history.rows[0].ended_at = NEVER
    table.now = BEGIN + 5000
    given, _, checkpoint = read_changes(table, since=BEGIN)
    assert given == 5000
    assert read_changes(table, checkpoint)[:2] == (0, 2)


@EACH_DRIVER
def test_changes_and_ranges_of_a_client(driver: Driver):
    with Sandbox(rows=0) as sandbox:

        async def story(client: Any) -> Any:
            client = client.with_options(api_key=sandbox.api_key)
            assert await client.logs.ranges(4) == []
            first = client.logs.changes()
            assert [log async for log in first] == []
            for _ in range(3):
                sandbox.add_log(status="failed")
            second = client.logs.changes(checkpoint=json.loads(json.dumps(first.checkpoint)))
            given = [log.id async for log in second]
            with pytest.raises(StopAsyncIteration):
                await anext(second)
            ranges = await client.logs.ranges(3, status="failed")
            read = [log.id for part in ranges for log in [log async for log in client.logs.iter(range=part)]]
            assert sorted(read) == sorted(given)
            follow = client.logs.follow(checkpoint=second.checkpoint)
            await follow.close()
            return len(given)

        assert driver.play(sandbox.base_url, story) == 3


@EACH_DRIVER
def test_an_outage_ends_changes_at_once_and_the_checkpoint_holds(driver: Driver):
    async def story(client: Any) -> None:
        changes = client.logs.changes(since="1h")
        before = changes.checkpoint
        with pytest.raises(APIConnectionError):
            await anext(changes)
        assert changes.checkpoint == before
        with pytest.raises(RuntimeError, match="continue from its checkpoint"):
            await anext(changes)

    driver.play(NOWHERE, story, max_retries=0)


@EACH_DRIVER
@pytest.mark.parametrize(
    "call",
    [
        lambda logs: logs.changes(status="sucess"),
        lambda logs: logs.changes(keyword=""),
        lambda logs: logs.changes(since="yesterday"),
        lambda logs: logs.changes(give_up_after=0),
        lambda logs: logs.changes(patience=-1),
        lambda logs: logs.changes(checkpoint={"walk": "logs.iter"}),
        lambda logs: logs.ranges(0),
        lambda logs: logs.ranges(True),
        lambda logs: logs.ranges(2, created_at__after="1h", created_at__before="2h"),
        lambda logs: logs.iter(range={"version": 1}),
        lambda logs: logs.iter(range=LogRange(None, None, 0), status="failed"),
    ],
)
def test_wrong_arguments_are_refused_before_a_request(driver: Driver, call: Callable[[Any], Any]):
    async def story(client: Any) -> None:
        made = call(client.logs)
        if hasattr(made, "__await__"):
            await made

    with pytest.raises(ValueError, match=r"must be|belongs|must be given there"):
        driver.play(NOWHERE, story, max_retries=0)


@pytest.mark.parametrize("keyword", ["plain", Verbatim("müller")])
def test_a_checkpoint_alone_continues_with_its_filters(keyword: str):
    with DifyWorkflow(api_key="app-x", base_url=NOWHERE) as client:
        walk = client.logs.iter(keyword=keyword, status="running", created_at__after="7d")
        saved = json.loads(json.dumps(walk.checkpoint))
        again = client.logs.iter(checkpoint=saved)
        assert again.checkpoint == walk.checkpoint
        assert again._filters.sent == walk._filters.sent
        assert again._filters.status == "running"
        with pytest.raises(ValueError, match="belongs to a walk with the filters"):
            client.logs.iter(checkpoint=saved, status="failed")


def test_an_earlier_checkpoint_with_a_keyword_needs_it_again():
    with DifyWorkflow(api_key="app-x", base_url=NOWHERE) as client:
        saved = client.logs.iter(keyword="x").checkpoint
        del saved["verbatim"]
        with pytest.raises(ValueError, match="give the filters again"):
            client.logs.iter(checkpoint=saved)
        assert client.logs.iter(checkpoint=saved, keyword="x").checkpoint["filters"] == {"keyword": "x"}


@pytest.mark.parametrize("value", [{}, {"version": 2}, {"version": 1, "filters": {"page": "1"}, "verbatim": []}])
def test_what_is_no_range_is_refused(value: Any):
    with pytest.raises(ValueError, match=r"range|LogRange|filters"):
        LogRange.from_dict(value)


@pytest.mark.parametrize("cls", [DifyWorkflow, AsyncDifyWorkflow])
@pytest.mark.parametrize(
    "part", [lambda client: client, lambda client: client.logs, lambda client: client.with_options()]
)
def test_a_client_is_not_pickled_and_says_what_to_do(cls: Any, part: Callable[[Any], Any]):
    with pytest.raises(TypeError, match=r"not pickled.*DifyWorkflow\(\).*environment"):
        pickle.dumps(part(cls(api_key="app-secret", base_url=NOWHERE)))


def changes_read_by(driver: Driver, table: JobTable, following: Following) -> list[str]:
    """The ids of the changes, and the position after them in `following`."""

    async def read_page(request: PageRequest) -> WorkflowLogPage:
        return table.page(request)

    async def read() -> list[str]:
        return [str(log.id) async for log in AsyncLogChanges(read_page, following)]

    if driver.name == "async":
        return asyncio.run(read())
    return [str(log.id) for log in LogChanges(table.page, following)]


@pytest.mark.parametrize("after", [20, 60])
@EACH_DRIVER
def test_a_backlog_over_a_step_of_times_is_given_whole(driver: Driver, after: int):
    # The part of the backlog that is read last begins at logs that were displayed by another offset than the newest.
    zone = "America/Indianapolis"
    step = changes_of(zone)[1]
    moments = [step + 400 * number for number in range(after - 1040, after)]
    rows = [JobRow(str(moment), moment, moment, moment, NEVER, "succeeded") for moment in moments]
    table = JobTable(JobHistory("process", zone, rows, [], moments[0], 0.0))
    following = Following(NO_FILTERS, oldest=moments[0], poll=1e9, give_up_after=1e9)
    given: list[str] = []
    for table.now in (float(moments[25]), float(moments[-1])):
        given += changes_read_by(driver, table, following)
    assert given == [row.key for row in rows]

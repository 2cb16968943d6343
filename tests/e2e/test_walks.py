"""`logs.iter` of both clients over the sandbox: all rows, once, newest first, where paging loses some."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_DRIVER, EACH_WORKERS, AsyncDriver, Driver, SyncDriver, walk

from dify_workflow.models import WorkflowRunStatus
from dify_workflow.testing import LogRow, Sandbox, new_log

if TYPE_CHECKING:
    from collections.abc import Iterator


NOW = 1_790_000_000
STATUSES = ("succeeded", "failed", "stopped", "running", "paused", "partial-succeeded", "scheduled", "anything-new")


def rows_of_production() -> list[LogRow]:
    """602 rows, up to 21 in one second, of every status and four sessions."""
    random = Random(3)  # noqa: S311 - the same rows each time
    rows: list[LogRow] = []
    second = NOW
    while len(rows) < 602:
        second -= random.choice([1, 1, 7, 300])
        for _ in range(min(random.choice([1, 1, 2, 3, 8, 21]), 602 - len(rows))):
            number = len(rows)
            rows.append(
                new_log(
                    created_at=second,
                    status=STATUSES[number % len(STATUSES)],
                    session_id=f"user-{number % 4}",
                    inputs={"query": "order" if number % 3 else "refund"},
                )
            )
    return rows


ROWS = rows_of_production()


@pytest.fixture(scope="module")
def of_module() -> Iterator[Sandbox]:
    with Sandbox(rows=0) as sandbox:
        sandbox.add_logs(ROWS)
        yield sandbox


@pytest.fixture
def sandbox(of_module: Sandbox) -> Iterator[Sandbox]:
    """602 rows that no test changes; the traps are put back."""
    yield from put_back(of_module)


def put_back(of_module: Sandbox) -> Iterator[Sandbox]:
    before = {name: getattr(of_module.traps, name) for name in of_module.traps.__dataclass_fields__}
    of_module.clear_requests()
    yield of_module
    for name, value in before.items():
        setattr(of_module.traps, name, value)


def read(driver: Driver, sandbox: Sandbox, **options: Any) -> Any:
    return walk(driver, sandbox.base_url, api_key=sandbox.api_key, **options)


def check_all(walked: Any, rows: list[LogRow]) -> None:
    assert walked.error is None
    assert sorted(walked.ids) == sorted(row.id for row in rows)
    assert all(newer.created_at >= older.created_at for newer, older in pairwise(walked.logs))


# All rows -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "at_least"), [(100, 1), (50, 2), (20, 5)])
def test_page_by_page_the_same_rows_are_lost(sandbox: Sandbox, limit: int, at_least: int):
    with sandbox.client() as client:
        ids: list[str] = []
        page, more = 1, True
        while more:
            response = client.logs.list(page=page, limit=limit)
            ids += [log.id for log in response.data]
            page, more = page + 1, response.has_more
    assert len(ids) == response.total == 602  # as if nothing were missing
    assert len({row.id for row in ROWS} - set(ids)) >= at_least


@EACH_WORKERS
@EACH_DRIVER
def test_a_walk_gives_all_rows_newest_first(driver: Driver, workers: int, sandbox: Sandbox):
    walked = read(driver, sandbox, workers=workers)
    check_all(walked, ROWS)
    assert (walked.total, walked.seen, walked.checkpoint["ended"]) == (602, 602, True)


def test_602_rows_take_no_more_than_8_requests(sandbox: Sandbox):
    check_all(read(SyncDriver(), sandbox), ROWS)
    assert len(sandbox.requests) <= 8


@EACH_DRIVER
def test_every_row_is_the_model_that_list_gives(driver: Driver, sandbox: Sandbox):
    with sandbox.client() as client:
        page = client.logs.list(limit=20)
    by_id = {log.id: log for log in page.data}
    walked = read(driver, sandbox, count=40)
    assert [log for log in walked.logs if log.id in by_id and log != by_id[log.id]] == []
    assert by_id.keys() <= set(walked.ids)


@EACH_DRIVER
def test_an_app_without_logs_ends_at_once(driver: Driver, sandbox: Sandbox):
    walked = walk(driver, sandbox.base_url, api_key=sandbox.keys["empty"])
    assert (walked.logs, walked.total, walked.seen, walked.error) == ([], 0, 0, None)
    assert len(sandbox.requests) == 1


# Filters ------------------------------------------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize("status", WorkflowRunStatus)
def test_any_status_can_be_asked_for(driver: Driver, status: str, sandbox: Sandbox):
    walked = read(driver, sandbox, status=status)
    check_all(walked, [row for row in ROWS if row.run is not None and row.run.status == status])
    by_server = status in {"succeeded", "failed", "stopped"}
    assert walked.total == (len(walked.logs) if by_server else None)
    assert all(("status", status) in request.params for request in sandbox.requests) is by_server


@EACH_WORKERS
def test_keyword_and_session_id_together_give_the_right_rows(workers: int, sandbox: Sandbox):
    both = {"keyword": "refund", "created_by_end_user_session_id": "user-1"}
    of_both = [(number, row) for number, row in enumerate(ROWS) if number % 3 == 0 and number % 4 == 1]
    walked = read(SyncDriver(), sandbox, **both, workers=workers)
    check_all(walked, [row for _, row in of_both])
    assert walked.total is None
    walked = read(SyncDriver(), sandbox, **both, status="partial-succeeded", workers=workers)
    check_all(walked, [row for number, row in of_both if number % 8 == 5])
    assert len(walked.logs) > 20


def test_the_server_itself_responds_500_to_these_two(sandbox: Sandbox):
    both = {"keyword": "refund", "created_by_end_user_session_id": "user-1"}
    with sandbox.client(max_retries=0) as client, pytest.raises(Exception, match="500"):
        client.request("GET", "/workflows/logs", params=both)


@EACH_WORKERS
@EACH_DRIVER
def test_bounds_are_inclusive_and_hold(driver: Driver, workers: int, sandbox: Sandbox):
    seconds = sorted({row.created_at for row in ROWS})
    oldest, newest = seconds[len(seconds) // 4], seconds[-len(seconds) // 4]
    walked = read(
        driver,
        sandbox,
        created_at__before=datetime.fromtimestamp(newest, UTC),
        created_at__after=datetime.fromtimestamp(oldest, UTC).isoformat(),
        workers=workers,
    )
    check_all(walked, [row for row in ROWS if oldest <= row.created_at <= newest])


@EACH_DRIVER
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": 0}, "workers must be an integer from 1 to 64, got 0"),
        ({"workers": True}, "workers must be an integer from 1 to 64, got True"),
        ({"workers": 65}, "workers must be an integer from 1 to 64, got 65"),
        ({"workers": 2.0}, "workers must be an integer from 1 to 64, got 2.0"),
        ({"workers": None}, "workers must be an integer from 1 to 64, got None"),
        ({"keyword": 7}, "keyword must be a string, got 7"),
        ({"created_at__after": "yesterday"}, "created_at__after must be a datetime"),
        ({"checkpoint": {}}, "checkpoint must be the .checkpoint of a walk"),
        ({"checkpoint": "eyJ9"}, "checkpoint must be the .checkpoint of a walk"),
    ],
)
def test_unusable_arguments_are_value_errors_and_not_sent(
    driver: Driver, options: dict[str, Any], words: str, sandbox: Sandbox
):
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        read(driver, sandbox, **options)
    assert sandbox.requests == ()


# Going on -----------------------------------------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize("cut", [0, 1, 100, 350, 602])
def test_another_walk_goes_on_from_a_checkpoint(driver: Driver, cut: int, sandbox: Sandbox):
    first = read(driver, sandbox, count=cut, workers=2)
    assert (first.seen, first.checkpoint["seen"], len(first.logs)) == (cut, cut, cut)
    second = read(driver, sandbox, checkpoint=json.loads(json.dumps(first.checkpoint)), workers=8)
    assert sorted(first.ids + second.ids) == sorted(row.id for row in ROWS)
    assert (second.seen, second.total) == (602, 602)


def test_the_halves_take_each_others_checkpoints_and_count_along(sandbox: Sandbox):
    ids: list[str] = []
    checkpoint = None
    drivers = [SyncDriver(), AsyncDriver()]
    for number in range(10):
        seen: list[int] = []
        part = read(
            drivers[number % 2],
            sandbox,
            count=70,
            checkpoint=checkpoint,
            each=lambda walk, seen=seen: seen.append(walk.seen),
        )
        assert seen == list(range(len(ids) + 1, len(ids) + len(seen) + 1))
        ids += part.ids
        checkpoint = part.checkpoint
    assert sorted(ids) == sorted(row.id for row in ROWS)
    assert checkpoint is not None
    assert checkpoint["ended"]

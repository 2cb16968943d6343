"""`logs.iter` of both halves over the sandbox: all rows, once, newest first, where paging loses some."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_HALF, EACH_WORKERS, AsyncHalf, Half, SyncHalf, walk

from dify_workflow import IncompleteWalkError
from dify_workflow.models import WorkflowRunStatus
from dify_workflow.testing import LogRow, Sandbox, new_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_workflow.testing import ReceivedRequest

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


FEW = [*ROWS[:120], *(new_log(created_at=NOW - 90_000) for _ in range(30))]


@pytest.fixture(scope="module")
def small_of_module() -> Iterator[Sandbox]:
    with Sandbox(rows=0) as sandbox:
        sandbox.add_logs(FEW)
        yield sandbox


@pytest.fixture
def small_sandbox(small_of_module: Sandbox) -> Iterator[Sandbox]:
    """150 rows, for what takes many requests."""
    yield from put_back(small_of_module)


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


def read(half: Half, sandbox: Sandbox, **options: Any) -> Any:
    return walk(half, sandbox.base_url, api_key=sandbox.api_key, **options)


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
@EACH_HALF
def test_a_walk_gives_all_rows_newest_first(half: Half, workers: int, sandbox: Sandbox):
    walked = read(half, sandbox, workers=workers)
    check_all(walked, ROWS)
    assert (walked.total, walked.seen, walked.checkpoint["ended"]) == (602, 602, True)


def test_602_rows_take_no_more_than_8_requests(sandbox: Sandbox):
    check_all(read(SyncHalf(), sandbox), ROWS)
    assert len(sandbox.requests) <= 8


@EACH_HALF
def test_every_row_is_the_model_that_list_gives(half: Half, sandbox: Sandbox):
    with sandbox.client() as client:
        page = client.logs.list(limit=20)
    by_id = {log.id: log for log in page.data}
    walked = read(half, sandbox, count=40)
    assert [log for log in walked.logs if log.id in by_id and log != by_id[log.id]] == []
    assert by_id.keys() <= set(walked.ids)


@EACH_WORKERS
@EACH_HALF
def test_crowded_seconds_are_read_whole(half: Half, workers: int):
    crowds = {NOW: 130, NOW - 1: 3, NOW - 2: 100, NOW - 3: 99, NOW - 600: 260, NOW - 601: 40, NOW - 9000: 101}
    rows = [new_log(created_at=second) for second, count in crowds.items() for _ in range(count)]
    with Sandbox(rows=0) as sandbox:
        sandbox.add_logs(rows)
        check_all(read(half, sandbox, workers=workers), rows)


@EACH_HALF
def test_an_app_without_logs_ends_at_once(half: Half, sandbox: Sandbox):
    walked = walk(half, sandbox.base_url, api_key=sandbox.keys["empty"])
    assert (walked.logs, walked.total, walked.seen, walked.error) == ([], 0, 0, None)
    assert len(sandbox.requests) == 1


# Filters ------------------------------------------------------------------------------------------------------------


@EACH_HALF
@pytest.mark.parametrize("status", WorkflowRunStatus)
def test_any_status_can_be_asked_for(half: Half, status: str, sandbox: Sandbox):
    walked = read(half, sandbox, status=status)
    check_all(walked, [row for row in ROWS if row.run is not None and row.run.status == status])
    by_server = status in {"succeeded", "failed", "stopped"}
    assert walked.total == (len(walked.logs) if by_server else None)
    assert all(("status", status) in request.params for request in sandbox.requests) is by_server


@EACH_WORKERS
def test_keyword_and_session_id_together_give_the_right_rows(workers: int, sandbox: Sandbox):
    both = {"keyword": "refund", "created_by_end_user_session_id": "user-1"}
    of_both = [(number, row) for number, row in enumerate(ROWS) if number % 3 == 0 and number % 4 == 1]
    walked = read(SyncHalf(), sandbox, **both, workers=workers)
    check_all(walked, [row for _, row in of_both])
    assert walked.total is None
    walked = read(SyncHalf(), sandbox, **both, status="partial-succeeded", workers=workers)
    check_all(walked, [row for number, row in of_both if number % 8 == 5])
    assert len(walked.logs) > 20


def test_the_server_itself_responds_500_to_these_two(sandbox: Sandbox):
    both = {"keyword": "refund", "created_by_end_user_session_id": "user-1"}
    with sandbox.client(max_retries=0) as client, pytest.raises(Exception, match="500"):
        client.request("GET", "/workflows/logs", params=both)


@EACH_WORKERS
@EACH_HALF
def test_bounds_are_inclusive_and_hold(half: Half, workers: int, sandbox: Sandbox):
    seconds = sorted({row.created_at for row in ROWS})
    oldest, newest = seconds[len(seconds) // 4], seconds[-len(seconds) // 4]
    walked = read(
        half,
        sandbox,
        created_at__before=datetime.fromtimestamp(newest, UTC),
        created_at__after=datetime.fromtimestamp(oldest, UTC).isoformat(),
        workers=workers,
    )
    check_all(walked, [row for row in ROWS if oldest <= row.created_at <= newest])


@EACH_HALF
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
    half: Half, options: dict[str, Any], words: str, sandbox: Sandbox
):
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        read(half, sandbox, **options)
    assert sandbox.requests == ()


@EACH_HALF
def test_a_checkpoint_of_other_filters_is_a_value_error(half: Half, sandbox: Sandbox):
    checkpoint = read(half, sandbox, count=10, status="failed").checkpoint
    sandbox.clear_requests()
    for changed, words in (
        (checkpoint | {"filters": {"status": "stopped"}}, "belongs to a walk with the filters"),
        (checkpoint | {"version": 9}, "has version 9"),
        (checkpoint | {"known": [1]}, "damaged"),
    ):
        with pytest.raises(ValueError, match=words):
            read(half, sandbox, checkpoint=changed, status="failed")
    assert sandbox.requests == ()


# Going on -----------------------------------------------------------------------------------------------------------


@EACH_HALF
@pytest.mark.parametrize("cut", [0, 1, 100, 350, 602])
def test_another_walk_goes_on_from_a_checkpoint(half: Half, cut: int, sandbox: Sandbox):
    first = read(half, sandbox, count=cut, workers=2)
    assert (first.seen, first.checkpoint["seen"], len(first.logs)) == (cut, cut, cut)
    second = read(half, sandbox, checkpoint=json.loads(json.dumps(first.checkpoint)), workers=8)
    assert sorted(first.ids + second.ids) == sorted(row.id for row in ROWS)
    assert (second.seen, second.total) == (602, 602)


def test_the_halves_take_each_others_checkpoints_and_count_along(sandbox: Sandbox):
    ids: list[str] = []
    checkpoint = None
    halves = [SyncHalf(), AsyncHalf()]
    for number in range(10):
        seen: list[int] = []
        part = read(
            halves[number % 2],
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


# While it changes ---------------------------------------------------------------------------------------------------


@EACH_WORKERS
@EACH_HALF
def test_rows_that_arrive_and_vanish_meanwhile_cost_no_other(half: Half, workers: int):
    random = Random(11)  # noqa: S311 - the same history each time
    with Sandbox(rows=0) as sandbox:
        sandbox.add_logs(ROWS)
        left = [row.id for row in ROWS]
        deleted: set[str] = set()
        begun = False

        def change(_: ReceivedRequest) -> None:
            nonlocal begun
            if begun:
                sandbox.add_logs(new_log(created_at=NOW + random.randrange(50)) for _ in range(9))
                gone = random.sample(left, 7)
                sandbox.delete_logs(gone)
                deleted.update(gone)
            begun = True

        sandbox.traps.before_request = change
        walked = read(half, sandbox, workers=workers)
    assert walked.error is None
    assert len(walked.ids) == len(set(walked.ids))
    assert set(left) - deleted <= set(walked.ids)
    assert deleted
    assert all(newer.created_at >= older.created_at for newer, older in pairwise(walked.logs))


@EACH_HALF
def test_everything_deleted_meanwhile_is_no_error(half: Half):
    with Sandbox(rows=0) as sandbox:
        sandbox.add_logs(ROWS)
        sandbox.traps.before_request = lambda _: (
            sandbox.delete_logs([row.id for row in ROWS]) if len(sandbox.requests) == 3 else None
        )
        walked = read(half, sandbox)
    assert walked.error is None
    assert 100 <= len(walked.ids) == len(set(walked.ids)) < 300


# Faults ---------------------------------------------------------------------------------------------------------------


@EACH_HALF
@pytest.mark.parametrize(
    "traps",
    [
        {"ignores_before": True},
        {"ignores_after": True},
        {"ignores_before": True, "ignores_after": True},
        {"largest_page": 20},
        {"log_order": "oldest first"},
        {"log_order": "unsorted"},
        {"has_more": True},
        {"has_more": False},
    ],
    ids=str,
)
def test_what_a_server_or_proxy_does_wrong_is_made_up_for(half: Half, traps: dict[str, Any], small_sandbox: Sandbox):
    for name, value in traps.items():
        setattr(small_sandbox.traps, name, value)
    walked = read(half, small_sandbox, workers=2)
    assert walked.error is None
    assert sorted(walked.ids) == sorted(row.id for row in FEW)
    assert len(small_sandbox.requests) < 200


@EACH_HALF
@EACH_WORKERS
@pytest.mark.parametrize("hours", [-8, -1, 5])
def test_displayed_times_that_are_shifted_cost_no_log(half: Half, workers: int, hours: int, small_sandbox: Sandbox):
    small_sandbox.traps.displayed_time_shift = hours * 3600
    shifts: set[int | None] = set()
    walked = read(half, small_sandbox, workers=workers, each=lambda walk: shifts.add(walk.time_shift))
    assert walked.error is None
    assert sorted(walked.ids) == sorted(row.id for row in FEW)
    assert shifts == {hours * 3600}


@EACH_HALF
@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize(
    "count",
    [lambda true: true + 7, lambda true: true // 2, lambda true: 0, lambda true: 10**9, lambda true: None],
    ids=["7 more", "half", "0", "a billion", "null"],
)
def test_a_wrong_total_is_an_error_or_does_no_harm(half: Half, workers: int, count: Any, small_sandbox: Sandbox):
    small_sandbox.traps.count = count
    walked = read(half, small_sandbox, workers=workers)
    assert isinstance(walked.error, IncompleteWalkError) or sorted(walked.ids) == sorted(row.id for row in FEW)
    assert len(walked.ids) == len(set(walked.ids))
    assert len(small_sandbox.requests) < 300
    assert small_sandbox.api_key not in str(walked.error)

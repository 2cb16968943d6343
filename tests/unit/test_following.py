"""Decisions of following, one by one: what has ended, how long to wait, what a checkpoint holds."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from support.follow_histories import START, following_of

from dify_workflow import (
    APIConnectionError,
    APIResponseError,
    APITimeoutError,
    BadRequestError,
    DifyError,
    InternalServerError,
    RateLimitError,
)
from dify_workflow._async import log_follow as async_follow
from dify_workflow._errors import APIStatusError, class_of_status
from dify_workflow._http.library import httpx
from dify_workflow._logs.follow import (
    AT_ONCE,
    LONGEST_OUTAGE_PAUSE,
    LONGEST_RETRY_AFTER,
    Following,
    has_ended,
)
from dify_workflow._logs.walk import PageRequest, SeenLog, rows_of
from dify_workflow._runs.statuses import ENDED_STATUSES
from dify_workflow._sync import log_follow as sync_follow
from dify_workflow.models import WorkflowLogPage

REQUEST = httpx.Request("GET", "http://127.0.0.1/v1/workflows/logs")


def following(*, poll: float = 5.0, oldest: int | None = START, **given: str) -> Following:
    return following_of(since=oldest, poll=poll, give_up_after=86_400, **given)


def row_of(**fields: Any) -> SeenLog:
    return rows_of(WorkflowLogPage.from_dict({"total": 1, "data": [fields]}))[0]


def window_due(followed: Following, now: float) -> tuple[int, int] | None:
    lookup = followed.lookup_due(now)
    return None if lookup is None else (lookup.first, lookup.last)


def status_error(status: int, **headers: str) -> APIStatusError:
    return class_of_status(status)(
        "no", status_code=status, code=None, message="no", headers=httpx.Headers(headers), body="no", request=REQUEST
    )


# What is requested ------------------------------------------------------------------------------------------------

EACH_FOLLOW = pytest.mark.parametrize("follow", [sync_follow, async_follow], ids=["sync", "async"])


@EACH_FOLLOW
@pytest.mark.parametrize(
    ("rank", "page", "limit"),
    [(0, 1, 1), (7, 8, 1), (99_998, 99_999, 1), (99_999, 1_000, 100), (100_000, 1_001, 100), (10**8, 99_999, 100)],
)
def test_the_page_that_begins_with_a_log_exists_on_the_server(follow: Any, rank: int, page: int, limit: int):
    assert follow.page_from(rank, START, 7) == PageRequest(START, 7, page, limit)


@EACH_FOLLOW
def test_the_newest_second_is_that_of_a_timed_log(follow: Any):
    rows = [
        SeenLog(row_of(id="1").log, second, str(second), is_timed)
        for second, is_timed in ((9, False), (7, True), (8, True))
    ]
    assert follow.newest_of(rows) == 8
    assert follow.newest_of(rows[:1]) is None
    assert follow.newest_of([]) is None


# What is kept -----------------------------------------------------------------------------------------------------


def finished(number: int, second: int) -> SeenLog:
    return row_of(id=str(number), created_at=second, workflow_run={"status": "succeeded"})


def test_only_earlier_logs_that_a_later_poll_sees_are_kept():
    followed = following()
    followed.skip([finished(1, START + 100), finished(2, START + 70), finished(3, START + 69)], START + 100)
    assert sorted(followed._recent) == ["1", "2"]


def test_however_many_rows_come_few_are_kept():
    followed = following()
    for number in range(5 * AT_ONCE):
        followed.take(finished(number, START + 10 * number), START)
    assert len(followed._recent) <= AT_ONCE + 1


# What has ended ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "ended"),
    [
        *(({"id": "r", "status": status, "finished_at": None}, True) for status in sorted(ENDED_STATUSES)),
        *(
            ({"id": "r", "status": status, "finished_at": None}, False)
            for status in ("running", "scheduled", "paused", "a-later-version")
        ),
        ({"id": "r", "status": "a-later-version", "finished_at": START}, True),
        (None, True),
        ("odd", True),
        ([], True),
        ({"id": "r", "status": None}, True),
        ({"id": "r", "status": ["odd"]}, True),
    ],
)
def test_a_row_has_ended_when_nothing_of_it_can_change(run: object, ended: bool):
    assert has_ended(row_of(id="a", created_at=START, workflow_run=run)) is ended


@pytest.mark.parametrize("log", [None, "odd", 5, [], {}, {"id": 1}])
def test_an_odd_row_comes_once_and_holds_up_nothing(log: object):
    page = WorkflowLogPage.from_dict({"total": 2, "data": [{"id": "a", "created_at": START}, log]})
    followed = following()
    for _ in range(2):
        news = followed.news_of(rows_of(page), START)
        for row in news:
            followed.take(row, START)
        assert len(news) == (2 if _ == 0 else 0)
    assert followed.newest == START
    json.dumps(followed.as_json())


def test_an_untimed_log_is_not_returned_twice():
    followed = following()
    odd = rows_of(WorkflowLogPage.from_dict({"data": [{"id": "odd", "workflow_run": {"status": "running"}}]}))
    followed.take(row_of(id="a", created_at=START), START)
    assert [row.identity for row in followed.news_of(odd, START)] == ["odd"]
    followed.take(odd[0], START)
    followed.take(row_of(id="b", created_at=START + 500), START)
    assert set(followed.as_json()["recent"]) == {"b"}
    assert followed.news_of(odd, START) == []


@pytest.mark.parametrize(
    ("start", "total", "ids", "unchanged"),
    [
        (START, 2, "ab", True),
        (START, 2, "a", True),
        (START, 3, "ab", False),
        (START, 1, "a", False),
        (START + 1, 2, "ab", False),
        (START, 2, "ac", False),
        (START, None, "ab", False),
    ],
)
def test_a_poll_ends_at_its_first_page_only_if_that_is_enough(start: int, total: int | None, ids: str, unchanged: bool):
    followed = following()
    assert not followed.is_unchanged([], None, None)
    for identity in "ab":
        followed.take(row_of(id=identity, created_at=START), START)
    followed.saw_all(START, 2, is_short=False)
    rows = [row_of(id=identity, created_at=START) for identity in ids]
    assert followed.is_unchanged(rows, start, total) is unchanged
    followed.saw_all(START, None, is_short=False)
    assert not followed.is_unchanged(rows, START, None)


def test_unfinished_logs_of_30_s_are_looked_up_longest_first():
    followed = following(poll=1)
    for n in range(100):
        run = {"id": "r", "status": "running"}
        followed.take(row_of(id=f"row-{n}", created_at=START + n, workflow_run=run), START + n)
    now = START + 110.0
    windows = [window_due(followed, now) for _ in range(5)]
    assert windows == [
        (START, START + 30), (START + 31, START + 61), (START + 62, START + 92), (START + 93, START + 99), None
    ]  # fmt: skip


def test_an_unfinished_log_is_looked_up_after_a_tenth_of_its_age():
    followed = following(poll=1)
    followed.take(row_of(id="a", created_at=START, workflow_run={"id": "r", "status": "running"}), START)
    assert window_due(followed, START + 0.9) is None
    assert window_due(followed, START + 1.0) == (START, START)
    assert window_due(followed, START + 100.0) == (START, START)
    assert window_due(followed, START + 109.9) is None
    assert window_due(followed, START + 110.0) == (START, START)


def test_an_unfinished_log_is_given_up_at_the_given_age():
    followed = following()
    row = row_of(id="a", created_at=START, workflow_run={"id": "r", "status": "running"})
    followed.take(row, START)
    for age, is_kept in ((86_400, True), (86_401, False)):
        assert followed.news_of([row], START + age) == []
        assert ("a" in followed.as_json()["unfinished"]) is is_kept


def test_a_finished_untimed_log_is_kept_with_its_neighbour():
    followed = following()
    followed.take(row_of(id="a", created_at=START + 100), START)
    odd = rows_of(WorkflowLogPage.from_dict({"data": [{"id": "odd"}]}))
    followed.take(odd[0], START)
    assert followed.as_json()["recent"] == {"a": START + 100, "odd": START + 100}
    assert followed.news_of(odd, START) == []


@pytest.mark.parametrize(
    ("total", "known", "ends"),
    [
        (None, 0, []), (0, 0, []), (1000, 0, []), (1001, 0, [1]), (2000, 0, [1000]), (2500, 0, [1500, 500]),
        (1010, 10, []), (1011, 10, [1]), (20, 30, []),
    ],
)  # fmt: skip
def test_a_backlog_is_split_from_its_oldest_end(total: int | None, known: int, ends: list[int]):
    followed = following()
    followed.skip([finished(n, START + 100) for n in range(known)] + [finished(-1, START + 69)], START + 100)
    assert list(followed.ends_of_parts(total)) == ends


# Pauses -----------------------------------------------------------------------------------------------------------


def test_the_pause_grows_to_six_times_poll_and_resets():
    followed = following(poll=2.0)
    assert followed.pause(happened=True) == 2
    pauses = [followed.pause(happened=False) for _ in range(20)]
    assert pauses == sorted(pauses)
    assert pauses[0] > 2
    assert pauses[-1] == 12
    assert followed.pause(happened=True) == 2


@pytest.mark.parametrize(
    "error",
    [
        APIConnectionError("refused", request=REQUEST, request_sent=False),
        APITimeoutError("slow", request=REQUEST),
        APIResponseError("HTML", status_code=200, headers=httpx.Headers(), body="<html>", request=REQUEST),
        *(status_error(status) for status in (408, 429, 500, 502, 503, 504, 520, 599)),
    ],
    ids=str,
)
def test_an_outages_pauses_grow_up_to_a_minute(error: DifyError):
    followed = following()
    pauses = [followed.pause_in_outage(error) for _ in range(40)]
    assert pauses[:4] == [10, 20, 40, LONGEST_OUTAGE_PAUSE]
    assert set(pauses[4:]) == {LONGEST_OUTAGE_PAUSE}
    followed.note_response()
    assert followed.pause_in_outage(error) == 10


def test_a_look_that_never_adds_up_is_tried_ever_more_seldom():
    followed = following()
    assert [followed.pause_after_contradiction() for _ in range(5)] == [10, 20, 40, 60, 60]
    followed.note_response()
    assert followed.pause_after_contradiction() == 60
    followed.pause(happened=False)
    assert followed.pause_after_contradiction() == 10


def test_an_outage_is_no_reason_to_ask_more_often_than_usual():
    assert following(poll=300).pause_in_outage(status_error(500)) == 300


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 301, 409])
def test_a_refusal_is_not_waited_out(status: int):
    assert following().pause_in_outage(status_error(status)) is None


def test_the_busy_server_that_says_400_is_waited_out():
    error = RateLimitError(
        "busy", status_code=400, code="invalid_param", message="Too many requests.", headers=httpx.Headers(),
        body=None, request=REQUEST,
    )  # fmt: skip
    assert following().pause_in_outage(error) == 10
    assert isinstance(status_error(400), BadRequestError)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "pause"), [("120", 120), ("1", 10), ("0", 10), ("soon", 10), ("9" * 18, LONGEST_RETRY_AFTER)]
)
def test_retry_after_is_obeyed_up_to_a_day(status: int, asked: str, pause: float):
    error = status_error(status, **{"retry-after": asked})
    assert isinstance(error, RateLimitError | InternalServerError)
    assert following().pause_in_outage(error) == pause


# Checkpoints ------------------------------------------------------------------------------------------------------


def some_checkpoint(**given: str) -> dict[str, Any]:
    followed = following(**given)
    for n, status in enumerate(("succeeded", "running", "failed")):
        followed.take(row_of(id=f"row-{n}", created_at=START + n, workflow_run={"id": "r", "status": status}), START)
    return followed.as_json()


def test_a_checkpoint_survives_json():
    checkpoint = some_checkpoint(keyword="needle")
    restored = following(oldest=None, keyword="needle")
    restored.restore(json.loads(json.dumps(checkpoint)))
    assert restored.as_json() == checkpoint
    assert restored.window_start == START
    assert restored.has_begun


def test_polls_begin_where_a_lagging_replica_may_hide_logs():
    followed = following(oldest=None)
    followed.restore(some_checkpoint())
    rows = [row_of(id="row-2", created_at=START + 2)]
    followed.saw_all(START, 3, is_short=True)
    assert not followed.is_unchanged(rows, START, 3)
    for seconds, begin in ((100, START), (272, START), (400, START + 100)):  # 300 seconds at most
        followed.take(row_of(id=f"new-{seconds}", created_at=START + seconds, workflow_run={"status": "failed"}), START)
        restored = following(oldest=None)
        restored.restore(json.loads(json.dumps(followed.as_json())))
        assert restored.window_start == followed.window_start == begin
    followed.gave_all(rows, is_short=False)  # the newest known log is not among them
    assert followed.window_start == START + 100
    followed.gave_all([row_of(id="new-400", created_at=START + 400)], is_short=False)
    assert followed.window_start == START + 400 - 30


def test_a_checkpoint_from_before_the_start_begins_anew():
    restored = following()
    restored.restore(json.loads(json.dumps(following(oldest=None).as_json())))
    assert not restored.has_begun


def test_a_checkpoint_keeps_recent_ids_only():
    followed = following()
    for n in range(5000):
        followed.take(row_of(id=f"row-{n}", created_at=START + n, workflow_run={"status": "succeeded"}), START + n)
    checkpoint = followed.as_json()
    assert len(checkpoint["recent"]) == 31
    assert len(json.dumps(checkpoint)) < 2000


@pytest.mark.parametrize(
    "other", [{}, {"keyword": "hay"}, {"status": "failed"}, {"keyword": "needle", "created_by_account": "a@b"}]
)
def test_a_checkpoint_of_other_filters_is_refused(other: dict[str, str]):
    with pytest.raises(ValueError, match="filters"):
        following(**other).restore(some_checkpoint(keyword="needle"))


SECOND_PLACES = ["5", 1.5, True, [], 10**20, -(10**20), 10**400]
DAMAGES: list[dict[str, Any]] = [
    {"version": 2},
    {"version": None},
    {"walk": "logs.iter"},
    {"walk": None},
    {"filters": None},
    {"has_begun": None},
    {"has_begun": 1},
    *({"newest": value} for value in SECOND_PLACES),
    *({"oldest": value} for value in SECOND_PLACES),
    *({name: value} for name in ("newest_true", "held") for value in SECOND_PLACES),
    *({"recent": value} for value in (None, [], "text", {"a": None}, {"a": "5"}, {"a": 10**20}, {5: 5})),
    *({"unfinished": value} for value in (
        None, [], {"a": None}, {"a": 5}, {"a": []}, {"a": [1]}, {"a": [1, 2, -1]}, {"a": [1, 2, 3, 4, 5]},
        {"a": [1, 2, 3, 10**6]}, {"a": [1, 2, 3, 4.5]}, {"a": [1, 2, 3, None]},
        {"a": ["1", 2]}, {"a": [1, "2"]},
        {"a": [1, None]}, {"a": [1, float("nan")]}, {"a": [1, float("inf")]}, {"a": [1, 10**400]}, {"a": [10**20, 1]},
        {"a": "ab"}, {"a": [1, -1]},
    )),
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda value: str(value)[:60])
def test_a_damaged_checkpoint_is_refused(damage: dict[str, Any]):
    (name,) = damage
    with pytest.raises(ValueError, match="checkpoint") as caught:
        following().restore(some_checkpoint() | damage)
    if name in {"has_begun", "held", "newest", "newest_true", "oldest", "recent", "unfinished"}:
        assert str(caught.value).startswith(f"checkpoint is damaged: {name!r} must ")


@pytest.mark.parametrize(
    ("second", "is_time"),
    [(-62_135_596_770, False), (-62_135_596_769, True), (253_402_300_799, True), (253_402_300_800, False)],
)
@pytest.mark.parametrize("place", ["newest", "oldest", "recent", "unfinished"])
def test_a_checkpoint_has_seconds_that_a_look_can_begin_before(place: str, second: int, is_time: bool):
    value = {"recent": {"a": second}, "unfinished": {"a": [second, 0]}}.get(place, second)
    damaged = some_checkpoint() | {place: value}
    if is_time:
        following().restore(damaged)
    else:
        with pytest.raises(ValueError, match="whole seconds of the years 1 to 9999"):
            following().restore(damaged)


@pytest.mark.parametrize(
    ("since", "is_time"), [(-1, False), (0, True), (253_402_300_799.5, True), (253_402_300_800, False)]
)
def test_an_unfinished_log_of_a_checkpoint_is_looked_up_at_once(since: float, is_time: bool):
    followed = following()
    checkpoint = some_checkpoint() | {"unfinished": {"a": [START, since]}}
    if not is_time:
        with pytest.raises(ValueError, match="a second, a time, and perhaps a count"):
            followed.restore(checkpoint)
        return
    followed.restore(checkpoint)
    assert followed.as_json()["unfinished"] == {"a": [START, since]}
    assert window_due(followed, 0.0) == (START, START)


@pytest.mark.parametrize("name", list(some_checkpoint()))
def test_a_checkpoint_that_lacks_a_part_is_refused(name: str):
    checkpoint = some_checkpoint()
    del checkpoint[name]
    with pytest.raises(ValueError, match="checkpoint"):
        following().restore(checkpoint)


@pytest.mark.parametrize("value", [[], "text", 5, SimpleNamespace(walk="logs.follow"), {}])
def test_what_is_no_checkpoint_is_refused(value: object):
    with pytest.raises(ValueError, match="checkpoint"):
        following().restore(value)


def test_a_checkpoint_is_not_bound_to_the_one_who_took_it():
    followed = following()
    followed.take(row_of(id="a", created_at=START, workflow_run={"status": "running"}), START)
    checkpoint = followed.as_json()
    before = json.dumps(checkpoint)
    followed.take(row_of(id="b", created_at=START + 1, workflow_run={"status": "running"}), START)
    assert json.dumps(checkpoint) == before


@pytest.mark.parametrize("known", [None, START])
@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_times_go_back_only_where_what_is_known_has_a_beginning(known: int | None, shift: int):
    followed = following()
    followed._known_after = known
    clock = replace(followed.clock, shift=followed.clock.shift + shift)
    assert followed.goes_back(clock) == (known is not None and shift < 0)

"""What of a walk's filters goes to the server, and what is filtered here."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dify_workflow import Verbatim
from dify_workflow._logs.filters import LogFilters, log_filters
from dify_workflow._logs.page_filters import page_filters
from dify_workflow.models import WorkflowLog, WorkflowRunStatus

NONE: dict[str, Any] = dict.fromkeys(
    (
        "keyword",
        "status",
        "created_at__before",
        "created_at__after",
        "created_by_end_user_session_id",
        "created_by_account",
    )
)


def filters(**given: Any) -> LogFilters:
    return log_filters(**(NONE | given))


def log(status: Any = "succeeded", session_id: Any = "u-1") -> WorkflowLog:
    return WorkflowLog.from_dict(
        {"id": "1", "workflow_run": {"status": status}, "created_by_end_user": {"session_id": session_id}}
    )


ODD_LOGS: list[Any] = [
    None,
    7,
    "row",
    ["row"],
    WorkflowLog(),
    WorkflowLog.from_dict({"workflow_run": None, "created_by_end_user": None}),
    WorkflowLog.from_dict({"workflow_run": "gone", "created_by_end_user": [1]}),
    WorkflowLog.from_dict({"workflow_run": {}, "created_by_end_user": {"session_id": None}}),
]


def test_without_filters_nothing_is_sent_and_every_row_matches():
    every = filters()
    assert (every.given, every.sent, every.newest, every.oldest) == ({}, {}, None, None)
    assert every.are_applied_by_server
    assert all(every.match(row) for row in [log(), *ODD_LOGS])


@pytest.mark.parametrize("status", ["succeeded", "failed", "stopped", WorkflowRunStatus.FAILED])
def test_a_status_that_the_server_filters_by_is_sent(status: str):
    by_server = filters(status=status)
    assert by_server.sent == {"status": str(status)}
    assert type(by_server.sent["status"]) is str
    assert by_server.are_applied_by_server
    assert by_server.match(log("anything"))


@pytest.mark.parametrize(
    "status",
    ["running", "paused", "partial-succeeded", "scheduled", WorkflowRunStatus.PAUSED],
)
def test_any_other_status_is_filtered_here(status: str):
    here = filters(status=status, keyword="x")
    assert here.sent == {"keyword": "x"}
    assert here.given == {"keyword": "x", "status": status}
    assert not here.are_applied_by_server
    assert here.match(log(str(status)))
    assert not here.match(log("succeeded"))
    assert not any(here.match(row) for row in ODD_LOGS)


def test_session_ids_are_filtered_here_when_keyword_is_given():
    here = filters(keyword="order", created_by_end_user_session_id="u-1")
    assert here.sent == {"keyword": "order"}
    assert here.given == {"keyword": "order", "created_by_end_user_session_id": "u-1"}
    assert not here.are_applied_by_server
    assert here.match(log(session_id="u-1"))
    assert not here.match(log(session_id="U-1"))
    assert not any(here.match(row) for row in ODD_LOGS)


def test_a_session_id_or_a_keyword_alone_is_the_servers():
    for given in ({"keyword": "order"}, {"created_by_end_user_session_id": "u-1"}, {"created_by_account": "a@b.c"}):
        by_server = filters(**given)
        assert by_server.sent == given
        assert by_server.are_applied_by_server


def test_both_that_are_filtered_here_have_to_match():
    here = filters(status="running", keyword="k", created_by_end_user_session_id="u-1")
    assert here.match(log("running", "u-1"))
    assert not here.match(log("running", "u-2"))
    assert not here.match(log("succeeded", "u-1"))


STATUSES = {
    "fail": "failed", "Failed": "failed", "FAILED": "failed", " failed": "failed", "failed\n": "failed",
    "success": "succeeded", "Succeeded": "succeeded", "stop": "stopped", "run": "running", "pause": "paused",
    "partial_succeeded": "partial-succeeded", "schedule": "scheduled",
}  # fmt: skip


@pytest.mark.parametrize(("status", "nearest"), STATUSES.items())
def test_a_misspelt_status_is_refused_with_the_nearest(status: str, nearest: str):
    with pytest.raises(ValueError, match="status must be one of") as caught:
        filters(status=status)
    assert f"which may mean '{nearest}'" in str(caught.value)
    assert "Verbatim" in str(caught.value)


@pytest.mark.parametrize("status", ["", " ", "\t\n", "archived", "x" * 10_000])
def test_what_is_no_status_is_refused(status: str):
    with pytest.raises(ValueError, match="status must be one of 'scheduled', 'running', 'succeeded'"):
        filters(status=status)


@pytest.mark.parametrize("name", ["keyword", "created_by_end_user_session_id", "created_by_account"])
@pytest.mark.parametrize("blank", ["", " ", "\t \n", "\u3000"])
def test_text_without_anything_in_it_is_refused(name: str, blank: str):
    with pytest.raises(ValueError, match=rf"{name} must be left out \(None\) to mean no filter"):
        filters(**{name: blank})


def test_blanks_around_are_refused_where_they_can_mean_nothing():
    for account in (" a@b.c", "a@b.c\n"):
        with pytest.raises(ValueError, match="created_by_account must be an account's e-mail address"):
            filters(created_by_account=account)
    for text in (" u-1", "u-1 "):  # a session id is compared exactly, and a keyword is a part of a text
        assert filters(created_by_end_user_session_id=text).sent == {"created_by_end_user_session_id": text}
        assert filters(keyword=text).sent == {"keyword": text}


@pytest.mark.parametrize("name", ["keyword", "status", "created_by_end_user_session_id", "created_by_account"])
def test_lone_surrogates_are_refused(name: str):
    with pytest.raises(ValueError, match=f"{name} must be a string without lone surrogates"):
        filters(**{name: "a\ud800"})


@pytest.mark.parametrize("status", ["archived", "Failed", "", " "])
def test_a_verbatim_status_is_sent_unchecked(status: str):
    verbatim = filters(status=Verbatim(status))
    assert verbatim.sent == {"status": status}
    assert verbatim.given == {"status": status}
    assert verbatim.are_applied_by_server
    assert type(verbatim.sent["status"]) is str
    assert page_filters(**(NONE | {"status": Verbatim(status)})) == ({"status": status}, None)


def test_a_verbatim_status_of_a_follow_is_filtered_here():
    here = filters(status=Verbatim("archived")).with_status_here(Verbatim("archived"))
    assert here.sent == {}
    assert here.match(log("archived"))
    assert not here.match(log("failed"))


@pytest.mark.parametrize("name", ["created_by_end_user_session_id", "created_by_account"])
def test_verbatim_is_for_keyword_and_status_only(name: str):
    with pytest.raises(ValueError, match=name):
        filters(**{name: Verbatim("")})


TIMES = [
    (datetime(2026, 10, 25, 2, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC), "2026-10-25T02:00:00Z",
     "2026-10-25T01:00:00Z"),
    ("2026-10-25", date(2026, 10, 24), "2026-10-25T00:00:00Z", "2026-10-24T00:00:00Z"),
    ("2026-10-25T01:00:00Z", "2026-10-25T01:00:01+01:00", "2026-10-25T01:00:00Z", "2026-10-25T00:00:01Z"),
    ("1h", "2h", "Z (after)", "Z (before)"),
    ("1d", "2026-10-25", "Z (after)", "2026-10-25T00:00:00Z (before)"),
]  # fmt: skip


@pytest.mark.parametrize(("after", "before", "later", "earlier"), TIMES, ids=lambda value: str(value)[:20])
def test_times_that_exclude_each_other_are_refused(after: Any, before: Any, later: str, earlier: str):
    for check in (filters, lambda **given: page_filters(**(NONE | given))):
        with pytest.raises(ValueError, match="created_at__after must be no later than created_at__before") as caught:
            check(created_at__after=after, created_at__before=before)
        assert later in str(caught.value)
        assert earlier in str(caught.value)
        assert check(created_at__after=before, created_at__before=after)
        assert check(created_at__after=before, created_at__before=before)


def test_a_resumed_walk_may_have_an_age_that_has_passed_its_end():
    given = {"created_at__after": "1d", "created_at__before": "2026-10-25"}
    assert log_filters(**(NONE | given), is_continued=True).given["created_at__after"] == "1d"


def test_a_page_refuses_what_gets_a_500_from_the_server():
    both = {"keyword": "order", "created_by_end_user_session_id": "u-1"}
    with pytest.raises(ValueError, match=r"logs\.iter takes them together"):
        page_filters(**(NONE | both))
    assert filters(**both).session_id == "u-1"


@pytest.mark.parametrize("name", ["keyword", "status", "created_by_end_user_session_id", "created_by_account"])
@pytest.mark.parametrize("value", [1, True, b"x", ["x"]])
def test_what_is_not_text_is_refused(name: str, value: Any):
    with pytest.raises(ValueError, match=f"{name} must be a string"):
        filters(**{name: value})


def test_bounds_are_whole_seconds_within_what_was_given():
    bounds = filters(
        created_at__before=datetime(2026, 10, 25, 1, 48, 0, 900_000, tzinfo=UTC),
        created_at__after=datetime(2026, 10, 24, 1, 48, 0, 100_000, tzinfo=UTC),
    )
    assert bounds.newest == int(datetime(2026, 10, 25, 1, 48, tzinfo=UTC).timestamp())
    assert bounds.oldest == int(datetime(2026, 10, 24, 1, 48, 1, tzinfo=UTC).timestamp())
    assert bounds.sent == {}
    assert filters(created_at__after=date(1970, 1, 2)).oldest == 86_400


def test_an_age_stays_an_age_in_a_checkpoint():
    given = filters(created_at__after="7d", created_at__before="2126-10-25T09:48:00+08:00").given
    assert given == {"created_at__after": "7d", "created_at__before": "2126-10-25T01:48:00Z"}
    oldest = filters(created_at__after="7d").oldest
    assert oldest is not None
    assert abs(oldest - (datetime.now(UTC) - timedelta(days=7)).timestamp()) < 60


@pytest.mark.parametrize("name", ["created_at__before", "created_at__after"])
def test_what_is_no_time_is_refused(name: str):
    with pytest.raises(ValueError, match=f"{name} must be a datetime"):
        filters(**{name: "yesterday"})

"""What of a walk's filters goes to the server, and what is filtered here."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dify_workflow._filters import LogFilters, log_filters
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
    assert every.are_the_servers
    assert all(every.match(row) for row in [log(), *ODD_LOGS])


@pytest.mark.parametrize("status", ["succeeded", "failed", "stopped", WorkflowRunStatus.FAILED])
def test_a_status_that_the_server_filters_by_is_sent(status: str):
    by_server = filters(status=status)
    assert by_server.sent == {"status": str(status)}
    assert type(by_server.sent["status"]) is str
    assert by_server.are_the_servers
    assert by_server.match(log("anything"))


@pytest.mark.parametrize(
    "status",
    ["running", "paused", "partial-succeeded", "scheduled", "anything-new", "Failed", WorkflowRunStatus.PAUSED],
)
def test_any_other_status_is_filtered_here(status: str):
    here = filters(status=status, keyword="x")
    assert here.sent == {"keyword": "x"}
    assert here.given == {"keyword": "x", "status": status}
    assert not here.are_the_servers
    assert here.match(log(str(status)))
    assert not here.match(log("succeeded"))
    assert not any(here.match(row) for row in ODD_LOGS)


def test_of_keyword_and_session_id_the_session_id_is_filtered_here():
    here = filters(keyword="order", created_by_end_user_session_id="u-1")
    assert here.sent == {"keyword": "order"}
    assert here.given == {"keyword": "order", "created_by_end_user_session_id": "u-1"}
    assert not here.are_the_servers
    assert here.match(log(session_id="u-1"))
    assert not here.match(log(session_id="U-1"))
    assert not any(here.match(row) for row in ODD_LOGS)


def test_a_session_id_or_a_keyword_alone_is_the_servers():
    for given in ({"keyword": "order"}, {"created_by_end_user_session_id": "u-1"}, {"created_by_account": "a@b.c"}):
        by_server = filters(**given)
        assert by_server.sent == given
        assert by_server.are_the_servers


def test_both_that_are_filtered_here_have_to_match():
    here = filters(status="running", keyword="k", created_by_end_user_session_id="u-1")
    assert here.match(log("running", "u-1"))
    assert not here.match(log("running", "u-2"))
    assert not here.match(log("succeeded", "u-1"))


def test_empty_text_is_no_filter_as_for_the_server():
    assert filters(keyword="", status="", created_by_account="", created_by_end_user_session_id="") == filters()


@pytest.mark.parametrize("name", ["keyword", "status", "created_by_end_user_session_id", "created_by_account"])
@pytest.mark.parametrize("value", [1, True, b"x", ["x"]])
def test_what_is_not_text_is_refused(name: str, value: Any):
    with pytest.raises(ValueError, match=f"{name} must be text"):
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


def test_an_age_stays_an_age_in_a_checkpoint_and_other_times_are_utc():
    given = filters(created_at__after="7d", created_at__before="2026-10-25T09:48:00+08:00").given
    assert given == {"created_at__after": "7d", "created_at__before": "2026-10-25T01:48:00Z"}
    oldest = filters(created_at__after="7d").oldest
    assert oldest is not None
    assert abs(oldest - (datetime.now(UTC) - timedelta(days=7)).timestamp()) < 60


@pytest.mark.parametrize("name", ["created_at__before", "created_at__after"])
def test_what_is_no_time_is_refused(name: str):
    with pytest.raises(ValueError, match=f"{name} must be a datetime"):
        filters(**{name: "yesterday"})

"""Records of logs: whatever a log holds comes back, and the columns are those of the spec."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from datetime import UTC, datetime
from typing import Any

import columns
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.spec import SPEC
from support.strategies import any_object

from dify_workflow import records
from dify_workflow._logs.rows import time_text
from dify_workflow.models import WorkflowLog
from dify_workflow.records import COLUMNS, DETAIL_COLUMNS, flatten, unflatten
from dify_workflow.results import DetailedLog, WorkflowRunDetail

LOG: dict[str, Any] = {
    "id": "log-1",
    "workflow_run": {
        "id": "run-1",
        "version": "2026-11-22 21:52:44.948869",
        "status": "failed",
        "triggered_from": "app-run",
        "error": "boom",
        "elapsed_time": 0.25,
        "total_tokens": 7,
        "total_steps": 3,
        "created_at": 1_790_000_000,
        "finished_at": None,
        "exceptions_count": 0,
    },
    "details": None,
    "created_from": "service-api",
    "created_by_role": "end_user",
    "created_by_account": None,
    "created_by_end_user": {"id": "u", "type": "service-api", "is_anonymous": False, "session_id": "müller"},
    "created_at": 1_790_000_001,
}
few = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
ODD = st.sampled_from(
    [5, -(2**63) - 1, 2**70, 0.5, True, float("nan"), float("-inf"), "a\0b", "\ud800", [], {}, [1],
     {"a": {"b": "\0"}}, {"$text": 1}, "é", "", 253_402_300_800, -1, None]
)  # fmt: skip


def same(found: object, expected: object) -> bool:
    return json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)


def assert_kept(value: dict[str, Any]) -> None:
    log = WorkflowLog.from_dict(value)
    record = flatten(log)
    assert list(record) == [column.name for column in COLUMNS]
    assert isinstance(record["id"], str)
    assert same(unflatten(record), log.to_dict())
    texts = [text for text in record.values() if isinstance(text, str)]
    assert all(records.is_plain_text(text) for text in texts)


def test_a_record_has_the_values_in_their_types():
    record = flatten(WorkflowLog.from_dict(LOG))
    assert record["created_at"] == datetime.fromtimestamp(1_790_000_001, UTC)
    assert (record["run_status"], type(record["run_status"])) == ("failed", str)
    assert (record["user"], record["run_elapsed_time"], record["run_finished_at"]) == ("müller", 0.25, None)
    assert record["extra"] is None
    assert unflatten(record) == LOG


def test_the_user_is_the_session_id_or_the_email():
    account = {"id": "a", "name": "A", "email": "a@example.com"}
    log = WorkflowLog.from_dict({**LOG, "created_by_end_user": None, "created_by_account": account})
    assert flatten(log)["user"] == "a@example.com"


@few
@given(any_object("WorkflowLog"))
def test_every_log_of_the_spec_comes_back(value: dict[str, Any]):
    assert_kept(value)


@few
@given(st.lists(any_object("WorkflowLog"), max_size=4), st.integers(0, 2))
def test_several_rows_are_those_of_each(values: list[dict[str, Any]], odd: int):
    logs: list[Any] = [WorkflowLog.from_dict(value) for value in [LOG, *values]]
    logs += [None, WorkflowLog.from_dict({**LOG, "created_at": "x"})][:odd]
    assert [*map(repr, records.rows_of(logs))] == [repr(records.row_of(log)) for log in logs]


@few
@given(st.dictionaries(st.sampled_from([*LOG, "new", "workflow_run.id", "$absent"]), ODD), st.data())
def test_odd_absent_and_unknown_fields_come_back(changes: dict[str, Any], data: st.DataObject):
    part = {**LOG["workflow_run"], **data.draw(st.dictionaries(st.sampled_from(["id", "cost", "status", "a.b"]), ODD))}
    value = {**LOG, "workflow_run": part, **changes}
    for key in data.draw(st.sets(st.sampled_from(sorted(LOG)))):
        value.pop(key, None)
    for key in data.draw(st.sets(st.sampled_from(sorted(LOG["workflow_run"])))):
        part.pop(key, None)
    assert_kept(value)


@pytest.mark.parametrize("part", [{}, dict.fromkeys(LOG["workflow_run"]), None, "gone", {"new": 1}])
def test_an_empty_part_is_told_from_none(part: Any):
    assert_kept({**LOG, "workflow_run": part})


@pytest.mark.parametrize("log", [None, 5, "text", ["a"], {"a": 1}])
def test_what_is_no_log_at_all_comes_back_too(log: Any):
    record = dict(zip((column.name for column in COLUMNS), records.row_of(log), strict=True))
    assert unflatten(record) == log
    assert record["id"].startswith("sha256:")


def test_values_of_databases_are_understood():
    record = flatten(WorkflowLog.from_dict(LOG)) | {"app": "main", "run_inputs": "{}"}
    texts = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in record.items()}
    assert unflatten(texts | {"end_user_is_anonymous": 0}) == LOG
    naive = {
        name: value.replace(tzinfo=None) if isinstance(value, datetime) else value for name, value in record.items()
    }
    assert unflatten(naive) == LOG
    with pytest.raises(ValueError, match="run_total_tokens must be a integer"):
        unflatten(record | {"run_total_tokens": "7"})


def test_details_are_json_that_databases_take():
    texts = {"inputs": '{"a": "\\u0000"}', "outputs": "not JSON", "id": "run-1"}
    detailed = DetailedLog(WorkflowLog.from_dict(LOG), WorkflowRunDetail.from_dict(texts), None)
    record = flatten(detailed)
    assert list(record) == [column.name for column in (*COLUMNS, *DETAIL_COLUMNS)]
    assert json.loads(record["run_inputs"]) == {"$text": texts["inputs"]}
    assert json.loads(record["run_outputs"]) == {"$text": "not JSON"}
    plain = DetailedLog(
        detailed.log, WorkflowRunDetail.from_dict({"inputs": '{"a": "\\ud83d\\ude00"}'}), ValueError("x\0")
    )
    assert flatten(plain)["run_inputs"] == '{"a": "\\ud83d\\ude00"}'
    assert flatten(plain)["run_detail_error"] == "x "
    assert unflatten(flatten(plain)) == LOG


def test_a_log_with_odd_text_is_stored_by_sqlite_and_csv():
    odd = {**LOG, "created_from": "\ud800", "workflow_run": {**LOG["workflow_run"], "error": "a\0b" + "x" * 10**6}}
    values = records.row_of(WorkflowLog.from_dict(odd))
    row = sqlite3.connect(":memory:").execute(f"select {', '.join('?' * len(values))}", values).fetchone()
    csv.writer(out := io.StringIO()).writerow(values)
    out.getvalue().encode()
    assert same(unflatten(dict(zip((column.name for column in COLUMNS), row, strict=True))), odd)


# The spec ---------------------------------------------------------------------------------------------------------


@given(st.integers(-300_000, 1_000_000), st.sampled_from([0, 59, 60, 3599]) | st.integers(0, 3599))
def test_a_time_is_written_as_python_writes_it(hour: int, rest: int):
    second = hour * 3600 + rest
    assert time_text(second) == datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_columns_are_those_of_the_spec():
    assert columns.main(["--check"]) == 0


def test_a_new_scalar_field_of_the_spec_is_a_column():
    spec = json.loads(json.dumps(SPEC))
    run = spec["components"]["schemas"]["WorkflowRunSummary"]["properties"]
    run["totalPrice"] = {"type": ["number", "null"], "description": "What it cost. In dollars."}
    run["tags"] = {"type": "array", "items": {"type": "string"}}
    new = [field for field in columns.fields(spec) if field not in columns.fields(SPEC)]
    assert new == [("run_total_price", "number", "workflow_run.totalPrice", "total_price", "What it cost.")]

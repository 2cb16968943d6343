"""The generated logs: reproducible, and with everything in them that a reader of logs can meet."""

import gc
import itertools
import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dify_workflow.sandbox.records import FINISHED_STATUSES, AccountRow, EndUserRow, LogRow, RunRow
from dify_workflow.sandbox.sample_data import generate_logs

NOW = 1_795_384_475
LOGS = list(generate_logs(2000, now=NOW))
RUNS = [log.run for log in LOGS if log.run is not None]


@settings(deadline=None, max_examples=30)
@given(count=st.integers(0, 400), seed=st.integers(0, 2**64), crowd=st.integers(0, 500))
def test_logs_come_newest_first_and_none_from_the_future(count: int, seed: int, crowd: int) -> None:
    logs = list(generate_logs(count, seed=seed, now=NOW, days=7, crowd=crowd))
    assert len(logs) == count
    assert len({log.id for log in logs}) == count
    seconds = [log.created_at for log in logs]
    assert seconds == sorted(seconds, reverse=True)
    assert all(NOW - 7 * 86_400 <= second <= NOW for second in seconds)


def test_a_seed_determines_the_logs() -> None:
    assert list(generate_logs(100, seed=5, now=NOW)) == list(generate_logs(100, seed=5, now=NOW))
    ids = {log.id for log in generate_logs(100, seed=5, now=NOW)}
    assert ids.isdisjoint(log.id for log in generate_logs(100, seed=6, now=NOW))


def test_logs_move_along_with_the_present() -> None:
    later = list(generate_logs(100, seed=5, now=NOW + 1000))
    assert [log.created_at - 1000 for log in later] == [log.created_at for log in generate_logs(100, seed=5, now=NOW)]


def test_every_status_comes_early_and_often() -> None:
    statuses = {"scheduled", "running", "succeeded", "failed", "stopped", "partial-succeeded", "paused"}
    assert {run.status for run in RUNS[:10]} == statuses
    assert min(Counter(run.status for run in RUNS).values()) >= 5


def test_a_day_has_failed_runs() -> None:
    yesterday = [log for log in LOGS if log.created_at >= NOW - 86_400]
    assert len(yesterday) > 50
    assert sum(log.run is not None and log.run.status == "failed" for log in yesterday) >= 3


def test_every_source_and_kind_of_creator_occurs_and_they_agree() -> None:
    sources = {
        (log.created_from, log.created_by_role, type(log.creator), getattr(log.creator, "type", None))
        for log in LOGS
        if log.creator is not None
    }
    assert sources == {
        ("installed-app", "account", AccountRow, None),
        ("web-app", "end_user", EndUserRow, "browser"),
        ("service-api", "end_user", EndUserRow, "service-api"),
        ("service-api", "end_user", EndUserRow, "mcp"),
        ("service-api", "end_user", EndUserRow, "trigger"),
    }


@pytest.mark.parametrize(
    "is_odd",
    [
        lambda log: log.run is None,
        lambda log: log.creator is None and log.created_by_role == "end_user",
        lambda log: log.run is not None and log.run.total_steps is None and log.run.exceptions_count is None,
        lambda log: log.run is not None and log.run.total_tokens > 2**32,
        lambda log: log.run is not None and log.run.error == "" and log.run.status == "failed",
        lambda log: log.run is not None and "\n" in (log.run.error or ""),
        lambda log: log.run is not None and len(log.run.error or "") > 1000,
        lambda log: log.run is not None and log.run.created_at == log.created_at - 1,
        lambda log: log.run is not None and r"\u4e2d\u6587" in log.run.inputs,
        lambda log: log.run is not None and r"\ud83d\ude00" in log.run.inputs,
        lambda log: isinstance(log.creator, EndUserRow) and not log.creator.session_id.isascii(),
        lambda log: isinstance(log.creator, AccountRow) and "+" in log.creator.email,
    ],
)
def test_every_oddity_occurs_among_the_default_rows(is_odd) -> None:
    assert any(map(is_odd, LOGS))


def test_ties_are_common_and_one_second_exceeds_a_page() -> None:
    per_second = Counter(log.created_at for log in LOGS).most_common()
    (_, crowd), (_, next_largest) = per_second[:2]
    assert crowd >= 120
    assert 13 <= next_largest <= 100
    assert sum(count for _, count in per_second if count > 1) > len(LOGS) / 2


def test_a_few_rows_have_no_crowded_second() -> None:
    per_second = Counter(log.created_at for log in generate_logs(100, now=NOW))
    assert max(per_second.values()) <= 30


def test_a_run_has_end_and_duration_exactly_when_finished() -> None:
    for run in RUNS:
        assert (run.finished_at is not None) == (run.elapsed_time > 0) == (run.status in FINISHED_STATUSES)
        if run.finished_at is not None:
            assert run.finished_at == run.created_at + int(run.elapsed_time)


def test_inputs_and_outputs_are_stored_as_ascii_json() -> None:
    for run in RUNS:
        assert run.inputs.isascii()
        assert set(json.loads(run.inputs)) == {"query", "sys.files", "sys.user_id"}
        assert run.outputs is None or set(json.loads(run.outputs)) == {"answer"}


def test_logs_are_generated_one_by_one() -> None:
    def existing() -> int:
        return sum(type(one) is LogRow for one in gc.get_objects())

    before = existing()
    logs = generate_logs(5000, now=NOW)
    first = list(itertools.islice(logs, 3))
    assert existing() - before == len(first) == 3
    assert all(isinstance(log.run, RunRow) for log in first)

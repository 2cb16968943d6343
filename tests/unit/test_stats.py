"""Statistics of logs: what does not depend on a server."""

from __future__ import annotations

import json
import tracemalloc
import typing
from datetime import UTC, datetime, timedelta, timezone
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dify_workflow import stats
from dify_workflow.models import WorkflowLog
from dify_workflow.stats import Stats, collect

if TYPE_CHECKING:
    from random import Random

NOW = datetime(2026, 4, 1, tzinfo=UTC)
START = 1_774_000_000


def log(number: int = 0, run: Any = (), **fields: Any) -> WorkflowLog:
    """A log with a run of the given fields; `run=None` for a deleted run."""
    second = fields.pop("created_at", START + number)
    made = {
        "id": f"run-{number:03}",
        "version": "v1",
        "status": "succeeded",
        "triggered_from": "app-run",
        "error": None,
    }
    made |= {"elapsed_time": 1.0, "total_tokens": 10, "total_steps": 1, "created_at": second, "finished_at": None}
    return WorkflowLog.from_dict(
        {
            "id": f"log-{number}",
            "workflow_run": {**made, "exceptions_count": 0, **dict(run)} if isinstance(run, dict | tuple) else run,
            "details": None,
            "created_from": "service-api",
            "created_by_role": "end_user",
            "created_by_account": None,
            "created_by_end_user": {"id": "u", "type": "service-api", "is_anonymous": False, "session_id": "user-1"},
            "created_at": second,
            **fields,
        }
    )


ODD = st.sampled_from([None, "", "x", "9", -1, 0, 1.5, 5e9, 2**70, True, [], {"a": 1}, float("inf"), float("nan")])
TIMES = st.integers(START, START + 100_000)
RUNS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["succeeded", "failed", "running", "unknown-to-us"]) | ODD,
        "version": st.sampled_from(["v1", "v2"]) | ODD,
        "error": st.sampled_from(["timeout after 3 s", "timeout after 4 s", "\n"]) | ODD,
        "elapsed_time": st.floats(0, 1e5) | ODD,
        "total_tokens": st.integers(0, 10**10) | ODD,
        "created_at": TIMES | ODD,
        "finished_at": TIMES | ODD,
        "id": st.sampled_from(["a", "b"]) | ODD,
    },
)
FIELDS = st.fixed_dictionaries({"created_at": TIMES | ODD}, optional={"created_by_end_user": ODD, "created_from": ODD})


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(RUNS | ODD, FIELDS), max_size=40), st.randoms(use_true_random=False))
def test_order_and_parts_change_no_figure(entries: list[Any], random: Random):
    logs = [log(number, run, **fields) for number, (run, fields) in enumerate(entries)]
    whole = collect(logs, tz="Europe/Berlin", now=NOW, price_per_1k=1)
    assert whole.logs == len(logs) == whole.deleted + whole.statuses.runs
    figures = json.dumps(whole.to_dict(), allow_nan=False)
    random.shuffle(logs)
    cut = random.randint(0, len(logs))
    parts = [collect(part, tz="Europe/Berlin", now=NOW, price_per_1k=1) for part in (logs[:cut], logs[cut:])]
    assert json.dumps(sum(parts).to_dict()) == figures  # type: ignore[union-attr]  # sum's type allows 0


def test_no_logs_give_no_figures():
    empty = collect([], tz="UTC")
    assert (empty.logs, empty.days, empty.failure_rate, empty.first, empty.peak_at) == (0, [], None, None, None)
    assert empty.duration == stats.Duration(0, None, None, None, None)
    assert (empty + collect([log()], tz="UTC", now=NOW)).logs == 1


@pytest.mark.parametrize(
    ("error", "group"),
    [
        ("Request 81b6ee55-7c0f-4c12-9d33-2f1f6a8cf0a1 failed", "Request … failed"),
        ("\n\n  HTTP 429 from 10.0.0.7:443, retry 3  \nmore", "HTTP … from …, retry …"),
        ("""node "LLM 2" can't find 'x' in `y`""", "node … can't find … in …"),
        ("id deadbeef01 of face", "id … of face"),
        ("", "(no error text)"),
        (None, "(no error text)"),
        ({"code": 5}, "{'code': …}"),
        ("x" * 10_000, "x" * 500),
    ],
)
def test_errors_are_grouped_without_what_varies(error: Any, group: str):
    (found,) = collect([log(run={"status": "failed", "error": error})], tz="UTC").errors
    assert (found.error.replace("{…", "{'code'"), found.count) == (group, 1)


def test_the_newest_run_is_the_example_of_its_group():
    logs = [log(number, {"status": "failed", "error": f"timeout after {number} s"}) for number in (1, 3, 2)]
    (group,) = collect(logs, tz="UTC").errors
    assert (group.count, group.example_run_id, group.example) == (3, "run-003", "timeout after 3 s")
    assert group.last_seen == datetime.fromtimestamp(START + 3, UTC)


def test_failure_rates_skip_unfinished_and_count_partial_runs():
    statuses = ["succeeded", "failed", "partial-succeeded", "stopped", "running", "paused", "invented"]
    found = collect([log(number, {"status": status}) for number, status in enumerate(statuses)], tz="UTC").statuses
    assert (found.runs, found.ended, found.failed, found.failure_rate, found.partial_rate) == (7, 4, 1, 0.25, 0.25)


def test_a_version_shows_the_change_since_the_one_before():
    logs = [
        log(number, {"version": f"v{9 - number // 4}", "status": status})
        for number, status in enumerate(
            ["succeeded", "failed", "succeeded", "succeeded", "failed", "failed", "failed", "succeeded"]
        )
    ]
    assert [(one.version, one.change) for one in collect(logs, tz="UTC").versions] == [("v9", None), ("v8", 0.5)]


def test_days_follow_the_clocks_of_the_zone():
    # 2026-03-29 has 23 hours in Berlin, from 23:00 UTC to 22:00 UTC.
    first = int(datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp())
    logs = [log(number, created_at=first + shift) for number, shift in enumerate([-1, 0, 3599, 7200, 82_799, 82_800])]
    found = collect(logs, tz="Europe/Berlin")
    assert [(str(day.date), day.logs) for day in found.days] == [
        ("2026-03-28", 1),
        ("2026-03-29", 4),
        ("2026-03-30", 1),
    ]
    assert [found.hours[6][hour] for hour in (0, 1, 2, 3, 23)] == [2, 0, 0, 1, 1]
    half = collect(logs[:1], tz=timezone(timedelta(hours=5, minutes=30)))
    assert (half.tz, half.hours[6][4]) == ("UTC+05:30", 1)


def test_weeks_are_exact_too_and_named_by_their_mondays():
    durations = [5.0, 1.0, 4.0, 2.0, 3.0, 9.0]
    monday = int(datetime(2026, 3, 23, tzinfo=UTC).timestamp())
    logs = [log(n, {"elapsed_time": value}, created_at=monday + 105_000 * n) for n, value in enumerate(durations)]
    weeks = collect([*logs, log(created_at=monday - 1)], tz="UTC").weeks
    assert [(str(week.date), week.logs) for week in weeks] == [("2026-03-16", 1), ("2026-03-23", 6)]
    assert (weeks[1].duration.p50, weeks[1].duration.max, weeks[1].tokens) == (3.5, 9.0, 60)


def test_days_without_logs_are_listed():
    found = collect([log(0), log(1, created_at=START + 3 * 86_400)], tz="UTC")
    assert [day.logs for day in found.days] == [1, 0, 0, 1]
    assert len((found + collect([log(created_at=0)], tz="UTC")).days) == 5


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "Africa/Monrovia", "Antarctica/Troll", None])
def test_every_hour_is_that_of_datetime(zone: str | None):
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - of this test alone

    from dify_workflow.stats.time_zones import TimeZone  # noqa: PLC0415

    found, info = TimeZone(zone), zone and ZoneInfo(zone)
    for second in range(0, 1_800_000_000, 6_854_321):
        for near in (second, second + 3599):
            local = datetime.fromtimestamp(near, UTC).astimezone(info or None)
            assert found.hour_of(near) == (local.toordinal(), local.weekday(), local.hour)


def test_concurrent_runs_include_the_moments_of_start_and_end():
    logs = [log(number, {"elapsed_time": 5.0}, created_at=START + 5 * number) for number in range(4)]
    assert collect(logs, tz="UTC").peak_concurrency == 2
    over_midnight = [log(n, {"elapsed_time": 200_000.0}, created_at=START + 50_000 * n) for n in range(6)]
    found = collect(over_midnight, tz="UTC")
    assert (found.peak_concurrency, found.peak_at) == (5, datetime.fromtimestamp(START + 200_000, UTC))


def test_unfinished_runs_are_judged_against_now():
    logs = [log(number, {"status": "running"}, created_at=START + 1800 * number) for number in range(4)]
    at = datetime.fromtimestamp(START + 5400, UTC)
    found = collect(logs, tz="UTC", now=at)
    assert (found.unfinished, [run.run_id for run in found.oldest_unfinished]) == (1, ["run-000"])


def test_memory_grows_by_at_most_32_bytes_per_log():
    logs = [log(number % 50, created_at=START + 600 * number) for number in range(300)]

    def most(count: int) -> int:
        tracemalloc.start()
        found = collect(islice(cycle(logs), count), tz="UTC", now=NOW)
        assert (found.logs, found.to_dict()["duration"]["count"]) == (count, count)  # the figures need memory too
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    most(10)
    assert most(25_000) - most(9_000) < 32 * 16_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tz": "Europe/Nowhere"}, "tz: no time zone 'Europe/Nowhere'"),
        ({"tz": ""}, "tz: no time zone ''"),
        ({"tz": "../../etc/passwd"}, "tz: no time zone"),
        ({"now": datetime(2026, 1, 1)}, "now must be an aware datetime"),  # noqa: DTZ001 - the point
        ({"price_per_1k": -1}, "price_per_1k must be a number of 0 or more"),
        ({"price_per_1k": float("nan")}, "price_per_1k must be a number of 0 or more"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        collect([log()], **options)


def test_statistics_of_different_zones_or_prices_are_not_added():
    with pytest.raises(ValueError, match="time zones and prices"):
        _ = Stats(tz="UTC") + Stats(tz="Europe/Berlin")
    with pytest.raises(ValueError, match="time zones and prices"):
        _ = Stats(tz="UTC") + Stats(tz="UTC", price_per_1k=1)


def test_type_hints_and_public_names_can_be_looked_up():
    for name in stats.__all__:
        item = getattr(stats, name)
        assert item.__module__ == "dify_workflow.stats"
        assert isinstance(item, type) is False or typing.get_type_hints(item) is not None


def test_what_is_no_log_counts_as_one_without_time():
    found = collect([log(), "no log", None, {"id": 5}], tz="UTC")  # type: ignore[list-item]
    assert (found.logs, found.without_time, found.statuses.by_status) == (4, 3, {"(unknown)": 3, "succeeded": 1})


def test_an_asynchronous_walk_is_refused_with_what_to_do():
    class Walk:
        def __aiter__(self) -> Walk:
            return self

    with pytest.raises(TypeError, match=r"stats\.add\(log\)"):
        collect(Walk())  # type: ignore[arg-type]

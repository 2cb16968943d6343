"""Statistics of a walk are what SQL says about the sandbox's own database."""

# ruff: noqa: S608 - SQL of constants of this file

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from dify_workflow import stats
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dify_workflow.stats import Stats

ZONE = ZoneInfo("America/New_York")  # 400 days hold both changes of its clocks
NOW = datetime.now(UTC).replace(microsecond=0)
ENDED = "('succeeded', 'failed', 'stopped', 'partial-succeeded')"
RUNS = "entries WHERE run IS NOT NULL"
LOGS = """
CREATE TEMP TABLE entries AS
SELECT l.created_at AS second, day(l.created_at) AS day, l.run_id AS wanted, r.id AS run, r.status, r.elapsed_time,
    r.total_tokens AS tokens, r.version, l.created_from, r.triggered_from, r.error, r.created_at AS start,
    coalesce(u.session_id, a.email, '(unknown)') AS user
FROM logs l LEFT JOIN runs r ON r.id = l.run_id
LEFT JOIN accounts a ON l.created_by_role = 'account' AND a.id = l.created_by
LEFT JOIN end_users u ON l.created_by_role = 'end_user' AND u.id = l.created_by
WHERE l.app = 'main'
"""


class Truth:
    """SQL over the sandbox's database."""

    def __init__(self, path: Path) -> None:
        self.database = sqlite3.connect(path)
        self.database.create_function("day", 1, lambda second: str(datetime.fromtimestamp(second, ZONE).date()))
        self.database.create_function("hour", 1, lambda second: datetime.fromtimestamp(second, ZONE).strftime("%w %H"))
        self.database.execute(LOGS)

    def rows(self, sql: str) -> list[Any]:
        return self.database.execute(sql).fetchall()

    def one(self, sql: str) -> Any:
        return self.rows(f"SELECT {sql}")[0][0]

    def percentile(self, share: float, where: str = "true") -> float | None:
        """As `percentile_cont` of SQL, which SQLite does not have."""
        return self.one(f"""
            (WITH ranked AS (
                SELECT elapsed_time AS value, row_number() OVER (ORDER BY elapsed_time) - 1 AS rank,
                    (count(*) OVER () - 1) * {share} AS wanted
                FROM entries WHERE status IN {ENDED} AND {where})
            SELECT sum(value * (1 - abs(rank - wanted))) FROM ranked WHERE abs(rank - wanted) < 1)""")

    def percentiles_by_day(self, share: float) -> dict[str, float]:
        return dict(
            self.rows(f"""
            WITH ranked AS (
                SELECT day, elapsed_time AS value,
                    row_number() OVER (PARTITION BY day ORDER BY elapsed_time) - 1 AS rank,
                    (count(*) OVER (PARTITION BY day) - 1) * {share} AS wanted
                FROM entries WHERE status IN {ENDED})
            SELECT day, sum(value * (1 - abs(rank - wanted))) FROM ranked WHERE abs(rank - wanted) < 1 GROUP BY day""")
        )


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stats, list[Stats], Truth]]:
    path = tmp_path_factory.mktemp("stats") / "sandbox.sqlite"
    with Sandbox(rows=25_000, crowd=350, days=400, database=path) as sandbox, sandbox.client() as client:
        second = int(NOW.timestamp()) - 90_000
        for number, tokens in enumerate([5_000_000_000, 5_000_000_000, 2**40]):
            sandbox.add_log(created_at=second + number, status="succeeded", elapsed_time=0.25, total_tokens=tokens)
        logs = list(client.logs.iter())
        whole = stats.collect(logs, tz=ZONE, now=NOW, price_per_1k=0.002)
        parts = [stats.collect(logs[start::3], tz=ZONE, now=NOW, price_per_1k=0.002) for start in range(3)]
        yield whole, parts, Truth(path)


def test_parts_add_up_to_the_whole_exactly(measured: tuple[Stats, list[Stats], Truth]):
    whole, parts, _ = measured
    assert sum(parts[::-1]).to_dict() == whole.to_dict()


def test_totals_are_those_of_sql(measured: tuple[Stats, list[Stats], Truth]):
    found, _, truth = measured
    assert found.logs == truth.one("count(*) FROM entries")
    assert found.deleted == truth.one("count(*) FROM entries WHERE run IS NULL") > 0
    assert dict(found.statuses.by_status) == dict(
        truth.rows("SELECT status, count(*) FROM entries WHERE run IS NOT NULL GROUP BY 1")
    )
    assert found.total_tokens == truth.one("sum(tokens) FROM entries") > 10_000_000_000
    assert found.cost == pytest.approx(found.total_tokens / 1000 * 0.002)
    assert found.failure_rate == truth.one(
        f"1.0 * sum(status = 'failed') / count(*) FROM entries WHERE status IN {ENDED}"
    )
    assert found.first == datetime.fromtimestamp(truth.one("min(second) FROM entries"), UTC)
    assert found.last == datetime.fromtimestamp(truth.one("max(second) FROM entries"), UTC)


def test_days_and_hours_are_those_of_sql(measured: tuple[Stats, list[Stats], Truth]):
    found, _, truth = measured
    assert {str(day.date): (day.logs, day.deleted, day.tokens) for day in found.days if day.logs} == {
        day: figures
        for day, *figures_ in truth.rows(
            "SELECT day, count(*), sum(run IS NULL), coalesce(sum(tokens), 0) FROM entries GROUP BY 1"
        )
        for figures in [tuple(figures_)]
    }
    assert {
        (str(day.date), status): count for day in found.days for status, count in day.statuses.by_status.items()
    } == {
        (day, status): count
        for day, status, count in truth.rows(
            "SELECT day, status, count(*) FROM entries WHERE run IS NOT NULL GROUP BY 1, 2"
        )
    }
    hours = {f"{(weekday + 1) % 7} {hour:02}": found.hours[weekday][hour] for weekday in range(7) for hour in range(24)}
    assert {hour: count for hour, count in hours.items() if count} == dict(
        truth.rows("SELECT hour(second), count(*) FROM entries GROUP BY 1")
    )


def test_percentiles_are_those_of_sql(measured: tuple[Stats, list[Stats], Truth]):
    found, _, truth = measured
    assert found.duration.count == truth.one(f"count(*) FROM entries WHERE status IN {ENDED}")
    assert found.duration.max == truth.one(f"max(elapsed_time) FROM entries WHERE status IN {ENDED}")
    for share, value in ((0.5, found.duration.p50), (0.95, found.duration.p95), (0.99, found.duration.p99)):
        assert value == pytest.approx(truth.percentile(share), rel=1e-9)
    by_day = {share: truth.percentiles_by_day(share) for share in (0.5, 0.95, 0.99)}
    for day in found.days:
        for share, value in ((0.5, day.duration.p50), (0.95, day.duration.p95), (0.99, day.duration.p99)):
            expected = by_day[share].get(str(day.date))
            assert value == (None if expected is None else pytest.approx(expected, rel=1e-9))
    assert {str(day.date): (day.duration.count, day.duration.max) for day in found.days if day.duration.count} == {
        day: (count, longest)
        for day, count, longest in truth.rows(
            f"SELECT day, count(*), max(elapsed_time) FROM entries WHERE status IN {ENDED} GROUP BY 1"
        )
    }


def second_of(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def test_groups_are_those_of_sql(measured: tuple[Stats, list[Stats], Truth]):
    found, _, truth = measured
    figures = "count(*), sum(status = 'failed'), sum(tokens), max(second)"
    assert {
        user.user: (user.statuses.runs, user.statuses.failed, user.tokens, second_of(user.last_seen))
        for user in found.users
    } == {user: tuple(row) for user, *row in truth.rows(f"SELECT user, {figures} FROM {RUNS} GROUP BY 1")}
    assert all(user.cost == pytest.approx(user.tokens / 1000 * 0.002) for user in found.users)
    versions = truth.rows(
        f"SELECT version, {figures}, min(second), avg(CASE WHEN status IN {ENDED} THEN status = 'failed' END) "
        f"FROM {RUNS} GROUP BY 1 ORDER BY min(second), 1"
    )
    assert [
        (one.version, one.statuses.runs, one.statuses.failed, one.tokens, second_of(one.last_seen))
        for one in found.versions
    ] == [version[:5] for version in versions]
    assert [second_of(one.first_seen) for one in found.versions] == [version[5] for version in versions]
    rates = [version[6] for version in versions]
    assert len(rates) > 1
    changes = [None, *(rate - before for before, rate in pairwise(rates))]
    assert [one.change for one in found.versions] == [
        None if change is None else pytest.approx(change, abs=1e-12) for change in changes
    ]
    assert {(one.created_from, one.triggered_from): one.statuses.runs for one in found.triggers} == {
        (created, triggered): runs
        for created, triggered, runs in truth.rows(
            "SELECT created_from, triggered_from, count(*) FROM entries WHERE run IS NOT NULL GROUP BY 1, 2"
        )
    }
    # The texts differ within their quotes, ids and numbers alone, and so begin alike.
    for group in found.errors:
        begin = "" if group.error == "(no error text)" else group.error.partition("…")[0].partition("\n")[0][:12]
        where = "coalesce(error, '') = ''" if not begin else f"substr(error, 1, {len(begin)}) = '{begin}'"
        assert group.count == truth.one(f"count(*) FROM entries WHERE status = 'failed' AND {where}"), group.error
    assert sum(group.count for group in found.errors) == truth.one("sum(status = 'failed') FROM entries")
    refused = next(group for group in found.errors if group.error == "[Errno …] Connection refused")
    assert (refused.count, refused.example_run_id) == truth.rows("""
        SELECT count(*) OVER (), run FROM entries WHERE status = 'failed' AND error = '[Errno 111] Connection refused'
        ORDER BY second DESC, run DESC LIMIT 1""")[0]


def test_rankings_are_those_of_sql(measured: tuple[Stats, list[Stats], Truth]):
    found, _, truth = measured
    assert [(run.value, run.run_id) for run in found.slowest] == truth.rows(
        f"SELECT elapsed_time, run FROM entries WHERE status IN {ENDED} ORDER BY 1 DESC, 2 DESC LIMIT 20"
    )
    assert [(run.value, run.run_id) for run in found.most_tokens] == truth.rows(
        "SELECT tokens, run FROM entries WHERE tokens > 0 ORDER BY 1 DESC, 2 DESC LIMIT 20"
    )
    limit = int((NOW - timedelta(hours=1)).timestamp())
    unfinished = f"FROM entries WHERE run IS NOT NULL AND status NOT IN {ENDED} AND start < {limit}"
    assert found.unfinished == truth.one(f"count(*) {unfinished}") > 20
    assert sorted(run.value for run in found.oldest_unfinished) == [
        row[0] for row in truth.rows(f"SELECT start {unfinished} ORDER BY 1 LIMIT 20")
    ]


def test_peak_concurrency_is_that_of_sql(measured: tuple[Stats, list[Stats], Truth]):
    found, _, truth = measured
    peak, at = truth.rows(f"""
        WITH events AS (
            SELECT start AS at, 1 AS change FROM entries WHERE status IN {ENDED}
            UNION ALL SELECT start + elapsed_time, -1 FROM entries WHERE status IN {ENDED}),
        running AS (SELECT at, sum(change) OVER (ORDER BY at, change DESC ROWS UNBOUNDED PRECEDING) AS runs FROM events)
        SELECT runs, at FROM running ORDER BY runs DESC, at LIMIT 1""")[0]
    assert (found.peak_concurrency, found.peak_at) == (peak, datetime.fromtimestamp(at, UTC))
    assert found.peak_concurrency >= 200  # the crowded second alone

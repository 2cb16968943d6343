"""The data source of Spark by batch: exact, whatever is pushed, killed or asked of several apps."""

from __future__ import annotations

import os
import pickle
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from pyspark import cloudpickle
from pyspark.errors import AnalysisException, PythonException
from support.spark_session import APPS, KEY, python_workers

from dify_workflow.records import COLUMNS, DETAIL_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_workflow.testing import Sandbox

NOW = 1_795_900_000


@pytest.fixture
def clean(sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox, without requests and traps."""
    sandbox.clear_requests()
    yield sandbox
    sandbox.traps.before_request = None


def frame(spark: Any, sandbox: Sandbox, **options: object) -> Any:
    return spark.read.format("dify_logs").options(baseUrl=sandbox.base_url, **options).load()


@pytest.fixture(scope="module")
def truth(sandbox: Sandbox) -> dict[str, Any]:
    """All rows by their ids, as the walk gives them."""
    with sandbox.client() as client:
        return {row["id"]: row for row in client.logs.iter(workers=2).to_arrow().read_all().to_pylist()}


@pytest.mark.parametrize("partitions", [1, 8])
def test_partitions_have_each_log_once_and_whole(
    spark: Any, clean: Sandbox, truth: dict[str, Any], partitions: int
) -> None:
    logs = frame(spark, clean, partitions=partitions)
    assert logs.columns == [column.name for column in COLUMNS]
    rows = logs.toArrow().to_pylist()
    assert len(rows) == 25_000
    assert {row["id"]: row for row in rows} == truth
    assert logs.rdd.getNumPartitions() == partitions


def test_conditions_give_the_same_rows_pushed_or_not(spark: Any, clean: Sandbox, truth: dict[str, Any]) -> None:
    frame(spark, clean, partitions=2).createOrReplaceTempView("logs")
    newest = max(row["created_at"] for row in truth.values())
    account = next(row["account_email"] for row in truth.values() if row["account_email"])
    user = next(row["end_user_session_id"] for row in truth.values() if row["end_user_session_id"])
    bound = datetime.fromtimestamp(newest.timestamp() - 86_400, UTC)
    for condition, matches, most in (
        ("run_status = 'failed'", lambda row: row["run_status"] == "failed", 60),
        ("run_status = 'running'", lambda row: row["run_status"] == "running", None),
        (f"created_at >= timestamp'{bound:%F %T}'", lambda row: row["created_at"] >= bound, 60),
        (
            f"created_at > timestamp'{bound:%F %T}.5' and created_at <= timestamp'{newest:%F %T}.5'",
            lambda row: row["created_at"] > bound,
            60,
        ),
        (f"end_user_session_id = '{user}'", lambda row: row["end_user_session_id"] == user, 100),
        (f"account_email = '{account}'", lambda row: row["account_email"] == account, 100),
        ("end_user_session_id = 'nobody'", lambda row: False, 5),
        ("created_at > timestamp'2100-01-01' and created_at < timestamp'2000-01-01'", lambda row: False, 0),
    ):
        clean.clear_requests()
        found = [row.id for row in spark.sql(f"select id from logs where {condition}").collect()]  # noqa: S608 - a test
        assert sorted(found) == sorted(row["id"] for row in truth.values() if matches(row)), condition
        assert most is None or len(clean.requests) <= most, (condition, len(clean.requests))


def test_a_killed_task_is_run_again_and_gives_nothing_twice(
    spark: Any, clean: Sandbox, truth: dict[str, Any], tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill(_request: object) -> None:
        if len(clean.requests) == 80 and not killed:
            for process in python_workers():
                os.kill(process, signal.SIGKILL)
                killed.append(process)

    clean.traps.before_request = kill
    frame(spark, clean, partitions=8).write.parquet(str(tmp_path / "logs"))
    ids = pq.read_table(tmp_path / "logs", columns=["id"])["id"].to_pylist()
    assert killed
    assert len(ids) == 25_000
    assert set(ids) == truth.keys()


def test_three_apps_in_four_ranges_each(spark: Any, clean: Sandbox) -> None:
    logs = spark.read.format("dify_logs").options(apps=",".join(APPS), partitions=4).load()
    rows = [(row.app, row.id, row.part) for row in logs.selectExpr("app", "id", "spark_partition_id() part").collect()]
    expected = []
    for app in APPS:
        with clean.client(app=app) as client:
            expected += [(app, log.id) for log in client.logs.iter()]
    assert sorted((app, key) for app, key, _ in rows) == sorted(expected)
    assert len({part for _, _, part in rows}) == 12
    clean.clear_requests()
    assert logs.where("app = 'sales'").count() == 120
    assert len(clean.requests) <= 5 + 4 * 3


def test_a_profile_takes_the_place_of_the_environment(spark: Any) -> None:
    logs = spark.read.format("dify_logs").options(profile="shop", partitions=2).load()
    assert "app" not in logs.columns
    assert logs.count() == 100


def test_details_have_inputs_and_outputs(spark: Any, few: Sandbox) -> None:
    for number in range(3):
        few.add_log(created_at=NOW + number, inputs={"query": "é"}, outputs={"answer": number})
    logs = frame(spark, few, details=2, partitions=1)
    assert logs.columns == [column.name for column in (*COLUMNS, *DETAIL_COLUMNS)]
    with few.client() as client:
        expected = client.logs.iter(details=1).to_arrow().read_all().to_pylist()
    assert sorted(logs.toArrow().to_pylist(), key=lambda row: row["id"]) == sorted(expected, key=lambda row: row["id"])


def test_a_schema_may_have_some_of_the_columns(spark: Any, few: Sandbox) -> None:
    few.add_log(created_at=NOW, status="failed")
    reader = spark.read.format("dify_logs").option("baseUrl", few.base_url)
    rows = reader.schema("created_at timestamp, run_status string not null").load().collect()
    assert [(row.created_at.timestamp(), row.run_status) for row in rows] == [(NOW, "failed")]
    with pytest.raises(AnalysisException, match="no column 'nonsense'"):
        reader.schema("nonsense string").load().count()


def test_no_logs_are_no_rows(spark: Any, few: Sandbox) -> None:
    assert frame(spark, few).count() == 0


def test_an_error_of_the_server_is_the_error_of_the_query(spark: Any, few: Sandbox) -> None:
    few.add_app("main", state="disabled", api_key=KEY)
    with pytest.raises((AnalysisException, PythonException), match="403"):
        frame(spark, few).count()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"apiKey": "app-secret"}, "DIFY_API_KEY"),
        ({"partition": "8"}, "partitions"),
        ({"partitions": "0"}, "1 to 1000"),
    ],
)
def test_options_are_refused_with_what_is_allowed(spark: Any, options: dict[str, str], text: str) -> None:
    with pytest.raises(AnalysisException, match=text) as refused:
        spark.read.format("dify_logs").options(**options).load()
    assert "app-secret" not in str(refused.value)


def test_the_key_is_in_no_plan_log_or_process_list(spark: Any, clean: Sandbox, folder: Path) -> None:
    logs = frame(spark, clean, partitions=2).where("run_status = 'failed'").groupBy("user").count()
    logs.collect()
    apps = spark.read.format("dify_logs").option("apps", ",".join(APPS)).load()
    apps.count()
    keys = (KEY, *(clean.keys[app] for app in APPS))
    plans = [each._jdf.queryExecution().toString() for each in (logs, apps)]
    settings = str(spark.sparkContext.getConf().getAll())
    processes = [
        path.read_bytes().decode(errors="replace") for path in Path("/proc").glob("[0-9]*/cmdline") if _there(path)
    ]
    written = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "config.toml"}
    assert any("events" in str(path) and data for path, data in written.items())
    assert b"dify_logs" in written[folder / "spark.log"]
    for key in keys:
        assert not [text for text in (*plans, settings, *processes) if key in text]
        assert not [path for path, data in written.items() if key.encode() in data]


def _there(path: Path) -> bool:
    return path.exists()


def test_values_arrive_as_the_same_classes_by_cloudpickle(few: Sandbox) -> None:
    few.add_log(created_at=NOW)
    with few.client() as client:
        values = [*client.logs.ranges(1), *client.logs.iter(), *client.logs.iter(details=1)]
    for value in values:
        data = cloudpickle.dumps(value)
        assert type(pickle.loads(data)) is type(value)  # noqa: S301 - our own
        assert len(data) < 10_000  # the class itself has more

"""The data source of Spark by stream: nothing is missing and nothing is there twice, whatever is stopped."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.errors import StreamingQueryException
from support.spark_session import APPS, ATTEMPTS, UNSTARTED, repeated

if TYPE_CHECKING:
    from pathlib import Path

    from dify_workflow.testing import Sandbox


def begun(spark: Any, folder: Path, *, once: bool, **options: object) -> Any:
    """A query that writes all logs to Parquet files; with `once` it ends when it has what is there now."""
    logs = spark.readStream.format("dify_logs").options(**options).load()
    writer = logs.writeStream.format("parquet").option("path", str(folder / "sink"))
    writer = writer.option("checkpointLocation", str(folder / "checkpoint"))
    return writer.trigger(availableNow=True).start() if once else writer.trigger(processingTime="1 second").start()


def ended(spark: Any, folder: Path, **options: object) -> list[dict[str, Any]]:
    """What a query did that ended when it had what is there now."""

    def run() -> list[dict[str, Any]]:
        query = begun(spark, folder, once=True, **options)
        assert query.awaitTermination(500)
        return list(query.recentProgress)

    return repeated(run)


def rows_in(spark: Any, folder: Path, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of the sink, of which Spark says which files are committed."""
    return [tuple(row) for row in spark.read.parquet(str(folder / "sink")).select(*columns).collect()]


def test_a_stopped_stream_goes_on_without_loss(spark: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    commits = tmp_path / "checkpoint" / "commits"
    is_in_the_middle = threading.Event()
    pages: list[object] = []

    def count(request: Any) -> None:
        if (
            commits.is_dir()
            and sum(path.name.isdigit() for path in commits.iterdir()) >= 2
            and "limit=100" in request.query
        ):
            pages.append(request)
            if len(pages) == 10:
                is_in_the_middle.set()

    options = {"baseUrl": sandbox.base_url, "partitions": 2, "maxRows": 5000}
    sandbox.traps.before_request = count
    for _ in range(ATTEMPTS):
        query = begun(spark, tmp_path, once=False, **options)
        while not is_in_the_middle.wait(1) and query.isActive:
            pass
        query.stop()
        if UNSTARTED not in str(query.exception()):
            break
    sandbox.traps.before_request = None
    assert is_in_the_middle.is_set(), query.exception()
    batches = [progress["numInputRows"] for progress in query.recentProgress]
    assert 2 <= len(batches) < 5
    before = rows_in(spark, tmp_path, "id")
    assert 0 < len(before) < 25_000
    batches += [progress["numInputRows"] for progress in ended(spark, tmp_path, **options)]
    ids = [key for (key,) in rows_in(spark, tmp_path, "id")]
    with sandbox.client() as client:
        truth = {log.id for log in client.logs.iter()}
    assert len(ids) == len(set(ids)) == 25_000
    assert set(ids) == truth
    assert max(batches) <= 5000 + 350  # a second is not split


def test_a_log_is_read_when_it_has_the_age(spark: Any, few: Sandbox, tmp_path: Path) -> None:
    old, _young = few.add_log(created_at=1_795_000_000), few.add_log(created_at=4_000_000_000)
    options = {"baseUrl": few.base_url, "partitions": 2, "lag": "22m"}
    for _ in range(2):
        ended(spark, tmp_path, **options)
        assert rows_in(spark, tmp_path, "id") == [(old.id,)]


def test_an_app_that_is_added_is_read_from_its_start(spark: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    expected = []
    for app in APPS:
        with sandbox.client(app=app) as client:
            expected += [(app, log.id) for log in client.logs.iter()]
    for apps, number in ("shop,sales", 220), (",".join(APPS), 330):
        ended(spark, tmp_path, apps=apps, partitions=2)
        assert len(rows_in(spark, tmp_path, "id")) == number
    assert sorted(rows_in(spark, tmp_path, "app", "id")) == sorted(expected)
    with pytest.raises(StreamingQueryException, match="checkpointLocation"):
        ended(spark, tmp_path, profile="shop")

"""Walks as Arrow data: what pyarrow and DuckDB take as it is."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from support.clients import EACH_DRIVER, Driver
from support.log_histories import NO_FILTERS, NOW
from support.log_table import LogTable

from dify_workflow import IncompleteWalkError
from dify_workflow._async.log_walk import AsyncLogWalk
from dify_workflow._logs.arrow import for_engines
from dify_workflow._logs.walk import PageRequest
from dify_workflow._sync.log_walk import LogWalk
from dify_workflow.models import WorkflowLogPage
from dify_workflow.records import COLUMNS, DETAIL_COLUMNS, unflatten
from dify_workflow.testing import Sandbox


def walk_of(table: LogTable) -> LogWalk:
    return LogWalk(table.page, NO_FILTERS, checkpoint=None, workers=1)


def test_a_walk_is_a_table_of_the_columns():
    rows = LogTable([(NOW, 250)], odd={7: "time in milliseconds"})
    table = pa.table(walk_of(rows))
    assert table.schema.names == [column.name for column in COLUMNS]
    assert str(table.schema.field("created_at").type) == "timestamp[s, tz=UTC]"
    assert not table.schema.field("id").nullable
    assert set(table["id"].to_pylist()) == set(rows.rows)
    assert table["created_at"][0].as_py() == datetime.fromtimestamp(NOW, UTC)
    logs = {key: row.log.to_dict() for key, row in rows.rows.items()}
    assert all(unflatten(record) == logs[record["id"]] for record in table.to_pylist())


def test_a_page_is_a_table_too():
    page = LogTable([(NOW, 7)]).page(PageRequest(None, None))
    assert pa.table(page).num_rows == 7
    assert pa.table(WorkflowLogPage.from_dict({"data": []})).num_rows == 0


@pytest.mark.parametrize("app", [None, "one"])
def test_batches_for_engines_have_microseconds_and_the_app(app: str | None):
    [batch] = pa.RecordBatchReader.from_stream(walk_of(LogTable([(NOW, 3)])))
    made = for_engines(batch, app)
    assert str(made.schema.field("created_at").type) == "timestamp[us, tz=UTC]"
    assert made.drop_columns(["app"] if app else []).to_pylist() == batch.to_pylist()
    assert app is None or (made.schema.names[0], set(made["app"].to_pylist())) == ("app", {app})


def test_duckdb_reads_a_walk_by_its_name():
    walk = walk_of(LogTable([(NOW, 120)], statuses=("failed", "succeeded")))
    assert walk is not None
    found = duckdb.sql("select run_status, count(*) from walk group by all order by all").fetchall()
    assert found == [("failed", 60), ("succeeded", 60)]


def test_batches_are_read_while_the_walk_goes_on():
    table = LogTable([(NOW - number, 1) for number in range(25_000)])
    reader = walk_of(table).to_arrow()
    assert reader.read_next_batch().num_rows == 10_000
    assert len(table.requests) < 110
    assert sum(batch.num_rows for batch in reader) == 15_000


def test_a_table_of_an_async_walk_has_batches_of_ten_thousand():
    table = LogTable([(NOW - number, 1) for number in range(10_001)])

    async def page(request: PageRequest) -> WorkflowLogPage:
        return table.page(request)

    made = asyncio.run(AsyncLogWalk(page, NO_FILTERS, checkpoint=None, workers=1).to_arrow())
    assert [len(batch) for batch in made["id"].chunks] == [10_000, 1]


def test_batches_take_nothing_of_arrows_own_allocator():
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    batches = list(walk_of(LogTable([(NOW - number, 1) for number in range(10_001)])).to_arrow())
    assert [batch.num_rows for batch in batches] == [10_000, 1]
    assert pool.bytes_allocated() == before


def test_no_logs_are_an_empty_table():
    assert pa.table(walk_of(LogTable())).shape == (0, len(COLUMNS))


def test_an_error_of_the_walk_reaches_the_consumer():
    def fail(number: int) -> None:
        if number == 2:
            raise IncompleteWalkError("it never added up", expected=2, seen=1)

    table = LogTable([(NOW - number, 1) for number in range(250)], before_request=fail)
    with pytest.raises(IncompleteWalkError):
        walk_of(table).to_arrow().read_all()
    table.requests.clear()
    with pytest.raises(pa.ArrowInvalid, match="it never added up"):
        pa.table(walk_of(table))


@EACH_DRIVER
@pytest.mark.parametrize("details", [None, 2])
def test_walks_of_a_client_have_a_table(driver: Driver, details: int | None):
    with Sandbox(rows=0) as sandbox:
        for _ in range(3):
            sandbox.add_log(status="failed")

        async def story(client: Any) -> Any:
            client = client.with_options(api_key=sandbox.api_key)
            table = await client.logs.iter(details=details).to_arrow()
            return table if isinstance(table, pa.Table) else table.read_all()

        table = driver.play(sandbox.base_url, story)
        assert table.schema.names == [column.name for column in (*COLUMNS, *(DETAIL_COLUMNS if details else ()))]
        assert table.num_rows == 3
        assert not details or table["run_inputs"][0].as_py().startswith("{")


@pytest.mark.parametrize("cls", [LogWalk, AsyncLogWalk])
def test_without_pyarrow_the_error_says_what_to_install(cls: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    walk = cls(LogTable().page, NO_FILTERS, checkpoint=None, workers=1)
    with pytest.raises(ImportError, match=r"pip install 'dify-workflow-sdk\[arrow\]'"):
        walk.to_arrow().send(None)

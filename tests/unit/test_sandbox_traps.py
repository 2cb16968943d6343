"""The switches that make the sandbox's logs hard to read, one by one."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from dify_workflow import NotFoundError
from dify_workflow.testing import Sandbox, new_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_workflow import DifyWorkflow

NOW = 1_790_000_000


@pytest.fixture(scope="module")
def of_module() -> Iterator[tuple[Sandbox, DifyWorkflow]]:
    with Sandbox(rows=0) as sandbox, sandbox.client() as client:
        sandbox.add_logs(new_log(created_at=NOW - number // 3) for number in range(150))
        yield sandbox, client


@pytest.fixture
def sandbox(of_module: tuple[Sandbox, DifyWorkflow]) -> Iterator[Sandbox]:
    traps = of_module[0].traps
    before = {name: getattr(traps, name) for name in traps.__dataclass_fields__}
    yield of_module[0]
    for name, value in before.items():
        setattr(traps, name, value)


@pytest.fixture
def client(of_module: tuple[Sandbox, DifyWorkflow]) -> DifyWorkflow:
    return of_module[1]


def seconds(client: DifyWorkflow, **query: Any) -> list[int]:
    return [log.created_at for log in client.logs.list(limit=100, **query).data]


def text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()


def test_without_traps_the_newest_come_first(client: DifyWorkflow):
    found = seconds(client)
    assert found == sorted(found, reverse=True)
    assert found[0] == NOW


def test_logs_can_come_oldest_first(sandbox: Sandbox, client: DifyWorkflow):
    sandbox.traps.log_order = "oldest first"
    found = seconds(client)
    assert found == sorted(found)
    assert found[0] == NOW - 49
    assert found + seconds(client, page=2) == sorted(found + seconds(client, page=2))


def test_logs_can_come_in_no_order_and_all_of_them(sandbox: Sandbox, client: DifyWorkflow):
    sandbox.traps.log_order = "unsorted"
    found = seconds(client)
    assert found not in (sorted(found), sorted(found, reverse=True))
    sandbox.traps.stable_ties = True  # one order for all pages
    ids = [log.id for page in (1, 2) for log in client.logs.list(limit=100, page=page).data]
    assert len(set(ids)) == 150


def test_each_bound_can_be_ignored(sandbox: Sandbox, client: DifyWorkflow):
    bounds = {"created_at__before": text(NOW - 10), "created_at__after": text(NOW - 19)}
    assert client.logs.list(**bounds).total == 30
    sandbox.traps.ignores_before = True
    assert client.logs.list(**bounds).total == 60
    sandbox.traps.ignores_after = True
    assert client.logs.list(**bounds).total == 150
    sandbox.traps.ignores_before = False
    assert client.logs.list(**bounds).total == 120


def test_a_bound_that_is_ignored_still_has_to_be_a_time(sandbox: Sandbox, client: DifyWorkflow):
    sandbox.traps.ignores_before = True
    assert client.request("GET", "/workflows/logs", params={"created_at__before": text(NOW)})["total"] == 150
    with pytest.raises(Exception, match="invalid_param"):
        client.request("GET", "/workflows/logs", params={"created_at__before": "soon"})


def test_pages_can_be_capped(sandbox: Sandbox, client: DifyWorkflow):
    sandbox.traps.largest_page = 20
    first, second, small = (client.logs.list(limit=100, page=page) for page in (1, 2, 3))
    assert [len(page.data) for page in (first, second, small)] == [20, 20, 20]
    assert (first.limit, first.total, first.has_more) == (20, 150, True)
    assert not {log.created_at for log in first.data} & {log.created_at for log in small.data}
    assert len(client.logs.list(limit=5).data) == 5


@pytest.mark.parametrize("count", [lambda true: true + 7, lambda true: 0, lambda true: None, lambda true: "150"])
def test_the_total_can_be_anything(sandbox: Sandbox, client: DifyWorkflow, count: Any):
    sandbox.traps.count = count
    page = client.logs.list(limit=100)
    assert page.total == count(150)
    assert (len(page.data), page.has_more) == (100, True)


@pytest.mark.parametrize("said", [True, False])
def test_has_more_can_be_wrong(sandbox: Sandbox, client: DifyWorkflow, said: bool):
    sandbox.traps.has_more = said
    assert client.logs.list(limit=100).has_more is said
    assert client.logs.list(limit=100, page=2).has_more is said


@pytest.mark.parametrize("of_all", [False, True])
def test_displayed_times_can_be_shifted_against_the_filters(of_all: bool, sandbox: Sandbox, client: DifyWorkflow):
    sandbox.traps.displayed_time_shift, sandbox.traps.shift_all_times = -5 * 3600, of_all
    page = client.logs.list(created_at__before=text(NOW), created_at__after=text(NOW))
    assert {log.created_at for log in page.data} == {NOW - 5 * 3600}
    runs = {log.workflow_run.created_at for log in page.data if log.workflow_run is not None}
    assert runs == {NOW - 5 * 3600 if of_all else NOW}
    run = page.data[0].workflow_run
    assert run is not None
    assert client.runs.get(run.id).created_at in runs
    assert client.logs.list(created_at__before=text(NOW - 5 * 3600)).total == 0


def test_all_times_of_a_new_run_can_be_shifted():
    with Sandbox(rows=0) as sandbox, sandbox.client() as client:
        sandbox.traps.displayed_time_shift, sandbox.traps.shift_all_times = 9000, True
        before = int(datetime.now(UTC).timestamp())
        with client.runs.stream({"query": "hi"}, user="u") as events:
            shown = [event.data.created_at for event in events if event.event != "text_chunk"]
        blocking = client.runs.run({"query": "hi"}, user="u").data
        uploaded = client.files.upload(b"x", user="u", filename="x.txt").created_at
        for second in (*shown, blocking.created_at, blocking.finished_at, uploaded):
            assert 0 <= second - before - 9000 < 60


def test_bounds_can_be_exclusive(sandbox: Sandbox, client: DifyWorkflow):
    window = {"created_at__before": text(NOW - 1), "created_at__after": text(NOW - 3)}
    assert set(seconds(client, **window)) == {NOW - 1, NOW - 2, NOW - 3}
    sandbox.traps.exclusive_bounds = True
    assert set(seconds(client, **window)) == {NOW - 2}


def test_a_lagging_replica_shows_new_logs_and_changes_late():
    with Sandbox(rows=0) as sandbox, sandbox.client() as client:
        old = sandbox.add_log(status="running")
        assert old.run is not None
        sandbox.traps.replica_lag = 3600
        assert client.logs.list().total == 0
        with pytest.raises(NotFoundError):
            client.runs.get(old.run.id)
        sandbox.traps.replica_lag = 0.3
        time.sleep(0.4)
        sandbox.update_run(old.run.id, status="succeeded", finished_at=NOW)
        sandbox.add_log(status="succeeded")
        page = client.logs.list()
        assert [log.workflow_run and log.workflow_run.status for log in page.data] == ["running"]
        assert client.logs.list(status="succeeded").total == 0
        assert client.runs.get(old.run.id).status == "running"
        time.sleep(0.4)
        assert client.logs.list(status="succeeded").total == 2
        assert client.runs.get(old.run.id).status == "succeeded"


def test_without_lag_new_logs_are_there_at_once():
    with Sandbox(rows=0) as sandbox, sandbox.client() as client:
        run = client.runs.run({"query": "hi"}, user="u")
        assert client.logs.list(status="succeeded").data[0].workflow_run.id == run.workflow_run_id

"""The switches that make the sandbox's logs hard to read, one by one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

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

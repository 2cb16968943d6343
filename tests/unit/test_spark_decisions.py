"""What the data source of Spark decides without Spark: options, filters, partitions, and ends of a stream's batches.

`make test-engines` runs it in Spark.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dify_workflow import BadRequestError, ConfigurationError, DifyWorkflow
from dify_workflow._http.library import httpx
from dify_workflow.spark._filters import Pushed, pushed_from
from dify_workflow.spark._options import options_from, stream_options_from
from dify_workflow.spark._reading import (
    NOTHING,
    Column,
    batches_of,
    end_of_batch,
    parts_between,
    parts_of,
    second_of,
    settled_second,
)
from dify_workflow.testing import Sandbox

NOW = 1_795_900_000


# Spark's filters have these names and fields; they come as instances of classes of pyspark.
@dataclass
class EqualTo:
    attribute: tuple[str, ...]
    value: Any


class GreaterThan(EqualTo):
    pass


class GreaterThanOrEqual(EqualTo):
    pass


class LessThan(EqualTo):
    pass


class LessThanOrEqual(EqualTo):
    pass


class In(EqualTo):
    pass


@dataclass
class IsNotNull:
    attribute: tuple[str, ...]


@dataclass
class Not:
    child: Any


MEETS = {
    EqualTo: lambda one, other: one == other,
    GreaterThan: lambda one, other: one > other,
    GreaterThanOrEqual: lambda one, other: one >= other,
    LessThan: lambda one, other: one < other,
    LessThanOrEqual: lambda one, other: one <= other,
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 40).map(lambda tenths: EPOCH + timedelta(seconds=NOW + tenths / 10))


@given(st.lists(st.tuples(st.sampled_from(list(MEETS)), MOMENTS), max_size=3), st.integers(NOW, NOW + 4))
def test_bounds_keep_exactly_the_seconds_that_match(conditions: list[tuple[Any, datetime]], second: int) -> None:
    zone = timezone(timedelta(hours=5))
    pushed = pushed_from([kind(("created_at",), moment.astimezone(zone)) for kind, moment in conditions])
    is_kept = not pushed.is_empty
    is_kept &= pushed.oldest is None or second >= pushed.oldest
    is_kept &= pushed.newest is None or second <= pushed.newest
    moment = EPOCH + timedelta(seconds=second)
    assert is_kept == all(MEETS[kind](moment, other) for kind, other in conditions)


def test_filters_that_the_server_cannot_apply_are_left() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - what a comparison without a zone has
    filters = [
        GreaterThan(("created_at",), naive),
        EqualTo(("run_status",), "running"),
        EqualTo(("end_user_session_id",), ""),
        EqualTo(("account_email",), " a@example.com"),
        EqualTo(("extra", "run_status"), "failed"),
        IsNotNull(("run_status",)),
        Not(EqualTo(("run_status",), "failed")),
        In(("run_status",), ("failed", "stopped")),
    ]
    assert pushed_from(filters) == Pushed()


def test_filters_that_the_server_has_are_pushed() -> None:
    pushed = pushed_from(
        [
            EqualTo(("run_status",), "failed"),
            EqualTo(("end_user_session_id",), "u"),
            EqualTo(("account_email",), "a@example.com"),
            In(("app",), ("one", "two", None)),
            EqualTo(("app",), "two"),
        ]
    )
    assert pushed.filters == {
        "status": "failed",
        "created_by_end_user_session_id": "u",
        "created_by_account": "a@example.com",
    }
    assert pushed.apps == {"two"}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"apiKey": "app-x"}, "DIFY_API_KEY"),
        ({"api_key": "app-x"}, "DIFY_API_KEY"),
        ({"partition": "8"}, "no option 'partition'"),
        ({"partitions": "1001"}, "1 to 1000"),
        ({"workers": "0"}, "1 to 64"),
        ({"details": "x"}, "1 to 64"),
        ({"maxRows": "0"}, "integer from 1"),
        ({"lag": "29"}, "30 seconds"),
        ({"lag": "1mo"}, "30 seconds"),
        ({"apps": "a,,b"}, "separated by commas"),
        ({"apps": "a,a"}, "twice"),
        ({"apps": "a", "profile": "b"}, "exclude"),
        ({"profile": "a b"}, "name of a profile"),
        ({"profile": "a", "baseUrl": "http://x"}, "address of its own"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text) as refused:
        options_from(options)
    assert "app-x" not in str(refused.value)


def test_options_of_streams_that_batches_alone_take() -> None:
    with pytest.raises(ConfigurationError, match="no end"):
        stream_options_from({"created_at__before": "2026-01-01"}, has_limit=True)
    with pytest.raises(ConfigurationError, match=r"4\.2"):
        stream_options_from({"maxRows": "10"}, has_limit=False)


def test_options_have_their_defaults_and_units() -> None:
    options = options_from({})
    assert (options.partitions, options.workers, options.lag, options.apps) == (8, 1, 120, (None,))
    assert options_from({"LAG": "22m", "apps": "a, b"})[1:3] == (("a", "b"), True)
    assert options_from({"lag": "22m"}).lag == 1320


def ids_of(sandbox: Sandbox, pushed: Pushed, **options: str) -> list[str]:
    """What is read for a query of two partitions."""
    checked = options_from({"baseUrl": sandbox.base_url, "partitions": "2", **options})
    columns = [Column("created_at", True), Column("id", False)]
    parts = parts_of(checked, pushed)
    return [key for part in parts for batch in batches_of(checked, part, columns) for key in batch["id"].to_pylist()]


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Any:
    with Sandbox(rows=0) as sandbox:
        monkeypatch.setenv("DIFY_API_KEY", sandbox.api_key)
        yield sandbox


def test_no_logs_are_one_part_without_a_range(sandbox: Sandbox) -> None:
    options = options_from({"baseUrl": sandbox.base_url})
    assert parts_of(options, Pushed()) == NOTHING
    assert ids_of(sandbox, Pushed()) == []
    sandbox.clear_requests()
    assert parts_of(options, Pushed(oldest=5, newest=4)) == NOTHING
    assert not sandbox.requests


@pytest.mark.parametrize("shift", [0, 3600, -18_000])
@pytest.mark.parametrize("exclusive", [False, True])
def test_pushed_bounds_are_of_displayed_times(shift: int, exclusive: bool, sandbox: Sandbox) -> None:
    logs = [sandbox.add_log(created_at=NOW + 600 * number) for number in range(50)]
    sandbox.traps.displayed_time_shift, sandbox.traps.exclusive_bounds = shift, exclusive
    first, last = NOW + 600 * 10 + shift, NOW + 600 * 30 + shift
    found = ids_of(sandbox, Pushed(oldest=first, newest=last), partitions="1")
    assert {log.id for log in logs[10:31]} <= set(found)  # Spark takes the others away
    if not shift and not exclusive:
        assert len(found) == 21


def test_options_and_pushed_bounds_hold_together(sandbox: Sandbox) -> None:
    logs = [sandbox.add_log(created_at=NOW + number) for number in range(10)]
    options = {"created_at__after": f"{datetime.fromtimestamp(NOW + 3, UTC):%FT%TZ}", "status": "succeeded"}
    pushed = Pushed(oldest=NOW + 1, newest=NOW + 6, filters={"status": "failed"})
    assert sorted(ids_of(sandbox, pushed, **options)) == sorted(log.id for log in logs[3:7])
    assert ids_of(sandbox, Pushed(newest=NOW + 2), **options) == []


def test_an_unknown_account_is_left_to_spark(sandbox: Sandbox) -> None:
    logs = [sandbox.add_log(created_at=NOW + number) for number in range(3)]
    found = ids_of(sandbox, Pushed(filters={"created_by_account": "former@example.com"}))
    assert sorted(found) == sorted(log.id for log in logs)
    with pytest.raises(BadRequestError, match="not found"):
        ids_of(sandbox, Pushed(), created_by_account="former@example.com")


class FixedClock(httpx.HTTPTransport):
    """The server's clock stands still."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        response.headers["date"] = "Sun, 29 Nov 2026 04:26:40 GMT"
        return response


def test_a_stream_reads_up_to_an_age_by_the_clock(sandbox: Sandbox) -> None:
    now = second_of("Sun, 29 Nov 2026 04:26:40 GMT")
    with (
        httpx.Client(transport=FixedClock()) as http,
        DifyWorkflow(api_key=sandbox.api_key, base_url=sandbox.base_url, http_client=http) as client,
    ):
        options = options_from({})
        assert settled_second(client, 120, after=-1) is None
        for age in (500, 130, 120, 119, 0):
            sandbox.add_log(created_at=now - age)
        assert settled_second(client, 120, after=-1) == now - 120
        assert settled_second(client, 120, after=now) is None
        assert end_of_batch(client, options, now - 500, now - 120, None) == now - 120
        assert end_of_batch(client, options, now - 120, now - 119, None) == now - 119
        assert end_of_batch(client, options, now - 119, now - 1, None) == now - 119  # an empty batch is none


@pytest.mark.parametrize("date", [None, "yesterday"])
def test_a_server_without_a_clock_is_an_error(date: str | None) -> None:
    with pytest.raises(ConfigurationError, match="Date"):
        second_of(date)


@pytest.mark.parametrize("shift", [0, -7200])
def test_batches_have_about_as_many_logs_as_wanted(shift: int, sandbox: Sandbox) -> None:
    seconds = [NOW + 10 * number for number in range(80)] + [NOW + 300] * 20
    for second in seconds:
        sandbox.add_log(created_at=second)
    sandbox.traps.displayed_time_shift = shift
    options = options_from({"baseUrl": sandbox.base_url, "partitions": "2"})
    start, sizes, ids = NOW - 100, [], []
    with sandbox.client() as client:
        while (end := end_of_batch(client, options, start, NOW + 5000, 20)) > start:
            found = [
                key
                for part in parts_between(options, {"": (start, end)})
                for batch in batches_of(options, part, [Column("id", False)])
                for key in batch["id"].to_pylist()
            ]
            sizes.append(len(found))
            ids += found
            start = end
    assert len(ids) == len(set(ids)) == 100
    assert max(sizes) <= 20 + 20  # a second is not split
    assert 100 / 40 <= len(sizes) <= 3 * 100 / 20


def test_the_package_imports_no_engine_by_itself() -> None:
    program = (
        "import sys\n"
        "class Finder:\n"
        "    found = set()\n"
        "    def find_spec(self, name, *_): self.found.add(name.partition('.')[0])\n"
        "sys.meta_path.insert(0, Finder())\n"
        "import dify_workflow, dify_workflow.spark, dify_workflow.records, dify_workflow.export, dify_workflow.stats\n"
        "dify_workflow.DifyWorkflow(api_key='app-x').close()\n"
        "print(*sorted(Finder.found & {*sys.argv[1:]}))\n"
    )
    engines = ["dask", "dlt", "duckdb", "httpx2", "opentelemetry", "pandas", "polars", "pyarrow", "pyspark", "requests"]
    command = [sys.executable, "-c", program, *engines, "httpx"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DIFY_", "OTEL_"))}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, env=environment)
    assert done.stdout == "httpx\n"  # what is imported would be found


def test_only_what_needs_pyspark_or_dlt_imports_it() -> None:
    program = (
        "import sys; sys.modules['pyspark'] = sys.modules['dlt'] = None; import dify_workflow, dify_workflow.spark\n"
        "assert not [name for name in sys.modules if name.startswith(('dify_workflow.dlt', 'pyarrow', 'httpx'))]\n"
        "from dify_workflow.dlt import source\n"
        "for call in (lambda: dify_workflow.spark.register, source):\n"
        "    try: call()\n"
        "    except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.splitlines() == [
        "this needs pyspark: pip install 'dify-workflow-sdk[spark]'",
        "this needs dlt: pip install 'dify-workflow-sdk[dlt]'",
    ]


def test_public_modules_are_loaded_with_a_client() -> None:
    program = "import sys; from dify_workflow import DifyWorkflow; print(sys.modules.keys() >= {*sys.argv[1:]})"
    modules = ["dify_workflow.models", "dify_workflow.types"]  # cloudpickle takes classes of others by value
    done = subprocess.run([sys.executable, "-c", program, *modules], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "True\n"

"""Exports to a collector: each ended run is one span, whatever the collector sends back and how often it is sent."""

from __future__ import annotations

import json
import pickle
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from support.collector import Collector, ScriptedResponse
from support.command_line import run, variables
from support.log_histories import NOW

from dify_workflow import DifyWorkflow
from dify_workflow._tracing import names
from dify_workflow.export import CollectorError, export
from dify_workflow.models import WorkflowLog
from dify_workflow.otel import spans
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = 620
BUSY = ScriptedResponse(503, (("Retry-After", "0"),))
PARTIAL = ExportTraceServiceResponse(
    partial_success=ExportTracePartialSuccess(rejected_spans=3, error_message="too old")
).SerializeToString()


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=ROWS, crowd=120, days=1) as sandbox:
        yield sandbox


@pytest.fixture
def few() -> Iterator[Sandbox]:
    with Sandbox(rows=0) as sandbox:
        for number in range(4):
            sandbox.add_log(created_at=NOW + number, elapsed_time=1.5, status="failed" if number == 3 else "succeeded")
        yield sandbox


def runs_of(sandbox: Sandbox) -> set[str]:
    """The traces of the runs that have ended."""
    with sandbox.client() as client:
        runs = [log.workflow_run for log in client.logs.iter()]
    return {uuid.UUID(run.id).hex for run in runs if run is not None and run.finished_at is not None}


def attributes_of(span: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def test_each_ended_run_is_one_span_however_often_sent(sandbox: Sandbox) -> None:
    with Collector() as collector, sandbox.client() as client:
        first = export(client, collector.target)
        export(client, collector.target, created_at__after="1h", workers=2)
        assert set(collector.spans) == runs_of(sandbox)
        assert first.format == "otlp"
        assert first.rows >= ROWS
        assert max(collector.sizes) <= 512
        assert collector.services == {"dify"}
        assert set(collector.paths) == {"/v1/traces"}


def test_a_span_says_what_the_log_says(few: Sandbox) -> None:
    with Collector() as collector, few.client() as client:
        export(client, collector.target)
        logs = list(client.logs.iter())
        app = client.app.info().name
    for log in logs:
        run = log.workflow_run
        assert run is not None
        span = collector.spans[uuid.UUID(run.id).hex]
        found = attributes_of(span)
        assert span.name == f"invoke_workflow {app}"
        assert span.start_time_unix_nano == run.created_at * 10**9
        assert span.end_time_unix_nano - span.start_time_unix_nano == round(run.elapsed_time * 1e9)
        assert found[names.RUN_ID] == run.id
        assert found[names.LOG_ID] == log.id
        assert found[names.STATUS] == run.status
        assert found[names.TOTAL_TOKENS] == run.total_tokens
        assert (span.status.code == 2) == (run.status == "failed") == (found.get(names.ERROR_TYPE) == "failed")
        assert not {names.INPUTS, names.OUTPUTS} & found.keys()
        assert few.api_key not in str(span)


def test_details_are_sent_only_where_content_is_asked_for(few: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with Collector() as collector, few.client() as client:
        export(client, collector.target, details=2)
        assert not any(names.INPUTS in attributes_of(span) for span in collector.spans.values())
        monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
        export(client, collector.target, details=2)
        assert all(names.INPUTS in attributes_of(span) for span in collector.spans.values())


@pytest.mark.parametrize("shift_all", [False, True])
def test_spans_begin_at_true_times_on_a_shifted_server(few: Sandbox, shift_all: bool) -> None:
    for number in range(4, 120):
        few.add_log(created_at=NOW + number)
    few.traps.displayed_time_shift, few.traps.shift_all_times = -5 * 3600, shift_all
    with Collector() as collector, few.client() as client:
        export(client, collector.target)
    begun = sorted(span.start_time_unix_nano // 10**9 for span in collector.spans.values())
    assert begun == [NOW + number for number in range(120)]


@pytest.mark.parametrize(
    "responses",
    [(BUSY, BUSY), (ScriptedResponse(429, (("Retry-After", "0"),)),), (ScriptedResponse(413),)],
    ids=["out of order", "too many requests", "too large"],
)
def test_spans_arrive_all_the_same(few: Sandbox, responses: tuple[ScriptedResponse, ...]) -> None:
    with Collector(*responses) as collector, few.client() as client:
        export(client, collector.target)
        assert set(collector.spans) == runs_of(few)
        assert len(collector.sizes) > len(responses)


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (ScriptedResponse(401), "401 Unauthorized: check OTEL_EXPORTER_OTLP_HEADERS"),
        (ScriptedResponse(404), "check the address, which ends in /v1/traces"),
        (ScriptedResponse(400), "400 Bad Request"),
        (ScriptedResponse(503, (("Retry-After", "3600"),)), "503 Service Unavailable"),
    ],
)
def test_a_refusal_is_an_error_that_says_what_to_do(few: Sandbox, response: ScriptedResponse, said: str) -> None:
    with Collector(response) as collector, few.client() as client:
        with pytest.raises(CollectorError) as caught:
            export(client, collector.target)
        assert said in str(caught.value)
        assert caught.value.rejected == 0


@pytest.mark.parametrize(
    "body",
    [
        ScriptedResponse(200, (("Content-Type", "application/x-protobuf"),), PARTIAL),
        ScriptedResponse(
            200,
            (("Content-Type", "application/json"),),
            json.dumps({"partialSuccess": {"rejectedSpans": "3", "errorMessage": "too old"}}).encode(),
        ),
    ],
    ids=["protobuf", "json"],
)
def test_rejected_spans_are_counted_and_the_rest_is_sent(few: Sandbox, tmp_path: Path, body: ScriptedResponse) -> None:
    state = tmp_path / "state.json"
    with Collector(ScriptedResponse(413), body) as collector, few.client() as client:
        with pytest.raises(CollectorError, match="rejected 3 of 4 spans: too old") as caught:
            export(client, collector.target, state=state)
        assert collector.sizes == [4, 2, 2]
        assert set(collector.spans) == runs_of(few)
        assert pickle.loads(pickle.dumps(caught.value)).rejected == 3  # noqa: S301 - it was made here
        assert export(client, collector.target, state=state, update=True).was_update


def test_an_interrupted_export_goes_on_where_it_stands(sandbox: Sandbox, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with Collector(ScriptedResponse(), ScriptedResponse(400)) as collector, sandbox.client() as client:
        with pytest.raises(CollectorError, match="400"):
            export(client, collector.target, state=state)
        result = export(client, collector.target, state=state)
        assert result.was_resumed
        assert set(collector.spans) == runs_of(sandbox)
        assert sum(collector.taken.values()) <= len(collector.spans) + 100
        with pytest.raises(ValueError, match="target"):
            export(client, "otlp://127.0.0.1:1", state=state)


def test_an_update_sends_what_is_new_or_has_ended(few: Sandbox, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    running = few.add_log(created_at=NOW + 5, status="running")
    with Collector() as collector, few.client() as client:
        first = export(client, collector.target, state=state, update=True)
        assert (first.unfinished, first.complete_until, len(collector.spans)) == (1, None, 4)
        few.update_run(running.run.id, status="succeeded", finished_at=NOW + 9)
        few.add_log(created_at=NOW + 7)
        second = export(client, collector.target, state=state, update=True)
        assert second.was_update
        assert second.unfinished == 0
        assert set(collector.spans) == runs_of(few)
        assert len(collector.spans) == 6


def test_headers_and_endpoint_come_from_the_variables(few: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=the%20secret")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.target.replace("otlp", "http"))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
        done = run("logs", "export", "otlp:", **variables(few))
        assert done.code == 0, done.err
        assert collector.headers[0]["x-key"] == "the secret"
        assert collector.services == {"mine"}
        assert set(collector.spans) == runs_of(few)


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("otlp://user:pass@host", {}, "without a user name"),
        ("otlp://host:x", {}, "must be an address"),
        ("otlp:///v1/traces", {}, "must be an address"),
        ("http://host", {}, "or format be given"),
        ("otlp://host", {"update": True}, "needs state="),
        ("otlp://host", {"format": "csv"}, "is none of the target"),
        ("logs.csv", {"state": "x"}, "state is for exports to a collector"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_a_request(target: str, options: dict[str, Any], said: str) -> None:
    with DifyWorkflow(api_key="app-1", base_url="http://127.0.0.1:1") as client, pytest.raises(ValueError, match=said):
        export(client, target, **options)


def test_logs_of_any_kind_give_spans_or_none() -> None:
    odd = {"id": "no uuid", "status": "failed", "error": "\ud800", "total_tokens": 1 << 70, "elapsed_time": 1e300}
    strange: list[Any] = [
        {"id": "a", "workflow_run": {**odd, "created_at": NOW}},
        {"id": "b", "workflow_run": {**odd, "status": ["failed"], "finished_at": 1}, "created_at": NOW},
        {"id": "c", "workflow_run": {**odd, "created_at": "x"}, "created_at": 10**30},
        {"id": "d", "workflow_run": None},
        {"id": "e", "workflow_run": [1]},
    ]
    made = list(spans([*map(WorkflowLog.from_dict, strange), "no log", None]))
    assert [span.attributes["dify.log.id"] for span in made if span.attributes] == ["a", "b"]
    assert len({span.context.trace_id for span in made if span.context}) == 1

"""The spans of runs and walks, from the fields of events and results, with a tracer of the tests' own."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from dify_workflow._http.config import Configuration
from dify_workflow._http.lifetimes import EndedError
from dify_workflow._http.secrets import Secret
from dify_workflow._logs.walk import PageRequest
from dify_workflow._tracing import names
from dify_workflow._tracing.spans import CONTENT_VARIABLE, WalkSpan, _RunSpan

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

KEY = "app-the-secret-key"
ADDRESS = "https://dify.example:8443/v1"
STARTED = {"task_id": "t-1", "workflow_run_id": "r-1", "data": {"id": "r-1", "workflow_id": "w-1"}}
OUTCOME = {"id": "r-1", "workflow_id": "w-1", "status": "succeeded", "total_tokens": 7, "total_steps": 3}
FINISHED = {**STARTED, "data": OUTCOME}
IDS = {names.RUN_ID: "r-1", names.TASK_ID: "t-1", names.WORKFLOW_ID: "w-1"}
FIGURES = {names.STATUS: "succeeded", names.TOTAL_TOKENS: 7, names.TOTAL_STEPS: 3}
SERVER = {names.SERVER_ADDRESS: "dify.example", names.SERVER_PORT: 8443}
CALL = {names.OPERATION: "invoke_workflow", names.PROVIDER: "dify"}
NODE = {"id": "n-1", "node_id": "17", "node_type": "llm", "title": "Write"}
NODE_FIELDS = {names.NODE_ID: "17", names.NODE_TYPE: "llm", names.NODE_TITLE: "Write"}
USAGE = {"total_tokens": 5, "total_price": "0.01", "currency": "USD"}


def configured(base_url: str) -> Configuration:
    options: dict[str, Any] = {"timeout": None, "max_retries": 0, "backoff": 0, "default_headers": None}
    return Configuration(api_key=Secret(KEY), base_url=base_url, **options)


class Spans:
    """Makes spans, and has those that have ended."""

    def __init__(self) -> None:
        self._ended = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._ended))
        self.tracer = provider.get_tracer("tests")

    def run(self, body: dict[str, Any] | None = None, workflow_id: str | None = None, **options: Any) -> _RunSpan:
        configuration = configured(options.pop("base_url", ADDRESS))
        return _RunSpan(self.tracer, configuration, body or {}, workflow_id, **{"nodes": False, **options})

    def walk(self) -> WalkSpan:
        return WalkSpan(self.tracer, configured(ADDRESS))

    @property
    def ended(self) -> list[ReadableSpan]:
        return list(self._ended.get_finished_spans())

    def only(self) -> ReadableSpan:
        [span] = self.ended
        return span


@pytest.fixture
def spans() -> Spans:
    return Spans()


@pytest.fixture
def with_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONTENT_VARIABLE, " Span_Only ")


def status(span: ReadableSpan) -> tuple[StatusCode, str | None]:
    return span.status.status_code, span.status.description


def test_a_run_by_events_has_ids_figures_and_name(spans):
    run = spans.run({"trace_session_id": "s-1", "inputs": {"a": 1}})
    run.event("workflow_started", STARTED)
    assert spans.ended == []
    run.event("workflow_finished", FINISHED)
    span = spans.only()
    assert dict(span.attributes) == {**SERVER, **CALL, **IDS, **FIGURES, names.SESSION: "s-1"}
    assert (span.name, span.kind, span.parent) == ("invoke_workflow w-1", SpanKind.CLIENT, None)
    assert status(span) == (StatusCode.UNSET, None)


def test_events_after_the_end_change_nothing(spans):
    run = spans.run(nodes=True)
    run.event("workflow_finished", FINISHED)
    run.event("node_finished", {"data": NODE})
    run.event("workflow_finished", {**FINISHED, "data": {**OUTCOME, "status": "failed"}})
    run.end()
    run.failed(ValueError())
    run.leave()
    run.reader(lambda _: SimpleNamespace(to_dict=lambda: {"data": {"status": "failed"}}))(b"")
    assert status(spans.only()) == (StatusCode.UNSET, None)
    assert spans.only().attributes[names.STATUS] == "succeeded"


def test_the_version_that_was_given_is_not_replaced(spans):
    run = spans.run(workflow_id="w-0")
    run.event("workflow_started", STARTED)
    run.end()
    assert spans.only().name == "invoke_workflow w-0"
    assert spans.only().attributes[names.WORKFLOW_ID] == "w-0"


@pytest.mark.parametrize(
    ("address", "port"), [("https://a.example/v1", 443), ("http://a.example/v1", 80), ("http://a.example:5001", 5001)]
)
def test_the_port_is_that_of_the_address(spans, address, port):
    spans.run(base_url=address).end()
    attributes = spans.only().attributes
    assert (attributes[names.SERVER_ADDRESS], attributes[names.SERVER_PORT]) == ("a.example", port)


def test_a_paused_run_says_so(spans):
    run = spans.run()
    run.event("workflow_paused", {})
    run.end()
    assert dict(spans.only().attributes) == {**SERVER, **CALL, names.STATUS: "paused"}


def test_a_failed_run_is_an_error_without_its_text(spans):
    run = spans.run()
    run.event("workflow_finished", {"data": {**OUTCOME, "status": "failed", "error": "it quotes an input"}})
    assert status(spans.only()) == (StatusCode.ERROR, None)
    assert spans.only().attributes[names.ERROR_TYPE] == "failed"


def test_a_result_is_noted_by_its_reader(spans):
    run = spans.run()
    result = SimpleNamespace(to_dict=lambda: FINISHED)
    assert run.reader(lambda content: (content, result)[1])(b"{}") is result
    run.end()
    assert dict(spans.only().attributes) == {**SERVER, **CALL, **IDS, **FIGURES}


def test_a_result_that_is_no_model_is_passed_on(spans):
    run = spans.run()
    assert run.reader(lambda content: content)(b"raw") == b"raw"
    run.end()
    assert dict(spans.only().attributes) == {**SERVER, **CALL}


@pytest.mark.usefixtures("with_content")
def test_content_is_there_when_asked_for_and_has_no_key(spans):
    run = spans.run({"inputs": {"é": KEY}}, nodes=True)
    run.event("node_finished", {"data": {**NODE, "inputs": {"i": KEY}, "outputs": ["é"]}})
    run.event("workflow_finished", {"data": {"status": "failed", "outputs": {"o": 1}, "error": f"no {KEY}"}})
    node, span = spans.ended
    assert KEY not in json.dumps([dict(node.attributes), dict(span.attributes), span.status.description])
    assert span.attributes[names.INPUTS].startswith('{"é": "')
    assert span.attributes[names.OUTPUTS] == '{"o": 1}'
    assert span.status.description.startswith("no ")
    assert node.attributes[names.INPUTS].startswith('{"i": "')
    assert node.attributes[names.OUTPUTS] == '["é"]'


def test_no_content_is_there_otherwise(spans):
    run = spans.run({"inputs": {"a": "x"}}, nodes=True)
    run.event("node_finished", {"data": {**NODE, "inputs": {}, "outputs": {}}})
    run.event("workflow_finished", {"data": {**OUTCOME, "outputs": {"o": 1}}})
    assert not {names.INPUTS, names.OUTPUTS} & {name for span in spans.ended for name in span.attributes}


def test_a_node_is_a_child_from_its_start_to_its_end(spans):
    run = spans.run(nodes=True)
    run.event("node_started", {"data": NODE})
    run.event("node_started", {"data": {**NODE, "id": "n-2", "node_id": "18"}})
    assert spans.ended == []
    run.event("node_finished", {"data": {**NODE, "status": "succeeded", "execution_metadata": USAGE}})
    node = spans.only()
    usage = {names.TOTAL_TOKENS: 5, names.TOTAL_PRICE: "0.01", names.CURRENCY: "USD"}
    assert dict(node.attributes) == {**NODE_FIELDS, names.STATUS: "succeeded", **usage}
    assert node.name == "dify.node llm"
    assert status(node) == (StatusCode.UNSET, None)
    run.end()
    _, open_node, span = spans.ended
    assert open_node.attributes[names.NODE_ID] == "18"
    assert {node.parent.span_id, open_node.parent.span_id} == {span.context.span_id}


def test_nodes_without_an_id_of_their_own_are_separate(spans):
    run = spans.run(nodes=True)
    for event, number in (("started", "17"), ("started", "18"), ("finished", "18"), ("finished", "17")):
        run.event(f"node_{event}", {"data": {"node_id": number, "status": f"of {number}"}})
    assert [node.attributes[names.NODE_ID] for node in spans.ended] == ["18", "17"]
    assert [node.attributes[names.STATUS] for node in spans.ended] == ["of 18", "of 17"]


def test_a_node_without_a_start_lasts_its_elapsed_time(spans):
    run = spans.run(nodes=True)
    run.event("node_finished", {"data": {"node_id": "17", "elapsed_time": 90.5, "status": "failed"}})
    node = spans.only()
    assert 90.5e9 <= node.end_time - node.start_time < 150e9
    assert (node.attributes[names.ERROR_TYPE], status(node)) == ("failed", (StatusCode.ERROR, None))


@pytest.mark.parametrize("elapsed", [None, "long"])
def test_a_node_without_a_usable_time_starts_now(spans, elapsed):
    run = spans.run(nodes=True)
    run.event("node_started", {"data": {**NODE, "elapsed_time": 90}})
    run.event("node_finished", {"data": NODE})
    run.event("node_finished", {"data": {"node_id": "18", "elapsed_time": elapsed}})
    assert all(0 <= node.end_time - node.start_time < 60e9 for node in spans.ended)
    assert len(spans.ended) == 2


@pytest.mark.parametrize("event", [{}, {"data": None}, {"data": {"total_tokens": [], "status": {}, "workflow_id": 3}}])
def test_what_is_missing_or_no_value_is_not_set(spans, event):
    run = spans.run()
    run.event("workflow_started", event)
    run.event("another event", FINISHED)
    run.event("node_started", {"data": NODE})
    run.event("workflow_finished", event)
    assert dict(spans.only().attributes) == {**SERVER, **CALL}
    assert spans.only().name == "invoke_workflow"


def test_a_run_within_its_span_is_current_and_ends_with_it(spans):
    with spans.run().whole():
        assert trace.get_current_span().attributes[names.OPERATION] == "invoke_workflow"
        assert spans.ended == []
    assert not trace.get_current_span().is_recording()
    assert status(spans.only()) == (StatusCode.UNSET, None)


@pytest.mark.parametrize(
    ("error", "kind"), [(KeyError("x"), "KeyError"), (GeneratorExit(), None), (EndedError(), None)]
)
def test_an_exception_is_an_error_unless_the_run_was_left(spans, error, kind):
    with pytest.raises(type(error)), spans.run().active():
        raise error
    assert spans.only().attributes.get(names.ERROR_TYPE) == kind
    assert status(spans.only()) == ((StatusCode.ERROR if kind else StatusCode.UNSET), None)
    assert not trace.get_current_span().is_recording()


def test_a_run_that_is_awaited_ends_only_when_it_is_settled(spans):
    run = spans.run()
    run.is_awaited = True
    run.end()
    run.leave()
    run.failed(ValueError())
    assert spans.ended == []
    run.settle(SimpleNamespace(to_dict=lambda: FINISHED), None)
    assert dict(spans.only().attributes) == {**SERVER, **CALL, **IDS, **FIGURES}


def test_a_run_that_is_settled_with_an_error_has_its_name(spans):
    run = spans.run()
    run.is_awaited = True
    run.settle(None, TimeoutError())
    assert spans.only().attributes[names.ERROR_TYPE] == "TimeoutError"


def test_a_run_that_is_settled_with_nothing_ends(spans):
    run = spans.run()
    run.is_awaited = True
    run.settle(None, None)
    assert status(spans.only()) == (StatusCode.UNSET, None)


def test_a_walk_counts_its_logs_pages_details_and_sweeps(spans):
    walk = spans.walk()
    for request in (PageRequest(None, None), PageRequest(9, 9), PageRequest(9, 8), PageRequest(None, 9), "r-1"):
        walk.count(request)
    walk.end()
    assert spans.ended == []  # it has made no request
    with walk.current():
        pass
    walk.rows = 4
    walk.end()
    walk.end()
    span = spans.only()
    figures = {names.ROWS: 4, names.REQUESTS: 5, names.SWEEP_REQUESTS: 1}
    assert dict(span.attributes) == {**SERVER, **figures}
    assert (span.name, span.kind) == ("dify.logs.iter", SpanKind.INTERNAL)

"""Spans of OpenTelemetry: each request is seen, each call is one trace, and nothing secret is in them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import tracing
from check_scenarios import calls

from dify_workflow import DifyWorkflow
from dify_workflow._tracing import names
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).parent.parent / "support" / "tracing_program.py"
MODES = ("sync", "async")
ROWS = 450
NOT_LOADED = """
import os, sys
from dify_workflow import DifyWorkflow
with DifyWorkflow() as client:
    client.runs.run({"query": "hi"}, user="u")
    next(client.logs.iter(workers=2))
print("opentelemetry.trace" in sys.modules)
"""

Steps = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module", params=["own process", "this process"])
def played(request: pytest.FixtureRequest) -> Iterator[tuple[Steps, str, int]]:
    """The spans of each step of the program, the key that it used, and how many requests the server got."""
    with Sandbox(rows=ROWS, crowd=150, days=1) as sandbox:
        arguments = sandbox.base_url, sandbox.api_key
        if request.param == "this process":
            steps = played_here(*arguments)
        else:
            command = [sys.executable, str(PROGRAM), *arguments]
            done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=without_settings())
            steps = json.loads(done.stdout)
        yield steps, sandbox.api_key, len(sandbox.requests)


def played_here(base_url: str, key: str) -> Steps:
    """The steps in this process, whose provider can be set only once: so it is given in place of what would be set."""
    from opentelemetry import trace  # noqa: PLC0415 - where it is loaded, the SDK looks for what takes spans
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor  # noqa: PLC0415 - as above
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above
    from support import tracing_program  # noqa: PLC0415 - as above

    provider = TracerProvider()
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - without_settings().keys():
            patch.delenv(name)
        patch.setattr(trace, "get_tracer_provider", lambda: provider)
        try:
            found = asyncio.run(tracing_program.spans_of(base_url, key, provider))
        finally:
            HTTPXClientInstrumentor().uninstrument()
    return json.loads(json.dumps(found))


def without_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "DIFY_"))}


def http_spans(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [span for span in spans if "http.method" in span["attributes"]]


def own(spans: list[dict[str, Any]]) -> dict[str, Any]:
    [span] = [span for span in spans if span["schema"] == names.SCHEMA_URL and not span["name"].startswith(names.NODE)]
    return span


def test_an_instrumentation_of_httpx_sees_each_request(played: tuple[Steps, str, int]) -> None:
    steps, _, requests = played
    assert steps["before"] == []
    assert sum(len(http_spans(spans)) for spans in steps.values()) == requests - 1
    for name in ("instrumented late", "sync own client", "async own client", "sync list", "async list"):
        assert len(http_spans(steps[name])) == 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("step", ["run", "stream", "stream with nodes", "start", "walk", "details"])
def test_a_call_is_one_trace_with_all_of_its_workers(played: tuple[Steps, str, int], mode: str, step: str) -> None:
    spans = played[0][f"{mode} {step}"]
    root = own(spans)
    assert root["parent"] is None
    assert {span["trace"] for span in spans} == {root["trace"]}
    assert all(span["parent"] == root["name"] for span in spans if span is not root)
    assert http_spans(spans)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("step", ["run", "stream", "start"])
def test_a_run_has_a_span_with_its_ids_and_figures(played: tuple[Steps, str, int], mode: str, step: str) -> None:
    span = own(played[0][f"{mode} {step}"])
    found = span["attributes"]
    assert (span["kind"], span["status"]) == ("CLIENT", "UNSET")
    assert span["name"] == f"invoke_workflow {found[names.WORKFLOW_ID]}"
    assert found[names.OPERATION] == "invoke_workflow"
    assert found[names.PROVIDER] == "dify"
    assert found[names.STATUS] == "succeeded"
    assert found[names.TOTAL_STEPS] == 3
    assert found[names.SERVER_ADDRESS] == "127.0.0.1"
    assert found[names.SERVER_PORT] > 0
    assert {names.RUN_ID, names.TASK_ID, names.TOTAL_TOKENS} <= found.keys()
    assert found.get(names.SESSION) == ("session-7" if step == "run" else None)


@pytest.mark.parametrize("mode", MODES)
def test_a_run_that_fails_is_an_error(played: tuple[Steps, str, int], mode: str) -> None:
    failed, refused = (own(played[0][f"{mode} {step}"]) for step in ("failed run", "refused run"))
    assert (failed["status"], failed["attributes"][names.ERROR_TYPE]) == ("ERROR", "failed")
    assert (refused["status"], refused["attributes"][names.ERROR_TYPE]) == ("ERROR", "NotFoundError")


@pytest.mark.parametrize("mode", MODES)
def test_nodes_have_spans_only_where_that_is_asked_for(played: tuple[Steps, str, int], mode: str) -> None:
    nodes = [span for span in played[0][f"{mode} stream with nodes"] if span["name"].startswith("dify.node ")]
    assert [span["attributes"][names.NODE_TYPE] for span in nodes] == ["start", "code", "end"]
    assert {span["attributes"][names.STATUS] for span in nodes} == {"succeeded"}
    assert not any(span["name"].startswith("dify.node ") for span in played[0][f"{mode} stream"])


@pytest.mark.parametrize("mode", MODES)
def test_a_walk_counts_its_rows_and_requests(played: tuple[Steps, str, int], mode: str) -> None:
    steps = played[0]
    walk, details = (own(steps[f"{mode} {step}"]) for step in ("walk", "details"))
    assert walk["name"] == details["name"] == "dify.logs.iter"
    assert walk["attributes"][names.ROWS] >= ROWS
    assert walk["attributes"][names.REQUESTS] == len(http_spans(steps[f"{mode} walk"]))
    assert walk["attributes"][names.SWEEP_REQUESTS] > 0
    assert details["attributes"][names.REQUESTS] > details["attributes"][names.ROWS] > 0
    assert own(steps["sync forgotten walk"])["attributes"][names.ROWS] == 1


def test_no_content_and_no_key_is_in_a_span(played: tuple[Steps, str, int]) -> None:
    steps, key, _ = played
    with_content = json.dumps([steps.pop(f"{mode} run with content") for mode in MODES])
    rest = json.dumps(steps)
    assert key not in rest + with_content
    assert "the secret" not in rest
    assert with_content.count("the secret input") >= 2 * 2  # inputs and outputs, in both clients


@pytest.mark.parametrize("mode", MODES)
def test_spans_can_be_turned_off(played: tuple[Steps, str, int], mode: str) -> None:
    assert [span["name"] for span in played[0][f"{mode} run without spans"]] == ["POST"]


@pytest.mark.parametrize(("setting", "loaded"), [("", "False"), ("1", "True")])
def test_opentelemetry_is_loaded_only_when_asked_for(setting: str, loaded: str) -> None:
    with Sandbox(rows=3) as sandbox:
        environment = {
            **without_settings(),
            "DIFY_API_KEY": sandbox.api_key,
            "DIFY_BASE_URL": sandbox.base_url,
            **({"DIFY_OTEL": setting} if setting else {}),
        }
        command = [sys.executable, "-c", NOT_LOADED]
        done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=environment)
    assert done.stdout.strip() == loaded


@pytest.mark.parametrize("kind", ["a page", "a walk"])
def test_spans_that_nothing_takes_cost_little(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    transport = httpx.MockTransport(tracing.respond)
    with httpx.Client(transport=transport) as http, DifyWorkflow(api_key="app-any", http_client=http) as client:
        work = {"a page": lambda: client.logs.list(limit=100), "a walk": lambda: list(client.logs.iter())}[kind]
        for setting in ("0", "1", "0", "1"):  # the first time of each, modules are imported
            monkeypatch.setenv("DIFY_OTEL", setting)
            counted.append(sum(calls(work).values()))
    assert 1000 < counted[2] <= counted[3] <= 1.03 * counted[2]

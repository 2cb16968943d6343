"""What a user's program does that is traced: each step's spans, and how many requests the server got, as JSON.

Usage: tracing_program.py BASE_URL KEY

OpenTelemetry's provider is one for the whole process, so this is a process of its own. `spans_of` is what it does, for
a test that gives a provider in another way.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import httpx
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dify_workflow import AsyncDifyWorkflow, DifyWorkflow, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

SPANS = InMemorySpanExporter()
USER = "user-of-the-trace"
INPUTS = {"query": "the secret input", "chunks": 3}
MISSING = "00000000-0000-4000-8000-000000000000"


class Steps:
    """Steps of a program and the spans that each made, under its name."""

    def __init__(self) -> None:
        self.seen: dict[str, list[dict[str, Any]]] = {}

    def take(self, name: str) -> None:
        """The spans since the last step."""
        spans = SPANS.get_finished_spans()
        by_id = {span.context.span_id: span.name for span in spans}
        self.seen[name] = [
            {
                "name": span.name,
                "kind": span.kind.name,
                "status": span.status.status_code.name,
                "description": span.status.description,
                "trace": f"{span.context.trace_id:032x}",
                "parent": by_id.get(span.parent.span_id) if span.parent else None,
                "schema": span.instrumentation_scope.schema_url,
                "attributes": dict(span.attributes or {}),
            }
            for span in spans
        ]
        SPANS.clear()


async def play(client: Any, steps: Steps, kind: str, wait: Callable[[Any], Coroutine[Any, Any, Any]]) -> None:
    """Each operation that has spans; `wait` awaits what the async client gives."""

    async def use(name: str, call: Callable[[], Any]) -> None:
        try:
            await wait(call())
        finally:
            steps.take(f"{kind} {name}")

    await use("list", client.logs.list)
    await use("run", lambda: client.runs.run(INPUTS, user=USER, trace_session_id="session-7"))
    await use("failed run", lambda: client.runs.run({**INPUTS, "fail": "the secret output"}, user=USER))
    with contextlib.suppress(NotFoundError):
        await use("refused run", lambda: client.runs.run(INPUTS, user=USER, workflow_id=MISSING))
    await use("stream", lambda: client.runs.stream(INPUTS, user=USER))
    os.environ["DIFY_OTEL"] = "nodes"
    await use("stream with nodes", lambda: client.runs.stream(INPUTS, user=USER))
    del os.environ["DIFY_OTEL"]
    await use("walk", lambda: client.logs.iter(workers=4))
    await use("details", lambda: client.logs.iter(details=4, status="failed"))
    run = await wait(client.runs.start(INPUTS, user=USER))
    await use("start", run.wait)
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true"
    await use("run with content", lambda: client.runs.run(INPUTS, user=USER))
    del os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"]
    os.environ["DIFY_OTEL"] = "0"
    await use("run without spans", lambda: client.runs.run(INPUTS, user=USER))
    del os.environ["DIFY_OTEL"]
    left = client.logs.iter()
    if kind == "sync":
        next(left)
        del left
        steps.take("sync forgotten walk")


async def sync_wait(value: Any) -> Any:
    if hasattr(value, "__next__"):
        with value:
            return list(value)
    return value


async def async_wait(value: Any) -> Any:
    if hasattr(value, "__anext__"):
        async with value:
            return [item async for item in value]
    return await value


async def spans_of(base_url: str, key: str, provider: TracerProvider) -> dict[str, list[dict[str, Any]]]:
    """Each step's spans; the provider is the one that the SDK uses."""
    options: dict[str, Any] = {"api_key": key, "base_url": base_url}
    provider.add_span_processor(SimpleSpanProcessor(SPANS))
    steps = Steps()
    with DifyWorkflow(**options) as before:
        before.logs.list()  # the client has been used when httpx is instrumented
        steps.take("before")
        HTTPXClientInstrumentor().instrument(tracer_provider=provider)
        before.logs.list()
        steps.take("instrumented late")
    with DifyWorkflow(**options) as client:
        await play(client, steps, "sync", sync_wait)
    async with AsyncDifyWorkflow(**options) as asynchronous:
        await play(asynchronous, steps, "async", async_wait)
    with httpx.Client() as http, DifyWorkflow(**options, http_client=http) as client:
        client.logs.list()
        steps.take("sync own client")
    async with httpx.AsyncClient() as http, AsyncDifyWorkflow(**options, http_client=http) as asynchronous:
        await asynchronous.logs.list()
        steps.take("async own client")
    return steps.seen


def main() -> None:
    base_url, key = sys.argv[1:]
    provider = TracerProvider()
    trace.set_tracer_provider(provider)
    print(json.dumps(asyncio.run(spans_of(base_url, key, provider))))


if __name__ == "__main__":
    main()

"""Streams that are read to their end: `wait`, how the run ended, and what each node did."""

from __future__ import annotations

import typing
from typing import Any

import pytest
from support.clients import EACH_DRIVER, Driver
from support.fault_server import KEY, FaultServer, event_stream, sse

from dify_workflow import APIConnectionError, WorkflowRunError
from dify_workflow.testing import Sandbox
from dify_workflow.types import NodeExecution, WorkflowRunResult

STARTED = {"event": "workflow_started", "task_id": "t", "workflow_run_id": "r", "data": {"id": "r"}}


def stream(client: Any, **inputs: Any) -> Any:
    return client.runs.stream({"query": "hi", **inputs}, user="u-1")


@EACH_DRIVER
def test_wait_reads_the_rest_and_returns_the_result(driver: Driver):
    async def story(client: Any) -> None:
        async with stream(client) as events:
            assert (events.status, events.outputs, events.error) == (None, None, None)
            assert (await anext(events)).event == "workflow_started"
            with pytest.raises(RuntimeError, match=r"wait\(\) reads the stream to its end"):
                events.raise_for_status()
            result = await events.wait()
            assert await events.wait() == result
        assert type(result) is WorkflowRunResult
        assert result.workflow_run_id == events.workflow_run_id
        assert await events.wait() == result
        assert (events.status, events.error) == (result.status, None) == ("succeeded", None)
        assert events.outputs == result.outputs
        assert "hi" in events.outputs.values()
        events.raise_for_status()
        assert events.result.data.status == "succeeded"

    with Sandbox(rows=0, api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)


@EACH_DRIVER
def test_a_failed_run_is_a_result_until_it_is_raised(driver: Driver):
    async def story(client: Any) -> None:
        async with stream(client, fail="no quota") as events:
            result = await events.wait()
        assert (result.status, events.status) == ("failed", "failed")
        assert "no quota" in events.error
        with pytest.raises(WorkflowRunError, match="no quota"):
            events.raise_for_status()

    with Sandbox(rows=0, api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)


@EACH_DRIVER
def test_a_pause_is_a_result_with_its_reasons(driver: Driver):
    async def story(client: Any) -> None:
        async with stream(client, pause="Refund?") as events:
            result = await events.wait()
        assert (result.status, events.status, events.result) == ("paused", "paused", None)
        assert result.data.paused_nodes == ["ask"]
        assert result.raise_for_status() is result
        assert [node.status for node in events.nodes if node.node_id == "ask"] != []

    with Sandbox(rows=0, version="1.16", api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)


@EACH_DRIVER
def test_a_stream_left_unread_says_what_to_call(driver: Driver):
    async def story(client: Any) -> None:
        async with stream(client) as events:
            await anext(events)
        for ask in ("result", "status", "outputs", "error"):
            with pytest.raises(RuntimeError, match=r"call wait\(\) inside its `with`, or ask runs\.get"):
                getattr(events, ask)
        with pytest.raises(RuntimeError):
            await events.wait()
        assert events.workflow_run_id

    with Sandbox(rows=0, api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)


@EACH_DRIVER
def test_nodes_have_what_the_events_say(driver: Driver):
    async def story(client: Any) -> None:
        async with stream(client) as events:
            assert events.nodes == []
            await events.wait()
        nodes = events.nodes
        assert [(node.node_id, node.status) for node in nodes] == [
            ("start", "succeeded"),
            ("work", "succeeded"),
        ] or len(nodes) > 2
        assert all(node.elapsed_time is not None and node.title and node.type for node in nodes)
        assert nodes[0].inputs["query"] == "hi"

    with Sandbox(rows=0, api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)


@EACH_DRIVER
def test_executions_of_one_node_are_distinct_and_odd_data_kept(driver: Driver):
    def node(name: str, identity: Any, **data: Any) -> dict[str, Any]:
        return {"event": name, "data": {"id": identity, "node_id": "llm", "node_type": "llm", "title": "Ask", **data}}

    finished = {"status": "failed", "elapsed_time": 0.5, "error": "quota", "execution_metadata": {"total_tokens": 7}}
    sent = [
        node("node_started", "e-1"),
        node("node_started", "e-2"),
        node("node_finished", "e-1", **finished, inputs={"a": 1}, outputs=[1]),
        node("node_started", 5, title=None),
        {"event": "node_started", "data": "odd"},
    ]

    async def story(client: Any) -> Any:
        async with stream(client) as events:
            with pytest.raises(APIConnectionError):
                await events.wait()
            return events.nodes

    with FaultServer(event_stream(*(sse(one) for one in [STARTED, *sent]))) as server:
        nodes = driver.play(server.base_url, story)
    assert nodes == [
        NodeExecution("e-1", "llm", "Ask", "llm", "failed", 0.5, 7, "quota", {"a": 1}, [1]),
        NodeExecution("e-2", "llm", "Ask", "llm", "running", None, None, None, None, None),
        NodeExecution(5, "llm", None, "llm", "running", None, None, None, None, None),  # type: ignore[arg-type]
    ]
    assert typing.get_type_hints(NodeExecution)["status"] is str

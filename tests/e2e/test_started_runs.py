"""`runs.start`: a run continues in the background, is waited for whatever happens to its stream, and started once."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_DRIVER, Driver, failure
from support.fault_server import (
    KEY,
    Behaviour,
    Exchange,
    FaultServer,
    event_stream,
    json_response,
    pass_on,
    reset,
    respond,
    sse,
)
from support.leaks import nothing_left_open

from dify_workflow import APITimeoutError, BadRequestError, NotFoundError
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

RUN = "fa4cf86e-b841-4148-a141-7c32afcb82ce"
STARTED = {"event": "workflow_started", "task_id": "t-1", "workflow_run_id": RUN, "data": {"id": RUN}}
FINISHED = {**STARTED, "event": "workflow_finished", "data": {"id": RUN, "status": "succeeded", "outputs": {"a": 1}}}


def detail(status: str) -> dict[str, Any]:
    return {
        "id": RUN,
        "workflow_id": RUN,
        "status": status,
        "inputs": "{}",
        "outputs": '{"a": 1}',
        "error": None,
        "total_steps": 1,
        "total_tokens": 2,
        "created_at": 1,
        "finished_at": 2,
        "elapsed_time": 0.5,
    }


def start(client: Any, **inputs: Any) -> Any:
    return client.runs.start({"query": "hi", **inputs}, user="u-1", check_inputs=False)


@EACH_DRIVER
@pytest.mark.parametrize("version", ["1.11", "1.16"])
def test_a_run_is_started_once_and_waited_for(driver: Driver, version: Any):
    async def story(client: Any) -> None:
        run = await start(client, seconds=0.3)
        assert (await run.get()).status == "running"
        with pytest.raises(APITimeoutError, match=f"the run {run.id} has not ended within 0.01 s; it continues"):
            await run.wait(0.01)
        result = await run.wait(timeout=30)
        assert (result.status, result.workflow_run_id, result.task_id) == ("succeeded", run.id, run.task_id)
        assert "hi" in result.outputs.values()
        assert await run.wait() == result
        again = client.runs.attach(run.id, user="u-1")
        assert (await again.wait()).outputs == result.outputs
        assert again.task_id is None
        with pytest.raises(RuntimeError, match="task_id"):
            await again.stop()

    with Sandbox(rows=0, version=version, api_key=KEY) as sandbox, nothing_left_open():
        driver.play(sandbox.base_url, story)
        assert len(sandbox.started_runs) == 1


@EACH_DRIVER
def test_a_failed_and_a_stopped_run_are_results(driver: Driver):
    async def story(client: Any) -> None:
        assert (await (await start(client, fail="quota")).wait()).error == "quota"
        run = await start(client, seconds=20)
        await run.stop()
        assert (await run.wait(10)).status == "stopped"

    with Sandbox(rows=0, api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)


@EACH_DRIVER
@pytest.mark.parametrize(
    "rest",
    [
        pytest.param([], id="cut"),
        pytest.param([sse({"event": "error", "code": "x", "status": 500, "message": "gone"})], id="error event"),
        pytest.param([b"data: {broken\n\n"], id="broken"),
    ],
)
def test_a_broken_stream_is_made_up_for_by_asking(driver: Driver, rest: list[bytes]):
    async def story(client: Any) -> None:
        run = await start(client)
        result = await run.wait()
        assert (result.status, result.outputs, result.task_id) == ("succeeded", {"a": 1}, "t-1")

    broken = event_stream(sse(STARTED), *rest)
    with FaultServer(broken, respond(503, "restarting"), json_response(200, detail("succeeded"))) as server:
        driver.play(server.base_url, story)
        assert [one.path for one in server.requests].count("/v1/workflows/run") == 1


LATER = [respond(status, "{}", headers=(("Retry-After", "0.3"),)) for status in (429, 503)]
CUT = {"end_streams_after": 1}
SILENT = {"hold_streams_after": 1, "ping_seconds": None}
QUEUED = {"queue_delay": 0.5, "ping_seconds": None}


@EACH_DRIVER
@pytest.mark.parametrize(
    ("version", "traps", "faults"),
    [
        *(
            pytest.param(version, traps, faults, id=f"{version} {name}")
            for version in ("1.11", "1.16")
            for name, traps, faults in (
                ("cut", CUT, []),
                ("restart", CUT, [reset(), respond(502), respond(503)]),
                ("Retry-After", CUT, LATER),
                ("silence", SILENT, []),
            )
        ),
        pytest.param("1.16", QUEUED, [], id="1.16 queue"),
        pytest.param("1.16", QUEUED | CUT, [reset(), respond(503)], id="1.16 queue, cut and restart"),
    ],
)
def test_a_run_is_waited_for_on_each_server(
    driver: Driver, version: Any, traps: dict[str, Any], faults: list[Behaviour]
):
    left = list(faults)

    async def play(exchange: Exchange) -> None:
        assert exchange.request is not None
        is_start = exchange.request.path == "/v1/workflows/run"
        await (left.pop(0).play(exchange) if left and not is_start else pass_on(exchange, sandbox.port))

    async def story(client: Any) -> None:
        run = await start(client, seconds=0.4)
        result = await run.wait(60)
        assert (result.status, result.workflow_run_id, result.outputs["answer"]) == ("succeeded", run.id, "hi")

    with (
        Sandbox(rows=0, version=version, api_key=KEY) as sandbox,
        FaultServer(Behaviour("proxy", play)) as server,
        nothing_left_open(),
    ):
        for name, value in traps.items():
            setattr(sandbox.traps, name, value)
        driver.play(server.base_url if faults else sandbox.base_url, story, timeout=0.3 if traps is SILENT else None)
        assert left == []
        assert [one.path for one in sandbox.requests].count("/v1/workflows/run") == len(sandbox.started_runs) == 1


@EACH_DRIVER
def test_a_broken_stream_goes_on_by_the_events_of_the_run(driver: Driver):
    def let_events_pass(request: Any) -> None:
        if request.path.endswith("/events"):
            sandbox.traps.end_streams_after = None

    async def story(client: Any) -> None:
        sandbox.traps.end_streams_after = 2
        sandbox.traps.before_request = let_events_pass
        run = await start(client, seconds=1)
        result = await run.wait()
        assert (result.status, result.outputs["answer"], result.task_id) == ("succeeded", "hi", run.task_id)
        paths = [request.path for request in sandbox.requests]
        assert f"/v1/workflow/{run.id}/events" in paths
        assert f"/v1/workflows/run/{run.id}" not in paths

    with Sandbox(rows=0, version="1.16", api_key=KEY) as sandbox, nothing_left_open():
        driver.play(sandbox.base_url, story)


@EACH_DRIVER
def test_a_run_is_started_with_the_fields_of_a_stream(driver: Driver):
    file = {"type": "document", "transfer_method": "remote_url", "url": "https://a.example/b.txt"}
    fields = {"files": [file], "workflow_id": RUN, "trace_session_id": "s-1"}

    async def story(client: Any) -> None:
        await (await client.runs.start({"query": "hi"}, user="u-1", **fields)).wait()
        async with client.runs.stream({"query": "hi"}, user="u-1", **fields) as events:
            assert [event.event async for event in events][-1] == "workflow_finished"

    with FaultServer(event_stream(sse(STARTED), sse(FINISHED))) as server:
        driver.play(server.base_url, story)
    started, streamed = server.requests
    assert (started.method, started.path, started.body) == (streamed.method, streamed.path, streamed.body)
    sent = {"inputs": {"query": "hi"}, "user": "u-1", "files": [file], "trace_session_id": "s-1"}
    assert json.loads(started.body) == {**sent, "response_mode": "streaming"}
    assert started.path == f"/v1/workflows/{RUN}/run"


@EACH_DRIVER
def test_files_among_inputs_are_uploaded_before_the_start(driver: Driver, tmp_path: Path):
    (tmp_path / "a.txt").write_text("text")
    inputs = {"query": "hi", "document": tmp_path / "a.txt", "documents": [tmp_path / "a.txt"]}

    async def story(client: Any) -> None:
        run = await client.runs.start(inputs, user="u-1")
        assert (await run.wait()).outputs["document"]["filename"] == "a.txt"
        sent = await client.files.upload_all(inputs, user="u-1")
        assert sent["document"] is sent["documents"][0]
        assert (await client.runs.run(sent, user="u-1")).status == "succeeded"
        for missing in ({"query": "hi", "document": tmp_path / "b.txt"}, {"documents": [tmp_path]}):
            with pytest.raises(FileNotFoundError):
                await client.files.upload_all(missing, user="u-1")
            with pytest.raises(FileNotFoundError):
                await client.runs.start(missing, user="u-1")
        with pytest.raises(ValueError, match="qery"):
            await client.runs.start({"qery": "hi", "document": tmp_path / "a.txt"}, user="u-1")

    with Sandbox(rows=0, api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)
        assert len(sandbox.uploads) == 2
        assert len(sandbox.started_runs) == 2


@EACH_DRIVER
def test_run_and_stream_check_inputs_on_request(driver: Driver):
    async def story(client: Any) -> None:
        with pytest.raises(ValueError, match="did you mean 'query'"):
            await client.runs.run({"qery": "hi"}, user="u-1", check_inputs=True)
        with pytest.raises(ValueError, match="did you mean 'query'"):
            async with client.runs.stream({"qery": "hi"}, user="u-1", check_inputs=True):
                pass
        assert (await client.runs.run({"query": "hi"}, user="u-1", check_inputs=True)).status == "succeeded"
        async with client.runs.stream({"query": "hi"}, user="u-1", check_inputs=True) as events:
            assert (await events.wait()).status == "succeeded"

    with Sandbox(rows=0, api_key=KEY) as sandbox, nothing_left_open():
        driver.play(sandbox.base_url, story)
        assert len(sandbox.started_runs) == 2


@EACH_DRIVER
def test_a_pause_is_a_result_and_the_run_can_be_waited_for_again(driver: Driver):
    async def story(client: Any) -> None:
        run = await start(client, pause="Refund?")
        while (await run.get()).status != "paused":  # whether it is waited for before or after the pause
            pass
        result = await run.wait()
        assert result.status == "paused"
        token = result.data.reasons[0].form_token
        assert (await run.wait()).status == "paused"
        await client.forms.submit(token, inputs={"comment": "fine"}, action="approve", user="u-1")
        assert (await run.wait(30)).status == "succeeded"

    with Sandbox(rows=0, version="1.16", api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)
        assert len(sandbox.started_runs) == 1


@EACH_DRIVER
def test_a_run_whose_form_was_submitted_is_not_paused(driver: Driver):
    async def story(client: Any) -> None:
        run = await start(client, pause="Refund?")
        token = (await run.wait()).data.reasons[0].form_token
        attached = client.runs.attach(run.id, user="u-1")
        assert (await attached.wait()).status == "paused"
        sandbox.traps.queue_delay = 2.0
        await client.forms.submit(token, inputs={"comment": "fine"}, action="approve", user="u-1")
        assert (await attached.get()).status == "paused"
        with pytest.raises(APITimeoutError, match="has not ended within"):
            await attached.wait(0.1)
        assert (await attached.wait(30)).status == "succeeded"
        assert (await run.wait(30)).status == "succeeded"

    with Sandbox(rows=0, version="1.16", api_key=KEY) as sandbox, nothing_left_open():
        driver.play(sandbox.base_url, story)
        assert len(sandbox.started_runs) == 1


@EACH_DRIVER
def test_inputs_are_checked_before_anything_is_started(driver: Driver):
    async def story(client: Any) -> None:
        with pytest.raises(ValueError, match="did you mean 'query'"):
            await client.runs.start({"qery": "hi"}, user="u-1")
        with pytest.raises(ValueError, match="user"):
            await client.runs.start({"query": "hi"}, user="")
        with pytest.raises(BadRequestError):
            await client.runs.start({}, user="u-1", check_inputs=False)
        for wrong in (-1, "5", True):
            with pytest.raises(ValueError, match="timeout must be seconds"):
                await client.runs.attach(RUN, user="u-1").wait(wrong)
        with pytest.raises(NotFoundError):
            await client.runs.attach(RUN, user="u-1").wait()

    with Sandbox(rows=0, api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)
        assert sandbox.started_runs == ()


@EACH_DRIVER
def test_closing_the_client_ends_workers_and_no_run(driver: Driver):
    runs = []

    async def story(client: Any) -> None:
        for _ in range(3):
            runs.append(await start(client, seconds=1))  # noqa: PERF401 - a story has no comprehension of awaits
        await runs[0].detach()
        assert (await runs[0].wait(30)).status == "succeeded"

    before = threading.active_count()
    with Sandbox(rows=0, api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)
        with sandbox.client() as client:
            assert client.runs.attach(runs[1].id, user="u-1").wait(30).status == "succeeded"
        assert len(sandbox.started_runs) == 3
    assert threading.active_count() <= before


def test_a_forked_child_is_refused_and_ends_nothing():
    with Sandbox(rows=0, api_key=KEY) as sandbox, sandbox.client() as client:
        run = start(client, seconds=0.5)
        child = os.fork()
        if child == 0:
            try:
                run.wait(5)
            except RuntimeError as error:
                os._exit(0 if "this run belongs to the process" in str(error) else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert run.wait(30).status == "succeeded"


@EACH_DRIVER
def test_a_blocking_run_that_ends_in_504_names_start(driver: Driver):
    with FaultServer(respond(504, "gateway")) as server:
        error = failure(driver, server.base_url, lambda client: client.runs.run({"query": "hi"}, user="u-1"))
    assert "runs.start(...) does not depend on one long response" in str(error)

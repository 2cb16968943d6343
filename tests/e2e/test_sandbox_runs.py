"""Runs in the sandbox: what a client sees of them while they continue, and what is left of them."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from support.leaks import nothing_left_open
from support.sandbox_http import client_of, events_of

from dify_workflow._http.library import httpx
from dify_workflow.testing import Emit, HumanForm, NextNode, Sandbox, StreamError, Wait, Wire

NEVER = 3000  # seconds


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0) as sandbox:
        yield sandbox


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with client_of(sandbox) as http:
        yield http


def body(mode: str = "blocking", user: str = "u-1", **inputs: object) -> dict[str, Any]:
    return {"inputs": {"query": "hello", **inputs}, "response_mode": mode, "user": user}


def run(http: httpx.Client, **inputs: object) -> dict[str, Any]:
    response = http.post("/workflows/run", json=body(**inputs))
    assert response.status_code == 200, response.text
    return response.json()


def stream(http: httpx.Client, **inputs: object) -> list[dict[str, Any]]:
    return events_of(http.post("/workflows/run", json=body("streaming", **inputs)))


def texts(events: list[dict[str, Any]]) -> list[str]:
    return [event["data"]["text"] for event in events if event["event"] == "text_chunk"]


@contextmanager
def streaming(http: httpx.Client, **inputs: object) -> Iterator[Iterator[dict[str, Any]]]:
    """Start a run and give its events as they come; a ping is an event without anything."""
    with http.stream("POST", "/workflows/run", json=body("streaming", **inputs)) as response:
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        lines = (line for line in response.iter_lines() if line)
        yield ({} if line == "event: ping" else json.loads(line.removeprefix("data: ")) for line in lines)


def detail(http: httpx.Client, run_id: str) -> dict[str, Any]:
    return http.get(f"/workflows/run/{run_id}").json()


def logs(http: httpx.Client) -> list[dict[str, Any]]:
    return http.get("/workflows/logs", params={"limit": 100}).json()["data"]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


# What inputs do --------------------------------------------------------------------------------------------------


def test_a_run_returns_its_query_and_is_logged_by_user(http: httpx.Client) -> None:
    response = run(http, query="你好 é")
    assert response["data"]["outputs"] == {"answer": "你好 é", "document": None}
    (log,) = logs(http)
    assert log["workflow_run"]["id"] == response["workflow_run_id"]
    assert (log["workflow_run"]["status"], log["workflow_run"]["total_steps"]) == ("succeeded", 3)
    assert log["created_by_end_user"]["session_id"] == "u-1"
    assert log["created_from"] == "service-api"
    assert 0 <= log["created_at"] - log["workflow_run"]["created_at"] <= 1
    found = http.get("/workflows/logs", params={"created_by_end_user_session_id": "u-1"}).json()["total"]
    assert found == http.get("/workflows/logs", params={"keyword": "你好"}).json()["total"] == 1


def test_the_detail_of_a_run_has_inputs_and_outputs_as_json_text(sandbox: Sandbox, http: httpx.Client) -> None:
    response = run(http, query="中", not_in_the_form=1)
    stored = detail(http, response["workflow_run_id"])
    assert {name: stored[name] for name in ("id", "status", "error", "total_steps", "created_at", "elapsed_time")} == {
        name: response["data"][name] for name in ("id", "status", "error", "total_steps", "created_at", "elapsed_time")
    }
    assert stored["outputs"] == '{"answer": "\\u4e2d", "document": null}'
    inputs = json.loads(stored["inputs"])
    assert stored["inputs"].isascii()
    assert "not_in_the_form" not in inputs
    assert inputs["query"] == "中"
    assert inputs["sys.user_id"] == "u-1"
    assert inputs["sys.workflow_id"] == stored["workflow_id"] == sandbox.app().workflow_id
    assert inputs["sys.workflow_run_id"] == stored["id"]


def test_the_output_is_streamed_in_the_requested_chunks(http: httpx.Client) -> None:
    assert texts(stream(http, query="abcdef", chunks=3)) == ["ab", "cd", "ef"]
    assert texts(stream(http, query="abc")) == ["abc"]
    many = texts(stream(http, query="ab", chunks=500))
    assert len(many) == 500
    assert "".join(many) == "ab"


@pytest.mark.parametrize("mode", ["blocking", "streaming"])
def test_a_failed_run_is_a_200_and_logged_with_its_error(mode: str, http: httpx.Client) -> None:
    if mode == "blocking":
        outcome = run(http, fail="it broke: 坏")["data"]
    else:
        events = stream(http, fail="it broke: 坏")
        outcome = events[-1]["data"]
        assert events[-2]["data"]["status"] == "failed"
        assert outcome["exceptions_count"] == 1
    assert (outcome["status"], outcome["error"], outcome["outputs"]) == ("failed", "it broke: 坏", {})
    stored = detail(http, outcome["id"])
    assert (stored["status"], stored["error"], stored["outputs"]) == ("failed", "it broke: 坏", None)
    assert logs(http)[0]["workflow_run"]["exceptions_count"] == 1
    assert http.get("/workflows/logs", params={"status": "failed"}).json()["total"] == 1


def test_a_workflow_that_cannot_start_leaves_no_log(sandbox: Sandbox, http: httpx.Client) -> None:
    events = stream(http, error_event="no such node")
    assert events == [
        {
            "event": "error",
            "workflow_run_id": None,
            "code": "invalid_param",
            "status": 400,
            "message": "no such node",
        }
    ]
    response = http.post("/workflows/run", json=body(error_event="no such node"))
    assert response.status_code == 400
    assert response.json() == {"code": "invalid_param", "message": "no such node", "status": 400}
    assert logs(http) == []
    assert detail(http, sandbox.started_runs[0].id)["id"] is None


def test_a_run_takes_the_requested_time_and_is_logged_running(http: httpx.Client) -> None:
    with streaming(http, seconds=0.3) as events:
        first = next(events)
        (log,) = logs(http)
        assert (log["workflow_run"]["status"], log["workflow_run"]["finished_at"]) == ("running", None)
        stored = detail(http, first["workflow_run_id"])
        assert (stored["status"], stored["outputs"], stored["total_steps"]) == ("running", "{}", 0)
        *_, last = events
    assert last["data"]["elapsed_time"] >= 0.3
    (log,) = logs(http)
    assert log["workflow_run"]["status"] == "succeeded"
    assert log["workflow_run"]["elapsed_time"] == last["data"]["elapsed_time"]


def test_every_event_names_its_run_and_task(sandbox: Sandbox, http: httpx.Client) -> None:
    events = stream(http)
    (started,) = sandbox.started_runs
    assert {(event["workflow_run_id"], event["task_id"]) for event in events} == {(started.id, started.task_id)}
    assert [event["event"] for event in events] == [
        "workflow_started",
        "node_started",
        "node_finished",
        "node_started",
        "text_chunk",
        "node_finished",
        "node_started",
        "node_finished",
        "workflow_finished",
    ]


def test_one_version_is_run_by_its_id_in_any_spelling(sandbox: Sandbox, http: httpx.Client) -> None:
    workflow_id = sandbox.app().workflow_id
    for spelling in (workflow_id, workflow_id.upper(), workflow_id.replace("-", "")):
        response = http.post(f"/workflows/{spelling}/run", json=body())
        assert response.json()["data"]["workflow_id"] == workflow_id


# Stops -----------------------------------------------------------------------------------------------------------


def test_a_stopped_run_stays_running_in_the_logs(http: httpx.Client) -> None:
    with streaming(http, seconds=NEVER) as events:
        task_id = next(events)["task_id"]
        assert http.post(f"/workflows/tasks/{task_id}/stop", json={"user": "someone else"}).json() == {
            "result": "success"
        }
        *_, last = events
    assert last["event"] == "workflow_finished"
    outcome = last["data"]
    assert (outcome["status"], outcome["error"], outcome["outputs"]) == ("stopped", "Stopped by user.", {})
    stored = detail(http, outcome["id"])
    assert (stored["status"], stored["finished_at"], stored["outputs"]) == ("running", None, "{}")
    assert logs(http)[0]["workflow_run"]["status"] == "running"


def test_a_stop_ends_a_blocking_run_too(sandbox: Sandbox, http: httpx.Client) -> None:
    with ThreadPoolExecutor(1) as pool:
        response = pool.submit(run, http, seconds=NEVER)
        until(lambda: len(sandbox.started_runs) == 1)
        http.post(f"/workflows/tasks/{sandbox.started_runs[0].task_id}/stop", json={"user": "u"})
        assert response.result(timeout=30)["data"]["status"] == "stopped"


def test_a_stop_of_a_run_that_has_ended_changes_nothing(http: httpx.Client) -> None:
    response = run(http)
    assert http.post(f"/workflows/tasks/{response['task_id']}/stop", json={"user": "u"}).status_code == 200
    assert detail(http, response["workflow_run_id"])["status"] == "succeeded"


# Clients that leave ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["blocking", "streaming"])
def test_a_client_that_goes_away_does_not_stop_the_run(mode: str, sandbox: Sandbox, http: httpx.Client) -> None:
    gone = threading.Event()

    def workflow(_inputs: dict[str, Any]) -> Iterator[Any]:
        while not gone.is_set():
            yield Wait(0.02)

    sandbox.set_workflow(workflow)
    with pytest.raises(httpx.ReadTimeout):
        http.post("/workflows/run", json=body(mode), timeout=0.1)
    assert [log["workflow_run"]["status"] for log in logs(http)] == ["running"]
    gone.set()
    until(lambda: [log["workflow_run"]["status"] for log in logs(http)] == ["succeeded"])
    assert len(sandbox.started_runs) == 1


def test_stopping_a_sandbox_ends_streams_and_runs_at_once() -> None:
    with nothing_left_open(), ThreadPoolExecutor(2) as pool:
        with Sandbox(rows=0) as sandbox, client_of(sandbox) as http:
            blocking = pool.submit(http.post, "/workflows/run", json=body(seconds=NEVER))
            until(lambda: len(sandbox.started_runs) == 1)
            streamed = pool.submit(stream, http, seconds=NEVER)
            until(lambda: len(sandbox.started_runs) == 2)
            sandbox.stop()
            assert streamed.result(timeout=30)[-1]["event"] == "node_started"  # no end was made up
            assert blocking.result(timeout=30).status_code == 500
        assert len(sandbox.started_runs) == 2


def test_a_client_that_does_not_read_does_not_block_stopping(caplog: pytest.LogCaptureFixture) -> None:
    def much(_inputs: dict[str, Any]) -> Iterator[Any]:
        yield Wire(b"x" * 60_000_000)  # more than fits between the two

    with nothing_left_open(), Sandbox(rows=0) as sandbox, client_of(sandbox) as http:
        sandbox.set_workflow(much)
        with http.stream("POST", "/workflows/run", json=body("streaming")) as response:
            pieces = response.iter_raw(1_000_000)  # kept: its end would be that of the connection
            next(pieces)
            sandbox.stop()
    assert caplog.text == ""


def test_a_file_keeps_runs_but_nobody_continues_old_ones(tmp_path) -> None:
    path = tmp_path / "sandbox.db"
    with Sandbox(rows=0, database=path) as sandbox, client_of(sandbox) as http:
        done = run(http)
        with streaming(http, seconds=NEVER) as events:
            under_way = next(events)
    with Sandbox(database=path) as again, client_of(again) as http:
        assert detail(http, done["workflow_run_id"])["status"] == "succeeded"
        assert detail(http, under_way["workflow_run_id"])["status"] == "running"
        assert len(logs(http)) == 2


# Limits ----------------------------------------------------------------------------------------------------------


def test_one_run_above_the_limit_is_a_400_until_one_ends(sandbox: Sandbox) -> None:
    sandbox.add_app("busy", max_active_requests=2)
    with client_of(sandbox, "busy") as http, streaming(http, seconds=NEVER) as one, streaming(http, seconds=NEVER):
        for mode in ("blocking", "streaming"):
            refused = http.post("/workflows/run", json=body(mode))
            assert (refused.status_code, refused.json()["code"]) == (400, "invalid_param")
            assert refused.json()["message"].startswith("Too many requests. Please try again later.")
            assert refused.json()["message"].endswith(f"allowed for {sandbox.app('busy').id} is 2.")
        assert len(sandbox.started_runs) == 2
        http.post(f"/workflows/tasks/{next(one)['task_id']}/stop", json={"user": "u"})
        *_, last = one
        assert last["event"] == "workflow_finished"
        assert run(http)["data"]["status"] == "succeeded"


def test_the_runs_of_one_app_are_unknown_to_another(sandbox: Sandbox, http: httpx.Client) -> None:
    response = run(http)
    with client_of(sandbox, "empty") as other:
        assert set(detail(other, response["workflow_run_id"]).values()) == {None}
        assert logs(other) == []
        refused = other.post(f"/workflows/{sandbox.app().workflow_id}/run", json=body())
        assert refused.status_code == 404


def test_many_runs_at_once_do_not_mix_up(sandbox: Sandbox, http: httpx.Client) -> None:
    with ThreadPoolExecutor(12) as pool:
        responses = list(pool.map(lambda number: stream(http, query=f"q{number}", chunks=20, seconds=0.1), range(36)))
    assert ["".join(texts(events)) for events in responses] == [f"q{number}" for number in range(36)]
    assert len({events[0]["workflow_run_id"] for events in responses}) == 36
    assert len(sandbox.started_runs) == len(logs(http)) == 36


# Workflows of one's own ------------------------------------------------------------------------------------------


def test_a_function_can_be_the_workflow_and_gets_all_inputs(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.set_workflow(lambda inputs: {"got": inputs})
    response = http.post("/workflows/run", json={"inputs": {"a": [1, {"b": None}]}, "user": "u"})
    assert response.json()["data"]["outputs"] == {"got": {"a": [1, {"b": None}]}}
    assert http.get("/parameters").json()["user_input_form"] == []


PICTURE = {"dify_model_identity": "x", "type": "image", "filename": "a.png", "url": "http://x.test/a"}


@pytest.mark.parametrize("version", ["1.11", "1.14", "1.16"])
def test_outputs_are_streamed_as_text_one_value_after_the_other(version: Any) -> None:
    outputs = {"text": "hi", "n": 2, "none": None, "file": PICTURE, "list": ["a", 1], "object": {"a": "é"}}
    with Sandbox(rows=0, version=version) as sandbox, client_of(sandbox) as http:
        sandbox.set_workflow(lambda _inputs: outputs)
        events = stream(http)
        values = ["hi", "2", "", "![a.png](http://x.test/a)", "- a\n- 1", '{\n  "a": "é"\n}']
        assert texts(events) == [piece for value in values for piece in (value, "\n")][:-1]
        names = [event["event"] for event in events if event]
        work = names.index("text_chunk")
        assert names[work - 1] == "node_started"
        assert set(names[work : work + 11]) == {"text_chunk"}
        assert names[work + 11 :] == ["node_finished", "node_started", "node_finished", "workflow_finished"]


def test_a_workflow_that_yields_text_itself_has_only_that_text(sandbox: Sandbox, http: httpx.Client) -> None:
    def workflow(_inputs: dict[str, Any]) -> Iterator[Any]:
        yield "mine"
        return {"text": "not streamed"}

    sandbox.set_workflow(workflow)
    assert texts(stream(http)) == ["mine"]


def test_a_workflow_may_change_the_inputs_that_it_got(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.set_workflow(lambda inputs: {"query": inputs.pop("query")})
    response = run(http)
    assert json.loads(detail(http, response["workflow_run_id"])["inputs"])["query"] == "hello"
    assert sandbox.started_runs[0].inputs == {"query": "hello"}


def test_a_workflow_can_have_a_form_whose_rules_hold(sandbox: Sandbox, http: httpx.Client) -> None:
    form = [{"select": {"variable": "size", "label": "Size", "required": True, "options": ["S", "L"]}}]
    sandbox.set_workflow(dict, form=form)
    assert http.get("/parameters").json()["user_input_form"] == form

    def post(**inputs: object) -> dict[str, Any]:
        return http.post("/workflows/run", json={"inputs": inputs, "user": "u"}).json()

    assert post(size="L", other=1)["data"]["outputs"] == {"size": "L"}
    assert post(size="M")["message"] == "size in input form must be one of the following: ['S', 'L']"
    assert post()["message"] == "size is required in input form"


def test_an_app_of_ones_own_has_its_own_workflow(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.add_app("shout")
    sandbox.set_workflow(lambda inputs: {"answer": inputs["query"].upper()}, app="shout")
    with client_of(sandbox, "shout") as other:
        assert run(other)["data"]["outputs"] == {"answer": "HELLO"}
    assert run(http)["data"]["outputs"]["answer"] == "hello"


def raise_key_error(_inputs: dict[str, Any]) -> dict[str, Any]:
    raise KeyError("price")


def raise_without_text(_inputs: dict[str, Any]) -> Iterator[Any]:
    yield "so far"
    raise LookupError


def yield_a_number(_inputs: dict[str, Any]) -> Iterator[Any]:
    yield 7


def emit_bytes(_inputs: dict[str, Any]) -> Iterator[Any]:
    yield Emit({"event": "agent_log", "data": b""})


@pytest.mark.parametrize(
    ("workflow", "error"),
    [
        (raise_key_error, "'price'"),
        (raise_without_text, "LookupError"),
        (yield_a_number, "a workflow cannot yield int"),
        (emit_bytes, "the event is not JSON: Object of type bytes is not JSON serializable"),
        (lambda _inputs: ["a list"], "the outputs of a workflow are a mapping, not list"),
        (lambda _inputs: {"answer": float("nan")}, "the outputs are not JSON: Out of range float values"),
        (lambda _inputs: {"answer": object()}, "the outputs are not JSON: Object of type object"),
    ],
)
def test_what_goes_wrong_in_a_workflow_is_the_runs_error(
    workflow: Any, error: str, sandbox: Sandbox, http: httpx.Client
) -> None:
    sandbox.set_workflow(workflow)
    outcome = run(http)["data"]
    assert outcome["status"] == "failed"
    assert outcome["error"].startswith(error)
    assert detail(http, outcome["id"])["error"] == outcome["error"]


def test_steps_are_seen_as_the_workflow_yields_them(sandbox: Sandbox, http: httpx.Client) -> None:
    def workflow(inputs: dict[str, Any]) -> Iterator[Any]:
        yield "one"
        yield NextNode("Second Node", "llm")
        yield "two"
        yield Emit({"event": "agent_log", "data": {"label": "标"}})
        yield Emit({"event": "from_the_future", "task_id": "mine", "x": 1})
        yield Wire(b": a comment\n\ndata: 1\n\n")
        return {"answer": "three"}

    sandbox.set_workflow(workflow)
    response = http.post("/workflows/run", json=body("streaming"))
    frames = response.text.split("\n\n")
    run_id = sandbox.started_runs[0].id
    names = [json.loads(frame[6:])["event"] for frame in frames if frame.startswith("data: {")]
    assert names == [
        *["workflow_started", "node_started", "node_finished"],
        *["node_started", "text_chunk", "node_finished"],
        *["node_started", "text_chunk", "agent_log", "from_the_future", "node_finished"],
        *["node_started", "node_finished", "workflow_finished"],
    ]
    future = next(frame for frame in frames if "from_the_future" in frame)
    assert json.loads(future[6:]) == {
        "workflow_run_id": run_id,
        "task_id": "mine",
        "event": "from_the_future",
        "x": 1,
    }
    assert '"label":"标"' in response.text
    assert "\n\n: a comment\n\ndata: 1\n\n" in response.text


def test_a_late_breakdown_ends_the_stream_and_stays_running(sandbox: Sandbox, http: httpx.Client) -> None:
    def workflow(_inputs: dict[str, Any]) -> Iterator[Any]:
        yield "so far"
        yield StreamError("quota used up", "provider_quota_exceeded", 400)

    sandbox.set_workflow(workflow)
    events = stream(http)
    run_id = sandbox.started_runs[0].id
    assert events[-1] == {
        "event": "error",
        "workflow_run_id": run_id,
        "code": "provider_quota_exceeded",
        "status": 400,
        "message": "quota used up",
    }
    assert detail(http, run_id)["status"] == "running"


def test_a_workflow_without_end_leaves_time_for_others(sandbox: Sandbox, http: httpx.Client) -> None:
    def workflow(_inputs: dict[str, Any]) -> Iterator[Any]:
        while True:
            yield ""

    sandbox.add_app("endless")
    sandbox.set_workflow(workflow, app="endless")
    with client_of(sandbox, "endless") as other, streaming(other) as events:
        task_id = next(events)["task_id"]
        assert run(http)["data"]["status"] == "succeeded"
        http.post(f"/workflows/tasks/{task_id}/stop", json={"user": "u"})
        assert [event["data"]["status"] for event in events if event["event"] == "workflow_finished"] == ["stopped"]


def test_a_generator_is_closed_when_its_run_is_stopped(sandbox: Sandbox, http: httpx.Client) -> None:
    reached: list[str] = []
    closed = threading.Event()

    def workflow(_inputs: dict[str, Any]) -> Iterator[Any]:
        try:
            yield Wait(NEVER)
            reached.append("what comes after the stop")
        finally:
            closed.set()

    sandbox.set_workflow(workflow)
    with streaming(http) as events:
        http.post(f"/workflows/tasks/{next(events)['task_id']}/stop", json={"user": "u"})
        assert closed.wait(30)
    assert reached == []


def test_a_server_of_1_11_2_fails_where_a_form_is_needed(sandbox: Sandbox, http: httpx.Client) -> None:
    def workflow(_inputs: dict[str, Any]) -> Iterator[Any]:
        yield HumanForm("Go on?")

    sandbox.set_workflow(workflow)
    assert run(http)["data"]["status"] == "failed"


# Switches --------------------------------------------------------------------------------------------------------


def test_pings_fill_silence_and_can_be_switched_off(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.traps.ping_seconds = 0.02
    with http.stream("POST", "/workflows/run", json=body("streaming", seconds=NEVER)) as response:
        text = ""
        for piece in response.iter_text():
            text += piece
            if text.endswith("event: ping\n\nevent: ping\n\n"):
                break
    sandbox.traps.ping_seconds = None
    with streaming(http, seconds=0.3) as events:
        assert {} not in list(events)


def test_a_stream_can_end_before_its_run(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.traps.end_streams_after = 3
    assert [event["event"] for event in stream(http)] == ["workflow_started", "node_started", "node_finished"]
    until(lambda: logs(http)[0]["workflow_run"]["status"] == "succeeded")
    sandbox.traps.end_streams_after = 0
    assert stream(http) == []


def test_a_stream_can_hold_back_what_comes_after_some_events(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.traps.hold_streams_after = 2
    sandbox.traps.ping_seconds = 0.02
    with streaming(http) as events:
        assert [next(events)["event"] for _ in range(2)] == ["workflow_started", "node_started"]
        until(lambda: logs(http)[0]["workflow_run"]["status"] == "succeeded")  # the run itself continued
        assert [next(events) for _ in range(3)] == [{}, {}, {}]
        sandbox.traps.hold_streams_after = None
        *_, last = events
    assert last["event"] == "workflow_finished"


def test_a_stream_that_is_held_back_ends_with_the_sandbox() -> None:
    with Sandbox(rows=0) as sandbox, client_of(sandbox) as http, ThreadPoolExecutor(1) as pool:
        sandbox.traps.hold_streams_after = 1
        events = pool.submit(stream, http)
        until(lambda: len(sandbox.started_runs) == 1)
        sandbox.stop()
        assert len(events.result(timeout=30)) <= 1


def test_a_streams_first_byte_can_be_late(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.traps.first_byte_seconds = NEVER
    with pytest.raises(httpx.ReadTimeout):
        http.post("/workflows/run", json=body("streaming"), timeout=0.2)
    assert len(sandbox.started_runs) == 1
    until(lambda: logs(http)[0]["workflow_run"]["status"] == "succeeded")


def test_what_is_refused_starts_no_run(sandbox: Sandbox, http: httpx.Client) -> None:
    for content in ({"inputs": {}, "user": "u"}, {"inputs": {"query": "x"}}, {"user": "u"}):
        assert http.post("/workflows/run", json=content).status_code == 400
    assert sandbox.started_runs == ()
    run(http)
    (started,) = sandbox.started_runs
    assert (started.app, started.user, started.streaming, started.inputs["query"]) == ("main", "u-1", False, "hello")
    sandbox.clear_requests()
    assert sandbox.started_runs == ()


@pytest.mark.parametrize(
    ("headers", "query", "body", "refused"),
    [
        ({}, "", {"trace_session_id": " s "}, None),
        ({"X-Trace-Session-Id": "s"}, "", {"trace_session_id": 7}, None),
        ({}, "?trace_session_id=s", {"trace_session_id": None}, None),
        ({}, "", {"trace_session_id": None}, "a string."),
        ({}, "", {"trace_session_id": "s" * 201}, "1 to 200 characters after trimming."),
        ({"X-Trace-Session-Id": "s" * 201}, "", {"trace_session_id": "s"}, "1 to 200 characters after trimming."),
    ],
)
def test_trace_sessions_are_checked_by_1_16_alone(headers: Any, query: str, body: Any, refused: str | None) -> None:
    run = {"inputs": {"query": "q"}, "user": "u", **body}
    for version in ("1.14", "1.16"):
        with Sandbox(rows=0, version=version) as sandbox, client_of(sandbox) as http:
            response = http.post(f"/workflows/run{query}", json=run, headers=headers)
        if refused is None or version == "1.14":
            assert response.status_code == 200, response.text
        else:
            message = f"trace_session_id must be {refused}"
            assert response.json() == {"code": "bad_request", "message": message, "status": 400}

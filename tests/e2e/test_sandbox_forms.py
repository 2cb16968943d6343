"""What newer servers have besides: runs that pause for a form, the events of a run, and end users."""

import json
import threading
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from support.sandbox_http import client_of, events_in, events_of

from dify_workflow._http.library import httpx
from dify_workflow.testing import FormSubmission, HumanForm, Sandbox, Wait, new_log

NEVER = 3000  # seconds
RUN = {"response_mode": "streaming", "user": "u-1"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0, version="1.14") as sandbox:
        yield sandbox


@pytest.fixture(params=["1.14", "1.16"])
def either(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(rows=0, version=request.param) as sandbox:
        sandbox.traps.stream_idle_seconds = 0.3
        yield sandbox


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with client_of(sandbox) as http:
        yield http


def start(http: httpx.Client, mode: str = "streaming", **inputs: object) -> httpx.Response:
    inputs = {"query": "hello", **inputs}
    return http.post("/workflows/run", json={"inputs": inputs, "response_mode": mode, "user": "u-1"})


def follow(http: httpx.Client, run_id: str, user: str = "u-1", **query: object) -> httpx.Response:
    return http.get(f"/workflow/{run_id}/events", params={"user": user, **query})


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events]


def submit(http: httpx.Client, token: str, **changes: object) -> httpx.Response:
    body = {"inputs": {"comment": "fine"}, "action": "approve", "user": "u-2", **changes}
    return http.post(f"/form/human_input/{token}", json=body)


def paused(http: httpx.Client, **inputs: object) -> tuple[str, str]:
    """Start a run that pauses; gives its id and the form's token."""
    events = events_of(start(http, pause="Refund?", **inputs))
    assert names(events)[-2:] == ["human_input_required", "workflow_paused"]
    return events[-1]["workflow_run_id"], events[-2]["data"]["form_token"]


# Pauses ----------------------------------------------------------------------------------------------------------


def test_a_run_pauses_shows_its_form_and_resumes(http: httpx.Client) -> None:
    run_id, token = paused(http)
    assert http.get("/workflows/logs").json()["data"][0]["workflow_run"]["status"] == "paused"
    form = http.get(f"/form/human_input/{token}").json()
    assert form["form_content"] == "Refund?"
    assert [field["output_variable_name"] for field in form["inputs"]] == ["comment"]
    assert [action["id"] for action in form["user_actions"]] == ["approve", "reject"]

    response = submit(http, token)
    assert (response.status_code, response.json()) == (200, {})
    events = events_of(follow(http, run_id))
    assert events[-1]["data"]["outputs"] == {
        "answer": "hello",
        "document": None,
        "action": "approve",
        "comment": "fine",
    }
    detail = http.get(f"/workflows/run/{run_id}").json()
    assert (detail["status"], detail["outputs"]) == ("succeeded", events[-1]["data"]["outputs"])


def test_a_blocking_run_that_pauses_responds_at_once(http: httpx.Client) -> None:
    outcome = start(http, "blocking", pause="Refund?").json()["data"]
    assert (outcome["status"], outcome["outputs"], outcome["finished_at"]) == ("paused", {}, None)
    assert outcome["paused_nodes"] == ["ask"]
    (reason,) = outcome["reasons"]
    assert (reason["TYPE"], reason["form_content"]) == ("human_input_required", "Refund?")
    assert submit(http, reason["form_token"]).status_code == 200


@pytest.mark.parametrize("query", ["", "&include_state_snapshot=true&continue_on_pause=true"])
def test_the_events_after_a_pause_begin_with_its_resumption(query: str, either: Sandbox) -> None:
    with client_of(either) as http:
        either.traps.stream_idle_seconds = 30
        run_id, token = paused(http)
        with http.stream("GET", f"/workflow/{run_id}/events?user=u-1{query}") as response:
            lines = (line for line in response.iter_lines() if line)
            assert next(lines) == "event: ping"
            submit(http, token)
            events = list(events_in(lines))
    if query:
        shown = names(events).index("workflow_paused")
        assert names(events)[:2] == ["workflow_started", "node_started"]
        events = events[shown + 1 :]
    filled = ["human_input_form_filled"] if either.version == "1.14" else []
    assert names(events)[:2] == ["workflow_started", "node_started"]
    assert names(events)[2:-1] == [*filled, "node_finished", "node_started", "node_finished"]
    assert events[0]["data"]["reason"] == "resumption"
    if filled:
        assert "submitted_data" not in events[2]["data"]
        assert (events[2]["data"]["action_id"], events[2]["data"]["action_text"]) == ("approve", "Approve")
    outputs = next(event for event in events if event["event"] == "node_finished")["data"]["outputs"]
    values = {"__action_id": "approve", "__action_value": "Approve", "__rendered_content": "Refund?"}
    assert outputs == {"comment": "fine", **values}
    assert names(events)[-1] == "workflow_finished"


def test_a_paused_run_is_shown_by_a_snapshot_alone(either: Sandbox) -> None:
    with client_of(either) as http:
        run_id, token = paused(http)
        response = follow(http, run_id)
        assert events_of(response) == []
        assert response.text.startswith("event: ping")
        snapshot = events_of(follow(http, run_id, include_state_snapshot="true"))
        nodes = ["node_started", "node_finished"]
        assert names(snapshot) == ["workflow_started", *(3 * nodes), "human_input_required", "workflow_paused"]
        assert snapshot[0]["data"]["reason"] == "initial"
        for event in snapshot:
            if event["event"] == "node_finished":
                assert (event["data"]["inputs"], event["data"]["outputs"]) == (None, None)
        assert snapshot[-3]["data"]["status"] == "paused"
        assert snapshot[-2]["data"]["form_token"] == token
        assert ("approval_channels" in snapshot[-2]["data"]) == (either.version == "1.16")


def test_continue_on_pause_alone_pings_on_after_the_end(either: Sandbox) -> None:
    either.traps.ping_seconds = 0.02
    with client_of(either) as http:
        run_id, token = paused(http)
        with http.stream("GET", f"/workflow/{run_id}/events?user=u-1&continue_on_pause=true") as response:
            submit(http, token)
            frames = response.read().decode().split("\n\n")
    end = next(number for number, frame in enumerate(frames) if '"workflow_finished"' in frame)
    assert set(frames[end + 1 : -1]) == {"event: ping"}
    assert len(frames) - end > 3


def test_an_invalid_submission_is_refused_and_the_form_stays(http: httpx.Client) -> None:
    _, token = paused(http)
    for changes, code in (({"inputs": {}}, "invalid_form_data"), ({"user": ""}, "invalid_param")):
        response = submit(http, token, **changes)
        assert (response.status_code, response.json()["code"]) == (400, code)
    assert submit(http, token).status_code == 200


def test_a_form_without_a_submission_expires(sandbox: Sandbox, http: httpx.Client) -> None:
    def workflow(_inputs: dict[str, Any]) -> Iterator[Any]:
        return {"submission": (yield HumanForm("Quick!", expires_in=0.05))}

    sandbox.set_workflow(workflow)
    events = events_of(start(http))
    token = events[-2]["data"]["form_token"]
    rest = events_of(
        follow(http, events[0]["workflow_run_id"], include_state_snapshot="true", continue_on_pause="true")
    )
    assert rest[-1]["data"]["outputs"] == {"submission": None}
    assert ("human_input_form_timeout" in names(rest)) or len(rest) == 1  # it may have ended before
    response = submit(http, token)
    assert (response.status_code, response.json()["code"]) == (412, "human_input_form_expired")


def test_a_workflow_gets_the_submission_and_takes_its_time(sandbox: Sandbox, http: httpx.Client) -> None:
    got: list[FormSubmission] = []

    def workflow(_inputs: dict[str, Any]) -> Iterator[Any]:
        got.append((yield HumanForm("Go on?", inputs=[{"output_variable_name": "a"}], actions={"go": "Go"})))
        yield Wait(0.2)
        return {}

    sandbox.set_workflow(workflow)
    events = events_of(start(http))
    submit(http, events[-2]["data"]["form_token"], action="go", inputs={"a": 1, "b": 2})
    rest = events_of(follow(http, events[0]["workflow_run_id"]))
    assert got == [FormSubmission({"a": "1"}, "go")]  # a number becomes text, what the form does not have is dropped
    assert rest[-1]["data"]["elapsed_time"] >= 0.2


def test_a_stop_leaves_a_paused_run_as_it_is(http: httpx.Client) -> None:
    run_id, token = paused(http)
    events = events_of(follow(http, run_id, include_state_snapshot="true"))
    stop = http.post(f"/workflows/tasks/{events[0]['task_id']}/stop", json={"user": "u"})
    assert (stop.status_code, stop.json()) == (200, {"result": "success"})
    assert http.get(f"/workflows/run/{run_id}").json()["status"] == "paused"
    assert http.get(f"/form/human_input/{token}").status_code == 200
    assert submit(http, token).status_code == 200


def test_a_stopped_run_is_stored_as_such_by_1_16_alone(either: Sandbox) -> None:
    with client_of(either) as http:
        with http.stream("POST", "/workflows/run", json=RUN | {"inputs": {"query": "x", "seconds": NEVER}}) as response:
            events = events_in(response.iter_lines())
            started = next(events)
            http.post(f"/workflows/tasks/{started['task_id']}/stop", json={"user": "u"})
            *_, last = events
        assert last["data"]["status"] == "stopped"
        detail = http.get(f"/workflows/run/{started['workflow_run_id']}").json()
        found = http.get("/workflows/logs?status=stopped").json()["total"]
        end = events_of(follow(http, started["workflow_run_id"]))
    if either.version == "1.16":
        assert (detail["status"], detail["error"]) == ("stopped", "Aborted: User requested stop")
        assert detail["finished_at"] >= detail["created_at"]
        assert (found, end[0]["data"]["status"]) == (1, "stopped")
    else:
        assert (detail["status"], detail["finished_at"], found, end) == ("running", None, 0, [])


def test_a_paused_run_does_not_count_as_one_under_way(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.add_app("main", max_active_requests=2)
    paused(http)
    paused(http)


def test_a_streaming_run_counts_twice(either: Sandbox) -> None:
    either.add_app("main", max_active_requests=1)
    with client_of(either) as http:
        assert start(http).status_code == 400
        assert start(http, "blocking").json()["data"]["status"] == "succeeded"


def test_a_paused_run_ends_with_the_sandbox() -> None:
    with Sandbox(rows=0, version="1.14") as sandbox, client_of(sandbox) as http:
        paused(http)


# Events of a run -------------------------------------------------------------------------------------------------


def test_a_run_that_has_ended_gives_its_last_event(http: httpx.Client) -> None:
    events = events_of(start(http))
    response = follow(http, events[0]["workflow_run_id"], include_state_snapshot="true")
    (last,) = events_of(response)
    assert response.text.startswith('data: {"event": "workflow_finished", "task_id": ')
    assert last["task_id"] == last["workflow_run_id"] == events[-1]["workflow_run_id"]
    assert last["data"] == events[-1]["data"]


def test_a_running_run_can_be_followed_from_now_or_its_start(sandbox: Sandbox, http: httpx.Client) -> None:
    followed = threading.Event()

    def workflow(_inputs: dict[str, Any]) -> Iterator[Any]:
        yield "before"
        while not followed.is_set():
            yield Wait(0.02)
        yield "after"

    def texts(events: Iterable[dict[str, Any]]) -> list[str]:
        return [event["data"]["text"] for event in events if event["event"] == "text_chunk"]

    sandbox.set_workflow(workflow)
    body = {"inputs": {}, "response_mode": "streaming", "user": "u-1"}
    with http.stream("POST", "/workflows/run", json=body) as response:
        pieces = events_in(response.iter_lines())
        seen = [next(pieces) for _ in range(5)]
        assert texts(seen) == ["before"]
        run = f"/workflow/{seen[0]['workflow_run_id']}/events?user=u-1"
        with http.stream("GET", run) as now, http.stream("GET", f"{run}&include_state_snapshot=TRUE") as whole:
            lines = now.iter_lines(), whole.iter_lines()
            assert [next(stream) for stream in lines] == ["event: ping"] * 2
            followed.set()
            later, shown = (list(events_in(stream)) for stream in lines)
        rest = list(pieces)
        assert texts(later) == ["after"]  # there is no replay
        assert later == rest
        assert shown[4:] == rest
        assert names(shown)[:4] == ["workflow_started", "node_started", "node_finished", "node_started"]
        assert {shown[2]["data"][name] for name in ("inputs", "outputs", "process_data")} == {None}


def test_a_stored_run_gives_the_event_of_its_end(sandbox: Sandbox, http: httpx.Client) -> None:
    log = sandbox.add_log(status="failed", error="boom", session_id="u-9")
    assert log.run is not None
    (event,) = events_of(follow(http, log.run.id, user="u-9"))
    assert event["event"] == "workflow_finished"
    assert (event["data"]["status"], event["data"]["error"]) == ("failed", "boom")


def test_a_stored_run_without_a_worker_sends_only_pings(sandbox: Sandbox, http: httpx.Client) -> None:
    log = sandbox.add_log(status="running", session_id="u-9")
    assert log.run is not None
    sandbox.traps.ping_seconds = 0.02
    with http.stream("GET", f"/workflow/{log.run.id}/events?user=u-9") as response:
        lines = (line for line in response.iter_lines() if line)
        assert [next(lines) for _ in range(3)] == ["event: ping"] * 3


def test_a_run_is_followed_by_its_own_user_only(http: httpx.Client) -> None:
    run_id = start(http, "blocking").json()["workflow_run_id"]
    for id_, user, status in ((run_id, "u-2", 404), (str(uuid.uuid4()), "u-1", 404), ("no-uuid", "u-1", 500)):
        assert follow(http, id_, user=user).status_code == status
    response = http.get(f"/workflow/{run_id}/events")
    assert (response.status_code, response.json()["message"]) == (400, "Arg user must be provided.")


def test_head_does_not_wait_for_events(http: httpx.Client, sandbox: Sandbox) -> None:
    log = sandbox.add_log(status="running", session_id="u-9")
    assert log.run is not None
    response = http.head(f"/workflow/{log.run.id}/events?user=u-9")
    assert (response.status_code, response.content) == (200, b"")


# End users -------------------------------------------------------------------------------------------------------


def test_an_end_user_is_found_by_the_id_that_logs_have(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.add_logs([new_log(session_id="cust-7", created_at=1_795_384_475)])
    end_user = http.get("/workflows/logs").json()["data"][0]["created_by_end_user"]
    detail = http.get(f"/end-users/{end_user['id']}").json()
    assert {name: detail[name] for name in end_user} == end_user
    assert detail["app_id"] == sandbox.app().id
    assert detail["created_at"] == "2026-11-22T21:54:35"
    other = {"Authorization": f"Bearer {sandbox.keys['empty']}"}
    for id_, headers in ((str(uuid.uuid4()), {}), (end_user["id"], other)):
        response = http.get(f"/end-users/{id_}", headers=headers)
        assert (response.status_code, response.json()["code"]) == (404, "end_user_not_found")
    response = http.get("/end-users/cust-7")
    assert (response.status_code, response.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


# Versions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/workflow/{id}/events?user=u", "/form/human_input/{id}", "/end-users/{id}"])
def test_1_11_2_knows_none_of_it(path: str) -> None:
    with Sandbox(rows=0) as sandbox, client_of(sandbox) as http:
        response = http.get(path.replace("{id}", str(uuid.uuid4())))
        assert response.status_code == 404
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["X-Version"] == "1.11.2"
        names = [name for item in http.get("/parameters").json()["user_input_form"] for name in item.values()]
        assert "pause" not in {name["variable"] for name in names}


def test_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match=r"version must be one of 1\.11, 1\.11\.2, .*1\.16\.1, got '2\.0'"):
        Sandbox(rows=0, version="2.0")  # type: ignore[arg-type] # the point


@pytest.mark.parametrize(
    ("name", "number"),
    [("1.11", "1.11.2"), ("1.11.2", "1.11.2"), ("1.14", "1.14.2"), ("1.14.2", "1.14.2"), ("1.16", "1.16.1")],
)
def test_a_version_has_a_short_and_a_long_name(name: Any, number: str) -> None:
    with Sandbox(rows=0, version=name) as sandbox, client_of(sandbox) as http:
        assert http.get("/info").headers["X-Version"] == number
        assert sandbox.version == number.rpartition(".")[0]


# Queued runs -----------------------------------------------------------------------------------------------------


def test_a_queued_run_pings_once_until_a_worker_takes_it(either: Sandbox) -> None:
    either.traps.queue_delay, either.traps.ping_seconds, either.traps.stream_idle_seconds = 0.4, 0.02, 30
    with client_of(either) as http, http.stream("POST", "/workflows/run", json=RUN | QUERY) as response:
        lines = (line for line in response.iter_lines() if line)
        assert next(lines) == "event: ping"
        assert http.get("/workflows/logs").json()["total"] == 0  # it does not exist yet
        assert json.loads(next(lines)[6:])["event"] == "workflow_started"
        assert '"workflow_finished"' in list(lines)[-1]
    with Sandbox(rows=0) as old, client_of(old) as http:  # which has no queue
        old.traps.queue_delay = NEVER
        assert events_of(http.post("/workflows/run", json=RUN | QUERY))[-1]["event"] == "workflow_finished"


def test_a_stream_that_times_out_does_not_stop_its_run(either: Sandbox) -> None:
    either.traps.queue_delay, either.traps.stream_idle_seconds = 0.4, 0.1
    with client_of(either) as http:
        assert http.post("/workflows/run", json=RUN | QUERY).text == "event: ping\n\n"
        assert len(either.started_runs) == 1
        while not (found := http.get("/workflows/logs?status=succeeded").json()["data"]):
            threading.Event().wait(0.02)
        assert found[0]["workflow_run"]["id"] == either.started_runs[0].id


def test_a_blocking_run_does_not_wait_in_the_queue(either: Sandbox) -> None:
    either.traps.queue_delay = NEVER
    with client_of(either) as http:
        assert start(http, "blocking").json()["data"]["status"] == "succeeded"


REFUSED = [
    ({"inputs": {}}, "query is required in input form"),
    ({"inputs": {"query": "x" * 257}}, "query in input form must be less than 256 characters"),
    ({"inputs": {"query": "x"}, "files": [{"transfer_method": "local_file"}]}, "Invalid upload file id"),
]


@pytest.mark.parametrize(("body", "message"), REFUSED)
def test_a_worker_that_refuses_inputs_fails_or_stays_silent(
    body: dict[str, Any], message: str, either: Sandbox
) -> None:
    with client_of(either) as http:
        blocking = http.post("/workflows/run", json={**RUN, **body, "response_mode": "blocking"})
        assert (blocking.status_code, blocking.json()["message"]) == (400, message)
        response = http.post("/workflows/run", json=RUN | body)
        assert response.text.startswith("event: ping\n\n")
        events = events_of(response)
        if either.version == "1.14":
            assert response.text == "event: ping\n\n"
        else:
            assert names(events) == ["workflow_started", "workflow_finished"]
            finished = events[1]["data"]
            assert (finished["status"], finished["error"], finished["created_by"]) == ("failed", message, {})
            assert http.get(f"/workflows/run/{finished['id']}").status_code == 404
        assert http.get("/workflows/logs").json()["total"] == 0
        assert either.started_runs == ()


def test_an_unknown_run_is_a_404_with_a_message(either: Sandbox) -> None:
    with client_of(either) as http:
        response = http.get(f"/workflows/run/{uuid.uuid4()}")
    assert (response.status_code, response.json()["message"]) == (404, "Workflow run not found.")


# Forms with several kinds of fields -------------------------------------------------------------------------------

FIELDS = [
    {"type": "select", "output_variable_name": "size", "option_source": {"type": "constant", "value": ["S", "L"]}},
    {"type": "file", "output_variable_name": "proof", "allowed_file_types": ["image"]},
    {"type": "file-list", "output_variable_name": "more", "number_limits": 1},
    {
        "type": "paragraph",
        "output_variable_name": "why",
        "default": {"type": "variable", "selector": ["start", "query"], "value": ""},
    },
]
PICTURE = {"type": "image", "transfer_method": "remote_url", "url": "https://x.test/a.png"}
FITTING = {"size": "S", "proof": PICTURE, "more": [], "why": "because"}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"size": "S"}, "Missing required inputs: proof, more, why"),
        ({**FITTING, "size": "M"}, "Invalid value for select input 'size': M"),
        ({**FITTING, "size": 1}, "Invalid value for select input 'size': expected string"),
        ({**FITTING, "proof": None}, "Invalid value for file input 'proof': expected mapping"),
        ({**FITTING, "proof": {}}, "Invalid value for file input 'proof': unsupported file type"),
        (
            {**FITTING, "proof": {**PICTURE, "type": "audio"}},
            "Invalid value for file input 'proof': file is not allowed by config",
        ),
        ({**FITTING, "more": PICTURE}, "Invalid value for file list input 'more': expected list"),
        ({**FITTING, "more": [1]}, "Invalid value for file list input 'more': expected list of mappings"),
        ({**FITTING, "more": [PICTURE] * 2}, "Invalid value for file list input 'more': exceeds number limit"),
    ],
)
def test_the_fields_of_a_form_are_checked(inputs: dict[str, Any], message: str, either: Sandbox) -> None:
    def workflow(_inputs: dict[str, Any]) -> Iterator[Any]:
        submission = yield HumanForm("Which?", inputs=FIELDS, actions={"ok": "OK"})
        return dict(submission.inputs)

    either.set_workflow(workflow)
    with client_of(either) as http:
        outcome = start(http, "blocking").json()["data"]
        token = outcome["reasons"][0]["form_token"]
        assert http.get(f"/form/human_input/{token}").json()["resolved_default_values"] == {"why": "hello"}
        refused = submit(http, token, action="ok", inputs=inputs)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_form_data")
        assert refused.json()["message"] == message
        assert submit(http, token, action="ok", inputs={**FITTING, "extra": 1}).json() == {}


QUERY = {"inputs": {"query": "hello"}}

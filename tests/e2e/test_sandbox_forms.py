"""What newer servers have besides: runs that pause for a form, the events of a run, and end users."""

import json
import threading
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest

from dify_workflow.testing import FormSubmission, HumanForm, Sandbox, Wait, new_log

NEVER = 3000  # seconds


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0, version="1.14") as sandbox:
        yield sandbox


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    with httpx.Client(base_url=sandbox.base_url, headers=headers, timeout=30) as http:
        yield http


def events_of(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    frames = [frame for frame in answer.text.split("\n\n") if frame and frame != "event: ping"]
    return [json.loads(frame.removeprefix("data: ")) for frame in frames]


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


def test_a_run_pauses_shows_its_form_and_goes_on_with_what_is_filled_in(http: httpx.Client) -> None:
    run_id, token = paused(http)
    assert http.get("/workflows/logs").json()["data"][0]["workflow_run"]["status"] == "paused"
    form = http.get(f"/form/human_input/{token}").json()
    assert form["form_content"] == "Refund?"
    assert [field["output_variable_name"] for field in form["inputs"]] == ["comment"]
    assert [action["id"] for action in form["user_actions"]] == ["approve", "reject"]

    answer = submit(http, token)
    assert (answer.status_code, answer.json()) == (200, {})
    events = events_of(follow(http, run_id))
    assert events[-1]["data"]["outputs"] == {
        "answer": "hello",
        "document": None,
        "action": "approve",
        "comment": "fine",
    }
    detail = http.get(f"/workflows/run/{run_id}").json()
    assert (detail["status"], detail["outputs"]) == ("succeeded", events[-1]["data"]["outputs"])


def test_a_blocking_run_that_pauses_answers_at_once(http: httpx.Client) -> None:
    outcome = start(http, "blocking", pause="Refund?").json()["data"]
    assert (outcome["status"], outcome["outputs"], outcome["finished_at"]) == ("paused", {}, None)


def test_the_events_after_a_pause_begin_with_its_resumption(http: httpx.Client) -> None:
    run_id, token = paused(http)
    with http.stream("GET", f"/workflow/{run_id}/events?user=u-1&continue_on_pause=true") as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("data"))
        assert json.loads(next(lines)[6:])["event"] == "workflow_paused"  # where it stands
        submit(http, token)
        events = [json.loads(line[6:]) for line in lines]
    assert names(events)[:3] == ["workflow_started", "human_input_form_filled", "node_finished"]
    assert events[0]["data"]["reason"] == "resumption"
    assert events[1]["data"]["submitted_data"] == {"comment": "fine"}
    assert (events[1]["data"]["action_id"], events[1]["data"]["action_text"]) == ("approve", "Approve")
    assert names(events)[-1] == "workflow_finished"


def test_a_stream_without_continue_on_pause_ends_with_the_pause(http: httpx.Client) -> None:
    run_id, _ = paused(http)
    assert names(events_of(follow(http, run_id))) == ["workflow_paused"]
    snapshot = events_of(follow(http, run_id, include_state_snapshot="true"))
    assert names(snapshot)[0] == "workflow_started"
    assert snapshot[0]["data"]["reason"] == "initial"
    assert names(snapshot)[-1] == "workflow_paused"


def test_a_form_is_submitted_once(http: httpx.Client) -> None:
    _, token = paused(http)
    assert submit(http, token).status_code == 200
    for answer in (submit(http, token), http.get(f"/form/human_input/{token}")):
        assert (answer.status_code, answer.json()["code"]) == (412, "human_input_form_submitted")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"action": "explode"}, "invalid_form_data"),
        ({"action": None}, "invalid_param"),
        ({"inputs": "fine"}, "invalid_param"),
        ({"user": ""}, "invalid_param"),
    ],
)
def test_a_submission_that_does_not_fit_is_refused_and_the_form_stays_open(
    changes: dict[str, object], code: str, http: httpx.Client
) -> None:
    _, token = paused(http)
    answer = submit(http, token, **changes)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert submit(http, token).status_code == 200


def test_a_form_of_another_app_or_of_none_is_unknown(sandbox: Sandbox, http: httpx.Client) -> None:
    _, token = paused(http)
    other = {"Authorization": f"Bearer {sandbox.keys['empty']}"}
    for answer in (
        http.get(f"/form/human_input/{token}", headers=other),
        http.get("/form/human_input/no-such-token"),
        submit(http, "no-such-token"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_form_that_nobody_answers_expires_and_the_run_goes_on_without(sandbox: Sandbox, http: httpx.Client) -> None:
    def workflow(_inputs: dict[str, Any]) -> Iterator[Any]:
        return {"submission": (yield HumanForm("Quick!", expires_in=0.05))}

    sandbox.set_workflow(workflow)
    events = events_of(start(http))
    token = events[-2]["data"]["form_token"]
    rest = events_of(
        follow(http, events[0]["workflow_run_id"], include_state_snapshot="true", continue_on_pause="true")
    )
    assert rest[-1]["data"]["outputs"] == {"submission": None}
    answer = submit(http, token)
    assert (answer.status_code, answer.json()["code"]) == (412, "human_input_form_expired")


def test_a_workflow_gets_the_submission_and_still_takes_its_time_afterwards(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    got: list[FormSubmission] = []

    def workflow(_inputs: dict[str, Any]) -> Iterator[Any]:
        got.append((yield HumanForm("Go on?", actions={"go": "Go"})))
        yield Wait(0.2)
        return {}

    sandbox.set_workflow(workflow)
    events = events_of(start(http))
    submit(http, events[-2]["data"]["form_token"], action="go", inputs={"a": 1})
    rest = events_of(follow(http, events[0]["workflow_run_id"]))
    assert got == [FormSubmission({"a": 1}, "go")]
    assert rest[-1]["data"]["elapsed_time"] >= 0.2


def test_a_paused_run_can_be_stopped(http: httpx.Client) -> None:
    run_id, _ = paused(http)
    events = events_of(follow(http, run_id, include_state_snapshot="true"))
    http.post(f"/workflows/tasks/{events[0]['task_id']}/stop", json={"user": "u"})
    rest = events_of(follow(http, run_id, continue_on_pause="true"))
    assert rest[-1]["data"]["status"] == "stopped"


def test_a_paused_run_does_not_count_as_one_under_way(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.add_app("main", max_active_requests=1)
    paused(http)
    paused(http)


def test_a_paused_run_ends_with_the_sandbox() -> None:
    with Sandbox(rows=0, version="1.14") as sandbox, sandbox_client(sandbox) as http:
        paused(http)


def sandbox_client(sandbox: Sandbox) -> httpx.Client:
    return httpx.Client(base_url=sandbox.base_url, headers={"Authorization": f"Bearer {sandbox.api_key}"})


# Events of a run -------------------------------------------------------------------------------------------------


def test_a_run_that_has_ended_gives_its_last_event(http: httpx.Client) -> None:
    events = events_of(start(http))
    assert events_of(follow(http, events[0]["workflow_run_id"])) == events[-1:]


def test_a_run_under_way_can_be_followed_from_now_or_from_its_start_on(sandbox: Sandbox, http: httpx.Client) -> None:
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
    with http.stream("POST", "/workflows/run", json=body) as answer:
        pieces = (json.loads(line[6:]) for line in answer.iter_lines() if line)
        seen = [next(pieces) for _ in range(5)]
        assert texts(seen) == ["before"]
        run = f"/workflow/{seen[0]['workflow_run_id']}/events?user=u-1"
        with http.stream("GET", run) as now, http.stream("GET", f"{run}&include_state_snapshot=TRUE") as whole:
            followed.set()
            now.read()
            whole.read()
        assert events_of(whole) == [*seen, *pieces]
        assert texts(events_of(now)) == ["after"]


def test_a_stored_run_gives_the_event_of_its_end(sandbox: Sandbox, http: httpx.Client) -> None:
    log = sandbox.add_log(status="failed", error="boom", session_id="u-9")
    assert log.run is not None
    (event,) = events_of(follow(http, log.run.id, user="u-9"))
    assert event["event"] == "workflow_finished"
    assert (event["data"]["status"], event["data"]["error"]) == ("failed", "boom")


def test_a_stored_run_that_nobody_works_at_gives_nothing_but_pings(sandbox: Sandbox, http: httpx.Client) -> None:
    log = sandbox.add_log(status="running", session_id="u-9")
    assert log.run is not None
    sandbox.traps.ping_seconds = 0.02
    with http.stream("GET", f"/workflow/{log.run.id}/events?user=u-9") as answer:
        lines = (line for line in answer.iter_lines() if line)
        assert [next(lines) for _ in range(3)] == ["event: ping"] * 3


def test_a_run_is_followed_by_its_own_user_only(http: httpx.Client) -> None:
    run_id = start(http, "blocking").json()["workflow_run_id"]
    for id_, user, status in ((run_id, "u-2", 404), (str(uuid.uuid4()), "u-1", 404), ("no-uuid", "u-1", 404)):
        assert follow(http, id_, user=user).status_code == status
    answer = http.get(f"/workflow/{run_id}/events")
    assert (answer.status_code, answer.json()["message"]) == (400, "Arg user must be provided.")


def test_head_does_not_wait_for_events(http: httpx.Client, sandbox: Sandbox) -> None:
    log = sandbox.add_log(status="running", session_id="u-9")
    assert log.run is not None
    answer = http.head(f"/workflow/{log.run.id}/events?user=u-9")
    assert (answer.status_code, answer.content) == (200, b"")


# End users -------------------------------------------------------------------------------------------------------


def test_an_end_user_is_found_by_the_id_that_logs_have(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.add_logs([new_log(session_id="cust-7", created_at=1_795_384_475)])
    end_user = http.get("/workflows/logs").json()["data"][0]["created_by_end_user"]
    detail = http.get(f"/end-users/{end_user['id']}").json()
    assert {name: detail[name] for name in end_user} == end_user
    assert detail["app_id"] == sandbox.app().id
    assert detail["created_at"] == "2026-11-22T21:54:35+00:00"
    for unknown in (str(uuid.uuid4()), "no-uuid"):
        answer = http.get(f"/end-users/{unknown}")
        assert (answer.status_code, answer.json()["code"]) == (404, "end_user_not_found")


# Versions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/workflow/{id}/events?user=u", "/form/human_input/{id}", "/end-users/{id}"])
def test_1_11_2_knows_none_of_it(path: str) -> None:
    with Sandbox(rows=0) as sandbox, sandbox_client(sandbox) as http:
        answer = http.get(path.replace("{id}", str(uuid.uuid4())))
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["X-Version"] == "1.11.2"
        names = [name for item in http.get("/parameters").json()["user_input_form"] for name in item.values()]
        assert "pause" not in {name["variable"] for name in names}


def test_the_newer_server_says_which_it_is(http: httpx.Client) -> None:
    for answer in (http.get("/workflows/logs"), http.get("/nope")):
        assert answer.headers["X-Version"] == "1.14.2"


def test_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match=r"version must be one of 1\.11\.2, 1\.14, got '2\.0'"):
        Sandbox(rows=0, version="2.0")  # type: ignore[arg-type] # the point

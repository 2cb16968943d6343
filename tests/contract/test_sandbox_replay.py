"""The requests that a real Dify 1.11.2 got are sent to the sandbox, and the responses are compared.

The rows that the real server had are put into the sandbox as far as its responses show them; what they leave open (the
inputs and outputs of runs, rows that no response lists) is filled in so that each filter finds what it found there.
"""

import dataclasses
import functools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from support.recordings import (
    app_of,
    compare_bodies,
    compare_responses,
    load_recordings,
    replaced,
    row_of,
    shape,
    ties_aside,
)

from dify_workflow._http.library import httpx
from dify_workflow.testing import (
    AccountRow,
    EndUserRow,
    LogRow,
    NextNode,
    RunRow,
    Sandbox,
    StreamError,
    Wait,
    new_log,
)

RECORDINGS = load_recordings("recordings")
REPLAYED = list(RECORDINGS)
ON_LOGS = [name for name in REPLAYED if RECORDINGS[name]["request"]["path"].endswith("/workflows/logs")]

# Ids of the real server's apps and workflows, and whose they were.
WORKFLOW_IDS = {"8cc5e2c0-5323-44b6-a08a-3332f17414f6": "main", "9d74cb55-1f3f-43bf-961e-a6bff17219e1": "bulk"}
DRAFT_IDS = {"439eb4ee-3a84-44ce-9311-e973ae5a7f3d": "main"}
APP_IDS = {"ecf628eb-f46d-4154-abf2-7052857a482d": "main", "de4179a7-09a7-433d-b6dc-190d9b8f5473": "limited"}

BULK_TOTAL = 25_000
CROWDED_SECOND = int(datetime(2026, 10, 25, 1, 48, tzinfo=UTC).timestamp())
CROWD = 350


# The responses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPLAYED)
def test_the_sandbox_responds_as_the_real_server_did(name: str, sandbox: Sandbox, http: httpx.Client) -> None:
    recorded = RECORDINGS[name]["response"]
    with prepared(http, sandbox, name):
        response = send(http, sandbox, name)
    body = with_sandbox_ids(recorded["body"], sandbox)
    compare_responses(response, recorded, body, functools.partial(compare, name))
    if RECORDINGS[name]["request"]["method"] == "HEAD":
        assert response.headers["Content-Length"] == recorded["headers"]["Content-Length"]
        assert response.content == b""


def with_sandbox_ids(text: str, sandbox: Sandbox) -> str:
    ids = {id_: sandbox.app(app).workflow_id for id_, app in WORKFLOW_IDS.items()}
    ids |= {id_: sandbox.app(app).draft_workflow_id for id_, app in DRAFT_IDS.items()}
    return replaced(text, ids | {id_: sandbox.app(app).id for id_, app in APP_IDS.items()})


def compare(name: str, response: dict[str, Any], recorded: dict[str, Any]) -> None:
    if name in ON_LOGS:
        assert list(response) == list(recorded)
        compare_pages(name, response, recorded)
        return
    compare_bodies(RECORDINGS[name]["request"], response, recorded)
    if "workflow_run_id" in response:
        assert response["workflow_run_id"] == response["data"]["id"]


def compare_pages(name: str, response: dict[str, Any], recorded: dict[str, Any]) -> None:
    assert (response["page"], response["limit"]) == (recorded["page"], recorded["limit"])
    assert len(response["data"]) == len(recorded["data"])
    assert response["has_more"] == recorded["has_more"] == (response["total"] > response["page"] * response["limit"])
    for item in response["data"]:
        assert_has_a_recorded_shape(item)
    seconds = [item["created_at"] for item in response["data"]]
    assert seconds == sorted(seconds, reverse=True)
    if app_of(RECORDINGS[name]) == "bulk":
        # The table has as many rows, but most of them are not the real ones.
        exact = recorded["total"] in {0, 1, CROWD, BULK_TOTAL}
        assert response["total"] == recorded["total"] if exact else response["total"] > 0
        if recorded["total"] == 1:
            assert response["data"] == recorded["data"]
        return
    assert response["total"] == recorded["total"]
    assert [item["created_at"] for item in recorded["data"]] == seconds
    if len(recorded["data"]) == recorded["total"]:  # of a part, ties leave open which rows it shows
        assert ties_aside(response["data"]) == ties_aside(recorded["data"])


def assert_has_a_recorded_shape(value: object, path: str = "data[]") -> None:
    assert shape(value) in SHAPES[path], f"{path}: no recording has {shape(value)}"
    if isinstance(value, dict):
        for key, child in value.items():
            assert_has_a_recorded_shape(child, f"{path}.{key}")


def recorded_shapes() -> dict[str, set[object]]:
    shapes: dict[str, set[object]] = {}

    def learn(value: object, path: str) -> None:
        shapes.setdefault(path, set()).add(shape(value))
        if isinstance(value, dict):
            for key, child in value.items():
                learn(child, f"{path}.{key}")

    for name in ON_LOGS:
        for item in recorded_items(name):
            learn(item, "data[]")
    # No recording shows these nulls; they were measured apart.
    shapes["data[].workflow_run"].add(type(None))
    return shapes


# The requests ----------------------------------------------------------------------------------------------------


def send(http: httpx.Client, sandbox: Sandbox, name: str) -> httpx.Response:
    request = RECORDINGS[name]["request"]
    headers = {
        # `strip`: httpx sends no header value with a blank at its end, and HTTP would drop it
        header: re.sub(r"<key:([\w-]+)>", lambda match: sandbox.keys[sandbox_app(name, match[1])], value).strip()
        for header, value in request["headers"].items()
    }
    path = with_sandbox_ids(request["path"], sandbox)
    url = f"http://127.0.0.1:{sandbox.port}{path}" + (f"?{request['query']}" if request["query"] else "")
    body = request["body"]
    if isinstance(body, dict):
        return http.request(request["method"], url, headers=headers, **form_of(name, body["multipart"]))
    return http.request(request["method"], url, headers=headers, content=body)


def form_of(name: str, parts: list[str]) -> dict[str, Any]:
    """Give a recorded form, whose parts are written as curl's options are: `file=@a.txt;type=text/plain`."""
    response = RECORDINGS[name]["response"]
    size = 15 * 1024 * 1024 + 1 if response["status"] == 413 else json.loads(response["body"]).get("size", 11)
    files: dict[str, Any] = {}
    for part in parts:
        key, value = part.split("=", 1)
        if value.startswith("@"):
            filename, _, content_type = value[1:].partition(";type=")
            files[key] = (filename, b"x" * size, content_type or "text/plain")
        else:
            files[key] = (None, value)  # a plain field; httpx makes a form of several parts only of `files`
    return {"files": files}


def sandbox_app(name: str, app: str) -> str:
    if app == "empty" and name == "auth-no-tenant-owner":  # the same key, before its workspace had an owner
        return "ownerless"
    return app


def test_there_are_recordings_to_replay() -> None:
    assert len(REPLAYED) > 190


# The rows --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0) as sandbox:
        for app in {app_of(RECORDINGS[name]) for name in RECORDINGS} - set(sandbox.keys) - {None}:
            sandbox.add_app(app)
        sandbox.add_app("main", description=recorded_body("app-info-main")["description"])
        sandbox.add_app(
            "unpublished", published=False, description=recorded_body("app-info-unpublished")["description"]
        )
        sandbox.add_app("limited", max_active_requests=1)
        sandbox.add_logs(bulk_rows(), app="bulk")
        sandbox.set_workflow(lab_workflow, form=recorded_body("app-parameters-main")["user_input_form"])
        sandbox.set_workflow(broken_workflow, app="broken")
        sandbox.set_workflow(endless_workflow, app="limited")
        sandbox.traps.ping_seconds = 0.05
        yield sandbox


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client() as http:
        yield http


def recorded_body(name: str) -> dict[str, Any]:
    return json.loads(RECORDINGS[name]["response"]["body"])


def lab_workflow(inputs: dict[str, Any]) -> Iterator[Any]:
    """Do what the recorded app did; only that its slow node is not so slow."""
    yield inputs["query"]
    yield "\n"
    if inputs["mode"] == "fail":
        yield NextNode("fail_http", "http-request")
        raise ConnectionRefusedError(111, "Connection refused")
    if inputs["mode"] == "slow":
        yield NextNode("slow_http", "http-request")
        yield Wait(0.2)
        yield "200"
        return {"answer": inputs["query"], "status_code": 200}
    yield ""
    return {"answer": inputs["query"], "note": inputs["note"]}


def broken_workflow(inputs: dict[str, Any]) -> Iterator[Any]:
    yield StreamError(recorded_body("run-broken-graph-blocking")["message"])


def endless_workflow(inputs: dict[str, Any]) -> Iterator[Any]:
    yield Wait(3600)


@contextmanager
def prepared(http: httpx.Client, sandbox: Sandbox, name: str) -> Iterator[None]:
    """Put the sandbox into the state that the real server was in when this was recorded."""
    if name in ON_LOGS and app_of(RECORDINGS[name]) == "main":
        key = {"Authorization": f"Bearer {sandbox.api_key}"}
        while items := http.get(f"{sandbox.base_url}/workflows/logs?limit=100", headers=key).json()["data"]:
            sandbox.delete_logs(item["id"] for item in items)
        sandbox.add_logs(main_rows(name))
    if name.startswith("rundetail-") and RECORDINGS[name]["response"]["status"] == 200:
        add_run(
            sandbox,
            str(app_of(RECORDINGS[name])),
            json.loads(with_sandbox_ids(RECORDINGS[name]["response"]["body"], sandbox)),
        )
    if not name.startswith("ratelimit-"):
        yield
        return
    key = {"Authorization": f"Bearer {sandbox.keys['limited']}"}
    body = {"inputs": {}, "user": "u", "response_mode": "streaming"}
    with http.stream("POST", f"{sandbox.base_url}/workflows/run", headers=key, json=body) as stream:
        frame = next(stream.iter_lines())
        yield
        stop = f"{sandbox.base_url}/workflows/tasks/{json.loads(frame[6:])['task_id']}/stop"
        http.post(stop, headers=key, json={"user": "u"})


def add_run(sandbox: Sandbox, app: str, detail: dict[str, Any]) -> None:
    """Store a run as its recorded detail shows it; without a log, as a run for debugging has none."""
    if detail["id"] is None:
        return
    log = new_log(run_id=detail["id"])
    assert log.run is not None
    log = dataclasses.replace(log, run=dataclasses.replace(log.run, **detail))
    sandbox.add_logs([log], app=app)
    sandbox.delete_logs([log.id])


def recorded_items(name: str) -> list[dict[str, Any]]:
    response = RECORDINGS[name]["response"]
    if name not in ON_LOGS or response["status"] != 200 or not response["body"]:
        return []
    return json.loads(response["body"])["data"]


def recorded_total(name: str) -> int | None:
    """How many rows there were, if the recording tells: it does when nothing was filtered."""
    request, response = RECORDINGS[name]["request"], RECORDINGS[name]["response"]
    if response["status"] != 200 or not response["body"] or not re.fullmatch(r"(limit=\d+)?", request["query"]):
        return None
    return json.loads(response["body"])["total"]


def main_rows(name: str) -> list[LogRow]:
    """Give what the app's logs were at the time of this recording: what later ones show had not happened yet."""
    now = parsedate_to_datetime(RECORDINGS[name]["response"]["headers"]["Date"]).timestamp()
    known: dict[str, dict[str, Any]] = {}
    for other in sorted(ON_LOGS, key=lambda other: other == name):  # the recording itself has the last word
        if app_of(RECORDINGS[other]) == "main":
            items = recorded_items(other)
            known |= {item["id"]: item for item in items if other == name or item["created_at"] <= now}
    rows = [row_of(item, **texts(*main_texts(item))) for item in known.values()]
    missing = (recorded_total(name) or 0) - len(rows)
    return rows + [older_row(f"1{number:07}", number, 1_795_380_000, "hello", "") for number in range(missing)]


def main_texts(item: dict[str, Any]) -> tuple[str, str]:
    """Give query and response of a run of `main`; the recordings' notes and the run details tell them."""
    session = (item["created_by_end_user"] or {}).get("session_id")
    if item["created_from"] == "web-app":
        return "webapp call", "ok"
    queries = {
        "stopper": "to be stopped",
        "streamer": "你好, world",
        "üser-中": 'café 😀 中文 100%_x "q" back\\slash',
        "rec-user": "hello 中文",
    }
    query = queries.get(session or "", "hello")
    return query, query


BULK_QUERIES = ("order {n}", "给我订单的中文说明 {n}", "100%_done {n}", 'order "{n}" \\ more')


def bulk_rows() -> Iterator[LogRow]:
    known = {
        item["id"]: item for name in ON_LOGS if app_of(RECORDINGS[name]) == "bulk" for item in recorded_items(name)
    }
    crowd = sum(item["created_at"] == CROWDED_SECOND for item in known.values())
    missing = BULK_TOTAL - len(known)
    for number, item in enumerate(known.values()):
        yield row_of(item, **texts(BULK_QUERIES[number % 4].replace("{n}", str(number)), "answered"))
    for number in range(missing):
        query = BULK_QUERIES[number % 4].replace("{n}", str(number))
        second = CROWDED_SECOND if number < CROWD - crowd else 1_790_201_348 + number * 200
        yield older_row(f"0{number:07}", number, second, query, "answered")


SESSIONS = ("cust-0042", "DEFAULT-USER", "cust-0007", "用户-一")
OWNER = AccountRow("df1bb060-ca61-412b-ab5d-117d97c32d67", "Lab Owner", "owner@example.com")
NIGHT = AccountRow("aaaaaaaa-0000-4000-8000-000000000001", "Zoë 运维", "ops+dify@example.com")
STATUSES = ("succeeded", "failed", "stopped", "partial-succeeded", "running")


def older_row(prefix: str, number: int, second: int, query: str, response: str) -> LogRow:
    member = (OWNER, NIGHT)[number // 10 % 2] if number % 10 == 0 else None
    session = SESSIONS[number % len(SESSIONS)]
    return LogRow(
        id=f"{prefix}-0000-4000-8000-000000000000",
        created_at=second,
        run=RunRow(
            id=f"{prefix}-0000-4000-9000-000000000000",
            version="2026-11-22 21:52:45.055986",
            status=STATUSES[number // 7 % len(STATUSES)],
            created_at=second,
            finished_at=second,
            **texts(query, response),
        ),
        created_from="service-api" if member is None else "installed-app",
        created_by_role="end_user" if member is None else "account",
        creator=member or EndUserRow.of(session),
    )


def texts(query: str, response: str) -> dict[str, str]:
    return {
        "inputs": json.dumps({"query": query, "sys.files": [], "sys.user_id": "x"}),
        "outputs": json.dumps({"answer": response}),
    }


SHAPES = recorded_shapes()

"""What a real Dify 1.11.2 was asked is asked of the sandbox, and the two answers are held side by side.

The rows that the real server had are put into the sandbox as far as its answers show them; what they leave open (the
inputs and outputs of runs, rows that no answer lists) is filled in so that each filter finds what it found there.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from dify_workflow.testing import AccountRow, EndUserRow, LogRow, RunRow, Sandbox

RECORDINGS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[1] / "recordings").glob("*.json"))
}

# Operations that the sandbox does not serve yet, by the beginnings of their recordings' names. Whoever adds one to
# the sandbox takes its line from here: a test below fails until then.
NOT_YET_SERVED = {
    "app-": "GET /info, /parameters, /meta, /site",
    "auth-advanced-chat-app-run-detail": "GET /workflows/run/{workflow_run_id}",
    "auth-chat-app-run": "POST /workflows/run and GET /workflows/run/{workflow_run_id}",
    "datasets-": "GET /datasets, for keys of another kind",
    "files-": "POST /files/upload",
    "messages-": "GET /messages, for apps of other modes",
    "ratelimit-": "POST /workflows/run",
    "run-": "POST /workflows/run",
    "runbyid-": "POST /workflows/{workflow_id}/run",
    "rundetail-": "GET /workflows/run/{workflow_run_id}",
    "stop-": "POST /workflows/tasks/{task_id}/stop",
}
WAITING = [name for name in RECORDINGS if name.startswith(tuple(NOT_YET_SERVED))]
REPLAYED = [name for name in RECORDINGS if name not in WAITING]

BULK_TOTAL = 25_000
CROWDED_SECOND = int(datetime(2026, 10, 25, 1, 48, tzinfo=UTC).timestamp())
CROWD = 350

JSON = "application/json"


# The answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPLAYED)
def test_the_sandbox_answers_as_the_real_server_did(name: str, sandbox: Sandbox, http: httpx.Client) -> None:
    recorded = RECORDINGS[name]["response"]
    prepare(http, sandbox, name)
    answer = send(http, sandbox, name)

    assert answer.status_code == recorded["status"]
    assert relevant(answer.headers) == relevant(httpx.Headers(recorded["headers"]))
    if recorded["headers"]["Content-Type"] != JSON:
        assert not recorded["body"] or answer.text.startswith("<!doctype html>")
    elif recorded["status"] >= 400:
        assert answer.text == recorded["body"]  # to the byte: the order of the keys differs among errors
    elif recorded["body"]:
        compare_pages(name, json.loads(answer.text), json.loads(recorded["body"]))
        assert answer.text == json.dumps(json.loads(answer.text)) + "\n"
    if RECORDINGS[name]["request"]["method"] == "HEAD":
        assert answer.headers["Content-Length"] == recorded["headers"]["Content-Length"]
        assert answer.content == b""


def relevant(headers: httpx.Headers) -> dict[str, str]:
    names = (
        "Access-Control-Allow-Origin",
        "Access-Control-Expose-Headers",
        "Allow",
        "Content-Type",
        "WWW-Authenticate",
        "X-Env",
        "X-Version",
    )
    found = {name: headers[name] for name in names if name in headers}
    if "Allow" in found:
        found["Allow"] = ", ".join(sorted(found["Allow"].split(", ")))
    if "Location" in headers:
        found["Location"] = httpx.URL(headers["Location"]).path
    return found


def compare_pages(name: str, answer: dict[str, Any], recorded: dict[str, Any]) -> None:
    assert list(answer) == list(recorded)
    assert (answer["page"], answer["limit"]) == (recorded["page"], recorded["limit"])
    assert len(answer["data"]) == len(recorded["data"])
    assert answer["has_more"] == recorded["has_more"] == (answer["total"] > answer["page"] * answer["limit"])
    for item in answer["data"]:
        assert_has_a_recorded_shape(item)
    seconds = [item["created_at"] for item in answer["data"]]
    assert seconds == sorted(seconds, reverse=True)
    if app_of(name) == "bulk":
        # The table has as many rows, but most of them are not the real ones.
        exact = recorded["total"] in {0, 1, CROWD, BULK_TOTAL}
        assert answer["total"] == recorded["total"] if exact else answer["total"] > 0
        if recorded["total"] == 1:
            assert answer["data"] == recorded["data"]
        return
    assert answer["total"] == recorded["total"]
    assert [item["created_at"] for item in recorded["data"]] == seconds
    if len(recorded["data"]) == recorded["total"]:  # of a part, ties leave open which rows it shows
        assert ties_aside(answer["data"]) == ties_aside(recorded["data"])


def ties_aside(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=lambda item: (-item["created_at"], item["id"]))


def assert_has_a_recorded_shape(value: object, path: str = "data[]") -> None:
    assert shape(value) in SHAPES[path], f"{path}: no recording has {shape(value)}"
    if isinstance(value, dict):
        for key, child in value.items():
            assert_has_a_recorded_shape(child, f"{path}.{key}")


def shape(value: object) -> object:
    return tuple(value) if isinstance(value, dict) else type(value)


def recorded_shapes() -> dict[str, set[object]]:
    shapes: dict[str, set[object]] = {}

    def learn(value: object, path: str) -> None:
        shapes.setdefault(path, set()).add(shape(value))
        if isinstance(value, dict):
            for key, child in value.items():
                learn(child, f"{path}.{key}")

    for name in REPLAYED:
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
    url = f"http://127.0.0.1:{sandbox.port}{request['path']}" + (f"?{request['query']}" if request["query"] else "")
    body = request["body"] if isinstance(request["body"], str | None) else json.dumps(request["body"])
    return http.request(request["method"], url, headers=headers, content=body)


def sandbox_app(name: str, app: str) -> str:
    if app == "empty" and name == "auth-no-tenant-owner":  # the same key, before its workspace had an owner
        return "ownerless"
    return app


def app_of(name: str) -> str | None:
    match = re.search(r"<key:([\w-]+)>", " ".join(RECORDINGS[name]["request"]["headers"].values()))
    return match and match[1]


def test_every_recording_is_replayed_or_named_as_waiting() -> None:
    assert set(REPLAYED) | set(WAITING) == set(RECORDINGS)
    assert len(REPLAYED) > 120
    for beginning in NOT_YET_SERVED:
        assert any(name.startswith(beginning) for name in RECORDINGS), f"no recording begins with {beginning}"
    logs = [name for name, recording in RECORDINGS.items() if recording["request"]["path"] == "/v1/workflows/logs"]
    assert set(logs) <= set(REPLAYED)


@pytest.mark.parametrize("name", WAITING)
def test_what_is_named_as_waiting_is_not_served(name: str, sandbox: Sandbox, http: httpx.Client) -> None:
    answer = send(http, sandbox, name)
    assert answer.status_code == 404, f"{name} can be replayed now: take it from NOT_YET_SERVED"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


# The rows --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0) as sandbox:
        for app in {app_of(name) for name in RECORDINGS} - set(sandbox.keys) - {None}:
            sandbox.add_app(app)
        sandbox.add_logs(bulk_rows(), app="bulk")
        yield sandbox


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client() as http:
        yield http


def prepare(http: httpx.Client, sandbox: Sandbox, name: str) -> None:
    """Put the app `main` into the state that it was in when this was recorded."""
    if app_of(name) != "main":
        return
    key = {"Authorization": f"Bearer {sandbox.api_key}"}
    while items := http.get(f"{sandbox.base_url}/workflows/logs?limit=100", headers=key).json()["data"]:
        sandbox.delete_logs(item["id"] for item in items)
    sandbox.add_logs(main_rows(name))


def recorded_items(name: str) -> list[dict[str, Any]]:
    response = RECORDINGS[name]["response"]
    if response["status"] != 200 or not response["body"]:
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
    for other in sorted(REPLAYED, key=lambda other: other == name):  # the recording itself has the last word
        if app_of(other) == "main":
            items = recorded_items(other)
            known |= {item["id"]: item for item in items if other == name or item["created_at"] <= now}
    rows = [row_of(item, *main_texts(item)) for item in known.values()]
    missing = (recorded_total(name) or 0) - len(rows)
    return rows + [older_row(f"1{number:07}", number, 1_795_380_000, "hello", "") for number in range(missing)]


def main_texts(item: dict[str, Any]) -> tuple[str, str]:
    """Give query and answer of a run of `main`; the recordings' notes and the run details tell them."""
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
    known = {item["id"]: item for name in REPLAYED if app_of(name) == "bulk" for item in recorded_items(name)}
    crowd = sum(item["created_at"] == CROWDED_SECOND for item in known.values())
    missing = BULK_TOTAL - len(known)
    for number, item in enumerate(known.values()):
        yield row_of(item, BULK_QUERIES[number % 4].replace("{n}", str(number)), "answered")
    for number in range(missing):
        query = BULK_QUERIES[number % 4].replace("{n}", str(number))
        second = CROWDED_SECOND if number < CROWD - crowd else 1_790_201_348 + number * 200
        yield older_row(f"0{number:07}", number, second, query, "answered")


SESSIONS = ("cust-0042", "DEFAULT-USER", "cust-0007", "用户-一")
OWNER = AccountRow("df1bb060-ca61-412b-ab5d-117d97c32d67", "Lab Owner", "owner@example.com")
NIGHT = AccountRow("aaaaaaaa-0000-4000-8000-000000000001", "Zoë 运维", "ops+dify@example.com")
STATUSES = ("succeeded", "failed", "stopped", "partial-succeeded", "running")


def older_row(prefix: str, number: int, second: int, query: str, answer: str) -> LogRow:
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
            **texts(query, answer),
        ),
        created_from="service-api" if member is None else "installed-app",
        created_by_role="end_user" if member is None else "account",
        creator=member or EndUserRow.of(session),
    )


def row_of(item: dict[str, Any], query: str, answer: str) -> LogRow:
    run, user, account = item["workflow_run"], item["created_by_end_user"], item["created_by_account"]
    return LogRow(
        id=item["id"],
        created_at=item["created_at"],
        run=run and RunRow(**run, **texts(query, answer)),
        created_from=item["created_from"],
        created_by_role=item["created_by_role"],
        creator=(user and EndUserRow(user["id"], user["type"], user["session_id"]))
        or (account and AccountRow(**account)),
    )


def texts(query: str, answer: str) -> dict[str, str]:
    return {
        "inputs": json.dumps({"query": query, "sys.files": [], "sys.user_id": "x"}),
        "outputs": json.dumps({"answer": answer}),
    }


SHAPES = recorded_shapes()

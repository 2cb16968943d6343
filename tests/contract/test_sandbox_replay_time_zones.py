"""Real 1.11.2 servers whose displayed times and filters differ: their recordings, replayed with the matching traps."""

import json
import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from support.recordings import CHANCE, compare_all_but, compare_streams, load_recordings, relevant

from dify_workflow._http.library import httpx
from dify_workflow.testing import EndUserRow, LogRow, NextNode, RunRow, Sandbox

RECORDINGS = load_recordings("recordings-time-zones")
HOUR = 3600
# How far ahead of the true time a displayed one is, in seconds, and whether those of runs are as well.
SHIFTS = {
    "notzset-Shanghai": (-8 * HOUR, True),
    "pgbouncer-db-Shanghai": (8 * HOUR, False),
    "pgbouncer-db-New_York": (-5 * HOUR, False),
}
# What the sandbox does not do: a shift that began lately leaves the logs of before as they are.
NOT_COMPARED = {
    "pgbouncer-db-Shanghai-logs-newest": "logs that were stored before the pooler was there are displayed without shift"
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0) as sandbox:
        yield sandbox


@pytest.mark.parametrize("name", sorted(RECORDINGS))
def test_shifted_servers_are_shown_as_they_were(name: str, sandbox: Sandbox) -> None:
    place = next(place for place in SHIFTS if name.startswith(place))
    request, recorded = RECORDINGS[name]["request"], RECORDINGS[name]["response"]
    sandbox.set_workflow(lab_workflow, form=FORM)
    sandbox.traps.displayed_time_shift, sandbox.traps.shift_all_times = SHIFTS[place]
    sandbox.add_logs([newest_log(place, sandbox)])

    response = httpx.request(
        request["method"],
        f"http://127.0.0.1:{sandbox.port}{request['path']}?{request['query']}",
        headers={"Authorization": f"Bearer {sandbox.api_key}", "Content-Type": "application/json"},
        content=request["body"],
    )

    assert response.status_code == recorded["status"]
    assert relevant(response.headers) == relevant(httpx.Headers(recorded["headers"]))
    body = with_ids_of(sandbox, recorded["body"])
    if "run-stream" in name:
        compare_streams(response.text, body)
        assert spread_of_times(response.text, response.headers["Date"]) == spread_of_times(
            body, recorded["headers"]["Date"]
        )
    elif "logs" in name:
        compare_newest(name, response.json(), json.loads(body))
    else:
        left_out = CHANCE if request["method"] == "POST" else set()
        compare_all_but(left_out, response.json(), json.loads(body))


def compare_newest(name: str, response: dict[str, Any], recorded: dict[str, Any]) -> None:
    """Compare the newest log; the sandbox has no other."""
    assert response["data"] == recorded["data"][:1]
    if name not in NOT_COMPARED:
        assert len(response["data"]) == len(recorded["data"])
    assert (response["total"] > 0) == (recorded["total"] > 0)


def spread_of_times(stream: str, date: str) -> set[int]:
    """Give by how many hours the times of a stream are ahead of the time of its response."""
    true = parsedate_to_datetime(date).timestamp()
    return {round((int(second) - true) / HOUR) for second in re.findall(r'"created_at":(\d+)', stream)}


def newest_log(place: str, sandbox: Sandbox) -> LogRow:
    """Give the newest log of a server with its true times."""
    item = json.loads(RECORDINGS[f"{place}-logs-newest"]["response"]["body"])["data"][0]
    detail = json.loads(with_ids_of(sandbox, RECORDINGS[f"{place}-rundetail"]["response"]["body"]))
    shift, of_runs = SHIFTS[place]
    run = {**item["workflow_run"], **{key: detail[key] for key in ("inputs", "outputs", "workflow_id")}}
    for key in ("created_at", "finished_at"):
        run[key] -= shift if of_runs else 0
    user = item["created_by_end_user"]
    return LogRow(
        id=item["id"],
        created_at=item["created_at"] - shift,
        run=RunRow(**run),
        created_from=item["created_from"],
        created_by_role=item["created_by_role"],
        creator=EndUserRow(user["id"], user["type"], user["session_id"]),
    )


def with_ids_of(sandbox: Sandbox, text: str) -> str:
    app = sandbox.app()
    text = text.replace("9d4f2272-a247-4ede-a0dd-ab75097527ee", app.id)
    return text.replace("0386aa81-e58e-42f3-9d21-b67716ea6aad", app.workflow_id)


FORM = [
    {kind: {"variable": name, "required": name == "query"}}
    for name, kind in {
        "query": "text-input",
        "mode": "text-input",
        "seconds": "number",
        "doc": "file",
        "docs": "file-list",
        "n": "number",
    }.items()
]


def lab_workflow(inputs: dict[str, Any]) -> Iterator[Any]:
    query = inputs["query"]
    yield query
    yield "\n"
    yield NextNode("get", "http-request")
    body = json.dumps({"slept": "0", "q": query})
    yield from (body, "\n", "", "\n", "")
    return {"answer": query, "body": body, "doc": None, "docs": None}

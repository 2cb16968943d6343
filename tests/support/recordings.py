"""Recorded exchanges with real servers: reading them, and comparing what the sandbox responds with them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dify_workflow import DifyError
from dify_workflow._http.library import httpx
from dify_workflow.testing import AccountRow, EndUserRow, LogRow, RunRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from support.clients import Driver, Story

Body = dict[str, Any]


def load_recordings(folder: str) -> dict[str, dict[str, Any]]:
    """Return the exchanges of a folder beside this file by their names."""
    paths = sorted((Path(__file__).parents[1] / folder).glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def replaced(text: str, ids: dict[str, str]) -> str:
    """A recorded text with the sandbox's ids and keys."""
    for recorded, ours in ids.items():
        text = text.replace(recorded, ours)
    return text


def app_of(recording: Body) -> str | None:
    """The app whose key the recorded request has."""
    match = re.search(r"<key:([\w-]+)>", " ".join(recording["request"]["headers"].values()))
    return match and match[1]


def row_of(item: Body, **run: str) -> LogRow:
    """The row of a log of a recorded page; of its run, the page does not tell all."""
    user, account = item["created_by_end_user"], item["created_by_account"]
    return LogRow(
        id=item["id"],
        created_at=item["created_at"],
        run=item["workflow_run"] and RunRow(**item["workflow_run"], **run),
        created_from=item["created_from"],
        created_by_role=item["created_by_role"],
        creator=(user and EndUserRow(user["id"], user["type"], user["session_id"]))
        or (account and AccountRow(**account)),
    )


def compare_responses(
    response: httpx.Response,
    recorded: Body,
    body: str,
    compare: Callable[[Body, Body], None],
    *,
    certain: Callable[[str], str] = str,
) -> None:
    """Compare a response with the recorded one, whose body has the sandbox's ids by now; of an error, what is certain.

    `compare` is given the values of two bodies of JSON.
    """
    assert response.status_code == recorded["status"], response.text
    assert relevant(response.headers) == relevant(httpx.Headers(recorded["headers"]))
    kind = recorded["headers"]["Content-Type"]
    if kind.startswith("text/html"):
        assert not body or response.text.startswith("<!doctype html>")
    elif kind.startswith("text/event-stream"):
        compare_streams(response.text, body)
    elif recorded["status"] >= 400:
        assert certain(response.text) == certain(body)  # to the byte: the order of the keys differs among errors
    elif body:
        compare(json.loads(response.text), json.loads(body))
        end = "\n" if body.endswith("\n") else ""  # the response of a blocking run has none
        assert response.text == json.dumps(json.loads(response.text)) + end


def compare_bodies(request: Body, response: Body, recorded: Body) -> None:
    """Compare what is no page of logs: all but what another server or run has of its own."""
    path = request["path"]
    assert list(response) == list(recorded)
    if path.endswith("/run") and request["method"] == "POST":
        compare_all_but(CHANCE, response["data"], recorded["data"])
    elif path == "/v1/files/upload":
        compare_all_but({"id", "created_by", "created_at", "source_url", "tenant_id"}, response, recorded)
        assert url_form(response["source_url"]) == url_form(recorded["source_url"])
    elif path in {"/v1/info", "/v1/site"}:  # names are the apps' own
        compare_all_but({"name", "author_name", "title"}, response, recorded)
    else:
        assert response == recorded


def ties_aside(items: list[Body]) -> list[Body]:
    return sorted(items, key=lambda item: (-item["created_at"], item["id"]))


def relevant(headers: httpx.Headers) -> dict[str, str]:
    names = (
        "Access-Control-Allow-Origin",
        "Access-Control-Expose-Headers",
        "Allow",
        "Cache-Control",
        "Content-Type",
        "Vary",
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


# What differs from one run to the next.
CHANCE = {"id", "task_id", "workflow_run_id", "created_at", "finished_at", "elapsed_time", "created_by"}
CHANCE |= {"sys.workflow_run_id", "sys.timestamp", "form_id", "form_token", "expiration_time"}
CHANCE |= {"reference", "related_id"}


def compare_all_but(left_out: set[str], response: dict[str, Any], recorded: dict[str, Any]) -> None:
    """Compare two objects: the same keys in the same order, with values of the same types or, mostly, the same."""
    assert list(response) == list(recorded)
    for key, value in recorded.items():
        if key in left_out:
            assert shape(response[key]) == shape(value), key
        else:
            compare_values(left_out, response[key], value, key)


def compare_values(left_out: set[str], response: Any, recorded: Any, key: str) -> None:
    if isinstance(recorded, dict) and isinstance(response, dict):
        compare_all_but(left_out, response, recorded)
    elif isinstance(recorded, list) and isinstance(response, list):
        assert len(response) == len(recorded), key
        for item, other in zip(response, recorded, strict=True):
            compare_values(left_out, item, other, key)
    elif isinstance(recorded, str) and "/file-preview?" in recorded:
        assert url_forms(response) == url_forms(recorded)
    else:
        assert response == recorded, key


def url_form(url: str) -> str:
    """Give a URL with its host, its id and the values of its parameters left out."""
    path = re.sub("[0-9a-f-]{36}", "", httpx.URL(url).raw_path.decode())
    return re.sub(r"=[^&]*", "=", path)


def url_forms(text: str) -> str:
    return re.sub(r"https?://[^\s)]+", lambda match: url_form(match[0]), text)


def compare_streams(response: str, recorded: str) -> None:
    assert response.endswith("\n\n")
    assert set(pings(response)) == set(pings(recorded))
    assert response.startswith("event: ping") == recorded.startswith("event: ping")
    ours, theirs = events_of(response), events_of(recorded)
    assert [event["event"] for event in ours] == [event["event"] for event in theirs]
    for event, other in zip(ours, theirs, strict=True):
        left_out = CHANCE.copy()
        if event["event"].startswith("node_"):
            # What a node is called and what it looks at is the workflow's own; the server's part is compared.
            left_out |= {"node_id", "node_type", "title"}
            for name in {"inputs", "outputs", "process_data", "files"} & event["data"].keys():
                event["data"][name] = other["data"][name] = None
        if event["event"] == "text_chunk":
            left_out.add("from_variable_selector")
        compare_all_but(left_out, event, other)


def pings(text: str) -> list[str]:
    return [frame for frame in text.split("\n\n") if frame and not frame.startswith("data: ")]


def events_of(text: str) -> list[dict[str, Any]]:
    lines = [frame.removeprefix("data: ") for frame in text.split("\n\n") if frame.startswith("data: ")]
    events = [json.loads(line) for line in lines]
    # Compact, and with every character as it is; or both not, as the last event of a run that has ended is sent.
    compact = [json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events]
    assert lines in (compact, [json.dumps(event) for event in events])
    return events


def shape(value: object) -> object:
    return tuple(value) if isinstance(value, dict) else type(value)


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that comes in pieces of a few bytes, which cut characters and events."""

    def __init__(self, body: bytes, size: int = 7) -> None:
        self._pieces = [body[at : at + size] for at in range(0, len(body), size)]

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def exchanged(driver: Driver, recording: dict[str, Any], story: Story) -> tuple[Any, httpx.Request]:
    """What a call gives, or the error that it raises, when it is responded to as recorded; and what it sent."""
    sent: list[httpx.Request] = []
    response = recording["response"]
    left_out = {"content-length", "transfer-encoding", "connection"}  # of the recording's connection, not of this one

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        headers = [(name, value) for name, value in response["headers"].items() if name.lower() not in left_out]
        return httpx.Response(response["status"], headers=headers, stream=Pieces((response["body"] or "").encode()))

    options = {"http": {"transport": httpx.MockTransport(take)}, "max_retries": 0}
    try:
        outcome = driver.play("http://127.0.0.1:1", story, **options)
    except DifyError as error:
        outcome = error
    [request] = sent
    return outcome, request

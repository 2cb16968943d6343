"""Recorded exchanges with real servers: reading them, and comparing what the sandbox responds with them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from dify_workflow._http.library import httpx


def load_recordings(folder: str) -> dict[str, dict[str, Any]]:
    """Return the exchanges of a folder beside this file by their names."""
    paths = sorted((Path(__file__).parents[1] / folder).glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


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


def compare_all_but(left_out: set[str], answer: dict[str, Any], recorded: dict[str, Any]) -> None:
    """Compare two objects: the same keys in the same order, with values of the same types or, mostly, the same."""
    assert list(answer) == list(recorded)
    for key, value in recorded.items():
        if key in left_out:
            assert shape(answer[key]) == shape(value), key
        else:
            compare_values(left_out, answer[key], value, key)


def compare_values(left_out: set[str], answer: Any, recorded: Any, key: str) -> None:
    if isinstance(recorded, dict) and isinstance(answer, dict):
        compare_all_but(left_out, answer, recorded)
    elif isinstance(recorded, list) and isinstance(answer, list):
        assert len(answer) == len(recorded), key
        for item, other in zip(answer, recorded, strict=True):
            compare_values(left_out, item, other, key)
    elif isinstance(recorded, str) and "/file-preview?" in recorded:
        assert url_forms(answer) == url_forms(recorded)
    else:
        assert answer == recorded, key


def url_form(url: str) -> str:
    """Give a URL with its host, its id and the values of its parameters left out."""
    path = re.sub("[0-9a-f-]{36}", "", httpx.URL(url).raw_path.decode())
    return re.sub(r"=[^&]*", "=", path)


def url_forms(text: str) -> str:
    return re.sub(r"https?://[^\s)]+", lambda match: url_form(match[0]), text)


def compare_streams(answer: str, recorded: str) -> None:
    assert answer.endswith("\n\n")
    assert set(pings(answer)) == set(pings(recorded))
    assert answer.startswith("event: ping") == recorded.startswith("event: ping")
    ours, theirs = events_of(answer), events_of(recorded)
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

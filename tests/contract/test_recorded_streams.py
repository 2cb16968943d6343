"""Streams of newer real servers, played to both clients: every event is given, and they end as the run did."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.clients import EACH_DRIVER, Driver
from support.recordings import load_recordings

from dify_workflow import models
from dify_workflow._http.library import httpx
from dify_workflow.results import WorkflowRunDetail

KIND = "text/event-stream"


def recorded_streams() -> dict[str, dict[str, Any]]:
    return {
        f"{version}/{name}": one
        for version in ("1.14.2", "1.16.1")
        for name, one in load_recordings(f"recordings-{version}").items()
        if one["response"]["headers"].get("Content-Type", "").startswith(KIND)
    }


STREAMS = recorded_streams()


def test_both_newer_versions_and_both_operations_are_recorded():
    assert {"1.14.2/run-stream-ok", "1.14.2/events-finished", "1.16.1/form-run-stream-paused"} <= set(STREAMS)


@EACH_DRIVER
@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("content_type", ["text/event-stream; charset=utf-8", "application/octet-stream"])
def test_recorded_streams_are_given_whole(driver: Driver, name: str, content_type: str):
    request, response = STREAMS[name]["request"], STREAMS[name]["response"]
    body = response["body"].encode()
    sent = [json.loads(line[6:]) for line in response["body"].splitlines() if line.startswith("data: ")]

    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": content_type}, content=body)

    async def story(client: Any) -> None:
        if request["method"] == "GET":
            events = client.runs.events(request["path"].split("/")[3], user="u-1")
        else:
            events = client.runs.stream(json.loads(request["body"])["inputs"], user="u-1")
        async with events:
            seen = [one async for one in events]
        assert [one.to_dict() for one in seen] == sent
        assert models.WorkflowEvent not in {type(one) for one in seen}
        assert seen[-1].event in {"workflow_finished", "workflow_paused"}
        assert (events.result is None) == (seen[-1].event == "workflow_paused")
        assert events.workflow_run_id == sent[-1]["workflow_run_id"]
        assert not events.inputs_refused

    driver.play("http://127.0.0.1:1", story, http={"transport": httpx.MockTransport(respond)})


def test_stored_inputs_become_the_inputs_that_were_sent():
    recording = STREAMS["1.16.1/run-file-stream"]
    [started] = [line for line in recording["response"]["body"].splitlines() if '"event":"workflow_started"' in line]
    stored = json.loads(started[6:])["data"]["inputs"]
    detail = WorkflowRunDetail.from_dict({"id": "r", "inputs": json.dumps(stored)})
    assert detail.inputs_for_rerun() == json.loads(recording["request"]["body"])["inputs"]
    assert detail.files_for_rerun() is None

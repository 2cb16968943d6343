"""Streams of a run that waits for a person, on the sandbox of a newer server: they end where nothing can follow."""

from __future__ import annotations

from typing import Any

from fault_server import KEY
from halves import EACH_HALF, Half

from dify_workflow.testing import Sandbox


@EACH_HALF
def test_streams_end_at_a_pause_and_go_on_when_asked_to(half: Half):
    async def story(client: Any) -> None:
        async with client.runs.stream({"query": "hello", "pause": "Refund?"}, user="u-1") as events:
            started = [one async for one in events]
        assert [one.event for one in started][-2:] == ["human_input_required", "workflow_paused"]
        assert events.result is None
        run, token = events.workflow_run_id, started[-2].data.form_token

        async with client.runs.events(run, user="u-1") as events:
            seen = [one.event async for one in events]
        assert (seen[0], seen[-1]) == ("workflow_started", "workflow_paused")

        async with client.runs.events(run, user="u-1", continue_on_pause=True) as events:
            while (await anext(events)).event != "workflow_paused":
                pass
            await client.forms.submit(token, inputs={"comment": "fine"}, action="approve", user="u-2")
            rest = [one.event async for one in events]
        assert rest[-1] == "workflow_finished"
        assert events.result.data.outputs["comment"] == "fine"

        async with client.runs.events(run, user="u-1") as events:
            assert [one.event async for one in events] == ["workflow_finished"]

    with Sandbox(rows=0, version="1.14", api_key=KEY) as sandbox:
        half.play(sandbox.base_url, story, max_retries=0)

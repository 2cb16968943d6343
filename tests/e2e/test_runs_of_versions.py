"""What server versions do differently with runs, streams and files, on the sandbox of each."""

from __future__ import annotations

from typing import Any

import pytest
from support.clients import EACH_DRIVER, Driver
from support.fault_server import KEY

from dify_workflow import APITimeoutError, BadRequestError, NotFoundError
from dify_workflow.testing import Sandbox

NAMES = ["a.pptx", "a.xml", "a.py", "a.odt", "A.PDF", "a.png", "a.mp3", "a.bin", "a", ".pdf"]


@EACH_DRIVER
def test_streams_end_at_a_pause_and_go_on_when_asked_to(driver: Driver):
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
        driver.play(sandbox.base_url, story, max_retries=0)


@EACH_DRIVER
@pytest.mark.parametrize("version", ["1.11", "1.16"])
def test_each_upload_is_accepted_and_can_be_sent_again(driver: Driver, version: Any):
    async def story(client: Any) -> None:
        for name in NAMES:
            upload = await client.files.upload(b"x", user="u-1", filename=name)
            first = await client.runs.run({"query": name, "document": upload, "documents": [upload]}, user="u-1")
            detail = await client.runs.get(first.workflow_run_id)
            assert detail.inputs["document"] != upload.as_input()
            again = await client.runs.run(detail.inputs_for_rerun(), user="u-1", files=detail.files_for_rerun())
            assert (first.status, again.status) == ("succeeded", "succeeded")
            assert (await client.runs.get(again.workflow_run_id)).inputs_for_rerun() == detail.inputs_for_rerun()

    with Sandbox(rows=0, version=version, api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)


@EACH_DRIVER
def test_another_type_is_refused_with_the_call_to_try(driver: Driver):
    async def story(client: Any) -> None:
        upload = await client.files.upload(b"x", user="u-1", filename="a.pptx")
        with pytest.raises(BadRequestError, match=r"inputs\['document'\] as 'document'.*as_input\(type='custom'\)"):
            await client.runs.run({"query": "hi", "document": upload.as_input("document")}, user="u-1")

    with Sandbox(rows=0, version="1.16", api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)


@EACH_DRIVER
def test_wrong_inputs_of_a_stream_are_recognised(driver: Driver):
    async def refused(client: Any) -> None:
        with pytest.raises(BadRequestError, match="query is required"):
            async with client.runs.stream({}, user="u-1"):
                pass

    async def made_up(client: Any) -> None:
        async with client.runs.stream({}, user="u-1") as events:
            assert [one.event async for one in events] == ["workflow_started", "workflow_finished"]
        assert events.inputs_refused
        assert "query is required" in events.result.data.error
        with pytest.raises(NotFoundError):
            await client.runs.get(events.workflow_run_id)

    for version, story in (("1.11", refused), ("1.16", made_up)):
        with Sandbox(rows=0, version=version, api_key=KEY) as sandbox:
            driver.play(sandbox.base_url, story)


@EACH_DRIVER
def test_a_queued_run_is_waited_for_or_found_later(driver: Driver):
    async def story(client: Any) -> None:
        async with client.runs.stream({"query": "hi"}, user="u-1") as events:
            assert [one.event async for one in events][-1] == "workflow_finished"
        with pytest.raises(APITimeoutError, match="still be executed"):
            async with client.runs.stream({"query": "hi"}, user="u-2", timeout=0.3) as events:
                _ = [one async for one in events]
        assert (await client.logs.list(created_by_end_user_session_id="u-2")).total == 0
        while (await client.logs.list(created_by_end_user_session_id="u-2", status="succeeded")).total == 0:
            pass

    with Sandbox(rows=0, version="1.14", api_key=KEY) as sandbox:
        sandbox.traps.queue_delay = 1.0
        driver.play(sandbox.base_url, story)

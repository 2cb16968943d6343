"""`runs.rerun`: an earlier run's inputs and files, started again."""

from __future__ import annotations

from typing import Any

import pytest
from support.clients import EACH_DRIVER, Driver
from support.fault_server import KEY

from dify_workflow import NotFoundError
from dify_workflow.testing import Sandbox

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@EACH_DRIVER
@pytest.mark.parametrize("version", ["1.11", "1.16"])
def test_a_rerun_has_the_inputs_and_files_of_the_earlier_run(driver: Driver, version: Any):
    async def story(client: Any) -> None:
        upload = await client.files.upload(b"x", user="u-1", filename="a.pdf")
        first = await client.runs.run({"query": "hi", "documents": [upload]}, user="u-1", files=[upload])
        second = await client.runs.rerun(first.workflow_run_id, user="u-1")
        assert second.workflow_run_id != first.workflow_run_id
        assert second.outputs["answer"] == first.outputs["answer"] == "hi"
        before, after = [await client.runs.get(one.workflow_run_id) for one in (first, second)]
        assert after.inputs_for_rerun() == before.inputs_for_rerun()
        assert after.files_for_rerun() == before.files_for_rerun()

    with Sandbox(rows=0, version=version, api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)
        assert len(sandbox.started_runs) == 2


@EACH_DRIVER
def test_nothing_is_started_for_what_cannot_be_rerun(driver: Driver):
    async def story(client: Any) -> None:
        with pytest.raises(NotFoundError):
            await client.runs.rerun(UNKNOWN, user="u-1")
        for run_id, user in ((UNKNOWN, ""), ("no-uuid", "u-1")):
            with pytest.raises(ValueError, match=r"user|workflow_run_id"):
                await client.runs.rerun(run_id, user=user)

    with Sandbox(rows=0, api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)
        assert sandbox.started_runs == ()
        assert len(sandbox.requests) == 1

"""What responses to runs and forms come to, beyond what the contract tests state of every operation."""

from __future__ import annotations

from typing import Any

import pytest
from support.clients import EACH_DRIVER, Driver

from dify_workflow import (
    APIResponseError,
    NotFoundError,
    WorkflowRunError,
    models,
)
from dify_workflow._http.library import httpx

RUN, TASK = "fa4cf86e-b841-4148-a141-7c32afcb82ce", "81c9d9a1-06c0-4d87-9e87-6a34202965f1"


async def run(client: Any) -> Any:
    return await client.runs.run({"query": "流"}, user="u-1")


async def submit(client: Any) -> Any:
    return await client.forms.submit("token", inputs={"ok": True}, action="approve", user="u-1")


# --- runs.run ---------------------------------------------------------------------------------------------------------


def responded(driver: Driver, action: Any, status: int, body: Any) -> Any:
    """What an action gives when the server responds so."""
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    return driver.call("http://127.0.0.1:1", driver.action(action), http={"transport": transport}, max_retries=0)


def outcome(**data: Any) -> dict[str, Any]:
    return {"task_id": TASK, "workflow_run_id": RUN, "data": {"id": RUN, "outputs": {}, "error": None} | data}


@EACH_DRIVER
def test_a_run_that_failed_is_a_result(driver: Driver):
    result = responded(driver, run, 200, outcome(status="failed", error="boom"))
    assert (result.status, result.error, result.outputs) == ("failed", "boom", {})
    assert isinstance(result, models.WorkflowRunResponse)
    with pytest.raises(WorkflowRunError, match=f"the run {RUN} failed: boom"):
        result.raise_for_status()


# --- runs.get ---------------------------------------------------------------------------------------------------------

FIELDS = ["id", "workflow_id", "status", "inputs", "outputs", "error", "total_steps", "total_tokens"]
FIELDS += ["created_at", "finished_at", "elapsed_time"]


@EACH_DRIVER
@pytest.mark.parametrize(
    "body",
    [dict.fromkeys(FIELDS), {"id": None}, dict.fromkeys([*FIELDS, "new"])],
    ids=["1.11", "the id alone", "one field more"],
)
def test_an_unknown_run_is_not_found_and_named_in_the_error(driver: Driver, body: dict[str, Any]):
    with pytest.raises(NotFoundError) as caught:
        responded(driver, lambda client: client.runs.get(RUN), 200, body)
    error = caught.value
    assert str(error) == (
        f"GET /v1/workflows/run/{RUN}: 200, there is no run {RUN} in this app; "
        "of a log, `workflow_run.id` is the run's id, and `id` is the log's own (127.0.0.1:1)"
    )
    assert (error.status_code, error.code, error.body) == (200, "not_found", body)
    assert error.message.startswith(f"there is no run {RUN} in this app; ")


@EACH_DRIVER
@pytest.mark.parametrize("name", FIELDS)
def test_a_run_of_which_anything_is_known_is_found(driver: Driver, name: str):
    body = dict.fromkeys(FIELDS) | {name: 0}
    assert responded(driver, lambda client: client.runs.get(RUN), 200, body).to_dict() == body


@EACH_DRIVER
@pytest.mark.parametrize("body", [{}, [None]], ids=repr)
def test_a_body_that_is_not_a_run_is_refused(driver: Driver, body: Any):
    with pytest.raises(APIResponseError):
        responded(driver, lambda client: client.runs.get(RUN), 200, body)


# --- forms ------------------------------------------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize("body", [{}, None, [], {"result": "success"}], ids=repr)
def test_a_form_that_was_taken_is_nothing_to_tell_of(driver: Driver, body: Any):
    assert responded(driver, submit, 200, body) is None

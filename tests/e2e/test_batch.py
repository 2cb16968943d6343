"""`runs.batch`: each row is started once, whatever happens, and the journal has what is known of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_DRIVER, Driver
from support.fault_server import (
    KEY,
    FaultServer,
    error_response,
    event_stream,
    json_response,
    log_page,
    refusing_origin,
    reset,
    respond,
    sse,
)
from support.killed_batches import KilledBatch, check_batch
from support.leaks import nothing_left_open

from dify_workflow import APIConnectionError, AuthenticationError
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from dify_workflow.types import BatchItem

RUN = "fa4cf86e-b841-4148-a141-7c32afcb82ce"
STARTED = {"event": "workflow_started", "task_id": "t-1", "workflow_run_id": RUN, "data": {"id": RUN}}
FINISHED = {
    **STARTED,
    "event": "workflow_finished",
    "data": {"id": RUN, "status": "succeeded", "outputs": {"a": 1}, "total_tokens": 7},
}
DETAIL = {"id": RUN, "status": "succeeded", "inputs": "{}", "outputs": '{"a": 1}', "total_tokens": 7}
NO_LOG = json_response(200, {"page": 1, "limit": 1, "total": 0, "has_more": False, "data": []})
RAN = event_stream(sse(STARTED), sse(FINISHED))
CUT = event_stream()
GONE = error_response(404, "not_found", "x")
EACH_VERSION = pytest.mark.parametrize("version", ["1.11", "1.16"])


def rows(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"query": f"row {number}", **more} for number in range(count)]


async def items_of(client: Any, given: Any, journal: Path, **options: Any) -> list[BatchItem]:
    return [item async for item in client.runs.batch(given, user="batch", journal=journal, **options)]


def played(driver: Driver, server: Any, given: Any, journal: Path, **options: Any) -> list[BatchItem]:
    """The items of a batch, by their numbers."""

    async def story(client: Any) -> list[BatchItem]:
        return await items_of(client, given, journal, **options)

    return sorted(driver.play(server.base_url, story), key=lambda item: item.index)


def events_in(journal: Path, row: int = 0) -> list[str]:
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    return [line["event"] for line in lines if line.get("row") == row]


@EACH_DRIVER
@EACH_VERSION
def test_each_row_is_started_once_and_has_an_item(driver: Driver, version: Any, tmp_path: Path):
    given = rows(20)
    given[3]["fail"] = "quota"

    async def story(client: Any) -> None:
        batch = client.runs.batch(given, user="batch", journal=tmp_path / "j")
        found = sorted([item async for item in batch], key=lambda item: item.index)
        assert [item.inputs for item in found] == given
        assert (batch.total, batch.done, batch.failed, batch.running, batch.at_once) == (20, 20, 1, 0, 8)
        assert "total=20, done=20, failed=1" in repr(batch)
        assert (found[3].status, found[3].error) == ("failed", "quota")
        assert (found[4].status, found[4].outputs["answer"], found[4].error) == ("succeeded", "row 4", None)
        assert (await client.runs.get(found[4].run_id)).status == "succeeded"
        sandbox.clear_requests()
        assert sorted(await items_of(client, iter(given), tmp_path / "j"), key=lambda item: item.index) == found
        assert await items_of(client, given, tmp_path / "j", in_order=True) == found
        assert sandbox.requests == ()

    with Sandbox(rows=0, version=version, api_key=KEY) as sandbox, nothing_left_open():
        driver.play(sandbox.base_url, story)


def test_each_row_has_a_user_of_its_own_or_all_have_one(tmp_path: Path):
    with Sandbox(rows=0) as sandbox, sandbox.client() as client:
        list(client.runs.batch(rows(3), user="b", journal=tmp_path / "j"))
        batch = json.loads((tmp_path / "j").read_text().splitlines()[0])["batch"]
        assert sorted(run.user for run in sandbox.started_runs) == [f"b/{batch}/{number}" for number in range(3)]
        sandbox.clear_requests()
        list(client.runs.batch(rows(3), user="b", journal=tmp_path / "k", one_user=True))
        assert [run.user for run in sandbox.started_runs] == ["b"] * 3


def test_items_come_as_runs_end_or_in_the_order_of_rows(tmp_path: Path):
    given = [{"query": "slow", "seconds": 0.8}, *rows(3)]
    with Sandbox(rows=0) as sandbox, sandbox.client() as client:
        assert [item.index for item in client.runs.batch(given, user="b", journal=tmp_path / "j")][-1] == 0
        ordered = client.runs.batch(given, user="b", journal=tmp_path / "k", in_order=True)
        assert [item.index for item in ordered] == [0, 1, 2, 3]


@pytest.mark.parametrize(("version", "delay"), [("1.11", 0.0), ("1.16", 0.3)])
def test_a_batch_that_is_killed_starts_each_row_once(version: Any, delay: float):
    assert check_batch(KilledBatch(version, delay, seed=7, rows=100, kills=10, settle=3.0)).table is not None


@EACH_DRIVER
def test_leaving_early_ends_no_run_and_starts_none_again(driver: Driver, tmp_path: Path):
    given = [rows(1)[0], *rows(3, seconds=0.8)]

    async def leave(client: Any) -> None:
        async with client.runs.batch(given, user="batch", journal=tmp_path / "j", at_once=2) as batch:
            async for item in batch:
                assert item.index == 0
                break

    with Sandbox(rows=0, api_key=KEY) as sandbox, nothing_left_open():
        driver.play(sandbox.base_url, leave)
        assert len(sandbox.started_runs) < 4
        found = played(driver, sandbox, given, tmp_path / "j", settle=1)
        assert [item.status for item in found] == ["succeeded"] * 4
        assert len(sandbox.started_runs) == 4


@EACH_DRIVER
def test_the_journal_is_for_one_process_and_one_batch(driver: Driver, tmp_path: Path):
    journal = tmp_path / "j"

    async def story(client: Any) -> None:
        async with client.runs.batch(rows(2), user="b", journal=journal) as batch:
            await anext(batch)
            with pytest.raises(BlockingIOError, match="another process continues the batch"):
                await items_of(client, rows(2), journal)
        for given, options, message in (
            (rows(2), {"user": "c"}, "user='b', and not 'c'"),
            (rows(2), {"one_user": True}, "one_user=False, and not True"),
            ([{"query": "x"}, {"query": "y"}], {}, "row 0 has other inputs than when this batch began"),
        ):
            with pytest.raises(ValueError, match=message):
                _ = [one async for one in client.runs.batch(given, **{"user": "b", "journal": journal, **options})]
        for text in ("something else\n", "something else"):
            journal.write_text(text)
            with pytest.raises(ValueError, match="is not a journal of a batch"):
                await items_of(client, rows(2), journal)
            assert journal.read_text() == text

    with Sandbox(rows=0, api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)


@EACH_DRIVER
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"at_once": 0}, "at_once must be a whole number from 1 to 64"),
        ({"at_once": True}, "at_once"),
        ({"user": ""}, "user must be"),
        ({"user": "x" * 240}, "user must be of 1 to"),
        ({"settle": -1}, "settle must be seconds"),
        ({"lost_after": "1h"}, "lost_after must be seconds"),
        ({"workflow_id": "newest"}, "workflow_id must be a UUID"),
        ({"trace_session_id": ""}, "trace_session_id"),
    ],
    ids=str,
)
def test_wrong_arguments_are_refused_at_once(driver: Driver, options: dict[str, Any], message: str, tmp_path: Path):
    async def story(client: Any) -> None:
        with pytest.raises(ValueError, match=message):
            client.runs.batch(rows(1), **{"user": "b", "journal": tmp_path / "j", **options})

    driver.play("http://127.0.0.1:9/v1", story)
    assert not (tmp_path / "j").exists()


@EACH_DRIVER
@EACH_VERSION
def test_rows_that_do_not_fit_the_form_are_refused(driver: Driver, version: Any, tmp_path: Path):
    async def story(client: Any) -> None:
        with pytest.raises(ValueError, match="did you mean 'query'"):
            await items_of(client, [{"qery": "hi"}], tmp_path / "j")
        with pytest.raises(ValueError, match="a row must be a mapping"):
            await items_of(client, ["no row"], tmp_path / "i")
        given = [{"query": "hi"}, {"query": 5}]
        [_, refused] = await items_of(client, given, tmp_path / "k", in_order=True)
        assert (refused.status, refused.run_id) == ("refused", None)
        assert "query: must be a string, got 5" in refused.error
        given[1] = {"query": "five"}  # nothing was started for it
        [_, fixed] = await items_of(client, given, tmp_path / "k", in_order=True, retry_failed=True)
        assert (fixed.status, fixed.outputs["answer"]) == ("succeeded", "five")
        [wrong] = await items_of(client, [{"seconds": 0}], tmp_path / "l", check_inputs=False)
        assert (wrong.status, wrong.run_id) == ("refused", None)
        assert "query is required" in wrong.error

    with Sandbox(rows=0, version=version, api_key=KEY) as sandbox:
        driver.play(sandbox.base_url, story)
        assert [run.inputs["query"] for run in sandbox.started_runs] == ["hi", "five"]


@EACH_DRIVER
def test_failed_rows_are_started_once_more_on_request(driver: Driver, tmp_path: Path):
    with Sandbox(rows=0, api_key=KEY) as sandbox:
        sandbox.set_workflow(lambda inputs: inputs["nothing"] if inputs["query"] == "row 1" else {"answer": 1})
        assert [item.status for item in played(driver, sandbox, rows(3), tmp_path / "j")] == [
            *("succeeded", "failed", "succeeded")
        ]
        sandbox.set_workflow(lambda inputs: {"answer": 2})
        assert played(driver, sandbox, rows(3), tmp_path / "j")[1].status == "failed"
        again = played(driver, sandbox, rows(3), tmp_path / "j", retry_failed=True)
        assert [(item.status, item.outputs["answer"]) for item in again] == [
            *(("succeeded", 1), ("succeeded", 2), ("succeeded", 1))
        ]
        users = [run.user for run in sandbox.started_runs]
        assert len(users) == 4
        assert users[-1].endswith("/1/2")


@EACH_DRIVER
@EACH_VERSION
def test_the_apps_limit_costs_no_failed_row(driver: Driver, version: Any, tmp_path: Path):
    limits = []

    async def story(client: Any) -> None:
        batch = client.runs.batch(rows(12, seconds=0.1), user="b", journal=tmp_path / "j")
        async for item in batch:
            assert item.status == "succeeded"
            limits.append(batch.at_once)

    with Sandbox(rows=0, version=version, api_key=KEY) as sandbox:
        sandbox.add_app("main", max_active_requests=2)
        driver.play(sandbox.base_url, story)
        assert len(sandbox.started_runs) == len(limits) == 12
    assert min(limits) <= 2


@EACH_DRIVER
@pytest.mark.parametrize(("version", "uploads"), [("1.11", 2), ("1.16", 4)])
def test_a_file_is_uploaded_once_for_its_content(driver: Driver, version: Any, uploads: int, tmp_path: Path):
    for name, text in (("a.txt", "one"), ("b.txt", "two"), ("copy/a.txt", "one")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    given = [{"query": "q", "document": tmp_path / name} for name in ("a.txt", "a.txt", "b.txt", "copy/a.txt")]
    with Sandbox(rows=0, version=version, api_key=KEY) as sandbox:
        found = played(driver, sandbox, [*given, {"query": "q", "document": tmp_path / "c"}], tmp_path / "j")
        assert [item.status for item in found] == [*["succeeded"] * 4, "refused"]
        assert [item.outputs["document"]["filename"] for item in found[:4]] == ["a.txt", "a.txt", "b.txt", "a.txt"]
        assert len(sandbox.uploads) == uploads  # since 1.14, a file belongs to one end user
        assert len(played(driver, sandbox, given[:3], tmp_path / "k", one_user=True)) == 3
        assert len(sandbox.uploads) == uploads + 2
        played(driver, sandbox, given, tmp_path / "k", one_user=True)  # one row more, of a content that is there
        assert len(sandbox.uploads) == uploads + 2


def test_a_paused_run_is_an_item_and_asked_for_again(tmp_path: Path):
    given = [{"query": "q", "pause": "Refund?"}]
    with Sandbox(rows=0, version="1.16") as sandbox, sandbox.client() as client:
        [item] = client.runs.batch(given, user="b", journal=tmp_path / "j")
        assert item.status == "paused"
        [item] = client.runs.batch(given, user="b", journal=tmp_path / "j")
        assert item.status == "paused"
        user = sandbox.started_runs[0].user
        with client.runs.events(item.run_id or "", user=user) as events:
            token = events.wait().data.reasons[0].form_token
        client.forms.submit(token, inputs={"comment": "fine"}, action="approve", user=user)
        [item] = client.runs.batch(given, user="b", journal=tmp_path / "j")
        assert (item.status, item.outputs["comment"]) == ("succeeded", "fine")
        assert len(sandbox.started_runs) == 1


# --- what servers and networks do to one row -------------------------------------------------------------------------


def one_row(driver: Driver, tmp_path: Path, *behaviours: Any, **options: Any) -> tuple[BatchItem, list[str]]:
    """The item of one row, and the requests that it took: S for the start of a run, L for logs, R for the run."""
    letters = {"/v1/workflows/run": "S", "/v1/workflows/logs": "L", f"/v1/workflows/run/{RUN}": "R"}
    with FaultServer(*behaviours) as server, nothing_left_open():
        options = {"at_once": 1, "check_inputs": False, "settle": 0, **options}
        [item] = played(driver, server, rows(1), tmp_path / "j", **options)
        return item, [letters[request.path.partition("?")[0]] for request in server.requests]


def found_log() -> Any:
    page = log_page(1)
    page["data"][0]["workflow_run"]["id"] = RUN
    return json_response(200, page)


DONE = json_response(200, DETAIL)


@EACH_DRIVER
@pytest.mark.parametrize(
    ("behaviours", "requests", "events"),
    [
        pytest.param([RAN], "S", "sending accepted started ended", id="well"),
        pytest.param([event_stream(sse(STARTED)), DONE], "SR", "sending accepted started ended", id="cut"),
        pytest.param([CUT, found_log(), DONE], "SLR", "sending accepted started ended", id="no event"),
        pytest.param([reset(), found_log(), DONE], "SLR", "sending started ended", id="reset, and started"),
        pytest.param([reset(), NO_LOG, RAN], "SLS", "sending sending accepted started ended", id="reset"),
        pytest.param([respond(504, "x"), NO_LOG, RAN], "SLS", "sending sending accepted started ended", id="gateway"),
        pytest.param(
            [error_response(400, "invalid_param", "Too many requests. Please try again later. The current"), RAN],
            "SS",
            "sending unsent sending accepted started ended",
            id="too many at once",
        ),
        pytest.param(
            [error_response(429, "rate_limited", "x", headers=(("Retry-After", "1"),)), RAN],
            "SS",
            "sending unsent sending accepted started ended",
            id="Retry-After",
        ),
    ],
)
def test_a_row_is_started_once_whatever_happens(
    driver: Driver, behaviours: Any, requests: str, events: str, tmp_path: Path
):
    item, sent = one_row(driver, tmp_path, *behaviours)
    assert (item.status, item.run_id, item.outputs) == ("succeeded", RUN, {"a": 1})
    assert "".join(sent) == requests
    assert " ".join(events_in(tmp_path / "j")) == events


@EACH_DRIVER
@pytest.mark.parametrize(
    ("behaviours", "requests", "status", "error"),
    [
        pytest.param([error_response(400, "invalid_param", "no")], "S", "refused", "no", id="refused"),
        pytest.param([error_response(500, "unknown", "bug"), NO_LOG], "SL", "refused", "bug", id="500"),
        pytest.param([respond(504, "x"), NO_LOG] * 3, "SLSLSL", "refused", "504", id="a gateway, always"),
        pytest.param([CUT, NO_LOG], "SL", "unknown", "has not logged it", id="accepted and lost"),
        pytest.param(
            [event_stream(sse({"event": "error", "code": "quota", "status": 400, "message": "gone"}))],
            *("S", "refused", "gone"),
            id="error event",
        ),
        pytest.param(
            [event_stream(sse(STARTED), sse({"event": "error", "code": "q", "status": 400, "message": "gone"})), GONE],
            *("SR", "failed", "gone"),
            id="error event of a run",
        ),
        pytest.param(
            [event_stream(sse(STARTED)), GONE],
            "SR",
            "unknown",
            "does not have",
            id="gone",
        ),
    ],
)
def test_a_row_without_a_result_says_why(
    driver: Driver, behaviours: Any, requests: str, status: str, error: str, tmp_path: Path
):
    item, sent = one_row(driver, tmp_path, *behaviours, lost_after=0)
    assert (item.status, item.outputs) == (status, None)
    assert error in (item.error or "")
    assert "".join(sent) == requests
    assert events_in(tmp_path / "j")[-1] == ("lost" if status == "unknown" else "ended")


@EACH_DRIVER
def test_an_accepted_row_is_never_sent_again(driver: Driver, tmp_path: Path):
    assert one_row(driver, tmp_path, CUT, NO_LOG, lost_after=0)[0].status == "unknown"
    assert one_row(driver, tmp_path, NO_LOG, lost_after=0) == (
        one_row(driver, tmp_path, NO_LOG, lost_after=0)[0],
        ["L"],
    )
    item, sent = one_row(driver, tmp_path, found_log(), DONE)
    assert (item.status, sent) == ("succeeded", ["L", "R"])


@EACH_DRIVER
def test_with_one_user_a_row_in_doubt_is_unknown(driver: Driver, tmp_path: Path):
    item, sent = one_row(driver, tmp_path, reset(), one_user=True)
    assert (item.status, sent) == ("unknown", ["S"])
    journal = tmp_path / "j"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:2]) + '{"row":0,"ev')  # as it was when the row was being sent
    item, sent = one_row(driver, tmp_path, RAN, one_user=True)
    assert (item.status, sent) == ("unknown", [])
    assert "all rows have one user" in (item.error or "")


@EACH_DRIVER
def test_a_torn_last_line_is_cut_off(driver: Driver, tmp_path: Path):
    one_row(driver, tmp_path, RAN)
    journal = tmp_path / "j"
    whole = journal.read_bytes()
    for size in range(len(whole) - 40, len(whole)):
        journal.write_bytes(whole[:size])
        item, sent = one_row(driver, tmp_path, DONE)
        assert (item.status, sent) == ("succeeded", ["R"])
    journal.write_bytes(whole[:50])  # inside the first line: nothing was sent yet
    assert one_row(driver, tmp_path, RAN)[1] == ["S"]
    journal.write_bytes(whole + b"garbage\n")
    with pytest.raises(ValueError, match="is damaged after"):
        one_row(driver, tmp_path, RAN)


@EACH_DRIVER
def test_errors_that_concern_every_row_are_raised(driver: Driver, tmp_path: Path):
    for error, cls in (
        (error_response(401, "unauthorized", "no"), AuthenticationError),
        (error_response(400, "app_unavailable", "not published"), Exception),
    ):
        with pytest.raises(cls):
            one_row(driver, tmp_path, error)
    with refusing_origin() as origin:

        async def story(client: Any) -> None:
            with pytest.raises(APIConnectionError):
                await items_of(client, rows(3), tmp_path / "k", check_inputs=False)

        driver.play(f"{origin}/v1", story)
    assert one_row(driver, tmp_path, RAN)[1] == ["S"]  # nothing was started, as is known

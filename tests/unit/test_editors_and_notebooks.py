"""What editors, notebooks and interactive sessions show: completions, reprs, tables, help."""

from __future__ import annotations

import pydoc
import re
from typing import TYPE_CHECKING, Any

import jedi
import pytest
from support.clients import EACH_DRIVER

import dify_workflow
from dify_workflow import DifyWorkflow
from dify_workflow._http.library import httpx
from dify_workflow.models import WorkflowLog, WorkflowLogPage

if TYPE_CHECKING:
    from support.clients import Driver

KEY = "app-not-shown-anywhere"
RUN = {"id": "8f6a5bd4-3a3c-4a8e-9d77-1d2f6a1f9d10", "status": "failed", "error": "<b>boom</b>", "elapsed_time": 1.5}
LOG = {"id": "<script>alert(1)</script>", "workflow_run": RUN, "created_at": 1795384467}
PAGE = {"page": 1, "limit": 100, "total": 1, "has_more": False, "data": [LOG]}
EVENTS = (
    b'data: {"event": "workflow_started", "task_id": "t-1", "workflow_run_id": "r-1"}\n\n'
    b'data: {"event": "workflow_finished", "task_id": "t-1", "workflow_run_id": "r-1"}\n\n'
)


def respond(request: httpx.Request) -> httpx.Response:
    if request.url.path.endswith("/workflows/logs"):
        return httpx.Response(200, json=PAGE)
    if request.url.path.endswith("/run"):
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=EVENTS)
    return httpx.Response(200, json=RUN)


HTTP = {"transport": httpx.MockTransport(respond)}
BASE_URL = "https://dify.example.com/v1"


def play(driver: Driver, story: Any) -> Any:
    return driver.play(BASE_URL, story, http=HTTP)


# --- completion ------------------------------------------------------------------------------------------------------


def completions(code: str) -> set[str]:
    return {completion.name for completion in jedi.Script(code).complete()}


def test_jedi_completes_the_client_its_resources_and_models():
    start = "from dify_workflow import DifyWorkflow, models, types\n"
    assert {"logs", "runs", "files", "app", "with_options"} <= completions(f"{start}DifyWorkflow().")
    assert {"list", "iter", "follow"} <= completions(f"{start}DifyWorkflow().logs.")
    log = {"id", "workflow_run", "created_at_utc", "to_dict"}
    assert log <= completions(f"{start}for log in DifyWorkflow().logs.list():\n    log.")
    assert {"WorkflowLog", "WorkflowRunStatus"} <= completions(f"{start}models.")
    assert {"LogWalk", "Time"} <= completions(f"{start}types.")


# --- reprs -----------------------------------------------------------------------------------------------------------


def test_reprs_show_the_address_and_no_key():
    with DifyWorkflow(api_key=KEY, base_url=BASE_URL) as client:
        shown = f"base_url={BASE_URL!r}"
        assert repr(client) == f"DifyWorkflow({shown})"
        assert repr(client.logs) == f"Logs({shown})"
        assert repr(client.end_users) == f"EndUsers({shown})"
        filters = f"{shown}, keyword='[api key]', status='failed'"
        assert repr(client.logs.iter(status="failed", keyword=KEY)) == f"LogWalk({filters}, seen=0, total=None)"
        assert repr(client.logs.iter(details=2)) == f"DetailedLogWalk({shown}, seen=0, total=None, details=2)"
        assert repr(client.logs.follow(status="failed")) == f"LogFollow({shown}, status='failed', seen=0)"
        assert repr(client.logs.changes()) == f"LogChanges({shown}, seen=0)"
        expected = f"RunStream({shown}, workflow_run_id=None, task_id=None, events=0)"
        assert repr(client.runs.stream({}, user="u-1")) == expected


@EACH_DRIVER
def test_reprs_of_iterators_show_how_far_they_are(driver: Driver):
    async def story(client: Any) -> Any:
        walk, stream = client.logs.iter(), client.runs.stream({}, user="u-1")
        logs = [log async for log in walk]
        changes = client.logs.changes(since="10y")
        logs += [log async for log in changes]
        async with stream as events:
            assert [event.event async for event in events] == ["workflow_started", "workflow_finished"]
        assert len(logs) == 2
        return [str(one) for one in (walk, changes, stream)]

    walk, changes, stream = play(driver, story)
    assert walk.endswith("seen=1, total=1)")
    assert changes.endswith("seen=1)")
    assert stream.endswith("workflow_run_id='r-1', task_id='t-1', events=2)")


# --- iterating again -------------------------------------------------------------------------------------------------


@EACH_DRIVER
def test_a_finished_iterator_cannot_be_iterated_again(driver: Driver):
    async def story(client: Any) -> None:
        for make in (
            client.logs.iter,
            lambda: client.logs.iter(details=1),
            lambda: client.logs.changes(since="10y"),
        ):
            iterator = make()
            async for _ in iterator:
                break
            assert [log async for log in iterator] == []  # it continues where it was left
            with pytest.raises(RuntimeError, match="iterated to its end; make a new one"):
                _ = [log async for log in iterator]
            with pytest.raises(StopAsyncIteration):
                await anext(iterator)
        async with client.runs.stream({}, user="u-1") as events:
            assert len([event async for event in events]) == 2
            with pytest.raises(RuntimeError, match="this stream has been iterated to its end"):
                _ = [event async for event in events]

    play(driver, story)


@EACH_DRIVER
def test_a_walk_from_the_checkpoint_of_a_finished_one_is_empty(driver: Driver):
    async def story(client: Any) -> Any:
        walk = client.logs.iter()
        _ = [log async for log in walk]
        return [log async for log in client.logs.iter(checkpoint=walk.checkpoint)]

    assert play(driver, story) == []


# --- pages -----------------------------------------------------------------------------------------------------------


def test_a_page_has_a_length_iterates_and_is_true():
    page = WorkflowLogPage.from_dict(PAGE)
    assert len(page) == 1
    assert list(page) == page.data
    assert page
    for empty in (WorkflowLogPage.from_dict({**PAGE, "data": []}), WorkflowLogPage(), WorkflowLogPage.from_dict({})):
        assert (len(empty), list(empty), bool(empty)) == (0, [], True)


def test_a_page_is_an_escaped_table_in_notebooks():
    page = WorkflowLogPage.from_dict({**PAGE, "data": [LOG, None, {"id": "2", "created_from": "x" * 200}]})
    html: str = page._repr_html_()  # type: ignore[attr-defined]
    headings = re.findall("<th>(.*?)</th>", html)
    assert headings[:5] == ["id", *(f"workflow_run.{name}" for name in ("id", "status", "error", "elapsed_time"))]
    assert [row.count("<td>") for row in html.split("<tr>")[2:]] == [len(headings)] * 3
    assert "<td>2026-11-22 21:54:27</td>" in html
    assert "page 1, limit 100, total 1, has_more False" in html
    assert "&lt;b&gt;boom&lt;/b&gt;" in html
    assert "<script>" not in html
    assert "x" * 100 not in html
    assert WorkflowLogPage(data=[WorkflowLog(id="3")])._repr_html_().count("<td>") == 1  # type: ignore[attr-defined]


# --- help ------------------------------------------------------------------------------------------------------------


def test_help_lists_classes_functions_and_data_that_are_public():
    text = pydoc.plain(pydoc.render_doc(dify_workflow))
    # Under PACKAGE CONTENTS, pydoc lists what pkgutil finds in `__path__`: all that can be imported. Only a hook in
    # `sys.path_hooks` could hide a module there: from PyInstaller too, which collects modules by the same call.
    before, _, rest = text.partition("PACKAGE CONTENTS")
    listed = rest.partition("\n\n")[2]
    assert "DifyWorkflow" in listed
    names = set(re.findall(r"^    (?:class )?(\w+)(?:\(| = )", listed, re.MULTILINE))
    public = {*dify_workflow.__all__, "__all__", "TYPE_CHECKING"}
    assert names <= public, names - public
    assert "(private)" not in before

"""`with_raw_response`: status and headers of a response, and its result on demand; `response_headers` of streams."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_DRIVER

from dify_workflow import APIResponseError, AsyncDifyWorkflow, NotFoundError, models, types
from dify_workflow._http.library import httpx
from dify_workflow.models import StopResponse, WorkflowLogPage

if TYPE_CHECKING:
    from support.clients import Driver

KEY = "app-not-shown-anywhere"
BASE_URL = "https://dify.example.com/v1"
ID = "8f6a5bd4-3a3c-4a8e-9d77-1d2f6a1f9d10"
PAGE = {"page": 1, "limit": 1, "total": 7, "has_more": True, "data": [{"id": "1"}]}
ARRAYS = {name for model in models.__all__ for name in getattr(getattr(models, model), "array_fields", ())}
OBJECT = {"id": ID, "result": "success"} | {name: list[object]() for name in ARRAYS}
ARGUMENTS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "end_users.get": ((ID,), {}),
    "files.upload": ((b"%PDF",), {"user": "u-1", "filename": "a.pdf"}),
    "forms.get": (("token",), {}),
    "forms.submit": (("token",), {"inputs": {}, "action": "a", "user": "u-1"}),
    "logs.list": ((), {"limit": 1}),
    "runs.get": ((ID,), {}),
    "runs.run": (({},), {"user": "u-1"}),
    "runs.stop": (("task",), {"user": "u-1"}),
}
SEVERAL_REQUESTS = {
    *("app.check_inputs", "files.upload_all", "logs.ranges", "runs.batch", "runs.rerun", "runs.start"),
}
"""Methods whose result is not that of one response."""


def respond(request: httpx.Request) -> httpx.Response:
    headers = {"x-version": "1.16.1", "x-echo": KEY}
    if request.url.path.endswith("/workflows/logs"):
        return httpx.Response(200, json=PAGE, headers=headers)
    if b'"streaming"' in request.content:
        text = b'data: {"event": "workflow_finished", "task_id": "t", "workflow_run_id": "r"}\n\n'
        return httpx.Response(200, content=text, headers={**headers, "content-type": "text/event-stream"})
    return httpx.Response(201, json=OBJECT, headers=headers)


def play(driver: Driver, story: Any, respond: Any = respond) -> Any:
    return driver.play(BASE_URL, story, http={"transport": httpx.MockTransport(respond)})


def methods() -> dict[str, Any]:
    """The methods that are awaited, by resource and name."""
    client = AsyncDifyWorkflow(api_key=KEY, base_url=BASE_URL)
    return {
        f"{resource}.{name}": method
        for resource, _ in inspect.getmembers(AsyncDifyWorkflow, lambda member: isinstance(member, property))
        if isinstance(getattr(client, resource), types.AsyncResource)
        for name, method in vars(type(getattr(client, resource))).items()
        if inspect.iscoroutinefunction(method) and name.isascii() and name[0] != "_"  # mutmut's names are not
    }


@EACH_DRIVER
def test_every_method_of_one_request_has_its_raw_response(driver: Driver):
    names = methods().keys() - SEVERAL_REQUESTS

    async def story(client: Any) -> None:
        for place in names:
            resource, _, name = place.partition(".")
            args, kwargs = ARGUMENTS.get(place, ((), {}))
            response = await getattr(getattr(client, resource).with_raw_response, name)(*args, **kwargs)
            assert type(response) is types.RawResponse
            assert response.status_code in {200, 201}
            assert response.headers["x-version"] == "1.16.1"
            result = await getattr(getattr(client, resource), name)(*args, **kwargs)
            assert response.parse() == result
            assert type(response.parse()) is type(result)

    play(driver, story)
    assert len(names) >= len(ARGUMENTS)


@EACH_DRIVER
def test_a_result_is_parsed_once_and_shows_no_key(driver: Driver):
    async def story(client: Any) -> None:
        response = await client.logs.with_raw_response.list(limit=1)
        assert isinstance(response.parse(), WorkflowLogPage)
        assert response.parse() is response.parse()
        assert repr(response) == "RawResponse(status_code=200)"
        assert isinstance((await client.runs.with_raw_response.stop("task", user="u-1")).parse(), StopResponse)
        assert (await client.forms.with_raw_response.submit("t", inputs={}, action="a", user="u")).parse() is None

    play(driver, story)


@EACH_DRIVER
def test_headers_hide_the_key_that_a_server_repeats(driver: Driver, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("support.clients.KEY", KEY)

    async def story(client: Any) -> list[Any]:
        response = await client.logs.with_raw_response.list()
        async with client.runs.stream({}, user="u-1") as events:
            return [response.headers["x-echo"], events.response_headers["x-echo"]]

    assert play(driver, story) == ["[api key]"] * 2


@EACH_DRIVER
def test_errors_are_raised_by_the_call_and_odd_bodies_by_parse(driver: Driver):
    def respond(request: httpx.Request) -> httpx.Response:
        if "runs" in request.url.path or "run/" in request.url.path:
            return httpx.Response(200, json={"id": None, "status": None})
        is_html = request.url.path.endswith("/info")
        return httpx.Response(200, html="<p>hi</p>") if is_html else httpx.Response(404, json={"code": "not_found"})

    async def story(client: Any) -> None:
        with pytest.raises(NotFoundError):
            await client.logs.with_raw_response.list()
        response = await client.app.with_raw_response.info()
        assert response.headers["content-type"].startswith("text/html")
        for _ in range(2):
            with pytest.raises(APIResponseError, match="200 with HTML"):
                response.parse()
        missing = await client.runs.with_raw_response.get(ID)
        with pytest.raises(NotFoundError):
            missing.parse()
        with pytest.raises(ValueError, match="limit"):
            await client.logs.with_raw_response.list(limit=500)

    play(driver, story, respond)


def test_raw_methods_have_the_signature_and_doc_of_the_method():
    client = AsyncDifyWorkflow(api_key=KEY, base_url=BASE_URL)
    raw = client.logs.with_raw_response
    assert repr(raw) == f"AsyncRawLogs(base_url={BASE_URL!r})"
    assert inspect.signature(raw.list) == inspect.signature(client.logs.list)
    assert raw.list.__doc__ == client.logs.list.__doc__
    for name in ("iter", "follow", "changes", "ranges"):
        assert not hasattr(raw, name)


@EACH_DRIVER
def test_a_stream_has_the_headers_of_its_response(driver: Driver):
    async def story(client: Any) -> Any:
        stream = client.runs.stream({}, user="u-1")
        assert stream.response_headers is None
        async with stream as events:
            during = events.response_headers
            assert len([event async for event in events]) == 1
        return during, stream.response_headers

    during, after = play(driver, story)
    assert during == after
    assert during["x-version"] == "1.16.1"

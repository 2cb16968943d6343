"""httpx and httpx2: each is taken, for own connections and as a caller's own client, and nothing imports both."""

from __future__ import annotations

import ast
import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest
from support.fault_server import (
    FaultServer,
    drip,
    event_stream,
    log_page_bytes,
    page_response,
    raw,
    refusing_origin,
    reset_inside_body,
    respond,
    sse,
)

from dify_workflow import (
    APIConnectionError,
    APITimeoutError,
    AsyncDifyWorkflow,
    ConfigurationError,
    DifyWorkflow,
    InternalServerError,
)
from dify_workflow._http import config, library
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from types import ModuleType

SOURCE = Path(library.__file__).parents[1]
KEY = "app-key-of-the-libraries"
LIBRARIES = pytest.mark.parametrize("http", [httpx, httpx2], ids=lambda module: module.__name__)
LOADED = "print(*(n for n in ('httpx', 'httpcore', 'httpx2', 'httpcore2') if sys.modules.get(n)))"
FIRST = """
import os, sys
from dify_workflow import DifyWorkflow, models, types
models.WorkflowLog, types.LogWalk
{before}
with DifyWorkflow({options}) as client:
    client.logs.list()
"""


def program(before: str, options: str = "") -> str:
    return FIRST.format(before=before, options=options) + LOADED


def client_of(http: Any, base_url: str, **options: Any) -> DifyWorkflow:
    return DifyWorkflow(api_key=KEY, base_url=base_url, http_client=http, backoff=0, **options)


def test_one_module_imports_the_libraries() -> None:
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
        if getattr(node, "level", 0) == 0 and name.partition(".")[0] in {"httpx", "httpcore", "httpx2", "httpcore2"}
    }
    assert found == {"_http/library.py"}


@pytest.mark.parametrize(
    ("code", "loaded"),
    [
        (program(""), "httpx httpcore"),
        (program("os.environ['DIFY_HTTP'] = 'httpx2'"), "httpx2 httpcore2"),
        (program("import httpx2", "http_client=httpx2.Client()"), "httpx2 httpcore2"),
        (program("sys.modules['httpx'] = None"), "httpx2 httpcore2"),
    ],
    ids=["default", "by the variable", "by the first client", "without httpx"],
)
def test_a_process_has_one_library(code: str, loaded: str) -> None:
    with Sandbox(rows=1) as sandbox:
        environment = {
            **{name: value for name, value in os.environ.items() if name != library.VARIABLE},
            "DIFY_API_KEY": sandbox.api_key,
            "DIFY_BASE_URL": sandbox.base_url,
        }
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", env=environment)
    assert done.stdout.strip() == loaded, done.stderr


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("os.environ['DIFY_HTTP'] = 'requests'", "DIFY_HTTP must be 'httpx' or 'httpx2'; got 'requests'"),
        (
            "os.environ['DIFY_HTTP'] = 'httpx2'; sys.modules['httpx2'] = None",
            "pip install 'dify-workflow-sdk[httpx2]'",
        ),
    ],
)
def test_a_library_that_is_not_there_is_refused(before: str, said: str) -> None:
    environment = {**os.environ, "DIFY_API_KEY": KEY}
    command = [sys.executable, "-c", program(before)]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", env=environment)
    assert "ConfigurationError" in done.stderr
    assert said in done.stderr


@LIBRARIES
def test_a_client_over_a_mock_transport_is_taken(http: ModuleType) -> None:
    def respond(request: Any) -> Any:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert KEY not in repr(request)
        assert "logs" not in repr(request)  # nor its address
        return http.Response(200, json={"page": 1, "limit": 20, "total": 0, "has_more": False, "data": []})

    with (
        http.Client(transport=http.MockTransport(respond)) as own,
        client_of(own, "http://dify.invalid/v1") as client,
    ):
        assert client.logs.list().total == 0


@LIBRARIES
def test_an_async_client_does_all_that_is_asked_of_it(http: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 3_000_000)

    async def story(sandbox: Sandbox) -> None:
        async with (
            http.AsyncClient() as own,
            AsyncDifyWorkflow(api_key=sandbox.api_key, base_url=sandbox.base_url, http_client=own) as client,
        ):
            assert len([log async for log in client.logs.iter(workers=2)]) == 230
            upload = await client.files.upload(tmp_path / "a.txt", user="u-1")
            assert upload.size == 3_000_000
            async with client.runs.stream({"query": "hi"}, user="u-1") as events:
                assert (await events.wait()).status == "succeeded"

    with Sandbox(rows=230) as sandbox:
        asyncio.run(story(sandbox))


@LIBRARIES
def test_streams_and_walks_go_over_a_client(http: ModuleType) -> None:
    with (
        Sandbox(rows=230) as sandbox,
        http.Client() as own,
        DifyWorkflow(api_key=sandbox.api_key, base_url=sandbox.base_url, http_client=own) as client,
    ):
        assert len(list(client.logs.iter(workers=2))) == 230
        with client.runs.stream({"query": "hi"}, user="u-1") as events:
            next(events)
        forgotten = client.runs.stream({"query": "hi"}, user="u-1")
        with forgotten as events:
            assert events.wait().status == "succeeded"
        assert client.runs.start({"query": "hi"}, user="u-1").wait().status == "succeeded"


@LIBRARIES
def test_errors_of_a_client_are_those_of_the_sdk(http: ModuleType) -> None:
    behaviours = [reset_inside_body(b"{"), respond(500), drip(b"{}" * 99)]
    with (
        FaultServer(*behaviours) as server,
        http.Client(timeout=0.2) as own,
        client_of(own, server.base_url, max_retries=0) as client,
    ):
        with pytest.raises(APIConnectionError) as broken:
            client.logs.list()
        with pytest.raises(InternalServerError) as refused:
            client.logs.list()
        with pytest.raises(APITimeoutError):
            client.logs.list(timeout=http.Timeout(0.01))
    for error in (broken.value, refused.value):
        assert KEY not in str(error) + repr(error.request.headers) + repr(vars(error))
    with refusing_origin() as origin, http.Client() as own, client_of(own, f"{origin}/v1", max_retries=0) as client:
        with pytest.raises(APIConnectionError) as unreachable:
            client.logs.list()
        assert not unreachable.value.request_sent


@LIBRARIES
def test_a_response_that_is_followed_by_more_is_the_last(http: ModuleType) -> None:
    page = log_page_bytes()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(page)
    with (
        FaultServer(raw(head + page + b"HTTP/1.1 200 OK", then="keep"), page_response()) as server,
        http.Client() as own,
    ):
        with client_of(own, server.base_url) as client:
            client.logs.list()
            client.logs.list()
        assert server.connections == 2


@LIBRARIES
def test_the_timeout_of_a_client_counts_unless_it_is_the_default(http: ModuleType) -> None:
    assert config.timeout_of(http.Client()) is None
    assert config.timeout_of(http.AsyncClient(timeout=7)) == http.Timeout(7)


@LIBRARIES
def test_an_async_client_for_a_sync_one_is_refused(http: ModuleType) -> None:
    with pytest.raises(ConfigurationError, match=rf"an httpx2\.Client; got a {http.__name__}\.AsyncClient"):
        client_of(http.AsyncClient(), "http://dify.invalid/v1")


def test_an_event_stream_of_the_other_library_is_read_to_its_end() -> None:
    other = httpx if library.choose() == "httpx2" else httpx2
    finished = {"event": "workflow_finished", "task_id": "t", "workflow_run_id": "r", "data": {"status": "succeeded"}}
    with (
        FaultServer(event_stream(sse(finished))) as server,
        other.Client() as own,
        client_of(own, server.base_url) as client,
        client.runs.stream({}, user="u-1") as events,
    ):
        assert [event.event for event in events] == ["workflow_finished"]

"""A call raises errors of the SDK, or a ValueError of an argument: nothing of what faults below passes through."""

from __future__ import annotations

import ssl
import subprocess
import sys
from typing import Any

import anyio
import h11
import pytest
from support.clients import EACH_DRIVER, Driver, failure, list_logs
from support.fault_server import KEY, FaultServer, page_response, silence

from dify_workflow import (
    APIConnectionError,
    APITimeoutError,
    AsyncDifyWorkflow,
    ConfigurationError,
    DifyError,
)
from dify_workflow._http import config
from dify_workflow._http.event_loops import NO_ASYNCIO
from dify_workflow._http.library import httpcore, httpx

FOREIGN: dict[str, Exception] = {
    "TLS": ssl.SSLError(1, "[SSL] record layer failure"),
    "a certificate": ssl.SSLCertVerificationError(1, "certificate verify failed"),
    "a host's name": UnicodeError("label empty or too long"),
    "an address": httpx.InvalidURL("no address"),
    "h11": h11.LocalProtocolError("no"),
    "httpcore": httpcore.ReadError("no"),
    "a timeout of httpcore": httpcore.ReadTimeout("no"),
    "anyio": anyio.BrokenResourceError(),
}


@EACH_DRIVER
@pytest.mark.parametrize("error", FOREIGN.values(), ids=FOREIGN)
def test_what_a_transport_raises_is_a_connection_error(driver: Driver, error: Exception):
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    http = {"transport": httpx.MockTransport(fail)}
    found = failure(driver, "https://dify.invalid/v1", list_logs, http=http, max_retries=0)
    assert isinstance(found, APIConnectionError)
    assert isinstance(found, APITimeoutError) is isinstance(error, httpcore.TimeoutException)
    assert str(found).startswith("GET /v1/workflows/logs: ")
    assert found.request_sent is not isinstance(error, UnicodeError | ssl.SSLCertVerificationError)


WITHOUT_FILES = """
import asyncio, os, resource, sys
from dify_workflow import AsyncDifyWorkflow, DifyError, DifyWorkflow

url, is_sync, options = sys.argv[1], sys.argv[2] == "sync", {"api_key": "app-key", "backoff": 0, "max_retries": 1}
clients = [(DifyWorkflow if is_sync else AsyncDifyWorkflow)(base_url=url, **options) for _ in range(2)]

async def called(client):
    return client.logs.list() if is_sync else await client.logs.list()

async def main():
    await called(clients[0])
    resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))
    files = []
    try:
        while True:
            files.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        pass
    try:
        await called(clients[1])
    except DifyError as error:
        files = [os.close(file) for file in files]
        print(type(error).__name__, error)

asyncio.run(main())
"""


@EACH_DRIVER
def test_a_call_without_free_descriptors_is_a_connection_error(driver: Driver):
    with FaultServer(page_response(rows=1)) as server:
        command = [sys.executable, "-c", WITHOUT_FILES, server.base_url, driver.name]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stderr == ""
    assert result.stdout.startswith("APIConnectionError GET /v1/workflows/logs: ")


@EACH_DRIVER
@pytest.mark.parametrize("http", [None, {}])
def test_arguments_that_make_no_request_are_value_errors(driver: Driver, http: dict[str, Any] | None):
    def raises(says: str, method: str, path: str, **options: Any) -> None:
        with FaultServer(page_response()) as server:
            with pytest.raises(ValueError, match=says) as caught:
                driver.call(server.base_url, lambda client: client.request(method, path, **options), http=http)
            assert type(caught.value) is ValueError
            assert server.requests == []

    raises("no address that can be requested", "GET", "/x", params={"a": "b" * 70_000})
    raises("no address that can be requested", "GET", "/" + "x" * 70_000)
    raises("without lone surrogates", "GET", "/x", params={"a": "\ud800"})
    raises("JSON value", "POST", "/x", json={"a": "\ud800"})


@pytest.mark.parametrize("http_client", [None, httpx.AsyncClient()])
def test_without_asyncio_a_call_says_that_it_is_needed(http_client: httpx.AsyncClient | None):
    """As under trio: there is an event loop, and it is not one of asyncio."""
    client = AsyncDifyWorkflow(api_key=KEY, base_url="http://127.0.0.1:9", http_client=http_client)

    async def iterate() -> None:
        async for _ in client.logs.iter():
            pass

    async def use() -> None:
        async with client:
            await client.app.info()

    async def details() -> None:
        async for _ in client.logs.iter(details=2):
            pass

    async def upload() -> None:
        await client.files.upload(b"x", filename="a.txt", user="u-1")

    async def stream() -> None:
        async with client.runs.stream({}, user="u-1"):
            pass

    for story in (use, iterate, details, upload, stream, client.logs.list):
        with pytest.raises(ConfigurationError) as caught:
            story().send(None)
        assert str(caught.value) == NO_ASYNCIO
        assert "asyncio" in NO_ASYNCIO


# --- timeouts of a caller's client ------------------------------------------------------------------------------------


@EACH_DRIVER
def test_the_timeout_of_a_given_client_counts(driver: Driver):
    with FaultServer(silence()) as server:
        error = failure(driver, server.base_url, list_logs, http={"timeout": 0.2}, max_retries=0)
    assert type(error) is APITimeoutError


def timeouts(driver: Driver, http: dict[str, Any] | None, derived: dict[str, Any] | None = None, **options: Any) -> Any:
    """The timeouts with which a client sends."""
    seen: list[dict[str, float]] = []

    def responded(request: httpx.Request) -> httpx.Response:
        seen.append(dict(request.extensions["timeout"]))
        return httpx.Response(200, json={})

    async def story(client: Any) -> None:
        await (client if derived is None else client.with_options(**derived)).request("GET", "/x")

    driver.play(
        "http://dify.invalid/v1", story, http={"transport": httpx.MockTransport(responded), **(http or {})}, **options
    )
    return seen[0]


SDK = {"connect": 5.0, "read": 60.0, "write": 60.0, "pool": 60.0}
OWN = {"connect": 1.0, "read": 2.0, "write": 3.0, "pool": None}


@EACH_DRIVER
def test_a_timeout_of_the_sdk_counts_more_than_the_clients(driver: Driver):
    own = {"timeout": httpx.Timeout(**OWN)}
    seven = dict.fromkeys(SDK, 7.0) | {"connect": 5.0}
    assert timeouts(driver, own) == OWN
    assert timeouts(driver, own, {}) == timeouts(driver, own, {"max_retries": 0}) == OWN
    assert timeouts(driver, own, timeout=7) == timeouts(driver, own, {"timeout": 7}) == seven
    assert timeouts(driver, own, {"timeout": None}) == SDK
    assert timeouts(driver, {"timeout": None}) == dict.fromkeys(SDK)
    assert timeouts(driver, None) == timeouts(driver, {"timeout": 5}) == SDK


def test_httpx_has_the_default_timeout_that_is_taken_for_it():
    assert httpx.Client().timeout == httpx.AsyncClient().timeout == httpx.Timeout(config.HTTPX_TIMEOUT)


@EACH_DRIVER
@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan"), 1e10, "2", True])
def test_a_timeout_no_socket_accepts_is_a_configuration_error(driver: Driver, seconds: Any):
    for options in (
        {"timeout": httpx.Timeout(read=seconds, connect=1, write=1, pool=1)},
        {"http": {"timeout": seconds}},
    ):
        with pytest.raises(DifyError, match=r"timeout: (connect|read) must be seconds from 0") as caught:
            driver.call("http://dify.invalid/v1", list_logs, **options)
        assert type(caught.value) is ConfigurationError

"""What wraps or replaces the functions of httpx sees each request, and its logger logs each response."""

from __future__ import annotations

import functools
import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from support.clients import EACH_DRIVER, Driver, list_logs
from support.fault_server import KEY, FaultServer, log_page, page_response, raw, respond

from dify_workflow import DifyError
from dify_workflow._http.library import httpx
from dify_workflow._http.monitoring import Monitoring, is_httpx_own

if TYPE_CHECKING:
    from collections.abc import Callable

FAKE = "http://dify.invalid/v1"


def client_class(driver: Driver) -> type[Any]:
    return httpx.Client if driver.name == "sync" else httpx.AsyncClient


class Wrapper:
    """A wrapper as monitoring makes them: it passes for what it wraps, in whatever is asked of it."""

    def __init__(self, wrapped: Any, seen: list[str]) -> None:
        self.__wrapped__ = wrapped
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __eq__(self, other: object) -> bool:
        return bool(self.__wrapped__ == other)

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return Wrapper(self.__wrapped__, self._seen)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._seen.append("call")
            return self.__wrapped__(instance, *args, **kwargs)

        return call


def wrapped(function: Callable[..., Any], seen: list[str]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        seen.append("call")
        return function(*args, **kwargs)

    return wrapper


@EACH_DRIVER
@pytest.mark.parametrize("name", ["send", "_send_single_request", "_transport_for_url"])
@pytest.mark.parametrize("wrap", [wrapped, Wrapper])
def test_a_wrapped_function_sees_each_attempt(driver: Driver, monkeypatch, wrap: Callable[..., Any], name: str):
    seen: list[str] = []
    cls = client_class(driver)
    with FaultServer(respond(503), page_response()) as server:
        monkeypatch.setattr(cls, name, wrap(getattr(cls, name), seen))
        driver.call(server.base_url, list_logs, list_logs)
        assert len(seen) == len(server.requests) == 3
        assert server.connections == 1


@EACH_DRIVER
def test_a_function_that_is_wrapped_later_sees_the_next_attempt(driver: Driver, monkeypatch):
    seen: list[str] = []
    cls = client_class(driver)

    async def story(client: Any) -> None:
        await client.logs.list()
        assert seen == []
        with monkeypatch.context() as patch:
            patch.setattr(cls, "send", Wrapper(cls.send, seen))
            await client.logs.list()
        assert seen == ["call"]
        await client.logs.list()
        assert seen == ["call"]

    with FaultServer(page_response()) as server:
        driver.play(server.base_url, story)
        assert server.connections == 1


@EACH_DRIVER
@pytest.mark.parametrize("has_request", [False, True])
def test_a_replaced_send_responds_instead_of_a_server(driver: Driver, monkeypatch, has_request: bool):
    def fake(client: Any, request: httpx.Request, **options: Any) -> httpx.Response:
        return httpx.Response(200, json=log_page(), request=request if has_request else None)

    async def fake_async(client: Any, request: httpx.Request, **options: Any) -> httpx.Response:
        return fake(client, request)

    monkeypatch.setattr(client_class(driver), "send", fake if driver.name == "sync" else fake_async)
    assert len(driver.call(FAKE, list_logs).data) == 1


@EACH_DRIVER
def test_a_mock_of_send_responds(driver: Driver):
    kind = mock.MagicMock if driver.name == "sync" else mock.AsyncMock
    send = kind(return_value=httpx.Response(401, json={}))
    with mock.patch.object(client_class(driver), "send", new=send), pytest.raises(DifyError, match="GET /v1/workflow"):
        driver.call(FAKE, list_logs)
    assert send.call_count == 1


@EACH_DRIVER
def test_a_replaced_transport_responds(driver: Driver, monkeypatch):
    fake = httpx.MockTransport(lambda request: httpx.Response(200, json=log_page()))
    with monkeypatch.context() as patch:
        patch.setattr(client_class(driver), "_transport_for_url", lambda client, url: fake)
        driver.call(FAKE, list_logs)
    if driver.name == "sync":
        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda _, request: fake.handle_request(request))
    else:
        handle: Any = lambda _, request: fake.handle_async_request(request)  # noqa: E731 - as above
        monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle)
    driver.call(FAKE, list_logs)


def test_only_functions_of_httpx_are_its_own():
    assert is_httpx_own(httpx.Client.send)
    others = [Wrapper(httpx.Client.send, []), mock.Mock(), len, wrapped(httpx.Client.send, [])]
    assert not any(map(is_httpx_own, others))
    for cls in (httpx.Client, httpx.AsyncClient):
        assert not Monitoring(cls.__name__).is_on()  # all functions have the names that this httpx gives them
        assert hasattr(cls, "_send_single_request")
        assert hasattr(cls, "_transport_for_url")
    module = SimpleNamespace(Client=httpx.Client)
    monitoring = Monitoring("Client", module)
    assert not monitoring.is_on()
    module.Client = object
    assert monitoring.is_on()


# --- the logger -------------------------------------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize("is_watched", [False, True])
def test_the_logger_of_httpx_logs_each_attempt_without_the_key(driver: Driver, monkeypatch, caplog, is_watched: bool):
    if is_watched:
        monkeypatch.setattr(client_class(driver), "send", Wrapper(client_class(driver).send, []))
    caplog.set_level(logging.INFO, httpx.__name__)
    echo = raw(b"HTTP/1.1 503 bad key %b\r\nContent-Length: 0\r\n\r\n" % KEY.encode(), then="keep")
    with FaultServer(echo, page_response()) as server:
        driver.call(server.base_url, list_logs)
    lines = [record.getMessage() for record in caplog.records if record.name == httpx.__name__]
    place = f"HTTP Request: GET {server.base_url}/workflows/logs?page=1&limit=20"
    assert lines == [f'{place} "HTTP/1.1 503 bad key [api key]"', f'{place} "HTTP/1.1 200 OK"']


@EACH_DRIVER
def test_the_logger_of_httpx_can_be_off(driver: Driver, caplog):
    caplog.set_level(logging.WARNING, httpx.__name__)
    with FaultServer(page_response()) as server:
        driver.call(server.base_url, list_logs)
    assert caplog.records == []

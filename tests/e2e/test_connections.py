"""What connections are made of: the environment's proxies, the end of a client, and nothing kept between responses."""

from __future__ import annotations

import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_DRIVER, Driver, failure, list_logs
from support.fault_server import KEY, FaultServer, page_response, reset, respond
from support.leaks import nothing_left_open
from support.tls import certified

from dify_workflow import APIConnectionError, APIStatusError, ConfigurationError, DifyWorkflow
from dify_workflow._http.connections import AsyncConnections, Connections
from dify_workflow._http.library import httpx

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the environment's proxies, and takes all others out of it."""

    def set_to(**values: str) -> None:
        for name in PROXIES:
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    set_to()
    return set_to


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
@EACH_DRIVER
def test_the_environments_proxy_is_used(driver: Driver, name: str, proxies: Callable[..., None]):
    with FaultServer(page_response()) as proxy:
        proxies(**{name: proxy.base_url.removesuffix("/v1")})
        page = driver.call("http://dify.invalid/v1", list_logs)
        assert proxy.requests[0].path.startswith("http://dify.invalid/v1/workflows/logs?")
    assert len(page.data) == 1


@EACH_DRIVER
def test_an_exempted_address_bypasses_the_proxy(driver: Driver, proxies: Callable[..., None]):
    with FaultServer(page_response()) as server, FaultServer(page_response()) as proxy:
        proxies(http_proxy=proxy.base_url.removesuffix("/v1"), no_proxy="127.0.0.1")
        driver.call(server.base_url, list_logs)
        assert len(server.requests) == 1
        assert proxy.requests == []


@EACH_DRIVER
def test_an_exempted_network_bypasses_the_proxy(driver: Driver, proxies: Callable[..., None]):
    with FaultServer(page_response()) as server, FaultServer(page_response()) as proxy:
        proxies(http_proxy=proxy.origin, no_proxy="10.0.0.0/8,127.0.0.0/8")
        driver.call(server.base_url, list_logs)
        assert (len(server.requests), len(proxy.requests)) == (1, 0)


@EACH_DRIVER
def test_a_derived_client_with_another_address_has_its_own_way(driver: Driver, proxies: Callable[..., None]):
    with FaultServer(page_response()) as server, FaultServer(page_response()) as proxy:
        proxies(http_proxy=proxy.origin, no_proxy="127.0.0.1")

        async def story(client: Any) -> None:
            await client.logs.list()
            derived = client.with_options(base_url="http://dify.invalid/v1")
            await derived.logs.list()
            await derived.logs.list()

        driver.play(server.base_url, story)
        assert (len(server.requests), len(proxy.requests), proxy.connections) == (1, 2, 1)


@EACH_DRIVER
@pytest.mark.parametrize(
    ("name", "value"),
    [("all_proxy", "socks5://u:pass-word@127.0.0.1:9"), ("http_proxy", "ftp://u:pass-word@127.0.0.1")],
)
def test_a_proxy_that_cannot_be_used_is_a_configuration_error(driver: Driver, name: str, value: str, proxies):
    with FaultServer(page_response()) as server:
        proxies(**{name: value})
        error = failure(driver, server.base_url, list_logs)
        assert type(error) is ConfigurationError
        assert name in str(error)
        assert "pass-word" not in str(error)
        proxies(https_proxy=value)  # it does not concern this server
        driver.call(server.base_url, list_logs)


@EACH_DRIVER
def test_certificates_that_cannot_be_read_concern_only_tls(driver: Driver, monkeypatch, proxies, tmp_path: Path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "company-ca.pem"))
    with FaultServer(page_response()) as server:
        driver.call(server.base_url, list_logs)
        error = failure(driver, server.base_url.replace("http:", "https:"), list_logs)
    assert type(error) is ConfigurationError
    assert "SSL_CERT_FILE" in str(error)


@EACH_DRIVER
def test_certificates_of_the_environment_hold_for_a_proxy_too(driver: Driver, monkeypatch, proxies, tmp_path: Path):
    with FaultServer(page_response(), tls=certified(tmp_path / "ca.pem")) as proxy:
        proxies(http_proxy=proxy.origin)
        assert type(failure(driver, "http://dify.invalid", list_logs)) is APIConnectionError
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        driver.call("http://dify.invalid", list_logs)
        assert [request.path for request in proxy.requests] == ["http://dify.invalid/v1/workflows/logs?page=1&limit=20"]
        monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path))
        assert type(failure(driver, "http://dify.invalid", list_logs)) is ConfigurationError


@EACH_DRIVER
def test_a_redirect_to_nowhere_is_its_status(driver: Driver):
    with FaultServer(respond(302, headers=(("Location", "https://:::/"),))) as server:
        with pytest.raises(APIStatusError) as caught:
            driver.call(server.base_url, list_logs)
        assert caught.value.status_code == 302


@EACH_DRIVER
def test_faults_leave_no_connection_open(driver: Driver):
    async def story(client: Any) -> None:
        for _ in range(6):
            with pytest.raises(Exception, match="GET /v1/workflows/logs"):
                await client.logs.list()
        assert server.wait_for_no_connection()

    behaviours = [reset(), respond(200, "<html>"), respond(500, "", then="close"), reset()]
    with nothing_left_open(), FaultServer(*behaviours) as server:
        driver.play(server.base_url, story, max_retries=0)


@EACH_DRIVER
def test_a_cookie_is_not_sent_back(driver: Driver, proxies: Callable[..., None]):
    with FaultServer(page_response(headers=(("Set-Cookie", "session=1; Path=/"),))) as server:
        driver.call(server.base_url, list_logs, list_logs)
        assert len(server.requests) == 2
        assert not any("cookie" in request.headers for request in server.requests)


def test_a_retry_after_the_client_was_closed_opens_no_connection():
    server = FaultServer(respond(503, headers=(("Retry-After", "1"),)), page_response())
    with server, DifyWorkflow(api_key=KEY, base_url=server.base_url) as client:
        failures: list[BaseException] = []

        def call() -> None:
            try:
                client.logs.list()
            except RuntimeError as error:
                failures.append(error)

        thread = threading.Thread(target=call)
        thread.start()
        while not server.requests:
            time.sleep(0.01)
        client.close()
        thread.join(30)
        assert [str(failure) for failure in failures] == ["this client is closed"]
        assert len(server.requests) == 1


@pytest.mark.parametrize("make", [Connections, AsyncConnections])
def test_whatever_speaks_tls_has_to_be_trusted(make: Callable[[], Any]):
    """Also where a client of plain HTTP gets a derived client with another address: it shares what is sent over."""
    contexts = {
        scheme: make()._opened(httpx.URL(f"{scheme}://dify.invalid"))._pool._ssl_context for scheme in ("http", "https")
    }
    for context in contexts.values():
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
    assert contexts["http"].get_ca_certs() == []  # it trusts nobody
    assert contexts["https"].get_ca_certs()

"""Connections to servers: made when first needed, by the way that the environment names, closed together.

Own connections are httpx's transports, over the network of `_http.network`; for an httpx client see
`_http.client_connections`.
"""

from __future__ import annotations

import logging
import os
import ssl
import sys
import threading
from _thread import start_new_thread
from typing import TYPE_CHECKING, Any, Final

from .config import CLOSED
from .library import httpx
from .monitoring import Monitoring, log_response, logger
from .open_responses import AsyncOpenResponses, OpenResponses, may_wait_for_lock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import TypeAlias

    from .config import Variable

    Send: TypeAlias = Callable[[httpx.Request], httpx.Response]
    AsyncSend: TypeAlias = Callable[[httpx.Request], Awaitable[httpx.Response]]

# gunicorn, which serves Dify, closes a connection that was idle for 2 seconds. One that may be closed while a run is
# being sent over it would leave open whether the run has begun, so none is used again after that time.
KEEPALIVE_SECONDS: Final = 1.5
LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=KEEPALIVE_SECONDS)

HAVE_SETTINGS: Final = frozenset({"darwin", "win32"})
"""Platforms whose own settings may name a proxy."""

ALL_IN_USE: Final = (
    f"all {LIMITS.max_connections} connections of this client were in use; a client has more with "
    "http_client=httpx.Client(limits=httpx.Limits(max_connections=...)), or AsyncClient"
)


class Connections:
    """Connections of one SDK client, without an httpx client around them unless that is monitored.

    What that adds is not for this API, and costs a tenth of a call: cookies, authentication, redirects, hooks.

    Args:
        environment: what names proxies and certificates; read when the first connection is opened.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._routes = Routes(environment)
        self._monitoring = Monitoring("Client")
        self._transports: dict[str, httpx.HTTPTransport] = {}
        self._clients: dict[httpx.HTTPTransport, httpx.Client] = {}
        self._network: Any = None  # the module, which is loaded with the first transport
        self._closed = False
        self._lock = threading.RLock()  # a signal handler may close them
        self._responses = OpenResponses()
        self.hold = self._responses.hold

    def send(self, request: httpx.Request) -> httpx.Response:
        """The response to a request, its body still to come.

        Raises:
            ConfigurationError: the environment's proxies or certificates cannot be used.
        """
        transport = self._transports.get(request.url.scheme) or self._opened(request.url)
        was_outside = self._responses.begin()
        try:
            if self._monitoring.is_on():
                return self._sent_by_client(transport, request)
            response = exchange(transport, request)
        finally:
            if was_outside:
                self._responses.end()
        response.request = request
        if logger.isEnabledFor(logging.INFO):
            log_response(request, response)
        return response

    def within(self, _: float | None) -> Send:
        """What sends a request. Its attempt bounds it: see `_http.attempts`."""
        return self.send

    def close(self) -> None:
        """Close them."""
        with self._lock:
            self._closed = True
            transports, self._transports = self._transports, {}
            self._clients.clear()
        for transport in transports.values():
            self._network.shut_down(transport)
            if may_wait_for_lock(transport):
                self._close(transport)
            else:  # this is a signal handler, and it interrupted what holds the lock
                start_new_thread(self._close, (transport,))

    def _close(self, transport: httpx.HTTPTransport) -> None:
        self._responses.finish_left()
        transport.close()

    def _opened(self, url: httpx.URL) -> httpx.HTTPTransport:
        with self._lock:
            key = self._routes.key(url)
            transport = self._transports.get(key)
            if transport is None:
                from . import network  # noqa: PLC0415 - it needs httpcore, which httpx loads with the first transport

                transport = httpx.HTTPTransport(**self._routes.options(url))
                network.install(transport)
                self._network = network
                self._transports[key] = transport
            if self._closed:  # perhaps by a signal handler, just now; it would open a connection that nobody closes
                raise RuntimeError(CLOSED)
            return transport

    def _sent_by_client(self, transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        from .client_connections import ClientConnections, client_around  # noqa: PLC0415 - loaded when needed

        client = self._clients.get(transport)
        if client is None:  # two threads may make one each: it has no state of its own
            client = self._clients[transport] = client_around(transport)
        return ClientConnections(client).send(request)


class AsyncConnections:
    """Connections of one SDK client in one event loop; as `Connections`."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._routes = Routes(environment)
        self._monitoring = Monitoring("AsyncClient")
        self._transports: dict[str, httpx.AsyncHTTPTransport] = {}
        self._clients: dict[httpx.AsyncHTTPTransport, httpx.AsyncClient] = {}
        self._network: Any = None  # the module, which is loaded with the first transport
        self._closed = False
        self._responses = AsyncOpenResponses()
        self.hold = self._responses.hold

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The response to a request, its body still to come.

        Raises:
            ConfigurationError: the environment's proxies or certificates cannot be used.
        """
        await self._responses.finish_left()
        transport = self._transports.get(request.url.scheme) or self._opened(request.url)
        if self._monitoring.is_on():
            return await self._sent_by_client(transport, request)
        response = await exchange_async(transport, request)
        response.request = request
        if logger.isEnabledFor(logging.INFO):
            log_response(request, response)
        return response

    def within(self, _: float | None) -> AsyncSend:
        """What sends a request. Its attempt bounds it: see `_http.attempts`."""
        return self.send

    async def aclose(self) -> None:
        """Close them."""
        await self._responses.finish_left()
        self._closed = True
        transports, self._transports = self._transports, {}
        self._clients.clear()
        for transport in transports.values():
            self._network.shut_down(transport)
            await transport.aclose()

    def _opened(self, url: httpx.URL) -> httpx.AsyncHTTPTransport:
        if self._closed:
            raise RuntimeError(CLOSED)
        key = self._routes.key(url)
        if key not in self._transports:
            from . import network  # noqa: PLC0415 - as above

            transport = httpx.AsyncHTTPTransport(**self._routes.options(url))
            network.install_async(transport)
            self._network = network
            self._transports[key] = transport
        return self._transports[key]

    async def _sent_by_client(self, transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        from .client_connections import AsyncClientConnections, async_client_around  # noqa: PLC0415 - as above

        client = self._clients.get(transport)
        if client is None:
            client = self._clients[transport] = async_client_around(transport)
        return await AsyncClientConnections(client).send(request)


class Routes:
    """By which way an address is reached, decided once for each: the environment is read when it is first needed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._variables: Mapping[str, Variable] | None = None

    def key(self, url: httpx.URL) -> str:
        """What addresses that are reached in the same way have in common: the scheme; with a proxy, the host too."""
        variables = self._proxies()
        return f"{url.scheme}://{url.netloc!r}" if {url.scheme, "all"} & set(variables) else url.scheme

    def options(self, url: httpx.URL) -> dict[str, Any]:
        """The options of an httpx transport that leads to an address.

        Raises:
            ConfigurationError: the variables that concern it cannot be used.
        """
        variables = self._proxies()
        proxy = None
        if variables:
            from .proxies import proxy_for  # noqa: PLC0415 - loaded when needed

            proxy = proxy_for(variables, url)
            if proxy is not None and proxy.url.scheme == "https":
                proxy.ssl_context = self._trusted()
        # Without TLS there are no certificates, and to load all authorities takes 20 ms. Should TLS be spoken over
        # these connections all the same, it fails: this context trusts nobody.
        plain = url.scheme == "http"
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else self._trusted()
        return {"verify": verify, "limits": LIMITS, "proxy": proxy}

    def _trusted(self) -> ssl.SSLContext:
        from .certificates import trusting  # noqa: PLC0415 - loaded when needed

        return trusting(self._environment)

    def _proxies(self) -> Mapping[str, Variable]:
        if self._variables is None:
            self._variables = _proxies_in(self._environment)
        return self._variables


def _proxies_in(environment: Mapping[str, str]) -> Mapping[str, Variable]:
    """The proxies of an environment, else of the system. Where there can be none, nothing is loaded to read them."""
    if sys.platform not in HAVE_SETTINGS and not any(name.lower().endswith("_proxy") for name in environment):
        return {}
    from .proxies import proxy_variables, system_variables  # noqa: PLC0415 - loaded when needed

    return proxy_variables(environment) or system_variables()


def exchange(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
    """Send a request over own connections; the response, its body still to come."""
    try:
        response = transport.handle_request(request)
    except httpx.PoolTimeout as error:
        raise httpx.PoolTimeout(ALL_IN_USE) from error
    # Bytes behind the response are searched for. There is no such stream where a test has replaced the transport.
    stream: Any = response.extensions.get("network_stream")
    if not getattr(stream, "is_watched", True):
        stream.watch(response)
    return response


async def exchange_async(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
    """As `exchange`."""
    try:
        response = await transport.handle_async_request(request)
    except httpx.PoolTimeout as error:
        raise httpx.PoolTimeout(ALL_IN_USE) from error
    stream: Any = response.extensions.get("network_stream")
    if not getattr(stream, "is_watched", True):
        stream.watch(response)
    return response

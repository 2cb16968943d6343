"""The client: its options, and the resources of the app."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Self, overload

from .._http import config, library, logging
from .._http.config import UNCHANGED, Configuration, Unchanged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Literal

    from .._http.config import TimeoutOption
    from .._http.library import HTTPClient
    from .._http.pools import Pool
    from .base_client import BaseClient
    from .resources.app import App
    from .resources.end_users import EndUsers
    from .resources.files import Files
    from .resources.forms import Forms
    from .resources.logs import Logs
    from .resources.runs import Runs


class DifyWorkflow:
    """Client of one Dify workflow app.

    >>> with DifyWorkflow(api_key="app-...", base_url="https://dify.example.com/v1") as client:
    ...     page = client.logs.list(status="failed", limit=100)

    It may be used from many threads at once and shares one pool of connections among them.

    It may be used after `os.fork()`: a child opens connections of its own, and leaves those of its parent alone.

    Args:
        api_key: the app's key, "app-..."; else the environment variable `DIFY_API_KEY`.
        base_url: address of the API, with or without "/v1"; else `DIFY_BASE_URL`, else "https://api.dify.ai/v1".
        timeout: seconds for connecting (5 at most), for each wait for more data, and for one attempt as a whole, which
            for a request with a body counts from when that was sent; or an `httpx.Timeout`, which bounds each phase
            and no whole. 60 seconds unless given, and 330 for the first event of `runs.stream`. With `http_client`, the
            body of a response is bounded as a whole, and its headers in each wait for data.
        max_retries: how often a request is sent again; 2 unless given. A GET is repeated after connection errors,
            timeouts, 408, 429, and every 5xx but 501 and 505. Anything else is repeated only when the server cannot
            have begun the work: no connection was made, or it responded that it is busy.
        backoff: seconds before the first retry, doubled for each further one up to 8, less a random part; 0.5 unless
            given. A `Retry-After` of up to 60 seconds is obeyed instead; above that the error is raised at once.
        default_headers: names and values of headers to send with every request; each replaces the SDK's own of that
            name. `with_options` adds, replaces or removes single ones.
        http_client: your own `httpx.Client`, or `httpx2.Client`, for proxies, certificates, or a fake
            transport in tests. It is used as it is and never closed here; its timeout counts, unless it is the
            library's default or `timeout` is given. Give it no fewer connections than callers at once: httpcore 1.0 can
            break connections for which callers have to queue. It is yours: after a fork, make one, and a client with
            it, in each child.

    Raises:
        ConfigurationError: an option has no usable value, or there is no API key. At the first call: the environment's
            proxies or certificates cannot be used.
    """

    __module__ = "dify_workflow"

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: TimeoutOption = None,
        max_retries: int = config.DEFAULT_MAX_RETRIES,
        backoff: float = config.DEFAULT_BACKOFF,
        default_headers: Mapping[str, str] | None = None,
        http_client: HTTPClient | None = None,
    ) -> None:
        secret = config.secret_from(api_key)
        del api_key  # a traceback that shows variables must not show it
        library.choose(http_client)
        library.checked_client(http_client, "Client")
        base_client, pool = _classes()
        logging.turn_on_from_environment()
        configuration = Configuration(
            api_key=secret,
            base_url=base_url,
            timeout=config.timeout_of(http_client) if timeout is None else timeout,
            max_retries=max_retries,
            backoff=backoff,
            default_headers=default_headers,
        )
        self._base_client = base_client(configuration, pool(http_client))
        self._is_derived = False

    # A resource is loaded when it is first used: a program that only reads logs does not pay for the rest.

    @property
    def logs(self) -> Logs:
        """The app's run logs: what ran, for whom, how long, and what failed."""
        from .resources.logs import Logs  # noqa: PLC0415 - loaded when needed

        return Logs(self._base_client)

    @property
    def runs(self) -> Runs:
        """The app's runs: start, stream, read and stop them."""
        from .resources.runs import Runs  # noqa: PLC0415 - loaded when needed

        return Runs(self._base_client)

    @property
    def files(self) -> Files:
        """Files for the app's runs."""
        from .resources.files import Files  # noqa: PLC0415 - loaded when needed

        return Files(self._base_client)

    @property
    def forms(self) -> Forms:
        """Forms that paused runs wait for."""
        from .resources.forms import Forms  # noqa: PLC0415 - loaded when needed

        return Forms(self._base_client)

    @property
    def end_users(self) -> EndUsers:
        """The end users for whom the app ran."""
        from .resources.end_users import EndUsers  # noqa: PLC0415 - loaded when needed

        return EndUsers(self._base_client)

    @property
    def app(self) -> App:
        """The app's description, inputs and settings."""
        from .resources.app import App  # noqa: PLC0415 - loaded when needed

        return App(self._base_client)

    @property
    def base_url(self) -> str:
        """Address of the API, ending in "/v1"."""
        return self._base_client.configuration.base_url

    def __repr__(self) -> str:
        made = hasattr(self, "_base_client")  # not while its options are checked, and a traceback may show it then
        return f"{type(self).__name__}(base_url={self.base_url!r})" if made else f"{type(self).__name__}(...)"

    def with_options(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: TimeoutOption | Unchanged = UNCHANGED,
        max_retries: int | None = None,
        backoff: float | None = None,
        default_headers: Mapping[str, str | None] | None = None,
    ) -> Self:
        """A derived client with other options, on the same pool of connections.

        Options that are left out stay as they are. The pool belongs to the first client: closing a derived client is a
        no-op.
        Deriving a client for a single call is cheap:

        >>> client.with_options(default_headers={"X-Trace-Id": trace_id}).logs.list()

        Args:
            api_key: the key of another app on the same server.
            base_url: address of the API, with or without "/v1".
            timeout: as for the client; None is the default of 60 seconds.
            max_retries: how often a request is sent again.
            backoff: seconds before the first retry.
            default_headers: headers to send with every request, merged with the ones of this client: each replaces the
                one of its name, in whatever case it is written, and None removes it.

        Raises:
            ConfigurationError: an option has no usable value.
        """
        secret = config.secret_from(api_key)
        del api_key  # a traceback that shows variables must not show it
        configuration = self._base_client.configuration.changed(
            api_key=secret,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            backoff=backoff,
            default_headers=default_headers,
        )
        base = self._base_client
        derived = object.__new__(type(self))
        derived._base_client = type(base)(configuration, base.pool, versions=base.versions)
        derived._is_derived = True
        return derived

    @overload
    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        json: object = None,
        expect: Literal["json"] = "json",
        timeout: TimeoutOption = None,
    ) -> Any: ...  # noqa: ANN401 - JSON is anything

    @overload
    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        json: object = None,
        expect: Literal["bytes"],
        timeout: TimeoutOption = None,
    ) -> bytes: ...

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        json: object = None,
        expect: Literal["json", "bytes"] = "json",
        timeout: TimeoutOption = None,
    ) -> Any:
        """Call an operation that the SDK has no method for, with the same retries and errors.

        Args:
            method: HTTP method, as "GET".
            path: path below the base URL, as "/workflows/logs"; a full address is refused.
            params: query parameters; None is left out, a list is sent as repeated names.
            json: body, sent as JSON; None sends no body.
            expect: "json" returns the JSON value of the response (None for an empty one), "bytes" the body as received.
                Either is read into memory; over 512 MiB it raises `APIResponseError`.
            timeout: seconds, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: `method`, `path` or `expect` is invalid; raised before any request is sent.
            DifyError: no usable response came, or one with an error status.
        """
        from .._http import decode, requests, response_errors  # noqa: PLC0415 - loaded with the first client

        try:
            call = requests.plain_request(method, path, params, json)
        except (TypeError, ValueError) as error:
            response_errors.conceal(error, None, self._base_client.configuration.api_key)
            raise
        finally:
            del method, path, params, json  # any of them may hold the key, and a traceback may show variables
        return self._base_client.send(call, decode.reader(expect), timeout)

    def close(self) -> None:
        """Close the connections, and end what waits, from any thread, task or signal handler, with a `RuntimeError`.

        No-op for a derived client. Connections of `http_client` stay open.
        """
        if not self._is_derived:
            self._base_client.pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


@cache
def _classes() -> tuple[type[BaseClient], type[Pool]]:
    """What is bound to the HTTP library, which the first client chooses."""
    from .._http.pools import Pool  # noqa: PLC0415 - loaded with the first client
    from .base_client import BaseClient  # noqa: PLC0415 - as above

    return BaseClient, Pool

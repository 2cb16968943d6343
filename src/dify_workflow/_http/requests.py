"""What is sent: the one place where an address, the headers and the key come together."""

from __future__ import annotations

import json
import os
import string
import sys
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from .._version import __version__
from . import library
from .library import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dify_workflow_api.types import Request

    from .config import Configuration
    from .secrets import Secret

Params = tuple[tuple[str, str], ...]


@cache
def user_agent() -> str:
    """The User-Agent of every request: this SDK's version, Python's and the HTTP library's."""
    python = "{}.{}".format(*sys.version_info)
    return f"dify-workflow-sdk/{__version__} python/{python} {httpx.__name__}/{httpx.__version__}"


def wire_params(params: Mapping[str, object] | None) -> Params:
    """Query parameters as they are sent: None is left out, a boolean is true or false, a list is repeated."""
    return tuple(
        (name, str(item).lower() if isinstance(item, bool) else str(item))
        for name, value in (params or {}).items()
        for item in _items(value)
        if item is not None
    )


def _items(value: object) -> Iterable[object]:
    return cast("Iterable[object]", value) if isinstance(value, list | tuple) else (value,)


def checked_path(path: str) -> str:
    """A path below the base URL, as `client.request` takes it.

    Raises:
        ValueError: a full address (the key must not go elsewhere), or a path with a query in it.
    """
    if not isinstance(path, str) or not path.startswith("/") or not path.isprintable() or set(path) & set("?#\\ "):
        raise ValueError(
            f"path must begin with '/', as in '/workflows/logs', below the client's base URL, "
            f"and hold no query (use params=); got {path!r}"
        )
    return path


def checked_method(method: str) -> str:
    """An HTTP method in capitals.

    Raises:
        ValueError: it is not a method's name.
    """
    if not isinstance(method, str) or not method.isascii() or not method.isalpha():
        raise ValueError(f"method must be an HTTP method such as 'GET' or 'POST'; got {method!r}")
    return method.upper()


def plain_request(method: str, path: str, params: Mapping[str, object] | None, json: object) -> Request[object]:
    """The request of `client.request`, for an operation that the spec does not know.

    Raises:
        ValueError: a part of it cannot be sent.
    """
    from dify_workflow_api.types import Request  # noqa: PLC0415 - loaded when needed

    return Request(
        operation="request",
        method=checked_method(method),
        path=checked_path(path),
        load_response=lambda: object,
        params=wire_params(params),
        json=json,
    )


class SentHeaders(httpx.Headers):
    """Headers whose repr, which tracebacks may show, has no values: a default header may hold the key, too."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})"

    def copy(self) -> SentHeaders:
        """A copy that hides its values as well."""
        return SentHeaders(self)


class _WithoutAddress:
    """A request whose repr, which tracebacks may show, has no address: its path and query are the caller's."""

    method: str

    def __repr__(self) -> str:
        return f"<Request({self.method!r})>"


class SentRequest(_WithoutAddress, httpx.Request):
    """A request of the SDK's own."""


_LONGEST_URL = 65_536
"""Characters of the longest URL that httpx takes."""


def _url(address: str, params: Params) -> httpx.URL:
    """The URL of a path with a query.

    httpx parses a URL character by character, which costs a tenth of a call: of URLs that differ in their query alone
    it parses one.
    """
    if not params:
        return httpx.URL(address)
    query = _query(params)
    if len(address) + len(query) >= _LONGEST_URL or not _can_assemble():
        return httpx.URL(f"{address}?{query}")
    return _with_query(_parsed(address), query)


def _query(params: Params) -> str:
    """The query as `urlencode` gives it, without its many calls where nothing has to be encoded."""
    parts = [f"{name}={value}" for name, value in params]
    query = "&".join(parts)
    is_plain = _PLAIN.issuperset(query) and query.count("=") == query.count("&") + 1 == len(parts)
    return query if is_plain else urlencode(params)


_PLAIN = frozenset(f"{string.ascii_letters}{string.digits}_.~-=&")


@lru_cache(maxsize=64)
def _parsed(address: str) -> httpx.URL:
    return httpx.URL(address)


def _with_query(url: httpx.URL, query: str) -> httpx.URL:
    new: Any = object.__new__(httpx.URL)
    parts: Any = vars(url)["_uri_reference"]  # `_can_assemble` checks that there is one
    new._uri_reference = parts._replace(query=query)  # noqa: SLF001 - `_can_assemble` checks that it works
    return cast("httpx.URL", new)


def _request(method: str, url: httpx.URL, headers: httpx.Headers, timeouts: Mapping[str, float | None]) -> SentRequest:
    """A request without a body, which httpx would look for among its arguments."""
    request: Any = object.__new__(SentRequest)
    request.method, request.url, request.headers = method, url, headers.copy()
    request.extensions = {"timeout": timeouts}
    request.stream, request._content = httpx.ByteStream(b""), b""  # noqa: SLF001 - as above
    return cast("SentRequest", request)


@cache
def _can_assemble() -> bool:
    """Whether this release of httpx makes the same of a URL and a request without a body as is assembled here."""
    whole = "http://[::1]:8000/v1/%7Ea?b=1%2F%C3%A9+-_.~&c="
    address, _, query = whole.partition("?")
    headers = httpx.Headers({"Host": "[::1]:8000"})
    try:
        url = _with_query(httpx.URL(address), query)
        made = vars(_request("GET", url, headers, {}))
        meant = vars(httpx.Request("GET", whole, headers=headers, extensions={"timeout": {}}))
        return (
            vars(url) == vars(httpx.URL(whole))
            and made.keys() == meant.keys()
            and all(made[name] == meant[name] for name in meant.keys() - {"stream"})
            and type(made["stream"]) is type(meant["stream"])
        )
    except Exception:  # noqa: BLE001 - whatever another release does
        return False


def prepared_headers(configuration: Configuration) -> httpx.Headers:
    """The headers of every request of a client, ready to be sent."""
    headers = SentHeaders(
        {
            "Host": httpx.URL(configuration.base_url).netloc.decode("ascii"),
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "Connection": "keep-alive",
            "User-Agent": user_agent(),
        }
    )
    headers.update(configuration.headers)  # each takes the place of its namesake, in whatever case it was written
    headers["Authorization"] = f"Bearer {configuration.api_key.reveal()}"
    return headers


def build_request(
    call: Request[Any],
    *,
    base_url: str,
    headers: httpx.Headers,
    accept: str | None,
    timeouts: Mapping[str, float | None],
    http: Any,  # noqa: ANN401 - of either library
) -> httpx.Request:
    """The request as it goes out.

    Args:
        call: the operation's request.
        base_url: what its path is below.
        headers: what `prepared_headers` gave.
        accept: content type to request instead of JSON.
        timeouts: seconds for each phase of the attempt, as httpx names them; None is no bound.
        http: the caller's own httpx client, whose headers, cookies and query are merged in; None where there is none:
            a client made here has nothing to merge, and merging nothing costs a tenth of the whole call.

    Raises:
        ValueError: the arguments make no request that can be sent.
    """
    content = None if call.json is None else _json_bytes(call.json)
    is_multipart = bool(call.files or call.fields)
    if content is not None or accept is not None or is_multipart:
        headers = headers.copy()
        if content is not None:
            headers.setdefault("Content-Type", "application/json")
        if accept is not None:
            headers["Accept"] = accept
        if is_multipart:  # said here, as a default header, or one of the caller's own client, would take its place
            headers["Content-Type"] = f"multipart/form-data; boundary={os.urandom(16).hex()}"
    url = base_url + call.path
    parts: dict[str, Any] = {"headers": headers, "extensions": {"timeout": timeouts}, "content": content}
    if is_multipart:
        parts |= {"files": call.files, "data": dict(call.fields)}
    try:
        if http is not None:
            return _without_address(http.build_request(call.method, url, params=call.params, **parts))
        parsed = _url(url, call.params)
        if content is None and not is_multipart and call.method == "GET" and _can_assemble():
            return _request(call.method, parsed, headers, timeouts)
        return SentRequest(call.method, parsed, **parts)
    except library.errors("InvalidURL") as error:  # httpx takes no address of more than 65,536 characters
        reason = f"path and params make no address that can be requested: {error}"
    except UnicodeEncodeError:
        reason = "params must be strings without lone surrogates"
    raise ValueError(reason)


def _without_address(request: httpx.Request) -> httpx.Request:
    """The request, its address hidden from its repr, unless it is of a class of the caller's."""
    if type(request) is httpx.Request:
        request.__class__ = SentRequest
    elif type(request) in library.all_of("Request"):
        hidden: Any = _WithoutAddress
        request.__class__ = library.derived(hidden, "Request", request)
    return request


def _json_bytes(value: object) -> bytes:
    # httpx 0.27 would send NaN, which is not JSON, and 0.28 refuses it: what is sent does not depend on the release.
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        reason = str(error)
    # Outside: the error that was caught refers to frames that have the value among their variables.
    raise ValueError(f"the body must be a JSON value: {reason}")


def without_secrets(request: httpx.Request, secret: Secret) -> httpx.Request:
    """The request as errors carry it: without its body, its credentials, and the key wherever it may stand."""
    kept = [
        (name, secret.redact_bytes(value)) for name, value in request.headers.raw if name.lower() not in _SECRET_HEADERS
    ]
    url = str(request.url)
    redacted = secret.redact(url)
    is_same = redacted == url and isinstance(request.url, httpx.URL)  # it may be of the other library
    return httpx.Request(request.method, request.url if is_same else httpx.URL(redacted), headers=kept)


_SECRET_HEADERS = frozenset(
    {b"authorization", b"cookie", b"proxy-authorization", b"content-length", b"transfer-encoding"}
)

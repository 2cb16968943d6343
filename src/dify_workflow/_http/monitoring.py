"""Whether something watches or replaces the clients of httpx.

Sentry, Datadog and New Relic wrap functions of `httpx.Client`, and tests replace them. Own connections do without such
a client, as it costs a tenth of a call; where it is wrapped, they are used through one.
"""

from __future__ import annotations

import logging
import os
from operator import attrgetter, is_
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from .library import httpx
from .secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

# What a request passes through in a client. All but the first two are private, and looked at only where they exist.
_NAMES: Final = (
    "__init__",
    "send",
    "_send_handling_auth",
    "_send_handling_redirects",
    "_send_single_request",
    "_transport_for_url",
)
_FOLDER: Final = os.path.join(os.path.dirname(httpx.__file__), "")  # noqa: PTH118, PTH120 - compared as a string

logger: Final = logging.getLogger(httpx.__name__)


class Monitoring:
    """Whether the clients of one class are monitored. The check costs little: nothing is decided twice.

    Args:
        name: the class, "Client" or "AsyncClient", which may be replaced as a whole.
        module: where it is.
    """

    def __init__(self, name: str, module: Any = httpx) -> None:  # noqa: ANN401 - a module
        self._name = name
        self._module = module
        present = (function for function in _NAMES if hasattr(getattr(module, name), function))
        self._functions: Callable[[type[Any]], tuple[object, ...]] = attrgetter(*present)
        self._seen: tuple[object, ...] = ()
        self._is_on = False

    def is_on(self) -> bool:
        """Whether a client's functions are not httpx's own, now."""
        try:
            functions = self._functions(getattr(self._module, self._name))
        except AttributeError:  # the class is another
            return True
        # By identity: a wrapper may say that it equals what it wraps.
        if not self._seen or not all(map(is_, functions, self._seen)):
            self._seen, self._is_on = functions, not all(map(is_httpx_own, functions))
        return self._is_on


def is_httpx_own(function: object) -> bool:
    """Whether this is a plain function whose code is in a file of httpx. A wrapper has its code elsewhere, or none."""
    return type(function) is FunctionType and function.__code__.co_filename.startswith(_FOLDER)


def log_response(request: httpx.Request, response: httpx.Response) -> None:
    """Log a response as an httpx client does, for those who rely on its logger. Used where that is turned on."""
    redact_reason(request, response)
    url = str(request.url)
    redacted = _redacted(url, request)
    logger.info(
        'HTTP Request: %s %s "%s %d %s"',
        request.method,
        request.url if redacted == url else redacted,
        response.http_version,
        response.status_code,
        response.reason_phrase,
    )


def redact_reason(request: httpx.Request, response: httpx.Response) -> None:
    """Take the key out of a response's reason phrase, which httpx logs: a server may echo it."""
    reason = response.extensions.get("reason_phrase")
    if isinstance(reason, bytes):
        response.extensions["reason_phrase"] = _redacted(reason.decode("latin-1"), request).encode("latin-1")


def _redacted(text: str, request: httpx.Request) -> str:
    key = request.headers.get("authorization", "").rpartition(" ")[2]
    return Secret(key).redact(text) if key else text

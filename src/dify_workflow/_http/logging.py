"""The logger `dify_workflow`. It has no handler of its own, unless `DIFY_LOG=debug|info` asks for one on stderr."""

from __future__ import annotations

import logging
import os
import warnings
from typing import TYPE_CHECKING

from .._errors import APIResponseError, APIStatusError

if TYPE_CHECKING:
    from .._errors import DifyError
    from .library import httpx
    from .secrets import Secret

logger = logging.getLogger("dify_workflow")

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO}


def turn_on_from_environment() -> None:
    """Give the logger a handler on stderr when `DIFY_LOG` asks for it; once, however often it is called."""
    wanted = os.environ.get("DIFY_LOG", "").strip().lower()
    if not wanted or logger.handlers:
        return
    if wanted not in _LEVELS:
        warnings.warn(f"DIFY_LOG is {wanted!r}, which is ignored: it can be 'debug' or 'info'", stacklevel=4)
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(_LEVELS[wanted])


def log_response(request: httpx.Request, response: httpx.Response, seconds: float, secret: Secret) -> None:
    """Log a response: at info the method, path, status and time, at debug the query as well."""
    if not logger.isEnabledFor(logging.INFO):
        return
    path = secret.redact(request.url.path)
    logger.info("%s %s: %d in %.3f s", request.method, path, response.status_code, seconds)
    if request.url.query:
        logger.debug("%s %s: query %s", request.method, path, secret.redact(request.url.query.decode("ascii")))


def log_retry(error: DifyError, retry: int, seconds: float) -> None:
    """Say that a request will be sent again, and why."""
    logger.info("retry %d in %.2f s after %s: %s", retry, seconds, type(error).__name__, _reason(error))


def log_end_of_stream(error: DifyError) -> None:
    """Log what ended a stream whose run had finished before: the result stands, and nothing is raised."""
    logger.info("a stream whose run had finished ended with %s: %s", type(error).__name__, _reason(error))


def log_outage(method: str, error: DifyError, seconds: float) -> None:
    """Warn that the server cannot be read at the moment, and say when the next request is sent."""
    logger.warning("%s looks again in %.1f s after %s: %s", method, seconds, type(error).__name__, _reason(error))


def log_time_shift(method: str, shift: int) -> None:
    """Say that the server displays times that are shifted against its filters, and what to set there."""
    logger.warning(
        "%s: the server displays times that are %+d s (%+.2f h) off the true ones, which is allowed for. Set the time "
        "zone to UTC on the server: remove PGTZ and DB_SESSION_TIMEZONE_OVERRIDE from Dify's environment, set it in "
        "the connection pooler's options, or ALTER DATABASE ... SET timezone TO 'UTC'; where Dify runs from source on "
        "Windows, set the machine's zone",
        method,
        shift,
        shift / 3600,
    )


def _reason(error: DifyError) -> str:
    # Not a response's own text: that is a part of a body.
    return f"status {error.status_code}" if isinstance(error, APIStatusError | APIResponseError) else str(error)

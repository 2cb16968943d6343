"""What a transport raises besides the errors of httpx, made such an error: httpx passes some on as they are."""

from __future__ import annotations

import ssl
import sys
from typing import Final

from . import library
from .library import httpx

_TLS: Final = "TLS failed"
_HOST: Final = "the name of the host cannot be looked up"
_OTHERS: Final = {
    "h11": ("ProtocolError",),
    "anyio._core._exceptions": ("BrokenResourceError", "ClosedResourceError", "EndOfStream"),
    **dict.fromkeys(
        library.CORES.values(), ("NetworkError", "ProtocolError", "TimeoutException", "UnsupportedProtocol")
    ),
}
"""Errors of what is below httpx, by module. `anyio` itself would load them, when asked for the first time."""


def raised() -> tuple[type[Exception], ...]:
    """The classes of errors that mean: nothing usable came back. Used only when something was raised.

    An OSError is not among them: it comes from reading a file that is uploaded, and is the caller's. Nothing is
    imported: that fails where no file can be opened, and while a process ends. What is not loaded has raised nothing.
    """
    others = (getattr(sys.modules.get(module), name, None) for module, names in _OTHERS.items() for name in names)
    return (
        *library.errors("HTTPError"),
        *library.errors("InvalidURL"),
        ssl.SSLError,
        UnicodeError,
        *(found for found in others if found is not None),
    )


def as_http_error(error: Exception) -> httpx.HTTPError:
    """The error as one of httpx."""
    if isinstance(error, httpx.HTTPError):
        return error
    if isinstance(error, library.all_of("HTTPError")):
        return _converted(error)
    # From the encoding of a host name with a label that is empty or too long, or from TLS before anything was sent.
    if isinstance(error, UnicodeError | ssl.SSLCertVerificationError):
        return httpx.ConnectError(f"{_HOST} ({error})" if isinstance(error, UnicodeError) else f"{_TLS}: {error}")
    if isinstance(error, ssl.SSLError):
        return httpx.ReadError(f"{_TLS}: {error}")
    kind = type(error).__name__
    same = getattr(httpx, kind, None)  # what httpx would have made of an error of httpcore or h11
    if isinstance(same, type) and issubclass(same, httpx.HTTPError):
        return same(str(error))
    return httpx.ReadError(f"{kind}: {error}")


def _converted(error: Exception) -> httpx.HTTPError:
    """The error of the other library, which a caller's own client raised, as one of the process's."""
    same: type[httpx.HTTPError] = getattr(httpx, type(error).__name__, httpx.ReadError)
    made = same(str(error))
    made.__cause__ = error
    return made

"""What a transport raises besides the errors of httpx, made such an error: httpx passes some on as they are."""

from __future__ import annotations

import ssl
from typing import Final

import httpx

_TLS: Final = "TLS failed"
_HOST: Final = "the name of the host cannot be looked up"


def raised() -> tuple[type[Exception], ...]:
    """The classes of errors that mean: nothing usable came back. Asked for only when something was raised.

    An OSError is not among them: it comes from reading a file that is uploaded, and is the caller's.
    """
    import anyio  # noqa: PLC0415 - httpx has loaded these by now
    import h11  # noqa: PLC0415
    import httpcore  # noqa: PLC0415

    return (
        httpx.HTTPError,
        httpx.InvalidURL,
        ssl.SSLError,
        UnicodeError,
        h11.ProtocolError,
        anyio.BrokenResourceError,
        anyio.ClosedResourceError,
        anyio.EndOfStream,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.TimeoutException,
        httpcore.UnsupportedProtocol,
    )


def as_http_error(error: Exception) -> httpx.HTTPError:
    """The error as one of httpx."""
    if isinstance(error, httpx.HTTPError):
        return error
    if isinstance(error, UnicodeError):  # from the encoding of a host name with a label that is empty or too long
        return httpx.ConnectError(f"{_HOST} ({error})")
    if isinstance(error, ssl.SSLCertVerificationError):  # before anything was sent
        return httpx.ConnectError(f"{_TLS}: {error}")
    if isinstance(error, ssl.SSLError):
        return httpx.ReadError(f"{_TLS}: {error}")
    kind = type(error).__name__
    if "Timeout" in kind:
        return httpx.ReadTimeout(f"{kind}: {error}")
    return httpx.ReadError(f"{kind}: {error}")

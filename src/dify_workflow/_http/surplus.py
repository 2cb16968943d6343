"""Bytes that a server sends behind a response: h11 keeps them, and would take them for the next request's response.

They are found by private attributes of httpx and httpcore. Where one is not there, nothing is searched for; a test says
when that is the case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import library

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from .library import httpx

_WAY = ("_httpcore_stream", "_stream", "_connection", "_h11_state")
"""From the body of a transport's response to the parser of its connection."""


def parser_of(stream: object) -> Any:  # noqa: ANN401 - a private attribute
    """The parser of the connection that a body comes over; None where there is none, or it is not found."""
    found: Any = stream if hasattr(stream, _WAY[0]) else getattr(stream, "_stream", None)  # that of a client's response
    for name in _WAY:
        found = getattr(found, name, None)
    return found if hasattr(found, "trailing_data") else None


def has_surplus(parser: Any) -> bool:  # noqa: ANN401 - as above
    """Whether more has come than was read of it."""
    return parser is not None and bool(parser.trailing_data[0])


def guard(response: httpx.Response) -> None:
    """Let a caller's own client not use the connection of a response again on which something came behind it."""
    parser, network = parser_of(response.stream), response.extensions.get("network_stream")
    if parser is None or network is None:
        return
    stream: Any = response.stream
    if isinstance(stream, library.all_of("SyncByteStream")):
        response.stream = library.derived(_Guarded, "SyncByteStream", response)(stream, parser, network)  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue] - it is derived from one
    else:
        response.stream = library.derived(_AsyncGuarded, "AsyncByteStream", response)(stream, parser, network)  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue] - as above


class _Guarded:
    def __init__(self, stream: httpx.SyncByteStream, parser: Any, network: Any) -> None:  # noqa: ANN401 - as above
        self._stream, self._parser, self._network = stream, parser, network

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        if has_surplus(self._parser):  # before the connection can be given to somebody else
            self._network.close()
        self._stream.close()


class _AsyncGuarded:
    def __init__(self, stream: httpx.AsyncByteStream, parser: Any, network: Any) -> None:  # noqa: ANN401 - as above
        self._stream, self._parser, self._network = stream, parser, network

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        if has_surplus(self._parser):
            await self._network.aclose()
        await self._stream.aclose()

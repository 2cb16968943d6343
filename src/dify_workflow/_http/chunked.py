"""Bodies in chunks, such as streams of events, which come in one chunk for each event.

h11 takes longer for a chunk than everything else that is done with an event, so complete chunks are read here. All
others it reads: those that are not complete yet, the last one, and whatever is not as plain as it could be. It does not
know of those that were read here: for it the body has fewer chunks, and its errors and its end are the same.

The parser and what it has received are found by private attributes of httpx, httpcore and h11. Where one is not there,
httpx reads the body; a test says when that is the case.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .surplus import parser_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .library import httpx

END: Final = b"\r\n"
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_BEGINNING_OF_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,8}\r?")


class Chunks:
    """Takes what comes of a body, and gives what is in its chunks.

    Args:
        parser: h11's, at the beginning of a chunk, and with nothing that it has not read.

    Attributes:
        is_over: whether all that follows is left to the parser, which has been given what was received.
    """

    def __init__(self, parser: Any) -> None:  # noqa: ANN401 - from a private attribute
        self._parser = parser
        self._missing = 0  # of a chunk that the parser reads, the end of its line included
        self._beginning = b""  # of the line with the size of a chunk
        self.is_over = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What these bytes have in chunks; no bytes are the end of the connection.

        Raises:
            h11.ProtocolError: they are not chunks.
        """
        if not data:
            self._leave(self._beginning)
            self._parser.receive_data(b"")
            return
        if self._missing:
            part, data = data[: self._missing], data[self._missing :]
            self._missing -= len(part)
            yield from self._read(part)
        if self._beginning:
            data, self._beginning = self._beginning + data, b""
        found: list[bytes] = []
        at = self._find(data, found)
        if found:
            yield found[0] if len(found) == 1 else b"".join(found)
        rest = data[at:]
        if rest and self._missing:
            yield from self._read(rest)
        elif rest:
            self._keep(rest)

    def _find(self, data: bytes, found: list[bytes]) -> int:
        """Take complete chunks; the place where there are no more."""
        at, size = 0, len(data)
        while line := _SIZE.match(data, at):
            start = line.end()
            end = start + int(line[1], 16)
            if end == start or not data.startswith(END, end):
                if start < end and end + len(END) > size:
                    self._missing = end + len(END) - size
                break
            found.append(data[start:end])
            at = end + len(END)
        return at

    def _read(self, part: bytes) -> Iterator[bytes]:
        """What the parser finds in a part of a chunk."""
        self._parser.receive_data(part)
        while (data := getattr(self._parser.next_event(), "data", None)) is not None:
            yield bytes(data)

    def _keep(self, rest: bytes) -> None:
        if _BEGINNING_OF_SIZE.fullmatch(rest):
            self._beginning = rest
        else:
            self._leave(rest)

    def _leave(self, rest: bytes) -> None:
        self.is_over = True
        if rest:
            self._parser.receive_data(rest)


class ChunkedBody(NamedTuple):
    """A body in chunks that can be read here."""

    chunks: Chunks
    received: bytes
    """What has come of it with the headers."""
    read: Any
    """Gives more: of httpcore's stream, which is sync or async."""
    timeout: float | None
    """What it takes for a timeout."""


def chunked_body(response: httpx.Response) -> ChunkedBody | None:
    """A response's body, nothing of which has been read; None where httpx has to read it."""
    if response.headers.get("transfer-encoding", "").lower() != "chunked":
        return None
    parser = parser_of(getattr(response.stream, "stream", response.stream))
    read = getattr(response.extensions.get("network_stream"), "read", None)
    take = getattr(getattr(parser, "_receive_buffer", None), "maybe_extract_at_most", None)
    if read is None or take is None:
        return None
    received = take(len(parser.trailing_data[0])) or b""
    timeout = response.request.extensions.get("timeout", {}).get("read")
    return ChunkedBody(Chunks(parser), bytes(received), read, timeout)

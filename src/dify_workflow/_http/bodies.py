"""Bodies of responses: decompressed in small pieces, and refused where they exceed a bound.

httpx decompresses each chunk as a whole and obeys every encoding that a server names, several in a row included: some
hundred kilobytes on the wire can become gigabytes in memory. The decisions are here; nothing here reads or waits.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from .library import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_BODY: Final = 512 << 20
"""Decoded bytes of a response that is read as a whole."""

LARGEST_EVENT: Final = 64 << 20
"""Bytes of one server-sent event."""

READ_BYTES: Final = 1 << 16
"""Bytes of one read from a connection, as in httpcore."""

PIECE_BYTES: Final = 1 << 18
"""Decompressed bytes that exist at once, besides those that are kept."""

GZIP: Final = frozenset({"gzip", "x-gzip"})
DEFLATE: Final = "deflate"
GZIP_WINDOW: Final = zlib.MAX_WBITS | 16
ZLIB_HEADER_BYTES: Final = 2
MOST_DIGITS: Final = 20
"""Digits of a length that is looked at: of longer ones, Python may refuse to make a number."""


class BodyError(httpx.DecodingError):
    """A body that is not read, or not read further; the text says why, and contains nothing that the server sent."""


class Decoder:
    """Decompresses a body that arrives in chunks.

    Args:
        encoding: "gzip" or "deflate".
    """

    def __init__(self, encoding: str) -> None:
        self._is_gzip = encoding in GZIP
        self._stream = zlib.decompressobj(GZIP_WINDOW) if self._is_gzip else None
        self._start = b""  # of a deflated body: two bytes show which of its two forms it has
        self._is_at_end = True

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        """The decompressed bytes of a chunk, in pieces of at most `PIECE_BYTES`.

        Raises:
            BodyError: the compression is corrupt.
        """
        if not chunk:
            return
        self._is_at_end = False
        if self._stream is None:
            chunk = self._start = self._start + chunk
            if len(chunk) < ZLIB_HEADER_BYTES:
                return
            self._stream = zlib.decompressobj(_deflate_window(chunk))
        piece = b""
        while chunk or len(piece) == PIECE_BYTES:  # zlib may have read all of the chunk, and hold back some of the rest
            try:
                piece = self._stream.decompress(chunk, PIECE_BYTES)
                chunk = self._stream.unconsumed_tail
                if self._stream.eof:
                    chunk = self._next_member(self._stream.unused_data)
            except zlib.error as error:
                raise BodyError(f"a body whose compression is corrupt ({error})") from None
            if piece:
                yield piece

    def end(self) -> None:
        """Check that the body is complete.

        Raises:
            BodyError: it was cut.
        """
        if not self._is_at_end and (self._stream is None or not self._stream.eof):
            raise BodyError("a body whose compression is corrupt (it ends too early)")

    def _next_member(self, rest: bytes) -> bytes:
        """Prepare for what follows the end of the compressed data; the bytes of it that are to be decompressed."""
        rest = rest.lstrip(b"\0") if self._is_gzip else b""  # a file of gzip may be padded, and joined of several
        if rest:
            self._stream = zlib.decompressobj(GZIP_WINDOW)
        return rest


def _deflate_window(start: bytes) -> int:
    """Whether deflated data has a zlib header, as the standard says, or none, as some servers send it."""
    has_header = start[0] & 0x0F == zlib.DEFLATED and int.from_bytes(start[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS


def decoder_for(headers: httpx.Headers) -> Decoder | None:
    """What decompresses a body with these headers; None where it is not compressed.

    Raises:
        BodyError: it has more than one encoding, or one that was not requested.
    """
    named = [name.lower() for name in headers.get_list("content-encoding", split_commas=True)]
    encodings = [name for name in named if name not in {"", "identity"}]
    if not encodings:
        return None
    if len(encodings) > 1:
        raise BodyError(f"a body with {len(encodings)} content encodings, where at most one is read")
    if encodings[0] not in GZIP and encodings[0] != DEFLATE:
        raise BodyError("a body in a content encoding that was not requested: only gzip and deflate are")
    return Decoder(encodings[0])


def check_length(headers: httpx.Headers, bound: int) -> None:
    """Refuse a body that announces a length over the bound, before anything of it is read.

    Raises:
        BodyError: it does.
    """
    for name, value in headers.raw:  # a lookup by name takes four times as long, at every call
        if name.lower() == b"content-length":
            if value.isdigit() and len(value) <= MOST_DIGITS and int(value) > bound:
                raise too_large(bound)
            return


def too_large(bound: int) -> BodyError:
    """The error for a body that exceeds the bound."""
    return BodyError(f"a body of more than {_size(bound)}, which is not read")


def event_too_large(bound: int) -> BodyError:
    """The error for an event that exceeds the bound."""
    return BodyError(f"an event of more than {_size(bound)}, which is not read")


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count} bytes"

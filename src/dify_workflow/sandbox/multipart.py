"""Reading `multipart/form-data` as it arrives."""

import contextlib
import hashlib
import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import IO, Final
from urllib.parse import unquote

__all__ = ["MultipartError", "Part", "boundary_of", "read_parts"]

_LONGEST_HEADER: Final = 65_536
_LONGEST_TEXT: Final = 1_000_000


class MultipartError(Exception):
    """The body is not what its content type says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a form.

    Attributes:
        filename: Name of a file; None for a plain field.
        content_type: Its media type; empty when it names none.
        text: Value of a plain field; empty for a file.
        size: Bytes of the content.
        sha256: Its hash, in hexadecimal digits.
        content: The content of a file, if it is to be kept; the caller closes it.
    """

    name: str
    filename: str | None
    content_type: str
    text: str
    size: int
    sha256: str
    content: IO[bytes] | None = field(default=None, compare=False, repr=False)


def boundary_of(content_type: str) -> bytes | None:
    """Give the boundary that a content type names, or None when it is not that of a form."""
    if content_type.partition(";")[0].strip().lower() != "multipart/form-data":
        return None
    boundary = _parameters(content_type).get("boundary")
    return boundary.encode("latin-1", "replace") if boundary else None


async def read_parts(chunks: AsyncIterator[bytes], boundary: bytes, *, keep_content: bool = False) -> list[Part]:
    """Read all parts of a form.

    Args:
        chunks: The body.
        boundary: What separates the parts.
        keep_content: Whether to keep what the files contain, large ones in temporary files.

    Raises:
        MultipartError: If the body ends too early or is not a form.
    """
    source = _Source(chunks)
    delimiter = b"\r\n--" + boundary
    parts: list[Part] = []
    with contextlib.ExitStack() as opened:
        async for _ in source.until(delimiter):
            pass  # before the first part there may be anything
        while (await source.line()).strip() != b"--":
            content = opened.enter_context(_new_file()) if keep_content else None
            parts.append(await _read_part(source, delimiter, content))
        async for _ in chunks:
            pass  # and after the last one
        opened.pop_all()  # from here on they are the caller's
    return parts


def _new_file() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=_LONGEST_TEXT)


async def _read_part(source: "_Source", delimiter: bytes, content: IO[bytes] | None) -> Part:
    headers: dict[str, str] = {}
    length = 0
    while line := await source.line():
        length += len(line)
        if length > _LONGEST_HEADER:
            raise MultipartError("a part's headers are too long")
        try:
            name, _, value = line.decode().partition(":")
        except UnicodeDecodeError:
            raise MultipartError("a part's headers are not UTF-8") from None
        headers[name.strip().lower()] = value.strip()
    disposition = _parameters(headers.get("content-disposition", ""))
    filename = disposition.get("filename")
    digest, size, text = hashlib.sha256(), 0, bytearray()
    async for data in source.until(delimiter):
        digest.update(data)
        size += len(data)
        if filename is None:
            text += data
            if size > _LONGEST_TEXT:
                raise MultipartError("a field is too long")
        elif content is not None:
            content.write(data)
    return Part(
        name=disposition.get("name", ""),
        filename=filename,
        content_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
        text=text.decode(errors="replace"),
        size=size,
        sha256=digest.hexdigest(),
        content=content,
    )


class _Source:
    """The body, taken piece by piece."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = b"\r\n"  # so that the first boundary follows a line's end like all others

    async def line(self) -> bytes:
        """Take the next line, without its end."""
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > _LONGEST_HEADER:
                raise MultipartError("a line is too long")
            if self._buffer.startswith(b"--"):  # the last boundary needs no line's end
                self._buffer += await anext(self._chunks, b"\r\n")
            else:
                await self._more()
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line

    async def until(self, delimiter: bytes) -> AsyncIterator[bytes]:
        """Take everything before the delimiter, and the delimiter itself."""
        while (end := self._buffer.find(delimiter)) < 0:
            kept = len(delimiter) - 1
            if len(self._buffer) > kept:
                data, self._buffer = self._buffer[:-kept], self._buffer[-kept:]
                yield data
            await self._more()
        data, self._buffer = self._buffer[:end], self._buffer[end + len(delimiter) :]
        yield data

    async def _more(self) -> None:
        chunk = await anext(self._chunks, None)
        if chunk is None:
            raise MultipartError("the body ends too early")
        self._buffer += chunk


_PARAMETER: Final = re.compile(r';\s*([\w!#$%&\'*+.^`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)')


def _parameters(header: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in _PARAMETER.findall(header):
        if name.endswith("*"):  # RFC 5987: charset'language'percent-encoded
            found[name[:-1].lower()] = unquote(value.strip('"').rpartition("'")[2], errors="replace")
        elif value.startswith('"'):
            # Browsers and httpx write a quote as %22; the backslash is the older way.
            plain = re.sub(r'\\(["\\])', r"\1", value[1:-1]).replace("%22", '"')
            found.setdefault(name.lower(), plain)
        else:
            found.setdefault(name.lower(), value)
    return found

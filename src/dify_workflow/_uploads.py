"""Files on their way to the server: where their bytes come from, and what they are called."""

from __future__ import annotations

import io
import mimetypes
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TypeAlias, cast

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

    from dify_workflow_api.types import Request

FileSource: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes]
"""A file to upload: its path, its bytes, or a file object that is open for reading bytes."""

UNKNOWN_TYPE: Final = "application/octet-stream"
SPOOLED_BYTES: Final = 1 << 20

# What Dify 1.11 takes for each type of input, by the end of the name; everything else is "custom".
DOCUMENTS: Final = frozenset(
    (
        "txt",
        "md",
        "mdx",
        "markdown",
        "pdf",
        "html",
        "htm",
        "xlsx",
        "xls",
        "doc",
        "docx",
        "csv",
        "eml",
        "msg",
        "pptx",
        "ppt",
        "xml",
        "epub",
        "properties",
        "vtt",
    )
)
TYPES: Final = ("document", "image", "audio", "video", "custom")


@contextmanager
def opened(
    file: FileSource, filename: str | None, content_type: str | None
) -> Generator[tuple[str, bytes | IO[bytes], str]]:
    """The file as httpx takes it: its name, its bytes or where they are read from, and its content type.

    Raises:
        ValueError: it has no name, or gives text instead of bytes.
        OSError: its path cannot be read.
    """
    for name, value in {"filename": filename, "content_type": content_type}.items():
        if value is not None and (not isinstance(value, str) or not value or not value.isprintable()):
            raise ValueError(f"{name} must be printable text, got {value!r}")
    if isinstance(file, str | os.PathLike):
        path = Path(file)
        with path.open("rb") as stream:
            yield _named(filename or path.name, content_type, stream)
    elif isinstance(file, bytes | bytearray | memoryview):
        yield _named(_needed(filename), content_type, bytes(file))
    elif hasattr(file, "read"):
        if isinstance(file, io.TextIOBase):
            raise ValueError("file must be open for bytes: open(..., 'rb')")
        own = getattr(file, "name", None)
        if not filename and isinstance(own, str):
            filename = Path(own).name
        name = _needed(filename)
        if file.seekable():
            yield _named(name, content_type, file)
        else:  # a pipe can be read only once and has no length; this costs disk, not memory
            with tempfile.SpooledTemporaryFile(max_size=SPOOLED_BYTES) as spool:
                shutil.copyfileobj(file, spool)
                yield _named(name, content_type, spool)
    else:
        raise ValueError(f"file must be a path, bytes, or a file object open for bytes, got a {type(file).__name__}")


def rewind(call: Request[Any]) -> None:
    """Have every file of a request read from its beginning."""
    for _, part in call.files:
        content = cast("tuple[str, bytes | IO[bytes], str]", part)[1]
        if not isinstance(content, bytes):
            content.seek(0)


def read_in_threads(request: httpx.Request) -> None:
    """Have the body of an async request read from disk in threads, so that the event loop goes on meanwhile."""
    if isinstance(request.stream, httpx.SyncByteStream):
        request.stream = _ThreadedStream(request.stream)


def type_of_file(name: str, mime_type: str | None) -> str:
    """The type of input that Dify takes a file for, by its content type or the end of its name."""
    kind = (mime_type or "").partition("/")[0]
    if kind in {"image", "audio", "video"}:
        return kind
    return "document" if name.rpartition(".")[2].lower() in DOCUMENTS else "custom"


class _ThreadedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        from asyncio import to_thread  # noqa: PLC0415 - the sync half does without asyncio, which is large

        chunks = iter(self._stream)
        while chunk := await to_thread(next, chunks, b""):
            yield chunk


def _named(filename: str, content_type: str | None, content: bytes | IO[bytes]) -> tuple[str, bytes | IO[bytes], str]:
    return filename, content, content_type or mimetypes.guess_type(filename)[0] or UNKNOWN_TYPE


def _needed(filename: str | None) -> str:
    if not filename:
        raise ValueError("filename must be given for bytes and for file objects without a name")
    return filename

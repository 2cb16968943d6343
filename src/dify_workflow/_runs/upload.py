"""Files on their way to the server: where their bytes come from, and what they are called."""

from __future__ import annotations

import io
import mimetypes
import os
import re
import shutil
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self, TypeAlias, cast

from .._http import library

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import TracebackType

    from .._http.library import httpx

FileSource: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes]
"""A file to upload: its path, its bytes, or a file object that is open for reading bytes."""

UNKNOWN_TYPE: Final = "application/octet-stream"
SPOOLED_BYTES: Final = 1 << 20
PIECE_BYTES: Final = 1 << 20
"""What is read from disk and sent at once, and what a thread reads before the event loop sends it."""
HTTPX_BYTES: Final = 1 << 16
"""What httpx asks for at once. A file of 100 MB has 1,500 of these, and sending them takes half as much time again."""

# What Dify as shipped (ETL_TYPE=dify, measured on 1.11.2) detects by the ending of a file's name. A server with
# ETL_TYPE=Unstructured detects `document` for more: doc, ppt, pptx, eml, msg, xml, epub.
ENDINGS: Final = {
    "document": "txt md mdx markdown pdf html htm xlsx xls docx csv properties vtt",
    "image": "jpg jpeg png webp gif svg",
    "audio": "mp3 m4a wav amr mpga",
    "video": "mp4 mov mpeg webm",
}
TYPE_OF_ENDING: Final = {ending: kind for kind, endings in ENDINGS.items() for ending in endings.split()}
TYPES: Final = (*ENDINGS, "custom")

# For any other ending, the first of these words that the content type contains decides.
TYPE_OF_WORD: Final = {"image": "image", "video": "video", "audio": "audio", "text": "document", "pdf": "document"}

STORED_FILE: Final = "__dify__file__"
"""The `dify_model_identity` of a file in a run's stored inputs and outputs."""

# Python 3.11 knows these only where the operating system has them.
OFFICE: Final = "application/vnd.openxmlformats-officedocument."
CONTENT_TYPES: Final = {
    "docx": f"{OFFICE}wordprocessingml.document",
    "xlsx": f"{OFFICE}spreadsheetml.sheet",
    "pptx": f"{OFFICE}presentationml.presentation",
    "epub": "application/epub+zip",
    "msg": "application/vnd.ms-outlook",
    "markdown": "text/markdown",
    "mdx": "text/markdown",
    "webp": "image/webp",
    "m4a": "audio/mp4",
    "amr": "audio/amr",
    "gz": "application/gzip",
    "bz2": "application/x-bzip2",
    "xz": "application/x-xz",
}


class Source:
    """A file that is to be uploaded; a context manager, whose end closes what was opened for it.

    Raises:
        ValueError: it has no name, or gives text instead of bytes.
    """

    def __init__(self, file: FileSource, filename: str | None, content_type: str | None) -> None:
        if isinstance(file, str | os.PathLike):
            file = Path(os.fsdecode(file))
            own_name = file.name
        elif isinstance(file, bytes | bytearray | memoryview):
            file, own_name = bytes(file), ""
        elif hasattr(file, "read"):
            if not _gives_bytes(file):
                raise ValueError("file must be open for bytes: open(..., 'rb')")
            own_name = _own_name(file)
        else:
            kind = type(file).__name__
            raise ValueError(f"file must be a path, bytes, or a file object open for bytes, got a {kind}")
        self._file: Path | bytes | IO[bytes] = file
        self._filename = _checked_name(own_name if filename is None else filename)
        self._content_type = content_type_of(self._filename) if content_type is None else _checked_type(content_type)
        self._opened = ExitStack()
        self._is_over = False

    def part(self) -> tuple[str, bytes | Content, str]:
        """The file as httpx takes it: its name, its bytes or where they are read from, and its content type.

        This can take a while: a pipe is read to its end.

        Raises:
            OSError: it cannot be read.
        """
        if isinstance(self._file, bytes):
            return self._filename, self._file, self._content_type
        with ExitStack() as opened:
            stream = (
                opened.enter_context(self._file.open("rb", buffering=0)) if isinstance(self._file, Path) else self._file
            )
            size = _size(stream)
            if size is None:  # it can be read only once and has no length; this costs disk, not memory
                spool = opened.enter_context(tempfile.SpooledTemporaryFile(max_size=SPOOLED_BYTES))
                shutil.copyfileobj(stream, spool)
                stream, size = cast("IO[bytes]", spool), spool.tell()
            self._opened = opened.pop_all()
        if self._is_over:  # the caller is gone
            self._opened.close()
        return self._filename, Content(stream, size), self._content_type

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_over = True
        self._opened.close()


class Content:
    """The bytes of a file, from its first to the last that it had when it was measured.

    As many bytes are sent as were announced, also of a file that grows then. httpx goes back to the beginning for
    each attempt; nothing but `read` touches the file, so that none of it happens where an event loop runs.
    """

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._size = size
        self._at = 0
        self._is_there = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes; a piece for httpx, which asks for less.

        Raises:
            OSError: the file has become shorter.
        """
        left = self._size - self._at
        wanted = left if size < 0 else min(PIECE_BYTES if size == HTTPX_BYTES else size, left)
        if wanted == 0:
            return b""
        if not self._is_there:
            self._file.seek(self._at)
            self._is_there = True
        found = self._file.read(wanted)
        if not found:
            raise OSError(f"the file became shorter while it was uploaded: {left} of {self._size} bytes are missing")
        self._at += len(found)
        return found

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, counted from the beginning or from the end."""
        self._at = offset + (self._size if whence == os.SEEK_END else 0)
        self._is_there = False
        return self._at

    def tell(self) -> int:
        """The place of the next byte."""
        return self._at


def read_in_threads(request: httpx.Request) -> None:
    """Have the body of an async request read from disk in threads, so that the event loop is not blocked."""
    stream: Any = request.stream
    if isinstance(stream, library.all_of("SyncByteStream")):
        request.stream = library.derived(_ThreadedStream, "AsyncByteStream", request)(stream)  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue] - it is derived from one


def type_of_file(name: str, mime_type: str | None) -> str:
    """The type that Dify detects for a file, and with which it must be sent as an input.

    Args:
        name: the file's name, whose ending decides where the server knows it.
        mime_type: the content type with which the file was uploaded, which decides for any other ending.
    """
    kind = TYPE_OF_ENDING.get(os.path.splitext(name)[1][1:].lower())  # noqa: PTH122 - as the server does: ".pdf" has none
    if kind is None:
        kind = next((kind for word, kind in TYPE_OF_WORD.items() if word in (mime_type or "")), "custom")
    return kind


def with_files_as_inputs(value: object, place: str) -> Any:  # noqa: ANN401 - JSON is anything
    """A stored value of a run as it can be sent again: each stored file in it, at any depth, as an input.

    Args:
        value: a JSON value from the run's stored inputs.
        place: where it stands, for the message of an error.

    Raises:
        ValueError: a file has neither the id of an upload nor an address.
    """
    if isinstance(value, list):
        items = enumerate(cast("list[object]", value))
        return [with_files_as_inputs(item, f"{place}[{number}]") for number, item in items]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, object]", value)
    if fields.get("dify_model_identity") == STORED_FILE or fields.keys() >= {"transfer_method", "related_id"}:
        return _stored_file_as_input(fields, place)
    return {name: with_files_as_inputs(item, f"{place}[{name!r}]") for name, item in fields.items()}


def _stored_file_as_input(file: dict[str, object], place: str) -> dict[str, object]:
    method = file.get("transfer_method")
    if method == "remote_url":
        name, found = "url", file.get("remote_url") or file.get("url")
    else:
        name = "tool_file_id" if method == "tool_file" else "upload_file_id"
        found = file.get("related_id") or file.get(name)
    if not isinstance(found, str) or not found:
        raise ValueError(
            f"{place} is a stored file without {'an address' if name == 'url' else 'the id of an upload'}, "
            "and cannot be sent again; upload the file again, and put the upload in its place"
        )
    return {"type": file.get("type"), "transfer_method": method, name: found}


def content_type_of(filename: str) -> str:
    """The content type of a file, by its name."""
    guessed, compression = mimetypes.guess_type(filename)
    return CONTENT_TYPES.get(_ending(filename)) or (None if compression else guessed) or UNKNOWN_TYPE


class _ThreadedStream:
    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        from asyncio import to_thread  # noqa: PLC0415 - the sync client does without asyncio, which is large

        chunks = iter(self._stream)
        while part := await to_thread(_next_part, chunks):
            yield part


def _next_part(chunks: Iterator[bytes]) -> bytes:
    """As many of the next chunks as make a part that is worth the way to a thread and back; none at the end."""
    part: list[bytes] = []
    size = 0
    for chunk in chunks:
        part.append(chunk)
        size += len(chunk)
        if size >= PIECE_BYTES:
            break
    return part[0] if len(part) == 1 else b"".join(part)


def _size(file: IO[bytes]) -> int | None:
    """The bytes that a file has from its beginning; None where it must be read to know."""
    with suppress(OSError, ValueError, AttributeError):
        if not file.seekable():
            return None
        file.seek(0, os.SEEK_END)
        size = file.tell()
        if size or not file.read(1):
            return size
        file.seek(0)  # Linux says of the files about itself that they are empty
    return None


def _gives_bytes(file: IO[bytes]) -> bool:
    try:
        return not isinstance(file, io.TextIOBase) and isinstance(file.read(0), bytes)
    except io.UnsupportedOperation:  # it is open for writing
        return False


def _own_name(file: IO[bytes]) -> str:
    name: object = getattr(file, "name", None)
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    # Python calls what has no name "<stdin>" or "<fdopen>", or by the number of its descriptor.
    return Path(name).name if isinstance(name, str) and not re.fullmatch("<.*>", name) else ""


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _checked_name(filename: str) -> str:
    if not isinstance(filename, str) or re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", filename):
        raise ValueError(f"filename must be a string without control characters and lone surrogates, got {filename!r}")
    if not filename:
        raise ValueError("filename must be given for bytes and for file objects without a name")
    return filename


def _checked_type(content_type: str) -> str:
    if not isinstance(content_type, str) or not re.fullmatch(r"[!-~]+/[ -~]+", content_type):
        raise ValueError(f"content_type must be printable ASCII such as 'application/pdf', got {content_type!r}")
    return content_type

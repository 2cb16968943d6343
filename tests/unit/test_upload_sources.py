"""What a file is taken for, and which of its bytes are sent."""

from __future__ import annotations

import asyncio
import io
import mimetypes
import os
import tempfile
import threading
from typing import TYPE_CHECKING

import pytest

from dify_workflow._http.library import httpx
from dify_workflow._runs.upload import (
    PIECE_BYTES,
    TYPES,
    Content,
    Source,
    content_type_of,
    read_in_threads,
    type_of_file,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {
    "document": "txt md mdx markdown pdf html htm xlsx xls docx csv properties vtt",
    "image": "jpg jpeg png webp gif svg",
    "audio": "mp3 m4a wav amr mpga",
    "video": "mp4 mov mpeg webm",
}
OFFICE = "application/vnd.openxmlformats-officedocument"
OUR_TYPES = {
    "a.docx": f"{OFFICE}.wordprocessingml.document",
    "a.xlsx": f"{OFFICE}.spreadsheetml.sheet",
    "a.pptx": f"{OFFICE}.presentationml.presentation",
    "a.epub": "application/epub+zip",
    "a.msg": "application/vnd.ms-outlook",
    "a.markdown": "text/markdown",
    "a.mdx": "text/markdown",
    "a.webp": "image/webp",
    "a.m4a": "audio/mp4",
    "a.amr": "audio/amr",
    "a.tar.gz": "application/gzip",
    "a.tar.bz2": "application/x-bzip2",
    "a.tar.xz": "application/x-xz",
}
PYTHONS_TYPES = {
    "a.md": "text/markdown",
    "a.txt.Z": "application/octet-stream",
    "A.PDF": "application/pdf",
    "a.txt": "text/plain",
    "a.csv": "text/csv",
    "a.html": "text/html",
    "a.png": "image/png",
    "a.jpeg": "image/jpeg",
    "a.mp3": "audio/mpeg",
    "a.mp4": "video/mp4",
    "noext": "application/octet-stream",
    "a.nonsense": "application/octet-stream",
    "gz": "application/octet-stream",
}


@pytest.mark.parametrize(
    ("kind", "ending"), [(kind, ending) for kind, all_ in KINDS.items() for ending in all_.split()]
)
def test_a_files_ending_decides_its_kind_as_on_the_server(kind: str, ending: str):
    assert type_of_file(f"a.{ending}", None) == type_of_file(f"A.B.{ending.upper()}", "application/zip") == kind


def test_an_unknown_ending_means_the_content_types_kind():
    types = ("image/x", "audio/x", "video/x", "text/x", "x/pdf", "x/y.text", "custom", "", None)
    assert [type_of_file("a.x", type_) for type_ in types] == [
        *("image", "audio", "video", "document", "document", "document", "custom", "custom", "custom")
    ]
    assert type_of_file("pdf", None) == type_of_file(".pdf", None) == type_of_file("a.pdf.", None) == "custom"
    assert (*KINDS, "custom") == TYPES


@pytest.mark.parametrize(("name", "content_type"), [*OUR_TYPES.items(), *PYTHONS_TYPES.items()])
def test_a_content_type_is_that_of_the_name(name: str, content_type: str):
    assert content_type_of(name) == content_type


@pytest.mark.parametrize("name", OUR_TYPES)
def test_content_types_do_not_depend_on_the_operating_system(monkeypatch, name: str):
    monkeypatch.setattr(mimetypes, "guess_type", lambda _: (None, None))
    assert content_type_of(name) == OUR_TYPES[name]


def test_all_bytes_are_sent_wherever_the_file_stood():
    file = io.BytesIO(b"abcdef")
    file.seek(3)
    content = Content(file, 6)
    assert (content.tell(), content.read(), content.tell(), content.read(), content.read(2)) == (
        0,
        b"abcdef",
        6,
        b"",
        b"",
    )


def test_a_part_can_be_read_again_from_any_place():
    content = Content(io.BytesIO(b"abcdef"), 6)
    assert (content.read(0), content.read(2), content.read(3), content.tell()) == (b"", b"ab", b"cde", 5)
    assert (content.seek(1), content.read(2), content.tell()) == (1, b"bc", 3)
    assert (content.seek(-2, os.SEEK_END), content.read(), content.seek(0, os.SEEK_END)) == (4, b"ef", 6)


def test_a_growing_file_is_cut_and_a_shrinking_one_an_error():
    content = Content(io.BytesIO(b"abcdef"), 4)
    assert content.read() == b"abcd"
    content = Content(io.BytesIO(b"abc"), 4)
    assert content.read() == b"abc"
    with pytest.raises(OSError, match="shorter while it was uploaded: 1 of 4 bytes"):
        content.read()


class Noted(httpx.SyncByteStream):
    """A body of three parts that notes who reads it."""

    def __init__(self) -> None:
        self.readers: set[threading.Thread] = set()

    def __iter__(self) -> Iterator[bytes]:
        piece = bytes(1 << 16)
        for _ in range(2 * PIECE_BYTES // len(piece)):
            self.readers.add(threading.current_thread())
            yield piece
        yield b"end"


def test_a_body_is_read_in_threads_by_the_megabyte():
    body = Noted()
    request = httpx.Request("POST", "http://127.0.0.1/v1/files/upload", stream=body)

    async def parts() -> list[int]:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        return [len(part) async for part in request.stream]

    read_in_threads(request)
    threaded = request.stream
    assert asyncio.run(parts()) == [PIECE_BYTES, PIECE_BYTES, 3]
    assert threading.current_thread() not in body.readers
    read_in_threads(request)
    assert request.stream is threaded


@pytest.mark.parametrize(("size", "is_on_disk"), [(1 << 20, False), ((1 << 20) + 1, True)])
def test_one_shot_sources_are_buffered_to_memory_then_disk(size: int, is_on_disk: bool):
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with Source(Pipe(bytes(size)), "a.bin", None) as source:
        _, content, _ = source.part()
        assert isinstance(content, Content)
        assert isinstance(content._file, tempfile.SpooledTemporaryFile)
        assert content._file._rolled is is_on_disk  # type: ignore[attr-defined]  # the standard library's own
        assert len(content.read()) == size


def test_a_file_is_sought_once_and_then_read_on():
    class Counting(io.BytesIO):
        sought = 0

        def seek(self, *place: int) -> int:
            self.sought += 1
            return super().seek(*place)

    file = Counting(b"abcdef")
    content = Content(file, 6)
    assert [content.read(2) for _ in range(4)] == [b"ab", b"cd", b"ef", b""]
    assert file.sought == 1

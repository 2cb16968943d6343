"""Uploads: whatever gives bytes arrives whole, under its name, whatever is in it, from disk and not from memory."""

from __future__ import annotations

import asyncio
import bz2
import codecs
import gzip
import hashlib
import io
import json
import lzma
import os
import tempfile
import threading
import tracemalloc
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from support.clients import EACH_DRIVER, AsyncDriver, Driver, failure
from support.fault_server import FaultServer, before_the_body, error_response, json_response, swallow
from support.fault_table import BUSY
from support.leaks import nothing_left_open
from support.multipart_bodies import Part, parts_of

from dify_workflow import PayloadTooLargeError
from dify_workflow._http.library import httpx
from dify_workflow._runs.upload import HTTPX_BYTES, PIECE_BYTES, Content

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = bytes(range(256)) * 700 + "é中😀\r\n--".encode()
UPLOADED = {
    "id": "995e38b5-b773-46b8-995f-2d641c18a93c",
    "name": "a.txt",
    "size": 11,
    "extension": "txt",
    "mime_type": "text/plain",
    "created_by": "b04dfd0c-0286-4bbf-81f1-3ba1f89c3837",
    "created_at": 1795384861,
    "preview_url": None,
    "source_url": "http://127.0.0.1/files/x",
}


class Received:
    """What an upload sent, seen from the other side of a transport."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def take(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(201, json=UPLOADED)

    @property
    def parts(self) -> dict[str, Part]:
        """The parts of the only request, by name."""
        [request] = self.requests
        assert int(request.headers["content-length"]) == len(request.content)
        assert "transfer-encoding" not in request.headers
        parts = parts_of(request.headers["content-type"], request.content)
        assert len({part.name for part in parts}) == len(parts)
        return {part.name: part for part in parts}


def uploaded(driver: Driver, file: Any, *, http: dict[str, Any] | None = None, **options: Any) -> dict[str, Part]:
    """The parts that an upload sends."""
    received = Received()
    client = {key: options.pop(key) for key in ("default_headers",) if key in options}
    transport = {"transport": httpx.MockTransport(received.take)} | (http or {})
    upload = driver.call(
        "http://127.0.0.1:1",
        lambda client: client.files.upload(file, **{"user": "u-1"} | options),
        http=transport,
        **client,
    )
    assert upload.to_dict() == UPLOADED
    return received.parts


def refused(driver: Driver, file: Any, match: str, **options: Any) -> None:
    """The upload is a ValueError before anything is sent."""
    received = Received()
    with pytest.raises(ValueError, match=match):
        driver.call(
            "http://127.0.0.1:1",
            lambda client: client.files.upload(file, **{"user": "u-1"} | options),
            http={"transport": httpx.MockTransport(received.take)},
        )
    assert received.requests == []


# --- what gives bytes -------------------------------------------------------------------------------------------------


class SomePath:
    def __init__(self, path: Path, kind: type[str | bytes]) -> None:
        self._path = os.fsencode(path) if kind is bytes else str(path)

    def __fspath__(self) -> str | bytes:
        return self._path


def after_a_few(file: Any) -> Any:
    """A file object in the middle of which somebody has stopped to read."""
    assert file.read(1000)
    return file


class FewMethods:
    """A file object with nothing but `read`."""

    def __init__(self) -> None:
        self._file = io.BytesIO(CONTENT)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


class ShortReads(io.BytesIO):
    """A file object that gives less than is requested."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size, 1000) if size and size > 0 else size)


def compressed(path: Path, opener: Callable[..., Any]) -> Any:
    with opener(path, "wb") as file:
        file.write(CONTENT)
    return after_a_few(opener(path, "rb"))


def zipped(path: Path) -> Any:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.bin", CONTENT)
    return after_a_few(zipfile.ZipFile(path).open("inside.bin"))


def spooled() -> Any:
    file = tempfile.SpooledTemporaryFile(max_size=100)  # noqa: SIM115 - closed by the test
    file.write(CONTENT)
    return file


def piped() -> Any:
    reading, writing = os.pipe()
    threading.Thread(target=_fill, args=(writing,), daemon=True).start()
    return os.fdopen(reading, "rb")


def named_pipe(path: Path) -> Path:
    os.mkfifo(path)
    threading.Thread(target=lambda: _fill(os.open(path, os.O_WRONLY)), daemon=True).start()
    return path


def _fill(descriptor: int) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(CONTENT)


def on_disk(path: Path) -> Path:
    path.write_bytes(CONTENT)
    return path


SOURCES: dict[str, Callable[[Path], Any]] = {
    "path as text": lambda path: str(on_disk(path)),
    "Path": on_disk,
    "PathLike of text": lambda path: SomePath(on_disk(path), str),
    "PathLike of bytes": lambda path: SomePath(on_disk(path), bytes),
    "bytes": lambda _: CONTENT,
    "bytearray": lambda _: bytearray(CONTENT),
    "memoryview": lambda _: memoryview(CONTENT),
    "open file": lambda path: on_disk(path).open("rb"),
    "open file in the middle": lambda path: after_a_few(on_disk(path).open("rb")),
    "open file without a buffer": lambda path: after_a_few(on_disk(path).open("rb", buffering=0)),
    "file for reading and writing": lambda path: after_a_few(on_disk(path).open("r+b")),
    "BytesIO": lambda _: io.BytesIO(CONTENT),
    "BytesIO in the middle": lambda _: after_a_few(io.BytesIO(CONTENT)),
    "file that reads little at a time": lambda _: ShortReads(CONTENT),
    "spooled file at its end": lambda _: spooled(),
    "gzip": lambda path: compressed(path, gzip.open),
    "bzip2": lambda path: compressed(path, bz2.open),
    "xz": lambda path: compressed(path, lzma.open),
    "file in a zip archive": zipped,
    "pipe": lambda _: piped(),
    "named pipe by its path": named_pipe,
    "named pipe, open": lambda path: named_pipe(path).open("rb"),
    "nothing but read": lambda _: FewMethods(),
}


@EACH_DRIVER
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_kind_of_file_arrives_whole_and_is_not_left_open(
    driver: Driver, source: Callable[[Path], Any], tmp_path: Path
):
    with nothing_left_open():
        file = source(tmp_path / "report.pdf")
        parts = uploaded(driver, file, filename="named.pdf", user="é u")
        if hasattr(file, "close"):
            assert not getattr(file, "closed", False), "the caller's file is the caller's to close"
            file.close()
        del file
    assert parts == {
        "user": Part("user", "é u".encode()),
        "file": Part("file", CONTENT, "named.pdf", "application/pdf"),
    }


@EACH_DRIVER
@pytest.mark.parametrize("empty", [lambda _: b"", lambda _: io.BytesIO(), Path.touch], ids=["bytes", "object", "path"])
def test_an_empty_file_is_a_file(driver: Driver, empty: Callable[[Path], Any], tmp_path: Path):
    path = tmp_path / "empty.txt"
    file = empty(path)
    parts = uploaded(driver, path if file is None else file, filename="e.txt")
    assert parts["file"] == Part("file", b"", "e.txt", "text/plain")


@EACH_DRIVER
def test_a_file_whose_size_is_reported_as_zero_arrives_whole(driver: Driver):
    assert (
        uploaded(driver, "/proc/self/cmdline", filename="c.txt")["file"].content
        == Path("/proc/self/cmdline").read_bytes()
    )


@EACH_DRIVER
def test_a_file_that_shrinks_is_told_and_not_sent_cut(driver: Driver):
    class Shrinking(io.BytesIO):
        def tell(self) -> int:
            return super().tell() + 5

    with pytest.raises(OSError, match="became shorter while it was uploaded: 5 of 1005 bytes are missing"):
        uploaded(driver, Shrinking(b"x" * 1000), filename="x.bin")


@EACH_DRIVER
@pytest.mark.parametrize("path", ["absent.txt", ""], ids=["absent", "a folder"])
def test_an_unreadable_path_is_an_os_error_and_not_sent(driver: Driver, path, tmp_path):
    received = Received()
    with pytest.raises(OSError, match=r"absent\.txt|Is a directory"):
        driver.call(
            "http://127.0.0.1:1",
            lambda client: client.files.upload(tmp_path / path, user="u-1"),
            http={"transport": httpx.MockTransport(received.take)},
        )
    assert received.requests == []


@EACH_DRIVER
def test_an_error_of_the_file_passes_and_nothing_stays_open(driver: Driver):
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if size and self.tell() > 200_000:
                raise OSError(5, "disk failed")
            return super().read(size)

    with FaultServer(json_response(201, UPLOADED)) as server, nothing_left_open():
        file = Broken(bytes(3 * PIECE_BYTES))
        with pytest.raises(OSError, match="disk failed"):
            driver.call(server.base_url, lambda client: client.files.upload(file, user="u", filename="x"))
        assert server.wait_for_no_connection()
    assert server.requests == []


# --- what is refused --------------------------------------------------------------------------------------------------


class TextReads:
    def read(self, size: int = -1) -> str:
        return "text"[:size]


class Named(io.BytesIO):
    """A file object with a name of its own."""

    def __init__(self, name: object) -> None:
        super().__init__(b"x")
        self.name = name


class Untouchable(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise AssertionError("the file was read")


def closed(file: Any) -> Any:
    file.close()
    return file


FOR_TEXT: dict[str, Callable[[Path], Any]] = {
    "StringIO": lambda path: io.StringIO("text"),
    "open file": lambda path: on_disk(path).open(encoding="latin-1"),
    "codecs": lambda path: codecs.getreader("latin-1")(on_disk(path).open("rb")),
    "object": lambda path: TextReads(),
}
REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    *((file, {}, "open for bytes") for file in [*FOR_TEXT.values(), lambda path: path.open("ab")]),
    (lambda path: closed(on_disk(path).open("rb")), {}, "closed file"),
    *(
        (lambda _, file=file: file, {}, "file must be a path, bytes, or a file object open for bytes")
        for file in (None, 7, ["a.txt"], {"file": b""}, iter([b"x"]), object())
    ),
    *(
        (make, {"filename": None}, "filename must be given")
        for make in (
            *(lambda _: b"x", lambda _: io.BytesIO(b"x")),
            *(lambda _, name=name: Named(name) for name in ("<stdin>", "<fdopen>", 0, "", None)),
        )
    ),
    *(
        (lambda _: b"x", {"filename": name}, "filename must be a string without control characters")
        for name in ("a\nb.txt", "a\r\nX: y", "a\x00.txt", "\x1b[31m", "\x7f", "\x85", "\u2028", "\ud800")
    ),
    *((lambda _: b"x", {"filename": name}, "filename must be a string") for name in (7, b"a.txt", ("a",))),
    *(
        (lambda _: b"x", {"content_type": content_type}, "content_type must be printable ASCII")
        for content_type in ("", "pdf", "text/plain\r\nX: y", "text/pläin", "text/", "/x", " text/plain", 7, b"a/b")
    ),
    (lambda _: Untouchable(), {"user": ""}, "user must be a string"),
]
"""The file, options of the upload, and what the error says."""


@EACH_DRIVER
@pytest.mark.parametrize(
    ("source", "options", "said"), REFUSED, ids=lambda value: ascii(value) if isinstance(value, dict) else ""
)
def test_what_cannot_be_uploaded_is_refused_before_a_request(
    driver: Driver, source: Any, options: Any, said: str, tmp_path: Path
):
    file = source(tmp_path / "a.txt")
    refused(driver, file, said, **{"filename": "a.txt"} | options)
    if hasattr(file, "close"):
        file.close()


def test_a_path_whose_own_name_cannot_be_sent_needs_another(tmp_path: Path):
    path = tmp_path / "two\nlines.txt"
    path.write_bytes(b"x")
    refused(AsyncDriver(), path, "filename must be a string without control characters")
    assert uploaded(AsyncDriver(), path, filename="one line.txt")["file"].filename == "one line.txt"
    other = os.fsencode(tmp_path) + b"/\xff.txt"
    Path(os.fsdecode(other)).write_bytes(b"x")
    refused(AsyncDriver(), os.fsdecode(other), "lone surrogates")


# --- names and types --------------------------------------------------------------------------------------------------

NAMES = [
    "a.txt",
    "文件.txt",
    "café.txt",
    "😀.png",
    "with spaces.txt",
    "ideographic\u3000space.txt",
    "Bildschirmfoto 3.45\u202fPM.png",
    "no-break\xa0space.txt",
    "semi;colon=equals&amp.txt",
    "it's.txt",
    "back\\slash.txt",
    "../../etc/passwd",
    "/absolute/path.txt",
    "C:\\Temp\\x.txt",
    "100%.txt",
    ".hidden",
    "noext",
    "x" * 300 + ".txt",
]


@EACH_DRIVER
def test_a_quotation_mark_cannot_end_a_name(driver: Driver):
    # As browsers write it; a backslash before it would be read in another way by some servers.
    parts = uploaded(driver, b"x", filename='a"; name="user"; x="b.txt')
    assert parts["file"].filename == "a%22; name=%22user%22; x=%22b.txt"
    assert parts["user"].content == b"u-1"


@EACH_DRIVER
def test_names_and_given_content_types_arrive_as_they_are(driver: Driver):
    for name in NAMES:
        assert uploaded(driver, b"x", filename=name)["file"].filename == name
    for name, options, content_type in (
        ("a.PDF", {}, "application/pdf"),
        ("noext", {}, "application/octet-stream"),
        ("a.txt", {"content_type": "text/x-special"}, "text/x-special"),
    ):
        assert uploaded(driver, b"x", filename=name, **options)["file"].content_type == content_type


@EACH_DRIVER
def test_a_file_is_named_by_its_path_or_object_unless_given(driver: Driver, tmp_path: Path):
    path = on_disk(tmp_path / "文件 1.pdf")
    assert uploaded(driver, path)["file"].filename == "文件 1.pdf"
    assert uploaded(driver, str(path))["file"].filename == "文件 1.pdf"
    assert uploaded(driver, path, filename="other.png")["file"].filename == "other.png"
    with path.open("rb") as opened:
        assert uploaded(driver, opened)["file"].filename == "文件 1.pdf"
    assert uploaded(driver, Named("folder/文件 2.pdf"))["file"].filename == "文件 2.pdf"
    assert uploaded(driver, Named("folder/文件 2.pdf".encode()))["file"].filename == "文件 2.pdf"


# --- the boundary -----------------------------------------------------------------------------------------------------


def boundary_of(request: httpx.Request) -> str:
    kind, _, boundary = request.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    return boundary


@EACH_DRIVER
def test_no_boundary_is_used_twice_and_none_can_be_foreseen(driver: Driver):
    received = Received()
    upload = lambda client: client.files.upload(b"x", user="u", filename="x")  # noqa: E731 - an action
    driver.call("http://127.0.0.1:1", *[upload] * 20, http={"transport": httpx.MockTransport(received.take)})
    boundaries = {boundary_of(request) for request in received.requests}
    assert len(boundaries) == 20
    assert {len(boundary) for boundary in boundaries} == {32}


@EACH_DRIVER
def test_a_file_that_looks_like_a_multipart_body_stays_one_part(driver: Driver):
    before = Received()
    upload = lambda client: client.files.upload(b"x", user="u", filename="x")  # noqa: E731 - an action
    driver.call("http://127.0.0.1:1", upload, http={"transport": httpx.MockTransport(before.take)})
    old = before.requests[0].content  # with a boundary that was in use a moment ago
    another = b'\r\n--x\r\nContent-Disposition: form-data; name="user"\r\n\r\nadmin\r\n--x--\r\n'
    hostile = b"\r\n--" + old + another + b"--" + b"-" * 60
    assert uploaded(driver, hostile, filename="x") == {
        "user": Part("user", b"u-1"),
        "file": Part("file", hostile, "x", "application/octet-stream"),
    }


@EACH_DRIVER
@pytest.mark.parametrize("header", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_client_headers_never_replace_the_body_content_type(driver: Driver, header: str):
    expected = {"user": Part("user", b"u-1"), "file": Part("file", b"\r\n--x\r\n", "a.txt", "text/plain")}
    headers = {"content-type": header}
    assert uploaded(driver, b"\r\n--x\r\n", filename="a.txt", default_headers=headers) == expected
    assert uploaded(driver, b"\r\n--x\r\n", filename="a.txt", http={"headers": headers}) == expected


# --- size and time ----------------------------------------------------------------------------------------------------

MEGABYTES = 100


@EACH_DRIVER
def test_a_large_file_is_streamed_from_disk(driver: Driver, tmp_path: Path):
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        for number in range(MEGABYTES):
            file.write(number.to_bytes(4) * (1 << 18))
    digest, size = hashlib.sha256(), 0

    def take(piece: bytes) -> None:
        nonlocal size
        digest.update(piece)
        size += len(piece)

    with FaultServer(swallow(json_response(201, UPLOADED), take)) as server:
        tracemalloc.start()
        try:
            driver.call(server.base_url, lambda client: client.files.upload(path, user="u-1"))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert size > MEGABYTES << 20
    assert peak < 16 << 20
    [request] = server.requests
    boundary = request.headers["content-type"].partition("boundary=")[2]
    expected = hashlib.sha256(
        f'--{boundary}\r\nContent-Disposition: form-data; name="user"\r\n\r\nu-1\r\n--{boundary}\r\n'
        'Content-Disposition: form-data; name="file"; filename="large.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
    )
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            expected.update(piece)
    expected.update(f"\r\n--{boundary}--\r\n".encode())
    assert digest.hexdigest() == expected.hexdigest()


class Waiting(io.BytesIO):
    """A file object whose bytes come only when something else has gone on."""

    def __init__(self, content: bytes, *, seekable: bool) -> None:
        super().__init__(content)
        self.is_asked, self.goes_on = threading.Event(), threading.Event()
        self._seekable = seekable

    def seekable(self) -> bool:
        return self._seekable

    def read(self, size: int | None = -1) -> bytes:
        if size:
            self.is_asked.set()
            assert self.goes_on.wait(10), "the event loop stood still while a file was read"
        return super().read(size)


@pytest.mark.parametrize("seekable", [True, False], ids=["file", "pipe"])
def test_the_event_loop_goes_on_while_a_file_is_read(seekable: bool):
    file = Waiting(CONTENT, seekable=seekable)

    async def story(client: Any) -> None:
        upload = asyncio.create_task(client.files.upload(file, user="u", filename="a.txt"))
        assert await asyncio.to_thread(file.is_asked.wait, 20)
        assert not upload.done()
        file.goes_on.set()
        await upload

    with FaultServer(json_response(201, UPLOADED)) as server:
        AsyncDriver().play(server.base_url, story)
    [request] = server.requests
    assert {part.content for part in parts_of(request.headers["content-type"], request.body)} == {b"u", CONTENT}


def test_the_event_loop_runs_while_a_pipe_waits_for_a_writer(tmp_path: Path):
    path = tmp_path / "pipe.txt"
    os.mkfifo(path)

    async def story(client: Any) -> None:
        upload = asyncio.create_task(client.files.upload(path, user="u"))
        await asyncio.sleep(0.01)
        assert not upload.done()
        await asyncio.to_thread(lambda: _fill(os.open(path, os.O_WRONLY)))
        await upload

    received = Received()
    AsyncDriver().play("http://127.0.0.1:1", story, http={"transport": httpx.MockTransport(received.take)})
    assert received.parts["file"] == Part("file", CONTENT, "pipe.txt", "text/plain")


def test_an_upload_cancelled_while_waiting_leaves_nothing(tmp_path: Path):
    path = tmp_path / "pipe.txt"
    os.mkfifo(path)
    received = Received()

    async def story(client: Any) -> None:
        upload = asyncio.create_task(client.files.upload(path, user="u"))
        await asyncio.sleep(0.01)
        upload.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upload
        _fill(os.open(path, os.O_WRONLY))  # the thread that waits for it can end

    with nothing_left_open():
        AsyncDriver().play("http://127.0.0.1:1", story, http={"transport": httpx.MockTransport(received.take)})
    assert received.requests == []


# --- again, and not again ---------------------------------------------------------------------------------------------


class FailingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Makes no connection for the first attempts, after having begun to read the body."""

    def __init__(self, received: Received, failures: int) -> None:
        self._received, self._failures = received, failures

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = iter(request.stream)  # type: ignore[arg-type]
        if self._failures:
            self._failures -= 1
            next(body), next(body)
            raise httpx.ConnectError("refused")
        request.read()
        return self._received.take(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = aiter(request.stream)  # type: ignore[arg-type]
        if self._failures:
            self._failures -= 1
            await anext(body)
            await body.aclose()  # type: ignore[attr-defined]
            raise httpx.ConnectError("refused")
        await request.aread()
        return self._received.take(request)


REPEATABLE = {name: SOURCES[name] for name in ("Path", "bytes", "open file in the middle", "gzip", "pipe")}


@EACH_DRIVER
@pytest.mark.parametrize("source", REPEATABLE.values(), ids=REPEATABLE)
def test_a_repeated_upload_sends_the_whole_file_again(driver: Driver, source: Callable[[Path], Any], tmp_path: Path):
    file = source(tmp_path / "report.pdf")
    busy = error_response(400, "invalid_param", BUSY)
    with FaultServer(
        error_response(429, "too_many_requests", "slow down"), busy, json_response(201, UPLOADED)
    ) as server:
        driver.call(server.base_url, lambda client: client.files.upload(file, user="u-1", filename="r.pdf"))
    expected = [Part("user", b"u-1"), Part("file", CONTENT, "r.pdf", "application/pdf")]
    assert [parts_of(one.headers["content-type"], one.body) for one in server.requests] == [expected] * 3
    if hasattr(file, "close"):
        file.close()


@EACH_DRIVER
@pytest.mark.parametrize("source", REPEATABLE.values(), ids=REPEATABLE)
def test_an_upload_without_a_connection_is_repeated_whole(driver: Driver, source: Any, tmp_path: Path):
    file, received = source(tmp_path / "report.pdf"), Received()
    driver.call(
        "http://127.0.0.1:1",
        lambda client: client.files.upload(file, user="u-1", filename="r.pdf"),
        http={"transport": FailingTransport(received, failures=2)},
    )
    assert received.parts["file"].content == CONTENT
    if hasattr(file, "close"):
        file.close()


@EACH_DRIVER
def test_a_server_that_refuses_a_file_early_is_heard(driver: Driver, tmp_path: Path):
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(20 << 20)
    too_large = before_the_body(error_response(413, "file_too_large", "File size exceeded."), then_read=True)
    with FaultServer(too_large) as server:
        error = failure(driver, server.base_url, lambda client: client.files.upload(path, user="u-1"))
    assert type(error) is PayloadTooLargeError
    assert str(error).startswith("POST /v1/files/upload: 413 file_too_large: File size exceeded. (127.0.0.1:")
    assert len(server.requests) == 1


# --- what is done with an upload --------------------------------------------------------------------------------------


@EACH_DRIVER
def test_an_upload_is_put_straight_into_a_run(driver: Driver):
    bodies: list[Any] = []

    def take(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/files/upload"):
            return httpx.Response(201, json=UPLOADED)
        bodies.append(json.loads(request.content))
        return httpx.Response(200, json={"task_id": "t", "workflow_run_id": "r", "data": {"status": "succeeded"}})

    async def story(client: Any) -> None:
        upload = await client.files.upload(b"x", user="u", filename="a.txt")
        await client.runs.run({"doc": upload, "docs": [upload, upload.as_input("custom")]}, user="u", files=(upload,))

    driver.play("http://127.0.0.1:1", story, http={"transport": httpx.MockTransport(take)})
    as_input = {"type": "document", "transfer_method": "local_file", "upload_file_id": UPLOADED["id"]}
    assert bodies == [
        {
            "inputs": {"doc": as_input, "docs": [as_input, as_input | {"type": "custom"}]},
            "response_mode": "blocking",
            "user": "u",
            "files": [as_input],
        }
    ]


def test_httpx_gets_a_whole_piece_where_it_asks_for_less():
    """When this fails, a release asks for another size: large uploads then take half as much time again."""
    content = Content(io.BytesIO(bytes(PIECE_BYTES + 1)), PIECE_BYTES + 1)
    request = httpx.Request("POST", "http://127.0.0.1/", files={"file": ("a.bin", cast("Any", content))})
    sizes = [len(part) for part in cast("httpx.SyncByteStream", request.stream)]
    assert [size for size in sizes if size == 1 or size >= HTTPX_BYTES] == [PIECE_BYTES, 1]

"""What it costs to upload a file through each client, beside httpx's own way: CPU time, throughput, and memory.

Usage: uploads.py [--quick]

The files are on disk, and the server takes them as fast as it can and keeps nothing. Client and server share one
processor: with two, Linux wakes an idle one up for the receiver in the sender's time, and does more or less of the
receiver's part then: one and the same upload took 0.57 to 0.98 of httpx.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias

from figures import Figure
from loopback import KEY, LIMIT_NOTE, RawConnection, server
from measure import alone, cpu, in_turn
from report import command
from rivals import DIFY_OAPI2, DIFY_PYTHON_SDK, OURS, STOCK, is_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from measure import Repeat, Taken

Upload: TypeAlias = Callable[[], Any]
"""Uploads the file once more."""
AsyncUpload: TypeAlias = Callable[[], Awaitable[Any]]

SIZES: Final = (15, 100)
"""Megabytes (millions of bytes): the limit of a Dify server for documents, and for video."""
TYPE: Final = "application/pdf"
HTTPX: Final = "httpx, files="
RAW: Final = "a socket and sendfile"
PROMISES: Final = {(100, "sync"): 0.75}
NOTES: Final = {
    HTTPX: "in pieces of 64 KiB; client and server share one processor, so that a figure is the same in each run",
    OURS: "in pieces of 1 MiB",
    RAW: LIMIT_NOTE,
    DIFY_OAPI2: "takes what is in memory: the caller has read the whole file before",
    STOCK: "ends each part of the body with the same line, `--+++`: a file that has this line in it is cut there",
}
NOTES_ASYNC: Final = {
    **NOTES,
    HTTPX: "reads the disk in the event loop, where everything else waits",
    OURS: "reads the disk in threads, so that the event loop is not blocked",
}


def figures(progress: Callable[[str], None], quick: bool = False) -> list[Figure]:
    """Measure uploads, sync and async."""
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder, one_processor(), server("upload_server.py") as address:
        for size in SIZES:
            file = Path(folder, f"{size}.pdf")
            file.write_bytes(bytes(range(250)) * (size * 4000))
            for kind, clients, way, notes in (
                ("sync", UPLOAD, sync_way, NOTES),
                ("async", UPLOAD_ASYNC, async_way, NOTES_ASYNC),
            ):
                section = f"upload of {size} MB, {kind}"
                progress(section)
                promise = PROMISES.get((size, kind))
                ways = {name: partial(way, name, address, file) for name in clients if is_here(name)}
                taken = in_turn(ways, rounds=3 if quick else 15)
                peaks = {name: alone(partial(peak, way, name, address, file)) for name in ways}
                for name in clients:
                    found += of_one(
                        section, name, taken.get(name, []), peaks.get(name), notes.get(name, ""), size, promise
                    )
    return found


@contextlib.contextmanager
def one_processor() -> Iterator[None]:
    """What this process starts until the end shares one processor with it, where the operating system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def of_one(
    section: str,
    name: str,
    taken: list[Taken],
    peak_megabytes: float | None,
    note: str,
    size: int,
    promise: float | None,
) -> list[Figure]:
    """The figures of one way; where it is not installed here, that it is not."""
    if not taken:
        return [Figure(section, name, (), "cpu s", HTTPX, note="is not installed here")]
    memory = [] if peak_megabytes is None else [Figure(section, name, (peak_megabytes,), "MB", HTTPX)]
    return [
        Figure(section, name, cpu(taken), "cpu s", HTTPX, promise if name == OURS else None, note),
        Figure(section, name, tuple(size / one.clock for one in taken), "MB/s", HTTPX),
        *memory,
    ]


def sync_way(name: str, address: str, file: Path) -> Repeat:
    """What uploads the file again and again, in this process."""
    upload = UPLOAD[name](address, file)

    def repeat(repeats: int) -> None:
        for _ in range(repeats):
            upload()

    return repeat


def async_way(name: str, address: str, file: Path) -> Repeat:
    """What uploads the file again and again, in this process, in a running event loop."""
    upload = UPLOAD_ASYNC[name](address, file)
    runner = asyncio.Runner()

    async def again(repeats: int) -> None:
        for _ in range(repeats):
            await upload()

    return lambda repeats: runner.run(again(repeats))


def peak(way: Callable[[str, str, Path], Repeat], name: str, address: str, file: Path) -> float | None:
    """Megabytes that this process has at the height of one upload more than before, after one of hardly anything.

    None where the operating system does not report it.
    """
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder, file.name)
        own.write_bytes(b"%PDF-1.4")
        repeat = way(name, address, own)
        repeat(1)
        shutil.copyfile(file, own)
        before = highest()
        repeat(1)
        after = highest()
    return None if before is None or after is None else after - before


def highest() -> float | None:
    """Megabytes that this process has had at most; None where the operating system does not report it."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text("ascii")) if status.exists() else None
    return int(found[1]) * 1024 / 1e6 if found else None


# The ways ------------------------------------------------------------------------------------------------------------


def httpx_upload(address: str, file: Path) -> Upload:
    """Plain httpx: the response's JSON value."""
    import httpx

    client = httpx.Client(headers={"Authorization": f"Bearer {KEY}"}, timeout=60)

    def upload() -> object:
        with file.open("rb") as opened:
            files = {"file": (file.name, opened, TYPE)}
            return client.post(f"{address}/files/upload", files=files, data={"user": "u-1"}).raise_for_status().json()

    return upload


def httpx_upload_async(address: str, file: Path) -> AsyncUpload:
    """Plain httpx: the response's JSON value."""
    import httpx

    client = httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, timeout=60)

    async def upload() -> object:
        with file.open("rb") as opened:
            files = {"file": (file.name, opened, TYPE)}
            response = await client.post(f"{address}/files/upload", files=files, data={"user": "u-1"})
        return response.raise_for_status().json()

    return upload


def sdk_upload(address: str, file: Path) -> Upload:
    """This SDK."""
    from dify_workflow import DifyWorkflow

    client = DifyWorkflow(api_key=KEY, base_url=address)
    return lambda: client.files.upload(file, user="u-1")


def sdk_upload_async(address: str, file: Path) -> AsyncUpload:
    """This SDK."""
    from dify_workflow import AsyncDifyWorkflow

    client = AsyncDifyWorkflow(api_key=KEY, base_url=address)
    return lambda: client.files.upload(file, user="u-1")


def raw_upload(address: str, file: Path) -> Upload:
    """The least that a client could do: the system sends the file, and nothing is a form."""
    connections: dict[int, RawConnection] = {}

    def upload() -> object:
        size = file.stat().st_size
        if size not in connections:
            connections[size] = RawConnection(address, "/files/upload", kind=TYPE, size=size)
        raw = connections[size]
        raw.socket.sendall(raw.request)
        with file.open("rb") as opened:
            at = 0
            while sent := os.sendfile(raw.socket.fileno(), opened.fileno(), at, 1 << 30):
                at += sent
        return json.loads(raw.received())

    return upload


def dify_python_sdk_upload(address: str, file: Path) -> Upload:
    """The SDK that Dify publishes."""
    from dify_client import DifyClient

    client = DifyClient(KEY, base_url=address)

    def upload() -> object:
        with file.open("rb") as opened:
            return client.file_upload("u-1", {"file": (file.name, opened, TYPE)}).json()

    return upload


def dify_python_sdk_upload_async(address: str, file: Path) -> AsyncUpload:
    """The SDK that Dify publishes."""
    from dify_client import AsyncDifyClient

    client = AsyncDifyClient(KEY, base_url=address)

    async def upload() -> object:
        with file.open("rb") as opened:
            return (await client.file_upload("u-1", {"file": (file.name, opened, TYPE)})).json()

    return upload


def dify_oapi2_upload(address: str, file: Path) -> Upload:
    """The typed SDK with builders, which takes what is in memory."""
    client, request, option = dify_oapi2_parts(address, file)
    return lambda: client.dify.v1.file.upload(request(), option)


def dify_oapi2_upload_async(address: str, file: Path) -> AsyncUpload:
    """The typed SDK with builders, which takes what is in memory."""
    client, request, option = dify_oapi2_parts(address, file)
    return lambda: client.dify.v1.file.aupload(request(), option)


def dify_oapi2_parts(address: str, file: Path) -> tuple[Any, Callable[[], Any], Any]:
    """Its client, what makes one more request, and its options."""
    from dify_oapi.api.dify.v1.model.upload_file_body import UploadFileBody
    from dify_oapi.api.dify.v1.model.upload_file_request import UploadFileRequest
    from dify_oapi.client import Client
    from dify_oapi.core.model.request_option import RequestOption

    client = Client.builder().domain(address.removesuffix("/v1")).build()
    option = RequestOption.builder().api_key(KEY).build()

    def request() -> Any:  # noqa: ANN401 - the benchmark's environment alone has it
        body = UploadFileBody.builder().user("u-1").build()
        content = io.BytesIO(file.read_bytes())
        return UploadFileRequest.builder().file(content, file.name).request_body(body).build()

    return client, request, option


def stock_upload(address: str, file: Path) -> Upload:
    """What openapi-python-client makes of the same spec, as it comes."""
    client, operation, body_of = stock_parts(address, file)

    def upload() -> object:
        with file.open("rb") as opened:
            return operation.sync(client=client, body=body_of(opened))

    return upload


def stock_upload_async(address: str, file: Path) -> AsyncUpload:
    """What openapi-python-client makes of the same spec, as it comes."""
    client, operation, body_of = stock_parts(address, file)

    async def upload() -> object:
        with file.open("rb") as opened:
            return await operation.asyncio(client=client, body=body_of(opened))

    return upload


def stock_parts(address: str, file: Path) -> tuple[Any, Any, Callable[[BinaryIO], Any]]:
    """Its client, its operation, and what makes the body of the opened file."""
    from dify_stock import AuthenticatedClient
    from dify_stock.api.files import upload_file
    from dify_stock.models import UploadFileBody
    from dify_stock.types import File

    client = AuthenticatedClient(base_url=address, token=KEY)
    return client, upload_file, lambda opened: UploadFileBody(file=File(opened, file.name, TYPE), user="u-1")


UPLOAD: Final[Mapping[str, Callable[[str, Path], Upload]]] = {
    HTTPX: httpx_upload,
    OURS: sdk_upload,
    RAW: raw_upload,
    DIFY_PYTHON_SDK: dify_python_sdk_upload,
    DIFY_OAPI2: dify_oapi2_upload,
    STOCK: stock_upload,
}
"""What makes the upload of each client."""

UPLOAD_ASYNC: Final[Mapping[str, Callable[[str, Path], AsyncUpload]]] = {
    HTTPX: httpx_upload_async,
    OURS: sdk_upload_async,
    DIFY_PYTHON_SDK: dify_python_sdk_upload_async,
    DIFY_OAPI2: dify_oapi2_upload_async,
    STOCK: stock_upload_async,
}
"""What makes the asynchronous upload of each client."""


if __name__ == "__main__":
    command(figures, "Measure uploads.")

"""What it costs to read a run's stream of events through each client, beside httpx's lines read as plain JSON.

Usage: streams.py [--quick]

Measured are CPU time and events per second where all events are there at once, which is the hardest case, as nobody
waits for anything; and, where they come one by one as they do in life, CPU time, and how long the first one takes from
the server's first byte into the user's hands.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from figures import Figure
from loopback import KEY, LIMIT, LIMIT_NOTE, RECEIVED_BYTES, RawConnection, server
from measure import cpu, in_turn
from report import command
from rivals import DIFY_OAPI2, DIFY_PYTHON_SDK, HTTPX_SSE, OURS, STOCK, is_here

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from measure import Repeat, Setup, Taken

Events: TypeAlias = Callable[[], Iterator[Any]]
"""Gives the events of one more run as they come."""
AsyncEvents: TypeAlias = Callable[[], AsyncIterator[Any]]

COUNT: Final = 400
PROMISE: Final = 1.00
INPUTS: Final = {"query": "hi"}
BODY: Final = {"inputs": INPUTS, "user": "u-1", "response_mode": "streaming"}

HTTPX: Final = "httpx, iter_lines + json.loads"
HTTPX_TYPED: Final = "httpx, iter_lines + typed events"
NOTES: Final = {
    HTTPX: "gives dicts; knows neither the end of a run nor a cut stream nor an `error` event",
    HTTPX_SSE: "gives dicts, as httpx does, by the letter of the format of events",
    OURS: "gives a typed model of each event, and raises where the stream is cut, silent, or reports an error",
    HTTPX_TYPED: "httpx's lines, each made a model of this SDK: what typed events cost without its way to read them",
    LIMIT: f"{LIMIT_NOTE}; gives dicts, as httpx does",
    DIFY_PYTHON_SDK: "reads the whole response before it gives any of it, and leaves finding the events to the caller",
    DIFY_OAPI2: "gives pieces of bytes, and leaves finding the events in them to the caller",
}
CANNOT: Final = {STOCK: "cannot: it waits for the whole response, reads it as one JSON document, and raises"}


def figures(progress: Callable[[str], None], quick: bool = False) -> list[Figure]:
    """Measure streams, sync and async."""
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder, server("stream_server.py", COUNT, Path(folder, "begun")) as address:
        for kind, names, way in (("sync", READ, sync_way), ("async", READ_ASYNC, async_way)):
            ways: dict[str, Setup] = {
                name: partial(way, name, address.replace("/v1", "/at-once/v1"), None) for name in names if is_here(name)
            }
            section = f"a stream of {COUNT} events at once, {kind}"
            progress(section)
            taken = in_turn(ways, rounds=5 if quick else 40)
            found += table(section, names, "cpu s", {name: cpu(runs) for name, runs in taken.items()})
            found += table(section, names, "events/s", {name: rates(runs) for name, runs in taken.items()})

            ways = {
                name: partial(way, name, address.replace("/v1", "/one-by-one/v1"), Path(folder, "begun"))
                for name in names
                if is_here(name)
            }
            section = f"a stream of {COUNT} events, one each millisecond, {kind}"
            progress(section)
            taken = in_turn(ways, rounds=3 if quick else 8)
            found += table(section, names, "cpu s", {name: cpu(runs) for name, runs in taken.items()})
            section = f"from the server's first byte to the first event, {kind}"
            found += table(section, names, "s", {name: firsts(runs) for name, runs in taken.items()})
    return found


def rates(runs: Sequence[Taken]) -> tuple[float, ...]:
    """Events per second, in each round."""
    return tuple(COUNT / run.clock for run in runs)


def firsts(runs: Sequence[Taken]) -> tuple[float, ...]:
    """Seconds to the first event, in each round."""
    return tuple(run.result for run in runs)


def table(
    section: str, names: Mapping[str, object], unit: str, values: Mapping[str, tuple[float, ...]]
) -> list[Figure]:
    """The figures of one unit; of who cannot do it or is not installed here, that it is so."""
    return [
        Figure(
            section,
            name,
            values.get(name, ()),
            unit,
            HTTPX,
            PROMISE if name == OURS and unit == "cpu s" else None,
            NOTES.get(name, "") if name in values else CANNOT.get(name, "is not installed here"),
        )
        for name in (*names, *CANNOT)
    ]


# One run after the other, in a process of its own --------------------------------------------------------------------


def sync_way(name: str, address: str, begun: Path | None) -> Repeat:
    """What reads runs, and gives how long the last one's first event took, where its beginning is noted."""
    read = READ[name](address)

    def repeat(repeats: int) -> float | None:
        first = 0.0
        for _ in range(repeats):
            count = 0
            for _ in read():
                if not count:
                    first = time.monotonic()
                count += 1
            check(name, count)
        return since(begun, first)

    return repeat


def async_way(name: str, address: str, begun: Path | None) -> Repeat:
    """What reads runs in a running event loop, and gives how long the last one's first event took."""
    read = READ_ASYNC[name](address)
    runner = asyncio.Runner()

    async def again(repeats: int) -> float | None:
        first = 0.0
        for _ in range(repeats):
            count = 0
            async for _ in read():
                if not count:
                    first = time.monotonic()
                count += 1
            check(name, count)
        return since(begun, first)

    return lambda repeats: runner.run(again(repeats))


def check(name: str, count: int) -> None:
    """Nobody is measured who loses events.

    Raises:
        RuntimeError: some are missing.
    """
    if count != COUNT:
        raise RuntimeError(f"{name} gave {count} events of {COUNT}")


def since(begun: Path | None, first: float) -> float | None:
    """Seconds from the server's first byte to the first event."""
    return None if begun is None else first - int(begun.read_text("ascii")) / 1e9


# The ways ------------------------------------------------------------------------------------------------------------


def httpx_events(address: str) -> Events:
    """Plain httpx: the JSON value of each line of data."""
    import httpx

    client = httpx.Client(headers={"Authorization": f"Bearer {KEY}"})

    def events() -> Iterator[Any]:
        with client.stream("POST", f"{address}/workflows/run", json=BODY) as response:
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    return events


def httpx_events_async(address: str) -> AsyncEvents:
    """Plain httpx: the JSON value of each line of data."""
    import httpx

    client = httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"})

    async def events() -> AsyncIterator[Any]:
        async with client.stream("POST", f"{address}/workflows/run", json=BODY) as response:
            async for line in response.aiter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    return events


def httpx_typed_events(address: str) -> Events:
    """Plain httpx, and a model of each event."""
    from dify_workflow_api.api.runs.run_workflow import load_event

    read = httpx_events(address)
    return lambda: (load_event(value.get("event")).from_dict(value) for value in read())


def raw_events(address: str) -> Events:
    """The least that a client could do: the JSON value of each line of data, read by orjson from a socket."""
    import orjson

    raw = RawConnection(address, "/workflows/run", json.dumps(BODY).encode("ascii"))

    def events() -> Iterator[Any]:
        raw.socket.sendall(raw.request)
        rest, is_whole = b"", False
        while not is_whole:
            data = rest + raw.socket.recv(RECEIVED_BYTES)
            is_whole = data.endswith(b"\r\n0\r\n\r\n")
            *lines, rest = data.split(b"\n")
            for line in lines:
                if line.startswith(b"data:"):
                    yield orjson.loads(line[5:])

    return events


def sdk_events(address: str) -> Events:
    """This SDK: a model of each event."""
    from dify_workflow import DifyWorkflow

    client = DifyWorkflow(api_key=KEY, base_url=address)

    def events() -> Iterator[Any]:
        with client.runs.stream(INPUTS, user="u-1") as events:
            yield from events

    return events


def sdk_events_async(address: str) -> AsyncEvents:
    """This SDK: a model of each event."""
    from dify_workflow import AsyncDifyWorkflow

    client = AsyncDifyWorkflow(api_key=KEY, base_url=address)

    async def events() -> AsyncIterator[Any]:
        async with client.runs.stream(INPUTS, user="u-1") as events:
            async for event in events:
                yield event

    return events


def httpx_sse_events(address: str) -> Events:
    """The library for server-sent events over httpx: the JSON value of each one's data."""
    import httpx
    import httpx_sse

    client = httpx.Client(headers={"Authorization": f"Bearer {KEY}"})

    def events() -> Iterator[Any]:
        with httpx_sse.connect_sse(client, "POST", f"{address}/workflows/run", json=BODY) as source:
            for event in source.iter_sse():
                if event.data:
                    yield json.loads(event.data)

    return events


def httpx_sse_events_async(address: str) -> AsyncEvents:
    """The library for server-sent events over httpx: the JSON value of each one's data."""
    import httpx
    import httpx_sse

    client = httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"})

    async def events() -> AsyncIterator[Any]:
        async with httpx_sse.aconnect_sse(client, "POST", f"{address}/workflows/run", json=BODY) as source:
            async for event in source.aiter_sse():
                if event.data:
                    yield json.loads(event.data)

    return events


def dify_python_sdk_events(address: str) -> Events:
    """The SDK that Dify publishes gives an httpx response: the JSON value of each line of data."""
    from dify_client import WorkflowClient

    client = WorkflowClient(KEY, base_url=address)

    def events() -> Iterator[Any]:
        for line in client.run(INPUTS, "streaming", "u-1").iter_lines():
            if line.startswith("data:"):
                yield json.loads(line[5:])

    return events


def dify_python_sdk_events_async(address: str) -> AsyncEvents:
    """The SDK that Dify publishes gives an httpx response: the JSON value of each line of data."""
    from dify_client import AsyncWorkflowClient

    client = AsyncWorkflowClient(KEY, base_url=address)

    async def events() -> AsyncIterator[Any]:
        async for line in (await client.run(INPUTS, "streaming", "u-1")).aiter_lines():
            if line.startswith("data:"):
                yield json.loads(line[5:])

    return events


def dify_oapi2_events(address: str) -> Events:
    """The SDK with builders gives bytes: the JSON value of each event in them, found as simply as it can be done."""
    start = dify_oapi2_start(address)

    def events() -> Iterator[Any]:
        rest = b""
        client, request, option = start()
        for piece in client.workflow.v1.workflow.run(request, option, True):
            *blocks, rest = (rest + piece).split(b"\n\n")
            for block in blocks:
                if block.startswith(b"data:"):
                    yield json.loads(block[5:])

    return events


def dify_oapi2_events_async(address: str) -> AsyncEvents:
    """The SDK with builders gives bytes: the JSON value of each event in them, found as simply as it can be done."""
    start = dify_oapi2_start(address)

    async def events() -> AsyncIterator[Any]:
        rest = b""
        client, request, option = start()
        async for piece in await client.workflow.v1.workflow.arun(request, option, True):
            *blocks, rest = (rest + piece).split(b"\n\n")
            for block in blocks:
                if block.startswith(b"data:"):
                    yield json.loads(block[5:])

    return events


def dify_oapi2_start(address: str) -> Callable[[], tuple[Any, Any, Any]]:
    """What makes its client, once, and one more request and its options."""
    from dify_oapi.api.workflow.v1.model.run_workflow_request import RunWorkflowRequest
    from dify_oapi.api.workflow.v1.model.run_workflow_request_body import RunWorkflowRequestBody
    from dify_oapi.api.workflow.v1.model.workflow_inputs import WorkflowInputs
    from dify_oapi.client import Client
    from dify_oapi.core.model.request_option import RequestOption

    client = Client.builder().domain(address.removesuffix("/v1")).build()
    option = RequestOption.builder().api_key(KEY).build()

    def start() -> tuple[Any, Any, Any]:
        body = RunWorkflowRequestBody.builder().inputs(WorkflowInputs(**INPUTS)).user("u-1").build()
        return client, RunWorkflowRequest.builder().request_body(body).build(), option

    return start


READ: Final[dict[str, Callable[[str], Events]]] = {
    HTTPX: httpx_events,
    OURS: sdk_events,
    HTTPX_TYPED: httpx_typed_events,
    LIMIT: raw_events,
    HTTPX_SSE: httpx_sse_events,
    DIFY_PYTHON_SDK: dify_python_sdk_events,
    DIFY_OAPI2: dify_oapi2_events,
}
"""What makes the reader of runs of each way."""

READ_ASYNC: Final[dict[str, Callable[[str], AsyncEvents]]] = {
    HTTPX: httpx_events_async,
    OURS: sdk_events_async,
    HTTPX_SSE: httpx_sse_events_async,
    DIFY_PYTHON_SDK: dify_python_sdk_events_async,
    DIFY_OAPI2: dify_oapi2_events_async,
}
"""What makes the asynchronous reader of runs of each way."""


if __name__ == "__main__":
    command(figures, "Measure streams of events.")

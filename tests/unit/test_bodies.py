"""Bodies are decompressed in pieces, whole and cut ones are distinguished, and what exceeds a bound is refused."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import tracemalloc
import zlib
from typing import Any

import pytest
from dify_workflow_api.types import Request
from hypothesis import given
from hypothesis import strategies as st
from support.clients import EACH_DRIVER, Driver, failure, list_logs
from support.fault_server import KEY, FaultServer, event_stream, gzipped, raw, respond

from dify_workflow import APIResponseError, InternalServerError
from dify_workflow._async.base_client import AsyncBaseClient
from dify_workflow._http import bodies
from dify_workflow._http.bodies import BodyError, Decoder, too_large
from dify_workflow._http.config import Configuration, secret_from
from dify_workflow._http.pools import AsyncPool, Pool
from dify_workflow._http.sse import EventParser
from dify_workflow._sync.base_client import BaseClient

GZIP = (("Content-Encoding", "gzip"),)


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


COMPRESSIONS = {
    "gzip": (gzip.compress, "gzip"),
    "x-gzip": (gzip.compress, "x-gzip"),
    "two members, padded": (lambda data: gzip.compress(data[:9]) + b"\0" * 3 + gzip.compress(data[9:]) + b"\0", "gzip"),
    "deflate with a header": (zlib.compress, "deflate"),
    "deflate without a header": (raw_deflate, "deflate"),
}


def decoded(encoding: str, chunks: list[bytes]) -> list[bytes]:
    decoder = Decoder(encoding)
    pieces = [piece for chunk in chunks for piece in decoder.decode(chunk)]
    decoder.end()
    return pieces


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@pytest.mark.parametrize(("compress", "encoding"), COMPRESSIONS.values(), ids=COMPRESSIONS)
@given(data=st.binary(max_size=200), repeat=st.sampled_from([1, 20_000]), places=st.lists(st.integers(0), max_size=6))
def test_any_cut_of_compressed_data_gives_the_same_bytes(compress, encoding: str, data: bytes, repeat: int, places):
    pieces = decoded(encoding, cut(compress(data * repeat), places))
    assert b"".join(pieces) == data * repeat
    assert all(0 < len(piece) <= bodies.PIECE_BYTES for piece in pieces)


@pytest.mark.parametrize(("compress", "encoding"), COMPRESSIONS.values(), ids=COMPRESSIONS)
@given(data=st.binary(min_size=20, max_size=200), missing=st.integers(1, 8))
def test_compressed_data_that_is_cut_is_an_error(compress, encoding: str, data: bytes, missing: int):
    whole = compress(data).rstrip(b"\0")
    with pytest.raises(BodyError, match="compression is corrupt"):
        decoded(encoding, [whole[:-missing]])


def test_a_compressed_body_without_bytes_is_empty():
    assert decoded("gzip", []) == decoded("deflate", [b""]) == []


def test_300_kilobytes_of_gzip_cost_little_more_than_the_bound():
    bomb = gzip.compress(bytes(1 << 24), mtime=0) * 19
    assert len(bomb) < 320_000
    decoder, bound, kept = Decoder("gzip"), 4 << 20, []
    tracemalloc.start()
    try:
        for piece in decoder.decode(bomb):
            kept.append(piece)
            if sum(map(len, kept)) > bound:
                break
        else:
            pytest.fail("the bound was not reached")
        assert tracemalloc.get_traced_memory()[1] < bound + (2 << 20)
    finally:
        tracemalloc.stop()


# --- through the client -----------------------------------------------------------------------------------------------


def sent(driver: Driver, base_url: str, bound: int) -> Any:
    """What a caller with this bound gets from a request."""
    call: Request[Any] = Request("request", "GET", "/x", lambda: object)
    options: dict[str, Any] = dict.fromkeys(("base_url", "timeout", "default_headers"))
    options |= {"api_key": secret_from(KEY), "base_url": base_url, "max_retries": 0, "backoff": 0}
    configuration = Configuration(**options)
    if driver.name == "sync":
        pool = Pool(None)
        try:
            return BaseClient(configuration, pool, largest_body=bound).send(call, bytes, None)
        finally:
            pool.close()

    async def story() -> Any:
        pool = AsyncPool(None)
        try:
            return await AsyncBaseClient(configuration, pool, largest_body=bound).send(call, bytes, None)
        finally:
            await pool.close()

    return asyncio.run(story())


BODY = json.dumps({"text": "x" * 5000}).encode()
FORMS = {
    "with a length": respond(200, BODY),
    "in chunks": event_stream(BODY[:9], BODY[9:]),
    "gzip": respond(200, gzipped(BODY), headers=GZIP),
}


@EACH_DRIVER
@pytest.mark.parametrize("behaviour", FORMS.values(), ids=FORMS)
def test_a_response_above_the_bound_is_refused_at_it_is_read(driver: Driver, behaviour):
    with FaultServer(behaviour) as server:
        assert sent(driver, server.base_url, len(BODY)) == BODY
        with pytest.raises(APIResponseError, match=rf"GET /v1/x: 200 with a body of more than {len(BODY) - 1} bytes"):
            sent(driver, server.base_url, len(BODY) - 1)
        assert server.wait_for_no_connection()


@EACH_DRIVER
def test_a_length_over_512_mib_is_refused_before_it_is_read(driver: Driver):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n{" % (600 << 20)
    with FaultServer(raw(head, then="keep")) as server:
        error = failure(driver, server.base_url, list_logs)
        assert server.wait_for_no_connection()
    assert "200 with a body of more than 512 MiB" in str(error)
    assert len(server.requests) == 1


REFUSED = {
    "br": ("br", "not requested"),
    "zstd": ("zstd", "not requested"),
    "unknown": ("x-own", "not requested"),
    "twice": ("gzip, gzip", "2 content encodings"),
    "three": ("gzip,deflate, br", "3 content encodings"),
}


@EACH_DRIVER
@pytest.mark.parametrize(("encoding", "says"), REFUSED.values(), ids=REFUSED)
def test_encodings_that_were_not_requested_are_refused(driver: Driver, encoding: str, says: str):
    body = gzipped(gzipped(b"{}")) if "gzip" in encoding else b"{}"
    with FaultServer(respond(200, body, headers=(("Content-Encoding", encoding),))) as server:
        error = failure(driver, server.base_url, lambda client: client.request("GET", "/x"))
        assert type(error) is APIResponseError
        assert says in str(error)
        assert error.body is None
        assert len(server.requests) == 1

        async def story(client: Any) -> None:
            async with client.runs.stream({}, user="u-1") as events:
                async for _ in events:
                    pass

        stream = event_stream(body, headers=(("Content-Encoding", encoding),))
    with FaultServer(stream) as server, pytest.raises(APIResponseError, match=says):
        driver.play(server.base_url, story)


@EACH_DRIVER
def test_two_headers_of_one_encoding_each_are_two_encodings(driver: Driver):
    with FaultServer(respond(200, gzipped(gzipped(b"{}")), headers=GZIP + GZIP)) as server:
        assert "2 content encodings" in str(failure(driver, server.base_url, list_logs))


@EACH_DRIVER
@pytest.mark.parametrize("encoding", ["identity", "identity, gzip", "GZIP", ""])
def test_encodings_that_mean_gzip_or_nothing_are_read(driver: Driver, encoding: str):
    body = gzipped(b'{"a": 1}') if "gzip" in encoding.lower() else b'{"a": 1}'
    with FaultServer(respond(200, body, headers=(("Content-Encoding", encoding),))) as server:
        assert driver.call(server.base_url, lambda client: client.request("GET", "/x")) == {"a": 1}


@EACH_DRIVER
def test_a_status_counts_more_than_a_body_that_cannot_be_read(driver: Driver):
    with FaultServer(respond(503, b"oops", headers=(("Content-Encoding", "br"),)), respond(200, b"{}")) as server:
        assert driver.call(server.base_url, lambda client: client.request("GET", "/x")) == {}
        assert len(server.requests) == 2
    with FaultServer(respond(503, b"oops", headers=GZIP)) as server:
        error = failure(driver, server.base_url, list_logs, max_retries=0)
    assert type(error) is InternalServerError
    assert error.status_code == 503


@pytest.mark.parametrize(("bound", "size"), [((1 << 20) - 1, "1048575 bytes"), (1 << 20, "1 MiB"), (5 << 20, "5 MiB")])
def test_a_bound_is_written_in_mib_from_one_on(bound: int, size: str):
    assert str(too_large(bound)) == f"a body of more than {size}, which is not read"


# --- events -----------------------------------------------------------------------------------------------------------


@given(
    sizes=st.lists(st.integers(0, 300), max_size=8),
    bound=st.integers(1, 300),
    places=st.lists(st.integers(0), max_size=12),
)
def test_events_are_given_until_one_exceeds_the_bound(sizes: list[int], bound: int, places: list[int]):
    stream = b"".join(b": comment\ndata: %b\n\n" % (b"x" * size) for size in sizes)
    parser = EventParser(largest_event=bound)
    seen: list[int] = []
    too_large = False
    try:
        for chunk in cut(stream, places):
            seen += [len(event.data) for event in parser.feed(chunk)]
    except BodyError:
        too_large = True
    # The field's name counts as long as its line is not complete.
    sure, possible = max(sizes, default=0) > bound, max(sizes, default=0) + len(b": comment\ndata: ") > bound
    assert too_large or (seen == sizes and not sure)
    assert possible or not too_large
    assert seen == sizes[: len(seen)]


@EACH_DRIVER
def test_an_event_of_more_than_64_mib_is_an_error(driver: Driver):
    body = gzipped(b"".join([b'data: {"event": "x"}\n\ndata: ', *[b"x" * (1 << 20)] * 65]))

    seen: list[Any] = []

    async def story(client: Any) -> None:
        async with client.runs.stream({}, user="u-1") as events:
            async for event in events:
                seen.append(event)  # noqa: PERF401 - what came before the error is wanted

    says = "an event of more than 64 MiB, which is not read, after 1 events"
    with FaultServer(event_stream(body, headers=GZIP)) as server, pytest.raises(APIResponseError, match=says):
        driver.play(server.base_url, story)
    assert len(seen) == 1

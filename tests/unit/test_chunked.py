"""Bodies in chunks: whatever a server sends, what is read of it is what h11 alone would read."""

from __future__ import annotations

from typing import Any

import h11
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dify_workflow._http.chunked import Chunks

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def plain_chunk(size: str, data: bytes) -> bytes:
    return b"%s\r\n%s\r\n" % (size.format(len(data)).encode(), data)


PAYLOADS = st.one_of(
    st.binary(min_size=1, max_size=40),
    st.sampled_from([b"data: {}\n\n", b"\r\n", b"\r\n5", b"0\r\n\r\n", b"5\r\nhello\r\n", b"x" * 300]),
)
SIZES = st.sampled_from(["{:x}", "{:X}", "00{:x}", "{:x};name=value", "{:x} ", "{:09x}"])
PLAIN = st.builds(plain_chunk, SIZES, PAYLOADS)
ODD = st.sampled_from(
    [b"5\r\nhelloX\r\n", b"5\nhello\n", b"-5\r\nhello\r\n", b"0x5\r\nhello\r\n", b"\r\n", b"g\r\n", b"5_0\r\n"]
)
ENDS = st.sampled_from(
    [b"0\r\n\r\n", b"000\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n", b"0\r\n\r\nHTTP/1.1 200 OK\r\n", b"0\r\n", b""]
)


@st.composite
def parts_of_bodies(draw: st.DrawFn) -> list[bytes]:
    """A body as it arrives: plain chunks, perhaps an odd one among them, cut anywhere; the connection then ends."""
    chunks = draw(st.lists(PLAIN, max_size=6))
    if draw(st.integers(0, 4)) == 0:
        chunks.insert(draw(st.integers(0, len(chunks))), draw(ODD))
    body = b"".join([*chunks, draw(ENDS)])
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(body) - 1)), max_size=8)))
    parts = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    return [*(part for part in parts if part), b""]


def begun() -> h11.Connection:
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(HEAD)
    assert type(connection.next_event()) is h11.Response
    return connection


def rest_of(connection: h11.Connection, parts: list[bytes]) -> tuple[bytes, object]:
    """What h11 reads, and how it ends: the end of the body with what follows it, or an error."""
    found, left = b"", list(parts)
    try:
        while True:
            event: Any = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(left.pop(0))
            elif type(event) is h11.Data:
                found += bytes(event.data)
            else:
                return found, (list(event.headers), connection.trailing_data[0], left)
    except h11.RemoteProtocolError as error:
        return found, str(error)


def read_past(connection: h11.Connection, parts: list[bytes]) -> tuple[bytes, object]:
    """The same, with chunks that are read past h11."""
    chunks, found, left = Chunks(connection), b"", list(parts)
    try:
        while not chunks.is_over:
            for piece in chunks.feed(left.pop(0)):
                found += piece
    except h11.RemoteProtocolError as error:
        return found, str(error)
    rest, end = rest_of(connection, left)
    return found + rest, end


@settings(max_examples=400, deadline=None)
@given(parts_of_bodies())
@example([b"5\r\nhello\r\n", b"5\r\nwor", b"ld\r", b"\n0\r\n\r\n", b""])
@example([b"2\r\n\r\n", b"\r\n2\r\nab\r\n0\r\n\r\n", b""])
@example([b"3\r\n\r\n5", b"\r\n5\r\nhello\r\n", b""])
@example([b"1" * 8, b"1\r\n", b""])
def test_chunks_are_read_as_h11_alone_reads_them(parts: list[bytes]):
    expected, end = rest_of(begun(), parts)
    found, end_past = read_past(begun(), parts)
    assert found == expected
    assert end_past == end


def test_whole_chunks_do_not_reach_the_parser():
    connection = begun()
    chunks = Chunks(connection)
    assert list(chunks.feed(b"5\r\nhello\r\n6\r\n world\r\n1")) == [b"hello world"]
    assert list(chunks.feed(b"\r\n!\r\n")) == [b"!"]
    assert connection.trailing_data == (b"", False)
    assert list(chunks.feed(b"0\r\n\r\n")) == []
    assert chunks.is_over
    assert type(connection.next_event()) is h11.EndOfMessage

"""Bytes of a stream become the same events, wherever the network cuts them and however their lines end."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dify_workflow._http.bodies import BodyError
from dify_workflow._http.sse import EventParser, ServerSentEvent

MARK = b"\xef\xbb\xbf"


def fed(*pieces: bytes) -> list[ServerSentEvent]:
    """The events of a stream that comes in these pieces."""
    parser = EventParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.end()


def byte_by_byte(stream: bytes) -> list[bytes]:
    return [stream[at : at + 1] for at in range(len(stream))]


def reference(stream: bytes) -> list[ServerSentEvent]:
    """What a stream means, slowly: all of it at once, one rule of the format after the other."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    events, name, data = [], "", []
    for line in [*text.split("\n"), ""]:
        if line == "":
            if name or data:
                events.append(ServerSentEvent(name, "\n".join(data)))
            name, data = "", []
            continue
        found = re.fullmatch(r"([^:]*)(?:: ?(.*))?", line, re.DOTALL)
        assert found is not None
        if found[1] == "event":
            name = found[2] or ""
        elif found[1] == "data":
            data.append(found[2] or "")
    return events


STREAMS = {
    "a line of data": (b"data: x\n\n", [("", "x")]),
    "no space after the colon": (b"data:x\n\n", [("", "x")]),
    "only one space is taken away": (b"data:  x \n\n", [("", " x ")]),
    "a tab stays": (b"data:\tx\n\n", [("", "\tx")]),
    "several lines of data": (b"data: x\ndata: y\ndata:\ndata: z\n\n", [("", "x\ny\n\nz")]),
    "a field without a colon": (b"data\n\n", [("", "")]),
    "two fields without a colon": (b"data\ndata\n\n", [("", "\n")]),
    "empty data": (b"data:\n\n", [("", "")]),
    "a name": (b"event: ping\ndata: {}\n\n", [("ping", "{}")]),
    "a name after the data": (b"data: {}\nevent: ping\n\n", [("ping", "{}")]),
    "the last name counts": (b"event: a\nevent: b\ndata: x\n\n", [("b", "x")]),
    "a name is forgotten after its event": (b"event: a\ndata: x\n\ndata: y\n\n", [("a", "x"), ("", "y")]),
    "a name without data, which is Dify's ping": (b"event: ping\n\n", [("ping", "")]),
    "a comment": (b": hello\ndata: x\n: data: y\n\n", [("", "x")]),
    "a comment alone": (b":\n\n: ping\n\n", []),
    "empty lines": (b"\n\n\n\ndata: x\n\n\n\n", [("", "x")]),
    "fields of no concern": (b"id: 7\nretry: 5\nfoo: bar\nDATA: y\n data: z\ndata: x\n\n", [("", "x")]),
    "a field whose name continues": (b"database: y\nevents: z\ndata: x\n\n", [("", "x")]),
    "a colon in the data": (b"data: a: b\n\n", [("", "a: b")]),
    "CRLF": (b"event: a\r\ndata: x\r\ndata: y\r\n\r\ndata: z\r\n\r\n", [("a", "x\ny"), ("", "z")]),
    "lone CR": (b"event: a\rdata: x\rdata: y\r\rdata: z\r\r", [("a", "x\ny"), ("", "z")]),
    "all ends of lines": (b"data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\n", [("", "a\nb\nc"), ("", "d")]),
    "LF and CR are two ends": (b"data: a\n\rdata: b\n\n", [("", "a"), ("", "b")]),
    "a byte order mark": (MARK + b"data: x\n\n", [("", "x")]),
    "a byte order mark before an empty line": (MARK + b"\ndata: x\n\n", [("", "x")]),
    "a second byte order mark is a name of its own": (MARK + MARK + b"data: x\n\n", []),
    "a byte order mark later on": (b"data: x\n" + MARK + b"data: y\n\n", [("", "x")]),
    "separators inside JSON": (
        'data: {"a":"\u2028 \u2029 \x85 \x0b \x0c \x1c \x1d \x1e"}\n\n'.encode(),
        [("", '{"a":"\u2028 \u2029 \x85 \x0b \x0c \x1c \x1d \x1e"}')],
    ),
    "four kinds of characters": ("data: aé中😀\n\n".encode(), [("", "aé中😀")]),
    "bytes that are no UTF-8": (b"data: \xff\xe4\xb8\n\n", [("", "\ufffd\ufffd")]),
    "a name that is no UTF-8": (b"event: \xff\ndata:\xff\n\n", [("\ufffd", "\ufffd")]),
    "a zero byte": (b"data: \x00\n\n", [("", "\x00")]),
    "no empty line at the end": (b"data: x\n\ndata: y\n", [("", "x"), ("", "y")]),
    "no end of line at the end": (b"data: x\n\ndata: y", [("", "x"), ("", "y")]),
    "nothing at all": (b"", []),
    "a byte order mark alone": (MARK, []),
}
EACH_STREAM = pytest.mark.parametrize(("stream", "expected"), STREAMS.values(), ids=STREAMS)


@EACH_STREAM
def test_a_stream_in_one_piece_gives_its_events(stream: bytes, expected: list[tuple[str, str]]):
    assert fed(stream) == expected


@EACH_STREAM
def test_a_stream_cut_at_any_byte_gives_the_same_events(stream: bytes, expected: list[tuple[str, str]]):
    assert fed(*byte_by_byte(stream)) == expected
    for at in range(len(stream) + 1):
        assert fed(stream[:at], stream[at:]) == expected


@EACH_STREAM
def test_empty_pieces_between_the_bytes_change_nothing(stream: bytes, expected: list[tuple[str, str]]):
    assert fed(b"", *(piece for byte in byte_by_byte(stream) for piece in (byte, b""))) == expected


@EACH_STREAM
def test_the_reference_says_the_same(stream: bytes, expected: list[tuple[str, str]]):
    assert reference(stream) == expected


@pytest.mark.parametrize("end", [b"\n\n", b"\r\r", b"\r\n\r\n", b"\r\n\r", b"\n\r"])
def test_an_event_is_given_with_its_last_byte(end: bytes):
    parser = EventParser()
    assert parser.feed(b"data: x" + end[:-1]) == ([ServerSentEvent("", "x")] if end == b"\r\n\r\n" else [])
    assert parser.feed(end[-1:]) == ([] if end == b"\r\n\r\n" else [ServerSentEvent("", "x")])


@pytest.mark.parametrize("gap", [(), (b"",), (b"", b"")], ids=len)
def test_a_line_feed_after_a_carriage_return_joins_its_line(gap: tuple[bytes, ...]):
    parser = EventParser()
    assert parser.feed(b"data: x\r") == []
    for nothing in gap:
        assert parser.feed(nothing) == []
    assert parser.feed(b"\n") == []
    assert parser.feed(b"data: y\r\n\r") == [ServerSentEvent("", "x\ny")]
    assert parser.feed(b"\ndata: z\r\r") == [ServerSentEvent("", "z")]
    assert parser.end() == []


def test_the_events_of_one_piece_are_all_given_in_their_order():
    assert EventParser().feed(b"data: 1\n\ndata: 2\n\nevent: ping\n\ndata: 3\n\ndata: 4\n") == [
        ("", "1"),
        ("", "2"),
        ("ping", ""),
        ("", "3"),
    ]


# --- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "times"), [(1, 20_000), (1000, 300_000), (1 << 16, 300_000)])
def test_an_event_of_megabytes_is_given_whole(size: int, times: int):
    stream = f"event: a\ndata: {'aé中😀' * times}\n\ndata: after\n\n".encode()
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert fed(*pieces) == reference(stream)


def test_an_incomplete_line_is_kept_in_pieces_and_joined_once():
    # What makes a long event linear, without a clock: no piece is copied, or looked at again, when the next one comes.
    parser = EventParser()
    pieces = [b"data: ", *[b"%07d" % number for number in range(20_000)]]
    for number, piece in enumerate(pieces, start=1):
        assert parser.feed(piece) == []
        assert len(parser._pieces) == number
        assert parser._pieces[-1] == piece
    assert parser.feed(b"\n\n") == [ServerSentEvent("", b"".join(pieces[1:]).decode())]
    assert parser._pieces == []


@pytest.mark.parametrize(
    "piece", [b"x", b"x" * 7, b"x" * 64, b"data: x\n", b"data: " + b"x" * 30 + b"\n", b"data\n", b"data:\n"], ids=repr
)
def test_an_event_that_does_not_end_is_given_up_at_its_limit(piece: bytes):
    parser, taken = EventParser(largest_event=64), []

    def feed_without_end() -> None:
        while len(taken) < 1000:
            taken.append(piece)
            assert parser.feed(piece) == []

    parser.feed(b"data: before\n\n")
    with pytest.raises(BodyError, match="64 bytes"):
        feed_without_end()
    if b"\n" not in piece:
        assert 64 < len(b"".join(taken)) <= 64 + len(piece)


@pytest.mark.parametrize("is_cut", [False, True])
def test_each_line_of_an_event_counts(is_cut: bool):
    for lines, is_refused in ((16, False), (17, True)):
        stream = b"data:\n" * lines + b"\n" + b": comment\n" * 200
        parser = EventParser(largest_event=15 * 64 + 15)
        try:
            given = [event for piece in (byte_by_byte(stream) if is_cut else [stream]) for event in parser.feed(piece)]
        except BodyError:
            assert is_refused
        else:
            assert given == [ServerSentEvent("", "\n" * (lines - 1))]
            assert not is_refused


# --- any stream whatever ----------------------------------------------------------------------------------------------

LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
TEXTS = st.text(st.sampled_from('a :\u2028\x85\x00é中😀\ufeff{}"'), max_size=8)
FIELDS = st.one_of(
    st.tuples(st.sampled_from(["data", "event", "id", "retry", "", "data ", "x"]), st.sampled_from([":", ": "]), TEXTS),
    st.sampled_from([("data", "", ""), ("event", "", ""), ("", "", "")]),
)
LINES = st.lists(st.tuples(FIELDS.map(lambda field: "".join(field).encode()), LINE_ENDS).map(b"".join), max_size=30)
WELL_FORMED = st.tuples(st.sampled_from([b"", MARK]), LINES.map(b"".join)).map(b"".join)
WILD = st.lists(
    st.sampled_from(
        [b"\r", b"\n", b"data", b":", b" ", b"event", b"ping", b"\xe4", b"\xb8", b"\xad", MARK, b"\xff", b"x"]
    ),
    max_size=60,
).map(b"".join)
ANY_STREAM = st.one_of(WELL_FORMED, WILD, st.binary(max_size=80))


@given(ANY_STREAM, st.data())
def test_any_stream_cut_anywhere_gives_the_events_of_the_whole(stream: bytes, data: st.DataObject):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert fed(*pieces) == fed(stream) == reference(stream)


@given(ANY_STREAM)
def test_any_stream_in_single_bytes_gives_the_same_events(stream: bytes):
    assert fed(*byte_by_byte(stream)) == reference(stream)


@given(
    st.lists(
        st.sampled_from(
            [b"data: x\n\n", b"data: \n\n", b"data: x\r\n\n", b"data: x\ndata: y\n\n", b"data: y", b"event: a\n"]
        )
        | st.sampled_from([b"\n", b"\r", b"\n\n", MARK, b": c\n", b"data: \xff\n\n", b"data: x\n\ndata: y\n\n"]),
        max_size=8,
    )
)
@example([b"data: x\n\n", MARK, b"data: x\n\n"])
def test_pieces_that_are_whole_events_are_parsed_the_same(pieces: list[bytes]):
    assert fed(*pieces) == reference(b"".join(pieces))


def written(event: ServerSentEvent, end: bytes, space: bytes, comment: bytes) -> bytes:
    """An event as a server may write it."""
    lines = [b"event:" + space + event.event.encode()] if event.event else []
    lines += [b"data:" + space + line.encode() for line in event.data.split("\n")]
    lines.insert(len(lines) // 2, comment)
    return end.join([*lines, b"", b""])


NAMES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
DATA = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=40)
EVENTS = st.lists(st.builds(ServerSentEvent, NAMES.map(str.strip), DATA), max_size=6)


@given(EVENTS, LINE_ENDS, st.sampled_from([b": c", b":", b"id: 1"]), st.sampled_from([b"", MARK]), st.data())
def test_any_events_written_in_any_way_are_read_back(
    events: list[ServerSentEvent], end: bytes, comment: bytes, mark: bytes, data: st.DataObject
):
    stream = mark + b"".join(written(event, end, b" ", comment) for event in events)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    parser = EventParser()
    assert [event for piece in pieces for event in parser.feed(piece)] == events
    assert parser.end() == []

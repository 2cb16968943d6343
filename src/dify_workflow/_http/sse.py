"""Server-sent events: bytes in, events out, by the letter of the WHATWG's event stream format, with two additions.

An event that has a name and no data is given too, as Dify's pings are such, and so is the one that the stream ends in.

The library that does this for httpx waits for one more chunk after a lone CR, and loses the first event after a byte
order mark; a stream of one's own runs deserves better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from .bodies import LARGEST_EVENT, event_too_large

if TYPE_CHECKING:
    from collections.abc import Callable

_MARK: Final = b"\xef\xbb\xbf"
_LINE: Final = 64
"""Bytes that each further line of an event counts besides its data: so much it takes in memory, be it empty."""


class ServerSentEvent(NamedTuple):
    """One event: its name, empty where the stream gave none, and its data, lines joined by newlines."""

    event: str
    data: str


# What a named tuple's own constructor calls, without the call of a Python function for each event.
_event: Final = cast("Callable[[type[ServerSentEvent], tuple[str, str]], ServerSentEvent]", tuple[str].__new__)


class EventParser:
    """Takes a stream's bytes in pieces of any size, and gives each event as soon as its last byte is there.

    Args:
        largest_event: bytes of one event; a stream that sends more of them without an end of the event is not read on.
    """

    def __init__(self, *, largest_event: int = LARGEST_EVENT) -> None:
        self._largest_event = largest_event
        self._pending = 0  # bytes since the last complete event, or more: where in a chunk that ended is not determined
        self._pieces: list[bytes] = []  # of the line that is not complete yet
        self._event = ""
        self._data: list[str] = []
        self._after_cr = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that these bytes complete.

        Raises:
            BodyError: an event is larger than `largest_event`.
        """
        if not chunk:
            return []
        size = len(chunk)
        # Nearly every piece is one event with one line of data. What follows below would find the same.
        if (
            chunk.startswith(b"data: ")
            and chunk.endswith(b"\n\n")
            and chunk.count(b"\n") == 2  # noqa: PLR2004 - these two
            and b"\r" not in chunk
            and size <= self._largest_event
            and not (self._pieces or self._data or self._event)
        ):
            self._pending = 0
            self._after_cr = self._at_start = False
            return [_event(ServerSentEvent, ("", chunk[6:-2].decode("utf-8", "replace")))]
        if self._after_cr:
            # The CR before this piece has ended its line already; a LF that follows belongs to it.
            chunk = chunk.removeprefix(b"\n")
        lines = chunk.splitlines()  # of bytes: at LF, CR and CRLF, and nowhere else
        self._pending += size + _LINE * len(lines)
        self._after_cr = chunk.endswith(b"\r")
        rest = b"" if chunk.endswith((b"\n", b"\r")) else lines.pop() if lines else b""
        if lines and self._pieces:
            lines[0] = b"".join([*self._pieces, lines[0]])
            self._pieces.clear()
        if rest:
            self._pieces.append(rest)
        events = self._events(lines)
        if self._pending > self._largest_event:
            self._check_size(events)
        if events:
            self._pending = len(rest)
        return events

    def _check_size(self, events: list[ServerSentEvent]) -> None:
        sizes = [len(event.data.encode("utf-8", "replace")) + _LINE * event.data.count("\n") for event in events]
        lines = sum(len(line) for line in self._data) + _LINE * max(len(self._data) - 1, 0)
        self._pending = sum(len(part) for part in self._pieces) + lines
        if max([*sizes, self._pending]) > self._largest_event:
            raise event_too_large(self._largest_event)

    def end(self) -> list[ServerSentEvent]:
        """The event that the stream ended in without an empty line behind it; it may be cut."""
        lines = [b"".join(self._pieces), b""]
        self._pieces.clear()
        return self._events(lines)

    def _events(self, lines: list[bytes]) -> list[ServerSentEvent]:
        if self._at_start and lines:
            self._at_start = False
            lines[0] = lines[0].removeprefix(_MARK)
        events: list[ServerSentEvent] = []
        for line in lines:
            if line.startswith(b"data: "):  # nearly all of them: `_field` would find the same
                self._data.append(line[6:].decode("utf-8", "replace"))
            elif line:
                self._field(line)
            elif self._data or self._event:
                events.append(ServerSentEvent(self._event, "\n".join(self._data)))
                self._event = ""
                self._data.clear()
        return events

    def _field(self, line: bytes) -> None:
        name, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value

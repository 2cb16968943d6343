"""Server-sent events: bytes in, events out, by the letter of the WHATWG's event stream format, with two additions.

An event that has a name and no data is given too, as Dify's pings are such, and so is the one that the stream ends in.

The library that does this for httpx waits for one more chunk after a lone CR, and loses the first event after a byte
order mark; a stream of one's own runs deserves better.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_MARK: Final = b"\xef\xbb\xbf"


class ServerSentEvent(NamedTuple):
    """One event: its name, empty where the stream gave none, and its data, lines joined by newlines."""

    event: str
    data: str


class EventParser:
    """Takes a stream's bytes in pieces of any size, and gives each event as soon as its last byte is there."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # of the line that is not complete yet
        self._event = ""
        self._data: list[str] = []
        self._after_cr = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that these bytes complete."""
        if not chunk:
            return []
        if self._after_cr:
            # The CR before this piece has ended its line already; a LF that follows belongs to it.
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        events: list[ServerSentEvent] = []
        begin = 0
        for end in _LINE_END.finditer(chunk):
            self._pieces.append(chunk[begin : end.start()])
            begin = end.end()
            self._line(b"".join(self._pieces), events)
            self._pieces.clear()
        if begin < len(chunk):
            self._pieces.append(chunk[begin:])
        self._after_cr = chunk.endswith(b"\r")
        return events

    def end(self) -> list[ServerSentEvent]:
        """The event that the stream ended in without an empty line behind it; it may be cut."""
        events: list[ServerSentEvent] = []
        self._line(b"".join(self._pieces), events)
        self._line(b"", events)
        self._pieces.clear()
        return events

    def _line(self, line: bytes, events: list[ServerSentEvent]) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_MARK)
        if not line:
            if self._data or self._event:
                events.append(ServerSentEvent(self._event, "\n".join(self._data)))
            self._event, self._data = "", []
            return
        name, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value

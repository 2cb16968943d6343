"""A server that responds to every request with the events of a run, as cheaply as it can.

Usage: stream_server.py EVENTS FILE

Below "/at-once/v1" all events are there at once; below "/one-by-one/v1" one comes each millisecond. Each is an HTTP
chunk of its own, as Dify sends it. FILE holds the time of the latest run's first byte, in nanoseconds of the machine's
monotonic clock.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Final

from loopback import Connected, content_length, serve

RECORDING: Final = Path(__file__).resolve().parent.parent / "tests" / "recordings" / "run-stream-ok.json"
PAUSE: Final = 0.001
HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
WORDS: Final = ("The", " run", " says", " more", " and", " more", ",", " word", " by", " word", ".\n", " 流", " é")


def events(count: int) -> list[bytes]:
    """The events of a recorded run, with as many more pieces of text as are missing to the count."""
    recording = json.loads(RECORDING.read_text("utf-8"))
    recorded = [event.encode() + b"\n\n" for event in str(recording["response"]["body"]).split("\n\n") if event]
    place = next(index for index, event in enumerate(recorded) if b'"text_chunk"' in event)
    chunk = json.loads(recorded[place].removeprefix(b"data: "))
    texts: list[bytes] = []
    for index in range(count - len(recorded)):
        chunk["data"] = {"text": WORDS[index % len(WORDS)], "from_variable_selector": ["llm", "text"]}
        texts.append(f"data: {json.dumps(chunk, separators=(',', ':'))}\n\n".encode())
    return [*recorded[:place], *texts, *recorded[place:]]


def chunked(pieces: list[bytes]) -> list[bytes]:
    """The pieces as they go over the wire, the end of the body in the last one."""
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    chunks[-1] += b"0\r\n\r\n"
    return chunks


class Run(Connected):
    """One connection: the events of a run after each request.

    Args:
        chunks: the run's events as they are sent.
        begun: where the time of a run's first byte is noted.
    """

    def __init__(self, chunks: list[bytes], begun: Path) -> None:
        self._chunks = chunks
        self._begun = begun
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Respond to a request when its body is whole."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < content_length(head):
            return
        self._received = b""
        if head.split(b" ", 2)[1].startswith(b"/at-once/"):
            self._transport.write(HEAD + b"".join(self._chunks))
            return
        self._begun.write_text(str(time.monotonic_ns()), "ascii")
        self._transport.write(HEAD + self._chunks[0])
        self._send(1, asyncio.get_running_loop().time() + PAUSE)

    def _send(self, place: int, due: float) -> None:
        """Send the event at this place when it is due, and then all that follow."""
        loop = asyncio.get_running_loop()
        while place < len(self._chunks):
            if loop.time() < due:
                loop.call_at(due, self._send, place, due)
                return
            self._transport.write(self._chunks[place])
            place, due = place + 1, due + PAUSE


if __name__ == "__main__":
    asyncio.run(serve(partial(Run, chunked(events(int(sys.argv[1]))), Path(sys.argv[2]))))

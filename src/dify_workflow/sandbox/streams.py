"""What a client that streams a run gets to see, and when."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from .engine import Engine, Execution
from .events import PING
from .faults import Traps

__all__ = ["follow_run", "idle_stream", "refused_stream", "stream_run"]

_POLL_SECONDS: Final = 0.02
"""So often a stream that is held back looks whether it still is: switches are turned in another thread."""


async def stream_run(execution: Execution, engine: Engine, traps: Traps) -> AsyncGenerator[bytes, None]:
    """Give the frames of a run from its start on, as they come, and a ping now and then.

    It ends with the run or with its next pause. Where runs are queued, it begins with a ping and is silent until a
    worker has taken the run.
    """
    if engine.server.queues_streams:
        yield PING
        waiting = _Idle(traps)
        while execution.queued and not engine.closing:
            if waiting.is_over():
                return
            await execution.news(0, _POLL_SECONDS)
    async for frame in follow_run(execution, engine, traps, position=0):
        yield frame


async def follow_run(
    execution: Execution,
    engine: Engine,
    traps: Traps,
    *,
    position: int,
    beyond_pauses: bool = False,
    beyond_end: bool = False,
) -> AsyncGenerator[bytes, None]:
    """Give the frames of a run from `position` on, as they come, and a ping now and then.

    It ends with the run, unless it is to go `beyond_end`, or, unless it is to go `beyond_pauses`, with the next pause.
    While it waits for something that may never come, nothing but pings is sent, and not for ever.
    """
    pings = _Pings(traps)
    idle = _Idle(traps)
    pauses_passed = sum(pause <= position for pause in execution.pauses)
    sent = 0
    while not engine.closing and (traps.end_streams_after is None or sent < traps.end_streams_after):
        held = traps.hold_streams_after is not None and sent >= traps.hold_streams_after
        waits = execution.ended or execution.paused
        if not held and position < len(execution.frames):
            yield execution.frames[position]
            position += 1
            sent += 1
            idle = _Idle(traps)
            if not beyond_pauses and position in execution.pauses[pauses_passed:]:
                return
        elif not held and ((execution.ended and not beyond_end) or (waits and idle.is_over())):
            return
        elif pings.due():
            yield PING
        elif held or execution.ended:
            await asyncio.sleep(_POLL_SECONDS)
        else:
            await execution.news(position, min(pings.left(), idle.left() if waits else 1.0))


async def idle_stream(engine: Engine, traps: Traps) -> AsyncGenerator[bytes, None]:
    """Give nothing but pings, and not for ever: the stream of a run that nobody works at any more."""
    pings = _Pings(traps)
    idle = _Idle(traps)
    yield PING
    while not engine.closing and not idle.is_over():
        if pings.due():
            yield PING
        await asyncio.sleep(_POLL_SECONDS)


async def refused_stream(frames: Sequence[bytes], engine: Engine, traps: Traps) -> AsyncGenerator[bytes, None]:
    """Give the stream of a run that its worker has refused: what the worker says, or a silence that ends at last."""
    yield PING
    waiting, since = _Idle(traps), time.monotonic()
    while not engine.closing and not waiting.is_over():
        if frames and time.monotonic() - since >= traps.queue_delay:
            break
        await asyncio.sleep(_POLL_SECONDS)
    else:
        return
    for frame in frames:
        yield frame


class _Pings:
    """When pings are due: at every so-many-th second of the stream, whatever else it sends."""

    def __init__(self, traps: Traps) -> None:
        self._traps = traps
        self._last = time.monotonic()

    def due(self) -> bool:
        """Say whether one has to be sent now; if so, the next one is due later."""
        seconds = self._traps.ping_seconds
        if seconds is None or time.monotonic() - self._last < seconds:
            return False
        self._last = time.monotonic()
        return True

    def left(self) -> float:
        """Give the seconds until something has to be looked at again."""
        seconds = self._traps.ping_seconds
        if seconds is None:
            return 1.0
        return min(1.0, max(0.0, self._last + seconds - time.monotonic()))


class _Idle:
    """How long a stream that nothing happens in continues."""

    def __init__(self, traps: Traps) -> None:
        self._traps = traps
        self._since = time.monotonic()

    def is_over(self) -> bool:
        """Say whether it has waited long enough."""
        return self.left() <= 0

    def left(self) -> float:
        """Give the seconds that are left."""
        return self._since + self._traps.stream_idle_seconds - time.monotonic()

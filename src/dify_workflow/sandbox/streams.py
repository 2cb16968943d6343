"""What a client that streams a run gets to see, and when."""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Final

from .engine import Engine, Execution
from .events import PING
from .traps import Traps

__all__ = ["idle_stream", "stream_run"]

_LOOK_SECONDS: Final = 0.02
"""So often a stream that is held back looks whether it still is: switches are turned in another thread."""


async def stream_run(
    execution: Execution, engine: Engine, traps: Traps, *, position: int = 0, beyond_pauses: bool = False
) -> AsyncGenerator[bytes, None]:
    """Give the frames of a run from `position` on, as they come, and a ping now and then.

    It ends with the run, or, unless it is to go `beyond_pauses`, with the next pause.
    """
    pings = _Pings(traps)
    pauses_passed = len(execution.pauses) - execution.paused
    sent = 0
    while not engine.closing and (traps.end_streams_after is None or sent < traps.end_streams_after):
        held = traps.hold_streams_after is not None and sent >= traps.hold_streams_after
        if not held and position < len(execution.frames):
            yield execution.frames[position]
            position += 1
            sent += 1
            if not beyond_pauses and position in execution.pauses[pauses_passed:]:
                return
        elif not held and execution.ended:
            return
        elif pings.due():
            yield PING
        elif held:
            await asyncio.sleep(_LOOK_SECONDS)
        else:
            await execution.news(position, pings.left())


async def idle_stream(engine: Engine, traps: Traps) -> AsyncGenerator[bytes, None]:
    """Give nothing but pings: the stream of a run that nobody works at any more."""
    pings = _Pings(traps)
    while not engine.closing:
        if pings.due():
            yield PING
        await asyncio.sleep(_LOOK_SECONDS)


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

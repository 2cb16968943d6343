"""What is under way in this thread, below the code that calls: a generator, a signal handler, a garbage collection."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator


def runs_here(items: Generator[Any, Any, Any]) -> bool:
    """Whether a generator is being run by this very thread, below: this is a signal handler, or a finalizer."""
    import inspect  # noqa: PLC0415 - loaded when needed

    running = getattr(items, "gi_frame", None)
    frame = inspect.currentframe()
    while frame is not None and frame is not running:
        frame = frame.f_back
    return frame is not None


def in_signal_handler() -> bool:
    """Whether a function that handles signals is among those that run in this thread, as far as can be seen."""
    import inspect  # noqa: PLC0415 - loaded when needed
    import signal  # noqa: PLC0415 - loaded when needed

    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    codes = {getattr(getattr(handler, "__func__", handler), "__code__", None) for handler in handlers} - {None}
    frame = inspect.currentframe()
    while frame is not None and frame.f_code not in codes:
        frame = frame.f_back
    return frame is not None


class _ReferenceCycle:
    """Something that only the garbage collector takes away."""

    def __init__(self) -> None:
        self.itself = self


def is_collecting() -> bool:
    """Whether garbage is being collected at the moment, most likely by this thread, and this is a finalizer.

    Then nothing may be waited for: the collector may have been started anywhere, holding any lock. There is no other
    way to find out than this: a collection that is begun inside another one does nothing.
    """
    gone = weakref.ref(_ReferenceCycle())
    gc.collect(0)
    return gone() is not None

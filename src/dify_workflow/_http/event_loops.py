"""The event loop that the async client runs in: one of asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .._errors import ConfigurationError

if TYPE_CHECKING:
    import asyncio

NO_ASYNCIO: Final = (
    "AsyncDifyWorkflow needs an event loop of asyncio, and none is running here; under trio, use DifyWorkflow "
    "in a thread (trio.to_thread.run_sync)"
)


def running_loop() -> asyncio.AbstractEventLoop:
    """The running event loop.

    Raises:
        ConfigurationError: there is none of asyncio.
    """
    from asyncio import get_running_loop  # noqa: PLC0415 - the sync client does without asyncio, which is large

    try:
        return get_running_loop()
    except RuntimeError:
        raise ConfigurationError(NO_ASYNCIO) from None

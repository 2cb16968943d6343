"""What a piece of code leaves behind: sockets, threads, and Python's own complaints about unclosed things."""

from __future__ import annotations

import contextlib
import gc
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


@contextlib.contextmanager
def nothing_left_open() -> Iterator[None]:
    """Fail when the block leaves a socket or a thread that was not there before, or something unclosed to collect."""
    gc.collect()
    gc.freeze()  # the collections below, and those of later tests, look only at what is made from now on
    sockets, threads = _open_sockets(), set(threading.enumerate())
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always", ResourceWarning)
        yield
        gc.collect()
    for kind, left in (
        ("complaints", {str(complaint.message) for complaint in complaints}),
        ("sockets", _settled(lambda: _open_sockets() - sockets)),
        ("threads", _settled(lambda: set(threading.enumerate()) - threads)),
    ):
        if left:
            raise AssertionError(f"left behind: {kind} {left}")


def _settled(look: Callable[[], set[T]], seconds: float = 5.0) -> set[T]:
    """What is left of a set once it had time to become empty: a thread ends a moment after its last action."""
    deadline = time.monotonic() + seconds
    while (left := look()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


def _open_sockets() -> set[str]:
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed since it was listed
            found.add(str(entry.readlink()))
    return {target for target in found if target.startswith("socket:")}

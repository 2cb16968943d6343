"""Locks on files, which end with their process, and what else files that are kept need of the system."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def lock(file: int) -> None:
        """Lock an open file, until it is closed.

        Raises:
            BlockingIOError: it is locked.
        """
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(*error.args) from None
else:
    import fcntl

    def lock(file: int) -> None:
        """Lock an open file, until it is closed.

        Raises:
            BlockingIOError: it is locked.
        """
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def open_in_folder(path: Path, flags: int, mode: int) -> int:
    """Open a file, made if need be, as `os.open` does; the `FileNotFoundError` of a missing folder names the folder."""
    try:
        return os.open(path, flags | os.O_CREAT, mode)
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, "there is no folder of this name", str(path.parent)) from None


def sync_folder(path: Path) -> None:
    """Put the names of a folder onto the disk."""
    if os.name != "nt":  # folders cannot be opened there
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

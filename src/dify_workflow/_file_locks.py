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


def open_locked(path: Path, mode: int) -> int:
    """Open a file, made if need be, and lock it until it is closed.

    Raises:
        BlockingIOError: it is locked.
        OSError: it cannot be opened.
    """
    while True:
        file = open_in_folder(path, os.O_RDWR, mode)
        try:
            lock(file)
            if _is_at(path, file):  # else the one that held it has removed or replaced it just now
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def sync_folder(path: Path) -> None:
    """Put the names of a folder onto the disk."""
    if os.name != "nt":  # folders cannot be opened there
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

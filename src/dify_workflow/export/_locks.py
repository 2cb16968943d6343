"""Locks on targets: a second process is refused, and a process that was killed leaves no lock."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from .._file_locks import open_locked

if TYPE_CHECKING:
    from pathlib import Path


class TargetLockedError(OSError):
    """Another process is exporting to the same target."""

    __module__ = "dify_workflow.export"


class FileLock:
    """A lock by a file beside the target, which exists while it is held.

    Raises:
        TargetLockedError: another process holds it.
        FileNotFoundError: the target's folder does not exist.
        OSError: the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = open_locked(path, 0o644)
        except BlockingIOError:
            raise TargetLockedError(f"another process is exporting to this target: {path} is locked") from None

    def release(self) -> None:
        """Give it up, and remove the file."""
        with suppress(OSError):
            self._path.unlink()
        os.close(self._file)

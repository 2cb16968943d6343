"""The file in which `logs follow --state` keeps its checkpoint."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from .._file_locks import lock, open_locked
from .errors import SettingsError

if TYPE_CHECKING:
    from types import TracebackType


class StateFile:
    """A JSON value in a file, which one process at a time uses, and which is replaced as a whole.

    The lock is on the file itself, and on each file that replaces it before it does, so that a killed process leaves
    no lock, and nothing but the file is left beside it.

    Args:
        name: the file; it need not exist.

    Raises:
        SettingsError: another process uses it.
        OSError: it can't be opened or created.
    """

    def __init__(self, name: str) -> None:
        self._path = Path(name).resolve()
        try:
            self._locked = open_locked(self._path, 0o666)
        except BlockingIOError:
            raise SettingsError(f"{self._path} is in use by another process") from None

    def read(self) -> dict[str, Any] | None:
        """The value; None for a new file.

        Raises:
            SettingsError: it is not a JSON object.
        """
        text = self._path.read_bytes()
        if not text:
            return None
        try:
            value: Any = json.loads(text)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise SettingsError(f"{self._path} has no checkpoint in it: give another file, or remove it")
        return cast("dict[str, Any]", value)

    def write(self, value: dict[str, Any]) -> None:
        """Replace the value. What was written before is there until the whole new value is on the disk."""
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            os.fchmod(descriptor, os.fstat(self._locked).st_mode & 0o777)
            lock(descriptor)
            with open(descriptor, "wb", closefd=False) as file:
                file.write(json.dumps(value).encode() + b"\n")
            os.fsync(descriptor)
            temporary.replace(self._path)
        except BaseException:
            os.close(descriptor)
            temporary.unlink(missing_ok=True)
            raise
        before, self._locked = self._locked, descriptor  # at once: Ctrl-C may come at any moment
        os.close(before)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._locked)

"""The journal of a batch: a file of JSON lines that only grows, and from which a batch continues after a crash.

The first line says which batch it is; each further one is an `Entry` of a row, or an upload. The last line of a row
counts. Where it is, is kept in a temporary file, so that memory does not grow with the rows.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import struct
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .._file_locks import lock, open_in_folder, sync_folder
from .batch import ROW_LINE, Entry, checked_header

if TYPE_CHECKING:
    from .batch import Rules

PLACE: Final = struct.Struct("<q")
IN_MEMORY: Final = 1 << 20
"""Bytes of the index that are kept in memory."""
UPLOAD: Final = b'{"upload":'
MOST_UPLOADS: Final = 10_000


class Journal:
    """A journal that is open, and locked. It may be used by many threads.

    Args:
        path: the file.
        rules: what the call asks for.

    Attributes:
        batch: the id of the batch.
        is_new: whether no row was begun before.
        uploads: what stands for files that were uploaded before, by user and content.

    Raises:
        ValueError: the file is not a journal, or that of another batch.
        OSError: it cannot be opened, or another process uses it.
    """

    def __init__(self, path: str | os.PathLike[str], rules: Rules) -> None:
        self._path = Path(path)
        self._lock, self._syncing = threading.Lock(), threading.Lock()
        self._written = self._synced = self._rows = 0
        self.is_new = True
        self.uploads: dict[str, Any] = {}
        self._open_files = ExitStack()
        self._file = open_in_folder(self._path, os.O_RDWR | os.O_APPEND, 0o644)
        self._open_files.callback(os.close, self._file)
        try:
            self._index = self._open_files.enter_context(tempfile.SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115
            self._lines = self._open_files.enter_context(self._path.open("rb"))
            self._lock_file()
            self.batch = self._begin(rules)
        except BaseException:
            self.close()
            raise

    def _lock_file(self) -> None:
        try:
            lock(self._file)
        except BlockingIOError:
            raise BlockingIOError(
                errno.EAGAIN, "another process continues the batch of this journal", str(self._path)
            ) from None

    def _begin(self, rules: Rules) -> str:
        wanted = rules.header(secrets.token_hex(6))
        with open(self._file, "rb", closefd=False) as lines:
            first = lines.readline()
            if not first.endswith(b"\n"):  # it is new, or was being written when its process was killed
                if not first.startswith(b'{"journal"'[: len(first)]):
                    checked_header(first, wanted, str(self._path))
                os.ftruncate(self._file, 0)
                self._append(json.dumps(wanted, separators=(",", ":")).encode() + b"\n")
                os.fsync(self._file)
                sync_folder(self._path.parent)
                self._synced = self._written
                return str(wanted["batch"])
            header = checked_header(first, wanted, str(self._path))
            self._written = len(first)
            for line in lines:
                if not line.endswith(b"\n"):
                    os.ftruncate(self._file, self._written)  # it was being written
                    break
                self._note(line)
                self._written += len(line)
        return str(header["batch"])

    def _note(self, line: bytes) -> None:
        found = ROW_LINE.match(line)
        if found is not None:
            row = int(found[1])
            self._index.seek(row * PLACE.size)
            self._index.write(PLACE.pack(self._written))
            self._rows = max(self._rows, row + 1)
            self.is_new = False
        elif line.startswith(UPLOAD):
            upload = json.loads(line)
            self._remember(upload["upload"], upload["file"])
        else:
            raise ValueError(f"{self._path} is damaged after {self._written} bytes: give another file")

    def entry(self, row: int) -> Entry | None:
        """What the file had of a row when it was opened."""
        if row >= self._rows:
            return None
        with self._lock:
            self._index.seek(row * PLACE.size)
            [place] = PLACE.unpack(self._index.read(PLACE.size))
            if not place:
                return None
            self._lines.seek(place)
            line = self._lines.readline()
        try:
            return Entry.of_line(line)
        except ValueError as error:
            raise ValueError(f"{self._path} is damaged after {place} bytes ({error}): give another file") from None

    def write(self, entry: Entry, *, sync: bool = False) -> None:
        """Write an entry; with `sync`, it is on the disk when this returns."""
        self._write(entry.line(), sync=sync)

    def note_upload(self, key: str, file: dict[str, Any]) -> None:
        """Note that a file was uploaded."""
        self._remember(key, file)
        self._write(json.dumps({"upload": key, "file": file}, separators=(",", ":")).encode() + b"\n", sync=False)

    def _remember(self, key: str, file: Any) -> None:  # noqa: ANN401 - JSON is anything
        self.uploads[key] = file
        if len(self.uploads) > MOST_UPLOADS:
            del self.uploads[next(iter(self.uploads))]

    def _write(self, line: bytes, *, sync: bool) -> None:
        with self._lock:
            self._append(line)
            mark = self._written
        if not sync:
            return
        with self._syncing:  # one sync is enough for all that was written before
            if self._synced < mark:
                reached = self._written
                os.fsync(self._file)
                self._synced = reached

    def _append(self, line: bytes) -> None:
        written = 0
        try:
            while written < len(line):
                written += os.write(self._file, line[written:])
        except BaseException:
            os.ftruncate(self._file, self._written)  # the disk is full: no half of a line may stand before others
            raise
        self._written += written

    def close(self) -> None:
        """Close it, which unlocks it. Closing twice is fine."""
        with self._syncing, self._lock:  # a worker may be writing; and while one syncs, the file stays locked
            self._file = -1
            self._open_files.close()

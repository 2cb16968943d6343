"""Exports to files that grow: JSON Lines and CSV.

Logs are appended to `NAME.part`. With each commit that file is synced to the disk, and then its size and the checkpoint
are put into `NAME.part.json` by renaming. So whatever happens, what that says is there; what comes after it is cut off
before the export continues. At the end `NAME.part` is renamed to `NAME`.
"""

from __future__ import annotations

import csv
import io
import json
import os
from typing import TYPE_CHECKING, Any, Final, cast

from .. import records
from .._file_locks import sync_folder
from .._logs.detailed_log import DetailedLog
from .._logs.rows import Rows, time_text
from ._locks import FileLock

if TYPE_CHECKING:
    from pathlib import Path

    from ._targets import State

ENCODER: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False)
FORMULA_BEGINNINGS: Final = ("=", "+", "-", "@", "\t", "\r")


def beside(path: Path, ending: str) -> Path:
    """A file that belongs to a target while it is being written."""
    return path.with_name(path.name + ending)


def replace(made: Path, path: Path) -> None:
    """Give a file that is on the disk its name, for good."""
    made.replace(path)
    sync_folder(path.parent)


def write_synced(path: Path, data: bytes) -> None:
    """Write a file, and put it onto the disk."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


class StateFile:
    """The state of an export, in a file of its own: that of an export to a file is in `NAME.part.json`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made = beside(path, ".tmp")

    def read(self) -> State | None:
        """The state; None when there is none.

        Raises:
            ValueError: it is damaged.
        """
        try:
            text = self.path.read_text("utf-8")
        except FileNotFoundError:
            return None
        try:
            state: State = json.loads(text)
        except ValueError as error:
            raise ValueError(f"{self.path} is damaged: remove it, or begin again with restart=True") from error
        return state

    def write(self, state: State) -> None:
        """Replace the state."""
        write_synced(self._made, json.dumps(state).encode())
        replace(self._made, self.path)

    def remove(self) -> None:
        """Remove it."""
        for path in (self.path, self._made):
            path.unlink(missing_ok=True)


class FileTarget:
    """A file of lines."""

    can_update = False
    batch = 1000

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = beside(path, ".part")
        self._state_file = StateFile(beside(path, ".part.json"))
        self._chunks: list[bytes] = []
        self._file: int | None = None
        self._size = 0
        self._lock = FileLock(beside(path, ".part.lock"))

    def state(self) -> State | None:
        """See `Target`."""
        state = self._state_file.read()
        if state is not None and state["finished"]:  # it was interrupted while it gave the file its name
            if self._part.exists():
                replace(self._part, self._path)
            self._state_file.remove()
            return state if self._path.exists() else None
        return state if self._part.exists() else None

    def begin(self, state: State, *, restart: bool) -> None:
        """See `Target`."""
        del state, restart
        self._state_file.remove()
        self._file = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        self._size = 0
        self._chunks = [self.head()]

    def resume(self, state: State) -> None:
        """See `Target`."""
        self._file = os.open(self._part, os.O_RDWR)
        self._size = state["bytes"]
        if os.fstat(self._file).st_size < self._size:
            raise ValueError(f"{self._part} is shorter than it was: begin again with restart=True")
        os.ftruncate(self._file, self._size)
        os.lseek(self._file, self._size, os.SEEK_SET)

    def head(self) -> bytes:
        """What the file begins with."""
        return b""

    def add(self, app: str | None, log: Any) -> None:  # noqa: ANN401 - see `Target`
        """See `Target`."""
        raise NotImplementedError

    def commit(self, state: State) -> None:
        """See `Target`."""
        self._write()
        self._state_file.write({**state, "bytes": self._size})

    def finish(self, state: State) -> None:
        """See `Target`."""
        self.commit({**state, "finished": True})
        replace(self._part, self._path)
        self._state_file.remove()

    def close(self) -> None:
        """See `Target`."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._lock.release()

    def _write(self) -> None:
        if self._file is None:
            raise ValueError("the target is closed")
        data = memoryview(b"".join(self._chunks))
        os.lseek(self._file, self._size, os.SEEK_SET)  # a write may have failed half way
        written = 0
        while written < len(data):
            written += os.write(self._file, data[written:])
        os.ftruncate(self._file, self._size + written)
        os.fsync(self._file)
        self._size += written
        self._chunks = []


class JSONLTarget(FileTarget):
    """A file of JSON objects, one log a line, as the server sent it."""

    def __init__(self, path: Path, *, details: bool, apps: bool, excel: bool) -> None:
        if excel:
            raise ValueError("excel is for CSV files")
        del details, apps
        super().__init__(path)

    def add(self, app: str | None, log: Any) -> None:  # noqa: ANN401 - see `Target`
        """See `Target`."""
        value: Any = records.json_object_of(log.log if isinstance(log, DetailedLog) else log)
        added: dict[str, Any] = {} if app is None else {"app": app}
        if isinstance(log, DetailedLog):
            added["run_detail"] = None if log.run is None else log.run.to_dict()
            added["run_detail_error"] = None if log.error is None else str(log.error)
        if added:
            fits = isinstance(value, dict) and not added.keys() & cast("dict[str, Any]", value).keys()
            value = {**added, **cast("dict[str, Any]", value if fits else {"log": value})}
        self._chunks.append(f"{ENCODER.encode(value)}\n".encode())


class CSVTarget(FileTarget):
    """A file of comma-separated values, with the columns of `dify_workflow.records`."""

    def __init__(self, path: Path, *, details: bool, apps: bool, excel: bool) -> None:
        super().__init__(path)
        self._columns = records.columns_of(details=details, app=apps)
        self._pending = Rows(details=details, apps=apps, time=time_text)
        self._excel = excel
        self._text = io.StringIO(newline="")
        self._rows = csv.writer(self._text, lineterminator="\n")

    def head(self) -> bytes:
        """See `FileTarget`."""
        self._rows.writerow([column.name for column in self._columns])
        return b"\xef\xbb\xbf" if self._excel else b""

    def add(self, app: str | None, log: Any) -> None:  # noqa: ANN401 - see `Target`
        """See `Target`."""
        self._pending.add(app, log)

    def _write(self) -> None:
        self._rows.writerows(map(without_formulas, self._pending.ready) if self._excel else self._pending.ready)
        self._pending.clear()
        self._chunks.append(self._text.getvalue().encode())
        self._text.seek(0)
        self._text.truncate()
        super()._write()


def without_formulas(row: list[Any]) -> list[Any]:
    """A row that Excel takes for texts and numbers."""
    return [f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_BEGINNINGS) else value for value in row]

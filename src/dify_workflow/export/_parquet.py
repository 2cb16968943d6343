"""Exports to Parquet: parts that are whole files, made one file at the end. Needs the extra `arrow`."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any, Final

from .. import records
from .._extras import imported
from .._file_locks import sync_folder
from .._logs.arrow import batch_of, schema_of
from .._logs.rows import Rows
from ._files import StateFile, beside, replace
from ._locks import FileLock

if TYPE_CHECKING:
    from pathlib import Path

    from ._targets import State

ROW_GROUP: Final = 10_000


class ParquetTarget:
    """A Parquet file."""

    can_update = False
    batch = 2500

    def __init__(self, path: Path, *, details: bool, apps: bool, excel: bool) -> None:
        del excel
        self._arrow: Any = imported("pyarrow", "arrow")
        self._parquet: Any = imported("pyarrow.parquet", "arrow")
        self._schema: Any = schema_of(records.columns_of(details=details, app=apps))
        self._rows = Rows(details=details, apps=apps)
        self._path = path
        self._whole = beside(path, ".part")
        self._folder = beside(path, ".part.d")
        self._state_file = StateFile(beside(path, ".part.json"))
        self._parts = 0
        self._lock = FileLock(beside(path, ".part.lock"))

    def state(self) -> State | None:
        """See `Target`."""
        state = self._state_file.read()
        if state is not None and state["finished"]:  # it was interrupted while it gave the file its name
            if self._whole.exists():
                replace(self._whole, self._path)
            self._clean()
            return state if self._path.exists() else None
        return state if self._folder.is_dir() else None

    def begin(self, state: State, *, restart: bool) -> None:
        """See `Target`."""
        del state, restart
        self._clean()
        self._folder.mkdir()
        self._parts = 0

    def resume(self, state: State) -> None:
        """See `Target`."""
        self._parts = state["parts"]
        wanted = {self._part(number).name for number in range(self._parts)}
        found = {path.name for path in self._folder.iterdir()}
        if not wanted <= found:
            raise ValueError(f"parts are missing in {self._folder}: begin again with restart=True")
        for name in found - wanted:
            (self._folder / name).unlink()

    def add(self, app: str | None, log: Any) -> None:  # noqa: ANN401 - see `Target`
        """See `Target`."""
        self._rows.add(app, log)

    def commit(self, state: State) -> None:
        """See `Target`."""
        parts, rows = self._parts, self._rows.ready
        if rows:
            made = self._folder / "next.tmp"
            table = self._arrow.Table.from_batches([batch_of(rows, self._schema)])
            self._parquet.write_table(table, made, compression="lz4")
            _sync(made)
            replace(made, self._part(parts))
            parts += 1
        self._state_file.write({**state, "parts": parts})
        self._parts = parts
        self._rows.clear()

    def finish(self, state: State) -> None:
        """See `Target`."""
        self.commit({**state, "finished": False})
        with self._parquet.ParquetWriter(self._whole, self._schema, compression="zstd") as writer:
            tables: list[Any] = []
            for number in range(self._parts):
                with self._parquet.ParquetFile(self._part(number)) as part:  # read_table would load much more
                    tables.append(part.read(use_threads=False).cast(self._schema))  # Parquet has no seconds
                if sum(table.num_rows for table in tables) >= ROW_GROUP:
                    writer.write_table(self._arrow.concat_tables(tables))
                    tables = []
            if tables:
                writer.write_table(self._arrow.concat_tables(tables))
        _sync(self._whole)
        self._state_file.write({**state, "parts": self._parts, "finished": True})
        replace(self._whole, self._path)
        self._clean()

    def close(self) -> None:
        """See `Target`."""
        self._lock.release()

    def _part(self, number: int) -> Path:
        return self._folder / f"{number:06}.parquet"

    def _clean(self) -> None:
        self._state_file.remove()
        self._whole.unlink(missing_ok=True)
        if self._folder.exists():
            shutil.rmtree(self._folder)
        sync_folder(self._path.parent)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())

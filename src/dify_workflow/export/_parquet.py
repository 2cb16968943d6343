"""Exports to Parquet: parts that are whole files, made one file at the end. Needs the extra `arrow`.

The parts are Arrow files: to read Parquet again would take 20 MB more.
"""

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
    from collections.abc import Iterator
    from pathlib import Path

    from ._targets import State

ROW_GROUP: Final = 5000
UNIQUE: Final = ("id", "run_id")
PAGE: Final = 65_536
"""Bytes of a page: Arrow's allocator keeps more of larger pieces than it uses."""


class ParquetParts:
    """The parts of an export: those of a first one, which become the target at its end."""

    batch = 1000

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
            options = self._arrow.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
            with self._arrow.ipc.new_file(made, self._schema, options=options) as part:
                part.write_batch(batch_of(rows, self._schema))
            sync(made)
            replace(made, self._part(parts))
            parts += 1
        self._state_file.write({**state, "parts": parts})
        self._parts = parts
        self._rows.clear()

    def close(self) -> None:
        """See `Target`."""
        self._lock.release()

    def _tables(self) -> Iterator[Any]:
        """The parts, in their order."""
        options = self._arrow.ipc.IpcReadOptions(use_threads=False)
        for number in range(self._parts):
            with self._arrow.OSFile(str(self._part(number))) as part:
                table = self._arrow.ipc.open_file(part, options=options).read_all()
            yield table if table.schema == self._schema else fitted(table, self._schema)

    def writer(self, path: Path, schema: Any = None) -> Any:  # noqa: ANN401 - pyarrow has no types
        """What writes a file; with the columns of this export unless others are given.

        Statistics of texts are held in memory to the end, and let hardly any query leave out a group of rows. A
        dictionary of ids, of which none comes twice, takes memory and saves none on the disk.
        """
        schema = schema or self._schema
        texts = [field.name for field in schema if field.type == self._arrow.string()]
        options = {
            "compression": "zstd",
            "data_page_size": PAGE,
            "dictionary_pagesize_limit": PAGE,
            "write_statistics": [name for name in schema.names if name not in texts],
            "use_dictionary": [name for name in texts if name not in UNIQUE],
            "memory_pool": self._arrow.system_memory_pool(),
        }
        return self._parquet.ParquetWriter(path, schema, **options)

    def _part(self, number: int) -> Path:
        return self._folder / f"{number:06}.arrow"

    def _clean(self) -> None:
        self._state_file.remove()
        for made in (self._whole, self._folder):
            remove(made)
        sync_folder(self._path.parent)


class ParquetTarget(ParquetParts):
    """A Parquet file."""

    can_update = False

    def state(self) -> State | None:
        """See `Target`."""
        state = self._state_file.read()
        if state is not None and state["finished"]:  # it was interrupted while it gave the file its name
            if self._whole.exists():
                replace(self._whole, self._path)
            self._clean()
            return state if self._path.exists() else None
        return state if self._folder.is_dir() else None

    def finish(self, state: State) -> None:
        """See `Target`."""
        self.commit({**state, "finished": False})
        self._arrow.default_memory_pool().release_unused()
        with self.writer(self._whole) as writer:
            tables: list[Any] = []
            for table in self._tables():
                tables.append(table)
                if sum(one.num_rows for one in tables) >= ROW_GROUP:
                    writer.write_table(self._arrow.concat_tables(tables))
                    tables = []
            if tables:
                writer.write_table(self._arrow.concat_tables(tables))
        sync(self._whole)
        self._state_file.write({**state, "parts": self._parts, "finished": True})
        replace(self._whole, self._path)
        self._clean()


def fitted(table: Any, schema: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    """A table with the columns of a schema: those that it lacks are empty. Parquet has no seconds, and gave others."""
    names = set(table.column_names)
    columns = [
        table.column(field.name).cast(field.type) if field.name in names else _nothing(table.num_rows, field.type)
        for field in schema
    ]
    return table.from_arrays(columns, schema=schema)


def _nothing(rows: int, kind: Any) -> Any:  # noqa: ANN401 - as above
    return imported("pyarrow", "arrow").nulls(rows, kind)


def sync(path: Path) -> None:
    """Put a file onto the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def remove(path: Path) -> None:
    """Remove a file, or a folder with what is in it, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

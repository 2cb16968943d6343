"""Exports to DuckDB, through Arrow. Needs the extra `duckdb`.

The table has no primary key, as DuckDB keeps the index of one in memory: rows that are there already are deleted before
they are inserted again.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final

from .._extras import imported
from .._logs.arrow import batch_of, schema_of
from ._files import beside
from ._locks import FileLock
from ._tables import TABLE, TableTarget, last_of_each

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ._targets import State

BATCH: Final = "_dify_workflow_batch"
MEGABYTES: Final = 24
"""What DuckDB may hold in memory at first. Without a limit it keeps all blocks that it has written."""
MOST_MEGABYTES: Final = 4096


class DuckDBTarget(TableTarget):
    """A DuckDB database."""

    batch = 2500
    types: ClassVar[Mapping[str, str]] = {
        "string": "VARCHAR",
        "integer": "BIGINT",
        "number": "DOUBLE",
        "boolean": "BOOLEAN",
        "timestamp": "TIMESTAMP WITH TIME ZONE",
        "json": "JSON",
    }
    state_columns = (
        "id INTEGER PRIMARY KEY, finished BOOLEAN NOT NULL, complete_until TIMESTAMP WITH TIME ZONE, "
        "state VARCHAR NOT NULL"
    )
    find_table = "SELECT 1 FROM information_schema.tables WHERE table_schema = 'main' AND table_name = ?"
    find_columns = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'main' AND table_name = ?"

    def __init__(self, path: Path, *, details: bool, apps: bool, excel: bool) -> None:
        del excel
        duckdb = imported("duckdb", "duckdb")
        super().__init__(details=details, apps=apps, time=None)
        self._arrow_schema: Any = schema_of(self._schema.columns)
        self._is_fresh = False  # whether no row can be there already
        self._error: type[Exception] = duckdb.Error
        self._too_little: type[Exception] = duckdb.OutOfMemoryException
        self._megabytes = MEGABYTES
        self._spilled = beside(path, ".tmp")
        self._lock = FileLock(beside(path, ".part.lock"))
        try:
            # Rows come one by one; more threads would hold more memory.
            config = {"threads": 1, "memory_limit": f"{MEGABYTES}MB", "temp_directory": str(self._spilled)}
            self._database = duckdb.connect(str(path), config=config)
        except BaseException:
            self._lock.release()
            raise

    def resume(self, state: State) -> None:
        """See `Target`."""
        super().resume(state)
        self._is_fresh = bool(state.get("is_fresh")) and not state["finished"]

    def commit(self, state: State) -> None:
        """See `Target`."""
        while True:
            try:
                super().commit(state)
            except self._too_little:  # some rows are large
                self._megabytes *= 2
                if self._megabytes > MOST_MEGABYTES:
                    raise
                self._database.execute(f"SET memory_limit = '{self._megabytes}MB'")
            else:
                return

    def close(self) -> None:
        """See `Target`."""
        self._database.close()
        shutil.rmtree(self._spilled, ignore_errors=True)  # which an attempt has left that was killed
        self._lock.release()

    def _roll_back(self) -> None:
        with suppress(self._error):  # a full disk ends it
            super()._roll_back()

    def _table(self) -> str:
        return self._schema.create(has_index=False)

    def _make_tables(self) -> None:
        super()._make_tables()
        self._is_fresh = not self._database.execute(f"SELECT count(*) FROM {TABLE}").fetchone()[0]  # noqa: S608 - a constant

    def _write(self, rows: list[list[Any]]) -> None:
        names, key = self._schema.names, ", ".join(self._schema.key)
        if not self._is_fresh:
            rows = last_of_each(rows, len(self._schema.key))
        self._database.register(BATCH, batch_of(rows, self._arrow_schema))
        try:
            if not self._is_fresh:
                self._database.execute(f"DELETE FROM {TABLE} WHERE ({key}) IN (SELECT ({key}) FROM {BATCH})")  # noqa: S608 - constants
            self._database.execute(f"INSERT INTO {TABLE} ({names}) SELECT {names} FROM {BATCH}")  # noqa: S608 - as above
        finally:
            self._database.unregister(BATCH)

    def _store(self, state: State) -> None:
        super()._store({**state, "is_fresh": self._is_fresh})

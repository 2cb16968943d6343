"""Exports to SQLite."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, ClassVar

from .._logs.rows import time_text
from ._files import beside
from ._locks import FileLock
from ._tables import TableTarget

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class SQLiteTarget(TableTarget):
    """A SQLite database."""

    types: ClassVar[Mapping[str, str]] = {
        "string": "TEXT",
        "integer": "INTEGER",
        "number": "REAL",
        "boolean": "INTEGER",
        "timestamp": "TEXT",  # as ISO 8601 text, which tools show as it is
        "json": "TEXT",
    }
    state_columns = (
        "id INTEGER PRIMARY KEY CHECK (id = 1), finished INTEGER NOT NULL, complete_until TEXT, state TEXT NOT NULL"
    )
    begin_statement = "BEGIN IMMEDIATE"
    find_table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    find_columns = "SELECT name FROM pragma_table_info(?)"

    def __init__(self, path: Path, *, details: bool, apps: bool, excel: bool) -> None:
        del excel
        super().__init__(details=details, apps=apps, time=time_text)
        marks = ", ".join("?" * len(self._schema.columns))
        self._upsert = self._schema.upsert(f"VALUES ({marks})")
        self._lock = FileLock(beside(path, ".part.lock"))
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("PRAGMA synchronous = FULL")
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """See `Target`."""
        self._database.close()
        self._lock.release()

    def _table(self) -> str:
        return self._schema.create(" WITHOUT ROWID")

    def _roll_back(self) -> None:
        if self._database.in_transaction:  # some errors end it
            self._database.execute("ROLLBACK")

    def _write(self, rows: list[list[Any]]) -> None:
        self._database.executemany(self._upsert, rows)

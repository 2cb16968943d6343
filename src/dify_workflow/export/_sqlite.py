"""Exports to SQLite: the rows and the state of each batch in one transaction."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any, Final

from .._logs.rows import Rows, time_text
from ._files import beside
from ._locks import FileLock
from ._tables import STATE_TABLE, TABLE, Schema, foreign_table

if TYPE_CHECKING:
    from pathlib import Path

    from ._targets import State

TYPES: Final = {
    "string": "TEXT",
    "integer": "INTEGER",
    "number": "REAL",
    "boolean": "INTEGER",
    "timestamp": "TEXT",  # as ISO 8601 text, which tools show as it is
    "json": "TEXT",
}
MAKE_STATE: Final = (
    f"CREATE TABLE IF NOT EXISTS {STATE_TABLE} (id INTEGER PRIMARY KEY CHECK (id = 1), finished INTEGER NOT NULL, "
    "complete_until TEXT, state TEXT NOT NULL)"
)


class SQLiteTarget:
    """A SQLite database."""

    can_update = True
    batch = 1000

    def __init__(self, path: Path, *, details: bool, apps: bool, excel: bool) -> None:
        del excel
        self._schema = Schema(details=details, apps=apps, types=TYPES)
        self._rows = Rows(details=details, apps=apps, time=time_text)
        marks = ", ".join("?" * len(self._schema.columns))
        self._upsert = self._schema.upsert(f"VALUES ({marks})")
        self._lock = FileLock(beside(path, ".part.lock"))
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("PRAGMA synchronous = FULL")
        except BaseException:
            self._lock.release()
            raise

    def state(self) -> State | None:
        """See `Target`."""
        if not self._has(STATE_TABLE):
            if self._has(TABLE):
                raise foreign_table()
            return None
        found = self._database.execute(f"SELECT state FROM {STATE_TABLE}").fetchone()  # noqa: S608 - a constant
        return None if found is None else json.loads(found[0])

    def begin(self, state: State, *, anew: bool) -> None:
        """See `Target`."""
        if not self._has(STATE_TABLE) and self._has(TABLE):
            raise foreign_table()
        self._database.execute("BEGIN IMMEDIATE")
        if anew:
            self._database.execute(f"DROP TABLE IF EXISTS {TABLE}")
        self._make_tables()
        self._store(state)
        self._database.execute("COMMIT")

    def resume(self, state: State) -> None:
        """See `Target`."""
        del state
        self._database.execute("BEGIN IMMEDIATE")
        self._make_tables()
        self._database.execute("COMMIT")

    def add(self, app: str | None, log: Any) -> None:  # noqa: ANN401 - see `Target`
        """See `Target`."""
        self._rows.add(app, log)

    def commit(self, state: State) -> None:
        """See `Target`."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.executemany(self._upsert, self._rows.ready)
            self._store(state)
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise
        self._rows.clear()

    def finish(self, state: State) -> None:
        """See `Target`."""
        self.commit(state)

    def close(self) -> None:
        """See `Target`."""
        self._database.close()
        self._lock.release()

    def _make_tables(self) -> None:
        self._database.execute(MAKE_STATE)
        self._database.execute(self._schema.create(" WITHOUT ROWID"))
        present = [name for _, name, *_ in self._database.execute(f"PRAGMA table_info({TABLE})")]
        for statement in self._schema.additions(present):
            self._database.execute(statement)

    def _store(self, state: State) -> None:
        until = None if state["complete_until"] is None else time_text(state["complete_until"])
        self._database.execute(
            f"INSERT OR REPLACE INTO {STATE_TABLE} VALUES (1, ?, ?, ?)",  # noqa: S608 - a constant
            (state["finished"], until, json.dumps(state)),
        )

    def _has(self, table: str) -> bool:
        found = self._database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
        return found.fetchone() is not None

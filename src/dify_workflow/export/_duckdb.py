"""Exports to DuckDB, through Arrow: the rows and the state of each batch in one transaction.

Needs the extra `duckdb`. The table has no primary key, as DuckDB keeps the index of one in memory: rows that are there
already are deleted before they are inserted again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from .._extras import imported
from .._logs.arrow import batch_of, schema_of
from .._logs.rows import Rows, time_text
from ._files import beside
from ._locks import FileLock
from ._tables import STATE_TABLE, TABLE, Schema, foreign_table, last_of_each

if TYPE_CHECKING:
    from pathlib import Path

    from ._targets import State

TYPES: Final = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "json": "JSON",
}
MAKE_STATE: Final = (
    f"CREATE TABLE IF NOT EXISTS {STATE_TABLE} (id INTEGER PRIMARY KEY, finished BOOLEAN NOT NULL, "
    "complete_until TIMESTAMP WITH TIME ZONE, state VARCHAR NOT NULL)"
)
BATCH: Final = "_dify_workflow_batch"


class DuckDBTarget:
    """A DuckDB database."""

    can_update = True
    batch = 5000

    def __init__(self, path: Path, *, details: bool, apps: bool, excel: bool) -> None:
        del excel
        duckdb = imported("duckdb", "duckdb")
        self._schema = Schema(details=details, apps=apps, types=TYPES)
        self._arrow_schema: Any = schema_of(self._schema.columns)
        self._rows = Rows(details=details, apps=apps)
        self._is_fresh = False  # whether no row can be there already
        self._lock = FileLock(beside(path, ".part.lock"))
        try:
            self._database: Any = duckdb.connect(str(path), config={"threads": 1})  # rows come one by one
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
        state: State | None = None if found is None else json.loads(found[0])
        return state

    def begin(self, state: State, *, anew: bool) -> None:
        """See `Target`."""
        if not self._has(STATE_TABLE) and self._has(TABLE):
            raise foreign_table()
        self._database.execute("BEGIN")
        if anew:
            self._database.execute(f"DROP TABLE IF EXISTS {TABLE}")
        self._make_tables()
        self._is_fresh = not self._database.execute(f"SELECT count(*) FROM {TABLE}").fetchone()[0]  # noqa: S608 - as above
        self._store({**state, "is_fresh": self._is_fresh})
        self._database.execute("COMMIT")

    def resume(self, state: State) -> None:
        """See `Target`."""
        self._is_fresh = bool(state.get("is_fresh")) and not state["finished"]
        self._database.execute("BEGIN")
        self._make_tables()
        self._database.execute("COMMIT")

    def add(self, app: str | None, log: Any) -> None:  # noqa: ANN401 - see `Target`
        """See `Target`."""
        self._rows.add(app, log)

    def commit(self, state: State) -> None:
        """See `Target`."""
        rows = self._rows.ready if self._is_fresh else last_of_each(self._rows.ready, len(self._schema.key))
        self._database.execute("BEGIN")
        try:
            if rows:
                self._database.register(BATCH, batch_of(rows, self._arrow_schema))
                if not self._is_fresh:
                    key = ", ".join(self._schema.key)
                    self._database.execute(f"DELETE FROM {TABLE} WHERE ({key}) IN (SELECT ({key}) FROM {BATCH})")  # noqa: S608 - constants
                names = self._schema.names
                self._database.execute(f"INSERT INTO {TABLE} ({names}) SELECT {names} FROM {BATCH}")  # noqa: S608 - as above
                self._database.unregister(BATCH)
            self._store({**state, "is_fresh": self._is_fresh})
            self._database.execute("COMMIT")
        except BaseException:
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
        self._database.execute(self._schema.create(has_index=False))
        present = [name for _, name, *_ in self._database.execute(f"PRAGMA table_info({TABLE})").fetchall()]
        for statement in self._schema.additions(present):
            self._database.execute(statement)

    def _store(self, state: State) -> None:
        until = None if state["complete_until"] is None else time_text(state["complete_until"])
        self._database.execute(
            f"INSERT OR REPLACE INTO {STATE_TABLE} VALUES (1, ?, ?, ?)",  # noqa: S608 - a constant
            [state["finished"], until, json.dumps(state)],
        )

    def _has(self, table: str) -> bool:
        found = self._database.execute(
            "SELECT 1 FROM information_schema.tables WHERE table_name = ? AND table_schema = 'main'", [table]
        )
        return found.fetchone() is not None

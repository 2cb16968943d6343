"""Exports to PostgreSQL: COPY into a temporary table, then an upsert, with the state in the same transaction.

Needs the extra `postgres`. The lock is PostgreSQL's own, of the session: it ends with the connection.
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any, Final

from .._extras import imported
from .._logs.rows import Rows, time_text
from ._locks import TargetLockedError
from ._tables import STATE_TABLE, TABLE, Schema, foreign_table, last_of_each

if TYPE_CHECKING:
    from ._targets import State

TYPES: Final = {
    "string": "text",
    "integer": "bigint",
    "number": "double precision",
    "boolean": "boolean",
    "timestamp": "timestamp with time zone",
    "json": "jsonb",
}
MAKE_STATE: Final = (
    f"CREATE TABLE IF NOT EXISTS {STATE_TABLE} (id integer PRIMARY KEY, finished boolean NOT NULL, "
    "complete_until timestamp with time zone, state text NOT NULL)"
)
BATCH: Final = "_dify_workflow_batch"
LOCK: Final = "SELECT pg_try_advisory_lock(hashtext(current_schema() || '.' || %s))"
UNLOCK: Final = "SELECT pg_advisory_unlock(hashtext(current_schema() || '.' || %s))"
LOCK_SECONDS: Final = 5.0
"""How long a lock is waited for: a server notices a moment later that a process was killed which held it."""
LOCK_PAUSE: Final = 0.1


class PostgreSQLTarget:
    """A PostgreSQL database, with the tables in the schema that is its default."""

    can_update = True
    batch = 1000

    def __init__(self, address: str, *, details: bool, apps: bool, excel: bool) -> None:
        del excel
        psycopg = imported("psycopg", "postgres")
        self._schema = Schema(details=details, apps=apps, types=TYPES)
        self._rows = Rows(details=details, apps=apps, time=time_text)
        self._error: type[Exception] = psycopg.Error
        self._database: Any = psycopg.connect(address, autocommit=True)
        deadline = time.monotonic() + LOCK_SECONDS
        while not self._database.execute(LOCK, [STATE_TABLE]).fetchone()[0]:
            if time.monotonic() > deadline:
                self._database.close()
                raise TargetLockedError("another process is exporting to this database")
            time.sleep(LOCK_PAUSE)

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
        with self._database.transaction():
            if anew:
                self._database.execute(f"DROP TABLE IF EXISTS {TABLE}")
            self._make_tables()
            self._store(state)

    def resume(self, state: State) -> None:
        """See `Target`."""
        del state
        with self._database.transaction():
            self._make_tables()

    def add(self, app: str | None, log: Any) -> None:  # noqa: ANN401 - see `Target`
        """See `Target`."""
        self._rows.add(app, log)

    def commit(self, state: State) -> None:
        """See `Target`."""
        names = self._schema.names
        rows = last_of_each(self._rows.ready, len(self._schema.key))
        with self._database.transaction(), self._database.cursor() as cursor:
            if rows:
                with cursor.copy(f"COPY {BATCH} ({names}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                cursor.execute(self._schema.upsert(f"SELECT {names} FROM {BATCH}"))  # noqa: S608 - names of columns
            self._store(state)
        self._rows.clear()

    def finish(self, state: State) -> None:
        """See `Target`."""
        self.commit(state)

    def close(self) -> None:
        """See `Target`."""
        with contextlib.suppress(self._error):  # a broken connection holds no lock
            self._database.execute(UNLOCK, [STATE_TABLE])
        self._database.close()

    def _make_tables(self) -> None:
        self._database.execute(MAKE_STATE)
        self._database.execute(self._schema.create())
        present = self._database.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
            [TABLE],
        )
        for statement in self._schema.additions([name for (name,) in present.fetchall()]):
            self._database.execute(statement)
        self._database.execute(f"DROP TABLE IF EXISTS pg_temp.{BATCH}")
        self._database.execute(f"CREATE TEMPORARY TABLE {BATCH} (LIKE {TABLE}) ON COMMIT DELETE ROWS")

    def _store(self, state: State) -> None:
        until = None if state["complete_until"] is None else time_text(state["complete_until"])
        self._database.execute(
            f"INSERT INTO {STATE_TABLE} VALUES (1, %s, %s, %s) ON CONFLICT (id) DO UPDATE SET "  # noqa: S608 - constants
            "finished = excluded.finished, complete_until = excluded.complete_until, state = excluded.state",
            [state["finished"], until, json.dumps(state)],
        )

    def _has(self, table: str) -> bool:
        found = self._database.execute("SELECT to_regclass(%s)", [table]).fetchone()
        return found[0] is not None

"""Exports to PostgreSQL: COPY into a temporary table, then an upsert, with the state in the same transaction.

Needs the extra `postgres`. The lock is PostgreSQL's own, of the session: it ends with the connection.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

from .._extras import imported
from .._logs.rows import time_text
from ._locks import TargetLockedError
from ._tables import STATE_TABLE, TABLE, TableTarget, last_of_each

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

BATCH: Final = "_dify_workflow_batch"
LOCK: Final = "SELECT pg_try_advisory_lock(hashtext(current_schema() || '.' || %s))"
UNLOCK: Final = "SELECT pg_advisory_unlock(hashtext(current_schema() || '.' || %s))"
LOCK_SECONDS: Final = 5.0
"""How long a lock is waited for: a server notices a moment later that a process was killed which held it."""
LOCK_PAUSE: Final = 0.1


class PostgreSQLTarget(TableTarget):
    """A PostgreSQL database, with the tables in the schema that is its default."""

    types: ClassVar[Mapping[str, str]] = {
        "string": "text",
        "integer": "bigint",
        "number": "double precision",
        "boolean": "boolean",
        "timestamp": "timestamp with time zone",
        "json": "jsonb",
    }
    state_columns = (
        "id integer PRIMARY KEY, finished boolean NOT NULL, complete_until timestamp with time zone, "
        "state text NOT NULL"
    )
    mark = "%s"
    find_table = "SELECT 1 WHERE to_regclass(%s) IS NOT NULL"
    find_columns = (
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"
    )

    def __init__(self, address: str, *, details: bool, apps: bool, excel: bool) -> None:
        del excel
        psycopg = imported("psycopg", "postgres")
        super().__init__(details=details, apps=apps, time=time_text)
        self._error: type[Exception] = psycopg.Error
        self._database = psycopg.connect(address, autocommit=True)
        deadline = time.monotonic() + LOCK_SECONDS
        while not self._database.execute(LOCK, [STATE_TABLE]).fetchone()[0]:
            if time.monotonic() > deadline:
                self._database.close()
                raise TargetLockedError("another process is exporting to this database")
            time.sleep(LOCK_PAUSE)

    def close(self) -> None:
        """See `Target`."""
        with contextlib.suppress(self._error):  # a broken connection holds no lock
            self._database.execute(UNLOCK, [STATE_TABLE])
        self._database.close()

    @contextlib.contextmanager
    def _transaction(self) -> Generator[None]:
        with self._database.transaction():  # which knows a broken connection
            yield

    def _make_tables(self) -> None:
        super()._make_tables()
        self._database.execute(f"DROP TABLE IF EXISTS pg_temp.{BATCH}")
        self._database.execute(f"CREATE TEMPORARY TABLE {BATCH} (LIKE {TABLE}) ON COMMIT DELETE ROWS")

    def _write(self, rows: list[list[Any]]) -> None:
        names = self._schema.names
        with self._database.cursor() as cursor:
            with cursor.copy(f"COPY {BATCH} ({names}) FROM STDIN") as copy:
                for row in last_of_each(rows, len(self._schema.key)):
                    copy.write_row(row)
            cursor.execute(self._schema.upsert(f"SELECT {names} FROM {BATCH}"))  # noqa: S608 - names of columns

"""What exports to databases have in common: the tables, and the state in the same transaction as the rows."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final

from .. import records
from .._logs.rows import Rows, time_text

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    from ..records import Column
    from ._targets import State

TABLE: Final = "workflow_logs"
STATE_TABLE: Final = "_dify_workflow_export"
"""One row: whether the export is finished, and where it stands; written in one transaction with the logs."""


class Schema:
    """The table of an export.

    Args:
        details: whether it has inputs and outputs of the runs.
        apps: whether it has the column `app`.
        types: the database's type of each type of a column.
    """

    def __init__(self, *, details: bool, apps: bool, types: Mapping[str, str]) -> None:
        self.columns: Sequence[Column] = records.columns_of(details=details, app=apps)
        self.key = ("app", "id") if apps else ("id",)
        self._types = types

    @property
    def names(self) -> str:
        """The names of the columns, as SQL takes them: PostgreSQL has a meaning of its own for `user`."""
        return ", ".join(f'"{column.name}"' for column in self.columns)

    def create(self, tail: str = "", *, has_index: bool = True) -> str:
        """The statement that makes the table; `has_index` is whether its key is one that the database watches over."""
        key = f", PRIMARY KEY ({', '.join(self.key)})" if has_index else ""
        described = [f"{self._described(column)}{' NOT NULL' * (column.name in self.key)}" for column in self.columns]
        return f"CREATE TABLE IF NOT EXISTS {TABLE} ({', '.join(described)}{key}){tail}"

    def additions(self, present: Iterable[str]) -> list[str]:
        """The statements that add the columns that a table from before lacks.

        Raises:
            ValueError: the one has the column `app` and the other has not.
        """
        there = set(present)
        if ("app" in there) != ("app" in self.key):
            one, other = ("one app", "several") if "app" in self.key else ("several apps", "one")
            raise ValueError(
                f"the table {TABLE} has the logs of {one}, and these are those of {other}: take another target, or "
                "begin again with restart=True"
            )
        return [
            f"ALTER TABLE {TABLE} ADD COLUMN {self._described(column)}"
            for column in self.columns
            if column.name not in there
        ]

    def upsert(self, source: str, prefix: str = "excluded.") -> str:
        """The statement that inserts rows, or replaces those of the same key."""
        others = [f'"{column.name}"' for column in self.columns if column.name not in self.key]
        changed = ", ".join(f"{name} = {prefix}{name}" for name in others)
        return (
            f"INSERT INTO {TABLE} ({self.names}) {source} ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {changed}"
        )

    def _described(self, column: Column) -> str:
        return f'"{column.name}" {self._types[column.type]}'


class TableTarget:
    """A database, in which the rows and the state of each batch are stored in one transaction.

    A subclass connects in its constructor, says how its database speaks in the class variables, and writes the rows.
    """

    can_update = True
    batch = 1000

    types: ClassVar[Mapping[str, str]]
    """The database's type of each type of a column."""
    state_columns: ClassVar[str]
    """The columns of the state's table: id, finished, complete_until, state."""
    begin_statement: ClassVar[str] = "BEGIN"
    mark: ClassVar[str] = "?"
    """What stands for a parameter in a statement."""
    find_table: ClassVar[str]
    """The query that has a row where there is a table of a name, which is its parameter."""
    find_columns: ClassVar[str]
    """The query for the names of the columns of a table, whose name is its parameter."""

    def __init__(self, *, details: bool, apps: bool, time: Callable[[int], Any] | None) -> None:
        self._schema = Schema(details=details, apps=apps, types=self.types)
        self._rows = Rows(details=details, apps=apps, time=time)
        self._database: Any

    def state(self) -> State | None:
        """See `Target`."""
        self._check_owner()
        if not self._has(STATE_TABLE):
            return None
        found = self._database.execute(f"SELECT state FROM {STATE_TABLE}").fetchone()  # noqa: S608 - a constant
        state: State | None = None if found is None else json.loads(found[0])
        return state

    def begin(self, state: State, *, restart: bool) -> None:
        """See `Target`."""
        self._check_owner()
        with self._transaction():
            if restart:
                self._database.execute(f"DROP TABLE IF EXISTS {TABLE}")
            self._make_tables()
            self._store(state)

    def resume(self, state: State) -> None:
        """See `Target`."""
        del state
        with self._transaction():
            self._make_tables()

    def add(self, app: str | None, log: Any) -> None:  # noqa: ANN401 - see `Target`
        """See `Target`."""
        self._rows.add(app, log)

    def commit(self, state: State) -> None:
        """See `Target`."""
        rows = self._rows.ready
        with self._transaction():
            if rows:
                self._write(rows)
            self._store(state)
        self._rows.clear()

    def finish(self, state: State) -> None:
        """See `Target`."""
        self.commit(state)

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._database.execute(self.begin_statement)
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        self._database.execute("ROLLBACK")

    def _make_tables(self) -> None:
        self._database.execute(f"CREATE TABLE IF NOT EXISTS {STATE_TABLE} ({self.state_columns})")
        self._database.execute(self._table())
        present = self._database.execute(self.find_columns, [TABLE]).fetchall()
        for statement in self._schema.additions(name for (name,) in present):
            self._database.execute(statement)

    def _table(self) -> str:
        """The statement that makes the table."""
        return self._schema.create()

    def _write(self, rows: list[list[Any]]) -> None:
        """Insert rows, or replace those of the same key."""
        raise NotImplementedError

    def _store(self, state: State) -> None:
        until = None if state["complete_until"] is None else time_text(state["complete_until"])
        self._database.execute(
            f"INSERT INTO {STATE_TABLE} VALUES (1, {self.mark}, {self.mark}, {self.mark}) ON CONFLICT (id) DO UPDATE "  # noqa: S608 - constants
            "SET finished = excluded.finished, complete_until = excluded.complete_until, state = excluded.state",
            [state["finished"], until, json.dumps(state)],
        )

    def _check_owner(self) -> None:
        if self._has(TABLE) and not self._has(STATE_TABLE):
            raise ValueError(
                f"the database has a table {TABLE} that no export has made ({STATE_TABLE} is missing): take another "
                "database"
            )

    def _has(self, table: str) -> bool:
        return self._database.execute(self.find_table, [table]).fetchone() is not None


def last_of_each(rows: list[list[Any]], keys: int) -> list[list[Any]]:
    """The last row of each key: databases refuse to change a row twice in one statement.

    Args:
        rows: the rows.
        keys: columns of the key, which come first.
    """
    return list({tuple(row[:keys]): row for row in rows}.values())

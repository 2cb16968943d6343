"""What exports to databases have in common: the tables, and the state in the same transaction as the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .. import records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..records import Column

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


def last_of_each(rows: list[list[Any]], keys: int) -> list[list[Any]]:
    """The last row of each key: databases refuse to change a row twice in one statement.

    Args:
        rows: the rows.
        keys: columns of the key, which come first.
    """
    return list({tuple(row[:keys]): row for row in rows}.values())


def foreign_table() -> ValueError:
    """The error for a table that no export has made."""
    return ValueError(
        f"the database has a table {TABLE} that no export has made ({STATE_TABLE} is missing): take another database"
    )

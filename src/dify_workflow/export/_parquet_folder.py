"""Exports to a folder of Parquet files, one for each day or a few, which can be updated. Needs the extra `arrow`.

The files are in folders `created_date=2026-11-30`, as Hive, DuckDB, Spark, polars and pyarrow read them. The state is
in a file whose name begins with `_`, which these leave out. An update writes the files of the touched days again. Each
is replaced by renaming, and after each of these steps every log is in one file: what is interrupted may be repeated.
"""

from __future__ import annotations

import json
from collections import OrderedDict, defaultdict
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from .._file_locks import sync_folder
from .._logs.arrow import batch_of
from .._logs.rows import time_text
from ._files import beside, replace, write_synced
from ._parquet import ROW_GROUP, ParquetParts, fitted, remove, sync
from ._tables import last_of_each

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ._targets import State

STATE_NAME: Final = "_dify_workflow_export.json"
DAY: Final = "created_date="
NO_DAY: Final = "__HIVE_DEFAULT_PARTITION__"
"""Hive's name for a partition of rows without a value."""
MOST_OPEN: Final = 8
"""Days whose files are open at once. Logs come newest first, so that hardly any comes again."""
MOST_ROWS: Final = 100_000
"""Rows of a file beyond which an update begins another one."""


class ParquetFolderTarget(ParquetParts):
    """A folder of Parquet files."""

    can_update = True

    def __init__(self, path: Path, *, details: bool, apps: bool, excel: bool) -> None:
        super().__init__(path, details=details, apps=apps, excel=excel)
        self._is_update = False
        self._before = beside(path, ".part.old")
        names: list[str] = self._schema.names
        self._place = names.index("created_at")
        self._key = names[: names.index("id") + 1]

    def state(self) -> State | None:
        """See `Target`."""
        state = self._state_file.read()
        if state is not None and state["finished"]:  # it was interrupted while it gave the folder its name
            self._publish()
        elif state is not None and self._folder.is_dir():
            return state
        self._check_owner()
        made = self._path / STATE_NAME
        if not made.is_file():
            return None
        found: State = json.loads(made.read_bytes())
        return found

    def begin(self, state: State, *, restart: bool) -> None:
        """See `Target`."""
        self._check_owner()
        super().begin(state, restart=restart)

    def resume(self, state: State) -> None:
        """See `Target`."""
        self._is_update = state["finished"]
        if self._is_update:
            self._clean()  # what an export may have left that was interrupted at its very end
        else:
            super().resume(state)

    def commit(self, state: State) -> None:
        """See `Target`."""
        if not self._is_update:
            super().commit(state)
            return
        days: defaultdict[str, list[Any]] = defaultdict(list)
        for row in last_of_each(self._rows.ready, len(self._key)):
            days[day_of(row[self._place])].append(row)
        for day, rows in days.items():
            self._update_day(self._path / f"{DAY}{day}", rows)
        self._write_state(self._path, state)
        self._rows.clear()

    def finish(self, state: State) -> None:
        """See `Target`."""
        if self._is_update:
            self.commit(state)
            return
        self.commit({**state, "finished": False})
        remove(self._whole)
        self._whole.mkdir()
        self._divide()
        self._write_state(self._whole, {**state, "finished": True})
        self._state_file.write({**state, "parts": self._parts, "finished": True})
        self._publish()

    def _check_owner(self) -> None:
        if self._path.exists() and not (self._path / STATE_NAME).is_file():
            if self._path.is_dir() and not any(self._path.iterdir()):
                return
            raise ValueError(f"no export has made the folder {self._path} ({STATE_NAME} is missing): take another one")

    def _publish(self) -> None:
        if self._whole.exists():
            if self._path.exists():
                remove(self._before)
                self._path.rename(self._before)
            replace(self._whole, self._path)
        self._clean()
        remove(self._before)

    def _write_state(self, folder: Path, state: State) -> None:
        made = folder / f"{STATE_NAME}.tmp"
        write_synced(made, json.dumps(state).encode())
        replace(made, folder / STATE_NAME)

    # The first export ---------------------------------------------------------------------------------------------

    def _divide(self) -> None:
        """Divide the parts by days."""
        open_days: OrderedDict[str, _DayFile] = OrderedDict()
        try:
            for table in self._tables():
                seconds = table.column("created_at").cast(self._arrow.int64()).to_pylist()
                start = 0
                for day, run in groupby(map(day_of, seconds)):
                    count = sum(1 for _ in run)
                    if day not in open_days:
                        if len(open_days) >= MOST_OPEN:
                            open_days.popitem(last=False)[1].close()
                        open_days[day] = _DayFile(self, self._whole / f"{DAY}{day}")
                    open_days.move_to_end(day)
                    open_days[day].add(table.slice(start, count))
                    start += count
        finally:
            for file in open_days.values():
                file.close()
        sync_folder(self._whole)

    def joined(self, tables: Sequence[Any]) -> Any:  # noqa: ANN401 - as above
        """Tables as one."""
        return self._arrow.concat_tables(tables)

    # Updates ------------------------------------------------------------------------------------------------------

    def _update_day(self, folder: Path, rows: list[Any]) -> None:
        """Replace the rows that are there already, and add the others."""
        if not folder.exists():
            folder.mkdir()
            sync_folder(self._path)
        new = {self._key_of(row): row for row in rows}
        files = files_of(folder)
        for file in files:
            there = self._keys_in(file)
            changed = {key: new.pop(key) for key in list(new) if key in there}
            if file == files[-1] and len(there) + len(new) <= MOST_ROWS:
                changed, new = {**changed, **new}, {}
            if changed:
                self._write_again(file, changed)
        if new:
            self._write_again(None, new, numbered(folder, len(files)))

    def _write_again(self, file: Path | None, rows: dict[tuple[Any, ...], Any], path: Path | None = None) -> None:
        """Write a file again with other rows in the place of those of the same keys; or write a new one to a path."""
        target = path or file
        assert target is not None  # noqa: S101 - one of the two is given
        added = self._arrow.Table.from_batches([batch_of(list(rows.values()), self._schema)])
        made = target.with_name("_next.tmp")
        if file is None:
            with self.writer(made) as writer:
                writer.write_table(added)
        else:
            with self._parquet.ParquetFile(file) as source:
                # Columns of before stay, and those that a newer version knows are added.
                there = source.schema_arrow
                fields = [*self._schema, *(field for field in there if field.name not in self._schema.names)]
                schema = self._arrow.schema(fields)
                with self.writer(made, schema) as writer:
                    tables = [fitted(added, schema)]
                    for number in range(source.num_row_groups):
                        table = fitted(source.read_row_group(number, use_threads=False), schema)
                        stays = [key not in rows for key in self._keys_of(table)]
                        tables.append(table.filter(self._arrow.array(stays)))
                        if sum(one.num_rows for one in tables) >= ROW_GROUP:
                            writer.write_table(self.joined(tables))
                            tables = []
                    if tables:
                        writer.write_table(self.joined(tables))
        sync(made)
        replace(made, target)

    def _key_of(self, row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(row[: len(self._key)])

    def _keys_in(self, file: Path) -> set[tuple[Any, ...]]:
        with self._parquet.ParquetFile(file) as source:
            return set(self._keys_of(source.read(columns=self._key, use_threads=False)))

    def _keys_of(self, table: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - pyarrow has no types
        return list(zip(*(table.column(name).to_pylist() for name in self._key), strict=True))


class _DayFile:
    """A file of a day that is being written, in groups of rows."""

    def __init__(self, target: ParquetFolderTarget, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._target = target
        self._path = numbered(folder, len(files_of(folder)))
        self._writer = target.writer(self._path)
        self._tables: list[Any] = []

    def add(self, table: Any) -> None:  # noqa: ANN401 - pyarrow has no types
        self._tables.append(table)
        if sum(one.num_rows for one in self._tables) >= ROW_GROUP:
            self._write()

    def close(self) -> None:
        self._write()
        self._writer.close()
        sync(self._path)
        sync_folder(self._path.parent)

    def _write(self) -> None:
        if self._tables:
            self._writer.write_table(self._target.joined(self._tables))
            self._tables = []


def day_of(second: int | None) -> str:
    """The day of a log, in the name of its folder; in UTC."""
    return NO_DAY if second is None else time_text(second)[: len("2026-11-30")]


def files_of(folder: Path) -> list[Path]:
    """The Parquet files below a folder, in the order of their days and numbers."""
    return sorted(folder.rglob("*.parquet"))


def numbered(folder: Path, number: int) -> Path:
    """A file of a folder."""
    return folder / f"logs-{number:06}.parquet"

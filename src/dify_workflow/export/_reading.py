"""Read the logs of an export back."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dify_workflow_api.models.workflow_log import WorkflowLog

from .. import records
from .._extras import imported
from ._tables import STATE_TABLE, TABLE
from ._targets import format_of, without_password

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

READABLE: Final = ("jsonl", "sqlite", "parquet", "duckdb", "postgresql")
ADDED: Final = ("app", "run_detail", "run_detail_error")
"""What an export adds to the object of a log."""
BATCH: Final = 1000
FINISHED: Final = f"SELECT finished FROM {STATE_TABLE}"  # noqa: S608 - a constant
ROWS: Final = f"SELECT * FROM {TABLE}"  # noqa: S608 - a constant


def read(source: str | os.PathLike[str]) -> Iterator[Any]:
    """Read the logs of an export, one by one, as the server sent them.

    Args:
        source: What `export` has finished: a file that ends in .jsonl, .sqlite, .parquet or .duckdb, a folder of
            Parquet files, or a postgresql:// address. CSV text has no types, and is not read.

    Returns:
        An iterator over `WorkflowLog`; where the server sent something else as a log, over that.

    Raises:
        ValueError: The ending is none of these, it is not an export or a damaged one, or the export is not finished.
        FileNotFoundError: There is no such file.
        ImportError: An extra is missing that the format needs.
    """
    name = os.fspath(source)
    path = Path(name)
    found = "parquet" if path.is_dir() else format_of(name, None)
    if found not in READABLE:
        raise ValueError(
            f"an export can be read from .jsonl, .sqlite, .parquet, .duckdb or postgresql://; got {path.name!r}"
        )
    if found == "postgresql":
        return _logs(_postgresql(name))
    if not path.exists():
        raise FileNotFoundError(f"there is no file {str(path)!r}" + _unfinished(path))
    if found == "jsonl":
        return _json_lines(path)
    return _logs({"sqlite": _sqlite, "duckdb": _duckdb, "parquet": _parquet}[found](path))


def _logs(rows: Iterator[Mapping[str, Any]]) -> Iterator[Any]:
    return (_log(records.unflatten(row)) for row in rows)


def _unfinished(path: Path) -> str:
    part = path.with_name(f"{path.name}.part.json")
    return ", but an export to it that is not finished: continue it by the same command" if part.exists() else ""


def _log(received: object) -> Any:  # noqa: ANN401 - what a server sends in a log's place
    return WorkflowLog.from_dict(received) if isinstance(received, dict) else received  # pyright: ignore[reportUnknownArgumentType] - JSON


def _json_lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                received: Any = json.loads(line)
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: not valid JSON ({error})") from None
            if isinstance(received, dict):
                for name in ADDED:
                    received.pop(name, None)  # pyright: ignore[reportUnknownMemberType] - JSON
            yield _log(received)  # pyright: ignore[reportUnknownArgumentType] - JSON


def _sqlite(path: Path) -> Iterator[Mapping[str, Any]]:
    return _table(path, lambda: sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True), sqlite3.Error)


def _duckdb(path: Path) -> Iterator[Mapping[str, Any]]:
    duckdb: Any = imported("duckdb", "duckdb")
    return _table(path, lambda: duckdb.connect(str(path), read_only=True), duckdb.Error)


def _table(path: Path, connect: Callable[[], Any], broken: type[Exception]) -> Iterator[Mapping[str, Any]]:
    try:
        database = connect()
    except broken as error:
        raise _no_export(path, error) from None
    try:
        try:
            _check_finished(path, database.execute(FINISHED).fetchone())
            cursor = database.execute(ROWS)
        except broken as error:
            raise _no_export(path, error) from None
        yield from _rows(cursor)
    finally:
        database.close()


def _postgresql(address: str) -> Iterator[Mapping[str, Any]]:
    psycopg: Any = imported("psycopg", "postgres")
    shown = without_password(address)
    with psycopg.connect(address) as database:  # whose own error says why there is no connection
        try:
            _check_finished(shown, database.execute(FINISHED).fetchone())
        except psycopg.errors.UndefinedTable as error:
            raise _no_export(shown, error) from None
        with database.cursor("dify_workflow_export") as cursor:  # of the server, which does not send all rows at once
            cursor.execute(ROWS)
            yield from _rows(cursor)


def _no_export(source: object, error: object) -> ValueError:
    return ValueError(f"{source} is not an export ({str(error).strip()})")


def _rows(cursor: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - a cursor of DB-API
    names = [str(column[0]) for column in cursor.description or ()]
    while rows := cursor.fetchmany(BATCH):
        for row in rows:
            yield dict(zip(names, row, strict=True))


def _check_finished(source: object, found: Sequence[Any] | None) -> None:
    if found is None or not found[0]:
        raise ValueError(f"the export to {source} is not finished: continue it by the same command")


def _parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    if not path.is_dir():
        yield from _parquet_file(path)
        return
    from ._parquet_folder import STATE_NAME, files_of  # noqa: PLC0415 - loaded when needed

    if not (path / STATE_NAME).is_file():
        raise _no_export(path, f"it has no {STATE_NAME}")
    for file in files_of(path):
        yield from _parquet_file(file)


def _parquet_file(path: Path) -> Iterator[Mapping[str, Any]]:
    arrow: Any = imported("pyarrow", "arrow")
    parquet: Any = imported("pyarrow.parquet", "arrow")
    try:
        file = parquet.ParquetFile(path)
    except arrow.ArrowInvalid as error:
        raise _no_export(path, error) from None
    with file:
        for batch in file.iter_batches(BATCH):
            yield from batch.to_pylist()

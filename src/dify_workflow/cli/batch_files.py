"""Files of a batch: rows of inputs that are read as they are needed, and results."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple, Self, cast

import click

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from dify_workflow.types import BatchItem

ENDINGS: Final = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
ADDED: Final = ("run_id", "status", "error")
"""Columns of results beside those of the rows and the outputs."""


class Columns(NamedTuple):
    """What the columns of a file mean.

    Attributes:
        names: inputs by the columns whose names are others.
        files: columns that have paths of files; of a list, with `[]` behind the name.
        values: columns that have JSON.
        skipped: columns that are not inputs.
        folder: where the paths of files begin.
    """

    names: dict[str, str]
    files: frozenset[str]
    values: frozenset[str]
    skipped: frozenset[str]
    folder: Path

    def inputs(self, row: dict[str, Any], place: str) -> dict[str, Any]:
        """The inputs of a row. An empty cell is not an input.

        Raises:
            click.UsageError: a cell is not what its column should have.
        """
        found: dict[str, Any] = {}
        for column, cell in row.items():
            if column in self.skipped or cell is None or cell == "":
                continue
            value = cell
            if column in self.values:
                value = _json_cell(cell, f"{place}, column {column!r}")
            elif f"{column}[]" in self.files:
                value = [self.folder / one for one in (cast("list[str]", cell) if isinstance(cell, list) else [cell])]
            elif column in self.files:
                value = self.folder / cell
            found[self.names.get(column, column)] = value
        return found


def _json_cell(cell: object, place: str) -> Any:  # noqa: ANN401 - JSON is anything
    if not isinstance(cell, str):
        return cell
    try:
        return json.loads(cell)
    except ValueError as error:
        raise click.UsageError(f"{place} is not valid JSON: {error}") from None


class Rows:
    """The rows of a file or of standard input; a context manager. They can be read again.

    Args:
        name: the file; - is standard input.
        format_: "csv" or "jsonl", where the file's name does not say it.

    Raises:
        click.UsageError: there is no such file, or its format is not known.
    """

    def __init__(self, name: str, format_: str | None) -> None:
        self._name = "standard input" if name == "-" else name
        self._copy: IO[bytes] | None = None
        self.path = Path(name)
        if name == "-":
            self._copy = tempfile.NamedTemporaryFile(prefix="dify-workflow-")  # noqa: SIM115 - closed at the end
            shutil.copyfileobj(sys.stdin.buffer, self._copy)
            self._copy.flush()
            self.path = Path(self._copy.name)
        elif not self.path.is_file():
            raise click.UsageError(f"there is no file {name!r}")
        self._format = format_ or (_sniffed(self.path) if name == "-" else ENDINGS.get(self.path.suffix.lower()))
        if self._format is None:
            raise click.UsageError(f"{name} does not end in {', '.join(ENDINGS)}: give --format")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._copy is not None:
            self._copy.close()

    def read(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each row, with its place in the file.

        Raises:
            click.UsageError: the file is not of its format.
        """
        with self.path.open(encoding="utf-8-sig", newline="") as lines:
            try:
                yield from self._csv(lines) if self._format == "csv" else self._jsonl(lines)
            except UnicodeDecodeError as error:
                raise click.UsageError(f"{self._name} is not UTF-8: {error}") from None

    def _csv(self, lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        reader = csv.DictReader(lines)
        names = reader.fieldnames or ()
        if len(set(names)) < len(names) or "" in names:
            raise click.UsageError(f"{self._name}: each column needs a name of its own, got {', '.join(names)}")
        for row in reader:
            place = f"{self._name}, line {reader.line_num}"
            if None in row or None in row.values():
                raise click.UsageError(f"{place} has not the {len(names)} cells that the first line has")
            yield place, row

    def _jsonl(self, lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place = f"{self._name}, line {number}"
            try:
                row: Any = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise click.UsageError(f"{place} is not valid JSON: {error}") from None
            if not isinstance(row, dict):
                raise click.UsageError(f"{place} must have a JSON object of inputs by name")
            yield place, row


def _sniffed(path: Path) -> str:
    with path.open("rb") as file:
        return "jsonl" if file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else "csv"


def format_of_results(path: Path) -> str:
    """The format of the results.

    Raises:
        click.UsageError: the name of the file does not say it.
    """
    found = ENDINGS.get(path.suffix.lower())
    if found is None:
        raise click.UsageError(f"{path} does not end in {', '.join(ENDINGS)}: the ending is the format of the results")
    return found


def json_line(row: dict[str, Any], item: BatchItem) -> str:
    """A result as a line of JSON."""
    value = {
        "index": item.index,
        "inputs": row,
        **{name: getattr(item, name) for name in ("run_id", "status", "outputs", "error")},
    }
    return json.dumps(value, ensure_ascii=False, default=str) + "\n"


class Results:
    """The file of results, which has its name only when it is whole.

    Args:
        path: the file.
        format_: its format.
        outputs: names of the outputs of all runs, for the columns of CSV.
    """

    def __init__(self, path: Path, format_: str, outputs: Iterable[str]) -> None:
        self._path = path
        self._is_csv = format_ == "csv"
        self._outputs = sorted(outputs)

    def write(self, results: Iterable[tuple[dict[str, Any], BatchItem]]) -> None:
        """Write the results, and replace what the file has."""
        part = self._path.with_name(self._path.name + ".part")
        with part.open("w", encoding="utf-8", newline="") as file:
            if self._is_csv:
                csv.writer(file, lineterminator="\n").writerows(self._cells(results))
            else:
                file.writelines(json_line(row, item) for row, item in results)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path)

    def _cells(self, results: Iterable[tuple[dict[str, Any], BatchItem]]) -> Generator[list[Any]]:
        columns: list[str] | None = None
        for row, item in results:
            if columns is None:
                columns = list(row)
                taken = {*ADDED, *(f"outputs.{name}" for name in self._outputs)}
                names = [f"inputs.{name}" if name in taken else name for name in columns]
                yield [*names, *ADDED, *(f"outputs.{name}" for name in self._outputs)]
            outputs = fields_of(item.outputs)
            cells = [row.get(name) for name in columns] + [getattr(item, name) for name in ADDED]
            yield [_cell(value) for value in (*cells, *(outputs.get(name) for name in self._outputs))]


def fields_of(outputs: object) -> dict[str, Any]:
    """The outputs by name; none where they are not an object."""
    return cast("dict[str, Any]", outputs) if isinstance(outputs, dict) else {}


def _cell(value: object) -> object:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)

"""Logs in the formats of `logs list` and `logs follow`, printed one by one: memory does not grow with their number."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

import click

from .output import iso, json_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dify_workflow.models import WorkflowLog


class LogPrinter(Protocol):
    """Prints logs; nothing is printed before the first one or the end."""

    def write(self, app: str | None, log: WorkflowLog) -> None:
        """Print a log; `app` is the name of its profile where several are read."""
        ...

    def end(self) -> None:
        """Print what belongs behind the last log, when all is well."""
        ...


def log_printer(output: str, *, several: bool, as_stream: bool = False) -> LogPrinter:
    """What prints logs in a format.

    Args:
        output: one of `options.LOG_FORMATS`.
        several: whether the logs are of several apps.
        as_stream: whether they come without an end, so that `json` is one object a line.
    """
    if output == "csv":
        return CsvPrinter(several=several)
    if output == "id":
        return IdPrinter()
    if output == "table":
        return TablePrinter(several=several)
    return JsonPrinter() if output == "json" and not as_stream else JsonLinesPrinter()


def as_object(app: str | None, log: WorkflowLog) -> dict[str, Any]:
    """A log as it was received, with the name of its profile first where there is one."""
    received = log.to_dict()
    return received if app is None else {"app": app, **received}


class JsonLinesPrinter:
    """One JSON object a line."""

    def write(self, app: str | None, log: WorkflowLog) -> None:
        """Print a log."""
        click.echo(json_text(as_object(app, log)))

    def end(self) -> None:
        """Print nothing."""


class JsonPrinter:
    """One JSON array, which is closed only if nothing failed."""

    def __init__(self) -> None:
        self._is_first = True

    def write(self, app: str | None, log: WorkflowLog) -> None:
        """Print a log."""
        click.echo("[\n" if self._is_first else ",\n", nl=False)
        self._is_first = False
        click.echo("  " + json_text(as_object(app, log), indent=2).replace("\n", "\n  "), nl=False)

    def end(self) -> None:
        """Close the array."""
        click.echo("[]" if self._is_first else "\n]")


class IdPrinter:
    """The ids of the logs' runs, for `xargs`; a log without a run has none."""

    def write(self, app: str | None, log: WorkflowLog) -> None:
        """Print the id of a log's run."""
        del app
        identity = part(log, "workflow_run", "id")
        if isinstance(identity, str) and identity:
            click.echo(json_text(identity)[1:-1])

    def end(self) -> None:
        """Print nothing."""


class CsvPrinter:
    """CSV with a header: the columns of `dify_workflow.records`."""

    def __init__(self, *, several: bool) -> None:
        from ..records import COLUMNS

        self._header = (["app"] if several else []) + [column.name for column in COLUMNS]
        self._is_first = True

    def write(self, app: str | None, log: WorkflowLog) -> None:
        """Print a log."""
        from ..records import flatten

        self._print_header()
        record = {"app": app, **flatten(log)}
        self._print([_csv_cell(record[name]) for name in self._header])

    def end(self) -> None:
        """Print the header if there was no log."""
        self._print_header()

    def _print_header(self) -> None:
        if self._is_first:
            self._print(self._header)
        self._is_first = False

    def _print(self, row: Sequence[str]) -> None:
        import csv
        import io

        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(row)
        click.echo(line.getvalue(), nl=False)


def _csv_cell(value: object) -> str:
    """A value of a record as CSV: times in ISO 8601, nothing for NULL."""
    if isinstance(value, datetime):
        return iso(value)
    return "" if value is None else str(value)


class Column:
    """A column of the table.

    Args:
        name: its heading.
        width: characters of its cells; longer ones are cut, numbers never.
        is_number: whether it has numbers, at the right.
    """

    def __init__(self, name: str, width: int, *, is_number: bool = False) -> None:
        self.name = name
        self.width = width
        self.is_number = is_number


COLUMNS: Final = tuple(
    Column(name, width, is_number=name in {"seconds", "tokens"})
    for name, width in (
        ("app", 16), ("created", 19), ("status", 17), ("seconds", 8), ("tokens", 8), ("run", 36), ("user", 24)
    )
)  # fmt: skip
ERROR: Final = Column("error", 20)
"""The last column, which has the rest of the line."""
OPTIONAL: Final = ("run", "user", "tokens", "seconds")
"""The columns that a narrow terminal goes without, in this order."""
WIDE: Final = 200
"""Characters of a line where there is no terminal."""
GAP: Final = "  "
STYLES: Final = {
    "succeeded": "green",
    "failed": "red",
    "partial-succeeded": "yellow",
    "stopped": "magenta",
    "running": "cyan",
}


class TablePrinter:
    """A line for each log, in the columns for which the terminal is wide enough. Times are local."""

    def __init__(self, *, several: bool) -> None:
        from rich.cells import cell_len, set_cell_size

        from .console import TableConsole

        self._size, self._length = set_cell_size, cell_len
        self._console = TableConsole()
        self._width = self._console.width if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE
        self._columns = fitting([column for column in COLUMNS if several or column.name != "app"], self._width)
        self._is_first = True

    def write(self, app: str | None, log: WorkflowLog) -> None:
        """Print a log."""
        from rich.text import Text

        if self._is_first:
            self._print_header()
        cells = table_cells(app, log)
        line = Text()
        for column in self._columns:
            style = STYLES.get(cells["status"], "") if column.name == "status" else ""
            line.append(self._cell(column, cells[column.name]), style).append(GAP)
        left, error = self._width - line.cell_len, cells["error"]
        line.append(error if self._length(error) <= left else self._size(error, max(left - 1, 0)) + "…")
        line.rstrip()
        self._console.print(line)

    def end(self) -> None:
        """Print on stderr that there was no log."""
        if self._is_first:
            click.echo("No logs.", err=True)

    def _print_header(self) -> None:
        from rich.text import Text

        self._is_first = False
        names = GAP.join([*(self._cell(column, column.name) for column in self._columns), ERROR.name])
        self._console.print(Text(names, "bold"))

    def _cell(self, column: Column, text: str) -> str:
        if column.is_number:
            return text.rjust(column.width)
        if self._length(text) > column.width:
            return self._size(text, column.width - 1) + "…"
        return self._size(text, column.width)


def fitting(columns: list[Column], width: int) -> list[Column]:
    """The columns for which a line of this width has room."""
    for name in OPTIONAL:
        taken = sum(column.width + len(GAP) for column in columns) + ERROR.width
        if taken <= width:
            break
        columns = [column for column in columns if column.name != name]
    return columns


def table_cells(app: str | None, log: WorkflowLog) -> dict[str, str]:
    """The cells of a log, as text without control characters; "-" for what is not there."""
    user = part(log, "created_by_end_user", "session_id") or part(log, "created_by_account", "email")
    seconds, tokens = part(log, "workflow_run", "elapsed_time"), part(log, "workflow_run", "total_tokens")
    has_run = getattr(log, "workflow_run", None) is not None
    cells: dict[str, object] = {
        "app": app,
        "created": local_time(log.created_at_utc),
        "status": part(log, "workflow_run", "status") if has_run else "no run",
        "seconds": f"{seconds:.2f}" if isinstance(seconds, int | float) else seconds,
        "tokens": tokens,
        "run": part(log, "workflow_run", "id"),
        "user": user,
        "error": part(log, "workflow_run", "error") or "",
    }
    return {name: "-" if value is None else clean(str(value)) for name, value in cells.items()}


def part(log: object, model: str, name: str) -> Any:  # noqa: ANN401 - an odd value of any type is possible
    """A field of a part of a log; None where there is no such part, or a value of another type in its place."""
    return getattr(getattr(log, model, None), name, None)


def clean(text: str) -> str:
    """A text on one line, without control characters, as a server's text may hold a terminal's."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def local_time(moment: datetime | None) -> str | None:
    """A time in this machine's zone; None for none, or for one that cannot be shown."""
    try:
        return None if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return None

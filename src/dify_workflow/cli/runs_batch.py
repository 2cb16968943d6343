"""`runs batch`."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from .commands import Command
from .errors import RUN_FAILED, note
from .options import connected, quiet_option
from .output import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dify_workflow import DifyWorkflow
    from dify_workflow.types import Batch, BatchItem

    from .batch_files import Columns, Rows
    from .connection import Connection

FORMATS = ("csv", "jsonl")


class RowsFailedError(click.ClickException):
    """Some rows failed."""

    exit_code = RUN_FAILED


@click.command("batch", cls=Command, effect="write")
@click.argument("file")
@click.option(
    "-o", "--output", "results", required=True, metavar="RESULTS", help="File for the results: .jsonl or .csv."
)
@click.option("--at-once", type=click.IntRange(1, 64), default=8, show_default=True, metavar="N", help="Runs at once.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Format of FILE where its name does not say it.")
@click.option("--map", "renamed", multiple=True, metavar="COLUMN=INPUT", help="An input whose column has another name.")
@click.option(
    "--file-column",
    "files",
    multiple=True,
    metavar="COLUMN",
    help="A column with paths of files to upload, which begin at the folder of FILE; COLUMN[] makes a list.",
)
@click.option("--json-column", "values", multiple=True, metavar="COLUMN", help="A column with JSON, such as true.")
@click.option("--skip-column", "skipped", multiple=True, metavar="COLUMN", help="A column that is not an input.")
@click.option("--user", default="batch", show_default=True, help="Prefix of the end users' ids of the rows.")
@click.option("--one-user", is_flag=True, help="Run all rows for --user itself; a row in doubt is then unknown.")
@click.option("--retry", type=click.Choice(["failed"]), help="Start rows again that failed or were refused before.")
@click.option("--as-finished", is_flag=True, help="Write results as runs end, in that order; .jsonl only.")
@click.option("--workflow-id", metavar="ID", help="Run this published version of the workflow.")
@click.option("--trace-session-id", metavar="ID", help="Session under which the server's tracing files the runs.")
@quiet_option
@connected()
def command(
    connection: Connection,
    *,
    file: str,
    results: str,
    format_: str | None,
    renamed: tuple[str, ...],
    files: tuple[str, ...],
    values: tuple[str, ...],
    skipped: tuple[str, ...],
    retry: str | None,
    as_finished: bool,
    quiet: bool,
    **options: Any,  # noqa: ANN401 - those of `runs.batch`
) -> None:
    """Run the workflow for each row of a file, and write the results.

    FILE is a CSV file whose first line has the names of the inputs, or has a JSON object of inputs in each line; - is
    standard input. What is known of each row is kept in RESULTS.journal: the same command continues a batch that was
    interrupted, and writes the results of a finished one again, without starting anything. Each row is started once.
    """
    from pathlib import Path

    from .batch_files import Columns, Results, Rows, format_of_results

    path = Path(results)
    kind = format_of_results(path)
    if as_finished and kind == "csv":
        raise click.UsageError("--as-finished needs a .jsonl file: the columns of a CSV file depend on all results")
    journal = path.with_name(path.name + ".journal")
    if path.exists() and not journal.exists():
        raise click.UsageError(f"{results} exists, and is not a result of a batch: give another file, or remove it")
    columns = Columns(
        dict(_pair(one) for one in renamed),
        frozenset(files),
        frozenset(values),
        frozenset(skipped),
        Path() if file == "-" else Path(file).parent,
    )
    job = _Job(journal, columns, {**options, "retry_failed": retry == "failed"}, Progress(quiet=quiet))
    with ExitStack() as stack:
        rows = stack.enter_context(Rows(file, format_))
        client = stack.enter_context(connection.client())
        try:
            batch = job.run(client, rows, path if as_finished else None)
        except KeyboardInterrupt:
            note("interrupted: the same command continues the batch; runs that were started continue")
            raise
        if not as_finished:
            Results(path, kind, job.outputs).write(job.again(client, rows))
    text = f"{results}: {batch.done:,} rows, {batch.failed:,} failed, {batch.tokens:,} tokens"
    if batch.failed:
        raise RowsFailedError(f"{text}; --retry failed starts these again")
    if not quiet:
        note(text)


class _Job:
    """A batch and what is counted of it.

    Attributes:
        outputs: names of the outputs of all runs.
    """

    def __init__(self, journal: Path, columns: Columns, options: dict[str, Any], shown: Progress) -> None:
        self._journal = journal
        self._columns = columns
        self._options = options
        self._shown = shown
        self._begun = time.monotonic()
        self.outputs: set[str] = set()

    def run(self, client: DifyWorkflow, rows: Rows, target: Path | None) -> Batch:
        """Run the batch; with a target, write each result as its run ends."""
        from .batch_files import fields_of, json_line

        given = (self._columns.inputs(row, place) for place, row in rows.read())
        with ExitStack() as stack:
            batch = stack.enter_context(client.runs.batch(given, journal=self._journal, **self._options))
            stack.callback(self._shown.end)
            file = None if target is None else stack.enter_context(target.open("w", encoding="utf-8", newline=""))
            for item in batch:
                self.outputs.update(fields_of(item.outputs))
                if file is not None:
                    file.write(json_line(dict(item.inputs), item))
                    file.flush()
                self._shown.show_text(self._described(batch))
        return batch

    def again(self, client: DifyWorkflow, rows: Rows) -> Iterator[tuple[dict[str, Any], BatchItem]]:
        """The rows of a finished batch and their results, in the order of the file, from the journal."""
        found = rows.read()
        given = (self._columns.inputs(row, place) for place, row in rows.read())
        options: dict[str, Any] = {**self._options, "retry_failed": False, "in_order": True}
        with client.runs.batch(given, journal=self._journal, **options) as batch:
            for item, (_, row) in zip(batch, found, strict=True):
                yield row, item

    def _described(self, batch: Batch) -> str:
        done = f"{batch.done:,} of {batch.total:,}" if batch.total is not None else f"{batch.done:,}"
        rate = batch.done / max(time.monotonic() - self._begun, 0.001)
        text = f"{done} done, {batch.failed:,} failed, {batch.running} running"
        return f"{text}, {rate:,.1f} rows/s, {batch.tokens:,} tokens"


def _pair(text: str) -> tuple[str, str]:
    column, sign, name = text.partition("=")
    if not (column and sign and name):
        raise click.UsageError(f"--map takes COLUMN=INPUT, got {text!r}")
    return column, name

"""`logs export`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .commands import Command
from .errors import hide_password
from .options import connected, filters, output_option, quiet_option
from .output import Progress, iso, print_object

if TYPE_CHECKING:
    from dify_workflow.export import ExportProgress, ExportResult

    from .connection import Connection

FORMATS = ("jsonl", "csv", "sqlite", "parquet", "duckdb", "postgresql", "otlp")


@click.command("export", cls=Command, effect="read")
@click.argument("target")
@filters()
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Format, where TARGET's ending does not say it.")
@click.option(
    "--details",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Also inputs and outputs of the runs, of which at most N are looked up at once.",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, metavar="N", help="Requests at once."
)
@click.option("--update", is_flag=True, help="Add to a database or folder what is new or has ended since then.")
@click.option(
    "--state", metavar="FILE", help="Keep here where an export to a collector stands, to continue and to update it."
)
@click.option("--restart", is_flag=True, help="Discard an interrupted export, and what a database has of the last one.")
@click.option("--excel", is_flag=True, help="Write CSV for Excel: a byte order mark, and no cells that are formulas.")
@output_option("table", "json", "jsonl")
@quiet_option
@connected(several=True)
def command(
    connection: Connection,
    *,
    target: str,
    given: dict[str, Any],
    format_: str | None,
    details: int | None,
    workers: int,
    update: bool,
    state: str | None,
    restart: bool,
    excel: bool,
    output: str,
    quiet: bool,
) -> None:
    """Export all matching logs to a file, a database, or a collector of OpenTelemetry.

    TARGET is a file that ends in .jsonl, .csv, .sqlite, .parquet or .duckdb, a folder of Parquet files (NAME.parquet/,
    with a / at the end), a postgresql:// address, or an otlp:// address (otlps:// with TLS), which gets a span for each
    run that has ended; OTEL_EXPORTER_OTLP_HEADERS and the other variables of OpenTelemetry count. The same command
    continues an export that was interrupted. A file has its name only when it is whole. Of several profiles, the first
    column is app.
    """
    from dify_workflow.export import export

    hide_password(target)
    shown = Progress(quiet=quiet)
    with connection.apps() as apps:
        clients = {app.name or "": app.client for app in apps}
        try:
            result = export(
                clients if connection.several else apps[0].client,
                target,
                format=format_,
                details=details,
                workers=workers,
                update=update,
                state=state,
                restart=restart,
                excel=excel,
                progress=lambda progress: shown.show_text(described(progress)),
                **given,
            )
        except Exception as error:
            if "://" not in target:
                error.add_note(f"target {target}")
            raise
        finally:
            shown.end()
    if output == "table":
        click.echo(summary(result))
    else:
        moment = result.complete_until
        value = {name: getattr(result, name) for name in result.__slots__}
        print_object({**value, "complete_until": None if moment is None else iso(moment)}, output)


def described(progress: ExportProgress) -> str:
    """How far an export is."""
    text = f"{progress.rows:,}" if progress.total is None else f"{progress.rows:,} of {progress.total:,}"
    text += f" logs, {progress.rows_per_second:,.0f}/s"
    if progress.remaining is not None:
        minutes, seconds = divmod(round(progress.remaining), 60)
        text += f", {minutes}:{seconds:02d} left"
    return f"{progress.app}: {text}" if progress.app else text


def summary(result: ExportResult) -> str:
    """What an export did, and which logs may be deleted now."""
    text = f"{result.target}: {result.rows:,} logs"
    if result.unfinished:
        text += f", {result.unfinished:,} of them unfinished"
    if result.complete_until is not None:
        text += f"; safe to delete before {iso(result.complete_until)}"
    return text

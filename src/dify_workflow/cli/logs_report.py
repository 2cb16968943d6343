"""`logs report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .commands import Command
from .errors import note
from .logs_stats import collected, price_option, source_option, zone_option
from .options import connected, filters, quiet_option

if TYPE_CHECKING:
    from .connection import Connection


@click.command("report", cls=Command, effect="read")
@filters()
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    default="report.html",
    show_default=True,
    help="File to write, replaced as a whole; - is stdout.",
)
@click.option("--title", help="Heading; the name of the app unless given.")
@source_option
@zone_option
@price_option
@quiet_option
@connected(several=True)
def command(
    connection: Connection,
    *,
    output: str,
    title: str | None,
    exported: str | None,
    tz: str | None,
    price_per_1k: float | None,
    quiet: bool,
    given: dict[str, Any],
) -> None:
    """Write statistics of logs as a report: one HTML file with charts and tables, which loads nothing.

    Every matching log is read. Of several profiles, the report is about all of them together.
    """
    from dify_workflow.stats.report import check_installed, render_html

    check_installed()  # before minutes of reading
    if output != "-" and not Path(output).absolute().parent.is_dir():
        raise click.UsageError(f"--output: there is no folder {str(Path(output).parent)!r}")
    stats, apps = collected(connection, given, exported, tz=tz, price_per_1k=price_per_1k, quiet=quiet, described=True)
    html = render_html(
        stats,
        None if output == "-" else output,
        title=title or ", ".join(app.title for app in apps),
        filters=given,
        source=", ".join(dict.fromkeys(app.base_url for app in apps)),
        server_version=", ".join(dict.fromkeys(app.version for app in apps if app.version)),
    )
    if output == "-":
        click.echo(html, nl=False)
    elif not quiet:
        note(f"{output}: report of {stats.logs:,} logs")

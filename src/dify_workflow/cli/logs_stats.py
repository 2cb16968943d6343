"""`logs stats`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import click

from .commands import Command
from .errors import hide_password
from .options import connected, filters, quiet_option
from .output import Progress
from .stats_output import FORMATS, print_stats
from .stats_tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dify_workflow.models import WorkflowLog
    from dify_workflow.stats import Stats
    from dify_workflow.types import LogWalk

    from .connection import App, Connection


ADDRESS: Final = "postgres(ql)?://"
"""What the address of a database begins with."""

zone_option = click.option(
    "--tz", metavar="ZONE", help="Time zone of days, such as Europe/Berlin; this machine's unless given."
)
price_option = click.option(
    "--price-per-1k", type=click.FloatRange(min=0), metavar="PRICE", help="Price of 1,000 tokens: adds estimated costs."
)


def _checked(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is None or re.match(ADDRESS, value):
        hide_password(value or "")
    elif not Path(value).exists():
        raise click.BadParameter(f"there is no file {value!r}.")
    return value


source_option = click.option(
    "--from",
    "exported",
    metavar="EXPORT",
    callback=_checked,
    help="Read an export (.jsonl, .sqlite, .parquet, NAME.parquet/, .duckdb, postgresql://...) instead of the server. "
    "Filters are not possible then.",
)


class Described(NamedTuple):
    """What a report says about an app."""

    title: str
    base_url: str
    version: str


@click.command("stats", cls=Command, effect="read")
@filters()
@click.option("--by", type=click.Choice(tuple(TABLES)), help="Print one table: a row for each of these.")
@source_option
@zone_option
@price_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(FORMATS),
    help="Format; table on a terminal and json elsewhere unless given. csv without --by is by day.",
)
@quiet_option
@connected(several=True)
def command(
    connection: Connection,
    *,
    by: str | None,
    exported: str | None,
    tz: str | None,
    price_per_1k: float | None,
    output: str | None,
    quiet: bool,
    given: dict[str, Any],
) -> None:
    """Print statistics of logs: failure rates and reasons, durations, tokens, users, versions.

    Every matching log is read, and every figure is exact. Of several profiles, the statistics of all of them together.
    """
    stats, _ = collected(connection, given, exported, tz=tz, price_per_1k=price_per_1k, quiet=quiet)
    print_stats(stats, output or ("table" if sys.stdout.isatty() else "json"), by)


def collected(
    connection: Connection,
    given: dict[str, Any],
    exported: str | None,
    *,
    tz: str | None,
    price_per_1k: float | None,
    quiet: bool,
    described: bool = False,
) -> tuple[Stats, list[Described]]:
    """The statistics of all matching logs of all apps, or of an export, and, if requested, what the apps are."""
    from dify_workflow.stats import Stats

    if exported is not None and (wrong := [name for name, value in given.items() if value is not None]):
        raise click.UsageError(f"--from reads all logs of an export, and takes no filter ({', '.join(wrong)})")
    stats = Stats(tz=tz, price_per_1k=price_per_1k)
    progress, found = Progress(quiet=quiet), list[Described]()
    try:
        if exported is not None:
            from dify_workflow.export import read
            from dify_workflow.export._targets import without_password

            _add(stats, read(exported), progress)
            shown = without_password(exported)
            return stats, [Described(Path(shown.partition("?")[0]).stem, shown, "")]
        with connection.apps() as apps:
            for app in apps:
                with app.named_in_errors(), cast("LogWalk", app.client.logs.iter(**given)) as logs:
                    _add(stats, logs, progress)
                    if described:
                        found.append(_description(app))
    finally:
        progress.end()
    return stats, found


def _add(stats: Stats, logs: Iterable[WorkflowLog], progress: Progress) -> None:
    before = stats.logs
    for count, log in enumerate(logs, before + 1):
        stats.add(log)
        progress.show(count)


def _description(app: App) -> Described:
    name = app.client.app.info().name
    title = name if isinstance(name, str) and name else app.name or "Dify workflow"  # pyright: ignore[reportUnnecessaryIsInstance] - a server's value
    version = app.client._base_client.version  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - of this package
    return Described(title, app.client.base_url, version or "")

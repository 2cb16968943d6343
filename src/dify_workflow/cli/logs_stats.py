"""`logs stats`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click

from .commands import Command
from .options import connected, filters, quiet_option
from .output import Progress
from .stats_output import FORMATS, print_stats
from .stats_tables import TABLES

if TYPE_CHECKING:
    from dify_workflow.stats import Stats
    from dify_workflow.types import LogWalk

    from .connection import App, Connection


zone_option = click.option(
    "--tz", metavar="ZONE", help="Time zone of days, such as Europe/Berlin; this machine's unless given."
)
price_option = click.option(
    "--price-per-1k", type=click.FloatRange(min=0), metavar="PRICE", help="Price of 1,000 tokens: adds estimated costs."
)


class Described(NamedTuple):
    """What a report says about an app."""

    title: str
    base_url: str
    version: str


@click.command("stats", cls=Command, effect="read")
@filters()
@click.option("--by", type=click.Choice(tuple(TABLES)), help="Print one table: a row for each of these.")
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
    tz: str | None,
    price_per_1k: float | None,
    output: str | None,
    quiet: bool,
    given: dict[str, Any],
) -> None:
    """Print statistics of logs: failure rates and reasons, durations, tokens, users, versions.

    Every matching log is read, and every figure is exact. Of several profiles, the statistics of all of them together.
    """
    stats, _ = collected(connection, given, tz=tz, price_per_1k=price_per_1k, quiet=quiet)
    print_stats(stats, output or ("table" if sys.stdout.isatty() else "json"), by)


def collected(
    connection: Connection,
    given: dict[str, Any],
    *,
    tz: str | None,
    price_per_1k: float | None,
    quiet: bool,
    described: bool = False,
) -> tuple[Stats, list[Described]]:
    """The statistics of all matching logs of all apps and, if asked for, what the apps are."""
    from dify_workflow.stats import Stats

    stats = Stats(tz=tz, price_per_1k=price_per_1k)
    progress, count, found = Progress(quiet=quiet), 0, list[Described]()
    with connection.apps() as apps:
        try:
            for app in apps:
                with app.named_in_errors(), cast("LogWalk", app.client.logs.iter(**given)) as logs:
                    for log in logs:
                        stats.add(log)
                        count += 1
                        progress.show(count)
                    if described:
                        found.append(_description(app))
        finally:
            progress.end()
    return stats, found


def _description(app: App) -> Described:
    name = app.client.app.info().name
    title = name if isinstance(name, str) and name else app.name or "Dify workflow"  # pyright: ignore[reportUnnecessaryIsInstance] - a server's value
    version = app.client._caller.version  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - of this package
    return Described(title, app.client.base_url, version or "")

"""`logs list`."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, cast

import click

from .commands import Command
from .options import LOG_FORMATS, connected, filters, output_option, quiet_option

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dify_workflow._sync.log_walk import LogWalk
    from dify_workflow.models import WorkflowLog

    from .connection import App, Connection

LARGEST_PAGE: Final = 100
DEFAULT_LIMIT: Final = 20


@click.command("list", cls=Command, effect="read")
@filters()
@click.option(
    "--limit", type=click.IntRange(min=1), help=f"Logs to print at most; {DEFAULT_LIMIT} unless given.", metavar="N"
)
@click.option("--all", "everything", is_flag=True, help="Print all matching logs, each once.")
@output_option(*LOG_FORMATS)
@quiet_option
@connected(several=True)
def command(
    connection: Connection,
    *,
    limit: int | None,
    everything: bool,
    output: str,
    quiet: bool,
    given: dict[str, Any],
) -> None:
    """Print logs, newest first.

    Of several profiles, the newest logs of all of them. In a table, times are local; elsewhere everything is as the
    server sent it. The format id prints the ids of runs, and leaves out logs without a run.
    """
    if everything and limit is not None:
        raise click.UsageError("--all and --limit exclude each other")
    most = None if everything else limit or DEFAULT_LIMIT
    from .log_output import log_printer
    from .output import Progress

    printer, progress = log_printer(output, several=connection.several), Progress(quiet=quiet)
    with connection.apps() as apps, ExitStack() as stack:
        try:
            for count, (app, log) in enumerate(newest(apps, given, most, stack), 1):
                printer.write(app, log)
                progress.show(count)
        finally:
            progress.end()
    printer.end()


def newest(
    apps: list[App], given: dict[str, Any], most: int | None, stack: ExitStack
) -> Iterator[tuple[str | None, WorkflowLog]]:
    """The logs of all the apps, newest first; the names of the apps come with them."""
    import heapq

    streams = [logs_of(app, given, most, stack) for app in apps]
    return islice(heapq.merge(*streams, key=_second, reverse=True), most)


def logs_of(
    app: App, given: dict[str, Any], most: int | None, stack: ExitStack
) -> Iterator[tuple[str | None, WorkflowLog]]:
    """The newest logs of an app: one page where that has them all, else a walk."""
    with app.named_in_errors():
        if most is not None and most <= LARGEST_PAGE and is_for_pages(given):
            logs: Iterable[WorkflowLog] = app.client.logs.list(**given, limit=most).data
        else:
            logs = stack.enter_context(cast("LogWalk", app.client.logs.iter(**given)))
        for log in logs:
            yield app.name, log


def is_for_pages(given: dict[str, Any]) -> bool:
    """Whether `logs.list` takes these filters: it leaves all of them to the server, which can't apply some."""
    from dify_workflow._logs.filters import FILTERABLE_STATUSES

    status, keyword, session = (given.get(name) for name in ("status", "keyword", "created_by_end_user_session_id"))
    return (status is None or status in FILTERABLE_STATUSES) and (keyword is None or session is None)


def _second(row: tuple[str | None, WorkflowLog]) -> int:
    created: object = row[1].created_at
    return created if isinstance(created, int) else 0

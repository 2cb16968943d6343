"""`runs events`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .commands import Command
from .options import connected, output_option, user_option
from .run_output import print_events

if TYPE_CHECKING:
    from .connection import Connection


@click.command("events", cls=Command, effect="read")
@click.argument("run_id")
@user_option
@click.option("--new-only", is_flag=True, help="Leave out the events of what the run has done so far.")
@click.option("--continue-on-pause", is_flag=True, help="Continue while the run waits for a person.")
@click.option(
    "--max-silence",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Seconds without an event after which the command ends.",
)
@output_option("table", "json", "jsonl")
@connected()
def command(
    connection: Connection,
    *,
    run_id: str,
    user: str,
    new_only: bool,
    continue_on_pause: bool,
    max_silence: float | None,
    output: str,
) -> None:
    """Print the events of a run that has not ended, one JSON object a line; Dify 1.14 or newer.

    In a table, the text of the output. Exit code 3 if the run failed or was stopped.
    """
    with (
        connection.client() as client,
        client.runs.events(
            run_id,
            user=user,
            include_state_snapshot=not new_only,
            continue_on_pause=continue_on_pause,
            max_silence=max_silence,
        ) as events,
    ):
        print_events(events, output)

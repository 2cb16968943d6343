"""`runs get`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .commands import Command
from .options import connected, output_option
from .output import print_object

if TYPE_CHECKING:
    from .connection import Connection


@click.command("get", cls=Command, effect="read")
@click.argument("run_id")
@output_option("table", "json", "jsonl")
@connected()
def command(connection: Connection, *, run_id: str, output: str) -> None:
    """Print a run with its inputs and outputs.

    RUN_ID is what 'logs list -o id' prints. The status of the run does not matter for the exit code.
    """
    with connection.client() as client:
        print_object(client.runs.get(run_id).to_dict(), output)

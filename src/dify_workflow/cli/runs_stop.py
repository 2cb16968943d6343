"""`runs stop`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .commands import Command
from .options import connected, output_option, user_option
from .output import print_object

if TYPE_CHECKING:
    from .connection import Connection


@click.command("stop", cls=Command, effect="write")
@click.argument("task_id")
@user_option
@output_option("table", "json", "jsonl")
@connected()
def command(connection: Connection, *, task_id: str, user: str, output: str) -> None:
    """Stop a run that has not ended.

    TASK_ID is in each event of a run. The server reports success whatever the id is.
    """
    with connection.client() as client:
        print_object(client.runs.stop(task_id, user=user).to_dict(), output)

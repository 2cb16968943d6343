"""`end-users`: get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .commands import Command
from .options import connected, output_option
from .output import print_object

if TYPE_CHECKING:
    from .connection import Connection


@click.group("end-users")
def command() -> None:
    """End users of the app; Dify 1.14 or newer."""


@command.command("get", cls=Command, effect="read")
@click.argument("end_user_id")
@output_option("table", "json", "jsonl")
@connected()
def get(connection: Connection, *, end_user_id: str, output: str) -> None:
    """Print an end user. END_USER_ID is created_by_end_user.id of a log, which is not the session id."""
    with connection.client() as client:
        print_object(client.end_users.get(end_user_id).to_dict(), output)

"""`forms`: get and submit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .commands import Command
from .errors import note
from .inputs import inputs_options, read_inputs, uploaded
from .options import connected, output_option, user_option
from .output import print_object

if TYPE_CHECKING:
    from .connection import Connection


@click.group("forms")
def command() -> None:
    """Forms that paused runs wait for; Dify 1.14 or newer."""


@command.command("get", cls=Command, effect="read")
@click.argument("token")
@output_option("table", "json", "jsonl")
@connected()
def get(connection: Connection, *, token: str, output: str) -> None:
    """Print a form: its text, fields and buttons. TOKEN is in the event human_input_required of the run."""
    with connection.client() as client:
        print_object(client.forms.get(token).to_dict(), output)


@command.command("submit", cls=Command, effect="write")
@click.argument("token")
@inputs_options
@click.option("--action", required=True, metavar="ID", help="Id of the button that is chosen.")
@user_option
@output_option("table", "json", "jsonl")
@connected()
def submit(
    connection: Connection,
    *,
    token: str,
    given: tuple[str, ...],
    inputs: str | None,
    action: str,
    user: str,
    output: str,
) -> None:
    """Fill in a form, so that its run continues. Nothing is printed on stdout."""
    del output  # it says in which format an error is
    values = read_inputs(given, inputs)
    with connection.client() as client:
        sent = {name: uploaded(value, client, user) for name, value in values.items()}
        client.forms.submit(token, inputs=sent, action=action, user=user)
    note("the form is submitted")

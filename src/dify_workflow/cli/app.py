"""`app`: info and parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .commands import Command
from .options import connected, output_option
from .output import print_object, print_objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from dify_workflow import DifyWorkflow

    from .connection import Connection


@click.group("app")
def command() -> None:
    """Print information about the app."""


@command.command("info", cls=Command, effect="read")
@output_option("table", "json", "jsonl")
@connected(several=True)
def info(connection: Connection, *, output: str) -> None:
    """Print name, description, tags, mode and author of the app."""
    _print(connection, lambda client: client.app.info().to_dict(), output)


@command.command("parameters", cls=Command, effect="read")
@output_option("table", "json", "jsonl")
@connected(several=True)
def parameters(connection: Connection, *, output: str) -> None:
    """Print the inputs that the workflow takes, and the limits for files."""
    _print(connection, lambda client: client.app.parameters().to_dict(), output)


def _print(connection: Connection, read: Callable[[DifyWorkflow], dict[str, Any]], output: str) -> None:
    found: list[tuple[str, dict[str, Any]]] = []
    with connection.apps() as apps:
        for app in apps:
            with app.named_in_errors():
                found.append((app.name or "", read(app.client)))
    if connection.several:
        print_objects(found, output)
    else:
        print_object(found[0][1], output)

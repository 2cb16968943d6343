"""`files`: upload."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from .commands import Command
from .inputs import file_at
from .options import connected, output_option, user_option
from .output import print_object
from .run_output import id_printed

if TYPE_CHECKING:
    from .connection import Connection


@click.group("files")
def command() -> None:
    """Upload files for runs."""


@command.command("upload", cls=Command, effect="write")
@click.argument("path")
@user_option
@click.option("--filename", help="Name of the file; that of PATH unless given.")
@click.option("--content-type", metavar="TYPE", help="Such as application/pdf; by the file's name unless given.")
@output_option("table", "json", "jsonl", "id")
@connected()
def upload(
    connection: Connection, *, path: str, user: str, filename: str | None, content_type: str | None, output: str
) -> None:
    """Upload a file, and print what the server made of it.

    PATH may be - for standard input, with --filename. Only runs of the same --user can use the file.
    """
    if path == "-" and filename is None:
        raise click.UsageError("standard input has no name: give --filename")
    file: Any = sys.stdin.buffer if path == "-" else file_at("PATH", path).path
    with connection.client() as client:
        result = client.files.upload(file, user=user, filename=filename, content_type=content_type)
    if output == "id":
        id_printed(result.id)
    else:
        print_object(result.to_dict(), output)

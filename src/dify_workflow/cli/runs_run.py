"""`runs run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .commands import Command
from .inputs import file_at, inputs_options, read_inputs, uploaded
from .options import connected, output_option, user_option
from .output import print_object
from .run_output import id_printed, print_events

if TYPE_CHECKING:
    from .connection import Connection


@click.command("run", cls=Command, effect="write")
@inputs_options
@click.option(
    "--file", "files", multiple=True, metavar="FILE", help="Upload a file for the whole run. May be repeated."
)
@user_option
@click.option("--workflow-id", metavar="ID", help="Run this published version of the workflow.")
@click.option("--trace-session-id", metavar="ID", help="Session under which the server's tracing files the run.")
@click.option("--stream", is_flag=True, help="Print the events as they happen: in a table, the text of the output.")
@output_option("table", "json", "jsonl", "id")
@connected()
def command(
    connection: Connection,
    *,
    given: tuple[str, ...],
    inputs: str | None,
    files: tuple[str, ...],
    user: str,
    workflow_id: str | None,
    trace_session_id: str | None,
    stream: bool,
    output: str,
) -> None:
    """Run the workflow, and print its result.

    Exit code 3 if the run failed or was stopped; a run that waits for a person is "paused", with 0. Without --stream,
    a run of more than --timeout seconds is an error, and continues at the server; --stream waits as long as it takes.
    """
    values = read_inputs(given, inputs)
    to_upload = [file_at("--file", name) for name in files]
    with connection.client() as client:
        options: dict[str, Any] = {
            "user": user,
            "files": uploaded(to_upload, client, user) if to_upload else None,
            "workflow_id": workflow_id,
            "trace_session_id": trace_session_id,
        }
        sent = {name: uploaded(value, client, user) for name, value in values.items()}
        if stream:
            with client.runs.stream(sent, **options) as events:
                print_events(events, output)
            return
        result = client.runs.run(sent, **options)
        if output == "id":
            id_printed(result.workflow_run_id)
        else:
            print_object(result.to_dict(), output)
        result.raise_for_status()

"""Events of runs, printed as they come."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from .errors import note, printable
from .output import json_text

if TYPE_CHECKING:
    from dify_workflow._sync.run_stream import RunStream


class RefusedInputsError(click.ClickException):
    """The server refused the inputs, and reported that as a failed run which does not exist."""


def id_printed(identity: str | None) -> None:
    """Print the id of a run, if there is one."""
    if identity:
        click.echo(printable(identity))


def print_events(events: RunStream, output: str) -> None:
    """Print the events of an open stream: one JSON object a line, the text of a table, or the id of the run.

    In a table, each node that has ended is a line on stderr.

    Raises:
        WorkflowRunError: the run failed or was stopped.
        RefusedInputsError: the server refused the inputs.
    """
    is_begun = False
    try:
        for event in events:
            if output == "id":
                if not is_begun:
                    id_printed(events.workflow_run_id)
            elif output == "table":
                _print_in_table(events, event)
            else:
                click.echo(json_text(event.to_dict()))
            is_begun = True
            sys.stdout.flush()
    except KeyboardInterrupt:
        if events.task_id:
            note(f"the run continues: 'dify-workflow runs stop {events.task_id}' ends it")
        raise
    if events.inputs_refused:
        raise RefusedInputsError(f"the server refused the inputs: {events.error or '(no error text)'}")
    if output == "table":
        _print_end(events)
    if events.status is not None:
        events.raise_for_status()


def _print_in_table(events: RunStream, event: Any) -> None:  # noqa: ANN401 - events have many classes
    if event.event == "text_chunk":
        click.echo(_text(event), nl=False)
    elif event.event == "node_finished":
        _print_node(events, event.data)


def _text(event: Any) -> str:  # noqa: ANN401 - as above
    text: object = getattr(event.data, "text", None)
    return "".join(one if one.isprintable() or one in "\n\t" else " " for one in text) if isinstance(text, str) else ""


def _print_node(events: RunStream, data: Any) -> None:  # noqa: ANN401 - as above
    identity: object = getattr(data, "id", None)
    for node in events.nodes:
        if node.id == identity:
            text = f"node {node.title or node.node_id} ({node.type}): {node.status}"
            if node.elapsed_time is not None:
                text += f", {node.elapsed_time:.1f} s"
            if node.total_tokens:
                text += f", {node.total_tokens:,} tokens"
            note(f"{text}: {node.error}" if node.error else text)


def _print_end(events: RunStream) -> None:
    if events.text:
        click.echo()
    elif events.outputs:
        click.echo(json_text(events.outputs, indent=2))
    note(f"run {events.workflow_run_id}: {events.status or 'not finished'}")

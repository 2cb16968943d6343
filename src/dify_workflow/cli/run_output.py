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

    Raises:
        WorkflowRunError: the run failed or was stopped.
        RefusedInputsError: the server refused the inputs.
    """
    is_begun = False
    try:
        for event in events:
            if output in {"json", "jsonl"}:
                click.echo(json_text(event.to_dict()))
            elif output == "id" and not is_begun:
                id_printed(events.workflow_run_id)
            elif output == "table" and event.event == "text_chunk":
                click.echo(_text(event), nl=False)
            is_begun = True
            sys.stdout.flush()
    except KeyboardInterrupt:
        if events.task_id:
            note(f"the run goes on: 'dify-workflow runs stop {events.task_id}' ends it")
        raise
    if events.inputs_refused:
        raise RefusedInputsError(f"the server refused the inputs: {_error(events)}")
    if output == "table":
        _print_end(events)
    _raise_for_status(events)


def _text(event: Any) -> str:  # noqa: ANN401 - events have many classes
    text: object = getattr(event.data, "text", None)
    return "".join(one if one.isprintable() or one in "\n\t" else " " for one in text) if isinstance(text, str) else ""


def _print_end(events: RunStream) -> None:
    if events.text:
        click.echo()
    result = events.result
    outputs: object = getattr(getattr(result, "data", None), "outputs", None)
    if not events.text and outputs:
        click.echo(json_text(outputs, indent=2))
    status: object = getattr(getattr(result, "data", None), "status", None)
    note(f"run {events.workflow_run_id}: {status or 'not finished'}")


def _error(events: RunStream) -> str:
    return str(getattr(getattr(events.result, "data", None), "error", None) or "(no error text)")


def _raise_for_status(events: RunStream) -> None:
    from dify_workflow import WorkflowRunError

    status: object = getattr(getattr(events.result, "data", None), "status", None)
    if status in {"failed", "stopped"}:
        raise WorkflowRunError(
            f"the run {events.workflow_run_id} {'failed' if status == 'failed' else 'was stopped'}: {_error(events)}",
            status=str(status),
            error=_error(events),
            workflow_run_id=events.workflow_run_id,
        )

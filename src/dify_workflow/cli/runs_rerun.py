"""`runs rerun`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

import click

from .commands import Command
from .options import connected, output_option, user_option
from .output import json_text, print_object
from .run_output import id_printed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_workflow import DifyWorkflow

    from .connection import Connection


@click.command("rerun", cls=Command, effect="write")
@click.argument("run_ids", metavar="RUN_ID...", nargs=-1, required=True)
@click.option("--compare", is_flag=True, help="Print the old outputs beside the new ones.")
@user_option
@click.option("--workflow-id", metavar="ID", help="Run this published version of the workflow.")
@click.option("--trace-session-id", metavar="ID", help="Session under which the server's tracing files the runs.")
@output_option("table", "json", "jsonl", "id")
@connected()
def command(
    connection: Connection,
    *,
    run_ids: tuple[str, ...],
    compare: bool,
    user: str,
    workflow_id: str | None,
    trace_session_id: str | None,
    output: str,
) -> None:
    """Run the inputs of earlier runs again, one after the other, and print the results.

    RUN_ID is what 'logs list -o id' prints; - reads ids from stdin, one a line. Exit code 3 if one of the new runs
    failed or was stopped, after all were run. Uploaded files can be used only for the user who uploaded them.
    """
    if compare and output == "id":
        raise click.UsageError("--compare and -o id exclude each other")
    failed: Exception | None = None
    with connection.client() as client:
        for number, run_id in enumerate(_ids(run_ids)):
            before = client.runs.get(run_id) if compare else None
            result = client.runs.rerun(run_id, user=user, workflow_id=workflow_id, trace_session_id=trace_session_id)
            if output == "id":
                id_printed(result.workflow_run_id)
            elif before is not None:
                _print_comparison(_compared(client, before, result), output, is_first=not number)
            else:
                print_object({"rerun_of": run_id, **result.to_dict()}, output)
            sys.stdout.flush()
            failed = failed or _failure(result)
    if failed is not None:
        raise failed


def _ids(given: tuple[str, ...]) -> Iterator[str]:
    from dify_workflow._runs.arguments import checked_id

    ids = [line.strip() for one in given for line in (sys.stdin if one == "-" else [one])]
    # All are checked before the first run is started.
    yield from [checked_id("RUN_ID", one) for one in ids if one]


def _failure(result: Any) -> Exception | None:  # noqa: ANN401 - a result of `runs.run`
    from dify_workflow import WorkflowRunError

    try:
        result.raise_for_status()
    except WorkflowRunError as error:
        return error
    return None


def _compared(client: DifyWorkflow, before: Any, result: Any) -> dict[str, Any]:  # noqa: ANN401 - details and results
    after = client.runs.get(result.workflow_run_id)
    old, new = ({"run_id": one.id, "status": one.status, "outputs": one.outputs} for one in (before, after))
    return {"same": old["outputs"] == new["outputs"] and old["status"] == new["status"], "old": old, "new": new}


def _print_comparison(found: dict[str, Any], output: str, *, is_first: bool) -> None:
    if output != "table":
        click.echo(json_text(found, indent=2 if output == "json" else None))
        return
    old, new = found["old"], found["new"]
    if not is_first:
        click.echo()
    click.echo(f"{old['run_id']} -> {new['run_id']}: {'same' if found['same'] else 'different'}")
    names: dict[str, None] = {"status": None}
    sides = [{"status": one["status"], **_outputs(one)} for one in (old, new)]
    for side in sides:
        names |= dict.fromkeys(side)
    for name in names:
        texts = [json_text(side[name]) if name in side else "-" for side in sides]
        click.echo(f"  {name}: {texts[0]}" if texts[0] == texts[1] else f"- {name}: {texts[0]}\n+ {name}: {texts[1]}")


def _outputs(one: dict[str, Any]) -> dict[str, Any]:
    outputs = one["outputs"]
    if not isinstance(outputs, dict):
        return {}
    return {f"outputs.{name}": value for name, value in cast("dict[str, Any]", outputs).items()}

"""A first look at workflow logs: on an embedded sandbox, or on your own server when DIFY_API_KEY is set.

Usage: demo.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

from project import ROOT
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from dify_workflow import DifyError, DifyWorkflow, stats
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from datetime import datetime

    from dify_workflow.models import WorkflowLog, WorkflowLogPage

ROWS = 2000
COLOURS = {
    "succeeded": "green",
    "failed": "red",
    "partial-succeeded": "yellow",
    "stopped": "magenta",
    "running": "cyan",
}

COMMANDS = (
    "app info -o table",
    "logs list --status failed --since 24h -o id --limit 3",
    "logs list --limit 6 -o table",
)

COLUMNS = {"created": 19, "status": 17, "by": 22, "seconds": 7, "tokens": 6, "error": 28}
"""The widest text of each column of logs; where a terminal is too narrow, whole columns at the end are left out."""
console = Console(highlight=False)


def main() -> int:
    """Run the demonstration; the exit status."""
    with ExitStack() as stack:
        is_real = bool(os.environ.get("DIFY_API_KEY"))
        if is_real:
            client, settings = stack.enter_context(DifyWorkflow()), {}
            console.print(f"Reading your server, {client.base_url} (DIFY_API_KEY is set).\n")
        else:
            sandbox = stack.enter_context(Sandbox(rows=ROWS))
            client = stack.enter_context(sandbox.client())
            settings = {"DIFY_API_KEY": sandbox.api_key, "DIFY_BASE_URL": sandbox.base_url}
            console.print(f"Started a sandbox with {ROWS} generated logs at {client.base_url}.\n")
        try:
            show_logs(client)
        except DifyError as error:
            console.print(Text(type(error).__name__, "red"), error, sep=": ", markup=False)
            return 1
        show_every_row(client, "24h" if is_real else "7d")
        if not is_real:  # on your server paging costs time, and a run costs money
            show_loss(client)
            show_run(client)
        show_error(client)
        show_report(client, "24h" if is_real else "30d")
        show_commands(settings)
        show_next_steps()
    return 0


def show_logs(client: DifyWorkflow) -> None:
    """The newest logs, and those that failed during the last day."""
    heading("The newest logs", "client.logs.list(limit=8)")
    console.print(as_table(client.logs.list(limit=8)))
    heading("What failed during the last day", 'client.logs.list(status="failed", created_at__after="24h", limit=5)')
    console.print(as_table(client.logs.list(status="failed", created_at__after="24h", limit=5)))


def heading(what: str, call: str) -> None:
    """What comes next, and the call that gives it: on a line of its own where one line is too narrow for both."""
    is_narrow = len(what) + 2 + len(call) > console.width
    console.print(f"[bold]{what}[/bold]  ", end="\n  " if is_narrow else "")
    console.print(call, style="dim", markup=False, soft_wrap=True)


def as_table(page: WorkflowLogPage) -> Table:
    """One page of logs as a person would want to see it."""
    table = Table(
        caption=f"{len(page.data)} of {page.total}", caption_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1)
    )
    names = shown_columns(console.width)
    for name in names:
        justify: Literal["left", "right"] = "right" if name in {"seconds", "tokens"} else "left"
        table.add_column(name, justify=justify, overflow="ellipsis", no_wrap=True, max_width=COLUMNS[name])
    for log in page.data:
        run = log.workflow_run
        if run is None:  # the server has the log and no longer the run
            table.add_row(local_time(log.created_at_utc), Text("run is gone", "dim"), Text(creator(log)))
            continue
        cells = (
            local_time(log.created_at_utc),
            Text(run.status, COLOURS.get(run.status, "")),
            Text(creator(log)),  # as text: what a server sends is no markup
            f"{run.elapsed_time:.2f}",
            str(run.total_tokens),
            Text((run.error or "").replace("\n", " ")),
        )
        table.add_row(*cells[: len(names)])
    return table


def shown_columns(width: int) -> list[str]:
    """The columns of logs that fit into a width; a column has two spaces beside it."""
    names = list(COLUMNS)
    while len(names) > 1 and sum(COLUMNS[name] + 2 for name in names) > width:
        names.pop()
    return names


def creator(log: WorkflowLog) -> str:
    """Who ran it: an end user's session, an account's e-mail address, or nobody who is still known."""
    if log.created_by_end_user:
        return log.created_by_end_user.session_id
    return log.created_by_account.email if log.created_by_account else "-"


def local_time(moment: datetime | None) -> str:
    """A time as a person here reads it."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}" if moment else "-"


def show_every_row(client: DifyWorkflow, age: str) -> None:
    """Every row up to an age, each once."""
    heading(f"Every row of the last {age}", f'client.logs.iter(created_at__after="{age}")')
    walk = client.logs.iter(created_at__after=age)
    tokens = failed = 0
    for log in track(walk, description="reading", total=None, console=console, transient=True):
        run = log.workflow_run
        tokens += run.total_tokens if run else 0
        failed += run is not None and run.status == "failed"
    console.print(f"  {walk.seen} rows, each exactly once; {failed} failed; {tokens:,} tokens\n")


def show_loss(client: DifyWorkflow) -> None:
    """The same rows, read as a program does that trusts paging."""
    heading("The same, page by page", 'client.logs.list(created_at__after="7d", page=1, 2, ...)')
    ids: list[str] = []
    page = client.logs.list(created_at__after="7d")
    while page.data:
        ids += [log.id for log in page.data]
        page = client.logs.list(created_at__after="7d", page=page.page + 1)
    console.print(
        f"  {len(ids)} rows, as many as there are; but {len(set(ids))} different ones: the others are missing\n"
    )


def show_run(client: DifyWorkflow) -> None:
    """A run as it happens."""
    heading("A run as it happens", 'client.runs.stream({"query": "Hello"}, user="demo")')
    with client.runs.stream({"query": "Hello"}, user="demo") as events:
        names = [event.event for event in events]
    console.print(f"  {' '.join(names)}", style="dim")
    if events.result is not None:
        console.print(f"  {events.result.data.status}: {events.text!r}\n", markup=False)


def show_error(client: DifyWorkflow) -> None:
    """One error as a user meets it."""
    heading("An error", 'client.logs.list(created_by_account="nobody@example.com")')
    try:
        client.logs.list(created_by_account="nobody@example.com")
    except DifyError as error:
        console.print(Text(type(error).__name__, "red"), f"{error}\n", sep=": ", markup=False)


def show_report(client: DifyWorkflow, age: str) -> None:
    """A report of what happened, as a file to open."""
    heading(f"A report of the last {age}", "stats.render_html(stats.collect(logs), ...)")
    target = ROOT / "build" / "report.html"
    target.parent.mkdir(exist_ok=True)
    found = stats.collect(client.logs.iter(created_at__after=age))
    stats.render_html(found, target, title=client.app.info().name, filters={"since": age}, source=client.base_url)
    console.print(f"  {found.logs:,} logs: open build/report.html\n", markup=False)


def show_commands(settings: dict[str, str]) -> None:
    """Three commands of the command line, with what they print.

    Pasted, they run on the same server; where that is the sandbox of this process (`settings` has its address and key),
    on a sandbox of their own, with the same logs.
    """
    heading("Without Python", "docs/command-line.md")
    program = ".venv/bin/dify-workflow" + (" --profile sandbox" if settings else "")
    for command in COMMANDS:
        show_command(f"{program} {command}")
        arguments = [sys.executable, "-m", "dify_workflow", *command.split()]
        sys.stdout.flush()
        subprocess.run(arguments, env={**os.environ, **settings, "COLUMNS": str(console.width)}, check=False)
        console.print()


def show_command(command: str) -> None:
    """A command as it can be pasted: in two lines before its options where one is too narrow."""
    if len(command) > console.width:
        cut = command.rindex(" logs ")
        command = f"{command[:cut]} \\\n {command[cut:]}"
    console.print(command, style="cyan", markup=False, soft_wrap=True)


def show_next_steps() -> None:
    """What to type next."""
    console.print("[bold]Next[/bold]")
    for command, meaning in {
        "make test": "run the tests",
        "make sandbox": "keep a sandbox running, to try things on",
        ".venv/bin/python": "from dify_workflow import DifyWorkflow",
        "make help": "everything else",
    }.items():
        console.print(f"  {command:<18}{meaning}", markup=False)
    console.print("  DIFY_API_KEY=app-... DIFY_BASE_URL=https://your.dify/v1 make demo", markup=False)


if __name__ == "__main__":
    sys.exit(main())

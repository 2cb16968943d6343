"""`logs follow`."""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .commands import Command
from .errors import SettingsError, note
from .options import BOUNDS, LOG_FORMATS, connected, filters, output_option

if TYPE_CHECKING:
    from collections.abc import Generator

    from dify_workflow._sync.log_follow import LogFollow
    from dify_workflow.models import WorkflowLog

    from .connection import App, Connection
    from .state import StateFile


class Followed(NamedTuple):
    """A log, with the place behind it.

    Attributes:
        app: name of the profile, where several are followed.
        log: the log.
        checkpoint: what a follow continues from, behind this log.
    """

    app: str | None
    log: WorkflowLog
    checkpoint: dict[str, Any]


class CommandFailedError(click.ClickException):
    """The command of --exec failed, and --exec-stop was given."""


@click.command("follow", cls=Command, effect="read")
@filters(without=BOUNDS)
@click.option(
    "--since",
    help="Begin with the logs created at or after this time: ISO 8601 (without an offset: UTC), or an age: 90s, 15m, "
    "24h, 7d. Unless given, the logs that are there are left out.",
)
@click.option(
    "--poll",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="Seconds between two requests; while idle, up to six times as many.",
)
@click.option("--exec", "exec_", metavar="CMD", help="Run sh -c CMD for each log, with the log as JSON on its stdin.")
@click.option("--exec-stop", is_flag=True, help="Exit with 1 when CMD fails, before the checkpoint moves on.")
@click.option(
    "--state",
    metavar="FILE",
    help="Keep the checkpoint in this file, and continue from it; --since counts only while there is none.",
)
@output_option(*LOG_FORMATS)
@connected(several=True)
@click.pass_context
def command(
    context: click.Context,
    /,
    connection: Connection,
    *,
    since: str | None,
    poll: float,
    exec_: str | None,
    exec_stop: bool,
    state: str | None,
    output: str,
    given: dict[str, Any],
) -> None:
    """Print new logs as they appear, oldest first, until Ctrl-C.

    A log that was printed unfinished is printed again when it has ended. Outages of the server are waited out, with a
    line on stderr.

    With --exec, nothing is printed unless --output is given. The command runs for one log at a time; one that fails is
    a line on stderr. With --state, a log counts as done when it was printed and its command has run: after a crash,
    the last one may come again, and none is left out.
    """
    if exec_stop and exec_ is None:
        raise click.UsageError("--exec-stop needs --exec")
    is_printed = exec_ is None or context.get_parameter_source("output") is not click.core.ParameterSource.DEFAULT
    from .log_output import log_printer

    printer = log_printer(output, several=connection.several, as_stream=True) if is_printed else None
    with ExitStack() as stack:
        file = None if state is None else _opened(state, stack)
        kept = None if file is None else file.read()
        apps = stack.enter_context(connection.apps())
        places = _places(kept, apps, several=connection.several)
        follows: dict[App, LogFollow] = {}
        for app in apps:
            place = places.get(app.name)
            if file is not None and place is None and since is None:
                place = _present_place(app, given)
            follow = app.client.logs.follow(since=since, poll=poll, checkpoint=place, **given)
            follows[app] = stack.enter_context(follow)
            places[app.name] = follow.checkpoint
        if file is not None:
            file.write(_state(places, several=connection.several))
        for followed in stack.enter_context(closing(_logs(follows))):
            if printer is not None:
                printer.write(followed.app, followed.log)
                sys.stdout.flush()
            if exec_ is not None:
                _run(exec_, followed, stop=exec_stop)
            if file is not None:
                places[followed.app] = followed.checkpoint
                file.write(_state(places, several=connection.several))


def _opened(state: str, stack: ExitStack) -> StateFile:
    from .state import StateFile

    return stack.enter_context(StateFile(state))


def _places(kept: dict[str, Any] | None, apps: list[App], *, several: bool) -> dict[str | None, dict[str, Any]]:
    """The checkpoints in the state, by the names of the profiles."""
    if kept is None:
        return {}
    if several != ("profiles" in kept):
        one, other = ("several profiles", "one app") if several else ("one app", "several profiles")
        raise SettingsError(f"the state is of a follow of {other}, and this one is of {one}: give another file")
    places: dict[str | None, dict[str, Any]] = kept["profiles"] if several else {apps[0].name: kept}
    return dict(places)


def _present_place(app: App, given: dict[str, Any]) -> dict[str, Any]:
    """The place behind the logs that there are now: a follow that begins later continues from there."""
    with app.named_in_errors(), app.client.logs.changes(**given) as changes:
        for _ in changes:  # there is none: it begins with what is new
            pass
        return changes.checkpoint


def _state(places: dict[str | None, dict[str, Any]], *, several: bool) -> dict[str, Any]:
    """What the file holds: the checkpoint, or those of several profiles by their names."""
    return {"profiles": places} if several else next(iter(places.values()))


def _logs(follows: dict[App, LogFollow]) -> Generator[Followed]:
    """The logs of all follows as they come."""
    if len(follows) == 1:
        [(app, follow)] = follows.items()
        with app.named_in_errors():
            for log in follow:
                yield Followed(app.name, log, follow.checkpoint)
        return
    yield from _merged(follows)


def _merged(follows: dict[App, LogFollow]) -> Generator[Followed]:
    """The logs of several follows, each in a thread of its own, which waits until its log is dealt with."""
    import queue
    import threading

    found: queue.SimpleQueue[tuple[App, Followed | Exception]] = queue.SimpleQueue()
    go_on = {app: threading.Semaphore(0) for app in follows}

    def read(app: App, follow: LogFollow) -> None:
        try:
            with app.named_in_errors():
                for log in follow:
                    found.put((app, Followed(app.name, log, follow.checkpoint)))
                    go_on[app].acquire()
        except Exception as error:  # noqa: BLE001 - it is raised where the logs are read
            found.put((app, error))

    for app, follow in follows.items():
        threading.Thread(target=read, args=(app, follow), name=f"follow-{app.name}", daemon=True).start()
    try:
        while True:
            app, one = found.get()
            if isinstance(one, Exception):
                raise one
            yield one
            go_on[app].release()
    finally:
        for app, follow in follows.items():
            follow.close()
            go_on[app].release()


def _run(command: str, followed: Followed, *, stop: bool) -> None:
    import subprocess

    from .log_output import as_object
    from .output import json_text

    sys.stdout.flush()
    done = subprocess.run(
        ["sh", "-c", command],  # noqa: S607 - the user's own command, in the user's shell
        input=json_text(as_object(followed.app, followed.log)).encode("utf-8", "surrogatepass") + b"\n",
        check=False,
    )
    if done.returncode == 0:
        return
    reason = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
    message = f"--exec: {reason} for the log {followed.log.id}"
    if stop:
        raise CommandFailedError(message)
    note(message)

"""The root command: from arguments to an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

import click

from .._version import __version__
from . import errors
from .commands import LazyGroup

if TYPE_CHECKING:
    import io
    from collections.abc import Sequence

NAME: Final = "dify-workflow"
LARGEST_HELP: Final = 80
"""Characters of a line."""
COMPLETE_VARIABLE: Final = "_DIFY_WORKFLOW_COMPLETE"

EPILOG: Final = """\
The API key and the server's address come from DIFY_API_KEY and DIFY_BASE_URL, or from a profile (--profile).
Data is printed on stdout, everything else on stderr.

Exit codes: 0 success; 1 network, server, other; 2 usage; 3 the run failed or was stopped; 4 authentication;
5 incomplete; 7 rate limited; 130 interrupted.
"""


class Program(LazyGroup):
    """The root command, which exits by the codes in `errors`."""

    def main(self, args: Sequence[str] | None = None, *_: Any, **__: Any) -> NoReturn:  # noqa: ANN401 - click's own
        """Run and exit. click's own would exit 1 where the reader of a pipe has left, and on Ctrl-C."""
        sys.exit(run(sys.argv[1:] if args is None else args))


@click.group(
    NAME,
    cls=Program,
    modules={
        "logs": ".logs",
        "runs": ".runs",
        "files": ".files",
        "forms": ".forms",
        "end-users": ".end_users",
        "app": ".app",
        "config": ".config",
        "completion": ".completion",
        "sandbox": ".sandbox",
        "help": ".help",
    },
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("-p", "--profile", metavar="NAME[,NAME]", help="Profiles that the command takes; see `config`.")
@click.version_option(__version__, prog_name=NAME)
def program(profile: str | None) -> None:
    """Read the logs of a Dify workflow app, and run it."""
    del profile  # the commands read it from the context


def run(arguments: Sequence[str]) -> int:
    """Run the command with these arguments, and return its exit code."""
    _prepare_output()
    code = 0
    try:
        code = _code(list(arguments))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has what it wanted: `| head`
        _discard_output()
        return 0
    except OSError as error:
        _discard_output()
        # Where the command has failed, that was reported; most often it is this very error.
        return code or errors.report(error, as_json=_wants_json(arguments))
    return code


def _prepare_output() -> None:
    output = cast("io.TextIOWrapper | None", sys.stdout)
    if output is None:  # it was closed by the caller
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - it lives as long as the process
    elif hasattr(output, "reconfigure"):
        output.reconfigure(encoding=None if output.isatty() else "utf-8", errors="backslashreplace")


def _code(arguments: list[str]) -> int:
    try:
        if COMPLETE_VARIABLE in os.environ:
            from click.shell_completion import shell_complete

            return shell_complete(program, {}, NAME, COMPLETE_VARIABLE, os.environ[COMPLETE_VARIABLE])
        with program.make_context(NAME, arguments.copy(), terminal_width=_help_width()) as context:
            program.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, click.Abort):
        return errors.INTERRUPTED
    except (BrokenPipeError, ModuleNotFoundError):
        raise
    except Exception as error:  # noqa: BLE001 - every error has an exit code
        if type(error).__name__ == "NoArgsIsHelpError":  # click has it since 8.2
            click.echo(str(error))
            return 0
        return errors.report(error, as_json=_wants_json(arguments))
    return 0


def _help_width() -> int:
    """The width of help: click's own way to it loads modules for a tenth of the time that help takes."""
    try:
        columns = int(os.environ.get("COLUMNS", "")) or LARGEST_HELP
    except ValueError:
        try:
            columns = os.get_terminal_size(1).columns or LARGEST_HELP
        except OSError:
            columns = LARGEST_HELP
    return max(min(columns, LARGEST_HELP) - 2, 50)


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether errors are to be JSON; wrong arguments are not parsed, so that they are searched here."""
    pairs = set(pairwise(arguments))
    return not {"-ojson", "--output=json"}.isdisjoint(arguments) or not {
        ("-o", "json"),
        ("--output", "json"),
    }.isdisjoint(pairs)


def _discard_output() -> None:
    """Send what is still to be written to stdout nowhere, so that the end of the process raises nothing."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

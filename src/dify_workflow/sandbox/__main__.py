"""The command `python -m dify_workflow.sandbox`: serves a sandbox until Ctrl-C or SIGTERM."""

import argparse
import errno
import math
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from . import INSTALL_HINT, lacks_extra
from .versions import DEFAULT_VERSION, SERVER_VERSIONS, VERSION_NAMES

if TYPE_CHECKING:
    from types import FrameType

    from .server import Sandbox

_COMMAND = "python -m dify_workflow.sandbox"
_INTERRUPTED = 128 + signal.SIGINT
_USAGE = 2


def main(argv: Sequence[str] | None = None, *, command: str = _COMMAND) -> int:
    """Run the command and give its exit code: 0 after SIGTERM, 130 after Ctrl-C, 1 when it cannot start.

    `command` is what messages call it.
    """
    options = _parser(command).parse_args(argv)
    from .loading import LoadError  # noqa: PLC0415 - loaded when needed: not for --help

    try:
        sandbox = _make_sandbox(options)
    except LoadError as error:
        print(f"{command}: {error}", file=sys.stderr)
        return _USAGE
    except ModuleNotFoundError as error:
        if not lacks_extra(error):
            raise
        return _fail(command, INSTALL_HINT)

    end = threading.Event()
    received: list[int] = []

    def stop(number: int, _frame: "FrameType | None") -> None:
        received.append(number)
        end.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    if options.verbose:
        import logging  # noqa: PLC0415 - loaded when needed

        logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
        logging.getLogger("dify_sandbox").setLevel(logging.INFO)

    from .database import DatabaseFileError  # noqa: PLC0415 - needs what a missing extra lacks

    try:
        with sandbox:
            _announce(sandbox, SERVER_VERSIONS[options.version].number)
            end.wait()
    except DatabaseFileError as error:
        return _fail(command, str(error))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return _fail(
                command, f"port {options.port} is in use: choose another one, or --port 0 for any that is free"
            )
        return _fail(command, f"cannot listen on port {options.port}: {error.strerror}")
    return _INTERRUPTED if signal.SIGINT in received else 0


def _make_sandbox(options: argparse.Namespace) -> "Sandbox":
    from .loading import apply_traps, load_form, load_workflow  # noqa: PLC0415 - loaded when needed
    from .server import Sandbox  # noqa: PLC0415 - a missing extra is reported, not raised
    from .workflow import echo_workflow  # noqa: PLC0415 - as above

    apart = {"verbose", "workflow", "form", "any_inputs", "traps"}
    arguments: dict[str, Any] = {name: value for name, value in vars(options).items() if name not in apart}
    sandbox = Sandbox(**arguments)
    apply_traps(sandbox.traps, options.traps)
    form = None if options.form is None else load_form(options.form)
    if options.workflow is not None:
        sandbox.set_workflow(load_workflow(options.workflow), form=form)
    elif options.any_inputs or form is not None:
        sandbox.set_workflow(echo_workflow, form=form)
    return sandbox


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=command,
        description="Serve a stand-in for a Dify workflow app on 127.0.0.1, filled with generated logs. Runs do as "
        "their inputs say; GET /parameters lists these. With --workflow, --form or --any-inputs, it stands for an app "
        "of yours. The first line printed is one JSON object: base_url, api_key, and keys (of all apps by name).",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--port", type=_number(int, 0, 65_535), default=0, help="port to listen on; 0 (default): any free one"
    )
    parser.add_argument("--rows", type=_number(int, 0, 1_000_000), default=2000, help="logs to generate (default 2000)")
    parser.add_argument(
        "--seed", type=_number(int, 0), default=1, help="the same number gives the same logs (default 1)"
    )
    parser.add_argument(
        "--days", type=_number(float, 0, 3650), default=30.0, help="how far back they reach (default 30)"
    )
    parser.add_argument(
        "--crowd", type=_number(int, 0), default=120, help="logs that share one single second (default 120)"
    )
    parser.add_argument(
        "--latency", type=_number(float, 0, 3600), default=0.0, help="seconds to hold every response back"
    )
    parser.add_argument("--api-key", type=_key, default="app-sandbox-main", help="the key to expect")
    parser.add_argument(
        "--database",
        default=":memory:",
        metavar="FILE",
        help="keep the logs in this file; one that has logs is served as it is",
    )
    parser.add_argument(
        "--version",
        "--server-version",
        choices=VERSION_NAMES,
        default=DEFAULT_VERSION,
        help="the Dify server to behave like (default 1.11, which is 1.11.2); from 1.14 on, streaming runs are queued, "
        "and there are pauses for forms, events of runs, and end users",
    )
    parser.add_argument(
        "--workflow",
        metavar="FILE.py:FUNCTION",
        help="what runs of the app do: a Python function that gets the inputs as a dict and returns the outputs as a "
        "dict, or a generator that yields pieces of text and returns the outputs; an exception makes the run fail",
    )
    inputs = parser.add_mutually_exclusive_group()
    inputs.add_argument(
        "--form",
        metavar="PARAMETERS.json",
        help="the inputs that the app takes: what GET /parameters of your app returned, or its user_input_form alone; "
        "without --workflow, a run returns its inputs as outputs",
    )
    inputs.add_argument(
        "--any-inputs",
        action="store_true",
        help="take all inputs as they come (always so with --workflow and without --form); without --workflow, a run "
        "returns its inputs as outputs",
    )
    parser.add_argument(
        "--traps",
        action="append",
        default=[],
        metavar="NAME=VALUE,...",
        help="options that make the server slow or faulty, such as latency=0.05,queue_delay=2; attributes of "
        "dify_workflow.testing.Traps",
    )
    parser.add_argument("--verbose", action="store_true", help="print a line for each request (path, status, time)")
    return parser


def _number(kind: Callable[[str], float], low: int, high: int | None = None) -> Callable[[str], float]:
    expected = ("an integer" if kind is int else "a number") + (
        f" of at least {low}" if high is None else f" from {low} to {high}"
    )

    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not low <= value <= (math.inf if high is None else high):  # false for nan as well
            raise argparse.ArgumentTypeError(f"must be {expected}, got {text!r}")
        return value

    return parse


def _key(text: str) -> str:
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise argparse.ArgumentTypeError("must be printable ASCII without blanks")  # without the text, which is a key
    return text


def _announce(sandbox: "Sandbox", version: str) -> None:
    import json  # noqa: PLC0415 - loaded when needed
    import shlex  # noqa: PLC0415 - loaded when needed

    keys = dict(sandbox.keys)
    address = {"base_url": sandbox.base_url, "api_key": sandbox.api_key, "keys": keys}
    lines = [
        json.dumps(address),
        "",
        f"A stand-in for a Dify {version} workflow app. Paste this into another terminal:",
        "",
        f"export DIFY_BASE_URL={shlex.quote(sandbox.base_url)}",
        f"export DIFY_API_KEY={shlex.quote(sandbox.api_key)}",
        "",
        "Keys of other apps: " + ", ".join(key for name, key in keys.items() if name != "main"),
        "Ctrl-C stops it.",
    ]
    print("\n".join(lines), flush=True)


def _fail(command: str, message: str) -> int:
    print(f"{command}: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

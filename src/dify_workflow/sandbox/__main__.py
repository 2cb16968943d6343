"""The command `python -m dify_workflow.sandbox`: serves a sandbox until Ctrl-C or SIGTERM."""

import argparse
import errno
import json
import logging
import math
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from . import INSTALL_HINT, VERSIONS, lacks_extra

if TYPE_CHECKING:
    from types import FrameType

    from .server import Sandbox

_COMMAND = "python -m dify_workflow.sandbox"
_INTERRUPTED = 128 + signal.SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code: 0 after SIGTERM, 130 after Ctrl-C, 1 when it cannot start."""
    options = _parser().parse_args(argv)
    try:
        from .database import DatabaseFileError  # noqa: PLC0415 - a missing extra is reported, not raised
        from .server import Sandbox  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        if not lacks_extra(error):
            raise
        return _fail(INSTALL_HINT)

    end = threading.Event()
    received: list[int] = []

    def stop(number: int, _frame: "FrameType | None") -> None:
        received.append(number)
        end.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    if options.verbose:
        logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
        logging.getLogger("dify_sandbox").setLevel(logging.INFO)

    arguments: dict[str, Any] = {name: value for name, value in vars(options).items() if name != "verbose"}
    try:
        with Sandbox(**arguments) as sandbox:
            _announce(sandbox, VERSIONS[options.version])
            end.wait()
    except DatabaseFileError as error:
        return _fail(str(error))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return _fail(f"port {options.port} is in use: choose another one, or --port 0 for any that is free")
        return _fail(f"cannot listen on port {options.port}: {error.strerror}")
    return _INTERRUPTED if signal.SIGINT in received else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_COMMAND,
        description="Serve a stand-in for a Dify workflow app on 127.0.0.1, filled with generated logs. Runs do as "
        "their inputs say; GET /parameters lists these. The first line printed is one JSON object: base_url, api_key, "
        "and keys (of all apps by name).",
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
        "--latency", type=_number(float, 0, 3600), default=0.0, help="seconds to hold every answer back"
    )
    parser.add_argument("--api-key", type=_key, default="app-sandbox-main", help="the key to expect")
    parser.add_argument(
        "--database",
        default=":memory:",
        metavar="FILE",
        help="keep the logs in this file; one that has logs is served as it is",
    )
    parser.add_argument(
        "--server-version",
        dest="version",
        choices=VERSIONS,
        default="1.11.2",
        help="the Dify server to behave like (default 1.11.2); 1.14 adds pauses for forms, events of runs, end users",
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
        raise argparse.ArgumentTypeError("must be printable ASCII without blanks")  # the text itself stays unsaid
    return text


def _announce(sandbox: "Sandbox", version: str) -> None:
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


def _fail(message: str) -> int:
    print(f"{_COMMAND}: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

"""Exit codes, and what is printed on stderr for an error."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Final

import click

FAILED: Final = 1
"""Network, server, and everything else."""
USAGE: Final = 2
"""Wrong arguments or configuration; a missing API key is one."""
RUN_FAILED: Final = 3
"""The workflow run failed or was stopped."""
REFUSED: Final = 4
"""401 and 403."""
INCOMPLETE: Final = 5
"""`IncompleteWalkError`: logs may be missing."""
RATE_LIMITED: Final = 7
INTERRUPTED: Final = 130

EXIT_CODES: Final = {
    0: "success; also when the reader of a pipe has left, and for a run that is paused",
    FAILED: "network, server, file, and other errors",
    USAGE: "wrong arguments or configuration, such as a missing API key",
    RUN_FAILED: "the workflow run failed or was stopped",
    REFUSED: "authentication: the server refuses the API key (401, 403)",
    INCOMPLETE: "incomplete: logs may be missing",
    RATE_LIMITED: "rate limited",
    INTERRUPTED: "interrupted by Ctrl-C",
}

_SHORTEST_KEY: Final = 4
"""Characters; a shorter string is not a key, and occurs anywhere."""
_HIDDEN: Final = "[API key]"
_DIFY_KEY: Final = re.compile(r"\bapp-[A-Za-z0-9]{24}(?![A-Za-z0-9])")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ONLY_IN_PYTHON: Final = re.compile(
    r" \(None\)|; dify_workflow\.Verbatim [^;]*|(?<=must be )a datetime, a date, (?=ISO)|pass api_key=\.\.\., or "
)
"""What messages of the SDK say to those who call it from Python only."""
_ARGUMENTS: Final = {"workflow_run_id": "RUN_ID", "form_token": "TOKEN", "user": "--user"}
"""What the commands call parameters of the SDK, beside those that are options of the same meaning in all commands."""
_keys: set[str] = set()


class SettingsError(click.ClickException):
    """The configuration cannot be used: exit code 2."""

    exit_code = USAGE


def hide(key: str) -> None:
    """Redact an API key in everything that is printed on stderr from now on."""
    _keys.add(key)


def hide_password(target: str) -> None:
    """Redact the password in the address of a database, too."""
    from urllib.parse import unquote

    for found in re.finditer(r"^\w+://[^/]*?:([^/]*)@|[?&]password=([^&]*)", target):
        hide(unquote(found[1] or found[2]))


def redacted(text: str) -> str:
    """A text without API keys: those in use, and what looks like one of Dify's."""
    from .._http.secret_spellings import spellings

    for key in {*_keys, os.environ.get("DIFY_API_KEY", "").strip()}:
        if len(key) >= _SHORTEST_KEY:
            text = spellings(key).sub(_HIDDEN, text)
    return _DIFY_KEY.sub(_HIDDEN, text)


def printable(text: str) -> str:
    """A text without control characters, which could change a terminal's state."""
    return _CONTROL.sub(" ", text)


def note(text: str) -> None:
    """Print a message on stderr."""
    click.echo(printable(redacted(f"dify-workflow: {text}")), err=True)


def report(error: Exception, *, as_json: bool) -> int:
    """Print an error on stderr, as one line of JSON if requested, and return the exit code that it stands for."""
    code = exit_code_of(error)
    if not isinstance(error, _expected()) and not _is_of_database(error):
        import traceback

        click.echo(printable(redacted("".join(traceback.format_exception(error)))), err=True)
    message, hint = _message(error), _hint(error, code)
    message += "".join(f" ({one})" for one in getattr(error, "__notes__", ()))
    if as_json:
        import json

        request = getattr(error, "request", None)
        value = {
            "code": _name(error, code),
            "message": message,
            "hint": hint,
            "http_status": getattr(error, "status_code", getattr(error, "status", None)),
            "method": getattr(request, "method", None),
            "url": None if request is None else str(request.url),
        }
        value["http_status"] = value["http_status"] if isinstance(value["http_status"], int) else None
        click.echo(redacted(json.dumps({"error": value})), err=True)
    else:
        note(message)
        if hint:
            click.echo(f"  {hint}", err=True)
    return code


def exit_code_of(error: Exception) -> int:
    """The exit code that an error stands for."""
    if isinstance(error, click.ClickException):
        return error.exit_code
    if "dify_workflow._errors" in sys.modules:
        import dify_workflow as sdk

        for classes, code in (
            ((sdk.AuthenticationError, sdk.PermissionDeniedError), REFUSED),
            (sdk.RateLimitError, RATE_LIMITED),
            (sdk.IncompleteWalkError, INCOMPLETE),
            (sdk.WorkflowRunError, RUN_FAILED),
        ):
            if isinstance(error, classes):
                return code
    return USAGE if isinstance(error, ValueError) else FAILED  # a ConfigurationError is a ValueError


def _expected() -> tuple[type[Exception], ...]:
    """Errors of arguments, files, network or server, which are not faults of this program."""
    from dify_workflow import DifyError

    return (click.ClickException, DifyError, ValueError, OSError, ImportError)  # the last of a missing extra


def _is_of_database(error: Exception) -> bool:
    """Whether a database or file format of an export reports it: these have errors of their own."""
    return type(error).__module__.partition(".")[0] in {"sqlite3", "psycopg", "duckdb", "_duckdb", "pyarrow"}


def _message(error: Exception) -> str:
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return (in_options(str(error)) if isinstance(error, ValueError) else str(error)) or type(error).__name__


def in_options(message: str) -> str:
    """The message of an error of the SDK's arguments, with the options and arguments of the commands for its names."""
    from .options import NAMES, option_of

    names = _ARGUMENTS | {name: option_of(name) for name in NAMES}
    message = re.sub(r"^\w+(?= must )", lambda found: names.get(found[0], found[0]), _ONLY_IN_PYTHON.sub("", message))
    return re.sub(r"\bcreated_\w+", lambda found: names.get(found[0], found[0]), message)


def _hint(error: Exception, code: int) -> str | None:
    if isinstance(error, click.UsageError):
        return f"Try '{error.ctx.command_path} --help'." if error.ctx else None
    if code == USAGE and not isinstance(error, click.ClickException) and str(error).startswith("no API key"):
        return "Set DIFY_API_KEY, or store a profile by 'dify-workflow config set NAME' and give --profile NAME."
    if code == REFUSED:
        return (
            "Check the key, and that it belongs to an app of this server: DIFY_API_KEY and DIFY_BASE_URL, or --profile."
        )
    if code == INCOMPLETE:
        return "Run the command again."
    return None


def _name(error: Exception, code: int) -> str:
    given: Any = getattr(error, "code", None)
    if isinstance(given, str) and given:
        return given
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and type(error).__name__ != "APIResponseError":
        return f"http_{status}"
    if code in (USAGE, RUN_FAILED, INCOMPLETE):
        return {USAGE: "usage", RUN_FAILED: "run_failed", INCOMPLETE: "incomplete"}[code]
    if _is_of_database(error):
        return "database"
    return {
        "APITimeoutError": "timeout",
        "APIConnectionError": "connection",
        "APIResponseError": "unexpected_response",
        "WorkflowStreamError": "stream_error",
    }.get(type(error).__name__, "os_error" if isinstance(error, OSError) else "internal_error")

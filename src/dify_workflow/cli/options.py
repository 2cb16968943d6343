"""Options that several commands have."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import click
from dify_workflow_api.parameters import PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

DEFAULT_USER: Final = "dify-workflow"
"""The end user of runs, uploads and forms, unless given: the same for all, as a run can use only its user's files."""

LOG_FORMATS: Final = ("table", "json", "jsonl", "csv", "id")

FILTERS: Final = "list_workflow_logs"
PAGING: Final = frozenset({"page", "limit"})
BOUNDS: Final = frozenset({"created_at__after", "created_at__before"})

# The options have shorter names than the parameters, and these come first. A new parameter has its own name.
NAMES: Final = {
    "status": "status",
    "created_at__after": "since",
    "created_at__before": "until",
    "keyword": "keyword",
    "created_by_end_user_session_id": "user",
    "created_by_account": "account",
}
# What the SDK takes beside what the API takes.
ALSO: Final = {
    "status": "Every status is possible.",
    **dict.fromkeys(
        BOUNDS,
        "ISO 8601 (UTC unless it has an offset; a date is its first moment), or an age: 90s, 15m, 24h, 7d, 2w, 1mo.",
    ),
}
OWN: Final = frozenset(
    {
        *("all", "all-profiles", "by", "details", "exec", "exec-stop", "format", "help", "limit", "output", "poll"),
        *("price-per-1k", "profile", "quiet", "restart", "state", "timeout", "title", "tz", "update"),
        *("excel", "from", "workers"),
        *NAMES.values(),
    }
)
"""Options that the commands have beside those of the spec."""
PREFIX: Final = "filter_"
"""What the names of filters begin with inside a command, so that they meet no other option's."""
TYPES: Final = {"string": click.STRING, "integer": click.INT, "number": click.FLOAT, "boolean": click.BOOL}


def filters(*, without: frozenset[str] = frozenset()) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The filters of logs as options: one for each query parameter that the spec has, with the spec's description.

    The command gets those that are given as `given`, by the names of the parameters.
    """
    described = {name: (kind, text) for name, kind, text in PARAMETERS[FILTERS] if name not in PAGING | without}
    ordered = [*(name for name in NAMES if name in described), *(name for name in described if name not in NAMES)]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def command(*arguments: Any, **values: Any) -> Any:  # noqa: ANN401 - what click collected
            found = {name: values.pop(PREFIX + name) for name in ordered}
            return function(*arguments, given={name: one for name, one in found.items() if one is not None}, **values)

        decorated: Callable[..., Any] = command
        for name in reversed(ordered):
            kind, text = described[name]
            several = kind.startswith("array of ")
            decorated = click.option(
                option_of(name),
                PREFIX + name,
                type=TYPES[kind.removeprefix("array of ")],
                multiple=several,
                default=None,
                callback=_none_for_no_value if several else None,
                shell_complete=_statuses if name == "status" else None,
                help=" ".join(filter(None, (text.replace("`", ""), ALSO.get(name)))),
            )(decorated)
        return decorated

    return decorate


def option_of(parameter: str) -> str:
    """The option of a parameter of the spec: `--filter-x` where the commands have an option `--x` of their own."""
    name = NAMES.get(parameter, parameter).replace("__", "-").replace("_", "-")
    return f"--filter-{name}" if parameter not in NAMES and name in OWN else f"--{name}"


def connected(*, several: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options that choose the app and bound its requests; the command gets a `Connection` as its first argument."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def command(*, profile: str | None, timeout: float | None, all_profiles: bool = False, **given: Any) -> Any:  # noqa: ANN401 - what click collected
            if profile is None and not all_profiles:
                profile = click.get_current_context().find_root().params.get("profile")
            from .connection import Connection

            connection = Connection(profile, all_profiles=all_profiles, timeout=timeout, several=several)
            return function(connection, **given)

        decorated: Callable[..., Any] = click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            metavar="SECONDS",
            help="Seconds for one attempt of a request; 60 unless given.",
        )(command)
        if several:
            decorated = click.option(
                "--all-profiles", is_flag=True, help="Read the apps of all profiles; rows get the column app."
            )(decorated)
        return click.option(
            "-p",
            "--profile",
            metavar="NAME[,NAME]" if several else "NAME",
            shell_complete=_profiles,
            help="Take address and key from this profile and not from the environment."
            + (" Of several, rows get the column app." if several else ""),
        )(decorated)

    return decorate


def output_option(*formats: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option for the format of the output; the command gets its name, the default for where it is printed."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(formats),
        callback=_format,
        help="Format; table on a terminal and jsonl elsewhere unless given. With json, errors are JSON, too.",
    )


def user_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option for the end user on whose behalf something is done."""
    return click.option(
        "--user",
        default=DEFAULT_USER,
        show_default=True,
        help="End user for whom it is done; runs can use and stop only what is their user's.",
    )(function)


quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print no progress.")


def _format(_context: click.Context, _option: click.Parameter, value: str | None) -> str:
    from .output import default_format

    return value or default_format()


def _none_for_no_value(_context: click.Context, _option: click.Parameter, value: tuple[Any, ...]) -> list[Any] | None:
    return list(value) or None


def _profiles(_context: click.Context, _option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from .. import _profiles as profiles

    before, comma, start = incomplete.rpartition(",")
    try:
        return [CompletionItem(before + comma + name) for name in profiles.read() if name.startswith(start)]
    except (ValueError, OSError):
        return []  # the command itself says what is wrong


def _statuses(_context: click.Context, _option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem
    from dify_workflow_api.models.workflow_run_status import WORKFLOW_RUN_STATUS_MEMBERS

    return [CompletionItem(name) for name in WORKFLOW_RUN_STATUS_MEMBERS if name.startswith(incomplete)]

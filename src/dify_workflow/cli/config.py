"""`config`: profiles with the address and the key of apps."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import click

from .commands import Command
from .errors import SettingsError, hide, note
from .options import output_option

if TYPE_CHECKING:
    from .._profiles import Profile

SHORTEST_SHOWN = 12
"""Characters of a key from which on a part of it is shown."""


@click.group("config")
def command() -> None:
    """Profiles: address and key of apps, for --profile."""


@command.command("list", cls=Command, effect="read")
@output_option("table", "json", "jsonl")
def list_(output: str) -> None:
    """Print the profiles, each with its address and the beginning and end of its key."""
    from .. import _profiles as profiles
    from .output import json_text

    found = [
        {"profile": name, "base_url": profile.base_url, "api_key": shown(profile)}
        for name, profile in profiles.read().items()
    ]
    if output == "json":
        click.echo(json_text(found, indent=2))
    for one in found if output != "json" else ():
        click.echo(json_text(one) if output == "jsonl" else "  ".join(value or "-" for value in one.values()))


@command.command("set", cls=Command, effect="write")
@click.argument("profile")
@click.option("--base-url", metavar="URL", help="Address of the API; Dify's cloud unless given.")
@click.option(
    "--api-key-command", metavar="CMD", help="A shell command that prints the key; the key is not stored then."
)
def set_(profile: str, base_url: str | None, api_key_command: str | None) -> None:
    """Store a profile. The API key is read from the terminal without being shown, or from standard input.

    A profile that exists keeps what is not given; at the terminal, an empty key keeps the stored one.
    """
    from .. import _profiles as profiles

    if not re.fullmatch(profiles.NAME, profile):
        raise click.UsageError(f"a profile's name has letters, digits, '-' and '_' only; got {profile!r}")
    stored = profiles.read().get(profile)
    values: dict[str, str | None] = {} if base_url is None else {"base_url": base_url}
    if api_key_command is not None:
        values |= {"api_key": None, "api_key_command": api_key_command}
    elif key := _given_key(profile, is_stored=stored is not None):
        values |= {"api_key": key, "api_key_command": None}
    _check(values, stored)
    profiles.store(profile, values)
    note(f"profile {profile!r} is stored in {profiles.path()}")


@command.command("path", cls=Command, effect="read")
def path() -> None:
    """Print where the configuration is."""
    from .. import _profiles as profiles

    click.echo(str(profiles.path()))


def shown(profile: Profile) -> str:
    """What is shown of a profile's key."""
    if profile.api_key_command is not None:
        return "(printed by a command)"
    key = profile.api_key or ""
    if not key:
        return "(none)"
    return f"{key[:4]}…{key[-2:]}" if key.startswith("app-") and len(key) >= SHORTEST_SHOWN else "…"


def _given_key(profile: str, *, is_stored: bool) -> str:
    if sys.stdin.isatty():
        key: str = click.prompt(f"API key of {profile}", hide_input=True, err=True, default="", show_default=False)
        if not key.strip() and is_stored:
            return ""
    else:
        key = sys.stdin.readline()
    key = key.strip()
    hide(key)
    if not key:
        raise SettingsError("no API key: give it on standard input, or --api-key-command")
    return key


def _check(values: dict[str, Any], stored: Profile | None) -> None:
    """Check that a client can be made of what is stored.

    Raises:
        ConfigurationError: the key or the address can't be used.
    """
    from dify_workflow import DifyWorkflow

    from .._profiles import DEFAULT_BASE_URL

    base_url = values.get("base_url") or (stored and stored.base_url) or DEFAULT_BASE_URL
    DifyWorkflow(api_key=values.get("api_key") or "app-any", base_url=base_url).close()

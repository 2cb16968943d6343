"""`help`: the help of a command, or all commands as JSON for programs."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import click

from .._version import __version__
from .commands import Command
from .errors import EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command("help", cls=Command, effect="read")
@click.argument("command", nargs=-1)
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="json: for programs.")
@click.pass_context
def command(context: click.Context, /, command: tuple[str, ...], output: str) -> None:
    """Print the help of a command.

    With -o json, all commands (or those of a group) with their arguments, options and types, and whether they only
    read or also write.
    """
    root = context.find_root()
    place = _place(root, command)
    if output == "json":
        from .output import json_text

        document = {
            "name": root.command.name,
            "version": __version__,
            "commands": [_described(one) for one in _commands(place)],
            "exit_codes": {str(code): meaning for code, meaning in EXIT_CODES.items()},
        }
        click.echo(json_text(document, indent=2))
    else:
        click.echo(place.get_help())


def _place(root: click.Context, names: tuple[str, ...]) -> click.Context:
    place = root
    for name in names:
        found = place.command.get_command(place, name) if isinstance(place.command, click.Group) else None
        if found is None:
            raise click.UsageError(f"there is no command {' '.join(names)!r}", ctx=root)
        place = click.Context(found, parent=place, info_name=name)
    return place


def _commands(place: click.Context) -> Iterator[click.Context]:
    if not isinstance(place.command, click.Group):
        yield place
        return
    for name in place.command.list_commands(place):
        found = place.command.get_command(place, name)
        if found is not None:
            yield from _commands(click.Context(found, parent=place, info_name=name))


def _described(place: click.Context) -> dict[str, Any]:
    one = place.command
    path = place.command_path.split(" ")[1:]
    return {
        "name": " ".join(path),
        "description": inspect.cleandoc(one.help or "").replace("\b\n", ""),
        "effect": one.effect if isinstance(one, Command) else "read",
        "arguments": [_parameter(each) for each in one.params if isinstance(each, click.Argument)],
        "options": [_parameter(each) for each in one.params if isinstance(each, click.Option)],
    }


def _parameter(one: click.Parameter) -> dict[str, Any]:
    name = max(one.opts, key=len).lstrip("-")
    described: dict[str, Any] = {"name": name, "type": one.type.name, "required": one.required}
    if isinstance(one.type, click.Choice):
        described["choices"] = [str(choice) for choice in one.type.choices]
    if isinstance(one, click.Argument):
        return {**described, "multiple": one.nargs != 1}
    if isinstance(one, click.Option):
        described |= {
            "flags": [*one.opts, *one.secondary_opts],
            "type": "flag" if one.is_flag else one.type.name,
            "multiple": one.multiple,
            "description": one.help,
        }
    return described

"""Commands that say whether they only read, and groups that load a command when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

Effect = Literal["read", "write"]


class Command(click.Command):
    """A command.

    Attributes:
        effect: "read" where it changes nothing on the server or in the configuration, else "write".
    """

    def __init__(self, *args: Any, effect: Effect, **kwargs: Any) -> None:  # noqa: ANN401 - click's own arguments
        super().__init__(*args, **kwargs)
        self.effect = effect


class LazyGroup(click.Group):
    """A group whose commands are the attribute `command` of modules, loaded when they are needed."""

    def __init__(self, *args: Any, modules: Mapping[str, str], **kwargs: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*args, **kwargs)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order in which help shows them."""
        del ctx
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the command of this name; None when there is none."""
        del ctx
        module = self._modules.get(cmd_name)
        if module is None:
            return None
        command: click.Command = import_module(module, __package__).command
        return command

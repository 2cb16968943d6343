"""`completion`: scripts that complete the command in a shell."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from .commands import Command

SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command("completion", cls=Command, effect="read")
@click.argument("shell", type=click.Choice(list(SHELLS)))
def command(shell: str) -> None:
    r"""Print the script that completes the command in a shell.

    \b
    bash: eval "$(dify-workflow completion bash)"     in ~/.bashrc
    zsh:  eval "$(dify-workflow completion zsh)"      in ~/.zshrc, behind compinit
    fish: dify-workflow completion fish | source      in ~/.config/fish/config.fish
    """
    from .program import COMPLETE_VARIABLE, NAME, program

    # Without click's check, which starts a bash to learn its version.
    made = SHELLS[shell](program, {}, NAME, COMPLETE_VARIABLE)
    click.echo(made.source_template % made.source_vars())

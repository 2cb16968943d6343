"""`sandbox`: the command of `dify_workflow.sandbox` under this program's name."""

from __future__ import annotations

import click

from .commands import Command


@click.command(
    "sandbox",
    cls=Command,
    effect="read",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(context: click.Context, /, options: tuple[str, ...]) -> None:
    """Serve a local stand-in for a Dify app, for tests and development.

    It needs the extra sandbox, and serves until Ctrl-C; 'sandbox --help' has its options.
    """
    from dify_workflow.sandbox.__main__ import main

    try:
        code = main(options, command=context.command_path)
    except SystemExit as end:  # of argparse: 0 after --help, 2 for wrong options
        code = end.code if isinstance(end.code, int) else 1
    context.exit(code)

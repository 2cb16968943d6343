"""rich's console for tables."""

from __future__ import annotations

import os
from typing import NoReturn

from rich.console import Console


class TableConsole(Console):
    """A console that prints lines as they are. rich reads NO_COLOR, FORCE_COLOR and COLUMNS."""

    def __init__(self) -> None:
        no_color = True if os.environ.get("TERM") == "dumb" else None
        super().__init__(highlight=False, markup=False, emoji=False, soft_wrap=True, no_color=no_color)

    def on_broken_pipe(self) -> NoReturn:
        """Leave it to the program that the reader of the pipe has left: rich would exit with 1."""
        raise  # noqa: PLE0704 - rich calls this while it handles the error

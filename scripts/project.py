"""The project's folder, and the error of a task that refuses to begin or to end."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent


class RefusalError(Exception):
    """A task is refused, and nothing was changed; the lines say why."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = list(lines)

"""Files that a task writes: each is reported as written or as up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent


def write(path: Path, text: str) -> None:
    """Write a file where its text differs, and print which of the two it was."""
    name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
    if path.exists() and path.read_text("utf-8") == text:
        print(f"{name} is up to date")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    print(f"wrote {name}")

"""Files that tasks make of others: written or, with --check, only compared; and the project's format for Python."""

from __future__ import annotations

import argparse
import difflib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def main(argv: Sequence[str] | None, target: Path, text: Callable[[], str], command: str) -> int:
    """Do all of a task that makes one file; the exit status.

    Args:
        argv: the arguments: nothing or `--check`.
        target: the file.
        text: makes what is to be in it.
        command: how people start the task.
    """
    parser = argparse.ArgumentParser(description=f"Write {short(target)}.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail, and show what differs")
    is_check = parser.parse_args(argv).check
    made = text()
    stored = target.read_text("utf-8") if target.exists() else ""
    if is_check:
        if stored != made:
            print(difference(target, stored, made, command), file=sys.stderr)
        return int(stored != made)
    put(target, made.encode())
    print(f"wrote {short(target)}" if stored != made else f"{short(target)} is up to date")
    return 0


def difference(target: Path, stored: str, made: str, command: str) -> str:
    """What differs between what a file holds and what is to be in it, and what to do about it."""
    name = short(target)
    lines = difflib.unified_diff(stored.splitlines(), made.splitlines(), f"{name}, as stored", "as made now", n=2)
    return "\n".join([*lines, "", f"{name} is not what its sources give. If that is meant: `{command}`."])


def formatted(text: str, path: Path, fixes: str = "I") -> str:
    """Python as the project's formatter leaves it in a file, once some kinds of faults are fixed."""
    ruff = str(Path(sys.executable).with_name("ruff"))
    for step in (["check", "--select", fixes, "--fix", "--quiet"], ["format", "--quiet"]):
        command = [ruff, *step, "--stdin-filename", str(path), "-"]
        text = subprocess.run(command, input=text, capture_output=True, check=True, encoding="utf-8", cwd=ROOT).stdout
    return text


def put(path: Path, data: bytes | None) -> None:
    """Write a file whole or not at all, with the rights that it has; remove it for None."""
    if data is None:
        path.unlink(missing_ok=True)
        return
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(data)
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def short(path: Path) -> str:
    """A path as people name it: from the project's folder, or by its name alone."""
    path = path.resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name

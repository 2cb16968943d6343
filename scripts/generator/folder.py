"""The folder of the generated package: what it lacks, and bringing it up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outputs import put

from generator.package import MARKER
from generator.problems import GenerationError

if TYPE_CHECKING:
    from pathlib import Path


def differences(folder: Path, files: dict[str, bytes]) -> list[str]:
    """What is not as it should be: a line for each file that differs, is missing, or does not belong there."""
    present = _present(folder)
    found = [(name, "missing") for name in files.keys() - present.keys()]
    found += [(name, "not generated from the spec") for name in present.keys() - files.keys()]
    found += [(name, "differs") for name in files.keys() & present.keys() if present[name].read_bytes() != files[name]]
    return [f"{name}: {what}" for name, what in sorted(found)]


def update(folder: Path, files: dict[str, bytes]) -> list[str]:
    """Writes what differs, then removes what does not belong there; a file that is right is not touched.

    Returns:
        The differences that there were.

    Raises:
        GenerationError: The folder holds something that was not generated; nothing was changed.
    """
    found = differences(folder, files)
    present = _present(folder)
    start = present.get("__init__.py")
    if present and (start is None or MARKER.encode() not in start.read_bytes()):
        raise GenerationError(f"{folder.name} holds files that were not generated; it is left alone")
    for name, data in files.items():
        if name not in present or present[name].read_bytes() != data:
            put(folder / name, data)
    for name in present.keys() - files.keys():
        present[name].unlink()
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and path.name != "__pycache__" and not any(p.name != "__pycache__" for p in path.iterdir()):
            _remove_folder(path)
    return found


def _present(folder: Path) -> dict[str, Path]:
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent.name != "__pycache__"
    }


def _remove_folder(folder: Path) -> None:
    for path in folder.iterdir():  # __pycache__ alone
        for compiled in path.iterdir():
            compiled.unlink()
        path.rmdir()
    folder.rmdir()

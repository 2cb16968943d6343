"""A copy of the project, in which an update is made; the project changes at the very end, all of it or nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from outputs import put

if TYPE_CHECKING:
    from collections.abc import Iterator

MADE = (
    "spec/upstream",
    "spec/overlays",
    "spec/openapi.yaml",
    "spec/selection.yaml",
    "generated",
    "src/dify_workflow",
    "docs/api.md",
    "tests/contract/public_api.txt",
    "tests/contract/test_completeness.py",
)
"""What an update may change: files, and folders with all that is in them."""

_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", "build", "dist", "__pycache__", "*.pyc", ".*_cache", ".hypothesis", ".schemathesis", "*.egg-info"
)
_NOT_OURS = {"__pycache__"}


class WorkspaceError(Exception):
    """The copy cannot be worked in, or its result cannot be brought back; the project is as it was."""


class Ran(NamedTuple):
    """What a command did: its exit status, and all that it wrote."""

    status: int
    output: str


class Workspace:
    """The copy.

    Attributes:
        root: Its folder.
    """

    def __init__(self, project: Path, root: Path) -> None:
        self.root = root
        self._project = project
        self._before = contents(root)

    def run(self, *arguments: str) -> Ran:
        """Runs this Python in the copy, with the copy's own code, so that nothing of the project is touched."""
        process: subprocess.Popen[str] | None = None
        try:
            with uninterrupted(is_late=True):
                process = subprocess.Popen(
                    [sys.executable, *arguments],
                    cwd=self.root,
                    env=environment(self.root),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    encoding="utf-8",
                    errors="replace",
                    start_new_session=True,  # so that it can be ended with all that it started
                )
            output, _ = process.communicate()
        finally:
            with uninterrupted():
                if process is not None:
                    _end_group(process)
        return Ran(process.returncode, output)

    def changes(self) -> dict[str, bytes | None]:
        """What differs from the project by now, by its path; None for what is gone."""
        after = contents(self.root)
        changed = {name for name in self._before | after if self._before.get(name) != after.get(name)}
        return {name: after.get(name) for name in sorted(changed)}

    def bring_back(self) -> list[str]:
        """Puts what was made in its place; the paths that changed. An error in the middle leaves nothing of it.

        Raises:
            WorkspaceError: Somebody else changed one of these files since, or one could not be written.
        """
        changes = self.changes()
        present = contents(self._project)
        if moved := sorted(name for name in self._before | present if self._before.get(name) != present.get(name)):
            raise WorkspaceError(f"{moved[0]} was changed while the update was made; run it again")
        done: list[str] = []
        try:
            for name, data in changes.items():
                put(self._project / name, data)
                done.append(name)
        except OSError as error:
            for name in done:
                put(self._project / name, self._before.get(name))
                _prune((self._project / name).parent, self._project)
            raise WorkspaceError(f"{error.filename}: {error.strerror}") from None
        for name, data in changes.items():
            if data is None:
                _prune((self._project / name).parent, self._project)
        return list(changes)


@contextlib.contextmanager
def workspace(project: Path) -> Iterator[Workspace]:
    """A copy of a project, which is gone afterwards."""
    with scratch("update-") as folder:
        root = folder / project.name
        shutil.copytree(project, root, symlinks=True, ignore=_LEFT_OUT)
        yield Workspace(project, root)


@contextlib.contextmanager
def scratch(prefix: str) -> Iterator[Path]:
    """A temporary folder, which is gone afterwards, whatever is interrupted when."""
    folder: Path | None = None
    try:
        with uninterrupted(is_late=True):
            folder = Path(tempfile.mkdtemp(prefix=prefix)).resolve()
        yield folder
    finally:
        with uninterrupted():
            if folder is not None:
                _removed(folder)


def _removed(folder: Path) -> None:
    """Removes a folder; a process that has just been ended may still have written a file."""
    for _ in range(_MOST_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_PAUSE)


_MOST_ATTEMPTS, _PAUSE = 20, 0.1


def _end_group(process: subprocess.Popen[str]) -> None:
    """Ends what is left of a process and of all that it started, and waits for it."""
    for _ in range(_MOST_ATTEMPTS):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # there is none left
            break
        if process.returncode is None:
            process.wait()
        time.sleep(_PAUSE / 10)
    if process.returncode is None:
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def environment(root: Path) -> dict[str, str]:
    """The environment for a command that is to see a project's own code, wherever this Python has it installed."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "MAKE", "MFLAGS"))}
    paths = [root / "src", root / "generated", root / "scripts"]
    return given | {"PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1"}


def contents(root: Path) -> dict[str, bytes]:
    """What an update may change, as it is, by its path."""
    found: dict[str, bytes] = {}
    for made in MADE:
        top = root / made
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and not _NOT_OURS & set(path.relative_to(root).parts) and path.suffix != ".pyc":
                found[path.relative_to(root).as_posix()] = path.read_bytes()
    return found


def _prune(folder: Path, root: Path) -> None:
    """Takes away a folder in which nothing is left."""
    while folder != root and folder.is_dir() and not any(path.name not in _NOT_OURS for path in folder.iterdir()):
        shutil.rmtree(folder)
        folder = folder.parent


@contextlib.contextmanager
def uninterrupted(*, is_late: bool = False) -> Iterator[None]:
    """Keeps Ctrl-C, and a request to end, from ending what is inside in the middle.

    Args:
        is_late: Whether such a request is obeyed afterwards; else, moments before the very end, it is dropped.
    """
    come: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, _: come.append(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if is_late and come:
            signal.raise_signal(come[0])

"""The git repository of the project, as far as a release needs it."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Inside a hook, git would work on the repository that these name, not on that of the folder.
_FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")


class GitError(Exception):
    """A git command failed; the text is its message."""


def git(root: Path, *arguments: str) -> str:
    """Run a git command in a folder and return its output.

    Raises:
        GitError: It failed.
    """
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - the git on PATH
        cwd=root,
        env={name: value for name, value in os.environ.items() if name not in _FOREIGN},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        raise GitError(f"git {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.rstrip("\n")


def tagged(root: Path, tag: str) -> bool:
    """Whether there is a tag of this name."""
    return bool(git(root, "tag", "--list", tag))


@contextmanager
def checked_out(root: Path, commit: str, place: Path) -> Iterator[Path]:
    """A working tree of a commit, at a place where nothing is yet; it is removed at the end."""
    git(root, "worktree", "add", "--quiet", "--detach", str(place), commit)
    try:
        yield place
    finally:
        git(root, "worktree", "remove", "--force", str(place))

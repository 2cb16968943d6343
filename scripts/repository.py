"""The git repository that this tree is in, as far as a release needs it."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# By these git would work on another repository than the one of the folder: so it is inside of a hook.
_ALIEN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")


class GitError(Exception):
    """A git command failed; the text is what it said."""


class Repository:
    """A working tree."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *arguments: str) -> str:
        """Run a git command; what it printed, without the end of its last line.

        Raises:
            GitError: It failed.
        """
        try:
            done = subprocess.run(
                ["git", *arguments],  # noqa: S607 - the git that is on PATH, as everybody uses it
                cwd=self.root,
                env={name: value for name, value in os.environ.items() if name not in _ALIEN},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                encoding="utf-8",
                errors="replace",
            )
        except FileNotFoundError:
            raise GitError("git is needed, and is not on PATH") from None
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).removeprefix("fatal: ").removeprefix("error: ")
            raise GitError(f"git {arguments[0]}: {said or f'exit status {done.returncode}'}")
        return done.stdout.rstrip("\n")

    def is_own(self) -> bool:
        """Whether the folder is the root of a repository, and not only somewhere in one."""
        try:
            return Path(self.git("rev-parse", "--show-toplevel")).resolve() == self.root.resolve()
        except GitError:
            return False

    def head(self) -> str:
        """The current commit."""
        return self.git("rev-parse", "--verify", "HEAD")

    def branch(self) -> str | None:
        """The current branch; None when there is none."""
        try:
            return self.git("symbolic-ref", "--quiet", "--short", "HEAD")
        except GitError:
            return None

    def changed(self) -> list[str]:
        """The files that differ from the current commit or are not in it, as paths below the root."""
        return [line[3:] for line in self.git("status", "--porcelain", "--untracked-files=all").splitlines()]

    def move(self, start: str, target: str, reason: str) -> None:
        """Bring the files and the branch from one commit to another, both or neither.

        `git merge` and `git reset` leave the files changed when the branch cannot be moved.

        Raises:
            GitError: The branch is not at the first commit, or a file that is to change was changed.
        """
        self.git("read-tree", "-m", "-u", start, target)
        try:
            self.git("update-ref", "-m", reason, "HEAD", target, start)
        except BaseException:
            self.git("read-tree", "-m", "-u", target, start)
            raise

    def tagged(self, tag: str) -> str | None:
        """The commit that a tag names; None when there is no such tag."""
        try:
            return self.git("rev-parse", "--quiet", "--verify", f"refs/tags/{tag}^{{commit}}")
        except GitError:
            return None

    def tags(self) -> list[str]:
        """The tags of the current commit and of those before it."""
        return self.git("tag", "--list", "--merged", "HEAD").splitlines()

    def time(self, commit: str) -> int:
        """When a commit was made, in epoch seconds."""
        return int(self.git("show", "--no-patch", "--format=%ct", f"{commit}^{{commit}}"))

    @contextmanager
    def checked_out(self, commit: str, place: Path) -> Iterator[Repository]:
        """A working tree of its own of a commit, at a place where nothing is yet; it is removed at the end."""
        self.git("worktree", "add", "--quiet", "--detach", str(place), commit)
        try:
            yield Repository(place)
        finally:
            self.git("worktree", "remove", "--force", str(place))

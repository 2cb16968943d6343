"""The version of this distribution, its steps, and the commits that releases are made from.

A step says what a release brings: `major` breaks a caller, `minor` adds something, `patch` does neither. From 1.0.0 on
each raises its own number. Before 1.0.0 the first number stays 0, and a major step raises the second, as a minor one
does: `~=0.1.0` gets patches alone, and never a break.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from environments import step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Step: TypeAlias = Literal["patch", "minor", "major"]
STEPS: tuple[Step, ...] = ("patch", "minor", "major")
"""The smallest first."""
VERSION_FILE = "src/dify_workflow/_version.py"


class Version(NamedTuple):
    """A version; the later of two is the greater."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read a version.

        Raises:
            ValueError: It is not three numbers with points between them.
        """
        found = re.fullmatch(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)", text, re.ASCII)
        if not found:
            raise ValueError(f"{text!r} is not a version such as 1.2.3")
        return cls(*map(int, found.groups()))

    def after(self, step: Step) -> Version:
        """The version that a step leads to."""
        if step == "patch":
            return Version(self.major, self.minor, self.patch + 1)
        if step == "minor" or self.major == 0:
            return Version(self.major, self.minor + 1, 0)
        return Version(self.major + 1, 0, 0)

    def __str__(self) -> str:
        return ".".join(map(str, self))


def version_of(tree: Path) -> Version:
    """The version in a source tree."""
    return Version.parse((tree / VERSION_FILE).read_text("utf-8").split('__version__ = "')[1].split('"')[0])


def git(root: Path, *arguments: str) -> str:
    """Run a git command in a folder; what it printed.

    Raises:
        StepError: It failed.
    """
    return step(["git", *arguments], folder=root).rstrip("\n")


@contextmanager
def checked_out(root: Path, commit: str, place: Path) -> Iterator[Path]:
    """A working tree of a commit, at a place where nothing is yet; it is removed at the end."""
    git(root, "worktree", "add", "--quiet", "--detach", str(place), commit)
    try:
        yield place
    finally:
        git(root, "worktree", "remove", "--force", str(place))

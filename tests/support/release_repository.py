"""Copies of what a release needs of this project, in git repositories of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("src", "generated", "spec", "scripts", "README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", ".gitignore")
FOREIGN = ("GIT_", "PYTHON", "PYTEST", "VIRTUAL_ENV", "DIFY_", "TWINE_", "NETRC", "MAKE", "MFLAGS")
CHANGELOG = "# Changelog\n\n## Unreleased\n\n- One thing.\n\n## 0.1.0 - 2026-01-01\n\n- The first.\n"


class ReleaseRepository:
    """The project on the branch main of a repository of its own; `make check` does nothing there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def of_this_project(cls, root: Path) -> ReleaseRepository:
        """The files of this project as one commit."""
        for name in NEEDED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, root / name)
        made = cls(root)
        made.write("Makefile", "check:\n\t@true\n")
        made.write("CHANGELOG.md", CHANGELOG)
        made.git("init", "--quiet", "--initial-branch", "main")
        made.git("config", "user.name", "Test")
        made.git("config", "user.email", "test@example.com")
        made.commit("Everything")
        return made

    def copy(self, root: Path) -> ReleaseRepository:
        """Another one in the same state."""
        shutil.copytree(self.root, root, symlinks=True)
        return ReleaseRepository(root)

    def git(self, *arguments: str) -> str:
        """The output of a git command."""
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=self.root, env=self.variables(), check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, "utf-8")

    def run(self, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run one of its scripts."""
        return subprocess.run(
            [sys.executable, str(self.root / "scripts" / script), *arguments],
            cwd=self.root,
            env=self.variables() | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            timeout=100,
        )

    def variables(self) -> Mapping[str, str]:
        """Environment variables without personal settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        own = {"HOME": str(self.root.parent), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        return {**kept, **own, "PYTHONDONTWRITEBYTECODE": "1"}

    def state(self) -> dict[str, object]:
        """All that a release may change."""
        return {
            "references": self.git("for-each-ref", "--format=%(refname) %(objectname)"),
            "status": self.git("status", "--porcelain", "--branch", "--untracked-files=all"),
            "trees": self.git("worktree", "list", "--porcelain").count("worktree "),
            "made": {
                path.name: path.read_bytes() for path in self.root.glob("*/*") if path.parent.name in ("dist", "build")
            },
        }

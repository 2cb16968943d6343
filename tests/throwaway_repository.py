"""Copies of this project in git repositories of their own, to release from."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "build", "dist", "__pycache__", "*.pyc", ".*_cache", ".hypothesis")
ALIEN = ("GIT_", "PYTHON", "PYTEST", "VIRTUAL_ENV", "DIFY_", "TWINE_", "NETRC", "MAKE", "MFLAGS")
FAR = 2**32
"""Far in the future: what is of this time is newer than everything that it is made from."""


class Throwaway:
    """A copy of the project, on the branch main of a repository that nobody else has."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root.with_name(f"{root.name}.home")
        self.home.mkdir()

    @classmethod
    def of_this_tree(cls, root: Path) -> Throwaway:
        """The project as it is here, with everything that is not committed, as one commit."""
        shutil.copytree(ROOT, root, ignore=LEFT_OUT, symlinks=True)
        throwaway = cls.new(root)
        throwaway.commit("Everything")
        return throwaway

    @classmethod
    def new(cls, root: Path) -> Throwaway:
        """A folder as a repository in which nothing is committed yet."""
        throwaway = cls(root)
        throwaway.git("init", "--quiet", "--initial-branch", "main")
        throwaway.git("config", "user.name", "Test")
        throwaway.git("config", "user.email", "test@example.com")
        return throwaway

    def copy(self, root: Path) -> Throwaway:
        """One more, in the same state."""
        shutil.copytree(self.root, root, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
        return Throwaway(root)

    def make_environment(self) -> None:
        """Give it a .venv for its own Makefile: with its own code, and the packages of these tests' environment."""
        folder = self.root / ".venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        (library,) = folder.glob("lib/python*/site-packages")
        places = [self.root / "src", self.root / "generated", sysconfig.get_path("purelib")]
        (library / "throwaway.pth").write_text("".join(f"{place}\n" for place in places), "utf-8")
        (folder / "bin" / "ruff").symlink_to(Path(sys.executable).with_name("ruff"))
        for name in (".locked", ".ready"):
            (folder / name).touch()
            os.utime(folder / name, (FAR, FAR))

    def git(self, *arguments: str) -> str:
        """What a git command says."""
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607 - the git that is on PATH, as the scripts use it
            cwd=self.root,
            env=self.variables(),
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, "utf-8")

    def read(self, name: str) -> str:
        """The text of a file."""
        return (self.root / name).read_text("utf-8")

    def without_checks(self) -> None:
        """Let `make check` find nothing, at once; for tests of what comes after it."""
        self.write("Makefile", "check:\n\t@true\n")
        self.commit("Check nothing")

    def run(
        self, script: str, *arguments: str, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of its scripts with the packages of the environment of these tests."""
        return subprocess.run(
            self.command(script, *arguments),
            cwd=self.root,
            env=self.variables() | dict(variables or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            timeout=100,
        )

    def command(self, script: str, *arguments: str) -> list[str]:
        """The command that runs one of its scripts."""
        return [sys.executable, str(self.root / "scripts" / script), *arguments]

    def variables(self) -> dict[str, str]:
        """Environment variables by which it is found, and none of the settings of the person at the desk."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ALIEN)}
        own = {
            "HOME": str(self.home),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "PYTHONPATH": os.pathsep.join(str(self.root / name) for name in ("src", "generated")),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return {**kept, **own}

    def state(self) -> dict[str, object]:
        """Everything that a release may change: commits, tags, working trees, and each file that git does not keep."""
        kept = {".git", ".venv", "__pycache__"}
        return {
            "references": self.git("for-each-ref", "--format=%(refname) %(objectname)"),
            "head": self.git("rev-parse", "--symbolic-full-name", "HEAD"),
            "status": self.git("status", "--porcelain", "--untracked-files=all"),
            "trees": self.git("worktree", "list", "--porcelain").count("worktree "),
            "files": {
                path.relative_to(self.root).as_posix(): path.read_bytes()
                for path in sorted(self.root.rglob("*"))
                if path.is_file() and not kept & set(path.relative_to(self.root).parts)
            },
        }

"""What is built from this tree, and environments of its own to try it in: made by uv from hashed requirements."""

from __future__ import annotations

import ast
import functools
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from project import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REQUIREMENTS = ROOT / "requirements"
HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")


class StepError(Exception):
    """A command failed; the text is its output."""


def built(target: str, folder: Path, *, source: Path = ROOT) -> Path:
    """Build a `wheel` or an `sdist` of a source tree by hatchling, without network; the file, in the given folder.

    Raises:
        StepError: the build failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.iterdir())
    step([sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)], folder=source)
    (made,) = set(folder.iterdir()) - before
    return made


def distributions(source: Path, folder: Path) -> dict[str, bytes]:
    """Build the wheel and the sdist of a git working tree; the files, by their names.

    The times in them are that of the commit, so that the bytes are the same wherever it is built.

    Raises:
        StepError: the build failed.
    """
    time = step(["git", "log", "-1", "--format=%ct"], folder=source).strip()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(folder)]
    step(command, folder=source, variables={"SOURCE_DATE_EPOCH": time})
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def environment(folder: Path, *, requirements: str, wheel: Path, interpreter: Path | None = None) -> Path:
    """Make an environment with exactly the packages of a file in `requirements/` and the wheel; its interpreter.

    The wheel comes without its dependencies, which the file pins; whether they are in its ranges is then checked.

    Args:
        folder: where the environment goes; what is there is replaced.
        requirements: name of the file.
        wheel: the distribution to try.
        interpreter: Python for the environment; the running one unless given.

    Raises:
        StepError: a package cannot be had, has another hash, or is outside the wheel's ranges.
    """
    uv("venv", "--clear", "--python", str(interpreter or sys.executable), str(folder))
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    inside = ["--python", str(python)]
    uv("pip", "install", *inside, "--require-hashes", "--requirements", str(REQUIREMENTS / requirements))
    uv("pip", "install", *inside, "--no-deps", str(wheel))
    uv("pip", "check", *inside)
    return python


def uv(*arguments: str) -> str:
    """Run the locked uv, which never downloads a Python of its own; what it printed.

    Raises:
        StepError: it failed.
    """
    return step([sys.executable, "-m", "uv", "--quiet", "--no-python-downloads", *arguments], variables=pip_settings())


def step(command: list[str], *, folder: Path = ROOT, variables: Mapping[str, str] | None = None) -> str:
    """Run a command; what it printed.

    Raises:
        StepError: its exit status is not 0.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env={**clean_variables(), **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise StepError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def clean_variables() -> dict[str, str]:
    """This process's environment variables without those by which it would reach into another interpreter.

    Those of a git hook go as well: by them git would work on the hook's repository, not on that of the folder.
    """
    alien = ("PYTHON", "PYTEST", "VIRTUAL_ENV", "UV_PROJECT", "DIFY_", *HOOK)
    return {name: value for name, value in os.environ.items() if not name.startswith(alien)}


@functools.cache
def pip_settings() -> Mapping[str, str]:
    """The settings of pip for indexes and certificates, as variables for uv, which does not read pip's settings.

    Through the environment, as an address may hold a password. Variables of uv that are set already count more.
    """
    found: dict[str, str] = {}
    for line in step([sys.executable, "-m", "pip", "config", "list"]).splitlines():
        name, _, value = line.partition("=")
        if variable := _OF_UV.get(name.rpartition(".")[2]):
            text = str(ast.literal_eval(value))
            if not (variable == "UV_INDEX" and "UV_INDEX" in found):  # the environment's comes last, and counts
                found[variable] = text
            else:
                found[variable] = f"{found[variable]} {text}"
    if "UV_INDEX" in found:  # pip takes the best of all indexes
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {name: value for name, value in found.items() if name not in os.environ}


_OF_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "trusted-host": "UV_INSECURE_HOST",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
}

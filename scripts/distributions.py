"""The wheel and the sdist of a commit, the same to the byte whoever builds them, where and when."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from environments import step
from versions import Version

if TYPE_CHECKING:
    from pathlib import Path

    from repository import Repository

VERSION_FILE = "src/dify_workflow/_version.py"
_VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)


def version_of(tree: Path) -> Version:
    """The version that a source tree says it has.

    Raises:
        ValueError: It says none.
    """
    found = _VERSION.findall((tree / VERSION_FILE).read_text("utf-8"))
    if len(found) != 1:
        raise ValueError(f"{VERSION_FILE} has no line `__version__ = ...`, or several")
    return Version.parse(found[0])


def with_version(text: str, version: Version) -> str:
    """The text of the file that has the version, with another version."""
    return _VERSION.sub(f'__version__ = "{version}"', text)


def distributions(tree: Repository, folder: Path) -> dict[str, bytes]:
    """Build the wheel and the sdist of a tree, which has just been checked out; the files, by their names.

    The times in them are that of the commit.

    Raises:
        StepError: The build failed.
    """
    time = {"SOURCE_DATE_EPOCH": str(tree.time("HEAD"))}
    targets = ("-t", "wheel", "-t", "sdist")
    step([sys.executable, "-m", "hatchling", "build", *targets, "-d", str(folder)], folder=tree.root, variables=time)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}

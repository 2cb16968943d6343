"""Lock the environments of the project in `requirements/`: every package with its hashes, no index's address.

Usage: lock.py [--upgrade]

    dev.txt      everything that `make setup` installs
    runtime.txt  what the SDK needs without any extra, as in dev.txt
    highest.txt  the same with the extras that the tests use, and the tools that run them, as in dev.txt
    lowest.txt   the same tools, with each dependency of the SDK at the lowest end of its range
    bench.txt    what the benchmarks are compared to, with the SDK's dependencies and extras as in dev.txt
    engines.txt  Spark, dlt and what the recipes use, which `make test-engines` installs; the rest as in dev.txt

One resolution holds for every system and for Python 3.11 and newer. What is locked stays as it is unless a range in
pyproject.toml no longer allows it, or --upgrade asks for the newest of everything.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import tomllib
from pathlib import Path

from environments import REQUIREMENTS, StepError, uv
from project import ROOT

EXTRAS = tuple(
    argument
    for extra in ("arrow", "cli", "duckdb", "postgres", "report", "sandbox", "speed")
    for argument in ("--extra", extra)
)
SUITE = (*EXTRAS, "--group", "suite")
LARGE = ("dlt", "spark")
"""Extras that are not in dev.txt."""
ENGINES = (*EXTRAS, *(argument for extra in LARGE for argument in ("--extra", extra)), "--group", "engines")


def main(argv: list[str] | None = None) -> int:
    """Write the lock files; the exit status."""
    parser = argparse.ArgumentParser(prog="lock.py", description="Lock the environments of the project.")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that the ranges allow")
    upgrade = ["--upgrade"] if parser.parse_args(argv).upgrade else []
    locked = REQUIREMENTS / "dev.txt"
    try:
        lock("dev.txt", "Everything that `make setup` installs", *small_extras(), "--group", "dev", *upgrade)
        same = ("--constraints", str(locked), "--no-annotate")
        lock("runtime.txt", "What the SDK needs without any extra, as in dev.txt", *same)
        lock("highest.txt", "The SDK's dependencies and the tools of its tests, as in dev.txt", *same, *SUITE)
        compared = (*same, *EXTRAS, "--group", "bench")
        lock("bench.txt", "What the benchmarks are compared to, the rest as in dev.txt", *compared, *upgrade)
        lock("engines.txt", "What `make test-engines` installs, the rest as in dev.txt", *same, *ENGINES, *upgrade)
        with tempfile.TemporaryDirectory() as folder:
            others = Path(folder) / "others.txt"
            others.write_text(without(locked.read_text("utf-8"), ranged_packages()), "utf-8")
            lowest = ("--resolution", "lowest-direct", "--constraints", str(others), "--no-annotate")
            lock(
                "lowest.txt", "The SDK's dependencies at the lowest end of their ranges, else dev.txt", *lowest, *SUITE
            )
    except StepError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def lock(name: str, meaning: str, *arguments: str) -> None:
    """Resolve pyproject.toml, and write the result where it differs from what the file holds.

    Raises:
        StepError: there is no resolution; nothing was written.
    """
    target = REQUIREMENTS / name
    before = target.read_text("utf-8") if target.exists() else ""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / name
        made.write_text(before, "utf-8")  # uv keeps the versions that it finds in the file it writes
        uv(
            *("pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11"),
            *("--generate-hashes", "--no-header", "--output-file", str(made), *arguments),
        )
        text = f"# {meaning}. Made by `make lock`.\n" + made.read_text("utf-8")
    pins = len(pinned(text))
    if text == before:
        print(f"requirements/{name}: {pins} packages, as before")
    else:
        target.write_text(text, "utf-8", newline="\n")
        print(f"requirements/{name}: {pins} packages, written")


def small_extras() -> list[str]:
    """Arguments that name each extra but the large ones."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [part for extra in project["optional-dependencies"] if extra not in LARGE for part in ("--extra", extra)]


def ranged_packages() -> set[str]:
    """The packages for which the SDK states a range: its dependencies, and those of its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    stated = [
        *project["dependencies"],
        *(line for lines in project["optional-dependencies"].values() for line in lines),
    ]
    return {normal(re.match(r"[A-Za-z0-9._-]+", line)[0]) for line in stated}  # type: ignore[index]  # each begins so


def pinned(text: str) -> dict[str, str]:
    """Name and version of each package in a lock file."""
    return {normal(name): version for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", text, re.MULTILINE)}


def without(text: str, names: set[str]) -> str:
    """The pins of a lock file, without their hashes and without some of the packages."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)(==[^\\\n]+)", text, re.MULTILINE)
    return "".join(f"{name}{pin}\n" for name, pin in pins if normal(name) not in names)


def normal(name: str) -> str:
    """A package's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())

"""Run the runtime's tests at the ends of the dependency ranges, on every supported Python, against the built wheel.

Usage: ranges.py [--python 3.12 ...] [--end lowest ...] [pytest's arguments]

The lowest end is tried on the oldest and the newest Python, the highest on each; --python tries both ends on it. Each
combination gets an environment of its own under build/ranges, with what requirements/lowest.txt or highest.txt
pins and the wheel built from this tree; neither `src` nor `.venv` is used. A Python that is not at hand is named in
the table, with where it was looked for. Exit status 1: a test or a step failed, or no combination could run.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Literal, NamedTuple

from environments import ROOT, StepError, built, clean_variables, environment, step

FOLDER = ROOT / "build" / "ranges"
ENDS = ("lowest", "highest")

# Tests that import a module of `scripts` are about making the client, with tools that are pinned, and are left out by
# that. These are left out for what else they need.
LEFT_OUT = {
    "tests/contract/test_sandbox_spec.py": "needs schemathesis, which has ranges of its own",
    "tests/e2e/test_distribution.py": "builds the wheel and makes environments itself",
    "tests/unit/test_project_files.py": "is about the repository",
}


class Result(NamedTuple):
    """What became of one combination."""

    end: str
    python: str
    outcome: Literal["passed", "FAILED", "not run"]
    text: str
    seconds: float = 0.0


def main(argv: list[str] | None = None) -> int:
    """Run every combination; the exit status."""
    parser = argparse.ArgumentParser(prog="ranges.py", description="Test the ends of the dependency ranges.")
    parser.add_argument("--python", action="append", choices=supported(), help="only this Python; may be repeated")
    parser.add_argument("--end", action="append", choices=ENDS, help="only this end; may be repeated")
    options, arguments = parser.parse_known_args(argv)
    shutil.rmtree(FOLDER, ignore_errors=True)
    tests = runtime_tests()
    say(f"{len(tests)} test files are about the runtime; left out as about the chain: {', '.join(chain_tests(tests))}")
    try:
        wheel = built("wheel", FOLDER / "wheel")
    except StepError as error:
        say(str(error))
        return 1
    results = []
    for end, python in combinations(options.end, options.python):
        interpreter, tried = found(python)
        if interpreter is None:
            results.append(Result(end, python, "not run", f"not at hand (tried {tried})"))
            say(f"{end} end, Python {python}: {results[-1].text}")
        else:
            results.append(run(end, python, interpreter, wheel, [*tests, *arguments]))
    say("\n" + table(results))
    outcomes = {result.outcome for result in results}
    return 0 if "passed" in outcomes and "FAILED" not in outcomes else 1


def combinations(ends: list[str] | None, pythons: list[str] | None) -> list[tuple[str, str]]:
    """The ends and Pythons to try; the lowest end, unless asked for, only where it is most likely to fail."""
    oldest, *_, newest = supported()
    return [
        (end, python)
        for end in ends or ENDS
        for python in pythons or ([oldest, newest] if end == "lowest" else supported())
    ]


def run(end: str, python: str, interpreter: Path, wheel: Path, arguments: list[str]) -> Result:
    """Make the environment of one combination, and run the tests in it."""
    begun = time.monotonic()
    place = FOLDER / f"{end}-{python}"
    say(f"{end} end, Python {python}: making the environment")
    try:
        inside = environment(place, requirements=f"{end}.txt", wheel=wheel, interpreter=interpreter)
        home = step([str(inside), "-P", "-c", "import dify_workflow as package; print(package.__file__)"]).strip()
    except StepError as error:
        say(str(error))
        return Result(end, python, "FAILED", "no environment", time.monotonic() - begun)
    if not Path(home).is_relative_to(place):
        return Result(end, python, "FAILED", f"took {home}", time.monotonic() - begun)
    say(f"{end} end, Python {python}: running the tests")
    pytest = [str(inside), "-P", "-m", "pytest", "-q", "-n", "3", "--dist", "worksteal", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*pytest, *arguments],
        cwd=ROOT,
        env=clean_variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    lines = done.stdout.strip().splitlines() or ["pytest said nothing"]
    if done.returncode != 0:
        say("\n".join(lines[-200:]))
    outcome: Literal["passed", "FAILED"] = "FAILED" if done.returncode else "passed"
    return Result(end, python, outcome, lines[-1].strip("= "), time.monotonic() - begun)


def table(results: list[Result]) -> str:
    """The results, one combination a line."""
    rows = [("end", "Python", "outcome", "in its own words", "seconds")]
    rows += [(one.end, one.python, one.outcome, one.text, f"{one.seconds:.0f}") for one in results]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def supported() -> list[str]:
    """The Python versions that pyproject.toml claims, as "3.11"."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return re.findall(r"Python :: (3\.[0-9]+)$", "\n".join(project["classifiers"]), re.MULTILINE)


def found(python: str) -> tuple[Path | None, str]:
    """An interpreter of a version: the one running, one on PATH, or one of pyenv's; and where it was looked for."""
    name = f"python{python}"
    folders = [Path(folder) for folder in os.get_exec_path()]
    candidates = [Path(sys.executable), *(folder / name for folder in folders)]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates += sorted(pyenv.glob(f"{python}.*/bin/{name}"), reverse=True)
    for candidate in candidates:
        if candidate.is_file() and version_of(candidate) == python:
            return candidate, str(candidate)
    return None, f"{name} on PATH, and pyenv"


def version_of(interpreter: Path) -> str | None:
    """The version of an interpreter, as "3.11"; None when it does not run, as a shim of pyenv without its version."""
    try:
        return step([str(interpreter), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()
    except (StepError, OSError):
        return None


def runtime_tests() -> list[str]:
    """The test files that are about the runtime."""
    scripts = {path.stem for path in (ROOT / "scripts").iterdir() if path.suffix == ".py" or path.is_dir()}
    for name in LEFT_OUT:
        if not (ROOT / name).is_file():
            raise FileNotFoundError(f"{name} is to be left out, and is not there")
    return [name for name in all_tests() if name not in LEFT_OUT and not imported(ROOT / name) & scripts]


def chain_tests(runtime: list[str]) -> list[str]:
    """The other test files."""
    return [name for name in all_tests() if name not in runtime]


def all_tests() -> list[str]:
    """Every test file, as a path below the root."""
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))


def imported(file: Path, seen: frozenset[Path] = frozenset()) -> set[str]:
    """The top-level modules that a test file imports, itself or by way of a module beside it in `tests`."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    ours = {ROOT / "tests" / f"{name}.py" for name in names} - seen
    return names.union(*(imported(other, seen | ours) for other in ours if other.is_file()))


def say(text: str) -> None:
    """Tell the person who waits."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())

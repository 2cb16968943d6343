"""A guard of speed for noisy machines: it counts what is done, and never how long it takes.

Usage: check.py [--update]

Counted are, for each scenario of `check_scenarios.py`, calls of functions and bytes of memory (everywhere), and
instructions (where valgrind is installed). What is stored in `check.json` holds for one release of Python and of the
packages that take part, instructions also for one build of Python; where nothing that is stored holds, or a tool is
missing, this is said on standard error.

Exit status: 0 when no figure has grown by more than 5 %; 1 when one has, or one has nothing to be compared to; 2 when
nothing at all could be compared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from check_scenarios import SCENARIOS

T = TypeVar("T")

STORED: Final = Path(__file__).with_name("check.json")
CHILD: Final = Path(__file__).with_name("check_scenarios.py")
ALLOWED_PERCENT: Final = 5
PACKAGES: Final = ("anyio", "attrs", "certifi", "click", "h11", "httpcore", "httpx", "idna", "pygments", "rich")
"""Those whose code runs in a scenario, where they are installed: what they do is counted, too."""
INSTRUCTIONS: Final = "instructions"
CALLS: Final = "calls and memory"

Figures: TypeAlias = Mapping[str, Mapping[str, int]]
"""What was counted, by scenario and measure."""
Environment: TypeAlias = Mapping[str, str]
"""What figures depend on."""


class MissingError(Exception):
    """What is needed to count is not there; the text says what, and how to get it."""


class Counted(NamedTuple):
    """Figures, and what they depend on."""

    environment: Environment
    figures: Figures


Counter: TypeAlias = Callable[[], Counted]
"""Counts.

Raises:
    MissingError: what it needs is not there.
"""


class Change(NamedTuple):
    """A figure beside the stored one."""

    scenario: str
    measure: str
    old: int | None
    """None where none is stored."""
    new: int | None
    """None where it was not counted."""

    @property
    def growth(self) -> float:
        """By which part of the old figure the new one is larger; below zero where it is smaller."""
        if self.old is None or self.new is None:
            return float("nan")
        if self.old == 0:
            return float("inf") if self.new else 0.0
        return self.new / self.old - 1

    @property
    def has_grown(self) -> bool:
        """Whether it has grown by more than is allowed, or cannot be compared."""
        return self.old is None or self.new is None or self.new * 100 > self.old * (100 + ALLOWED_PERCENT)

    @property
    def has_shrunk(self) -> bool:
        """Whether it has shrunk by as much, so that a later growth would go unseen."""
        return self.old is not None and self.new is not None and self.new * 100 < self.old * (100 - ALLOWED_PERCENT)

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.scenario}, {self.measure}: {self.new:,} now, and nothing is stored"
        if self.new is None:
            return f"{self.scenario}, {self.measure}: {self.old:,} stored, and it is not counted any more"
        return f"{self.scenario}, {self.measure}: {self.old:,} stored, {self.new:,} now, {self.growth:+.1%}"


def main(arguments: list[str] | None = None, counters: Mapping[str, Counter] | None = None, file: Path = STORED) -> int:
    """Count and compare, or store; the exit status."""
    parser = argparse.ArgumentParser(description="Count what the SDK does, and compare with what is stored.")
    parser.add_argument("--update", action="store_true", help="store what is counted")
    options = parser.parse_args(arguments)
    counted: dict[str, Counted] = {}
    for kind, counter in (counters or COUNTERS).items():
        try:
            counted[kind] = counter()
        except MissingError as reason:
            say(f"SKIPPED: {kind}, as {reason}")
    if options.update:
        store(counted, file)
        return 0
    return judged(counted, read(file))


def judged(counted: Mapping[str, Counted], stored: Mapping[str, list[Any]]) -> int:
    """Say what has changed; the exit status."""
    changes: list[Change] = []
    for kind, (here, figures) in counted.items():
        fitting = [entry["figures"] for entry in stored.get(kind, []) if entry["environment"] == here]
        if fitting:
            changes += compared(fitting[0], figures)
        else:
            say(
                f"SKIPPED: {kind}, as nothing is stored for {described(here)}. To store it, run "
                "`make bench-check UPDATE=1` on the state before your change. There is:",
                *(f"  {described(entry['environment'])}" for entry in stored.get(kind, [])),
            )
    if not changes:
        say("nothing could be compared")
        return 2
    print(table(changes))
    grown = [change for change in changes if change.has_grown]
    shrunk = [change for change in changes if change.has_shrunk]
    if shrunk:
        say("Less than is stored, which `make bench-check UPDATE=1` renews:", *(f"  {change}" for change in shrunk))
    if grown:
        say(f"GROWN by more than {ALLOWED_PERCENT} %, or without a figure to compare:", *(f"  {one}" for one in grown))
    return 1 if grown else 0


def compared(stored: Figures, counted: Figures) -> list[Change]:
    """Each figure beside the stored one, also where there is only one of the two."""
    keys = {(name, measure): None for figures in (stored, counted) for name in figures for measure in figures[name]}
    return [
        Change(name, measure, stored.get(name, {}).get(measure), counted.get(name, {}).get(measure))
        for name, measure in keys
    ]


def table(changes: list[Change]) -> str:
    """All of it, a line for each figure."""
    lines = [
        (change.scenario, change.measure, number(change.old), number(change.new), f"{change.growth:+.1%}")
        for change in changes
    ]
    lines.insert(0, ("scenario", "measure", "stored", "now", "growth"))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    left = 2  # columns of text; the others are numbers
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def number(value: int | None) -> str:
    """A figure, in groups of three digits."""
    return "-" if value is None else f"{value:,}"


def say(*lines: str) -> None:
    """Print a message beside the table."""
    print(*lines, sep="\n", file=sys.stderr)


# What is stored ------------------------------------------------------------------------------------------------------


def environment() -> dict[str, str]:
    """What calls and memory depend on."""
    python = f"{platform.python_implementation()} {'.'.join(platform.python_version_tuple()[:2])}"
    return {"python": python, **{name: installed(name) for name in PACKAGES}}


def installed(package: str) -> str:
    """The version of a package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def build() -> dict[str, str]:
    """What instructions depend on besides: this very build of Python, and the machine's kind."""
    return {"build": " ".join(sys.version.split()), "machine": platform.machine()}


def described(of: Environment) -> str:
    """An environment in one line."""
    return ", ".join(
        value if name in {"python", "build", "machine"} else f"{name} {value}" for name, value in of.items()
    )


def read(file: Path) -> dict[str, list[Any]]:
    """What is stored; nothing where there is no file yet."""
    stored: dict[str, list[Any]] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return stored


def store(counted: Mapping[str, Counted], file: Path) -> None:
    """Store figures in the place of those of the same environment, and leave all others."""
    stored = read(file)
    for kind, (here, figures) in counted.items():
        others = [entry for entry in stored.get(kind, []) if entry["environment"] != here]
        entries = [*others, {"environment": here, "figures": figures}]
        stored[kind] = sorted(entries, key=lambda entry: list(entry["environment"].values()))
        say(f"stored: {kind}, for {described(here)}")
    file.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8", newline="\n")


# Counting ------------------------------------------------------------------------------------------------------------


def calls_and_memory() -> Counted:
    """Calls and bytes of every scenario."""
    done = Progress(CALLS, len(SCENARIOS))

    def counts(name: str) -> dict[str, int]:
        compile_for(name)
        found = {**json.loads(output(["calls", name])), **json.loads(output(["memory", name]))}
        done.note(name)
        return found

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return Counted(environment(), dict(zip(SCENARIOS, pool.map(counts, SCENARIOS), strict=True)))


def instructions() -> Counted:
    """Instructions of every scenario: a process that does it more often, less one that does not.

    Raises:
        MissingError: there is no valgrind.
    """
    if shutil.which("valgrind") is None:
        raise MissingError("valgrind is not installed (Debian, Ubuntu: apt-get install valgrind)")
    for name in SCENARIOS:
        compile_for(name)
    first_times = [name for name, scenario in SCENARIOS.items() if not scenario.before]
    others = [name for name in SCENARIOS if name not in first_times]
    # One process for each processor: each imports all that is needed once, which takes as long as some scenarios.
    processes = min(os.cpu_count() or 1, len(others))
    groups = [others[number::processes] for number in range(processes)]
    done = Progress(INSTRUCTIONS, len(groups) + 2 * len(first_times))

    def noted(name: str, work: Callable[[], T]) -> T:
        found = work()
        done.note(name)
        return found

    with ThreadPoolExecutor(os.cpu_count()) as pool, tempfile.TemporaryDirectory() as folder:
        repeated = [
            pool.submit(noted, ", ".join(group), partial(instructions_of_repeated, group, Path(folder)))
            for group in groups
        ]
        alone = {
            (name, times): pool.submit(
                noted, name, partial(instructions_of_all, ["run", name, str(times)], Path(folder))
            )
            for name in first_times
            for times in (0, 1)
        }
        found = {name: alone[name, 1].result() - alone[name, 0].result() for name in first_times}
        for group in repeated:
            found |= group.result()
    return Counted(environment() | build(), {name: {INSTRUCTIONS: found[name]} for name in SCENARIOS})


class Progress:
    """Says on standard error how far something is.

    Args:
        kind: what is counted.
        steps: how many there are.
    """

    def __init__(self, kind: str, steps: int) -> None:
        self._kind = kind
        self._steps = steps
        self._begun = time.monotonic()
        self._done = 0
        self._lock = Lock()

    def note(self, name: str) -> None:
        """A step is done."""
        with self._lock:
            self._done += 1
            say(f"{self._kind}: {self._done} of {self._steps} after {time.monotonic() - self._begun:.0f} s ({name})")


@cache
def compile_for(name: str) -> None:
    """Do it once, so that all that is imported is compiled before anything is counted."""
    output(["run", name, "1"])


def instructions_of_repeated(names: list[str], folder: Path) -> dict[str, int]:
    """Instructions of some scenarios that can be repeated, for doing each once."""
    found: dict[str, dict[int, int]] = {}
    for line in output(["fork", *names], under_valgrind(folder)).splitlines():
        name, times, process = json.loads(line)
        found.setdefault(name, {})[times] = collected(folder / f"{process}.log")
    result: dict[str, int] = {}
    for name, by_times in found.items():
        (fewer, first), (more, second) = sorted(by_times.items())
        result[name] = round((second - first) / (more - fewer))
    return result


def instructions_of_all(arguments: list[str], folder: Path) -> int:
    """Instructions of a whole process."""
    with tempfile.TemporaryDirectory(dir=folder) as own:
        output(arguments, under_valgrind(Path(own)))
        return collected(next(Path(own).glob("*.log")))


def under_valgrind(folder: Path) -> list[str]:
    """What a command begins with whose instructions are counted; there is a file for each process in the folder."""
    return ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={folder}/%p.log"]


def collected(log: Path) -> int:
    """The instructions that valgrind has counted."""
    found = re.search(r"Collected : (\d+)", log.read_text("utf-8", "replace"))
    if found is None:
        raise SystemExit(f"valgrind reported no count:\n{log.read_text('utf-8', 'replace')}")
    return int(found[1])


def output(arguments: list[str], before: Sequence[str] = ()) -> str:
    """What a command of `check_scenarios.py` prints.

    Whatever this shell is set to, such as a proxy or another place for compiled modules, is kept from it.

    Raises:
        SystemExit: it failed.
    """
    command = [*before, sys.executable, str(CHILD), *arguments]
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "TMPDIR", "SYSTEMROOT"}}
    # Where there are no certificates none are read, which would take longer than most scenarios.
    variables = kept | {"PYTHONHASHSEED": "0", "SSL_CERT_DIR": str(CHILD.parent)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


COUNTERS: Final[Mapping[str, Counter]] = {CALLS: calls_and_memory, INSTRUCTIONS: instructions}
"""All that is counted."""

if __name__ == "__main__":
    sys.exit(main())

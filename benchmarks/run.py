"""Measure everything in one run, and write down what came of it.

Usage: run.py [--quick] [--only calls ...] [--into FOLDER]

results.md and results.svg are written beside this file, or into another folder. It runs in an environment that has all
that is compared, which `make bench` makes.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import time
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chart import svg
from report import markdown, promises, text

if TYPE_CHECKING:
    from figures import Figure
    from rich.progress import Progress, TaskID

MODULES: Final = {
    "imports": 80,
    "calls": 80,
    "decode": 20,
    "streams": 45,
    "uploads": 45,
    "walks": 270,
    "exports": 90,
    "stats": 20,
    "growth": 120,
    "command_line": 20,
}
"""What is measured, in its order, and about how many seconds each takes."""
PACKAGES: Final = (
    "dify-workflow-sdk",
    "httpx",
    "orjson",
    "dify-python-sdk",
    "dify-oapi2",
    "pydantic",
    "msgspec",
)


def main(argv: list[str] | None = None) -> int:
    """Measure and write; the exit status."""
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(prog="run.py", description="Measure everything and write down the figures.")
    parser.add_argument("--quick", action="store_true", help="a few rounds only, to see that all works")
    parser.add_argument("--only", action="append", choices=MODULES, help="only this; may be repeated; writes nothing")
    parser.add_argument("--into", type=Path, default=here, help="folder for results.md and results.svg")
    options = parser.parse_args(argv)
    figures = measured(options.only or list(MODULES), options.quick)
    print(text(figures))
    if not options.only:
        (options.into / "results.md").write_text(markdown(figures, versions()), "utf-8", newline="\n")
        (options.into / "results.svg").write_text(svg(figures), "utf-8", newline="\n")
        print("written: results.md and results.svg")
    missed = [line for line in promises(figures)[1:] if line[-1] != "yes"]
    for line in missed:
        print(f"not as promised: {line[0]}, {line[1]}: {line[3]}, {line[4]}")
    return 0


def measured(names: list[str], quick: bool) -> list[Figure]:
    """The figures of some benchmarks, with a bar that shows how far they are."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    found: list[Figure] = []
    limit = "some seconds" if quick else "under fifteen minutes on two cores"
    print(f"Measuring; it takes {limit}. Ratios hold best on a machine that does nothing else.")
    columns = (
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("about"),
        TimeRemainingColumn(),
        TextColumn("left: {task.description}"),
    )
    with Progress(*columns) as progress:
        task = progress.add_task("", total=sum(MODULES[name] for name in names))
        done = 0
        for name in names:
            begun = time.monotonic()
            say = partial(_say, progress, task, done, MODULES[name], begun)
            say(name)
            found += importlib.import_module(name).figures(say, quick)
            done += MODULES[name]
            progress.console.print(f"{name}: {time.monotonic() - begun:.0f} s")
        progress.update(task, completed=done, description="done")
    return found


def _say(progress: Progress, task: TaskID, done: float, share: float, begun: float, text: str) -> None:
    progress.update(task, description=text, completed=done + min(share, time.monotonic() - begun))


def versions() -> list[str]:
    """When and what was measured, and on how much of a machine."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    cores = os.cpu_count() or 1
    machine = f"{platform.system()} {platform.machine()}, {cores} core{'s' if cores > 1 else ''}"
    day = datetime.now(UTC).date().isoformat()
    return [day, python, machine, *(f"{name} {metadata.version(name)}" for name in PACKAGES)]


if __name__ == "__main__":
    sys.exit(main())

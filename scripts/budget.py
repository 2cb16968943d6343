"""Count the lines that people wrote, and fail where there are more than the budget in pyproject.toml allows.

Usage: budget.py [--check]

A larger budget is a decision: change the number in `[tool.budget]`, with the reason in the commit.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from typing import TYPE_CHECKING

from project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FACADE = ROOT / "src" / "dify_workflow"
BESIDE = ("_sync", "_tracing", "cli", "dlt", "export", "otel.py", "sandbox", "spark", "stats", "testing")
"""Parts of the package that are generated from others, or that only some users need."""


def main(argv: list[str] | None = None) -> int:
    """Print the figures, or with --check only what is too much; the exit status."""
    parser = argparse.ArgumentParser(prog="budget.py", description="Count the lines that people wrote.")
    parser.add_argument("--check", action="store_true", help="print only what is over its budget")
    check = parser.parse_args(argv).check
    budget = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["budget"]
    counted = counts()
    for name, lines in counted.items():
        if lines > budget[name]:
            print(f"{name}: {lines} lines, {budget[name]} are allowed by [tool.budget]; see budget.py", file=sys.stderr)
        elif not check:
            print(f"{name}: {lines} of {budget[name]} lines")
    return int(any(lines > budget[name] for name, lines in counted.items()))


def counts() -> dict[str, int]:
    """How many lines there are of each kind."""
    facade = [path for path in FACADE.rglob("*.py") if path.relative_to(FACADE).parts[0] not in BESIDE]
    scripts = [*(ROOT / "scripts").rglob("*.py"), ROOT / "noxfile.py"]
    return {"facade": lines_of(facade), "scripts": lines_of(scripts)}


def lines_of(files: list[Path]) -> int:
    """How many lines files have together."""
    return sum(path.read_bytes().count(b"\n") for path in files)


if __name__ == "__main__":
    sys.exit(main())

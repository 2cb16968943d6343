"""Write into the facade what the spec has and the facade does not: keywords for new parameters, methods for operations.

Usage: facade.py [--project FOLDER]

It finds what is missing by facade_coverage.py, and changes signatures, the `Args:` of docstrings, and calls;
for an operation it writes a method, and adds both to the sandbox. Printed as JSON: `written`, one line for each
change, to be reviewed, and `refused`, what a person has to write. The sync client, docs/api.md and the public
API are not made here: `make generate reference`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import facade_coverage
from project import ROOT
from writing import keywords, resources
from writing.keywords import Package
from writing.sandbox import Additions
from writing.source import UnwritableError

if TYPE_CHECKING:
    from facade_coverage import Door

TESTS = "tests/contract/test_completeness.py"


def main(argv: list[str] | None = None) -> int:
    """Write, and print what was written; the exit status."""
    parser = argparse.ArgumentParser(description="Write into the facade what the spec has and the facade does not.")
    parser.add_argument("--project", type=Path, default=ROOT, help="the project's folder (default: this one)")
    project = parser.parse_args(argv).project
    written, refused, files = changes(facade_coverage.read(project / "spec" / "openapi.yaml"), project)
    for path, text in files.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    print(json.dumps({"written": written, "refused": refused}, ensure_ascii=False))
    return 0


def changes(spec: dict[str, Any], project: Path) -> tuple[list[str], list[str], dict[Path, str]]:
    """What is written, what cannot be, and the new texts of the files."""
    package = Package(project / "src" / "dify_workflow")
    additions = Additions(package.root / "sandbox" / "additions.py")
    described = {operation.key: operation for operation in facade_coverage.operations(spec)}
    reached = facade_coverage.doors()
    written: list[str] = []
    refused: list[str] = []
    for door in reached:
        called = [described[key] for key in door.keys if key in described]
        for lack in facade_coverage.lacking(spec, door, called):
            try:
                with package.whole():
                    written.append(keywords.write(package, spec, lack, door.function.__qualname__, _file(door)))
            except UnwritableError as error:
                refused.append(
                    f"client.{door.name} cannot be given `{lack.parameter.name}` of {lack.operation.key}: {error}"
                )
                continue
            for operation in keywords.having(lack):
                additions.add_field(spec, operation, lack.parameter)
    for operation in facade_coverage.unreached(spec, reached):
        try:
            with package.whole():
                written.append(resources.write(package, spec, operation, project / TESTS))
                additions.add_operation(spec, operation)
        except UnwritableError as error:
            refused.append(f"{operation.key} ({operation.name}) cannot be made a method: {error}")
    files = {path: source.formatted() for path, source in package.sources.items() if source.is_changed}
    if written:
        files[package.root / "sandbox" / "additions.py"] = additions.formatted()
    return written, refused, files


def _file(door: Door) -> str:
    """The module of a method, below the package."""
    return "/".join(door.function.__module__.split(".")[1:]) + ".py"


if __name__ == "__main__":
    sys.exit(main())

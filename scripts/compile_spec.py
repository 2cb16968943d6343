"""Compiles spec/openapi.yaml from the vendor documents and the overlays (`make spec`)."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from pathlib import Path

from openapi.diagnostics import SpecError
from overlays.compilation import COMPILED, compiled_with_todos

MOST_SHOWN = 20
SPEC = Path(__file__).resolve().parent.parent / "spec"


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Returns:
        0 when the target is, or now is, what its sources give; 1 when it is not, or the sources are not right.
    """
    parser = argparse.ArgumentParser(prog="compile_spec.py", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; print what differs and exit 1 if it does")
    parser.add_argument("--upstream", type=Path, default=SPEC / "upstream", help="folder of vendor documents")
    parser.add_argument("--overlays", type=Path, default=SPEC / "overlays", help="folder of overlays")
    parser.add_argument("--target", type=Path, default=SPEC / COMPILED, help="the compiled document")
    options = parser.parse_args(argv)
    try:
        text, todos = compiled_with_todos(options.upstream, options.overlays)
    except SpecError as error:
        print(error, file=sys.stderr)
        return 1
    for todo in todos[:MOST_SHOWN]:
        print(f"to do: {todo}; it has one that was made by rule (spec/overlays)", file=sys.stderr)
    if len(todos) > MOST_SHOWN:
        print(f"to do: ... and {len(todos) - MOST_SHOWN} more", file=sys.stderr)
    old = options.target.read_text(encoding="utf-8") if options.target.exists() else ""
    if old == text:
        if not options.check:
            print(f"{_short(options.target)} is up to date")
        return 0
    if options.check:
        name = _short(options.target)
        diff = difflib.unified_diff(
            old.splitlines(), text.splitlines(), f"{name} (stored)", f"{name} (compiled)", lineterm=""
        )
        print(f"{name} is not what its sources give; run `make spec`", *diff, sep="\n", file=sys.stderr)
        return 1
    _write(options.target, text)
    print(f"compiled {_short(options.target)}")
    return 0


def _write(target: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _short(path: Path) -> str:
    root = SPEC.parent
    return str(path.resolve().relative_to(root)) if path.resolve().is_relative_to(root) else path.name


if __name__ == "__main__":
    sys.exit(main())

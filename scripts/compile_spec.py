"""Compiles spec/openapi.yaml from the vendor documents and the overlays (`make spec`)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import outputs
from openapi.diagnostics import SpecError
from outputs import short
from overlays.compilation import COMPILED, compiled_with_todos
from project import ROOT

MOST_SHOWN = 20
SPEC = ROOT / "spec"


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
    if options.check:
        if old != text:
            print(outputs.difference(options.target, old, text, "make spec"), file=sys.stderr)
        return int(old != text)
    outputs.put(options.target, text.encode())
    print(f"{short(options.target)} is up to date" if old == text else f"compiled {short(options.target)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

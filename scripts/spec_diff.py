"""Compares two API descriptions, and says which differences break a caller.

Usage: python -m scripts.spec_diff OLD NEW [--json]

Both are OpenAPI 3.0 or 3.1 as JSON or YAML, or pages of the docs site. A change is breaking when a program that was
written for the old one can fail, additive when it cannot but the contract differs, and wording when it is the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

if __package__:  # started with -m: the modules beside this one are found as they are when it is started by its path
    sys.path.insert(0, str(Path(__file__).resolve().parent))

from diff.changes import verdict
from diff.load import read
from diff.operations import compared
from openapi.diagnostics import SpecError, shown


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Returns:
        0 when the two are compared, whatever came of it; 2 when one cannot be read, or the command line is wrong.
    """
    parser = argparse.ArgumentParser(
        prog="spec_diff", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", metavar="OLD", type=Path, help="the earlier description")
    parser.add_argument("new", metavar="NEW", type=Path, help="the later description")
    parser.add_argument("--json", action="store_true", help="print the verdict and the changes as JSON")
    options = parser.parse_args(argv)
    try:
        changes = compared(read(options.old), read(options.new))
    except SpecError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"spec_diff: {shown(str(error.filename))}: {error.strerror}", file=sys.stderr)
        return 2
    except RecursionError:
        print("spec_diff: schemas lead to one another too deeply to be compared", file=sys.stderr)
        return 2
    if options.json:
        said = {"verdict": verdict(changes), "changes": [change.shown() for change in changes]}
        print(json.dumps(said, indent=2))
    else:
        print(f"verdict: {verdict(changes)}")
        for change in changes:
            print(f"  {change.severity:8}  {change.where}: {change.what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

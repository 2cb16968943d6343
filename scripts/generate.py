"""Regenerates generated/dify_workflow_api from spec/openapi.yaml (`make generate`)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from generator.folder import differences, update
from generator.package import generated
from generator.problems import GenerationError
from outputs import short
from project import ROOT


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Returns:
        0 when the package is, or now is, what the spec gives; 1 when it is not, or cannot be generated.
    """
    parser = argparse.ArgumentParser(prog="generate.py", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; name each file that differs, and exit 1")
    parser.add_argument("--spec", type=Path, default=ROOT / "spec" / "openapi.yaml", help="the spec")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "generated" / "dify_workflow_api", help="the package's folder"
    )
    options = parser.parse_args(argv)
    try:
        files = generated(options.spec)
        found = differences(options.output, files) if options.check else update(options.output, files)
    except GenerationError as error:
        print(f"generate.py: {error}", file=sys.stderr)
        return 1
    if options.check:
        for line in found:
            print(f"{short(options.output)}/{line}; run `make generate`", file=sys.stderr)
        return 1 if found else 0
    if not found:
        print(f"{short(options.output)} is up to date")
    else:
        print(f"generated {short(options.output)}: {len(found)} of {len(files)} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())

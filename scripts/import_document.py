"""Stores one more vendor document under spec/upstream (`make import FILE=...`), or says on which line it is wrong.

It takes pages of the docs site in both export formats, several of them in one file or one alone, and plain OpenAPI 3.0
and 3.1 in JSON or YAML. With --structure (`make import FILE=... STRUCTURE=1`) only the facts are stored, of the
operations in spec/selection.yaml, in place of the structure that was stored before.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from importer.storage import take_in, take_structure
from openapi.diagnostics import SpecError, shown
from project import ROOT

UPSTREAM = ROOT / "spec" / "upstream"
MOST_SHOWN = 20


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Returns:
        0 when the document is stored, now or before; 1 when it is refused, and nothing has changed. A wrong command
        line exits with 2.
    """
    parser = argparse.ArgumentParser(prog="import_document.py", description=__doc__)
    parser.add_argument("file", metavar="FILE", help="the document; its name stays, so choose it well")
    parser.add_argument(
        "--structure", action="store_true", help="store its structure alone, in place of the one before"
    )
    parser.add_argument("--upstream", type=Path, default=UPSTREAM, help="folder of vendor documents")
    options = parser.parse_args(argv)
    if not options.file:
        parser.error("name a document: make import FILE=path")
    if not Path(options.file).exists():
        parser.error(f"there is no file {shown(options.file)}")
    try:
        take = take_structure if options.structure else take_in
        intake = take(Path(options.file), options.upstream)
    except SpecError as error:
        for finding in error.findings[:MOST_SHOWN]:
            print(finding.said(error.name), file=sys.stderr)
        if (more := len(error.findings) - MOST_SHOWN) > 0:
            print(f"... and {more} more", file=sys.stderr)
        print(f"{shown(options.file)} was not imported; nothing has changed", file=sys.stderr)
        return 1
    for note in intake.notes[:MOST_SHOWN]:
        print(f"note: {note.said(options.file)}", file=sys.stderr)
    print(f"{intake.target.name} ({intake.kind}) {'is stored' if intake.is_new else 'was stored already'}:")
    print(*(f"  {operation}" for operation in intake.operations), sep="\n")
    if intake.is_new:
        print("Next: give its operations and schemas names and English text in spec/overlays/, then run `make spec`.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

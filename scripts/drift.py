"""Says what a vendor's document says otherwise than the compiled spec, and is not known yet (`make drift FILE=...`).

What is known is listed in spec/drift.yaml, each with the reason why the spec does not follow the vendor. Entries that
no longer hold are reported as well. FILE is in any form that `make import` takes; only the operations that the spec and
the document both have are compared.

Exit status: 0 nothing new; 1 the document, the spec or spec/drift.yaml cannot be read; 2 wrong arguments; 3 new drift.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from diff.drift import FILE, as_groups, drift, has_events, read_known
from diff.load import read
from openapi.diagnostics import Finding, SpecError, shown
from openapi.tree import LinedMap
from project import ROOT

if TYPE_CHECKING:
    from diff.changes import Change
    from diff.drift import Fact

SPEC = ROOT / "spec"
MOST_SHOWN = 200


def main(argv: list[str] | None = None) -> int:
    """Runs the command; the exit status."""
    parser = argparse.ArgumentParser(
        prog="drift.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", metavar="FILE", help="the vendor's document")
    parser.add_argument("--spec", type=Path, default=SPEC, help="the folder with openapi.yaml and drift.yaml")
    parser.add_argument("--entries", action="store_true", help=f"print what is new as entries for {FILE}")
    options = parser.parse_args(argv)
    if not options.file:
        parser.error("name a document: make drift FILE=path")
    try:
        return reported(Path(options.file), options.spec, as_entries=options.entries)
    except SpecError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"drift.py: {shown(str(error.filename))}: {error.strerror}", file=sys.stderr)
    return 1


def reported(file: Path, folder: Path, *, as_entries: bool) -> int:
    """Prints what is new and what no longer holds; the exit status.

    Args:
        file: The vendor's document.
        folder: The folder of the spec.
        as_entries: Whether to print what is new as the file of known drift lists it, and nothing else.

    Raises:
        SpecError: The document, the spec or the file of known drift is not right.
        OSError: One of them cannot be opened.
    """
    known = read_known(folder / FILE)
    spec, vendor = read(folder / "openapi.yaml"), read(file)
    common = [operation.name for key, operation in spec.operations.items() if key in vendor.operations]
    if not common:
        raise SpecError(file.name, [Finding(1, "", "the document describes none of the operations of the spec")])
    found = drift(spec, vendor)
    listed = {one.fact for one in known}
    new = [fact for fact in found if fact not in listed]
    if as_entries:
        print(as_groups(new))
        return 3 if new else 0
    print_new(file, {fact: found[fact] for fact in new})
    # A page says nothing of other operations than its own.
    parts = [*common, *(["events"] if has_events(spec, vendor) else [])]
    stale = [one for one in known if one.fact not in found and one.fact.is_of(parts)]
    for one in stale:
        print(
            f"spec/{FILE}:{one.line}: no longer so: {shown(one.fact.place)}: {shown(one.fact.says)} [{one.fact.kind}]"
        )
    print(
        f"{len(new)} new, {len(found) - len(new)} known, {len(stale)} listed that no longer hold; "
        f"{len(common)} of {len(spec.operations)} operations compared"
    )
    if new:
        print(f"Change the spec by an overlay, or list it in spec/{FILE} with the reason (--entries prints entries).")
    return 3 if new else 0


def print_new(file: Path, new: dict[Fact, Change]) -> None:
    """Prints the facts that are not listed, with their lines."""
    if new:
        print('What the vendor says otherwise ("it was" is what the spec says):')
    for fact, change in [*new.items()][:MOST_SHOWN]:
        line = next((node.line for node in change.new if isinstance(node, LinedMap)), 0)
        at = f"{shown(file.name)}:{line}" if line else shown(file.name)
        print(f"{at}: {shown(fact.place)}: {shown(fact.says)} [{fact.kind}]")
    if len(new) > MOST_SHOWN:
        print(f"... and {len(new) - MOST_SHOWN} more")


if __name__ == "__main__":
    sys.exit(main())

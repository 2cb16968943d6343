"""Brings a newer document of the vendor in, with all that follows from it (`make update FILE=...`).

The document is reduced to the structure of the selected operations (spec/selection.yaml), which takes the place of the
stored one. Then the spec is compiled, the client regenerated, the public API rendered and the contract tests are run,
all of it in a copy of the project. What the vendor changed is taken over, what was measured on a server is kept, and a
correction that the vendor makes itself is taken out of its overlay. What would break a user is a decision for a person.

Exit status and the last line printed say what became of it:

  0  taken      the project is updated, ready to be committed
  3  decisions  something has to be decided first; the project is as it was, unless --keep is given
  1  broken     the document cannot be used, or the update cannot be made; the project is as it was

build/spec-report.md and build/spec-report.json report what changed, for whom, and what to do, also then.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import public_api
from diff.acknowledged import FILE, read_acknowledged
from diff.load import described
from diff.operations import compared
from generator.folder import update
from generator.package import generated
from generator.problems import GenerationError
from importer.selection import FILE as SELECTION
from importer.selection import parsed, read_selection, with_operations
from importer.storage import succession
from openapi import serialize
from openapi.diagnostics import SpecError, shown
from openapi.parse import decoded, read_yaml
from openapi.references import led_to
from openapi.structure import operations, route
from openapi.tree import plain
from outputs import put
from overlays.compilation import compiled, completed, finished, joined, overlay_paths, read_upstream
from project import ROOT, RefusalError
from updates import agreements, contract_run, decisions, impact, reports
from updates.impact import ReportedChange
from updates.interface import interface_changes
from updates.overlay_status import corrected, orphans, repeated
from updates.reports import Report
from updates.workspace import WorkspaceError, uninterrupted, workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importer.documents import VendorDocument
    from importer.selection import Selection
    from importer.storage import Succession
    from openapi.tree import Tree
    from updates.overlay_status import Corrected
    from updates.workspace import Workspace

MOST_SHOWN = 20
STATUSES = {"taken": 0, "decisions": 3, "broken": 1}


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Returns:
        0, 3 or 1, as above. A wrong command line ends with 2, Ctrl-C with 130.
    """
    parser = argparse.ArgumentParser(
        prog="update.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", metavar="FILE", help="the newer document, in any form that `make import` takes")
    parser.add_argument(
        "--tests",
        action="append",
        metavar="ARGUMENT",
        help=f"what pytest is to run as contract tests (default: {' '.join(contract_run.TESTS)}, on all processors)",
    )
    parser.add_argument("--project", type=Path, default=ROOT, help="the project's folder (default: this one)")
    parser.add_argument("--keep", action="store_true", help="keep what was made although there are decisions (KEEP=1)")
    parser.add_argument(
        "--select",
        action="append",
        metavar="OPERATION",
        help="take this operation of the document as well, such as 'GET /x'; several with commas (SELECT=...)",
    )
    parser.add_argument("--report-only", action="store_true", help="change nothing, run no tests (REPORT_ONLY=1)")
    options = parser.parse_args(argv)
    if not options.file:
        parser.error("name a document: make update FILE=path")
    if not Path(options.file).exists():
        parser.error(f"there is no file {shown(options.file)}")
    select = [one.strip() for given in options.select or () for one in given.split(",") if one.strip()]
    tests = tuple(options.tests or (*contract_run.TESTS, "-n", "auto", "--dist", "worksteal"))
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the copy is taken away
    project = options.project.resolve()
    try:
        one = Update(
            project, Path(options.file), tests, is_kept=options.keep, is_report=options.report_only, select=select
        )
        report = one.made()
    except (RefusalError, SpecError, OSError) as error:
        reports.write(Report(Path(options.file).name, problems=str(error).splitlines()), project / "build")
        return ended("broken", str(error).splitlines(), "; nothing in the project has changed")
    except KeyboardInterrupt:
        print("update.py: interrupted; nothing in the project has changed", file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGTERM, before)
    verdict = f"; verdict: {report.verdict}; version step: {report.step}; build/spec-report.md says more"
    if report.outcome == "taken":
        said = "; nothing was changed" if options.report_only else ""
    else:
        said = "; what was made is kept" if options.keep and report.is_made else "; nothing in the project has changed"
    return ended(report.outcome, report.problems, said + verdict)


def ended(outcome: str, problems: Sequence[str], more: str) -> int:
    """Says what became of the update, the outcome last; the exit status."""
    for problem in problems[:MOST_SHOWN]:
        print(f"update.py: {problem}", file=sys.stderr)
    if len(problems) > MOST_SHOWN:
        print(f"update.py: ... and {len(problems) - MOST_SHOWN} more", file=sys.stderr)
    say(f"{outcome}{more}")
    return STATUSES[outcome]


def say(text: str) -> None:
    """Prints progress."""
    print(text, flush=True)


class Update:
    """One update, step by step; what is found on the way is for the report."""

    def __init__(
        self,
        project: Path,
        source: Path,
        tests: tuple[str, ...],
        *,
        is_kept: bool = False,
        is_report: bool = False,
        select: Sequence[str] = (),
    ) -> None:
        self.project = project
        self.source = source
        self.tests = tests
        self.is_kept = is_kept
        self.is_report = is_report
        self.select = select
        self.selection_text = ""
        self.compiled_before = ""
        self.interface_before = ""
        self.is_compiled = True
        self.known = impact.methods((project / "docs" / "api.md").read_text("utf-8"))
        self.found = Report(source.name)

    def made(self) -> Report:
        """Makes the update, or finds why it cannot be made.

        Raises:
            RefusalError: The document itself will not do, so that there is nothing to report.
            SpecError: The same, or a stored document is not right.
        """
        found = self.found
        found.acknowledged = read_acknowledged(self.project / "spec" / FILE)
        say(f"reading {shown(self.source.name)}")
        upstream = self.project / "spec" / "upstream"
        stored = read_upstream(upstream)
        selection = self._selection()
        heir = succession(self.source, stored, selection)
        if missing := [one for one in self.select if not _has(heir.document, one)]:
            raise RefusalError(f"the document does not describe {' and '.join(missing)}, which was to be selected")
        if heir.before:
            say(f"it takes the place of {heir.name}" + (", and says the same" if heir.is_known else ""))
        found.kind, found.stored_as, found.others = heir.document.kind, f"spec/upstream/{heir.name}", heir.others
        found.replaces = [heir.before.name] if heir.before else []
        changed: list[str] = []
        try:
            with workspace(self.project) as place:
                needed = self._compile(place, heir, stored, selection)
                if self.is_compiled and place.changes():
                    needed += self._generate(place)
                    self._compare_interface(place)
                    if not needed and not self.is_report:
                        needed += self._verify(place)
                if not self.is_report and (not needed or self.is_kept):
                    with uninterrupted():
                        changed = place.bring_back()
        except (RefusalError, WorkspaceError, GenerationError) as error:
            # A document that the generator has no words for, too, waits for a person.
            found.outcome = "broken" if isinstance(error, WorkspaceError) else "decisions"
            found.problems = getattr(error, "lines", [str(error)])
        else:
            found.outcome, found.problems, found.is_made = "decisions" if needed else "taken", needed, bool(changed)
        with uninterrupted():
            reports.write(found, self.project / "build")
        if found.outcome == "taken" and not self.is_report:
            say(f"{len(changed)} files changed:" if changed else "nothing changed")
            for name in changed:
                say(f"  {name}")
        return found

    # --- steps -------------------------------------------------------------------------------------------------------

    def _selection(self) -> Selection:
        """The operations that are selected, and those that were requested."""
        path = self.project / "spec" / SELECTION
        selection = read_selection(path)
        if selection is None:
            raise RefusalError(f"spec/{SELECTION} is not there: it says which operations the SDK has")
        if not self.select:
            return selection
        wrong = [one for one in self.select if not re.fullmatch(r"[A-Z]+ /\S*", one)]
        if wrong:
            raise RefusalError(f"an operation to select is written as 'GET /x', not as {shown(wrong[0])}")
        news = [one for one in dict.fromkeys(self.select) if selection.find(*one.split(" ", 1)) is None]
        self.selection_text = with_operations(decoded(path.read_bytes()), news)
        return parsed(self.selection_text.encode(), SELECTION)

    def _compile(
        self, place: Workspace, heir: Succession, stored: list[VendorDocument], selection: Selection
    ) -> list[str]:
        """Compiles the spec from the newer document; the decisions that are needed."""
        say("compiling the spec, overlay by overlay")
        old_parts = heir.before.parts if heir.before else []
        kept = [document for document in stored if document is not heir.before]
        documents = sorted([*kept, heir.document._replace(name=heir.name)], key=lambda document: document.name)
        paths = overlay_paths(place.root / "spec" / "overlays")
        try:
            before = corrected(joined(stored, selection), paths)
            after = corrected(joined(documents, selection), paths)
        except SpecError as error:
            raise RefusalError(*str(error).splitlines()) from None
        lost = orphans(after, paths)
        was, now = completed(before.tree)[0], completed(after.tree)[0]
        vendors = compared(described(old_parts), described(heir.document.parts))
        theirs = [compared(described([was]), described(parts)) for parts in (old_parts, heir.document.parts)]
        self.found.agreed = decisions.agreed(vendors, *theirs)
        self.found.vendors = vendors
        self.found.judgements = [one for one in after.judgements if one.is_wrong]
        self.found.reported = self._reported(was, now, after)
        stored_spec = decoded((self.project / "spec" / "openapi.yaml").read_bytes())
        if plain(read_yaml(stored_spec)) != was:
            say("  (spec/openapi.yaml is not what its sources give; it is compared with what they give)")
            self.compiled_before = serialize.text_of(was, "")
        edited = agreements.without(repeated(before, after), paths, lost)
        self.found.taken_out = edited.said
        needed = self._decisions(_gone(was, now)) + after.problems
        self._store(place, heir, edited.files)
        names = [one.name for one in documents]
        try:
            text, todos = finished(after.tree, names, [path.name for path in paths])
        except SpecError as error:
            # What a lost action leaves behind is reported by the action; the rest would only hide it.
            self.is_compiled = False
            return needed or _with_places(error, after)
        self.found.todos = todos
        if edited.files:
            text = compiled(place.root / "spec" / "upstream", place.root / "spec" / "overlays")
        put(place.root / "spec" / "openapi.yaml", text.encode())
        return needed

    def _store(self, place: Workspace, heir: Succession, overlays: dict[str, bytes]) -> None:
        """Puts the structure in the place of the one before, and the overlays that were edited in theirs."""
        if not heir.is_known:
            put(place.root / "spec" / "upstream" / heir.name, heir.data)
        for name, data in overlays.items():
            put(place.root / "spec" / "overlays" / name, data)
        if self.selection_text:
            put(place.root / "spec" / SELECTION, self.selection_text.encode())

    def _decisions(self, gone: list[str]) -> list[str]:
        differing = [change for change in self.found.vendors if change not in self.found.agreed]
        return decisions.needed(
            differing,
            self.found.reported or (),
            self.found.judgements,
            self.found.acknowledged,
            self.known,
            self.source.name,
            gone,
        )

    def _reported(self, before: Tree, after: Tree, result: Corrected) -> list[ReportedChange]:
        here = impact.positions(after)
        owners = impact.positions(before) | here
        reported = []
        for change in compared(described([before]), described([after])):
            places = impact.overlay_places(change, here, result.touched)
            places = [*impact.vendor_places(change, self.found.vendors, self.source.name), *places]
            said = impact.meaning(change, self.known, owners)
            attribute = impact.attribute(change, owners)
            reported.append(ReportedChange(change, said, places, attribute, impact.methods_of(change, self.known)))
        return reported

    def _generate(self, place: Workspace) -> list[str]:
        """Makes everything that follows from the spec; where the facade does not match it."""
        if self.compiled_before:
            self._render_interface_before(place)
        say("generating the client")
        files = generated(place.root / "spec" / "openapi.yaml")
        update(place.root / "generated" / "dify_workflow_api", files)
        say("writing the facade")
        problems = self._write_facade(place)
        unasync = ("unasync",) if self.found.written else ()  # made of the facade alone
        for script in (*unasync, "columns", "reference"):
            ran = place.run(f"scripts/{script}.py")
            if ran.status:
                lines = ran.output.strip().splitlines() or ["it says nothing"]
                problems.append(f"scripts/{script}.py fails on the new client: {lines[-1]}")
        self.found.gaps = [self._located(gap) for gap in contract_run.gaps(place)]
        return [*problems, *self.found.gaps]

    def _write_facade(self, place: Workspace) -> list[str]:
        """Writes keywords and methods for what is new; what cannot be written, which is for a person to decide."""
        ran = place.run("scripts/facade.py")
        if ran.status:
            lines = ran.output.strip().splitlines() or ["it says nothing"]
            return [f"scripts/facade.py fails on the new client: {lines[-1]}"]
        found = json.loads(ran.output.splitlines()[-1])
        self.found.written = found["written"]
        return [self._located(one) for one in found["refused"]]

    def _render_interface_before(self, place: Workspace) -> None:
        """Renders the public API that the stored sources give, where the project has been made from others."""
        spec = place.root / "spec" / "openapi.yaml"
        made = spec.read_bytes()
        put(spec, self.compiled_before.encode())
        update(place.root / "generated" / "dify_workflow_api", generated(spec))
        self.interface_before = public_api.render(place.root)
        put(spec, made)

    def _compare_interface(self, place: Workspace) -> None:
        say("comparing the public API")
        # Not the project's own as it is now: who adds a keyword for a new parameter has changed it already.
        stored = place.root / "tests" / "contract" / "public_api.txt"
        before = self.interface_before or stored.read_text("utf-8")
        after = public_api.render(place.root)
        self.found.interface = interface_changes(before, after)
        put(stored, after.encode())

    def _verify(self, place: Workspace) -> list[str]:
        say("running the contract tests")
        found = contract_run.verified(place, self.tests)
        self.found.verification = found
        say(f"  {found.passed} passed, {len(found.failures)} failed")
        failed = [f"{failure.test}: {_first_line(failure.text)}" for failure in found.failures]
        return [*failed, *([found.problem] if found.problem else [])]

    def _located(self, gap: str) -> str:
        """What does not match, with the lines and overlay actions that it comes from."""
        places: dict[str, None] = {}
        for one in self.found.reported or ():
            operation = " ".join(one.change.where.split(" ")[:2])
            leaf = one.change.where.replace("[]", "").split(" ")[-1].split(".")[-1]
            if operation in gap and (f"`{leaf}`" in gap or leaf in operation):
                places |= dict.fromkeys(one.places)
        return f"{gap} Look at {', '.join(places)}." if places else gap


def _gone(before: Tree, after: Tree) -> list[str]:
    """The paths and schemas that a document no longer has; the longer names first."""
    was, now = ([tree["paths"], tree.get("components", {}).get("schemas", {})] for tree in (before, after))
    gone = [str(name) for old, new in zip(was, now, strict=True) for name in old if name not in new]
    return sorted(gone, key=len, reverse=True)


def _has(document: VendorDocument, operation: str) -> bool:
    """Whether a document describes an operation such as `GET /x`."""
    method, _, path = operation.partition(" ")
    wanted = (method.lower(), route(path))
    return any((key, route(text)) == wanted for part in document.parts for text, key, _ in operations(part))


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["it says nothing"])[0]


def _with_places(error: SpecError, result: Corrected) -> list[str]:
    """What is wrong with the compiled spec, with the overlay actions that made it so."""
    lines = []
    for finding in error.findings:
        where = led_to(finding.where) if finding.where.startswith("#/") else ()
        places = impact.corrections_at(where, result.touched)
        lines.append(finding.said(error.name) + (f" Look at {', '.join(places)}." if places else ""))
    return lines


if __name__ == "__main__":
    sys.exit(main())

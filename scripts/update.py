"""Brings a newer document of the vendor in, with all that follows from it (`make update FILE=...`).

The document takes the place of the stored one that describes the same operations. Then the spec is compiled, the
client regenerated, the public API rendered and the contract tests are run, all of it in a copy of the project. Only
when everything is right does the project change, ready to be committed; otherwise it stays as it is. Either way
build/spec-report.md and build/spec-report.json tell what changed, for whom, and what to do.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import public_api
from comparison.acknowledged import FILE, read_acknowledged
from comparison.descriptions import compared
from comparison.reading import described, route
from generation.folder import update
from generation.package import generated
from generation.problems import GenerationError
from specification.compilation import completed, finished, joined, overlay_paths, read_upstream
from specification.findings import SpecError, shown
from specification.marks import PATH
from specification.nodes import plain
from specification.references import led_to
from specification.selection import FILE as SELECTION
from specification.selection import read_selection
from specification.sources import read_yaml
from updates import meanings, reports, verification
from updates.corrections import corrected
from updates.interface import interface_changes
from updates.meanings import Told
from updates.predecessors import succession
from updates.reports import Report
from updates.workplace import WorkplaceError, put, uninterrupted, workplace

if TYPE_CHECKING:
    from comparison.acknowledged import Acknowledged
    from specification.documents import VendorDocument
    from specification.nodes import Tree
    from updates.corrections import Corrected
    from updates.predecessors import Succession
    from updates.workplace import Workplace

ROOT = Path(__file__).resolve().parent.parent
MOST_SHOWN = 20


class RefusalError(Exception):
    """The update cannot be made; its lines say why."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = list(lines)


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Returns:
        0 when the project is updated; 1 when it is not, and is as it was. A wrong command line ends with 2, Ctrl-C
        with 130.
    """
    parser = argparse.ArgumentParser(
        prog="update.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", metavar="FILE", help="the newer document, in any form that `make import` takes")
    parser.add_argument(
        "--tests",
        action="append",
        metavar="ARGUMENT",
        help=f"what pytest is to run as contract tests (default: {' '.join(verification.TESTS)}, on all processors)",
    )
    parser.add_argument("--project", type=Path, default=ROOT, help="the project's folder (default: this one)")
    options = parser.parse_args(argv)
    if not options.file:
        parser.error("name a document: make update FILE=path")
    if not Path(options.file).exists():
        parser.error(f"there is no file {shown(options.file)}")
    tests = tuple(options.tests or (*verification.TESTS, "-n", "auto", "--dist", "worksteal"))
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the copy is taken away
    try:
        report = Update(options.project.resolve(), Path(options.file), tests).made()
    except (RefusalError, SpecError, OSError) as error:
        return refused(str(error).splitlines())
    except KeyboardInterrupt:
        refused(["interrupted"])
        return 130
    finally:
        signal.signal(signal.SIGTERM, before)
    if not report.is_ready:
        return refused(report.problems, "; build/spec-report.md says more")
    verdict = reports.as_json(report)["verdict"]
    say(f"verdict: {verdict}; version step: {report.step}; build/spec-report.md says more, and is fit for the commit")
    return 0


def refused(problems: list[str], more: str = "") -> int:
    """Says why nothing was done; the exit status."""
    for problem in problems[:MOST_SHOWN]:
        print(f"update.py: {problem}", file=sys.stderr)
    if len(problems) > MOST_SHOWN:
        print(f"update.py: ... and {len(problems) - MOST_SHOWN} more", file=sys.stderr)
    print(f"update.py: the project was not updated; nothing in it has changed{more}", file=sys.stderr)
    return 1


def say(text: str) -> None:
    """Tells the person who waits."""
    print(text, flush=True)


class Update:
    """One update, step by step; what is found on the way is for the report."""

    def __init__(self, project: Path, source: Path, tests: tuple[str, ...]) -> None:
        self.project = project
        self.source = source
        self.tests = tests
        self.paths: tuple[list[str], list[str]] = ([], [])
        self.acknowledged: list[Acknowledged] = []
        self.found: dict[str, Any] = {
            "told": None,
            "vendors": [],
            "interface": None,
            "judgements": [],
            "gaps": [],
            "verification": None,
        }

    def made(self) -> Report:
        """Makes the update, or finds why it cannot be made.

        Raises:
            RefusalError: The document itself will not do, so that there is nothing to report.
            SpecError: The same, or a stored document is not right.
        """
        self.acknowledged = read_acknowledged(self.project / "spec" / FILE)
        say(f"reading {shown(self.source.name)}")
        upstream = self.project / "spec" / "upstream"
        stored = read_upstream(upstream)
        heir = succession(self.source, upstream, stored)
        names = [document.name for document in heir.predecessors]
        say(f"it takes the place of {' and '.join(names)}" + (", and is the same" if heir.is_known else ""))
        try:
            with workplace(self.project) as place:
                self._compile(place, heir, stored)
                self._generate(place)
                self._compare_interface(place)
                self._verify(place)
                with uninterrupted():
                    changed = place.bring_back()
                    report = self._report(heir, [])
                    reports.write(report, self.project / "build")
        except (RefusalError, WorkplaceError, GenerationError) as error:
            report = self._report(heir, getattr(error, "lines", [str(error)]))
            reports.write(report, self.project / "build")
            return report
        say(f"{len(changed)} files changed:" if changed else "nothing changed")
        for name in changed:
            say(f"  {name}")
        return report

    # --- steps -------------------------------------------------------------------------------------------------------

    def _compile(self, place: Workplace, heir: Succession, stored: list[VendorDocument]) -> None:
        say("compiling the spec, overlay by overlay")
        old_parts = [part for document in heir.predecessors for part in document.parts]
        self.found["vendors"] = compared(described(old_parts), described(heir.document.parts))
        kept = [document for document in stored if document not in heir.predecessors]
        documents = sorted([*kept, heir.document._replace(name=heir.name)], key=lambda document: document.name)
        paths = overlay_paths(place.root / "spec" / "overlays")
        try:
            result = corrected(joined(documents, read_selection(place.root / "spec" / SELECTION)), paths)
        except SpecError as error:
            raise RefusalError(*str(error).splitlines()) from None
        self.found["judgements"] = result.judgements
        before = _stored_spec(self.project)
        self.found["told"] = self._told(before, result, heir)
        problems = [f"{one.correction.place}: {one.text}" for one in result.judgements if one.is_wrong]
        problems += result.problems
        try:
            text, _ = finished(result.tree, [document.name for document in documents], [path.name for path in paths])
        except SpecError as error:
            # What a lost action leaves behind is told by the action; the rest would only hide it.
            raise RefusalError(*(problems or _with_advice(_with_places(error, result)))) from None
        if problems:
            raise RefusalError(*problems)
        folder = place.root / "spec" / "upstream"
        for document in heir.predecessors:
            (folder / document.name).unlink()
        put(folder / heir.name, heir.data)
        put(place.root / "spec" / "openapi.yaml", text.encode())

    def _told(self, before: Tree, result: Corrected, heir: Succession) -> list[Told]:
        known = meanings.methods((self.project / "docs" / "api.md").read_text("utf-8"))
        after = completed(result.tree)[0]
        self.paths = [*before["paths"]], [*after["paths"]]
        here = meanings.positions(after)
        owners = meanings.positions(before) | here
        told = []
        for change in compared(described([before]), described([after])):
            places = meanings.overlay_places(change, here, result.touched)
            places = [*meanings.vendor_places(change, self.found["vendors"], self.source.name), *places]
            said = meanings.meaning(change, known, owners)
            attribute = meanings.attribute(change, owners)
            told.append(Told(change, said, places, attribute, meanings.methods_of(change, known)))
        return told

    def _generate(self, place: Workplace) -> None:
        say("generating the client")
        files = generated(place.root / "spec" / "openapi.yaml")
        update(place.root / "generated" / "dify_workflow_api", files)
        for script in ("mirror", "reference"):
            ran = place.run(f"scripts/{script}.py")
            if ran.status:
                lines = ran.output.strip().splitlines() or ["it says nothing"]
                self.found["gaps"] = verification.gaps(place)
                raise RefusalError(f"scripts/{script}.py fails on the new client: {lines[-1]}", *self.found["gaps"])

    def _compare_interface(self, place: Workplace) -> None:
        say("comparing the public API")
        # Not the project's own as it is now: who adds a keyword for a new parameter has changed it already.
        stored = place.root / "tests" / "contract" / "public_api.txt"
        after = public_api.render(place.root)
        self.found["interface"] = interface_changes(stored.read_text("utf-8"), after)
        put(stored, after.encode())

    def _verify(self, place: Workplace) -> None:
        say("running the contract tests")
        gaps = verification.gaps(place)
        self.found["gaps"] = [self._located(gap) for gap in gaps]
        found = verification.verified(place, self.tests)
        self.found["verification"] = found
        say(f"  {found.passed} passed, {len(found.failures)} failed")
        if self.found["gaps"] or not found.is_right:
            failed = [f"{failure.test}: {_first_line(failure.text)}" for failure in found.failures]
            advice = self._paths_advice() if self.found["gaps"] else []
            raise RefusalError(*advice, *self.found["gaps"], *failed, *([found.problem] if found.problem else []))

    def _paths_advice(self) -> list[str]:
        """How to keep our names for the parameters of a path, where the vendor has renamed them."""
        now = {route(path): path for path in self.paths[1]}
        return [
            f"the vendor calls {path} {now[route(path)]} now, which is the same path; to keep our name, add to "
            f"spec/overlays/10-names.yaml: target: $.paths['{now[route(path)]}'], update: {{{PATH}: '{path}'}}, and "
            "write our path in the other actions that name it"
            for path in self.paths[0]
            if route(path) in now and now[route(path)] != path
        ]

    def _located(self, gap: str) -> str:
        """What does not match, with the lines and overlay actions that it comes from."""
        places: dict[str, None] = {}
        for one in self.found["told"] or ():
            operation = " ".join(one.change.where.split(" ")[:2])
            leaf = one.change.where.replace("[]", "").split(" ")[-1].split(".")[-1]
            if operation in gap and (f"`{leaf}`" in gap or leaf in operation):
                places |= dict.fromkeys(one.places)
        return f"{gap} Look at {', '.join(places)}." if places else gap

    def _report(self, heir: Succession, problems: list[str]) -> Report:
        return Report(
            file=self.source.name,
            kind=heir.document.kind,
            stored_as=f"spec/upstream/{heir.name}",
            replaces=[document.name for document in heir.predecessors],
            is_ready=not problems,
            problems=problems,
            acknowledged=tuple(self.acknowledged),
            **self.found,
        )


def _stored_spec(project: Path) -> Tree:
    tree: Tree = plain(read_yaml((project / "spec" / "openapi.yaml").read_text("utf-8")))
    return tree


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["it says nothing"])[0]


def _with_places(error: SpecError, result: Corrected) -> list[str]:
    """What is wrong with the compiled spec, with the overlay actions that made it so."""
    lines = []
    for finding in error.findings:
        where = led_to(finding.where) if finding.where.startswith("#/") else ()
        places = meanings.corrections_at(where, result.touched)
        lines.append(finding.said(error.name) + (f" Look at {', '.join(places)}." if places else ""))
    return lines


def _with_advice(lines: list[str]) -> list[str]:
    if any("operationId" in line or "has no description" in line or "not English" in line for line in lines):
        advice = (
            "what is new in the vendor's document needs a name (spec/overlays/10-names.yaml) and English text of our "
            "own (spec/overlays/30-english.yaml); add the actions and run the update again"
        )
        return [*lines, advice]
    return lines


if __name__ == "__main__":
    sys.exit(main())

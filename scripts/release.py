"""Release the SDK: a new version, its changelog entry, the wheel and the sdist in dist/, a commit and a tag.

Usage: release.py [--step major|minor|patch | --version X.Y.Z] [--branch NAME] [--dry-run]

The step is that of build/spec-report.json, which `make update` writes, or a larger one; without a report it must be
given. It is never less than what the spec's changes since the last release require. Before 1.0.0 a major step raises
the second number: 0.1.4 -> 0.2.0. --version sets the version itself: 1.0.0, or, before the first release, the version
that is there.

Everything is made in a working tree of its own and built twice; the project changes at the very end, and on a failure
or with --dry-run not at all. Nothing is pushed. Exit status: 0 released; 1 refused or failed; 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from diff.acknowledged import FILE, read_acknowledged, reason_for
from diff.changes import SEVERITIES, Change
from diff.load import read
from diff.operations import compared
from environments import StepError, distributions, step
from openapi.diagnostics import SpecError
from project import ROOT, RefusalError
from versions import STEPS, VERSION_FILE, Step, Version, checked_out, git, version_of

REPORT = ROOT / "build" / "spec-report.json"
CHANGELOG = "CHANGELOG.md"
SPEC = "spec/openapi.yaml"


class Report(NamedTuple):
    """What `make update` reports: what changed, and the step that follows; None when nothing requires a step."""

    step: Step | None
    changes: list[Change]


class Plan(NamedTuple):
    """The new version, the new text of the changelog, and the entry of the version in it."""

    version: Version
    changelog: str
    entry: str


def main(argv: list[str] | None = None) -> int:
    """Release; the exit status."""
    parser = argparse.ArgumentParser(prog="release.py", description="Release the SDK: version, changelog, dist/, tag.")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--step", choices=STEPS[::-1], help="what this release brings; never less than the spec's report")
    kind.add_argument("--version", type=_version, metavar="X.Y.Z", help="the new version, in place of a step")
    parser.add_argument("--branch", default="main", metavar="NAME", help="the branch to release from (default: main)")
    parser.add_argument("--dry-run", action="store_true", help="do everything, and keep nothing of it")
    options = parser.parse_args(argv)
    try:
        check_state(ROOT, options.branch)
        plan = planned(ROOT, read_report(REPORT), options.step, options.version)
        print(f"{version_of(ROOT)} -> {plan.version}", flush=True)
        # Make's own variables would make this a part of the make that may have started this script.
        step(["make", "--no-print-directory", "check"], variables={"MAKEFLAGS": "", "MAKELEVEL": "0"})
        release(plan, keep=not options.dry_run)
    except (RefusalError, StepError, OSError) as error:
        print(f"release.py: {error}\nrelease.py: nothing was released", file=sys.stderr)
        return 1
    return 0


def check_state(root: Path, branch: str) -> None:
    """Refuse to release from another state than a commit of the branch.

    Raises:
        RefusalError: The tree is on another branch, or differs from its commit.
        StepError: It is not in a repository.
    """
    if (found := git(root, "branch", "--show-current")) != branch:
        raise RefusalError(f"this is {found or 'no branch'}, and releases are made from {branch}; see --branch")
    if changed := git(root, "status", "--porcelain", "--untracked-files=all"):
        raise RefusalError(f"commit first what differs from the last commit:\n{changed}")


def planned(root: Path, report: Report | None, wanted_step: Step | None, wanted: Version | None) -> Plan:
    """What is to be released.

    Args:
        root: The project.
        report: The known changes of the spec.
        wanted_step: The step that was requested.
        wanted: The version that was requested, in place of a step.

    Raises:
        RefusalError: There is no step, it is too small, the version was released before, or the changelog has nothing
            unreleased.
    """
    current, last = version_of(root), last_release(root)
    report = report or Report(None, [])
    changes = changes_since(root, f"v{last}") if last else []
    changes += [change for change in report.changes if change not in changes]
    changes.sort(key=lambda change: SEVERITIES.index(change.severity))
    least = max(step_for(changes), report.step or "patch", key=STEPS.index)
    if wanted is None:
        chosen = wanted_step or (least if report.step else None)
        if chosen is None:
            raise RefusalError(
                "there is no build/spec-report.json that names a step: give STEP=major, minor or patch; or, for the "
                f'first release, ARGS="--version {current}"'
            )
        if STEPS.index(chosen) < STEPS.index(least):
            raise RefusalError(f"a {chosen} step is too small: the spec's changes require a {least} step")
        wanted = current.after(chosen)
    elif wanted < current.after(least) and (last or wanted != current):  # any version can be the first
        raise RefusalError(f"{wanted} is too small: after {current}, a {least} step leads to {current.after(least)}")
    if git(root, "tag", "--list", f"v{wanted}"):
        raise RefusalError(f"there is a tag v{wanted} already")
    text = (root / CHANGELOG).read_text("utf-8")
    return Plan(wanted, *released(text, wanted, datetime.now(UTC).date(), changes))


def last_release(root: Path) -> Version | None:
    """The latest version that has a tag before the current commit; None when nothing was released."""
    tags = git(root, "tag", "--list", "v*", "--merged", "HEAD").splitlines()
    return max((Version.parse(tag[1:]) for tag in tags if re.fullmatch(r"v[0-9]+\.[0-9]+\.[0-9]+", tag)), default=None)


# --- the changes of the spec -----------------------------------------------------------------------------------------


def read_report(path: Path) -> Report | None:
    """Read what all updates since the last release found; None when there is no report.

    Raises:
        RefusalError: The file is not a report.
    """
    try:
        raw = json.loads(path.read_text("utf-8"))
        raw = raw.get("unreleased", raw)
        changes = [
            Change(SEVERITIES[SEVERITIES.index(one["severity"])], str(one["where"]), str(one["what"]))
            for one in raw["changes"]
        ]
        step = None if raw["step"] in {None, "none"} else STEPS[STEPS.index(raw["step"])]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RefusalError(f"{path.name} is not a report of `make update`: {error!r}") from None
    return Report(step, changes)


def step_for(changes: list[Change]) -> Step:
    """The step that follows from changes, and from none."""
    found = {change.severity for change in changes}
    return "major" if "breaking" in found else "minor" if "additive" in found else "patch"


def changes_since(root: Path, tag: str) -> list[Change]:
    """What differs in the spec from that of a release; an acknowledged break counts as an addition.

    Raises:
        RefusalError: One of the two cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        file = Path(folder) / "openapi.yaml"
        try:
            file.write_text(git(root, "show", f"{tag}:{SPEC}") + "\n", "utf-8")
            found = compared(read(file), read(root / SPEC))
            acknowledged = read_acknowledged(root / Path(SPEC).parent / FILE)
        except StepError:
            return []  # released before there was a spec
        except SpecError as error:
            raise RefusalError(f"the spec cannot be compared with that of {tag}: {error}") from None
    reasons = [reason_for(one, acknowledged) for one in found]
    return [
        Change("additive", one.where, f"{one.what} (acknowledged: {reason})")
        if reason
        else Change(one.severity, one.where, one.what)
        for one, reason in zip(found, reasons, strict=True)
    ]


# --- the changelog ---------------------------------------------------------------------------------------------------

_UNRELEASED = re.compile(
    r"^## (?:[0-9.]+ - )?unreleased[ \t]*\n(.*?)(?=^## |\Z)", re.MULTILINE | re.IGNORECASE | re.DOTALL
)


def released(text: str, version: Version, day: date, changes: list[Change]) -> tuple[str, str]:
    """The changelog with an entry for a version in place of its unreleased part, and that entry.

    Args:
        text: The changelog.
        version: The new version.
        day: Its date.
        changes: What changed in the spec; it is listed below what was written by hand.

    Raises:
        RefusalError: There is nothing unreleased, or there is an entry for this version.
    """
    if re.search(rf"^## {re.escape(str(version))} - (?!unreleased)", text, re.MULTILINE | re.IGNORECASE):
        raise RefusalError(f"CHANGELOG.md has an entry for {version} already")
    found = _UNRELEASED.search(text)
    written = found[1].strip("\n") if found else ""
    if not written.strip() and not changes:
        raise RefusalError("CHANGELOG.md has nothing unreleased: write what this release brings below `## Unreleased`")
    parts = [f"## {version} - {day.isoformat()}", written, _spec_part(changes)]
    entry = "\n\n".join(part for part in parts if part.strip()) + "\n"
    first = re.search(r"^## ", text, re.MULTILINE)
    start, end = found.span() if found else (first.start() if first else len(text),) * 2
    rest = text[end:]
    return text[:start].rstrip("\n") + f"\n\n{entry}" + (f"\n{rest}" if rest else ""), entry


def _spec_part(changes: list[Change]) -> str:
    """What changed in the spec; of wordings only how many."""
    lines = []
    for change in changes:
        if change.severity != "wording":
            mark = "**breaking:** " if change.severity == "breaking" else ""
            what = re.sub(r"([\\<\[`])", r"\\\1", _plain(change.what))
            lines.append(f"- {mark}`{_plain(change.where).replace('`', chr(39))}`: {what}")
    if words := len(changes) - len(lines):
        lines.append(f"- {words} of its texts and names {'has' if words == 1 else 'have'} changed, with no effect.")
    return "### The API's spec\n\n" + "\n".join(lines) if lines else ""


def _plain(text: str) -> str:
    """On one line, without invisible characters: a part of the text is the vendor's."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


# --- the release -----------------------------------------------------------------------------------------------------


def release(plan: Plan, *, keep: bool) -> None:
    """Make the commit and its files, and then bring them, with the tag, into the project.

    Raises:
        RefusalError: The two builds differ.
        StepError: The commit, a build, the check of its files or the tag failed.
    """
    tag = f"v{plan.version}"
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="release-", dir=ROOT / "build") as name:
        folder = Path(name)
        with checked_out(ROOT, "HEAD", folder / "tree") as tree:
            file = tree / VERSION_FILE
            text = re.sub(r'(?m)^__version__ = ".+"$', f'__version__ = "{plan.version}"', file.read_text("utf-8"))
            file.write_text(text, "utf-8", newline="\n")
            (tree / CHANGELOG).write_text(plan.changelog, "utf-8", newline="\n")
            git(tree, "commit", "--quiet", "--message", f"Release {plan.version}", "--", VERSION_FILE, CHANGELOG)
            commit = git(tree, "rev-parse", "HEAD")
            files = distributions(tree, folder / "dist")
        with checked_out(ROOT, commit, folder / "again") as tree:
            others = distributions(tree, folder / "others")
        if differing := sorted(name for name in files | others if files.get(name) != others.get(name)):
            raise RefusalError(f"two builds of one commit differ: {', '.join(differing)}")
        step([sys.executable, "-m", "twine", "check", "--strict", *(str(folder / "dist" / name) for name in files)])
        if not keep:
            print(f"\n{plan.entry}\nThis was a dry run: nothing was kept of {tag}.")
            return
        git(ROOT, "tag", "--annotate", tag, commit, "--message", f"Release {plan.version}")
        try:
            git(ROOT, "merge", "--quiet", "--ff-only", commit)
        except StepError:
            git(ROOT, "read-tree", "--reset", "-u", "HEAD")  # git writes files before it moves the branch
            git(ROOT, "tag", "--delete", tag)
            raise
        shutil.rmtree(ROOT / "dist", ignore_errors=True)
        (folder / "dist").replace(ROOT / "dist")
    if REPORT.exists():  # a later release must not list these changes again
        REPORT.replace(REPORT.with_stem(f"{REPORT.stem}-{plan.version}"))
    print(f"released {plan.version}: {', '.join(files)} in dist/")
    print(f"`git push --follow-tags` shares {tag}, `make publish INDEX=...` sends the files to an index")


def _version(text: str) -> Version:
    try:
        return Version.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())

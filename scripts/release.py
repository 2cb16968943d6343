"""Release the SDK: a new version, its entry in the changelog, the wheel and the sdist in dist/, a commit and a tag.

Usage: release.py [--step major|minor|patch | --version X.Y.Z] [--branch NAME] [--dry-run]

The step is that of build/spec-report.json, which `make update` writes, or a larger one; where there is no report it
must be given. As there may have been several updates, it is never less than what the spec's changes since the last
release ask for, either. Before 1.0.0 a major step raises the second number: 0.1.4 -> 0.2.0. --version says the new
version itself: 1.0.0, or, before anything was released, the version that is there.

Everything is made in a working tree of its own, and built twice in two places; this one changes at the very end, and
when something fails, or with --dry-run, not at all. Nothing is pushed. Exit status: 0 released; 1 refused or failed; 2
wrong arguments.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import spec_report
from changelog import ChangelogError, released, unreleased_version
from comparison.acknowledged import FILE, read_acknowledged, reason_for
from comparison.changes import SEVERITIES
from comparison.descriptions import compared
from comparison.reading import read
from distributions import VERSION_FILE, distributions, version_of, with_version
from environments import StepError, step
from repository import GitError, Repository
from spec_report import Change, Report, ReportError, step_for
from specification.findings import SpecError
from versions import STEPS, Step, Version, larger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "build" / "spec-report.json"
CHANGELOG = "CHANGELOG.md"
SPEC = "spec/openapi.yaml"


class RefusalError(Exception):
    """What is asked for cannot be released; nothing was changed."""


class Plan(NamedTuple):
    """What is to be released.

    Attributes:
        version: The new version.
        changelog: The new text of the changelog.
        entry: The part of it that is about the new version.
    """

    version: Version
    changelog: str
    entry: str


class Asked(NamedTuple):
    """The least step that something asks for, and what that is: `... asks`."""

    step: Step
    why: str

    def size(self) -> int:
        """How large the step is, to compare it with others."""
        return STEPS.index(self.step)


def main(argv: list[str] | None = None) -> int:
    """Release; the exit status."""
    parser = argparse.ArgumentParser(prog="release.py", description="Release the SDK: version, changelog, dist/, tag.")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--step", choices=STEPS[::-1], help="what this release brings; never less than the spec's report")
    kind.add_argument("--version", type=_version, metavar="X.Y.Z", help="the new version, in place of a step")
    parser.add_argument("--branch", default="main", metavar="NAME", help="the branch to release from (default: main)")
    parser.add_argument("--dry-run", action="store_true", help="do everything, and keep nothing of it")
    options = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was begun is undone
    repository = Repository(ROOT)
    try:
        check_state(repository, options.branch)
        plan = planned(repository, spec_report.read(REPORT), options.step, options.version)
        say(f"{version_of(ROOT)} -> {plan.version}")
        check_sources()
        release(repository, plan, keep=not options.dry_run)
    except (RefusalError, ReportError, ChangelogError, GitError, StepError, OSError) as error:
        print(f"release.py: {error}\nrelease.py: nothing was released", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("release.py: interrupted; nothing was released", file=sys.stderr)
        return 130
    return 0


def check_state(repository: Repository, branch: str) -> None:
    """Refuse to release from another state than a commit of the branch.

    Raises:
        RefusalError: The tree is not in a repository of its own, is on another branch, or differs from its commit.
    """
    if not repository.is_own():
        raise RefusalError("this folder is not the root of a git repository, and a release is a commit and a tag")
    found = repository.branch()
    if found != branch:
        where = f"the branch {found}" if found else "no branch"
        raise RefusalError(f"this is {where}, and releases are made from {branch}; --branch NAME allows another")
    if changed := repository.changed():
        shown = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")  # noqa: PLR2004
        raise RefusalError(f"commit first what differs from the last commit: {shown}")


def planned(repository: Repository, report: Report | None, step_: Step | None, wanted: Version | None) -> Plan:
    """What is to be released.

    Args:
        repository: The tree, as it is.
        report: What is known of changes of the spec.
        step_: The step that was asked for.
        wanted: The version that was asked for, in place of a step.

    Raises:
        RefusalError: There is no step, it is too small, or the version was released before.
        ChangelogError: The changelog has nothing to tell.
    """
    text = (repository.root / CHANGELOG).read_text("utf-8")
    current, last = version_of(repository.root), last_release(repository)
    changes = changes_since(repository, f"v{last}") if last else []
    asked = [Asked(step_for(changes), f"what has changed in the spec since {last} asks")] if changes else []
    if report and report.step:
        asked.append(Asked(report.step, "the spec's report asks"))
        step_ = step_ or max(asked, key=Asked.size).step
    # Before the first release, the version that has been in the making is as good as any after it.
    in_the_making = last is None and unreleased_version(text) == str(current)
    if wanted is not None:
        version = wanted if in_the_making and wanted == current else at_least(wanted, current, asked)
    elif step_ is not None:
        version = current.after(large_enough(step_, asked))
    else:
        raise RefusalError(
            "nothing says how large the step is: there is no build/spec-report.json that asks for one, so give "
            "--step major, minor or patch (make release STEP=...)"
            + (f"; for the first release, give --version {current}" if in_the_making else "")
        )
    if repository.tagged(f"v{version}"):
        raise RefusalError(f"there is a tag v{version} already")
    changes += [change for change in (report.changes if report else []) if change not in changes]
    changes.sort(key=lambda change: SEVERITIES.index(change.severity))
    return Plan(version, *released(text, version, datetime.now(UTC).date(), changes))


def large_enough(step_: Step, asked: list[Asked]) -> Step:
    """The step that is to be taken.

    Raises:
        RefusalError: It is smaller than what is asked for.
    """
    for one in asked:
        if larger(step_, one.step) != step_:
            raise RefusalError(f"a {step_} step is too small: {one.why} for a {one.step} step")
    return step_


def at_least(wanted: Version, current: Version, asked: list[Asked]) -> Version:
    """The version that is wanted.

    Raises:
        RefusalError: It is smaller than what is asked for leads to, or not after the current one.
    """
    for one in [*asked, Asked("patch", f"the version is {current}, which asks")]:
        if wanted < current.after(one.step):
            least = current.after(one.step)
            raise RefusalError(f"{wanted} is too small: {one.why} for a {one.step} step, to {least} at least")
    return wanted


def last_release(repository: Repository) -> Version | None:
    """The latest version that has a tag before the current commit; None when nothing was released."""
    found = []
    for tag in repository.tags():
        with contextlib.suppress(ValueError):
            found.append(Version.parse(tag[1:] if tag.startswith("v") else ""))
    return max(found, default=None)


def changes_since(repository: Repository, tag: str) -> list[Change]:
    """What differs in the spec from that of a release.

    Raises:
        RefusalError: One of the two cannot be read.
    """
    try:
        old = repository.git("show", f"{tag}:{SPEC}")
    except GitError:
        return []  # released before there was a spec at this place
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        file = Path(folder) / "openapi.yaml"
        file.write_text(f"{old}\n", "utf-8")
        try:
            found = compared(read(file), read(repository.root / SPEC))
        except SpecError as error:
            raise RefusalError(f"the spec cannot be compared with that of {tag}: {error}") from None
    try:
        acknowledged = read_acknowledged(repository.root / Path(SPEC).parent / FILE)
    except SpecError as error:
        raise RefusalError(str(error)) from None
    return [
        Change("additive", one.where, f"{one.what} (acknowledged: {reason})")
        if (reason := reason_for(one, acknowledged))
        else Change(one.severity, one.where, one.what)
        for one in found
    ]


def check_sources() -> None:
    """Let `make check` say whether everything that is made is what its sources give.

    Raises:
        RefusalError: It is not.
    """
    say("make check: is everything that is made what its sources give?")
    command = ["make", "--no-print-directory", "check"]
    # Make's own variables would make this a part of the make that may have started us.
    own = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    output = subprocess.run(
        command, cwd=ROOT, env=own, stdin=subprocess.DEVNULL, capture_output=True, check=False, encoding="utf-8"
    )
    if output.returncode:
        raise RefusalError(f"`make check` fails:\n{(output.stdout + output.stderr).strip()}")


def release(repository: Repository, plan: Plan, *, keep: bool) -> None:
    """Make the commit, the files of it and the tag, and only then bring them into this tree.

    Raises:
        RefusalError: The files are not the same each time, or are not fit for an index.
        StepError: A build failed.
        GitError: The commit or the tag could not be made.
    """
    tag = f"v{plan.version}"
    start = repository.head()
    with tempfile.TemporaryDirectory(prefix="release-") as name:
        folder = Path(name)
        with repository.checked_out(start, folder / "tree") as tree:
            commit = committed(tree, plan)
            say("building the wheel and the sdist")
            files = distributions(tree, folder / "dist")
        say("building them once more, elsewhere")
        with repository.checked_out(commit, folder / "again" / "tree") as tree:
            others = distributions(tree, folder / "again" / "dist")
        if differing := sorted(name for name in files | others if files.get(name) != others.get(name)):
            raise RefusalError(f"two builds of one commit differ: {', '.join(differing)}")
        say("twine check --strict")
        step([sys.executable, "-m", "twine", "check", "--strict", *(str(folder / "dist" / name) for name in files)])
        if not keep:
            say(f"\n{plan.entry}\nThis was a dry run: nothing was kept of {tag}.")
            return
        with undone_on_failure() as undo:
            repository.git("tag", "--annotate", tag, commit, "--message", f"Release {plan.version}")
            undo(lambda: repository.git("tag", "--delete", tag))
            repository.move(start, commit, f"release {plan.version}")
            undo(lambda: repository.move(commit, start, f"take back the release of {plan.version}"))
            if REPORT.exists():  # what it says is told now, and must not be told again by the next release
                told = REPORT.with_stem(f"{REPORT.stem}-{plan.version}")
                REPORT.replace(told)
                undo(lambda: told.replace(REPORT))
            put(folder / "dist", repository.root / "dist")
    say(f"released {plan.version}: {', '.join(files)} in dist/")
    say(f"`git push --follow-tags` shows {tag} to others, `make publish INDEX=...` sends the files to an index")


def committed(tree: Repository, plan: Plan) -> str:
    """Commit the new version in a tree; the commit."""
    file = tree.root / VERSION_FILE
    file.write_text(with_version(file.read_text("utf-8"), plan.version), "utf-8", newline="\n")
    (tree.root / CHANGELOG).write_text(plan.changelog, "utf-8", newline="\n")
    tree.git("commit", "--quiet", "--message", f"Release {plan.version}", "--", VERSION_FILE, CHANGELOG)
    return tree.head()


def put(made: Path, target: Path) -> None:
    """Put a folder in the place of another: all of it, or on failure the other as it was."""
    scratch = Path(tempfile.mkdtemp(prefix=".release-", dir=target.parent))
    try:
        shutil.copytree(made, scratch / "new")
        if target.exists():
            target.rename(scratch / "old")
        try:
            (scratch / "new").rename(target)
        except BaseException:
            if (scratch / "old").exists():
                (scratch / "old").rename(target)
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def undone_on_failure() -> Iterator[Callable[[Callable[[], object]], object]]:
    """Takes what undoes each thing that was done; when one fails, all before it are undone, the last one first."""
    with contextlib.ExitStack() as stack:
        yield stack.callback
        stack.pop_all()


def say(text: str) -> None:
    """Tell the person who waits."""
    print(text, flush=True)


def _version(text: str) -> Version:
    try:
        return Version.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())

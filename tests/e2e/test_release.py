"""`make release`: on copies of the project in repositories of their own; what comes out, and every refusal."""

from __future__ import annotations

import email
import hashlib
import json
import os
import re
import signal
import subprocess
import tarfile
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from environments import built, environment, step
from release import RefusalError, planned
from repository import Repository
from spec_report import Change, Report
from throwaway_repository import ROOT, Throwaway
from versions import Step, Version

if TYPE_CHECKING:
    from pathlib import Path

CHANGES = [
    {"severity": "breaking", "where": "GET /workflows/logs query status", "what": 'the value "stopped" is gone'},
    {"severity": "additive", "where": "GET /info", "what": "the response has one more field, tags"},
    {"severity": "wording", "where": "GET /info", "what": "the description differs"},
    {"severity": "wording", "where": "GET /meta", "what": "the description differs"},
]
STOPPED = Change("additive", "GET /logs query status", 'the value "stopped" is taken')
SPEC = """\
openapi: 3.1.0
info: {title: Test, version: '1'}
paths:
    /info: {get: {responses: {'200': {description: ''}}}}
    /logs: {get: {responses: {'200': {description: ''}}}}
"""
CHANGELOG = """\
# Changelog

## Unreleased

- One thing.

## 0.1.0 - 2026-01-01

- The first.
"""


def report(repository: Throwaway, step: str | None = "major", changes: list[dict[str, Any]] = CHANGES) -> None:
    verdict = {"major": "breaking", "minor": "additive"}.get(step or "", "none")
    text = json.dumps({"verdict": verdict, "step": step, "changes": changes})
    repository.write("build/spec-report.json", text)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Throwaway:
    return Throwaway.of_this_tree(tmp_path_factory.mktemp("original") / "project")


@pytest.fixture(scope="module")
def bare(original: Throwaway, tmp_path_factory: pytest.TempPathFactory) -> Throwaway:
    """The same with a changelog of the test's own, and with a `make check` that takes no time."""
    repository = original.copy(tmp_path_factory.mktemp("bare") / "project")
    repository.write("CHANGELOG.md", CHANGELOG)
    repository.without_checks()
    return repository


@pytest.fixture
def repository(bare: Throwaway, tmp_path: Path) -> Throwaway:
    return bare.copy(tmp_path / "project")


@pytest.fixture(scope="module")
def released(original: Throwaway, tmp_path_factory: pytest.TempPathFactory) -> Throwaway:
    """A release of the whole project, with the real `make check`."""
    repository = original.copy(tmp_path_factory.mktemp("released") / "project")
    repository.make_environment()
    report(repository)
    repository.write("dist/old.whl", "what was there")
    done = repository.run("release.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    steps = r"^(.* -> .*|make check|building|twine check|released [0-9.]+)"
    assert re.findall(steps, done.stdout, re.MULTILINE) == [
        *("0.1.0 -> 0.2.0", "make check", "building", "building", "twine check", "released 0.2.0")
    ]
    return repository


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Throwaway:
    """A repository with nothing but a changelog and a version."""
    root = tmp_path_factory.mktemp("tree") / "project"
    root.mkdir()
    tree = Throwaway.new(root)
    tree.write("CHANGELOG.md", CHANGELOG)
    tree.commit("Everything")
    return tree


def refused(repository: Throwaway, *arguments: str, saying: str, code: int = 1) -> None:
    """A release must say why not, and leave everything as it was."""
    before = repository.state()
    done = repository.run("release.py", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert re.search(saying, done.stderr), done.stderr
    assert done.stderr.endswith("nothing was released\n" if code == 1 else "\n")
    assert repository.state() == before


class TestReleased:
    """What there is after a release."""

    def test_there_is_one_commit_more_with_an_annotated_tag(self, released: Throwaway):
        assert released.git("log", "--format=%s", "--max-count=2") == "Release 0.2.0\nEverything"
        assert released.git("cat-file", "-t", "v0.2.0") == "tag"
        assert released.git("rev-parse", "v0.2.0^{commit}") == released.git("rev-parse", "main")
        assert released.git("diff", "--name-only", "HEAD^", "HEAD").split() == [
            *("CHANGELOG.md", "src/dify_workflow/_version.py")
        ]
        assert released.git("status", "--porcelain") == ""
        assert released.git("worktree", "list").count("\n") == 0

    def test_the_package_has_the_new_version(self, released: Throwaway):
        assert '\n__version__ = "0.2.0"\n' in released.read("src/dify_workflow/_version.py")

    def test_the_changelogs_unreleased_part_is_the_new_entry_and_tells_the_specs_changes(self, released: Throwaway):
        before = (ROOT / "CHANGELOG.md").read_text("utf-8")
        text = released.read("CHANGELOG.md")
        heading = re.search(r"^## 0\.2\.0 - (\S+)$", text, re.MULTILINE)
        assert heading
        made = datetime.fromtimestamp(int(released.git("log", "-1", "--format=%ct")), UTC)
        assert heading[1] in {moment.date().isoformat() for moment in (made, made - timedelta(minutes=5))}
        assert "unreleased" not in text.lower()
        assert set(before.splitlines()) - set(text.splitlines()) == {"## 0.1.0 - unreleased"}
        assert text.endswith(
            "\n\n### The API's spec\n\n"
            '- **breaking:** `GET /workflows/logs query status`: the value "stopped" is gone\n'
            "- `GET /info`: the response has one more field, tags\n"
            "- 2 of its texts and names have changed, and nothing by them.\n"
        )

    def test_the_report_is_told_once(self, released: Throwaway):
        assert not (released.root / "build" / "spec-report.json").exists()
        assert json.loads(released.read("build/spec-report-0.2.0.json"))["step"] == "major"

    def test_dist_holds_the_wheel_and_the_sdist_of_this_version_and_nothing_else(self, released: Throwaway):
        names = sorted(path.name for path in (released.root / "dist").iterdir())
        assert names == ["dify_workflow_sdk-0.2.0-py3-none-any.whl", "dify_workflow_sdk-0.2.0.tar.gz"]
        with zipfile.ZipFile(released.root / "dist" / names[0]) as archive:
            metadata = email.message_from_bytes(archive.read("dify_workflow_sdk-0.2.0.dist-info/METADATA"))
            assert metadata["Version"] == "0.2.0"
            assert archive.read("dify_workflow/_version.py") == released.read("src/dify_workflow/_version.py").encode()

    def test_the_times_in_the_files_are_the_commits(self, released: Throwaway):
        seconds = int(released.git("log", "-1", "--format=%ct"))
        with zipfile.ZipFile(released.root / "dist" / "dify_workflow_sdk-0.2.0-py3-none-any.whl") as archive:
            day = datetime.fromtimestamp(seconds - seconds % 2, UTC)  # zip files count in pairs of seconds
            assert {datetime(*entry.date_time, tzinfo=UTC) for entry in archive.infolist()} == {day}
        with tarfile.open(released.root / "dist" / "dify_workflow_sdk-0.2.0.tar.gz") as archive:
            assert {member.mtime for member in archive.getmembers()} == {seconds}

    def test_a_clone_elsewhere_gives_the_same_bytes(
        self, released: Throwaway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        released.git("clone", "--quiet", "--branch", "v0.2.0", str(released.root), str(tmp_path / "clone"))
        for path in (tmp_path / "clone" / "src").rglob("*"):
            path.chmod(0o777 if path.is_dir() else 0o600)
        monkeypatch.setenv("SOURCE_DATE_EPOCH", released.git("log", "-1", "--format=%ct"))
        for target in ("wheel", "sdist"):
            made = built(target, tmp_path / target, source=tmp_path / "clone")
            assert made.read_bytes() == (released.root / "dist" / made.name).read_bytes()

    def test_the_installed_wheel_tells_which_spec_it_was_made_from(self, released: Throwaway, tmp_path: Path):
        wheel = released.root / "dist" / "dify_workflow_sdk-0.2.0-py3-none-any.whl"
        python = environment(tmp_path / "fresh", requirements="runtime.txt", wheel=wheel)
        said = step(
            [
                *(str(python), "-I", "-W", "error", "-c"),
                "import dify_workflow as d; print(d.__version__, d.__spec__.title, d.__spec__.sha256, sep='\\n')",
            ]
        )
        spec = (released.root / "spec" / "openapi.yaml").read_bytes()
        assert said.splitlines() == ["0.2.0", "Dify workflow app API", hashlib.sha256(spec).hexdigest()]

    def test_the_next_release_needs_something_to_tell(self, released: Throwaway):
        refused(released, "--step", "patch", saying="nothing that is unreleased")


class TestVersions:
    """Which version comes next."""

    @pytest.mark.parametrize(
        ("current", "step", "wanted", "asked", "version"),
        [
            ("0.1.4", "patch", None, None, "0.1.5"),
            ("0.1.4", "minor", None, None, "0.2.0"),
            ("0.1.4", "major", None, None, "0.2.0"),
            ("1.2.3", "patch", None, None, "1.2.4"),
            ("1.2.3", "minor", None, None, "1.3.0"),
            ("1.2.3", "major", None, None, "2.0.0"),
            ("1.2.3", None, None, "minor", "1.3.0"),
            ("1.2.3", "major", None, "minor", "2.0.0"),
            ("1.2.3", "patch", None, "patch", "1.2.4"),
            ("0.9.1", None, "1.0.0", "major", "1.0.0"),
            ("0.9.1", None, "0.9.2", None, "0.9.2"),
        ],
    )
    def test_the_step_leads_to_the_version(
        self, tree: Throwaway, current: str, step: Step | None, wanted: str | None, asked: Step | None, version: str
    ):
        set_version(tree, current)
        known = Report(asked, []) if asked else None
        plan = planned(Repository(tree.root), known, step, Version.parse(wanted) if wanted else None)
        assert str(plan.version) == version
        assert plan.entry.startswith(f"## {version} - 20")

    @pytest.mark.parametrize(
        ("current", "step", "wanted", "asked", "saying"),
        [
            ("1.2.3", "minor", None, "major", "a minor step is too small: the spec's report asks for a major"),
            ("1.2.3", "patch", None, "minor", "a patch step is too small: the spec's report asks for a minor step"),
            ("0.2.3", "minor", None, "major", "a minor step is too small: the spec's report asks for a major"),
            ("1.2.3", None, "1.3.0", "major", "1.3.0 is too small: the spec's report asks for a major step, to 2.0.0"),
            ("1.2.3", None, "1.2.3", None, "1.2.3 is too small: the version is 1.2.3, "),
            ("1.2.3", None, "0.9.0", None, "0.9.0 is too small: the version is 1.2.3, "),
            ("1.2.3", None, None, None, "give --step major, minor or patch"),
        ],
    )
    def test_a_step_that_is_too_small_or_missing_is_refused(
        self, tree: Throwaway, current: str, step: Step | None, wanted: str | None, asked: Step | None, saying: str
    ):
        set_version(tree, current)
        known = Report(asked, []) if asked else None
        with pytest.raises(RefusalError, match=re.escape(saying)):
            planned(Repository(tree.root), known, step, Version.parse(wanted) if wanted else None)

    @pytest.mark.parametrize("known", [None, Report("patch", []), Report("minor", [STOPPED])])
    def test_what_several_updates_have_changed_since_the_last_release_is_neither_lost_nor_told_twice(
        self, tree: Throwaway, tmp_path: Path, known: Report | None
    ):
        tree = tree.copy(tmp_path / "project")
        set_version(tree, "1.2.3")
        tree.write("spec/openapi.yaml", SPEC)
        tree.commit("Be 1.2.3")
        tree.git("tag", "v1.2.3")
        tree.git("tag", "nightly")
        tree.write("spec/openapi.yaml", SPEC.replace("    /info: {get: {responses: {'200': {description: ''}}}}\n", ""))
        for asked, wanted in (("minor", None), (None, Version(1, 3, 0))):
            with pytest.raises(RefusalError, match=r"too small: what has changed in the spec since 1\.2\.3 asks for a"):
                planned(Repository(tree.root), known, asked, wanted)
        plan = planned(Repository(tree.root), known, None if known else "major", None)
        assert str(plan.version) == "2.0.0"
        told = plan.entry.splitlines()[-len(known.changes) - 1 :] if known else plan.entry.splitlines()[-1:]
        assert told[0].startswith("- **breaking:** `GET /info`")
        assert told[1:] == [f"- `{change.where}`: {change.what}" for change in (known.changes if known else [])]

    def test_a_step_smaller_than_the_reports_is_refused_on_the_command_line_too(self, repository: Throwaway):
        report(repository)
        refused(repository, "--step", "minor", saying="a minor step is too small: the spec's report asks for a major")

    def test_a_dry_run_does_everything_and_keeps_nothing(self, repository: Throwaway):
        report(repository, "minor", CHANGES[1:])
        before = repository.state()
        done = repository.run("release.py", "--dry-run", "--step", "major")
        assert done.returncode == 0, done.stderr
        assert "0.1.0 -> 0.2.0\n" in done.stdout
        assert "twine check" in done.stdout
        assert "\n## 0.2.0 - 20" in done.stdout
        assert "This was a dry run" in done.stdout
        assert repository.state() == before

    def test_the_first_release_can_be_of_the_version_that_was_in_the_making(self, repository: Throwaway):
        repository.write("CHANGELOG.md", "# Changelog\n\n## 0.1.0 - unreleased\n\n- The first.\n")
        repository.commit("Nothing was released yet")
        refused(repository, saying="give --step major, minor or patch .*; for the first release, give --version 0.1.0")
        done = repository.run("release.py", "--version", "0.1.0")
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(
            r"# Changelog\n\n## 0\.1\.0 - [0-9-]{10}\n\n- The first\.\n", repository.read("CHANGELOG.md")
        )
        assert repository.git("rev-parse", "v0.1.0^{commit}") == repository.git("rev-parse", "HEAD")
        assert repository.git("show", "--name-only", "--format=").split() == ["CHANGELOG.md"]

    @pytest.mark.parametrize(
        "arguments",
        [["--step", "huge"], ["--version", "1.2"], ["--version", "v1.2.3"], ["--step", "minor", "--version", "9.0.0"]],
    )
    def test_wrong_arguments_are_refused(self, repository: Throwaway, arguments: list[str]):
        refused(repository, *arguments, saying="usage: release.py", code=2)

    @pytest.mark.parametrize(
        ("text", "saying"),
        [
            ("{", "spec-report.json is not a report"),
            ("[]", "spec-report.json is not a report"),
            ('{"verdict": "none", "step": "patch"}', "'changes' is missing"),
            ('{"verdict": "none", "step": "huge", "changes": []}', "unknown step 'huge'"),
            ('{"step": "major", "changes": [{"severity": "bad", "where": "", "what": ""}]}', "unknown severity 'bad'"),
            ('{"step": "minor", "changes": [{"severity": "breaking", "where": "", "what": ""}]}', "contradicts itself"),
        ],
    )
    def test_a_report_that_is_none_is_refused_and_not_ignored(self, repository: Throwaway, text: str, saying: str):
        repository.write("build/spec-report.json", text)
        refused(repository, "--step", "major", saying=saying)


class TestRefusals:
    """What is not released, and that everything is as it was then."""

    def test_a_changed_file(self, repository: Throwaway):
        repository.write("README.md", "changed")
        refused(repository, "--step", "minor", saying="commit first what differs .*README.md")

    def test_a_new_file(self, repository: Throwaway):
        repository.write("src/dify_workflow/forgotten.py", "")
        refused(repository, "--step", "minor", saying="commit first what differs .*forgotten.py")

    def test_another_branch_unless_it_is_named(self, repository: Throwaway):
        repository.git("switch", "--quiet", "--create", "fixes")
        refused(repository, "--step", "minor", saying="this is the branch fixes, and releases are made from main")
        done = repository.run("release.py", "--step", "minor", "--branch", "fixes")
        assert done.returncode == 0, done.stderr
        assert repository.git("rev-parse", "fixes") == repository.git("rev-parse", "v0.2.0^{commit}")
        assert repository.git("rev-parse", "main") == repository.git("rev-parse", "fixes^")

    def test_no_branch(self, repository: Throwaway):
        repository.git("switch", "--quiet", "--detach")
        refused(repository, "--step", "minor", saying="this is no branch")

    def test_no_repository(self, repository: Throwaway):
        (repository.root / ".git").rename(repository.root.with_name("elsewhere"))
        done = repository.run("release.py", "--step", "minor")
        assert done.returncode == 1
        assert "not the root of a git repository" in done.stderr

    def test_a_tag_that_is_there(self, repository: Throwaway):
        repository.git("tag", "v0.2.0")
        refused(repository, "--step", "minor", saying="there is a tag v0.2.0 already")

    def test_an_entry_that_is_there(self, repository: Throwaway):
        repository.write("CHANGELOG.md", CHANGELOG.replace("0.1.0", "0.2.0"))
        repository.commit("Tell of 0.2.0 before it is made")
        refused(repository, "--step", "minor", saying="has an entry for 0.2.0 already")

    @pytest.mark.parametrize("part", ["", "## Unreleased\n\n"])
    def test_a_changelog_with_nothing_to_tell(self, repository: Throwaway, part: str):
        repository.write("CHANGELOG.md", f"# Changelog\n\n{part}## 0.1.0 - 2026-01-01\n\n- The first.\n")
        repository.commit("Say nothing")
        refused(repository, "--step", "minor", saying="nothing that is unreleased")

    def test_a_check_that_fails(self, repository: Throwaway):
        repository.write("Makefile", "check:\n\t@echo spec/openapi.yaml is not what its sources give >&2; exit 1\n")
        repository.commit("Fail")
        refused(
            repository, "--step", "minor", saying=r"`make check` fails:\nspec/openapi.yaml is not what its sources give"
        )

    def test_a_build_that_fails(self, repository: Throwaway):
        repository.write(
            "pyproject.toml", repository.read("pyproject.toml").replace('readme = "README.md"', 'readme = "NO.md"')
        )
        repository.commit("Name a readme that is not there")
        refused(repository, "--step", "minor", saying="hatchling build")

    def test_a_build_that_differs_each_time(self, repository: Throwaway):
        repository.write(
            "pyproject.toml",
            repository.read("pyproject.toml") + "\n[tool.hatch.build.targets.wheel.hooks.custom]\npath = 'hook.py'\n",
        )
        repository.write(
            "hook.py",
            "import uuid, pathlib\nfrom hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
            "class Hook(BuildHookInterface):\n"
            "    def initialize(self, version, build_data):\n"
            "        path = pathlib.Path(self.root, 'src/dify_workflow/_made.py')\n"
            "        path.write_text(str(uuid.uuid4()))\n"
            "        build_data['artifacts'].append('src/dify_workflow/_made.py')\n",
        )
        repository.commit("Let chance into the wheel")
        refused(repository, "--step", "minor", saying=r"two builds of one commit differ: dify_workflow_sdk-0.2.0-py3")

    def test_a_description_that_no_index_can_show(self, repository: Throwaway):
        text = repository.read("pyproject.toml").replace('readme = "README.md"', 'readme = "README.rst"')
        repository.write("pyproject.toml", text)
        repository.write("README.rst", "Title\n===\n\n.. nothing-like-this::\n")
        repository.commit("Write a readme that cannot be shown")
        refused(repository, "--step", "minor", saying="twine check")

    def test_a_commit_that_a_hook_refuses(self, repository: Throwaway):
        hook(repository, "commit-msg", "echo no such messages here >&2; exit 1")
        refused(repository, "--step", "minor", saying="git commit: no such messages here")

    def test_nobody_to_sign_the_commit(self, repository: Throwaway):
        for name in ("user.name", "user.email"):
            repository.git("config", "--unset", name)
        repository.git("config", "user.useConfigOnly", "true")
        refused(repository, "--step", "minor", saying="git commit: ")

    def test_a_branch_that_cannot_move_takes_the_tag_back(self, repository: Throwaway):
        report(repository)
        before = repository.state()
        # The tag has been made when git asks this hook whether the branch may move.
        refuse = (
            '[ "$1" = prepared ] && grep -q refs/heads/main && git rev-parse -q --verify refs/tags/v0.2.0 && exit 1'
        )
        hook(repository, "reference-transaction", f"{refuse}\nexit 0")
        done = repository.run("release.py")
        assert done.returncode == 1, done.stdout
        assert "git update-ref" in done.stderr
        assert repository.state() == before

    def test_a_dist_that_cannot_be_replaced_takes_everything_back(self, repository: Throwaway):
        report(repository)
        repository.write(".git/info/exclude", "dist\n")
        (repository.root / "dist").symlink_to("nowhere")
        refused(repository, saying="Not a directory.* -> ")

    def test_being_stopped(self, repository: Throwaway):
        repository.write("Makefile", "check:\n\t@touch build/reached; sleep 60\n")
        repository.commit("Take long to check")
        report(repository)
        before = repository.state()
        with subprocess.Popen(
            repository.command("release.py"),
            cwd=repository.root,
            env=repository.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        ) as process:
            assert process.stdout
            while "make check" not in process.stdout.readline():
                pass
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate(timeout=30)
        assert process.returncode == 143
        (repository.root / "build" / "reached").unlink(missing_ok=True)
        assert repository.state() == before


def set_version(repository: Throwaway, version: str) -> None:
    repository.write("src/dify_workflow/_version.py", f'__version__ = "{version}"\n')


def hook(repository: Throwaway, name: str, text: str) -> None:
    path = repository.root / ".git" / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)

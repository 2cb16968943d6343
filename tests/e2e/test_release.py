"""`make release` on copies of the project in repositories of their own: what it makes, and what it refuses."""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from diff.changes import Change
from release import RefusalError, Report, check_state, planned
from support.release_repository import CHANGELOG, ReleaseRepository
from versions import Step, Version

if TYPE_CHECKING:
    from pathlib import Path

WHEEL, SDIST = "dify_workflow_sdk-0.2.0-py3-none-any.whl", "dify_workflow_sdk-0.2.0.tar.gz"
CHANGES = [
    {"severity": "breaking", "where": "GET /workflows/logs query status", "what": 'the value "stopped" is gone'},
    {"severity": "additive", "where": "GET /info", "what": "the response has one more field, tags"},
    {"severity": "wording", "where": "GET /info", "what": "the description differs"},
]
SPEC = """\
openapi: 3.1.0
info: {title: Test, version: '1'}
paths:
    /info: {get: {responses: {'200': {description: ''}}}}
    /logs: {get: {responses: {'200': {description: ''}}}}
"""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> ReleaseRepository:
    return ReleaseRepository.of_this_project(tmp_path_factory.mktemp("original"))


@pytest.fixture
def repository(original: ReleaseRepository, tmp_path: Path) -> ReleaseRepository:
    return original.copy(tmp_path / "project")


def refused(repository: ReleaseRepository, *arguments: str, saying: str) -> None:
    before = repository.state()
    done = repository.run("release.py", *arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(saying, done.stderr), done.stderr
    assert done.stderr.endswith("nothing was released\n")
    assert repository.state() == before


def test_a_release_is_a_commit_a_tag_and_two_files(repository: ReleaseRepository):
    repository.write("build/spec-report.json", json.dumps({"step": "major", "changes": CHANGES}))
    repository.write("dist/old.whl", "from before")
    before = repository.state()
    done = repository.run("release.py", "--dry-run")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "0.1.0 -> 0.2.0\n" in done.stdout
    assert "\n## 0.2.0 - 20" in done.stdout
    assert repository.state() == before

    done = repository.run("release.py")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert repository.git("log", "--format=%s", "--max-count=2") == "Release 0.2.0\nEverything"
    assert repository.git("cat-file", "-t", "v0.2.0") == "tag"
    assert repository.git("rev-parse", "v0.2.0^{commit}") == repository.git("rev-parse", "main")
    changed = repository.git("diff", "--name-only", "HEAD^", "HEAD").split()
    assert changed == ["CHANGELOG.md", "src/dify_workflow/_version.py"]
    assert repository.git("status", "--porcelain") == ""
    assert repository.git("worktree", "list").count("\n") == 0
    assert (
        (repository.root / "CHANGELOG.md")
        .read_text("utf-8")
        .partition("\n- One thing.\n")[2]
        .startswith(
            "\n### The API's spec\n\n"
            '- **breaking:** `GET /workflows/logs query status`: the value "stopped" is gone\n'
            "- `GET /info`: the response has one more field, tags\n"
            "- 1 of its texts and names has changed, with no effect.\n\n## 0.1.0 - "
        )
    )
    reports = sorted(path.name for path in (repository.root / "build").iterdir())
    assert reports == ["spec-report-0.2.0.json"]
    assert sorted(path.name for path in (repository.root / "dist").iterdir()) == [WHEEL, SDIST]
    seconds = int(repository.git("log", "-1", "--format=%ct"))
    with tarfile.open(repository.root / "dist" / SDIST) as archive:
        assert {member.mtime for member in archive.getmembers()} == {seconds}
    with zipfile.ZipFile(repository.root / "dist" / WHEEL) as archive:
        assert b'__version__ = "0.2.0"' in archive.read("dify_workflow/_version.py")


@pytest.fixture(scope="module")
def tree(original: ReleaseRepository, tmp_path_factory: pytest.TempPathFactory) -> ReleaseRepository:
    """A repository to plan releases of, whose spec is small and whose version is written by each test."""
    tree = original.copy(tmp_path_factory.mktemp("tree") / "project")
    tree.write("spec/openapi.yaml", SPEC)
    return tree


def plan(tree: ReleaseRepository, current: str, step: Step | None, wanted: str | None, report: Report | None) -> Any:
    tree.write("src/dify_workflow/_version.py", f'__version__ = "{current}"\n')
    return planned(tree.root, report, step, Version.parse(wanted) if wanted else None)


@pytest.mark.parametrize(
    ("current", "step", "wanted", "asked", "version"),
    [
        ("0.1.4", "patch", None, None, "0.1.5"),
        ("0.1.4", "major", None, None, "0.2.0"),
        ("1.2.3", "major", None, None, "2.0.0"),
        ("1.2.3", None, None, "minor", "1.3.0"),
        ("1.2.3", "major", None, "minor", "2.0.0"),
        ("1.2.3", "patch", None, "patch", "1.2.4"),
        ("0.9.1", None, "1.0.0", "major", "1.0.0"),
        ("0.2.0", None, "0.2.0", "major", "0.2.0"),  # nothing was released: any version is the first
    ],
)
def test_the_step_leads_to_the_version(
    tree: ReleaseRepository, current: str, step: Step | None, wanted: str | None, asked: Step | None, version: str
):
    made = plan(tree, current, step, wanted, Report(asked, []) if asked else None)
    assert str(made.version) == version
    assert made.entry.startswith(f"## {version} - 20")


@pytest.mark.parametrize(
    ("current", "step", "wanted", "asked", "saying"),
    [
        ("1.2.3", "minor", None, "major", "a minor step is too small: the spec's changes require a major step"),
        ("0.2.3", "minor", None, "major", "a minor step is too small: the spec's changes require a major step"),
        ("1.2.3", None, "1.3.0", "major", "1.3.0 is too small: after 1.2.3, a major step leads to 2.0.0"),
        ("1.2.3", None, "0.9.0", None, "0.9.0 is too small: after 1.2.3, a patch step leads to 1.2.4"),
        ("1.2.3", None, None, None, "give STEP=major, minor or patch"),
    ],
)
def test_a_step_that_is_too_small_or_missing_is_refused(
    tree: ReleaseRepository, current: str, step: Step | None, wanted: str | None, asked: Step | None, saying: str
):
    with pytest.raises(RefusalError, match=re.escape(saying)):
        plan(tree, current, step, wanted, Report(asked, []) if asked else None)


@pytest.mark.parametrize(("severity", "least"), [("breaking", "major"), ("additive", "minor")])
def test_changes_of_a_report_count_more_than_its_step(tree: ReleaseRepository, severity: Any, least: str):
    report = Report("patch", [Change(severity, "GET /info", "differs")])
    with pytest.raises(RefusalError, match=f"too small: the spec's changes require a {least} step"):
        plan(tree, "1.2.3", "patch", None, report)


def test_the_spec_is_compared_with_that_of_the_last_release(tree: ReleaseRepository, tmp_path: Path):
    tree = tree.copy(tmp_path / "project")
    tree.write("src/dify_workflow/_version.py", '__version__ = "1.2.3"\n')
    tree.commit("Be 1.2.3")
    tree.git("tag", "v1.2.3")
    tree.git("tag", "nightly")
    tree.write("spec/openapi.yaml", "".join(SPEC.splitlines(keepends=True)[:-2]) + SPEC.splitlines()[-1] + "\n")
    with pytest.raises(RefusalError, match="too small: the spec's changes require a major step"):
        plan(tree, "1.2.3", "minor", None, None)
    known = Report("minor", [Change("additive", "GET /logs query status", 'the value "stopped" is taken')])
    made = plan(tree, "1.2.3", None, None, known)
    assert str(made.version) == "2.0.0"
    first, second = made.entry.splitlines()[-2:]
    assert first.startswith("- **breaking:** `GET /info`")
    assert second == '- `GET /logs query status`: the value "stopped" is taken'


def test_other_states_than_a_commit_of_main_are_refused(repository: ReleaseRepository):
    check_state(repository.root, "main")
    repository.git("tag", "v0.2.0")
    with pytest.raises(RefusalError, match=r"there is a tag v0\.2\.0 already"):
        plan(repository, "0.1.0", "minor", None, None)
    repository.write("src/dify_workflow/forgotten.py", "")
    with pytest.raises(RefusalError, match=r"(?s)commit first what differs .*forgotten\.py"):
        check_state(repository.root, "main")
    repository.commit("Add it")
    repository.git("switch", "--quiet", "--create", "fixes")
    check_state(repository.root, "fixes")
    with pytest.raises(RefusalError, match="this is fixes, and releases are made from main"):
        check_state(repository.root, "main")
    repository.git("switch", "--quiet", "--detach")
    with pytest.raises(RefusalError, match="this is no branch"):
        check_state(repository.root, "main")


def test_a_report_that_cannot_be_read_is_refused(repository: ReleaseRepository):
    repository.write("build/spec-report.json", "{")
    refused(repository, "--step", "minor", saying="spec-report.json is not a report")


HOOK = """\
import uuid, pathlib
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        path = pathlib.Path(self.root, 'src/dify_workflow/_made.py')
        path.write_text(str(uuid.uuid4()))
        build_data['artifacts'].append('src/dify_workflow/_made.py')
"""
IS_HOOK = "\n[tool.hatch.build.targets.wheel.hooks.custom]\npath = 'hook.py'\n"
FAILURES = {
    "has an entry for 0.2.0 already": {"CHANGELOG.md": CHANGELOG.replace("0.1.0", "0.2.0")},
    "nothing unreleased": {"CHANGELOG.md": "# Changelog\n\n## Unreleased\n\n## 0.1.0 - 2026-01-01\n"},
    "the spec differs": {"Makefile": "check:\n\t@echo the spec differs >&2; exit 1\n"},
    "hatchling build": {"pyproject.toml": "README.md = LICENSE.md"},
    "twine check": {"pyproject.toml": "README.md = README.rst", "README.rst": "Title\n===\n\n.. nothing-like-this::\n"},
    f"two builds of one commit differ: {WHEEL}": {"hook.py": HOOK, "pyproject.toml": IS_HOOK},
    "no such messages here": {".git/hooks/commit-msg": "#!/bin/sh\necho no such messages here >&2; exit 1\n"},
    "git merge": {".git/hooks/reference-transaction": '#!/bin/sh\n[ "$1" != prepared ] || ! grep -q heads/main\n'},
}


@pytest.mark.parametrize("saying", FAILURES)
def test_what_fails_leaves_everything_as_it_was(repository: ReleaseRepository, saying: str):
    for name, text in FAILURES[saying].items():
        if name == "pyproject.toml":
            before, _, after = text.partition(" = ") if text.startswith("README") else ("", "", "")
            settings = (repository.root / name).read_text("utf-8")
            text = settings.replace(before, after) if before else settings + text  # noqa: PLW2901 - the file's new text
        repository.write(name, text)
        (repository.root / name).chmod(0o755)
    if not any(name.startswith(".git/") for name in FAILURES[saying]):
        repository.commit("Break the release")
    refused(repository, "--step", "minor", saying=saying)

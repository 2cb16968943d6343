"""The workflow files for a CI service: what can be known of them without one."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
FILES = {path.name: path.read_text("utf-8") for path in sorted((ROOT / ".github" / "workflows").glob("*"))}
WORKFLOWS: dict[str, dict[str, Any]] = {name: YAML(typ="safe", pure=True).load(text) for name, text in FILES.items()}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def jobs(name: str) -> dict[str, dict[str, Any]]:
    return WORKFLOWS[name]["jobs"]


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in jobs(name).values() for step in job["steps"]]


def commands(name: str) -> list[str]:
    """What its steps run, with what a file of the project runs in its turn."""
    return [step["run"] for step in steps(name) if "run" in step]


def test_there_are_these_workflows():
    assert set(WORKFLOWS) == {"ci.yml", "docs.yml", "try-generator.yml", "update-spec.yml"}


@pytest.mark.parametrize("name", FILES)
def test_a_workflow_names_events_permissions_and_time_limits(name: str):
    workflow = WORKFLOWS[name]
    assert workflow["on"]
    assert workflow["permissions"] in ({}, {"contents": "read"})
    assert workflow["jobs"]
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= (45 if name == "ci.yml" else 30)  # it installs, and runs the whole suite
        assert re.fullmatch(r"ubuntu-[0-9.]+", job["runs-on"])


@pytest.mark.parametrize("name", FILES)
def test_every_action_is_pinned_to_a_commit_and_says_its_version(name: str):
    uses = re.findall(r"^\s*(?:- )?uses: (.+)$", FILES[name], re.MULTILINE)
    assert len(uses) == sum("uses" in step for step in steps(name)) >= 2
    for line in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+", line), line


@pytest.mark.parametrize("name", FILES)
def test_every_make_target_that_is_called_exists(name: str):
    called = {target for text in commands(name) for target in re.findall(r"\bmake ([a-z-]+)", text)}
    assert called <= TARGETS
    for text in commands(name):
        for program in re.findall(r"(?:^|\$\()(\.ci/\S+)", text, re.MULTILINE):
            assert (ROOT / program).stat().st_mode & 0o111
            assert set(re.findall(r"\bmake ([a-z-]+)", (ROOT / program).read_text("utf-8"))) <= TARGETS


@pytest.mark.parametrize("name", FILES)
def test_shells_parse_every_step_and_no_step_embeds_input(name: str):
    for text in commands(name):
        read = subprocess.run(["bash", "-n"], input=text, text=True, check=False)  # noqa: S607 - the one on PATH
        assert read.returncode == 0, text
        assert "${{" not in text  # values come in the environment, where they are never read as commands


def test_ci_runs_all_checks_on_every_supported_python():
    (job,) = jobs("ci.yml").values()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    supported = re.findall(r"Python :: (3\.[0-9]+)$", "\n".join(project["classifiers"]), re.MULTILINE)
    assert job["strategy"]["matrix"]["python"] == supported
    assert commands("ci.yml") == [".ci/run"]
    assert "permissions" not in job


class TestUpdate:
    """The scheduled update."""

    def test_it_runs_on_a_schedule_and_by_hand(self):
        on = WORKFLOWS["update-spec.yml"]["on"]
        assert [len(shlex.split(entry["cron"])) for entry in on["schedule"]] == [5]
        assert "workflow_dispatch" in on

    def test_the_document_comes_by_https_from_the_variable(self):
        (fetch,) = [step for step in steps("update-spec.yml") if "curl" in step.get("run", "")]
        assert fetch["env"] == {"SPEC_URL": "${{ vars.SPEC_URL }}"}
        assert "--proto '=https'" in fetch["run"]
        assert "--fail" in fetch["run"]


@pytest.mark.parametrize(
    ("name", "program", "writes"),
    [
        ("update-spec.yml", "update-spec", {"contents": "write", "issues": "write", "pull-requests": "write"}),
        ("try-generator.yml", "try-generator", {"contents": "read", "issues": "write"}),
    ],
)
class TestOutside:
    """The workflows that handle what comes from outside, each on a schedule and by hand."""

    def test_what_handles_it_may_write_nothing(self, name: str, program: str, writes: dict[str, str]):
        handle, propose = jobs(name).values()
        assert {"schedule", "workflow_dispatch"} <= WORKFLOWS[name]["on"].keys()
        assert handle["permissions"] == {"contents": "read"}
        assert all(step["with"]["persist-credentials"] is False for step in handle["steps"] if "checkout" in str(step))
        assert not [step for step in handle["steps"] if "github.token" in str(step)]
        assert any(f".ci/{program}" in step.get("run", "") for step in handle["steps"])
        assert propose["permissions"] == writes

    def test_what_writes_runs_nothing_of_it(self, name: str, program: str, writes: dict[str, str]):
        assert program
        assert writes
        _, propose = jobs(name).values()
        (text,) = [step["run"] for step in propose["steps"] if "run" in step]
        assert text.startswith('.ci/propose "$RUNNER_TEMP/')
        script = (ROOT / ".ci" / "propose").read_text("utf-8")
        assert not re.search(r"\bmake\b|python|scripts/|eval|source ", script)
        assert "--exclude='.github/*'" in script

    def test_the_report_is_kept_and_shown_whatever_came_of_it(self, name: str, program: str, writes: dict[str, str]):
        assert program
        assert writes
        handle, propose = jobs(name).values()
        (upload,) = [step for step in handle["steps"] if "upload-artifact" in step.get("uses", "")]
        assert upload["if"] == "always()"
        assert "body.md" in "".join(step.get("run", "") for step in handle["steps"])
        assert "if" not in propose  # also when decisions are needed


# What a document may say to be taken for a command of the shell, of the workflow, or for the end of the text.
HOSTILE = "::set-output name=x::1\n::error::no\n$(touch hurt) `touch hurt`; touch hurt\n'\"\n```\n---\n-- EOF\n"
UPDATE = """\
import pathlib, sys
hostile = pathlib.Path(__file__).with_name("hostile").read_text()
print(hostile)
print(hostile, file=sys.stderr)
if REPORT:
    pathlib.Path("build").mkdir(exist_ok=True)
    pathlib.Path("build/spec-report.md").write_text("# Summary\\n" + hostile)
    pathlib.Path("build/spec-report.json").write_text("{}")
if CHANGE:
    pathlib.Path("spec").mkdir(exist_ok=True)
    pathlib.Path("spec/openapi.yaml").write_text(hostile)
sys.exit(STATUS)
"""
GH = """\
#!/bin/sh
printf '%s\\n' "$*" >> "$GH_LOG"
for argument; do case $previous in --body-file) cp "$argument" "$GH_LOG.body" ;; esac; previous=$argument; done
case "$1 $2" in 'issue list') echo "$OPEN_ISSUE" ;; 'pr list') echo "$OPEN_PR" ;; esac
"""


class Runner:
    """The programs of the workflows, an update that follows a script, and a `gh` that notes its calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "project"
        shutil.copytree(ROOT / ".ci", self.root / ".ci")
        (self.root / "scripts").mkdir()
        (self.root / "scripts" / "hostile").write_text(HOSTILE)
        (self.root / ".gitignore").write_text("build/\n")
        (folder / "bin").mkdir()
        gh = folder / "bin" / "gh"
        gh.write_text(GH)
        gh.chmod(0o755)
        self.log = folder / "gh.log"

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        names = ("-c", "user.name=T", "-c", "user.email=t@example.com")
        command = ["git", *names, *arguments]
        return subprocess.run(command, cwd=cwd or self.root, check=True, capture_output=True, text=True).stdout

    def commit(self) -> None:
        self.git("init", "-q", "-b", "main")
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "Begin")

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "PYTHON": sys.executable,
            "GH_LOG": str(self.log),
            "OPEN_ISSUE": "",
            "OPEN_PR": "",
            "RUN_URL": "https://ci.example/1",
            "BASE": "main",
        }
        return subprocess.run(
            command, cwd=self.root, env=environment | variables, check=False, capture_output=True, text=True
        )

    def updated(self, *, status: int, report: bool, change: bool) -> str:
        program = UPDATE.replace("REPORT", str(report)).replace("CHANGE", str(change)).replace("STATUS", str(status))
        (self.root / "scripts" / "update.py").write_text(program)
        self.commit()
        done = self.run(".ci/update-spec", "given.json", "build/change")
        assert (done.returncode, done.stderr) == (0, "")
        assert not list(self.root.rglob("hurt"))
        return done.stdout

    @property
    def gathered(self) -> set[str]:
        return {path.name for path in (self.root / "build" / "change").iterdir()}

    def proposed(self, result: str, **variables: str) -> str:
        remote = self.folder / "remote.git"
        self.git("init", "-q", "--bare", str(remote))
        clone = self.folder / "clone"
        self.git("stash", "-q", "--include-untracked")
        self.git("clone", "-q", str(self.root), str(clone))
        self.git("remote", "set-url", "origin", str(remote), cwd=clone)
        change = self.root / "build" / "change"
        done = subprocess.run(
            [".ci/propose", str(change), result, "update-spec", "Update the spec"],
            cwd=clone,
            env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "HOME": str(self.folder),
                "GH_LOG": str(self.log),
                "RUN_URL": "https://ci.example/1",
                "BASE": "main",
                "OPEN_ISSUE": "",
                "OPEN_PR": "",
                **variables,
            },
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert not list(clone.rglob("hurt"))
        return self.log.read_text()


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


class TestPrograms:
    """The programs of the workflows, with text from outside that wants to be a command."""

    @pytest.mark.parametrize(
        ("status", "report", "change", "word"),
        [
            (0, True, True, "changed"),
            (0, True, False, "same"),
            (3, True, False, "decisions"),
            (1, True, False, "broken"),
            (1, False, False, "broken"),
        ],
    )
    def test_an_update_is_gathered_whatever_came_of_it(
        self, runner: Runner, status: int, report: bool, change: bool, word: str
    ):
        assert runner.updated(status=status, report=report, change=change) == f"{word}\n"
        files = {"output.txt", "body.md"} | ({"spec-report.md", "spec-report.json"} if report else set())
        assert runner.gathered == files | ({"update.patch"} if change else set())
        body = (runner.root / "build" / "change" / "body.md").read_text()
        assert "touch hurt" in body
        if not report:  # as code, which nothing in it can end
            assert all(line.startswith("    ") for line in body.splitlines()[2:])

    def test_a_change_becomes_a_pull_request(self, runner: Runner):
        runner.updated(status=0, report=True, change=True)
        log = runner.proposed("changed", OPEN_ISSUE="7")
        assert "pr create --base main --head update-spec" in log
        assert "issue close 7" in log
        assert HOSTILE in Path(f"{runner.log}.body").read_text()
        assert runner.git("show", "update-spec:spec/openapi.yaml", cwd=runner.folder / "clone") == HOSTILE
        branches = runner.git("branch", cwd=runner.folder / "remote.git")
        assert "update-spec" in branches

    def test_an_open_pull_request_is_renewed(self, runner: Runner):
        runner.updated(status=0, report=True, change=True)
        log = runner.proposed("changed", OPEN_PR="8")
        assert "pr edit update-spec --body-file" in log
        assert "pr create" not in log

    @pytest.mark.parametrize(("result", "status"), [("decisions", 3), ("broken", 1)])
    def test_what_was_refused_becomes_an_issue(self, runner: Runner, result: str, status: int):
        runner.updated(status=status, report=True, change=False)
        log = runner.proposed(result)
        assert f"issue create --label update-spec --title Update the spec: {result} --body-file" in log
        assert "pr " not in log
        body = Path(f"{runner.log}.body").read_text()
        assert HOSTILE in body
        assert "https://ci.example/1" in body

    def test_an_open_issue_is_renewed(self, runner: Runner):
        runner.updated(status=3, report=True, change=False)
        assert "issue edit 7 --body-file" in runner.proposed("decisions", OPEN_ISSUE="7")

    def test_nothing_new_closes_the_issue(self, runner: Runner):
        runner.updated(status=0, report=True, change=False)
        log = runner.proposed("same", OPEN_ISSUE="7")
        assert "issue close 7" in log
        assert "create" not in log

    def test_a_body_is_cut_at_a_line(self, runner: Runner):
        lines = [f"{i} é" * 9 for i in range(200)]
        text = "\n".join(lines) + "\n"
        (runner.root / "long").write_text(text, "utf-8")
        done = runner.run(".ci/cut", "long", MOST_BYTES="3000")
        kept = done.stdout.removesuffix("\nThe rest is in the artifact of the run.\n")
        assert text.startswith(kept)
        assert kept.endswith("\n")
        assert 2900 < len(kept.encode()) <= 3000
        assert runner.run(".ci/cut", "long").stdout == text


def test_each_version_of_the_documentation_stays_published(tmp_path):
    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    author = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **author}
    clone, remote, site = tmp_path / "clone", tmp_path / "remote", tmp_path / "site"
    clone.mkdir()
    site.mkdir()
    run("git", "init", "--quiet", "--bare", str(remote))
    run("git", "clone", "--quiet", str(remote), ".")
    run("git", "commit", "--quiet", "--allow-empty", "--message", "Begin")
    for version in ("0.9.0", "0.10.0", "0.9.1"):
        (site / "index.html").write_text(version)
        run(str(ROOT / ".ci" / "publish-docs"), str(site), version)
    published = {
        place: run("git", "-C", str(remote), "show", f"gh-pages:{place}index.html")
        for place in ("", "0.9.0/", "0.10.0/", "0.9.1/")
    }
    assert published == {"": "0.10.0", "0.9.0/": "0.9.0", "0.10.0/": "0.10.0", "0.9.1/": "0.9.1"}

"""The workflow files for a CI service: what can be known of them without one."""

from __future__ import annotations

import re
import shlex
import subprocess
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
    assert set(WORKFLOWS) == {"ci.yml", "update-spec.yml"}


@pytest.mark.parametrize("name", FILES)
def test_a_workflow_names_its_events_its_permissions_and_a_limit_for_each_job(name: str):
    workflow = WORKFLOWS[name]
    assert workflow["on"]
    assert workflow["permissions"] in ({}, {"contents": "read"})
    assert workflow["jobs"]
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 30
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
        for program in re.findall(r"^(\.\S+)", text, re.MULTILINE):
            assert (ROOT / program).stat().st_mode & 0o111
            assert set(re.findall(r"\bmake ([a-z-]+)", (ROOT / program).read_text("utf-8"))) <= TARGETS


@pytest.mark.parametrize("name", FILES)
def test_a_shell_can_read_every_step_and_no_step_has_a_value_from_outside_in_its_text(name: str):
    for text in commands(name):
        read = subprocess.run(["bash", "-n"], input=text, text=True, check=False)  # noqa: S607 - the one on PATH
        assert read.returncode == 0, text
        assert "${{" not in text  # values come in the environment, where they are never read as commands


def test_ci_runs_what_must_pass_on_every_python_that_is_supported():
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

    def test_what_handles_the_vendors_document_may_write_nothing_and_what_writes_runs_nothing_of_it(self):
        update, propose = jobs("update-spec.yml").values()
        assert update["permissions"] == {"contents": "read"}
        assert all(step["with"]["persist-credentials"] is False for step in update["steps"] if "checkout" in str(step))
        assert propose["permissions"] == {"contents": "write", "pull-requests": "write"}
        texts = [step["run"] for step in propose["steps"] if "run" in step]
        assert not [text for text in texts if re.search(r"\bmake\b|python|scripts/", text)]
        tokens = [step for step in steps("update-spec.yml") if "github.token" in str(step)]
        assert [step["run"] for step in tokens] == texts

    def test_the_document_comes_by_https_alone_from_the_repositorys_variable(self):
        (fetch,) = [step for step in steps("update-spec.yml") if "curl" in step.get("run", "")]
        assert fetch["env"] == {"SPEC_URL": "${{ vars.SPEC_URL }}"}
        assert "--proto '=https'" in fetch["run"]
        assert "--fail" in fetch["run"]

    def test_the_report_is_the_text_of_the_change(self):
        kept = next(text for text in commands("update-spec.yml") if "spec-report.md" in text)
        proposed = commands("update-spec.yml")[-1]
        assert "build/change/report.md" in kept
        assert proposed.count('--body-file "$RUNNER_TEMP/change/report.md"') == 2

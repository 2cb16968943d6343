"""The command `update.py`: it ends as it says, whatever happens to it, and the project is whole at every end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import vendor_documents as vendor

ROOT = Path(__file__).parent.parent.parent
LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "build", "dist", "__pycache__", "*.pyc", ".*_cache", ".hypothesis")
WIDER = (
    "tests/contract/test_completeness.py",
    "tests/contract/test_public_api.py::test_the_public_api_is_the_stored_one",
)


def add_price(document: dict[str, Any]) -> None:
    response = document["paths"]["/workflows/logs"]["get"]["responses"]["200"]["content"]["application/json"]
    run = response["schema"]["properties"]["data"]["items"]["properties"]["workflow_run"]
    run["properties"]["price"] = {"type": "number"}


def everything(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.relative_to(root).parts[0] != "build"
    }


class Project:
    """A copy of the project, a folder for what the vendor gives, and one for temporary files."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.inbox = folder / "inbox"
        self.scratch = folder / "scratch"
        shutil.copytree(ROOT, self.root, symlinks=True, ignore=LEFT_OUT)
        (self.root / "not-tracked.txt").write_text("notes")
        self.inbox.mkdir()
        self.scratch.mkdir()

    def given(self) -> Path:
        """A newer document: its runs have a price."""
        return vendor.written(self.inbox, vendor.changed(add_price))

    def start(self, *arguments: str, script: str = "update.py") -> subprocess.Popen[str]:
        paths = os.pathsep.join(str(self.root / name) for name in ("src", "generated"))
        return subprocess.Popen(
            [sys.executable, str(self.root / "scripts" / script), *arguments],
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(self.scratch)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, *arguments: str, script: str = "update.py") -> tuple[int, str, str]:
        process = self.start(*arguments, script=script)
        out, err = process.communicate()
        return process.returncode, out, err


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.mark.slow
def test_what_an_update_leaves_is_what_its_sources_give(project: Project) -> None:
    file = project.given()
    code, out, err = project.run(str(file), *(f"--tests={test}" for test in WIDER))
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].startswith("taken; verdict: additive; version step: minor")
    assert "  spec/upstream/dify-service.structure.yaml\n" in out
    for script in ("compile_spec.py", "generate.py", "mirror.py", "reference.py", "public_api.py"):
        code, out, err = project.run("--check", script=script)
        assert (code, out) == (0, ""), script
        assert not err or err.startswith("to do: WorkflowRunSummary.price needs a text"), err
    model = project.root / "generated" / "dify_workflow_api" / "models" / "workflow_run_summary.py"
    assert "price: float | None" in model.read_text("utf-8")
    assert "    price: float | None" in (project.root / "tests" / "contract" / "public_api.txt").read_text("utf-8")
    assert list(project.scratch.glob("update-*")) == []
    data = json.loads((project.root / "build" / "spec-report.json").read_text("utf-8"))
    assert data["contract"]["failed"] == 0
    assert data["contract"]["passed"] > 15
    assert [change["severity"] for change in data["api"]] == ["additive"]


@pytest.mark.parametrize(
    ("stage", "number", "expected"),
    [
        ("generating the client", signal.SIGINT, 130),
        ("running the contract tests", signal.SIGINT, 130),
        ("running the contract tests", signal.SIGTERM, 143),
    ],
)
def test_an_update_that_is_interrupted_leaves_everything_as_it_was(
    project: Project, stage: str, number: signal.Signals, expected: int
) -> None:
    before = everything(project.root)
    process = project.start(str(project.given()), "--tests=tests/contract", "--tests=-x")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(stage):
            break
    else:
        pytest.fail("it ended before")
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    _, err = process.communicate()
    assert process.returncode == expected
    assert "Traceback" not in err
    assert everything(project.root) == before
    assert not (project.root / "build").exists()
    assert list(project.scratch.glob("update-*")) == []


def test_contract_tests_that_fail_are_named_and_leave_everything_as_it_was(project: Project) -> None:
    test = project.root / "tests" / "contract" / "test_ours.py"
    test.write_text('def test_of_ours():\n    assert 1 == 2, "one is not two"\n')
    before = everything(project.root)
    code, out, err = project.run(str(project.given()), "--tests=tests/contract/test_ours.py")
    assert code == 3
    assert "0 passed, 1 failed" in out
    assert "tests.contract.test_ours.test_of_ours: AssertionError: one is not two" in err
    assert everything(project.root) == before
    assert "one is not two" in (project.root / "build" / "spec-report.md").read_text("utf-8")


@pytest.mark.parametrize("tests", ["tests/contract/nothing.py", "-knothing"])
def test_contract_tests_that_cannot_be_run_are_no_success(project: Project, tests: str) -> None:
    before = everything(project.root)
    code, _, err = project.run(str(project.given()), "--tests=tests/contract/test_public_api.py", f"--tests={tests}")
    assert code == 3
    assert "pytest ended with" in err
    assert everything(project.root) == before


def test_a_document_that_will_not_do_is_refused_on_its_line(project: Project) -> None:
    before = everything(project.root)
    wrong = vendor.published()
    wrong["paths"]["/meta"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "nothing"}
    for file, said in (
        (vendor.written(project.inbox, wrong, "wrong.json"), "wrong.json:"),
        (project.inbox, "not a regular file"),
    ):
        code, out, err = project.run(str(file))
        assert (code, "Traceback" in err) == (1, False)
        assert said in err
        assert out.endswith("broken; nothing in the project has changed\n")
        data = json.loads((project.root / "build" / "spec-report.json").read_text("utf-8"))
        assert (data["outcome"], data["verdict"]) == ("broken", None)
    assert everything(project.root) == before


@pytest.mark.parametrize("arguments", [[], [""], ["gone.md"], ["a", "b"]])
def test_a_wrong_command_line_ends_with_2(project: Project, arguments: list[str]) -> None:
    code, out, err = project.run(*arguments)
    assert (code, out) == (2, "")
    assert "usage: update.py" in err

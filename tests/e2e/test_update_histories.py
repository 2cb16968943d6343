"""Whatever the vendor does to a document: an update brings it in whole, or says why not and leaves all as it was."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import update
from histories.stories import STORIES, Update
from updates.workplace import MADE

ROOT = Path(__file__).parent.parent.parent
LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "build", "dist", "__pycache__", "*.pyc", ".*_cache", ".hypothesis")
GATE = ("tests/contract/test_completeness.py", "-k", "facade_has_all or methods_of_its_name")
"""The part of the contract tests that is run after most updates."""


def project(folder: Path) -> Path:
    """A copy of the project, with nothing in it that is not kept."""
    shutil.copytree(ROOT, folder, symlinks=True, ignore=LEFT_OUT)
    return folder


def everything(root: Path) -> dict[str, bytes]:
    """Every file but the report."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "build" not in path.relative_to(root).parts and path.suffix != ".pyc"
    }


def report(root: Path) -> tuple[dict[str, Any], str]:
    folder = root / "build"
    data: dict[str, Any] = json.loads((folder / "spec-report.json").read_text("utf-8"))
    return data, (folder / "spec-report.md").read_text("utf-8")


def run(root: Path, file: Path, *tests: str) -> int:
    arguments = [f"--tests={argument}" for argument in tests or GATE]
    return update.main([str(file), "--project", str(root), *arguments])


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("original") / "project")


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path / "project", symlinks=True)
    (tmp_path / "project" / "notes.txt").write_text("not tracked, and nobody's business\n")
    return tmp_path / "project"


def newer(root: Path, folder: Path, told: Update) -> Path:
    """The vendor's newer document."""
    text = (root / "spec" / "upstream" / told.document).read_text("utf-8")
    for edit in told.edits:
        text = edit.made(text)
    folder.mkdir(exist_ok=True)
    file = folder / told.name
    file.write_text(text, "utf-8")
    return file


def check(root: Path, file: Path, told: Update, code: int, before: dict[str, bytes], said: str) -> None:
    after = everything(root)
    data, page = report(root)
    assert (data["outcome"], code) == (("ready", 0) if told.ready else ("refused", 1)), said
    assert (data["verdict"], data["step"]) == (told.verdict, told.step)
    told_changes = [(change["severity"], change["where"]) for change in data["changes"]]
    assert set(told.changes) <= set(told_changes)
    assert all(change["meaning"] for change in data["changes"])
    assert data["document"]["replaces"] == [told.document]
    if told.vendor:
        assert data["vendor"]["verdict"] == told.vendor
        assert data["vendor"]["kept_from_users"]
        assert "kept from users by our overlays" in page
    assert set(told.overlays) <= {(one["file"], one["finding"]) for one in data["overlays"]}
    for words in told.said:
        assert words in said
    for severity, where in told.changes:
        assert severity == "wording" or f"`{where}`" in page
    if not told.ready:
        assert after == before
        assert data["problems"]
        return
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert all(name.startswith(MADE) for name in changed)
    assert after[f"spec/upstream/{told.document}"] == file.read_bytes()
    if not data["changes"]:
        assert changed <= {f"spec/upstream/{told.document}"}


@pytest.mark.slow
@pytest.mark.parametrize("name", STORIES)
def test_a_history_of_the_api_is_brought_in_or_refused_with_the_reason(
    name: str, copy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for told in STORIES[name]:
        for place, edit in told.before:
            (copy / place).write_text(edit.made((copy / place).read_text("utf-8")), "utf-8")
        before = everything(copy)
        file = newer(copy, tmp_path / "inbox", told)
        code = run(copy, file)
        out, err = capfd.readouterr()
        assert out.startswith("reading ")
        assert bool(err) != told.ready
        check(copy, file, told, code, before, err)

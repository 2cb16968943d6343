"""The stored text of the public API: it is what the code gives, and shows whatever would break a user's program."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import outputs
import public_api
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

STORED = public_api.TARGET.read_text("utf-8")


def test_the_public_api_is_the_stored_one():
    text = public_api.render()
    if text != STORED:
        pytest.fail(outputs.difference(public_api.TARGET, STORED, text, public_api.RENEW), pytrace=False)


def test_every_type_in_a_public_signature_can_be_imported():
    interface = public_api.Interface(public_api.ROOT)
    assert interface.private_types() == [], "add them to src/dify_workflow/types.py"


def test_the_text_names_no_place_of_a_machine_and_no_version():
    assert public_api.ROOT.as_posix() not in STORED
    assert not re.search(r"/(home|root|tmp|usr|Users)/|0x[0-9a-f]{6}", STORED)
    assert "\n__version__\n" in STORED


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("copy")
    for package in ("src/dify_workflow", "generated/dify_workflow_api"):
        shutil.copytree(public_api.ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


VISIBLE = [
    (
        "src/dify_workflow/_sync/resources/logs.py",
        "limit: int = 20,",
        "limit: int = 50,",
        "limit: int = 20,",
        "limit: int = 50,",
    ),
    (
        "src/dify_workflow/_async/run_stream.py",
        "async def stop(self) -> StopResponse:",
        "async def halt(self) -> StopResponse:",
        "    async def stop(self) -> StopResponse",
        "    async def halt(self) -> StopResponse",
    ),
    (
        "src/dify_workflow/_errors.py",
        "class RateLimitError(APIStatusError):",
        "class RateLimitError(DifyError):",
        "class RateLimitError(APIStatusError)",
        "class RateLimitError(DifyError)",
    ),
    (
        "generated/dify_workflow_api/models/workflow_run_status.py",
        '= "partial-succeeded"',
        '= "partly-succeeded"',
        "    PARTIAL_SUCCEEDED = 'partial-succeeded'",
        "    PARTIAL_SUCCEEDED = 'partly-succeeded'",
    ),
    (
        "generated/dify_workflow_api/models/workflow_run_summary.py",
        "    error: str | None = ABSENT",
        "    error: str = ABSENT",
        "    error: str | None = ABSENT",
        "    error: str = ABSENT",
    ),
    (
        "src/dify_workflow/results.py",
        '"audio", "video", "custom"]',
        '"audio", "video"]',
        "FileType = Literal['document', 'image', 'audio', 'video', 'custom']",
        "FileType = Literal['document', 'image', 'audio', 'video']",
    ),
    (
        "src/dify_workflow/_logs/times.py",
        "Time = datetime | date | str",
        "Time = datetime | str",
        "Time = datetime | date | str",
        "Time = datetime | str",
    ),
]


def changed(copied: Path, edits: Iterable[tuple[str, str, str]]) -> str:
    """The public API of the copy with some edits, which are undone."""
    before = {}
    for file, old, new in edits:
        before[copied / file] = text = (copied / file).read_text("utf-8")
        assert old in text
        (copied / file).write_text(text.replace(old, new), encoding="utf-8")
    try:
        return public_api.render(copied)
    finally:
        for path, text in before.items():
            path.write_text(text, encoding="utf-8")


@pytest.mark.tools
def test_changes_that_a_user_can_see_show_as_a_difference(copied: Path):
    text = changed(copied, [change[:3] for change in VISIBLE])
    shown = outputs.difference(public_api.TARGET, STORED, text, public_api.RENEW).splitlines()
    for _, _, _, gone, new in VISIBLE:
        assert any(line.startswith("-") and gone in line for line in shown), gone
        assert any(line.startswith("+") and new in line for line in shown), new
    assert shown[-1].endswith("If that is meant: `make public-api`.")


@pytest.mark.tools
def test_invisible_changes_and_moves_change_nothing(copied: Path):
    edits = (
        ("src/dify_workflow/_version.py", "__version__ = ", "__version__ = 'x' + "),
        ("src/dify_workflow/_runs/arguments.py", "def form_body(", "def _form(): ...\n\n\ndef form_body("),
        (
            "src/dify_workflow/_async/resources/app.py",
            "class AsyncApp(AsyncResource):",
            "_x = 5\n\n\nclass AsyncApp(AsyncResource):",
        ),
    )
    assert changed(copied, edits) == STORED


@pytest.mark.tools
def test_the_check_fails_with_the_diff_and_the_task_to_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(public_api, "TARGET", tmp_path / "public_api.txt")
    (tmp_path / "public_api.txt").write_text(STORED.replace("class AsyncLogs(AsyncResource)\n", ""), encoding="utf-8")
    assert public_api.main(["--check"]) == 1
    assert "\n+class AsyncLogs(AsyncResource)\n" in capsys.readouterr().err
    assert public_api.main([]) == 0
    assert (tmp_path / "public_api.txt").read_text("utf-8") == STORED

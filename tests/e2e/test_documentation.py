"""Every code block of the README, the documentation and the docstrings is run, as a reader would paste it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.documented_code import ROOT, Docstrings, DocumentationError, Page, agrees, sandbox_arguments

from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

MADE = "docs/api.md"
"""The page that a script makes, which has a check of its own: it shows signatures."""
PAGES = [path for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if path != ROOT / MADE]
# A page has up to thirty blocks, and each command starts a Python.
pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]
MODULES = sorted(path for path in (ROOT / "src").rglob("*.py") if ">>> " in path.read_text("utf-8"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # a block can import what an earlier one has saved
    return tmp_path


@pytest.mark.parametrize("path", PAGES, ids=[path.relative_to(ROOT).as_posix() for path in PAGES])
def test_the_blocks_of_a_page_run(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(**sandbox_arguments(path.read_text("utf-8"))) as sandbox:
        monkeypatch.setenv("DIFY_API_KEY", sandbox.api_key)
        monkeypatch.setenv("DIFY_BASE_URL", sandbox.base_url)
        Page(path, folder, sandbox).run()


@pytest.mark.parametrize("path", MODULES, ids=[path.relative_to(ROOT / "src").as_posix() for path in MODULES])
@pytest.mark.usefixtures("folder")
def test_the_examples_of_docstrings_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(rows=300) as sandbox, sandbox.client() as client:
        monkeypatch.setenv("DIFY_API_KEY", sandbox.api_key)
        monkeypatch.setenv("DIFY_BASE_URL", sandbox.base_url)
        Docstrings(path, sandbox, client).run()


class TestHarness:
    """A block that does not do what is shown fails."""

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("```python\n1 / 0\n```", "ZeroDivisionError"),
            ("```python\nprint(client)\n```", "NameError"),
            ("```python\nprint(1)\n```\n\n<!-- code: output -->\n```text\n2\n```", "shows"),
            ("```pycon\n>>> 1 + 1\n3\n```", "shows"),
            ("```console\n$ false\n```", "exit status 1"),
            ("```console\n$ echo 1\n2\n```", "shows"),
            ("```console\n$ pip install 'x\n```", "No closing quotation"),
            ("<!-- code: not run: -->\n```python\nx\n```", "needs a reason"),
            ("<!-- code: sometimes -->\n```python\nx\n```", "no such note"),
            ("```toml\na = \n```", "TOMLDecodeError"),
            ("```\nx\n```", "no such language"),
            ("<!-- code: Ctrl-C -->\n```python\nprint(1)\n```", "ended by itself"),
            ("<!-- code: pytest -->\n```python\ndef test_x(): assert 0\n```", "1 failed"),
        ],
    )
    def test_a_block_that_is_wrong_is_reported(self, text: str, reason: str, folder: Path) -> None:
        page = folder / "page.md"
        page.write_text(text, "utf-8")
        with Sandbox(rows=0) as sandbox, pytest.raises(DocumentationError, match=reason):
            Page(page, folder, sandbox).run()

    @pytest.mark.parametrize(
        ("shown", "printed", "is_same"),
        [
            ("2026-11-30 10:00:00  1", "2027-01-02 03:04:05   1", True),
            ("id 18ae013e-aca9-4679-843b-aac536891eeb", "id d9767f99-d674-5910-90fa-ed48a1d48235", True),
            ("a\n...\nz", "a\nb\nc\nz", True),
            ("a ... z", "a b", False),
            ("1", "10", False),
            ("2026-11-30", "yesterday", False),
        ],
    )
    def test_output_is_compared_but_for_ids_and_times(self, shown: str, printed: str, is_same: bool) -> None:
        assert agrees(shown, printed) is is_same


def test_the_documentation_has_many_blocks() -> None:
    assert len(PAGES) >= 10
    assert len(MODULES) >= 15

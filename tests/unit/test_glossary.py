"""The glossary check of `make lint`: words of prose, and the length of tests' names."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import glossary

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

WORDS = {"anew": "again", "be told": "report"}
MODULE = '''"""Makes it ANEW."""
anew = "anew"  # told anew
def f(anew, be_told):
    """Name it `anew`.

    Args:
        anew: whether it must be told.
    """
    raise ValueError(f"{anew} was made anew")
'''


def test_words_are_found_in_prose_and_not_in_names():
    assert list(glossary.words_in("a.py", MODULE, WORDS)) == [(1, "anew"), (2, "anew"), (7, "be told"), (9, "anew")]
    assert list(glossary.words_in("a.md", "one\nmake it anew, `anew`\n", WORDS)) == [(2, "anew")]


def test_findings_are_printed_with_what_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "docs" / "deep").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(
        "[tool.glossary]\nplaces = ['README.md', 'docs']\nlongest-test-name = 60\nlong-test-names = 0\n"
        "words = {anew = 'again'}\n"
    )
    (tmp_path / "README.md").write_text("Start again.\n")
    monkeypatch.setattr(glossary, "ROOT", tmp_path)
    assert (glossary.main(), capsys.readouterr().err) == (0, "")
    (tmp_path / "docs" / "deep" / "page.md").write_text("\nStart anew.\n")
    assert (glossary.main(), capsys.readouterr().err) == (1, "docs/deep/page.md:2: 'anew': write 'again'\n")


def test_long_names_of_tests_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    settings = tomllib.loads((glossary.ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["glossary"]
    assert (settings["longest-test-name"], settings["long-test-names"]) == (60, 0)
    (tmp_path / "tests").mkdir()
    names = ["test_" + "x" * 55, "test_" + "y" * 56, "helper_" + "z" * 60]
    (tmp_path / "tests" / "test_a.py").write_text("".join(f"async def {name}(): ...\n" for name in names))
    monkeypatch.setattr(glossary, "ROOT", tmp_path)
    assert glossary.long_names(60) == [f"tests/test_a.py::{names[1]}"]

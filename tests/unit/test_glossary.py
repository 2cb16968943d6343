"""The glossary check of `make lint`: words of prose, and the length of tests' names."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import glossary

if TYPE_CHECKING:
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


def test_the_projects_prose_has_no_replaced_word(capsys: pytest.CaptureFixture[str]):
    assert glossary.main() == 0, capsys.readouterr().err


def test_long_names_of_tests_are_counted():
    settings = tomllib.loads((glossary.ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["glossary"]
    assert settings["longest-test-name"] == 60
    longer = glossary.long_names(40)
    assert set(glossary.long_names(60)) < set(longer)
    assert all("::test_" in name for name in longer)

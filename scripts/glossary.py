"""Check the words of the project's prose against the glossary: `[tool.glossary]` in pyproject.toml.

Usage: glossary.py

Prose is what people read: documents, docstrings, comments, messages. Names in code are no prose, but the names of tests
have a greatest length. Exit status 1, with one line for each finding, when there are any.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROSE_TOKENS = frozenset({tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)})

NAMES = re.compile(r"`[^`]*`|\{[^{}]*\}|^ +\w+: ")
"""What is no prose: names in backticks, expressions in f-strings, and the names of arguments in docstrings."""


class Glossary(NamedTuple):
    """What is checked.

    Attributes:
        words: what to write, by the word that is not to be written.
        places: files and folders whose prose is checked.
        longest_test_name: characters that the name of a test may have.
        long_test_names: how many longer names there may still be.
    """

    words: dict[str, str]
    places: list[str]
    longest_test_name: int
    long_test_names: int


def main() -> int:
    """Print what is found; the exit status."""
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["glossary"]
    glossary = Glossary(**{name.replace("-", "_"): value for name, value in settings.items()})
    found = [
        f"{path.relative_to(ROOT).as_posix()}:{line}: {word!r}: write {glossary.words[word]!r}"
        for path in files(glossary)
        for line, word in words_in(path.name, path.read_text("utf-8"), glossary.words)
    ]
    names = long_names(glossary.longest_test_name)
    if len(names) > glossary.long_test_names:
        found += [f"{name}: a test's name has at most {glossary.longest_test_name} characters" for name in names]
        found.append(f"{len(names)} long names of tests, and [tool.glossary] allows {glossary.long_test_names}")
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


def files(glossary: Glossary) -> Iterator[Path]:
    """The files whose prose is checked."""
    for place in glossary.places:
        path = ROOT / place
        if path.is_dir():
            yield from sorted(one for suffix in ("jinja", "md", "py", "yaml") for one in path.rglob(f"*.{suffix}"))
        else:
            yield path


def words_in(name: str, text: str, words: dict[str, str]) -> Iterator[tuple[int, str]]:
    """The lines and words of a file's prose that the glossary does not have.

    Args:
        name: the file's name; of a Python module, comments and strings are prose.
        text: what is in the file.
        words: the words not to be written.
    """
    pattern = re.compile(rf"\b({'|'.join(re.escape(word) for word in words)})\b", re.IGNORECASE)
    for line, prose in _python_prose(text) if name.endswith(".py") else enumerate(text.splitlines(), 1):
        for offset, part in enumerate(prose.splitlines()):
            for match in pattern.finditer(NAMES.sub("", part)):
                yield line + offset, match[1].lower()


def _python_prose(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in PROSE_TOKENS and " " in token.string:  # a string without a space is no prose
            yield token.start[0], token.string


def long_names(longest: int) -> list[str]:
    """The names of tests that are longer, with their files."""
    return [
        f"{path.relative_to(ROOT).as_posix()}::{node.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and len(node.name) > longest
    ]


if __name__ == "__main__":
    sys.exit(main())

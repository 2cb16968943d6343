"""Docs-page exports: the vendor's pages, of both generations, one or several to a file.

A page is a heading, a quoted description, and a fence whose info string is `yaml FILE METHOD PATH`. In the newer
generation the fence holds a plain OpenAPI document that was filtered down to one operation. In the older one it holds
a format of its own, which `older_pages` turns back into OpenAPI.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from openapi.parse import SourceError, read_yaml
from openapi.structure import METHODS
from openapi.tree import LinedMap

if TYPE_CHECKING:
    from openapi.tree import Tree


class Page(NamedTuple):
    """One page, found in a file but not yet read.

    Attributes:
        title: The heading above the fence, or nothing.
        description: The quoted text below the heading, or nothing.
        method: The method in the fence's info string, in lower case.
        path: The path in the fence's info string.
        line: The line of the fence.
        text: The YAML inside the fence.
    """

    title: str
    description: str
    method: str
    path: str
    line: int
    text: str


def split(text: str) -> list[Page]:
    """Finds the pages in a text, which may follow one another with their closing fences missing.

    Everything in a page's YAML that begins in the first column is a top-level key or a list item. So where a closing
    fence is missing, the next heading, quote or fence in the first column ends the YAML all the same.

    Returns:
        The pages; none when the text is something else.

    Raises:
        SourceError: When a fence names no operation, or YAML continues behind what ended it.
    """
    pages: list[Page] = []
    title = ""
    quoted: list[str] = []
    lines = text.split("\n")
    taken = 0  # so many lines; also the number of the last one taken, counted from 1
    while taken < len(lines):
        line = lines[taken]
        taken += 1
        if line.startswith("# "):
            title, quoted = line[2:].strip(), []
        elif line.startswith(">") and title:
            quoted.append(line[1:].strip())
        elif _YAML_FENCE.match(line):
            body = _until_end(lines[taken:])
            method, path = _operation_named(line, taken)
            pages.append(Page(title, "\n".join(quoted).strip(), method, path, taken, "\n".join(body)))
            title, quoted = "", []
            taken += len(body)
            if taken < len(lines) and _is_closing(lines[taken]):
                taken += 1
            else:
                _refuse_stray_yaml(lines[taken:], taken, pages[-1])
        elif line.startswith("```"):  # another fence, such as a code sample
            taken += _length_of_sample(lines[taken:])
    return pages


def read(page: Page) -> Tree:
    """Reads a page's YAML: an OpenAPI document of the newer generation, or the older one's own format.

    Raises:
        SourceError: When it is not YAML, or a newer page is not about the operation that its fence names.
    """
    tree = read_yaml(page.text, first_line=page.line + 1, hold=True)
    if not isinstance(tree, LinedMap):
        raise SourceError(page.line, "the fence holds no YAML mapping")
    if is_newer(tree):
        paths = tree.get("paths")
        item = paths.get(page.path) if isinstance(paths, dict) else None
        if not isinstance(item, dict) or page.method not in item:
            named = f"{page.method.upper()} {page.path}"
            raise SourceError(page.line, f"the fence names {named}, which the document inside it does not have")
    return tree


def is_newer(tree: Tree) -> bool:
    """Whether a page's tree is of the newer generation."""
    return "openapi" in tree


_YAML_FENCE = re.compile(r"`{3,}\s*ya?ml(\s|$)")
_FENCE_INFO = re.compile(r"`{3,}\s*ya?ml\s+(?P<file>\S+)\s+(?P<method>[A-Za-z]+)\s+(?P<path>\S+)\s*")
_YAML_LIKE = re.compile(r"\s+\S|- |[\w$'\"-]+:(\s|$)")


def _operation_named(line: str, number: int) -> tuple[str, str]:
    info = _FENCE_INFO.fullmatch(line)
    if info is None:
        raise SourceError(number, "a page's fence must say `yaml FILE METHOD PATH`")
    method, path = info["method"].lower(), info["path"]
    if method not in METHODS:
        raise SourceError(number, f"a page about a {method} is not supported; allowed are {', '.join(METHODS)}")
    return method, path


def _until_end(lines: list[str]) -> list[str]:
    for i, line in enumerate(lines):
        if line.startswith(("```", "#", ">")):
            return lines[:i]
    return lines


def _length_of_sample(lines: list[str]) -> int:
    for i, line in enumerate(lines):
        if line.startswith("```"):
            return i + _is_closing(line)  # a page's fence ends a sample that nobody closed
    return len(lines)


def _is_closing(line: str) -> bool:
    return line.startswith("```") and not _YAML_FENCE.match(line)


def _refuse_stray_yaml(lines: list[str], before: int, page: Page) -> None:
    """What ended the YAML may have been a comment, with more YAML behind it that nobody would read."""
    for number, line in enumerate(lines, before + 1):
        if not line.strip() or line.startswith(("#", ">")):
            continue
        if _YAML_LIKE.match(line):
            msg = f"the YAML of the fence on line {page.line} continues here, but line {before + 1} ended it"
            raise SourceError(number, f"{msg}; comments in the first column are not allowed")
        return

"""Characters that a vendor's text may have and this project's text may not: they are put right, and pointed out.

Lines may be ended by other characters than LF (CRLF as on Windows, NEL, U+2028, U+2029), and marks of the direction of
writing may stand in them. In what people read (descriptions, titles, summaries, examples) lines are ended by LF and
the marks left out. Anywhere else such a character would change what a value is, and is refused with its line.

While a document is read each of them is `held`: another character stands for it, so that YAML, for which some of them
end a line, gives them back as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from openapi.diagnostics import Finding
from openapi.parse import HELD, SourceError
from openapi.references import at
from openapi.structure import parts
from openapi.tree import line_of, pointer_text, walked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openapi.tree import Pointer, Tree


def put_right(document: Tree) -> list[Finding]:
    """Puts the texts of a document right that was read with characters held, and leaves out what only decorates.

    Returns:
        What was put right or left out, and where.

    Raises:
        SourceError: A held character is where it cannot be left out.
    """
    notes: list[Finding] = []
    for where in list(_decorations(document)):
        notes.append(Finding(line_of(document, where), pointer_text(where), "only decorates a page; it is left out"))
        at(document, where[:-1]).pop(where[-1])
    for where in list(_texts(document)):
        holder, key = at(document, where[:-1]), where[-1]
        given = holder[key]
        if _ANY.search(given):
            text = "lines are ended by LF, and marks of the direction of writing left out"
            notes.append(Finding(line_of(document, where), pointer_text(where), text))
            holder[key] = _righted(given)
    for where, text in _strings(document, ()):
        if found := _ANY.search(text):
            problem = (
                f"character U+{ord(HELD[found[0]]):04X} is not allowed here; only in descriptions and examples it is"
            )
            raise SourceError(line_of(document, where), f"{pointer_text(where)}: {problem}")
    return notes


_ANY = re.compile(f"[{''.join(HELD)}]")
_OF_CHARACTER = {character: held for held, character in HELD.items()}
_CR = _OF_CHARACTER["\r"]
_ENDS = [_OF_CHARACTER[character] for character in "\r\x85\u2028\u2029"]
_DECORATIVE = re.compile(r"x[A-Z]\w*|x-mint\b.*")
_READ = {"title", "summary", "description"}
_SHOWN = {"example", "examples"}
_AROUND = ("info", "tags", "externalDocs")


def _righted(text: str) -> str:
    text = text.replace(f"{_CR}\n", "\n")
    for end in _ENDS:
        text = text.replace(end, "\n")
    return _ANY.sub("", text)


def _decorations(document: Tree) -> Iterator[Pointer]:
    """Where keys are that only the docs site knows: in the mappings of which OpenAPI says what keys they have."""
    for part in parts(document):
        if part.kind != "example":
            yield from ((*part.where, key) for key in part.node if _DECORATIVE.fullmatch(key))


def _texts(document: Tree) -> Iterator[Pointer]:
    """Where the strings are that only people read."""
    for key in _AROUND:
        yield from (where for where, _ in _strings(document.get(key), (key,)) if where[-1] in _READ)
    for part in parts(document):
        for key, value in part.node.items():
            where = (*part.where, key)
            is_shown = key in _SHOWN or key.startswith("x-") or (part.kind == "example" and key == "value")
            if isinstance(value, str) and (key in _READ or is_shown):
                yield where
            elif is_shown:
                yield from (inner for inner, _ in _strings(value, where))


def _strings(node: Any, where: Pointer) -> Iterator[tuple[Pointer, str]]:  # noqa: ANN401  # any JSON value
    return ((place, text) for place, text in walked(node, where) if isinstance(text, str))

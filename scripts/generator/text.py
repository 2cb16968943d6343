"""The spec's text as Python literals: nothing that a spec says is ever code.

Which characters are escaped is a fixed list, not a question to the interpreter, so that every Python gives the same
bytes.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Control characters, what turns the direction of writing, what ends a line or is not seen, surrogates, private use.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ud800-\uf8ff\ufeff\ufff0-\ufffb"
    "\U000e0000-\U0010ffff]"
)
WIDTH = 118


def literal(value: str | int | bool) -> str:
    """A literal of the value; of text, in double quotes."""
    if not isinstance(value, str):
        return repr(value)
    return '"' + _escaped(value).replace('"', '\\"') + '"'


def literals(values: Iterable[str | int]) -> str:
    """A literal of a tuple of the values."""
    parts = [literal(value) for value in values]
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def first_sentence(text: str) -> str:
    """The first sentence of a text, on one line; all of its first paragraph where that has no full stop."""
    paragraph = " ".join(re.split(r"\n\s*\n", text.strip(), maxsplit=1)[0].split())
    found = re.match(r".*?[.!?](?=\s|$)", paragraph)
    return found[0] if found else paragraph


def docstring(text: str, indent: int) -> str:
    """A docstring of the text, for a place that is indented by so many columns; none for no text."""
    return enclosed(docstring_lines(text, indent), indent)


def enclosed(lines: list[str], indent: int) -> str:
    """A docstring of lines that are wrapped already."""
    if not lines:
        return ""
    if len(lines) == 1:
        return f'"""{lines[0]}"""'
    margin = " " * indent
    return "\n".join([f'"""{lines[0]}', *(margin + line if line else "" for line in lines[1:]), f'{margin}"""'])


def docstring_lines(text: str, indent: int) -> list[str]:
    """The text as lines of a docstring, wrapped; words, paragraphs and list items stay what they were."""
    lines: list[str] = []
    for line in re.split("\r\n|\r|\n", text.strip(" \t\r\n")):
        body = line.strip(" ")
        margin = " " * min(len(line) - len(line.lstrip(" ")), 20)
        lines += textwrap.wrap(
            _docstring_text(body),
            WIDTH - indent,
            initial_indent=margin,
            subsequent_indent=margin,
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
            drop_whitespace=True,
        ) or [""]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _docstring_text(text: str) -> str:
    escaped = _escaped(text)
    # A quote at either end would join the quotes that enclose the docstring; three in a row would end it.
    escaped = re.sub('^"|"$', lambda _: '\\"', escaped)
    while '""' in escaped:
        escaped = escaped.replace('""', '"\\"')
    return escaped


def _escaped(text: str) -> str:
    return _HIDDEN.sub(_escape, text.replace("\\", "\\\\"))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[match[0]]
    digits = next(digits for digits in (2, 4, 8) if code < 16**digits)
    return f"\\{dict(zip((2, 4, 8), 'xuU', strict=True))[digits]}{code:0{digits}x}"

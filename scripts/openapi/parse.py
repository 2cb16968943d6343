"""YAML and JSON text to a tree that knows its lines.

The text comes from outside. It is read as data only (YAML's core schema, no tags), and what could hurt is refused with
its line: keys given twice, aliases that contain themselves or expand without end, nesting without end, control
characters, numbers that JSON does not have. YAML is read event by event, because a loader that builds objects has
expanded the aliases before anyone can count.
"""

from __future__ import annotations

import functools
import io
import json
import math
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from openapi.diagnostics import Finding, SpecError
from openapi.tree import LinedList, LinedMap, copied

MAX_DEPTH = 64
MAX_NODES = 300_000
MAX_NUMBER_LENGTH = 40


class SourceError(Exception):
    """Text that cannot be read as a tree.

    Attributes:
        line: The line of the text, from 1.
        text: What is wrong, and what is allowed.
    """

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line}: {text}")
        self.line = line
        self.text = text


HELD = {
    chr(0xF500 + i): character
    for i, character in enumerate(
        "\r\x85\u2028\u2029\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
}
"""What stands for characters of a vendor's text until `texts` has seen where they are: see there."""


def decoded(data: bytes, *, hold: bool = False) -> str:
    """The text of a file: UTF-8 with or without a byte order mark, lines ended by LF or CRLF.

    Args:
        data: The file's bytes.
        hold: Whether characters of `HELD` are held instead of refused. A bare CR is refused all the same.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        msg = f"byte 0x{data[error.start]:02x} is not UTF-8 text; save the file as UTF-8"
        raise SourceError(line, msg) from None
    text = text.replace("\r\n", "\n")
    if hold:
        if found := _HELD.search(text):
            line = text.count("\n", 0, found.start()) + 1
            raise SourceError(line, f"character U+{ord(found[0]):04X} is not allowed; it is for private use")
        text = "\r".join(map(_held, text.split("\r")))  # one that stands alone is refused
    if found := _UNREADABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        msg = f"character U+{ord(found[0]):04X} is not allowed; only printable text, tabs and line ends are"
        raise SourceError(line, msg)
    return text


def read_yaml(text: str, *, first_line: int = 1, hold: bool = False) -> Any:  # noqa: ANN401  # any JSON value
    """Reads one YAML document (version 1.2, core schema).

    Args:
        text: The YAML text, as `decoded` gives it.
        first_line: The line of the file that the text begins on.
        hold: Whether escaped characters of `HELD` are held instead of refused.

    Returns:
        The tree; every mapping key is text, so that an unquoted `200:` is "200". None for an empty document.

    Raises:
        SourceError: With the line of the file.
    """
    return copied(_yaml_of(text, first_line, hold))


def read_file(name: str, data: bytes) -> Any:  # noqa: ANN401  # any JSON value
    """Reads a file of this project, which is YAML.

    Raises:
        SpecError: With the line, when it is not.
    """
    try:
        return read_yaml(decoded(data))
    except SourceError as error:
        raise SpecError(name, [Finding(error.line, "", error.text)]) from None


@functools.lru_cache(maxsize=16)
def _yaml_of(text: str, first_line: int, hold: bool) -> Any:  # noqa: ANN401 - any JSON value; a key of the cache
    """The tree of a text: reading takes long, and an update reads some texts more than once."""
    reader = _YamlReader(first_line, hold=hold)
    try:
        for event in YAML(typ="safe", pure=True).parse(io.StringIO(text)):
            reader.take(event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise SourceError(mark.line + first_line if mark else reader.line, f"not YAML: {said}") from None
    except (YAMLError, ValueError, OverflowError, AttributeError, IndexError, TypeError, AssertionError) as error:
        # The parser lets malformed escapes and directives out as bare Python errors.
        raise SourceError(reader.line, f"not YAML: {error}") from None
    return reader.builder.root


def read_json(text: str, *, hold: bool = False) -> Any:  # noqa: ANN401  # any JSON value
    """Reads JSON (RFC 8259) like `read_yaml`."""
    try:
        json.loads(text, parse_constant=str, parse_int=str, parse_float=str)  # what JSON lacks is refused below
    except json.JSONDecodeError as error:
        raise SourceError(error.lineno, f"not JSON: {error.msg} (column {error.colno})") from None
    except RecursionError:
        raise SourceError(1, f"nested too deeply; {MAX_DEPTH} levels are allowed") from None
    builder, line = _Builder(hold=hold), 1
    for word in _JSON_WORD.findall(text):  # valid JSON, so the words alone say everything
        match word[0]:
            case " " | "\t" | "\n" | "\r":
                line += word.count("\n")
            case "{" | "[":
                builder.open(LinedMap() if word == "{" else LinedList(), line)
            case "}" | "]":
                builder.close()
            case "," | ":":
                pass
            case _:
                builder.add(_json_scalar(word, line), line)
    return builder.root


class _YamlReader:
    """Takes YAML's events one by one, and gives them to a builder."""

    def __init__(self, first_line: int, *, hold: bool) -> None:
        self.builder = _Builder(hold=hold)
        self.line = first_line
        self._first_line = first_line
        self._documents = 0
        self._anchors: dict[str, tuple[Any, int]] = {}  # what each stands for, and how many values that is
        self._opened: list[tuple[str | None, int]] = []  # of each open node, its anchor and the values before it

    def take(self, event: Event) -> None:
        self.line = event.start_mark.line + self._first_line
        tag = getattr(event, "tag", None)
        if tag not in _TEXT_TAGS:
            raise SourceError(self.line, f"the tag {tag} is not allowed; YAML is read as plain data, without tags")
        match event:
            case DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise SourceError(self.line, "a second YAML document begins here; one is allowed")
            case MappingStartEvent() | SequenceStartEvent():
                self._anchors.pop(event.anchor or "", None)  # until it is complete, it can't be used
                self._opened.append((event.anchor, self.builder.count))
                self.builder.open(LinedMap() if isinstance(event, MappingStartEvent) else LinedList(), self.line)
            case MappingEndEvent() | SequenceEndEvent():
                anchor, before = self._opened.pop()
                self._remember(anchor, self.builder.close(), self.builder.count - before)
            case ScalarEvent():
                value = event.value if self.builder.expects_key else _yaml_scalar(event, self.line)
                self._remember(event.anchor, value, 1)
                self.builder.add(value, self.line)
            case AliasEvent():
                self._repeat(event.anchor)
            case _:
                pass

    def _remember(self, anchor: str | None, node: object, size: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (node, size)

    def _repeat(self, anchor: str) -> None:
        if anchor not in self._anchors:
            raise SourceError(self.line, f"the alias *{anchor} stands for nothing before it, or for what it is in")
        node, size = self._anchors[anchor]
        self.builder.reserve(size, self.line)  # before copying it
        self.builder.add(copied(node), self.line)


class _Builder:
    """Puts nodes together as they arrive, and counts them."""

    def __init__(self, *, hold: bool = False) -> None:
        self._hold = hold
        self.root: Any = None
        self.count = 0
        self._open: list[LinedMap | LinedList] = []
        self._keys: list[str | None] = []  # for each open node, the key that waits for its value

    @property
    def expects_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1], LinedMap) and self._keys[-1] is None

    def open(self, node: LinedMap | LinedList, line: int) -> None:
        node.line = line
        self.add(node, line)
        self._open.append(node)
        self._keys.append(None)
        if len(self._open) > MAX_DEPTH:
            raise SourceError(line, f"nested too deeply; {MAX_DEPTH} levels are allowed")

    def close(self) -> LinedMap | LinedList:
        self._keys.pop()
        return self._open.pop()

    def reserve(self, size: int, line: int) -> None:
        self.count += size
        if self.count > MAX_NODES:
            raise SourceError(line, f"more than {MAX_NODES:,} values (aliases count as often as they are used)")

    def add(self, value: Any, line: int) -> None:  # noqa: ANN401  # any JSON value
        self.reserve(1, line)
        if self._hold and isinstance(value, str):
            value = _held(value)
        if isinstance(value, str) and (found := _UNREADABLE.search(value)):
            raise SourceError(line, f"character U+{ord(found[0]):04X} is not allowed inside text")
        if not self._open:
            self.root = value
            return
        parent, key = self._open[-1], self._keys[-1]
        if isinstance(parent, LinedList):
            parent.append(value)
            parent.lines.append(line)
        elif key is None:
            self._keys[-1] = self._checked_key(parent, value, line)
        else:
            parent[key] = value
            self._keys[-1] = None

    @staticmethod
    def _checked_key(parent: LinedMap, key: object, line: int) -> str:
        if not isinstance(key, str):
            raise SourceError(line, "a mapping key must be a string, not a list, a mapping or an alias of one")
        if found := _HELD.search(key):
            raise SourceError(line, f"character U+{ord(HELD[found[0]]):04X} is not allowed inside a key")
        if key == "<<":
            raise SourceError(line, "the merge key << is not part of YAML 1.2; write the keys out")
        if key in parent.lines:
            raise SourceError(
                line, f"the key {key!r} is given twice, first on line {parent.lines[key]}; once is allowed"
            )
        parent.lines[key] = line
        return key


# Control characters, halves of surrogate pairs, the line ends that only some programs know, and the marks that make
# text read differently from what it says (bidirectional overrides).
_UNREADABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_HELD = re.compile(f"[{''.join(HELD)}]")
_TO_HOLD = str.maketrans({character: held for held, character in HELD.items()})


def _held(text: str) -> str:
    return text.translate(_TO_HOLD)


_TEXT_TAGS = (None, "!", "tag:yaml.org,2002:str")
_JSON_WORD = re.compile(r'[ \t\n\r]+|[{}\[\],:]|"(?:[^"\\]|\\.)*"|[^ \t\n\r{}\[\],:"]+')

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def _yaml_scalar(event: ScalarEvent, line: int) -> str | float | bool | None:
    """A scalar's value by YAML's core schema; only plain scalars are anything but text."""
    text: str = event.value
    if event.tag is not None or not event.implicit[0]:
        return text
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _NOT_FINITE.fullmatch(text):
        raise SourceError(line, f"{text} is not a JSON number; quote it if it is text")
    if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
        return _number(text, line)
    return text


def _json_scalar(word: str, line: int) -> str | float | bool | None:
    match word:
        case "true":
            return True
        case "false":
            return False
        case "null":
            return None
        case "NaN" | "Infinity" | "-Infinity":
            raise SourceError(line, f"{word} is not a JSON number")
    return str(json.loads(word)) if word[0] == '"' else _number(word, line)


def _number(text: str, line: int) -> float:
    if len(text) > MAX_NUMBER_LENGTH:
        raise SourceError(line, f"a number of {len(text)} characters; {MAX_NUMBER_LENGTH} are allowed")
    if text.startswith(("0o", "0x")):
        return int(text, 0)
    if any(mark in text for mark in ".eE"):
        value = float(text)
        if not math.isfinite(value):
            raise SourceError(line, f"the number {text} is too large")
        return value
    return int(text)

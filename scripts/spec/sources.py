"""YAML and JSON text to a tree that knows its lines.

The text comes from outside. It is read as data only (YAML's core schema, no tags), and what could hurt is refused with
its line: keys given twice, aliases that contain themselves or expand without end, nesting without end, control
characters, numbers that JSON does not have. YAML is read event by event, because a loader that builds objects has
expanded the aliases before anyone can count.
"""

from __future__ import annotations

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
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from spec.nodes import LinedList, LinedMap, copied

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


def decoded(data: bytes) -> str:
    """The text of a file: UTF-8 with or without a byte order mark, lines ended by LF or CRLF."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        msg = f"byte 0x{data[error.start]:02x} is not UTF-8 text; save the file as UTF-8"
        raise SourceError(line, msg) from None
    text = text.replace("\r\n", "\n")
    if found := _UNREADABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        msg = f"character U+{ord(found[0]):04X} is not allowed; only printable text, tabs and line ends are"
        raise SourceError(line, msg)
    return text


def read_yaml(text: str, *, first_line: int = 1) -> Any:  # noqa: ANN401  # any JSON value
    """Reads one YAML document (version 1.2, core schema).

    Args:
        text: The YAML text, as `decoded` gives it.
        first_line: The line of the file that the text begins on.

    Returns:
        The tree; every mapping key is text, so that an unquoted `200:` is "200". None for an empty document.

    Raises:
        SourceError: With the line of the file.
    """
    builder = _Builder()
    line = first_line
    anchors: dict[str, tuple[Any, int]] = {}
    opened: list[tuple[str | None, int]] = []  # the anchor of each open mapping or list, and the nodes before it
    documents = 0
    try:
        for event in YAML(typ="safe", pure=True).parse(io.StringIO(text)):
            line = event.start_mark.line + first_line
            tag = getattr(event, "tag", None)
            if tag not in _TEXT_TAGS:
                raise SourceError(line, f"the tag {tag} is not allowed; YAML is read as plain data, without tags")
            match event:
                case DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        raise SourceError(line, "a second YAML document begins here; one is allowed")
                case MappingStartEvent() | SequenceStartEvent():
                    opened.append((event.anchor, builder.count))
                    anchors.pop(event.anchor or "", None)
                    builder.open(LinedMap() if isinstance(event, MappingStartEvent) else LinedList(), line)
                case MappingEndEvent() | SequenceEndEvent():
                    node = builder.close()
                    anchor, before = opened.pop()
                    if anchor is not None:
                        anchors[anchor] = (node, builder.count - before)
                case ScalarEvent():
                    value = event.value if builder.expects_key else _scalar(event, line)
                    if event.anchor is not None:
                        anchors[event.anchor] = (value, 1)
                    builder.add(value, line)
                case AliasEvent():
                    if event.anchor not in anchors:
                        msg = f"the alias *{event.anchor} has no complete anchor before it, or contains itself"
                        raise SourceError(line, msg)
                    node, size = anchors[event.anchor]
                    builder.reserve(size, line)
                    builder.add(node if builder.expects_key else copied(node), line)
                case _:
                    pass
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise SourceError(mark.line + first_line if mark else line, f"not YAML: {_problem(error)}") from None
    except ReaderError as error:
        raise SourceError(text.count("\n", 0, error.position) + first_line, f"not YAML: {error.reason}") from None
    except (YAMLError, ValueError, OverflowError, AttributeError, IndexError, TypeError, AssertionError) as error:
        # The parser lets some malformed escapes and directives out as bare Python errors.
        raise SourceError(line, f"not YAML: {error}") from None
    return builder.root


def read_json(text: str) -> Any:  # noqa: ANN401  # any JSON value
    """Reads JSON (RFC 8259) like `read_yaml`."""
    try:
        json.loads(text, parse_constant=str, parse_int=str, parse_float=str)  # what JSON lacks is refused below
    except json.JSONDecodeError as error:
        raise SourceError(error.lineno, f"not JSON: {error.msg} (column {error.colno})") from None
    except RecursionError:
        raise SourceError(1, f"nested too deeply; {MAX_DEPTH} levels are allowed") from None
    builder, line = _Builder(), 1
    for token in _JSON_TOKEN.findall(text):  # valid JSON, so the tokens alone say everything
        if token[0] in " \t\n\r":
            line += token.count("\n")
        elif token in "{[":
            builder.open(LinedMap() if token == "{" else LinedList(), line)
        elif token in "}]":
            builder.close()
        elif token not in ",:":
            builder.add(_json_scalar(token, line), line)
    return builder.root


class _Builder:
    """Puts nodes together as they arrive, and counts them."""

    def __init__(self) -> None:
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
            raise SourceError(line, "a mapping key must be text, not a list, a mapping or an alias of one")
        if key == "<<":
            raise SourceError(line, "the merge key << is not part of YAML 1.2; write the keys out")
        if key in parent.lines:
            raise SourceError(line, f"the key {key!r} is given twice, first on line {parent.lines[key]}; once is allowed")
        parent.lines[key] = line
        return key


# Control characters, halves of surrogate pairs, the line ends that only some programs know, and the marks that make
# text read differently from what it says (bidirectional overrides).
_UNREADABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_TEXT_TAGS = (None, "!", "tag:yaml.org,2002:str")
_JSON_TOKEN = re.compile(r'[ \t\n\r]+|[{}\[\],:]|"(?:[^"\\]|\\.)*"|[^ \t\n\r{}\[\],:"]+')

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def _scalar(event: ScalarEvent, line: int) -> str | float | bool | None:
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


def _json_scalar(token: str, line: int) -> str | float | bool | None:
    match token:
        case "true":
            return True
        case "false":
            return False
        case "null":
            return None
        case "NaN" | "Infinity" | "-Infinity":
            raise SourceError(line, f"{token} is not a JSON number")
    return str(json.loads(token)) if token[0] == '"' else _number(token, line)


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


def _problem(error: MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    return ", ".join(parts) or "it cannot be parsed"

"""Which operations the SDK has, and which document counts where two describe one: `spec/selection.yaml`.

Everything else that a vendor's document describes is left out when the document is reduced to its structure.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from openapi.diagnostics import Finding, SpecError
from openapi.parse import read_file
from openapi.structure import METHODS, route
from openapi.tree import line_of, plain, pointer_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from openapi.tree import Pointer

FILE = "selection.yaml"
STRUCTURE = "structure"
"""What `document` says when the stored structure counts."""


class Selected(NamedTuple):
    """One selected operation.

    Attributes:
        method: In lower case.
        path: With our names for its parameters.
        document: The name of the stored document that counts, `structure` for the stored structure, or nothing.
    """

    method: str
    path: str
    document: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What the operation is known by: its method, and its path without the names of its parameters."""
        return self.method, route(self.path)

    @property
    def name(self) -> str:
        """What it is called, such as `GET /workflows/logs`."""
        return f"{self.method.upper()} {self.path}"


class Stream(NamedTuple):
    """Streams of events, which a vendor's document describes by a schema that no operation refers to.

    Attributes:
        property: The property that says what kind of event it is.
        has: Kinds of events that the schema has.
        lacks: Kinds of events that it does not have: they belong to the streams of other operations.
        operations: The operations that send such a stream, each by its key.
    """

    property: str
    has: list[str]
    lacks: list[str]
    operations: list[tuple[str, str]]


class Selection(NamedTuple):
    """What is selected."""

    operations: list[Selected]
    streams: list[Stream]

    def find(self, method: str, path: str) -> Selected | None:
        """The selected operation of a method and a path; None when it is not selected."""
        key = (method.lower(), route(path))
        return next((one for one in self.operations if one.key == key), None)


def with_operations(text: str, operations: Iterable[str]) -> str:
    """The text of a selection with more operations, each given as `GET /x`, behind those that it has."""
    lines = text.splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith("operations:"))
    end = start + 1
    while end < len(lines) and (lines[end].startswith((" ", "-", "#")) or not lines[end].strip()):
        end += 1
    while not lines[end - 1].strip() or lines[end - 1].startswith("#"):
        end -= 1
    for operation in operations:
        method, _, path = operation.partition(" ")
        lines.insert(end, f"  - method: {method.lower()}\n    path: {json.dumps(path)}\n")
        end += 1
    return "".join(lines)


def read_selection(path: Path) -> Selection | None:
    """Reads the selection; None when there is no such file.

    Raises:
        SpecError: With the line, when the file is not a selection.
    """
    if not path.is_file():
        return None
    return parsed(path.read_bytes(), path.name)


def parsed(data: bytes, name: str) -> Selection:
    """Reads the content of a selection.

    Raises:
        SpecError: With the line, when it is none.
    """
    tree = read_file(name, data)
    findings: list[Finding] = []

    def wrong(where: Pointer, text: str) -> None:
        findings.append(Finding(line_of(tree, where), pointer_text(where), text))

    if not isinstance(tree, dict) or not isinstance(tree.get("operations"), list):
        raise SpecError(name, [Finding(1, "", "a selection is a mapping with the list `operations`")])
    operations = [
        _selected(given, lambda text, i=i: wrong(("operations", i), text)) for i, given in enumerate(tree["operations"])
    ]
    streams = [
        _stream(given, lambda text, i=i: wrong(("streams", i), text)) for i, given in enumerate(tree.get("streams", []))
    ]
    keys = [one.key for one in operations]
    for i, key in enumerate(keys):
        if key in keys[:i]:
            wrong(("operations", i), f"{operations[i].name} is listed twice")
    if findings:
        raise SpecError(name, findings)
    return Selection(operations, streams)


def _selected(given: Any, wrong: Any) -> Selected:  # noqa: ANN401  # any JSON value, and a function
    node = plain(given) if isinstance(given, dict) else {}
    method, path, document = node.get("method"), node.get("path"), node.get("document", "")
    if method not in METHODS or not isinstance(path, str) or not path.startswith("/") or not isinstance(document, str):
        wrong("an operation has a `method` in lower case, a `path`, and perhaps the `document` that counts")
    return Selected(str(method), str(path), str(document))


def _stream(given: Any, wrong: Any) -> Stream:  # noqa: ANN401  # any JSON value, and a function
    node = plain(given) if isinstance(given, dict) else {}
    lists = [node.get(key, []) for key in ("has", "lacks", "operations")]
    if not isinstance(node.get("property"), str) or not all(
        isinstance(one, list) and all(isinstance(item, str) for item in one) for one in lists
    ):
        wrong("a stream has a `property` and the lists `has`, `lacks` and `operations`")
        return Stream("", [], [], [])
    keys = [(method.lower(), route(path)) for method, _, path in (text.partition(" ") for text in lists[2])]
    return Stream(node["property"], lists[0], lists[1], keys)

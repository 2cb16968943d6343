"""Mappings and lists that remember the lines they were read from.

A problem found late, in a converted document, can so be reported on the line of the vendor's own file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

Pointer: TypeAlias = tuple[str | int, ...]
"""Where something is inside a document: mapping keys and list positions, outermost first."""

Tree: TypeAlias = dict[str, Any]
"""A document, or a mapping inside one, as JSON has it."""


class LinedMap(dict[str, Any]):
    """A mapping that knows the line it begins on and the line of each key."""

    __slots__ = ("line", "lines")

    def __init__(self, items: Tree | None = None, *, line: int = 1, lines: dict[str, int] | None = None) -> None:
        super().__init__(items or {})
        self.line = line
        self.lines = lines if lines is not None else {}


class LinedList(list[Any]):
    """A list that knows the line it begins on and the line of each item."""

    __slots__ = ("line", "lines")

    def __init__(self, items: list[Any] | None = None, *, line: int = 1, lines: list[int] | None = None) -> None:
        super().__init__(items or [])
        self.line = line
        self.lines = lines if lines is not None else []


def line_of(root: object, pointer: Pointer) -> int:
    """The line of what `pointer` leads to, or of the nearest thing around it that has a line."""
    node, line = root, getattr(root, "line", 1)
    for step in pointer:
        if isinstance(node, LinedMap) and isinstance(step, str):
            line = node.lines.get(step, line if node.lines else node.line)
        elif isinstance(node, LinedList) and isinstance(step, int) and step < len(node.lines):
            line = node.lines[step]
        try:
            node = node[step]  # type: ignore[index]  # whatever has no such step raises, and ends the walk
        except (KeyError, IndexError, TypeError):
            return int(line)
    return int(line)


def key_line(mapping: Tree, key: str) -> int:
    """The line of one key of a mapping; the mapping's own line when the key is not there."""
    return line_of(mapping, (key,))


def copied(node: Any) -> Any:  # noqa: ANN401  # any JSON value, and the same type comes back
    """A copy that shares nothing with `node` and keeps its lines."""
    if isinstance(node, LinedMap):
        return LinedMap({key: copied(value) for key, value in node.items()}, line=node.line, lines=dict(node.lines))
    if isinstance(node, dict):
        return {key: copied(value) for key, value in node.items()}
    if isinstance(node, LinedList):
        return LinedList([copied(item) for item in node], line=node.line, lines=list(node.lines))
    if isinstance(node, list):
        return [copied(item) for item in node]
    return node


def lined(source: object, items: Tree) -> LinedMap:
    """A new mapping in the place of a given one, with its lines."""
    return LinedMap(items, line=getattr(source, "line", 1), lines=dict(getattr(source, "lines", {})))


def walked(node: Any, where: Pointer = ()) -> Iterator[tuple[Pointer, Any]]:  # noqa: ANN401  # any JSON value
    """A value and all that is inside of it, each with its place."""
    waiting = [(where, node)]
    while waiting:
        at, current = waiting.pop()
        yield at, current
        inner = (
            current.items() if isinstance(current, dict) else enumerate(current) if isinstance(current, list) else ()
        )
        waiting += [((*at, step), value) for step, value in inner]


def is_text(value: object) -> bool:
    """Whether a value is a string with something in it."""
    return isinstance(value, str) and bool(value.strip())


def plain(node: Any) -> Any:  # noqa: ANN401  # any JSON value, and the same type comes back
    """A copy made of plain dicts and lists, for libraries and for comparing."""
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(item) for item in node]
    return node


def pointer_text(pointer: Pointer) -> str:
    """A pointer as a JSON pointer (RFC 6901) in a URI fragment, e.g. `#/paths/~1workflows~1logs/get`."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in pointer)

"""Overlay files without the facts that the vendor states now itself: taken out line by line, all else as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from specification.nodes import line_of
from specification.sources import decoded, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from specification.nodes import Pointer

    from updates.corrections import Fact


class Edited(NamedTuple):
    """Overlay files without some facts.

    Attributes:
        files: The new bytes of the files that changed.
        said: What was taken out, one line for each.
    """

    files: dict[str, bytes]
    said: list[str]


def without(facts: Iterable[Fact], paths: Iterable[Path]) -> Edited:
    """Takes facts out of overlays; an action of which nothing is left goes with its reason."""
    by_file: dict[str, list[Fact]] = {}
    for fact in facts:
        by_file.setdefault(fact.file, []).append(fact)
    files: dict[str, bytes] = {}
    said: list[str] = []
    for path in paths:
        if path.name in by_file:
            text = decoded(path.read_bytes())
            files[path.name], lines = _without(text, by_file[path.name], path.name)
            said += lines
    return Edited(files, said)


def _without(text: str, facts: list[Fact], name: str) -> tuple[bytes, list[str]]:
    overlay = read_yaml(text)
    lines = text.splitlines(keepends=True)
    gone: set[int] = set()
    said = []
    for number in sorted({fact.number for fact in facts}):
        action = overlay["actions"][number - 1]
        line = line_of(overlay, ("actions", number - 1))
        leaves = [fact.leaf for fact in facts if fact.number == number]
        for place in _whole(action, leaves):
            where = (*("actions", number - 1), *(("update", *place) if place else ()))
            start = line_of(overlay, where)
            gone |= _block(lines, start)
            what = ".".join(map(str, place)) if place else "the whole action"
            said.append(
                f"spec/overlays/{name}:{line} ({action['target']}): {what} is taken out; the vendor says it now itself"
            )
    kept = [line for i, line in enumerate(lines, 1) if i not in gone]
    return "".join(kept).encode(), said


def _whole(action: dict[str, Any], leaves: list[Pointer]) -> list[Pointer]:
    """The outermost places of an update of which nothing is left without some leaves; the action's own is ()."""
    if action.get("remove") is True:
        return [()]
    found: list[Pointer] = []

    def visit(node: Any, where: Pointer) -> bool:  # noqa: ANN401  # any JSON value
        if not isinstance(node, dict) or not node:
            return where in leaves
        results = {key: visit(value, (*where, key)) for key, value in node.items()}
        if all(results.values()):
            return True
        found.extend((*where, key) for key, is_gone in results.items() if is_gone)
        return False

    return [()] if visit(action["update"], ()) else found


def _block(lines: list[str], start: int) -> set[int]:
    """The numbers of the lines of a key or an item with all that is inside of it."""
    first = lines[start - 1]
    indent = len(first) - len(first.lstrip())
    end = start
    while end < len(lines):
        line = lines[end]
        if not line.strip() or len(line) - len(line.lstrip()) <= indent:
            break
        end += 1
    return set(range(start, end + 1))

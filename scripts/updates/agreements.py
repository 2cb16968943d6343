"""Overlay files without what has lost its sense, taken out line by line; all else stays as it was.

That is what the vendor states now itself, and the required fields that it no longer has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from openapi.parse import decoded, read_yaml
from openapi.references import at
from openapi.tree import line_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from openapi.tree import Pointer

    from updates.overlay_status import Fact, Orphan


class Edited(NamedTuple):
    """Overlay files without some facts.

    Attributes:
        files: The new bytes of the files that changed.
        said: What was taken out, one line for each.
    """

    files: dict[str, bytes]
    said: list[str]


def without(facts: Iterable[Fact], paths: Iterable[Path], orphans: Iterable[Orphan] = ()) -> Edited:
    """Takes facts and required fields out of overlays; an action of which nothing is left goes with its reason."""
    by_file: dict[str, list[Fact]] = {}
    gone: dict[str, list[Orphan]] = {}
    for fact in facts:
        by_file.setdefault(fact.file, []).append(fact)
    for orphan in orphans:
        gone.setdefault(orphan.file, []).append(orphan)
    files: dict[str, bytes] = {}
    said: list[str] = []
    for path in paths:
        if path.name in by_file or path.name in gone:
            text = decoded(path.read_bytes())
            edited = _without(text, by_file.get(path.name, []), gone.get(path.name, []), path.name)
            files[path.name], lines = edited
            said += lines
    return Edited(files, said)


def _without(text: str, facts: list[Fact], orphans: list[Orphan], name: str) -> tuple[bytes, list[str]]:
    overlay = read_yaml(text)
    lines = text.splitlines(keepends=True)
    gone: set[int] = set()
    said = []
    for number in sorted({fact.number for fact in facts} | {orphan.number for orphan in orphans}):
        action = overlay["actions"][number - 1]
        line = line_of(overlay, ("actions", number - 1))
        leaves = [fact.leaf for fact in facts if fact.number == number]
        for leaf in {one.leaf for one in orphans if one.number == number}:
            required = at(action["update"], leaf)
            names = [one.name for one in orphans if (one.number, one.leaf) == (number, leaf)]
            if set(required) <= {*names}:
                leaves.append(leaf)
            place = ("actions", number - 1, "update", *leaf)
            for item in [item for item, known in enumerate(required) if known in names]:
                at_line = line_of(overlay, (*place, item))
                if at_line == line_of(overlay, place):  # all of it on one line: `required: [a, b]`
                    key = lines[at_line - 1].partition("[")[0]
                    lines[at_line - 1] = f"{key}[{', '.join(one for one in required if one not in names)}]\n"
                else:
                    gone |= _block(lines, at_line)
            said.append(
                f"spec/overlays/{name}:{line} ({action['target']}): {', '.join(names)} is taken out of "
                f"{'.'.join(map(str, leaf))}; the vendor no longer has it"
            )
        for place in _whole(action, leaves) if leaves else ():
            where = (*("actions", number - 1), *(("update", *place) if place else ()))
            start = line_of(overlay, where)
            gone |= _block(lines, start)
            what = ".".join(map(str, place)) if place else "the whole action"
            if not any(place == one.leaf for one in orphans if one.number == number):
                said.append(
                    f"spec/overlays/{name}:{line} ({action['target']}): {what} is taken out; the vendor says it now "
                    "itself"
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

"""What a change of the spec means to a user of this SDK, and where it comes from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from openapi.tree import LinedMap, walked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diff.changes import Change
    from openapi.tree import Pointer, Tree

    from updates.overlay_status import Correction

_PLACE = re.compile(
    r"(?P<operation>[A-Z]+ /\S*)(?: (?P<part>query|path|header|cookie|body|security|servers|default|\d\w\w))?"
    r"(?: (?P<inner>.*))?"
)
_METHOD = re.compile(r"^### `(client\.\S+)`$")


class ReportedChange(NamedTuple):
    """A change, with what follows from it.

    Attributes:
        change: The change.
        meaning: What it means to a user of the SDK.
        places: The lines and overlay actions that it comes from.
        attribute: The class and attribute of the models that it is about, such as `WorkflowLog.id`; nothing for others.
        methods: The facade's methods that it concerns.
    """

    change: Change
    meaning: str
    places: list[str]
    attribute: str = ""
    methods: tuple[str, ...] = ()


def methods(reference: str) -> dict[str, list[str]]:
    """The facade's methods by the operations that they call, as docs/api.md lists them."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in reference.splitlines():
        if match := _METHOD.match(line):
            name = match[1]
        elif line.startswith("Calls ") and name:
            for operation in re.findall(r"`([A-Z]+ /[^`]*)`", line):
                found.setdefault(operation, []).append(name)
    return found


def methods_of(change: Change, known: dict[str, list[str]]) -> tuple[str, ...]:
    """The facade's methods that a change concerns."""
    match = _PLACE.fullmatch(change.where)
    return tuple(known.get(match["operation"], ())) if match else ()


def meaning(change: Change, known: dict[str, list[str]], owners: dict[int, Pointer]) -> str:
    """What a change means to a user of the SDK, in one sentence.

    Args:
        change: The change.
        known: The facade's methods by operation.
        owners: Where the mappings of the spec are, by their ids.
    """
    match = _PLACE.fullmatch(change.where)
    if change.kind in _NOTICES or change.severity == "wording":
        return _NOTICES.get(change.kind, "Nothing changes but texts and names that the SDK does not use.")
    if match is None:
        return "What the SDK's streams give as events differs; no operation of the spec refers to it."
    operation, part = match["operation"], match["part"] or ""
    called = " and ".join(f"`{name}`" for name in known.get(operation, ())) or f"`client.request` with {operation}"
    name = f"`{attribute(change, owners) or (match['inner'] or '').strip() or part or operation}`"
    if part == "default" or part[:1] in {"3", "4", "5"}:
        return (
            f"Only `body` of the exception that {called} raise for {part} may differ; its type and `status_code` stay."
        )
    if change.severity == "additive":
        return f"{name} of {called} is new or takes more; callers need nothing."
    if change.new:
        return f"Code that {'reads' if part[:1] == '2' else 'calls'} {called} may fail over {name}."
    is_none = part[:1] == "2" and attribute(change, owners)
    return (
        f"{name} is gone from {called}{': it is None from now on' if is_none else ''}; code that uses it must change."
    )


_NOTICES = {
    "deprecated": "It still works, and will go one day: callers do well to do without it.",
    "undeprecated": "It is there to stay.",
}


def attribute(change: Change, owners: dict[int, Pointer]) -> str:
    """The class and attribute of the models that a change is about, where it is one."""
    for node in (*change.new, *change.old):
        where = owners.get(id(node), ())
        if where[:2] == ("components", "schemas") and len(where) == 5 and where[3] == "properties":  # noqa: PLR2004
            return f"{where[2]}.{where[4]}"
    return ""


def positions(tree: Tree) -> dict[int, Pointer]:
    """Where every mapping of a document is, by its id."""
    return {id(node): where for where, node in walked(tree) if isinstance(node, dict)}


def overlay_places(
    change: Change, owners: dict[int, Pointer], touched: Iterable[tuple[Pointer, Correction]]
) -> list[str]:
    """The overlay actions that changed what a change is about."""
    touched = list(touched)
    wheres = [owners[id(node)] for node in (*change.new, *change.old) if id(node) in owners]
    return list(dict.fromkeys(place for where in wheres for place in corrections_at(where, touched)))


def corrections_at(where: Pointer, touched: Iterable[tuple[Pointer, Correction]]) -> list[str]:
    """The overlay actions that changed a place of the spec, or what is around it or inside of it."""
    if len(where) < _DEEP:
        return []
    found = (
        by.place for at, by in touched if where == at[: len(where)] or (len(at) >= _DEEP and at == where[: len(at)])
    )
    return list(dict.fromkeys(found))


_DEEP = 3
"""What has fewer steps is all of the operations, or all of the schemas."""


def vendor_places(change: Change, vendors: Iterable[Change], name: str) -> list[str]:
    """The lines of the given document in which the same place changed, under its own name."""
    found: dict[str, None] = {}
    for vendor in vendors:
        if vendor.where == change.where:
            for node in vendor.new:
                if isinstance(node, LinedMap):
                    found[f"{name}:{node.line}"] = None
    return list(found)

"""What a change of the spec means to a user of this SDK, and where it comes from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from openapi.tree import LinedMap

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


class Told(NamedTuple):
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
    operation, part, inner = match["operation"], match["part"] or "", (match["inner"] or "").strip()
    called = " and ".join(f"`{name}`" for name in known.get(operation, ())) or f"`client.request` with {operation}"
    if part in {"", "security"}:
        return _of_operation(change, called, operation)
    if part in {"query", "path", "header", "cookie", "body"}:
        return _of_argument(change, called, inner or f"the {part}")
    if not part.startswith("2"):
        return _of_error(change, called, part)
    return _of_response(change, called, attribute(change, owners) or inner or "the response")


def _of_operation(change: Change, called: str, operation: str) -> str:
    if change.kind.startswith("security"):
        return f"{called} must send other credentials; whoever set only `api_key` may be refused."
    if change.new:
        return f"A method for {operation} can be added to the facade; callers need nothing."
    return f"{called} cannot work any more and must go; every caller has to do without."


_NOTICES = {
    "deprecated": "It still works, and will go one day: callers do well to do without it.",
    "undeprecated": "It is there to stay.",
}


def _of_argument(change: Change, called: str, name: str) -> str:
    keyword = f"`{name}`"
    if not change.new:
        return f"{called} can no longer take {keyword}: callers that give it must stop."
    if not change.old:
        if change.severity == "breaking":
            return f"{called} must be given {keyword}, which no caller gives yet."
        return f"{called} can take {keyword} as well; callers need nothing."
    if "nothing is sent" in change.what:
        return f"Callers of {called} that leave {keyword} out may get something else than before."
    if change.severity == "breaking":
        return f"Callers of {called} may be refused for what they give, or do not give, as {keyword}."
    return f"{called} can accept more for {keyword}; callers need nothing."


def _of_error(change: Change, called: str, status: str) -> str:
    if change.kind in {"error-added", "error-removed", "response-covered"}:
        return f"{called} raise the same exceptions as before: the SDK does so for every status."
    return f"Only `body` of the exception that {called} raise for {status} may differ; its type and `status_code` stay."


def _of_response(change: Change, called: str, name: str) -> str:
    what = f"`{name}`"
    if "alternative" in change.what:  # an event of a stream, as a rule
        return _of_alternative(change, called)
    if not change.new:
        is_field = change.kind not in {"response-removed", "header-removed"}
        gone = f"{what} of what {called} gives is None from now on" if is_field else f"{called} no longer gives this"
        return f"{gone}; code that uses it must change."
    if not change.old:
        return f"{what} can be read from what {called} gives; callers need nothing."
    if change.severity == "breaking":
        return f"Code that reads {what} of what {called} gives meets what it did not expect, or does not get it."
    return f"{what} of what {called} gives may differ in a way that reading code bears."


def _of_alternative(change: Change, called: str) -> str:
    if change.severity != "breaking":
        return f"{called} can give more kinds of things: {change.what}; callers that ignore unknown ones need nothing."
    if change.kind.endswith("alternative-added"):
        return f"{called} can give what no caller knows how to read: {change.what}."
    return f"{called} no longer gives what callers may wait for: {change.what}."


def attribute(change: Change, owners: dict[int, Pointer]) -> str:
    """The class and attribute of the models that a change is about, where it is one."""
    for node in (*change.new, *change.old):
        where = owners.get(id(node), ())
        if where[:2] == ("components", "schemas") and len(where) == 5 and where[3] == "properties":  # noqa: PLR2004
            return f"{where[2]}.{where[4]}"
    return ""


def positions(tree: Tree) -> dict[int, Pointer]:
    """Where every mapping of a document is, by its id."""
    found: dict[int, Pointer] = {}
    waiting: list[tuple[Pointer, Any]] = [((), tree)]
    while waiting:
        where, node = waiting.pop()
        if isinstance(node, dict):
            found[id(node)] = where
            waiting += [((*where, key), value) for key, value in node.items()]
        elif isinstance(node, list):
            waiting += [((*where, i), item) for i, item in enumerate(node)]
    return found


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

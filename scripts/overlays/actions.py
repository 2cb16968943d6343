"""OpenAPI Overlay 1.0: changes to a document, written down as data.

Some rules are this project's own:

- An action that matches nothing is an error, because it is a correction that has lost what it corrects.
- Every action states its reason in `description`.
- A list in an update adds what the document's list does not have yet: the standard would have an item there twice.
- An update with `$ref` takes the place of the mapping that it meets: a reference has nothing beside it.
- An overlay that says `x-our-texts: true` has text alone. It describes what is there, and adds nothing else: what is
  not there needs no text, so that such an action may match nothing.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import jsonpath
from jsonpath.exceptions import JSONPathError
from openapi.diagnostics import Finding, SpecError
from openapi.parse import read_file
from openapi.references import at
from openapi.tree import LinedMap, Tree, copied, is_text, line_of, plain, pointer_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openapi.tree import Pointer


def read_overlay(path: Path) -> Tree:
    """Reads and checks one overlay file.

    Raises:
        SpecError: With the line, when the file is not an Overlay 1.0 document or an action lacks its reason.
    """
    return _overlay_of(path.name, path.read_bytes())


@functools.lru_cache(maxsize=32)
def _overlay_of(name: str, data: bytes) -> Tree:
    """The overlay of a file's content: reading takes long, an update needs each twice, and nobody changes one."""
    overlay = read_file(name, data)
    if findings := check_overlay(overlay):
        raise SpecError(name, findings)
    return overlay  # type: ignore[no-any-return]  # checked: it is a mapping


def check_overlay(overlay: object) -> list[Finding]:
    """Everything by which a tree is not an overlay this project takes."""
    if not isinstance(overlay, dict):
        return [Finding(1, "", "an overlay is a mapping with `overlay`, `info` and `actions`")]
    findings = []

    def wrong(where: Pointer, text: str) -> None:
        findings.append(Finding(line_of(overlay, where), pointer_text(where), text))

    if not re.fullmatch(r"1\.0\.\d+", str(overlay.get("overlay", ""))):
        wrong(("overlay",), "`overlay` must be a 1.0 version, such as 1.0.0")
    info = overlay.get("info")
    if not isinstance(info, dict) or not all(is_text(info.get(key)) for key in ("title", "version")):
        wrong(("info",), "`info` must have a title and a version, both text")
    for key in overlay:
        if key not in ("overlay", "info", "actions", "extends") and not key.startswith("x-"):
            wrong((key,), f"unknown key {key!r}; overlay, info, extends, actions and x-... are allowed")
    actions = overlay.get("actions")
    if not isinstance(actions, list) or not actions:
        wrong(("actions",), "`actions` must be a list with at least one action")
        return findings
    for number, action in enumerate(actions, 1):
        for text in _wrong_with(action):
            wrong(("actions", number - 1), f"action {number}: {text}")
    return findings


TEXTS = "x-our-texts"
"""In an overlay: it has text alone."""

TEXT_KEYS = ("summary", "description", "title", "examples")


def is_of_texts(overlay: Tree) -> bool:
    """Whether an overlay has text alone."""
    return overlay.get(TEXTS) is True


def applied(
    document: Tree,
    overlay: Tree,
    name: str,
    finish: Callable[[Tree, Tree, list[Pointer]], None] = lambda *_: None,
) -> Tree:
    """A copy of a document with an overlay's actions carried out, in order.

    Args:
        document: The document; it is not changed, and shares nothing with the result.
        overlay: A tree that `check_overlay` finds nothing wrong with; it is not changed either.
        name: The overlay's file name, for errors.
        finish: What is done with the document after each action: it gets both, and the places that were changed.

    Raises:
        SpecError: When an action matches nothing, or does not fit what it matches.
    """
    document = copied(document)
    for number, action in enumerate(overlay["actions"], 1):
        try:
            if is_of_texts(overlay):
                describe(document, action)
                continue
            finish(document, action, carry_out(document, action))
        except ActionError as error:
            text = f"action {number} ({action['target']}): {error}"
            raise SpecError(name, [Finding(line_of(overlay, ("actions", number - 1)), "", text)]) from None
    return document


class ActionError(Exception):
    """An action matches nothing, or does not fit what it matches."""


def matches(document: Tree, action: Tree) -> list[Pointer]:
    """Where the target of an action is in a document.

    Raises:
        ActionError: It is nowhere.
    """
    try:
        found = _ENVIRONMENT.finditer(action["target"], document)
        places: list[Pointer] = list(dict.fromkeys(tuple(match.parts) for match in found))
    except (JSONPathError, RecursionError) as error:
        msg = f"the target cannot be evaluated: {error}"
        raise ActionError(msg) from None
    if not places:
        msg = "matches nothing; what it was written for has changed or is gone"
        raise ActionError(msg)
    return places


def describe(document: Tree, action: Tree) -> None:
    """Carries out one action of an overlay of texts: describes what is there."""
    try:
        places = matches(document, action)
    except ActionError as error:
        if "matches nothing" in str(error):
            return
        raise
    for node in [at(document, where) for where in places]:
        if isinstance(node, dict) and isinstance(action.get("update"), dict):
            _describe(node, action["update"])


def _describe(node: Tree, update: Tree) -> None:
    for key, value in update.items():
        there = node.get(key)
        if isinstance(there, dict) and isinstance(value, dict) and key != "examples":
            _describe(there, value)
        elif (isinstance(value, str) and key in TEXT_KEYS) or (key == "examples" and value):
            node[key] = _own(value)


def carry_out(document: Tree, action: Tree) -> list[Pointer]:
    """Carries out one action on a document, which changes, and returns the places of it that matched.

    Raises:
        ActionError: The action does not fit; the document may have changed in part.
    """
    places = matches(document, action)
    if action.get("remove") is True:
        # Of a list, the last items go first, so that the positions of the others stay right; of nested matches, the
        # inner go first.
        for where in sorted(places, key=lambda where: tuple((isinstance(s, int), s) for s in where), reverse=True):
            _remove(document, where)
    else:
        for node in [at(document, where) for where in places]:  # all selected before the first one changes
            _update(node, action["update"])
    return places


_ENVIRONMENT = jsonpath.JSONPathEnvironment(strict=True)


def _wrong_with(action: object) -> list[str]:
    if not isinstance(action, dict):
        return ["must be a mapping"]
    wrong = []
    target = action.get("target")
    if not is_text(target):
        wrong.append("`target` must be a JSONPath (RFC 9535)")
    else:
        try:
            _ENVIRONMENT.compile(str(target))
        except (JSONPathError, RecursionError) as error:
            wrong.append(f"target {target!r} is not a JSONPath (RFC 9535): {error}")
    if not is_text(action.get("description")):
        wrong.append("`description` must state the action's reason")
    if not isinstance(action.get("remove", False), bool):
        wrong.append("`remove` must be true or false")
    if ("update" in action) == (action.get("remove") is True):
        wrong.append("must have either `update` or `remove: true`")
    wrong += [
        f"unknown key {key!r}; target, description, update, remove and x-... are allowed"
        for key in action
        if key not in ("target", "description", "update", "remove") and not key.startswith("x-")
    ]
    return wrong


def _remove(document: Tree, where: Pointer) -> None:
    if not where:
        msg = "the whole document cannot be removed"
        raise ActionError(msg)
    del at(document, where[:-1])[where[-1]]


def _update(node: object, update: object) -> None:
    if isinstance(node, list):
        twin = same_item(node, update)
        if twin is None:
            node.append(_own(update))
        elif isinstance(twin, dict) and isinstance(update, dict):
            _merge(twin, update)
    elif not isinstance(node, dict):
        msg = "matches a plain value; Overlay 1.0 updates mappings and lists (target what holds the value)"
        raise ActionError(msg)
    elif not isinstance(update, dict):
        msg = "matches a mapping, so `update` must be a mapping too"
        raise ActionError(msg)
    else:
        _merge(node, update)


def same_item(node: list[Any], item: Any) -> Any:  # noqa: ANN401  # any JSON value
    """What a list has for an item already: the parameter of its name and place, the tag of its name, or its equal."""
    if isinstance(item, dict) and "name" in item:
        known_by = {key: item[key] for key in ("name", "in") if key in item}
        return next(
            (one for one in node if isinstance(one, dict) and all(one.get(k) == v for k, v in known_by.items())), None
        )
    return next((one for one in node if one == item), None)


def _merge(node: Tree, update: Tree) -> None:
    for key, value in update.items():
        old = node.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            if "$ref" in value:
                old.clear()
            _merge(old, value)
        elif isinstance(old, list) and isinstance(value, list):
            old.extend(_own(item) for item in value if item not in old)
        else:
            node[key] = _own(value)
            if isinstance(node, LinedMap):
                node.lines.pop(key, None)  # the line was the vendor's; the value is ours


def _own(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    return plain(value)  # without the overlay's lines, which would be taken for the document's

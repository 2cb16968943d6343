"""The anatomy of an OpenAPI document: which kind of thing is where.

A key called `nullable` is a keyword in a schema, a name in `properties` and mere data in an example. Everything that
looks for something in a document walks it with `parts`, and so never takes one for another.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openapi.tree import Pointer, Tree

VENDOR_NAME = "x-our-vendor-name"
"""On a parameter of a path in a structure: what the vendor calls it, where the selection has another name."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def route(path: str) -> str:
    """A path without the names of its parameters, which make no other path."""
    return _BRACES.sub("{}", path)


def path_names(path: str) -> list[str]:
    """The names of the parameters of a path, or of the variables of a server's URL."""
    return _BRACES.findall(path)


_BRACES = re.compile(r"\{([^{}]*)\}")


class Part(NamedTuple):
    """One mapping of a document, with what kind of thing it is (a key of the table below)."""

    kind: str
    where: Pointer
    node: Tree


def parts(document: Tree, within: Iterable[Pointer] = ((),)) -> Iterator[Part]:
    """Every part of a document in the order it is written, the document itself first.

    References are parts like all others, of the kind that they stand for; they are not followed. What is not a mapping
    where a mapping belongs is passed over: saying so is the validator's task.

    Args:
        document: The document.
        within: Only parts inside of these places, or around them.
    """
    places = list(within)
    return parts_below("document", document, within=None if () in places else places)


def parts_below(kind: str, node: Tree, where: Pointer = (), within: Iterable[Pointer] | None = None) -> Iterator[Part]:
    """Every part of what is below one part, that part first; only inside of or around some places, where given."""
    waiting = [Part(kind, where, node)]
    places = None if within is None else list(within)
    while waiting:
        part = waiting.pop()
        yield part
        children = list(_children(part))
        if places is not None:
            children = [one for one in children if _is_near(one.where, places)]
        waiting.extend(reversed(children))


def _is_near(where: Pointer, places: Iterable[Pointer]) -> bool:
    return any(where[: len(place)] == place[: len(where)] for place in places)


def schemas(document: Tree) -> Iterator[Part]:
    """Every schema of a document."""
    return (part for part in parts(document) if part.kind == "schema")


def operations(document: Tree) -> Iterator[tuple[str, str, Tree]]:
    """Every operation of a document's paths: its path, its method in lower case, itself."""
    for part in parts(document):
        if part.kind == "operation" and part.where[0] == "paths" and len(part.where) == _DEPTH:  # not of a callback
            yield str(part.where[1]), str(part.where[2]), part.node


_DEPTH = 3  # paths, PATH, METHOD

# How a key's value holds parts: as one part, as a list of them, as a mapping from names to them.
ONE, LIST, MAP = "one", "list", "map"
SCHEMAS_BELOW = {
    **dict.fromkeys(("properties", "patternProperties", "$defs", "dependentSchemas"), (MAP, "schema")),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), (LIST, "schema")),
    **dict.fromkeys(
        (
            *("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"),
            *("unevaluatedItems", "unevaluatedProperties", "contentSchema"),
        ),
        (ONE, "schema"),
    ),
}
_PARAMETER = {"schema": (ONE, "schema"), "content": (MAP, "media type"), "examples": (MAP, "example")}
_ANATOMY: dict[str, dict[str, tuple[str, str]]] = {
    "document": {
        "paths": (MAP, "path item"),
        "webhooks": (MAP, "path item"),
        "components": (ONE, "components"),
        "servers": (LIST, "server"),
    },
    "components": {
        "schemas": (MAP, "schema"),
        "responses": (MAP, "response"),
        "parameters": (MAP, "parameter"),
        "examples": (MAP, "example"),
        "requestBodies": (MAP, "request body"),
        "headers": (MAP, "header"),
        "securitySchemes": (MAP, "security scheme"),
        "links": (MAP, "link"),
        "callbacks": (MAP, "callback"),
        "pathItems": (MAP, "path item"),
    },
    "path item": {
        **dict.fromkeys(METHODS, (ONE, "operation")),
        "parameters": (LIST, "parameter"),
        "servers": (LIST, "server"),
    },
    "operation": {
        "parameters": (LIST, "parameter"),
        "requestBody": (ONE, "request body"),
        "responses": (MAP, "response"),
        "callbacks": (MAP, "callback"),
        "servers": (LIST, "server"),
    },
    "parameter": _PARAMETER,
    "header": _PARAMETER,
    "request body": {"content": (MAP, "media type")},
    "response": {"content": (MAP, "media type"), "headers": (MAP, "header"), "links": (MAP, "link")},
    "media type": {"schema": (ONE, "schema"), "examples": (MAP, "example"), "encoding": (MAP, "encoding")},
    "encoding": {"headers": (MAP, "header")},
    "schema": SCHEMAS_BELOW,
    "server": {"variables": (MAP, "server variable")},
}


def _children(part: Part) -> Iterator[Part]:
    if part.kind == "callback":  # its keys are expressions, each leading to a path item
        yield from _held(MAP, "path item", part.where, part.node)
        return
    table = _ANATOMY.get(part.kind, {})
    for key, value in part.node.items():
        if key in table:
            yield from _held(*table[key], (*part.where, key), value)


def _held(how: str, kind: str, where: Pointer, value: Any) -> Iterator[Part]:  # noqa: ANN401  # any JSON value
    if how == ONE and isinstance(value, dict):
        yield Part(kind, where, value)
    elif how == LIST and isinstance(value, list):
        yield from (Part(kind, (*where, i), item) for i, item in enumerate(value) if isinstance(item, dict))
    elif how == MAP and isinstance(value, dict):
        yield from (Part(kind, (*where, key), item) for key, item in value.items() if isinstance(item, dict))

"""What must hold before any other tool may see a document, because tools follow references and use names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openapi.references import COMPONENT_NAME, led_to, references
from openapi.structure import parts, schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openapi.structure import Part
    from openapi.tree import Pointer, Tree

    from lint.rules import Problems


def self_contained(document: Tree) -> Problems:
    """Nothing outside of the document is referred to, and no keyword changes what a reference means."""
    if "jsonSchemaDialect" in document:
        yield ("jsonSchemaDialect",), "another JSON Schema dialect is not supported; leave it out"
    for part in parts(document):
        if part.kind == "schema":
            for keyword in sorted(_FOREIGN_KEYWORDS & part.node.keys()):
                yield (*part.where, keyword), f"{keyword} is not supported; use $ref to a component of this document"
        if part.kind == "example" and "externalValue" in part.node:
            yield (*part.where, "externalValue"), "an example outside of the document is not supported; write it out"


def component_name(document: Tree) -> Problems:
    """Component names are plain ASCII names, so that none can be a path or a piece of code."""
    components = document.get("components")
    for kind, named in components.items() if isinstance(components, dict) else ():
        for name in named if isinstance(named, dict) and not kind.startswith("x-") else ():
            if not COMPONENT_NAME.fullmatch(name):
                text = f"the name {name!r} is not allowed; letters, digits, '.', '_' and '-' are"
                yield ("components", kind, name), text


def reference(document: Tree) -> Problems:
    """Every reference leads to a part of this document, of the kind that belongs there."""
    kinds = {part.where: part.kind for part in parts(document)}
    for part in parts(document):
        for where, target in references(part):
            if not isinstance(target, str) or not target.startswith("#/"):
                yield where, f"the reference {target!r} leads out of the document; only #/... is allowed"
            elif (kind := kinds.get(led_to(target))) is None:
                yield where, f"the reference {target!r} leads to nothing"
            elif kind != part.kind:
                yield where, f"the reference {target!r} leads to a {kind}, but a {part.kind} belongs here"


def reference_cycle(document: Tree) -> Problems:
    """Nothing is made of itself: a cycle must pass through a property or an item, or no value is ever complete."""
    nodes = {part.where: part for part in parts(document) if "$ref" in part.node}
    nodes |= {part.where: part for part in schemas(document)}
    done: set[Pointer] = set()
    for start in nodes:
        path: list[Pointer] = []
        waiting = [(start, False)]
        while waiting:  # depth first; the second visit of a place leaves it
            where, is_left = waiting.pop()
            if is_left:
                path.pop()
                done.add(where)
            elif where in path:
                yield where, "is made of itself, by way of $ref and allOf, anyOf, oneOf or not alone"
            elif where in nodes and where not in done:
                path.append(where)
                waiting.append((where, True))
                waiting += [(inner, False) for inner in _made_of(nodes[where])]


_FOREIGN_KEYWORDS = {"$id", "$schema", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"}


def _made_of(part: Part) -> Iterator[Pointer]:
    if "$ref" in part.node:
        yield led_to(part.node["$ref"])
    for key in ("allOf", "anyOf", "oneOf"):
        alternatives = part.node.get(key)
        yield from ((*part.where, key, i) for i in range(len(alternatives) if isinstance(alternatives, list) else 0))
    for key in ("not", "if", "then", "else"):
        if key in part.node:
            yield (*part.where, key)

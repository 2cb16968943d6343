"""Local references: where they stand, where they lead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openapi.structure import Part
    from openapi.tree import Pointer, Tree

COMPONENT_NAME = re.compile(r"(?!\.+$)[A-Za-z0-9._-]+")
"""What a component may be called: what the standard allows, but for a name of dots, which would be a step of a path."""

SCHEMAS = "#/components/schemas/"

DEFAULT = "x-our-default"
"""In a discriminator of ours: a reference to the schema of values that its mapping does not name. OpenAPI 3.1 has no
word for it."""


def references(part: Part) -> Iterator[tuple[Pointer, object]]:
    """The references of one part: its `$ref`, and a discriminator's, with where they stand."""
    if "$ref" in part.node:
        yield (*part.where, "$ref"), part.node["$ref"]
    discriminator = part.node.get("discriminator") if part.kind == "schema" else None
    if not isinstance(discriminator, dict):
        return
    mapping = discriminator.get("mapping")
    targets: list[tuple[Pointer, object]] = [((DEFAULT,), discriminator[DEFAULT])] if DEFAULT in discriminator else []
    targets += [(("mapping", value), to) for value, to in mapping.items()] if isinstance(mapping, dict) else []
    for where, target in targets:
        is_name = isinstance(target, str) and COMPONENT_NAME.fullmatch(target)
        yield (*part.where, "discriminator", *where), SCHEMAS + str(target) if is_name else target


def led_to(reference: object) -> Pointer:
    """Where a local reference leads to. Only what is in a list has a number for a name."""
    steps = [_unescaped(step) for step in str(reference).removeprefix("#/").split("/")]
    before = ["", *steps]
    return tuple(
        int(step) if list_name in _LISTS and step.isascii() and step.isdigit() else step
        for list_name, step in zip(before, steps, strict=False)
    )


def at(document: Tree, where: Pointer) -> Any:  # noqa: ANN401  # any JSON value
    """What is at a place of a document; a KeyError or IndexError when nothing does."""
    node: Any = document
    for step in where:
        node = node[step]
    return node


def followed(document: Tree, node: Tree) -> Tree:
    """What a part refers to, or itself; the references are known to lead somewhere, and not in circles."""
    while "$ref" in node:
        node = at(document, led_to(node["$ref"]))
    return node


def target(document: Tree, reference: object) -> Any:  # noqa: ANN401  # any JSON value
    """What is where a local reference leads; None when nothing does, or when it leads out of the document."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    node: Any = document
    for step in map(_unescaped, unquote(reference.removeprefix("#")).split("/")[1:]):
        if isinstance(node, list) and step.isdecimal() and int(step) < len(node):
            node = node[int(step)]
        elif isinstance(node, dict) and step in node:
            node = node[step]
        else:
            return None
    return node


def resolved(document: Tree, node: object) -> Tree:
    """What a part that may be a reference stands for; an empty mapping when it leads nowhere in this document."""
    seen: list[str] = []
    while isinstance(node, dict) and isinstance(node.get("$ref"), str):
        if node["$ref"] in seen:
            return {}
        seen.append(node["$ref"])
        node = target(document, node["$ref"])
    return node if isinstance(node, dict) else {}


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


_LISTS = {"allOf", "anyOf", "oneOf", "prefixItems", "parameters", "servers"}

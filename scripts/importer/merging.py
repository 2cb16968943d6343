"""Several documents to one.

Documents that are merged may disagree about what holds for all operations. So what a document says once for all of
them (servers, security, a path's parameters) is first written onto each operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openapi.diagnostics import Finding
from openapi.references import followed
from openapi.structure import METHODS, operations, parts, route
from openapi.tree import LinedMap, Tree, copied, line_of, plain, pointer_text
from openapi.upgrade import VERSION

from importer.legacy_docs_pages import REBUILT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openapi.tree import Pointer

    from importer.documents import VendorDocument


class Collision(NamedTuple):
    """A finding, and the document whose line it gives."""

    name: str
    finding: Finding


def merged(documents: Sequence[VendorDocument]) -> tuple[Tree, list[Collision]]:
    """Puts documents together.

    The same operation twice is a collision, and so are two components of one name and different content. A schema that
    one page could only rebuild gives way to the same schema in full.

    Returns:
        One OpenAPI 3.1.0 document, in the order in which the documents are given; and the collisions, each reported on
        the document that came later.
    """
    result = LinedMap(
        {
            "openapi": VERSION,
            "info": {"title": "The vendor's documents", "version": "0"},
            "paths": {},
            "components": {},
        }
    )
    collisions: list[Collision] = []
    owners: dict[Pointer, str] = {}
    for document in documents:
        for part in document.parts:
            own = _self_contained(part)
            for collision in _add(result, own, document.name, owners):
                finding = Finding(line_of(part, collision.where), pointer_text(collision.where), collision.text)
                collisions.append(Collision(document.name, finding))
            _add_tags(result, own)
    for schema in result["components"].get("schemas", {}).values():
        if isinstance(schema, dict):
            schema.pop(REBUILT, None)
    if not result["components"]:
        del result["components"]
    return result, collisions


class _Clash(NamedTuple):
    where: Pointer
    text: str


def _add(result: Tree, own: Tree, name: str, owners: dict[Pointer, str]) -> list[_Clash]:
    clashes = []
    for path, method, operation in operations(own):
        if (owner := owners.setdefault(("paths", route(path), method), name)) == name and method not in result[
            "paths"
        ].get(path, {}):
            result["paths"].setdefault(path, {})[method] = operation
        else:
            text = (
                f"{method.upper()} {path} is already described by {owner}; each operation once is allowed, unless "
                "`document` in spec/selection.yaml says which one counts"
            )
            clashes.append(_Clash(("paths", path, method), text))
    for kind, components in own.get("components", {}).items():
        there = result["components"].setdefault(kind, {}) if not kind.startswith("x-") else {}
        for key, component in components.items() if not kind.startswith("x-") else ():
            where = ("components", kind, key)
            if key not in there or (_is_rebuilt(there[key]) and _same(kind, there[key], component)):
                there[key] = component
                owners[where] = name
            elif not _same(kind, there[key], component):
                text = f"the {kind} component {key!r} is already described, and differently, by {owners[where]}"
                clashes.append(_Clash(where, f"{text}; one name for one content is allowed"))
    return clashes


def _same(kind: str, one: object, other: object) -> bool:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return one == other
    if kind == "securitySchemes":  # pages word them differently, and the older ones drop what a bearer token looks like
        return all(one.get(key) == other.get(key) for key in ("type", "scheme", "in", "name", "flows"))
    if _is_rebuilt(one) or _is_rebuilt(other):
        return _as_inlined(one) == _as_inlined(other)
    return one == other


def _is_rebuilt(component: object) -> bool:
    return isinstance(component, dict) and REBUILT in component


def _as_inlined(schema: Tree) -> Tree:
    """A schema as an older page leaves it when it inlines it."""
    schema = plain(schema)
    for node in [schema, *schema.get("properties", {}).values()]:
        if isinstance(node, dict):
            is_number = node.get("type") in ("number", "integer")
            for key in [key for key in node if key.startswith("x-") or (is_number and key == "format")]:
                del node[key]
    return schema


def _self_contained(document: Tree) -> Tree:
    document = copied(document)
    for part in list(parts(document)):
        if part.kind != "path item" or part.where[0] != "paths":
            continue
        item = part.node
        shared = item.pop("parameters", [])
        servers = item.pop("servers", None) or document.get("servers")
        for key in [key for key in item if key not in METHODS]:
            del item[key]  # a path's own summary and description; the operations have theirs
        for operation in item.values():
            own = {_identity(document, given) for given in operation.get("parameters", [])}
            inherited = [copied(given) for given in shared if _identity(document, given) not in own]
            if inherited:
                operation["parameters"] = [*inherited, *operation.get("parameters", [])]
            if servers and "servers" not in operation:
                operation["servers"] = copied(servers)
            if "security" in document and "security" not in operation:
                operation["security"] = copied(document["security"])
    return document


def _identity(document: Tree, parameter: Tree) -> tuple[str, str]:
    given = followed(document, parameter)
    return given["name"], given["in"]


def _add_tags(result: Tree, own: Tree) -> None:
    for tag in own.get("tags", []):
        tags = result.setdefault("tags", [])
        if all(other["name"] != tag["name"] for other in tags):
            tags.append(tag)

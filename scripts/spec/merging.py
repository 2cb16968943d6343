"""Several documents to one.

Documents that are merged may disagree about what holds for all operations. So what a document says once for all of
them (servers, security, a path's parameters) is first written onto each operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from spec.anatomy import METHODS, operations, parts
from spec.findings import Finding
from spec.nodes import LinedMap, Tree, copied, line_of, plain, pointer_text
from spec.older_pages import REBUILT
from spec.references import followed
from spec.upgrade import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spec.documents import VendorDocument
    from spec.nodes import Pointer


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
        where = ("paths", path, method)
        if where in owners:
            text = f"{method.upper()} {path} is already described by {owners[where]}; each operation once is allowed"
            clashes.append(_Clash(where, text))
            continue
        owners[where] = name
        result["paths"].setdefault(path, {})[method] = operation
    for kind, components in own.get("components", {}).items():
        if kind.startswith("x-"):
            continue
        there = result["components"].setdefault(kind, {})
        for key, component in components.items():
            where = ("components", kind, key)
            if key not in there:
                there[key] = component
                owners[where] = name
            elif not _same(there[key], component):
                text = (
                    f"{kind} {key!r} is already described by {owners[where]}, and differently; "
                    "the same name is allowed for the same content only"
                )
                clashes.append(_Clash(where, text))
            elif REBUILT in there[key]:
                there[key] = component
                owners[where] = name
    return clashes


def _same(one: Tree, other: Tree) -> bool:
    if REBUILT in one or REBUILT in other:
        return _without_number_formats(one) == _without_number_formats(other)
    return bool(plain(one) == plain(other))


def _without_number_formats(schema: Tree) -> Tree:
    """A schema as an older page's inlining leaves it."""
    schema = copied(schema)
    schema.pop(REBUILT, None)
    for part in [{"": schema}, schema.get("properties", {})]:
        for value in part.values():
            if isinstance(value, dict) and value.get("type") in ("number", "integer"):
                value.pop("format", None)
            for key in [key for key in value if key.startswith("x-")] if isinstance(value, dict) else []:
                del value[key]
    return plain(schema)  # type: ignore[no-any-return]  # a mapping comes back as a mapping


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

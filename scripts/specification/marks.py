"""Marks that overlays leave in a document, and that the compilation then carries out.

Overlay 1.0 can add and remove, but not rename. So an overlay marks what it wants with plain updates, and after each
overlay file the marks are carried out and taken away:

- `x-our-name: WorkflowLog` on a component schema gives it that name, everywhere it is referred to.
- `x-our-property-order: [id, status]` on a schema puts its properties in that order; those not listed follow.

Any other overlay tool leaves the marks standing, which is valid OpenAPI too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from specification.anatomy import parts, schemas
from specification.findings import Finding, SpecError
from specification.nodes import Tree, copied, pointer_text
from specification.references import SCHEMAS, at, references

if TYPE_CHECKING:
    from specification.anatomy import Part

NAME = "x-our-name"
PROPERTY_ORDER = "x-our-property-order"


def carried_out(document: Tree, name: str) -> Tree:
    """A copy of a document with its marks carried out.

    Args:
        document: The document, with marks.
        name: The file that left the marks, for errors.

    Raises:
        SpecError: When a mark cannot be carried out: a name that is taken or stands on no component schema, an order
            that lists a property that is not there.
    """
    document = copied(document)
    wrong: list[Finding] = []
    for part in schemas(document):
        if NAME in part.node and part.where[:2] + part.where[3:] != ("components", "schemas"):
            wrong.append(_finding(part, f"{NAME} belongs on a component schema"))
        if PROPERTY_ORDER in part.node:
            wrong += _order_properties(part)
    holder = document.get("components")
    components = holder.get("schemas", {}) if isinstance(holder, dict) else {}
    names = {old: schema.pop(NAME) for old, schema in components.items() if isinstance(schema, dict) and NAME in schema}
    new_names = [names.get(old, old) for old in components]
    for old, new in names.items():
        if not isinstance(new, str) or not new.isidentifier():
            wrong.append(Finding(0, f"{SCHEMAS}{old}", f"{NAME} {new!r} must be an identifier"))
        elif new_names.count(new) > 1:
            wrong.append(Finding(0, f"{SCHEMAS}{old}", f"{NAME} {new!r} is the name of another schema"))
    if wrong:
        raise SpecError(name, wrong)
    if names:
        _rename(document, names)
    return document


def _rename(document: Tree, names: dict[str, str]) -> None:
    components = document["components"]
    components["schemas"] = {names.get(old, old): schema for old, schema in components["schemas"].items()}
    for part in parts(document):
        for where, target in references(part):
            if isinstance(target, str) and target.startswith(SCHEMAS):
                old, slash, rest = target.removeprefix(SCHEMAS).partition("/")
                holder = at(part.node, where[len(part.where) : -1])
                holder[where[-1]] = SCHEMAS + names.get(old, old) + slash + rest


def _order_properties(part: Part) -> list[Finding]:
    order = part.node.pop(PROPERTY_ORDER)
    properties = part.node.get("properties", {})
    if not isinstance(order, list) or len(set(map(str, order))) != len(order):
        return [_finding(part, f"{PROPERTY_ORDER} must list names, each once")]
    if missing := [key for key in order if key not in properties]:
        return [_finding(part, f"{PROPERTY_ORDER} names what is not a property: {', '.join(map(str, missing))}")]
    rest = [key for key in properties if key not in order]
    part.node["properties"] = {key: properties[key] for key in [*order, *rest]}
    return []


def _finding(part: Part, text: str) -> Finding:
    return Finding(0, pointer_text(part.where), text)

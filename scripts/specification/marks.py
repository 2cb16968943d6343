"""Marks that overlays leave in a document, and that the compilation then carries out.

Overlay 1.0 can add and remove, but not rename. So an overlay marks what it wants with plain updates, and after each
action the marks that it left are carried out and taken away:

- `x-our-name: WorkflowLog` on a component schema gives it that name, everywhere it is referred to. On a reference it
  does the same to the schema that is referred to: so a name is tied to the place in the API where the schema is used,
  and whatever the vendor calls it makes no difference.
- `x-our-path: /tasks/{task_id}` on a path gives it that text: the same path, with our names for its parameters.
- `x-our-property-order: [id, status]` on a schema puts its properties in that order; those not listed follow.

Any other overlay tool leaves the marks standing, which is valid OpenAPI too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from specification.anatomy import METHODS, parts, schemas
from specification.findings import Finding, SpecError
from specification.nodes import Tree, copied, pointer_text
from specification.references import SCHEMAS, at, led_to, references

if TYPE_CHECKING:
    from specification.anatomy import Part

NAME = "x-our-name"
PATH = "x-our-path"
PROPERTY_ORDER = "x-our-property-order"


def carried_out(document: Tree, name: str) -> Tree:
    """A copy of a document with its marks carried out.

    Args:
        document: The document, with marks.
        name: The file that left the marks, for errors.

    Raises:
        SpecError: When a mark cannot be carried out: a name that is taken or stands on no component schema, another
            path, an order that lists a property that is not there.
    """
    document = copied(document)
    wrong: list[Finding] = []
    for part in schemas(document):
        if NAME in part.node and _marked(part) is None:
            wrong.append(_finding(part, f"{NAME} belongs on a component schema, or on a reference to one"))
        if PROPERTY_ORDER in part.node:
            wrong += _order_properties(part)
    wrong += _rename_paths(document)
    names = names_given(document)
    for part in schemas(document):
        part.node.pop(NAME, None)
    holder = document.get("components")
    components = holder.get("schemas", {}) if isinstance(holder, dict) else {}
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


def are_in(update: object) -> bool:
    """Whether an overlay's update leaves marks."""
    if isinstance(update, dict):
        return any(key in (NAME, PATH, PROPERTY_ORDER) or are_in(value) for key, value in update.items())
    return isinstance(update, list) and any(are_in(item) for item in update)


def names_given(document: Tree) -> dict[str, Any]:
    """The names that marks give to component schemas, by the names that these have."""
    marked = ((part, _marked(part)) for part in schemas(document) if NAME in part.node)
    return {old: part.node[NAME] for part, old in marked if old is not None}


def _marked(part: Part) -> str | None:
    """The component schema that a mark on a schema is about."""
    reference = part.node.get("$ref")
    where = led_to(reference) if isinstance(reference, str) and reference.startswith(SCHEMAS) else part.where
    is_component = where[:2] == ("components", "schemas") and len(where) == 3  # noqa: PLR2004 - and its name
    return str(where[2]) if is_component else None


def _rename(document: Tree, names: dict[str, str]) -> None:
    components = document["components"]
    components["schemas"] = {names.get(old, old): schema for old, schema in components["schemas"].items()}
    for part in parts(document):
        for where, target in references(part):
            if isinstance(target, str) and target.startswith(SCHEMAS):
                old, slash, rest = target.removeprefix(SCHEMAS).partition("/")
                holder = at(part.node, where[len(part.where) : -1])
                holder[where[-1]] = SCHEMAS + names.get(old, old) + slash + rest


def _rename_paths(document: Tree) -> list[Finding]:
    wrong: list[Finding] = []
    paths = document.get("paths")
    paths = paths if isinstance(paths, dict) else {}
    marked = {path: item.pop(PATH) for path, item in paths.items() if isinstance(item, dict) and PATH in item}
    for old, new in marked.items():
        where = pointer_text(("paths", old))
        if not isinstance(new, str) or _BRACES.sub("{}", new) != _BRACES.sub("{}", old):
            wrong.append(Finding(0, where, f"{PATH} {new!r} must be the same path but for the names in braces"))
            continue
        names = dict(zip(_BRACES.findall(old), _BRACES.findall(new), strict=True))
        item = paths[old]
        for holder in (item, *(item[method] for method in METHODS if isinstance(item.get(method), dict))):
            for parameter in holder.get("parameters", []):
                if "$ref" in parameter:
                    wrong.append(Finding(0, where, f"{PATH} is not for a path with parameters by reference"))
                elif parameter.get("in") == "path" and parameter.get("name") in names:
                    parameter["name"] = names[parameter["name"]]
    if any(marked.get(path, path) != path for path in paths) and not wrong:
        renamed = {marked.get(path, path): item for path, item in paths.items()}
        paths.clear()
        paths.update(renamed)
    return wrong


_BRACES = re.compile(r"\{([^{}]*)\}")


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

"""Marks that overlays leave in a document, and that the compilation then carries out.

Overlay 1.0 can add and remove, but not rename. So an overlay marks what it wants with plain updates, and after each
action the marks that it left are carried out and taken away:

- `x-our-name: WorkflowLog` on a component schema gives it that name, everywhere it is referred to. On a reference it
  does the same to the schema that is referred to; a schema that is written out becomes a component of that name. So a
  name is tied to the place in the API where the schema is used, and whatever the vendor calls it makes no difference.
  Schemas that are written out in several places can have one name: the component then has what any of them has, and
  requires what all of them require. On a security scheme, the mark renames the scheme.
- `x-our-without: [format, enum]` on any mapping takes these keys away, where they are there.
- `x-our-path: /tasks/{task_id}` on a path gives it that text: the same path, with our names for its parameters.
- `x-our-property-order: [id, status]` on a schema puts its properties in that order; those not listed follow, and
  those that are not there are passed over. On a schema with a discriminator it does that to the kinds.

Any other overlay tool leaves the marks standing, which is valid OpenAPI too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openapi.diagnostics import Finding, SpecError
from openapi.references import SCHEMAS, at, led_to, references
from openapi.structure import METHODS, operations, parts, path_names, route
from openapi.tree import Tree, copied, lined, pointer_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openapi.structure import Part
    from openapi.tree import Pointer

NAME = "x-our-name"
PATH = "x-our-path"
PROPERTY_ORDER = "x-our-property-order"
WITHOUT = "x-our-without"
MARKS = (NAME, PATH, PROPERTY_ORDER, WITHOUT)


def carried_out(document: Tree, name: str) -> Tree:
    """A copy of a document with its marks carried out.

    Args:
        document: The document, with marks.
        name: The file that left the marks, for errors.

    Raises:
        SpecError: When a mark cannot be carried out: a name that is taken or is none, another path.
    """
    document = copied(document)
    carry_out(document, name, [()])
    return document


def carry_out(document: Tree, name: str, within: Iterable[Pointer]) -> None:
    """Carries out the marks that are inside of some places of a document, which changes.

    Args:
        document: The document.
        name: The file that left the marks, for errors.
        within: The places; there are marks nowhere else.

    Raises:
        SpecError: When a mark cannot be carried out. It is taken away then, and the others are carried out, but for
            names where one of them is wrong.
    """
    places = list(within)
    wrong: list[Finding] = []
    for where in places:
        _take_away(at(document, where))
    for part in list(_marked_schemas(document, places)):
        if NAME in part.node and _marked(part) is None:
            places.append(("components", "schemas", part.node[NAME]))
            wrong += _lift(document, part)
    for part in list(_marked_schemas(document, places)):
        if PROPERTY_ORDER in part.node:
            wrong += _order_properties(part)
    wrong += _rename_schemes(document)
    wrong += _rename_paths(document)
    marked = list(_marked_schemas(document, places))
    names = {old: part.node[NAME] for part in marked if NAME in part.node and (old := _marked(part)) is not None}
    for part in marked:
        part.node.pop(NAME, None)
    wrong_names = _wrong_names(document, names)
    if names and not wrong_names:
        _rename(document, names)
    if wrong or wrong_names:
        raise SpecError(name, [*wrong, *wrong_names])


def _wrong_names(document: Tree, names: dict[str, Any]) -> list[Finding]:
    holder = document.get("components")
    components = holder.get("schemas", {}) if isinstance(holder, dict) else {}
    new_names = [names.get(old, old) for old in components]
    found: list[Finding] = []
    for old, new in names.items():
        if not isinstance(new, str) or not new.isidentifier():
            found.append(Finding(0, f"{SCHEMAS}{old}", f"{NAME} {new!r} must be an identifier"))
        elif new_names.count(new) > 1:
            found.append(Finding(0, f"{SCHEMAS}{old}", f"{NAME} {new!r} is the name of another schema"))
    return found


def _marked_schemas(document: Tree, places: list[Pointer]) -> Iterator[Part]:
    """The schemas inside of some places, and those that were lifted out of them."""
    return (part for part in parts(document, places) if part.kind == "schema")


def are_in(update: object) -> bool:
    """Whether an overlay's update leaves marks."""
    if isinstance(update, dict):
        return any(key in MARKS or are_in(value) for key, value in update.items())
    return isinstance(update, list) and any(are_in(item) for item in update)


def names_given(document: Tree, within: Iterable[Pointer] = ((),)) -> dict[str, Any]:
    """The names that marks inside of some places give to component schemas, by the names that these have."""
    marked = ((part, _marked(part)) for part in _marked_schemas(document, list(within)) if NAME in part.node)
    return {old: part.node[NAME] for part, old in marked if old is not None}


def _marked(part: Part) -> str | None:
    """The component schema that a mark on a schema is about."""
    reference = part.node.get("$ref")
    where = led_to(reference) if isinstance(reference, str) and reference.startswith(SCHEMAS) else part.where
    is_component = where[:2] == ("components", "schemas") and len(where) == 3  # noqa: PLR2004 - and its name
    return str(where[2]) if is_component else None


def lifted(document: Tree, schema: Tree, name: str) -> None:
    """Makes a schema that is written out a component, and leaves a reference in its place; null stays beside it.

    Where a component has that name already, it takes up what the schema has.
    """
    own = lined(schema, schema)
    schema.clear()
    kinds = own.get("type")
    reference: Tree = {"$ref": SCHEMAS + name}
    if isinstance(kinds, list) and "null" in kinds and len(kinds) > 1:
        rest = [kind for kind in kinds if kind != "null"]
        own["type"] = rest[0] if len(rest) == 1 else rest
        schema["anyOf"] = [reference, {"type": "null"}]
    else:
        schema.update(reference)
    components = document.setdefault("components", {}).setdefault("schemas", {})
    if name in components:
        _unite(components[name], own)
    else:
        components[name] = own


def _lift(document: Tree, part: Part) -> list[Finding]:
    name = part.node.pop(NAME)
    if not isinstance(name, str) or not name.isidentifier():
        return [_finding(part, f"{NAME} {name!r} must be an identifier")]
    there = document.get("components", {}).get("schemas", {}).get(name)
    if there is not None and not (set(part.node) - _INFORMS and set(there) - _INFORMS):
        return [_finding(part, f"{NAME} {name!r} is the name of another schema")]
    lifted(document, part.node, name)
    return []


_INFORMS = {"description", "title", "examples"}


def _unite(one: Tree, other: Tree) -> None:
    """Makes a schema take what another takes as well, as far as both are of one kind."""
    if "$ref" in one or "$ref" in other:
        return
    kinds = [kind for schema in (one, other) for kind in _as_list(schema.get("type"))]
    if kinds and "type" in one and "type" in other:
        kinds = list(dict.fromkeys(kinds))
        one["type"] = kinds[0] if len(kinds) == 1 else kinds
    properties = other.get("properties", {})
    for name, inner in properties.items():
        own = one.setdefault("properties", {})
        if name in own:
            _unite(own[name], inner)
        else:
            own[name] = copied(inner)
    if "required" in one:
        one["required"] = [name for name in one["required"] if name in other.get("required", ())]
        if not one["required"]:
            del one["required"]
    if isinstance(one.get("items"), dict) and isinstance(other.get("items"), dict):
        _unite(one["items"], other["items"])
    if "enum" in one and "enum" in other:
        one["enum"] = [*one["enum"], *(value for value in other["enum"] if value not in one["enum"])]
    for key in [key for key in one if key not in _UNITED and one[key] != other.get(key)]:
        del one[key]  # a limit that only one of them has


_UNITED = {"type", "properties", "required", "items", "enum", "anyOf", "oneOf", "allOf", "additionalProperties", NAME}


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401  # any JSON value
    return value if isinstance(value, list) else [] if value is None else [value]


def _take_away(node: Any) -> None:  # noqa: ANN401  # any JSON value
    if isinstance(node, dict):
        for key in _as_list(node.pop(WITHOUT, None)):
            node.pop(key, None)
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _take_away(inner)


def _rename_schemes(document: Tree) -> list[Finding]:
    schemes = document.get("components", {}).get("securitySchemes", {})
    names = {old: scheme.pop(NAME) for old, scheme in schemes.items() if isinstance(scheme, dict) and NAME in scheme}
    if not names:
        return []
    items = {names.get(old, old): scheme for old, scheme in schemes.items()}
    schemes.clear()
    schemes.update(items)
    for holder in (document, *(operation for _, _, operation in operations(document))):
        for requirement in holder.get("security", []):
            renamed = {names.get(old, old): scopes for old, scopes in requirement.items()}
            requirement.clear()
            requirement.update(renamed)
    return []


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
        if not isinstance(new, str) or route(new) != route(old):
            wrong.append(Finding(0, where, f"{PATH} {new!r} must be the same path but for the names in braces"))
            continue
        names = dict(zip(path_names(old), path_names(new), strict=True))
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


def _order_properties(part: Part) -> list[Finding]:
    order = part.node.pop(PROPERTY_ORDER)
    properties = part.node.get("properties", {})
    if not isinstance(order, list) or len(set(map(str, order))) != len(order):
        return [_finding(part, f"{PROPERTY_ORDER} must list names, each once")]
    discriminator = part.node.get("discriminator")
    if isinstance(discriminator, dict) and isinstance(mapping := discriminator.get("mapping"), dict):
        kinds = [*(key for key in order if key in mapping), *(key for key in mapping if key not in order)]
        discriminator["mapping"] = {key: mapping[key] for key in kinds}
        references = [mapping[key] for key in kinds]
        part.node.get("oneOf", []).sort(
            key=lambda one: references.index(one["$ref"]) if one.get("$ref") in references else len(references)
        )
        return []
    rest = [key for key in properties if key not in order]
    part.node["properties"] = {key: properties[key] for key in [*order, *rest] if key in properties}
    return []


def _finding(part: Part, text: str) -> Finding:
    return Finding(0, pointer_text(part.where), text)

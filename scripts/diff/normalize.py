"""Schemas as the plain alternatives that they stand for, so that equal meanings look equal.

JSON Schema has many words for one meaning: `type: [string, "null"]` is `anyOf` of two, a `const` is an `enum` of one,
`allOf` is one schema written in pieces. Here every schema becomes a list of shapes of which a value has one, each of
one kind. What is deeper (properties, items) stays as it is until it is needed, for schemas may contain themselves.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from openapi.references import DEFAULT, SCHEMAS, target

from diff.load import listed, mapping

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openapi.tree import Tree

Node: TypeAlias = tuple[Any, ...]
"""Schemas that all hold at once, as they are written; none at all holds for everything."""

Bound: TypeAlias = tuple[float, int]
"""A limit, and 1 or -1 when it is just inside of it."""

ANY = "anything"
FILE = "file"
OTHERS = "(others)"
"""The tag of the alternative for what a discriminator does not name."""


@dataclass(eq=False, slots=True)
class Shape:
    """One alternative of a schema.

    Attributes:
        kind: null, boolean, integer, number, string, file, array, object or anything.
        values: The values that are listed, when no others are allowed.
        least: Lower limits: of the value itself, of its length, of the number of its items or properties.
        most: Upper limits of the same.
        formats: The formats of a string.
        rules: What else must hold, by keyword, as text.
        fields: The schemas of an object's properties.
        required: The properties that are always there.
        rest: The schema of all other properties; None when there must be none.
        patterns: The schemas of the properties whose names match a pattern.
        prefix: The schemas of an array's first items.
        items: The schema of the others.
        tag: The property and its value by which a discriminator distinguishes this alternative.
        absent: The properties of an object that must not be there.
        guessed: Whether the schema states no type. Its keywords limit values of this kind only, so that a value of
            another kind is allowed where something else in the schema allows it.
    """

    kind: str
    values: list[Any] | None = None
    least: dict[str, Bound] = field(default_factory=dict)
    most: dict[str, Bound] = field(default_factory=dict)
    formats: frozenset[str] = frozenset()
    rules: frozenset[tuple[str, str]] = frozenset()
    fields: dict[str, Node] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    rest: Node | None = ()
    patterns: dict[str, Node] = field(default_factory=dict)
    prefix: list[Node] = field(default_factory=list)
    items: Node = ()
    tag: tuple[str, str] | None = None
    absent: frozenset[str] = frozenset()
    guessed: bool = False


class Schemas:
    """The schemas of one document."""

    def __init__(self, document: Tree) -> None:
        self._document = document
        self._shapes: dict[tuple[int, ...], list[Shape]] = {}
        self._heirs_of: dict[int, list[Any]] = {}
        self._kept: list[Node] = []  # ids are of use only as long as what they are of is there

    def shapes(self, node: Node) -> list[Shape]:
        """The alternatives of what a value must be; none when nothing will do."""
        key = tuple(id(schema) for schema in node)
        if key not in self._shapes:
            self._kept.append(node)
            found = [Shape(ANY)]
            for schema in node:
                more = self._expanded(schema, ())
                found = found if more is None else _both(found, more)
            self._shapes[key] = found
        return self._shapes[key]

    def chain(self, node: Node) -> Iterable[Tree]:
        """The mappings of a schema and those that it refers to, the nearest first."""
        for schema in node:
            seen: list[Any] = []
            while isinstance(schema, dict) and not any(schema is other for other in seen):
                seen.append(schema)
                yield schema
                reference = schema.get("$ref")
                schema = target(self._document, reference) if isinstance(reference, str) else None  # noqa: PLW2901

    def settled(self, node: Node) -> Node:
        """What a schema leads to that is a reference and says nothing else; otherwise the schema."""
        if len(node) != 1:
            return node
        seen: list[Any] = []
        schema = node[0]
        while isinstance(schema, dict) and "$ref" in schema and not any(schema is other for other in seen):
            seen.append(schema)
            at = target(self._document, schema["$ref"]) if isinstance(schema["$ref"], str) else None
            if at is None or not schema.keys() <= _INFORMS | {"$ref"}:
                break
            schema = at
        return (schema,)

    def word(self, node: Node, keyword: str) -> Any:  # noqa: ANN401  # any JSON value
        """The value of a keyword that only informs, where it is given first; None where it is not."""
        return next((schema[keyword] for schema in self.chain(node) if keyword in schema), None)

    def name(self, node: Node) -> str:
        """The name of the component that a schema is in the end; nothing when it has none."""
        names = [str(schema["$ref"]) for schema in self.chain(node) if "$ref" in schema] if len(node) == 1 else []
        return names[-1].removeprefix(SCHEMAS) if names and names[-1].startswith(SCHEMAS) else ""

    def constant(self, node: Node) -> str | None:
        """The only text that a value can be, if it is so."""
        values = self.constants(node)
        return values[0] if len(values) == 1 else None

    def constants(self, node: Node) -> list[str]:
        """The texts of which a value is one; none when it can be anything else."""
        found: list[str] | None = None
        for schema in node:
            for part in self.chain((schema,)):
                values = [part["const"]] if "const" in part else part.get("enum")
                if isinstance(values, list):
                    texts = values if all(isinstance(value, str) for value in values) else []
                    found = texts if found is None else [value for value in found if value in texts]
                    break
        return found or []

    def _expanded(self, schema: object, inside: tuple[int, ...], *, whole: bool = True) -> list[Shape] | None:
        """A schema's shapes; None when it is inside itself, where it says nothing.

        Args:
            schema: The schema.
            inside: The ids of what it is a piece of.
            whole: Whether it stands for all that a value must be, and is no piece of an `allOf`.
        """
        if id(schema) in inside:
            return None
        if not isinstance(schema, dict):
            return [] if schema is False else [Shape(ANY)]
        inside = (*inside, id(schema))
        found = self._own(schema)
        reference = schema.get("$ref")
        if isinstance(reference, str):
            at = target(self._document, reference) if reference.startswith("#") else None
            if at is None:  # in another document, which nobody reads here
                found = _both(found, [Shape(ANY, rules=frozenset({("$ref", reference)}))])
            else:
                more = self._expanded(at, inside, whole=whole)
                if more is None and schema.keys() <= _INFORMS | {"$ref"}:
                    return None
                found = found if more is None else _both(found, more)
        for piece in listed(schema.get("allOf")):
            more = self._expanded(piece, inside, whole=False)
            found = found if more is None else _both(found, more)
        for keyword in ("anyOf", "oneOf"):
            if listed(schema.get(keyword)):
                found = _both(found, self._union(schema, keyword, inside))
        return self._mapped(schema, found, inside) if whole else found

    def _union(self, schema: Tree, keyword: str, inside: tuple[int, ...]) -> list[Shape]:
        discriminator = mapping(schema.get("discriminator"))
        name, tags = discriminator.get("propertyName"), mapping(discriminator.get("mapping"))
        found: list[Shape] = []
        expanded = [(piece, self._expanded(piece, inside) or []) for piece in schema[keyword]]
        for piece, shapes in _distinguished(expanded):
            reference = mapping(piece).get("$ref")
            values = [value for value, to in tags.items() if isinstance(to, str) and _reference(to) == reference]
            if isinstance(name, str) and values:
                found += [replace(shape, tag=(name, value)) for value in values for shape in shapes]
            else:
                found += shapes
        return self._others(discriminator, found, inside)

    def _mapped(self, schema: Tree, found: list[Shape], inside: tuple[int, ...]) -> list[Shape]:
        """With the schemas that a discriminator names, where no `oneOf` or `anyOf` does."""
        discriminator = mapping(schema.get("discriminator"))
        name = discriminator.get("propertyName")
        if not isinstance(name, str) or listed(schema.get("oneOf")) or listed(schema.get("anyOf")):
            return found
        named: list[Shape] = []
        for value, to in mapping(discriminator.get("mapping")).items():
            shapes = self._expanded(target(self._document, _reference(to)), inside[:-1], whole=False) or []
            named += [replace(shape, tag=(name, str(value))) for shape in shapes]
        if not mapping(discriminator.get("mapping")):
            named = self._heirs(schema, inside)
            return found + named
        base = [replace(shape, tag=(name, OTHERS)) for shape in found] if named else found
        return self._others(discriminator, base + named, inside)

    def _heirs(self, schema: Tree, inside: tuple[int, ...]) -> list[Shape]:
        """The shapes of the components that extend a schema by `allOf`: a discriminator without mapping means them."""
        if not self._heirs_of:
            for component in mapping(mapping(self._document.get("components")).get("schemas")).values():
                for piece in listed(mapping(component).get("allOf")):
                    reference = mapping(piece).get("$ref")
                    at = target(self._document, reference) if isinstance(reference, str) else None
                    if isinstance(at, dict):
                        self._heirs_of.setdefault(id(at), []).append(component)
            self._heirs_of.setdefault(0, [])  # so that it is looked for once
        return [
            shape
            for heir in self._heirs_of.get(id(schema), ())
            for shape in self._expanded(heir, inside[:-1], whole=False) or ()
        ]

    def _others(self, discriminator: Tree, found: list[Shape], inside: tuple[int, ...]) -> list[Shape]:
        if isinstance(discriminator.get(DEFAULT), str):
            shapes = self._expanded(target(self._document, _reference(discriminator[DEFAULT])), inside) or []
            tag = (str(discriminator.get("propertyName")), OTHERS)
            return found + [replace(shape, tag=tag) for shape in shapes]
        return found

    def _own(self, schema: Tree) -> list[Shape]:
        """The shapes of what a schema says itself, without what it refers to or is composed of."""
        kinds, guessed = _kinds(schema)
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if isinstance(values, list):
            kinds = [ANY] if guessed else kinds
            by_kind: dict[str, list[Any]] = {}
            for value in values:
                kind = kind_of(value)
                kind = "number" if kind == "integer" and "number" in kinds and "integer" not in kinds else kind
                if kind in kinds or ANY in kinds:
                    by_kind.setdefault(kind, []).append(value)
            return [self._listed(self._shape(kind, schema), these) for kind, these in by_kind.items()]
        return [replace(self._shape(kind, schema), guessed=guessed) for kind in kinds]

    def _listed(self, shape: Shape, values: list[Any]) -> Shape:
        if shape.kind in {"object", "array"}:  # a list of such values is equivalent to a rule
            texts = sorted(self._text(value, ()) for value in values)
            return replace(shape, rules=shape.rules | {("enum", "; ".join(texts))})
        return replace(shape, values=values)

    def _shape(self, kind: str, schema: Tree) -> Shape:
        open_kind = kind == ANY
        shape = Shape(kind, rules=frozenset(self._rules(kind, schema)))
        if kind in {"integer", "number", ANY}:
            shape.least, shape.most = _limits(schema, is_integer=kind == "integer")
        for part, of in (("Length", "string"), ("Items", "array"), ("Properties", "object")):
            if open_kind or kind == of:
                for word, limits, pointless in (("min", shape.least, 0), ("max", shape.most, None)):
                    limit = schema.get(f"{word}{part}")
                    if isinstance(limit, (int, float)) and limit != pointless:
                        limits[part.lower()] = (limit, 0)
        if kind == "string" or open_kind:
            given = schema.get("format")
            shape.formats = frozenset([given] if isinstance(given, str) and given not in _NO_FORMATS else [])
        if kind == "object":
            self._fill_object(shape, schema)
        if kind == "array":
            shape.prefix = [(item,) for item in listed(schema.get("prefixItems"))]
            if "items" in schema:
                shape.items = (schema["items"],)
        return shape

    @staticmethod
    def _fill_object(shape: Shape, schema: Tree) -> None:
        required = [name for name in listed(schema.get("required")) if isinstance(name, str)]
        shape.fields = {str(name): (value,) for name, value in mapping(schema.get("properties")).items()}
        shape.fields |= {name: () for name in required if name not in shape.fields}
        shape.required = frozenset(required)
        shape.absent = _absent(schema)
        shape.patterns = {str(name): (value,) for name, value in mapping(schema.get("patternProperties")).items()}
        rest = schema.get("additionalProperties", True)
        shape.rest = None if rest is False else () if rest in (True, {}) else (rest,)

    def _rules(self, kind: str, schema: Tree) -> Iterable[tuple[str, str]]:
        for keyword, of in _RULES.items():
            if keyword not in schema or (of not in {"", kind} and kind != ANY):
                continue
            if (keyword, schema[keyword]) in (("uniqueItems", False), ("unevaluatedProperties", True)):
                continue
            if keyword == "contentMediaType" and kind == FILE:
                continue
            if keyword == "not" and kind == "object" and _absent(schema):
                continue
            yield keyword, self._text(schema[keyword], ())

    def _text(self, node: object, inside: tuple[int, ...], keyword: str = "") -> str:
        """What a part of a schema says, as text in which names, order and what only informs play no part."""
        if id(node) in inside:
            return "..."
        if isinstance(node, dict):
            reference = node.get("$ref")
            inside = (*inside, id(node))
            if isinstance(reference, str) and (at := target(self._document, reference)) is not None:
                return self._text(at, inside)
            inner = []
            for key, value in node.items():
                if keyword == "mapping":
                    inner.append(f"{json.dumps(str(key))}: {self._text({'$ref': _reference(value)}, inside)}")
                elif key not in _INFORMS and not str(key).startswith("x-"):
                    inner.append(f"{json.dumps(str(key))}: {self._text(value, inside, str(key))}")
            return "{" + ", ".join(sorted(inner)) + "}"
        if isinstance(node, list):
            texts = [self._text(item, inside) for item in node]
            return "[" + ", ".join(sorted(texts) if keyword in _UNORDERED else texts) + "]"
        return json.dumps(node, default=str)


def kind_of(value: object) -> str:
    """The kind of a JSON value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "integer" if isinstance(value, int) or value.is_integer() else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


_INFORMS = {"title", "description", "example", "examples", "default", "deprecated", "externalDocs", "xml", "$comment"}
_NO_FORMATS = {"password", "binary", "int32", "int64", "float", "double"}
"""Formats that say nothing of a text: hints for forms, files, and how wide a number is."""

_UNORDERED = {"enum", "required", "type", "allOf", "anyOf", "oneOf"}

_RULES = {
    **dict.fromkeys(("pattern", "contentEncoding", "contentMediaType", "contentSchema"), "string"),
    **dict.fromkeys(("multipleOf",), "number"),
    **dict.fromkeys(("uniqueItems", "contains", "minContains", "maxContains", "unevaluatedItems"), "array"),
    **dict.fromkeys(
        ("propertyNames", "dependentRequired", "dependentSchemas", "dependencies", "unevaluatedProperties"), "object"
    ),
    **dict.fromkeys(("not", "if", "then", "else"), ""),
}
_MOST_SHAPES = 200
"""So many alternatives are looked at; a schema with more was made to be hard."""


def _kinds(schema: Tree) -> tuple[list[str], bool]:
    """The kinds that a schema states; or the one that its keywords are about, and true, when it states none."""
    given = schema.get("type")
    kinds = [given] if isinstance(given, str) else [kind for kind in listed(given) if isinstance(kind, str)]
    guessed = False
    if not kinds:
        kinds = [kind for kind, words in _TYPICAL.items() if words & schema.keys()][:1]
        kinds = kinds or (["object"] if _absent(schema) else [])
        guessed = bool(kinds)
        kinds = kinds or [ANY]
    is_file = schema.get("format") == "binary" or (
        schema.get("contentMediaType") == "application/octet-stream" and "contentEncoding" not in schema
    )
    return [FILE if kind == "string" and is_file else kind for kind in dict.fromkeys(kinds)], guessed


def _absent(schema: Tree) -> frozenset[str]:
    """The property that a schema forbids by `not: {required: [NAME]}`."""
    forbidden = mapping(schema.get("not"))
    names = listed(forbidden.get("required"))
    if forbidden.keys() <= _INFORMS | {"required"} and len(names) == 1 and isinstance(names[0], str):
        return frozenset(names)
    return frozenset()


def _distinguished(pieces: list[tuple[object, list[Shape]]]) -> Iterable[tuple[object, list[Shape]]]:
    """The shapes of the pieces of a union, without what only distinguishes the pieces.

    A piece that forbids the property that another piece requires says what `oneOf` says anyway.
    """
    for i, (piece, shapes) in enumerate(pieces):
        if any(shape.absent for shape in shapes):
            theirs = {name for j, (_, others) in enumerate(pieces) if j != i for o in others for name in o.required}
            yield piece, [replace(shape, absent=shape.absent - theirs) for shape in shapes]
        else:
            yield piece, shapes


_TYPICAL = {
    "object": {"properties", "additionalProperties", "patternProperties", "required", "minProperties", "maxProperties"},
    "array": {"items", "prefixItems", "minItems", "maxItems", "uniqueItems"},
}


def _limits(schema: Tree, *, is_integer: bool) -> tuple[dict[str, Bound], dict[str, Bound]]:
    found: list[dict[str, Bound]] = []
    for word, sign, rounded in (("inimum", 1, math.ceil), ("aximum", -1, math.floor)):
        limits: list[Bound] = []
        for keyword, beyond in ((f"m{word}", 0), (f"exclusiveM{word}", sign)):
            limit = schema.get(keyword)
            if isinstance(limit, (int, float)) and not isinstance(limit, bool):
                if is_integer and math.isfinite(limit):
                    limits.append((limit + sign if beyond and limit == rounded(limit) else rounded(limit), 0))
                else:
                    limits.append((limit, beyond))
        tightest = max(limits) if sign > 0 and limits else min(limits, default=None)
        found.append({} if tightest is None else {"value": tightest})
    return found[0], found[1]


def _reference(to: object) -> str:
    """The reference that a discriminator's mapping means: it may give a name instead."""
    return to if isinstance(to, str) and ("/" in to or "#" in to) else f"{SCHEMAS}{to}"


def _both(some: list[Shape], others: list[Shape]) -> list[Shape]:
    """What is one of the first and one of the second."""
    if len(some) == 1 and _says_nothing(some[0]):
        return others
    if len(others) == 1 and _says_nothing(others[0]):
        return some
    found: list[Shape] = []
    for one in some:
        for other in others:
            for shape in _joined(one, other):
                if not any(shape is earlier for earlier in found):
                    found.append(shape)
            if len(found) >= _MOST_SHAPES:
                return found[:_MOST_SHAPES]
    return found


def _says_nothing(shape: Shape) -> bool:
    return shape.kind == ANY and not (
        shape.values or shape.least or shape.most or shape.formats or shape.rules or shape.tag
    )


def _joined(one: Shape, other: Shape) -> list[Shape]:
    """The shapes of what is both: as a rule one, or none when nothing is."""
    kind = _common_kind(one.kind, other.kind)
    if kind is None:
        # What is only said of objects says nothing of null.
        return [shape for shape, beside in ((other, one), (one, other)) if beside.guessed]
    values = one.values if other.values is None else other.values
    if one.values is not None and other.values is not None:
        values = [value for value in one.values if value in other.values]
        if not values:
            return []
    length = max(len(one.prefix), len(other.prefix))
    prefix = [
        (one.prefix[i] if i < len(one.prefix) else one.items)
        + (other.prefix[i] if i < len(other.prefix) else other.items)
        for i in range(length)
    ]
    shape = Shape(
        kind=kind,
        values=values,
        least={key: max(limits) for key, limits in _grouped(one.least, other.least).items()},
        most={key: min(limits) for key, limits in _grouped(one.most, other.most).items()},
        formats=one.formats | other.formats,
        rules=one.rules | other.rules,
        fields=_merged(one.fields, other.fields),
        required=one.required | other.required,
        rest=None if one.rest is None or other.rest is None else _without_twins(one.rest + other.rest),
        patterns=_merged(one.patterns, other.patterns),
        prefix=prefix,
        items=_without_twins(one.items + other.items),
        tag=one.tag or other.tag,
        absent=one.absent | other.absent,
        guessed=(one.guessed or one.kind == ANY) and (other.guessed or other.kind == ANY),
    )
    return [shape]


def _common_kind(one: str, other: str) -> str | None:
    if other in {one, ANY}:
        return one
    if one == ANY:
        return other
    return "integer" if {one, other} == {"integer", "number"} else None


def _grouped(one: dict[str, Bound], other: dict[str, Bound]) -> dict[str, list[Bound]]:
    return {key: [limits[key] for limits in (one, other) if key in limits] for key in one | other}


def _merged(one: dict[str, Node], other: dict[str, Node]) -> dict[str, Node]:
    return {key: _without_twins(one.get(key, ()) + other.get(key, ())) for key in one | other}


def _without_twins(node: Node) -> Node:
    return tuple(schema for i, schema in enumerate(node) if not any(schema is earlier for earlier in node[:i]))

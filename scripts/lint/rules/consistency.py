"""What a document must not say against itself. The validator has seen it: everything has the shape that it should."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]  # it ships no types
from openapi.references import at, followed
from openapi.structure import operations, parts, path_names, schemas
from openapi.tree import plain

from lint.patterns import without_patterns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openapi.structure import Part
    from openapi.tree import Pointer, Tree

    from lint.rules import Problems


def unsupported(document: Tree) -> Problems:
    """Operations are under `paths` and written out; webhooks are calls to the user, not by the user."""
    if document.get("webhooks"):
        yield ("webhooks",), "webhooks are not supported; only operations under `paths` are"
    for path, item in document.get("paths", {}).items():
        if "$ref" in item:
            yield ("paths", path, "$ref"), "a path by reference is not supported; write its operations out"


def path_text(document: Tree) -> Problems:
    """Paths are plain absolute URL paths, and the names in braces are those of the path parameters."""
    for path in document.get("paths", {}):
        if not path.startswith("x-") and (not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/"))):
            text = f"the path {path!r} is not allowed; /, URL characters and {{name}} are, without . and .. steps"
            yield ("paths", path), text
    for path, method, operation in operations(document):
        given = [*document["paths"][path].get("parameters", []), *operation.get("parameters", [])]
        parameters = [followed(document, parameter) for parameter in given]
        declared = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
        named = set(path_names(path))
        for name in sorted(named - declared):
            yield ("paths", path, method), f"the path has {{{name}}}, but there is no path parameter of that name"
        for name in sorted(declared - named):
            yield ("paths", path, method), f"there is a path parameter {name!r}, but the path has no {{{name}}}"


def operation_id(document: Tree) -> Problems:
    """No two operations share an id, also when upper and lower case and underscores are ignored."""
    first: dict[str, str] = {}
    for path, method, operation in operations(document):
        if "operationId" not in operation:
            continue
        here = f"{method.upper()} {path}"
        there = first.setdefault(bare(operation["operationId"]), here)
        if there != here:
            where = ("paths", path, method, "operationId")
            yield where, f"the operationId {operation['operationId']!r} is also that of {there}"


def security_scheme(document: Tree) -> Problems:
    """Every security scheme that is required is defined."""
    defined = document.get("components", {}).get("securitySchemes", {})
    for where, requirement in security_requirements(document):
        for name in requirement:
            if name not in defined:
                yield (*where, name), f"the security scheme {name!r} is not defined"


def server_variable(document: Tree) -> Problems:
    """The names in braces in a server's URL are its variables, and a default is one of the listed values."""
    for part in parts(document):
        if part.kind != "server":
            continue
        variables = part.node.get("variables", {})
        for name in sorted(set(path_names(part.node["url"])) ^ variables.keys()):
            yield part.where, f"{name!r} must be both a variable and in the URL in braces"
        for name, variable in variables.items():
            if variable.get("enum") and variable["default"] not in variable["enum"]:
                yield (*part.where, "variables", name, "default"), "the default is not one of the listed values"


def enum_type(document: Tree) -> Problems:
    """Every value of an enum, and a const, has the type that the schema states."""
    for part in schemas(document):
        if "type" not in part.node:
            continue
        has_type = Draft202012Validator({"type": plain(part.node["type"])})
        given: list[tuple[Pointer, Any]] = [(("enum", i), value) for i, value in enumerate(part.node.get("enum", []))]
        given += [(("const",), part.node["const"])] if "const" in part.node else []
        for where, value in given:
            if not has_type.is_valid(value):
                yield (*part.where, *where), f"{value!r} is not of type {part.node['type']!r}"


def required_property(document: Tree) -> Problems:
    """What a schema requires is among its properties, its own or those of what it is composed with."""
    for part in schemas(document):
        required = part.node.get("required", [])
        known = _property_names(document, _whole(document, part.where), set()) if required else None
        for i, name in enumerate(required if known is not None else ()):
            if known is not None and name not in known:
                yield (*part.where, "required", i), f"{name!r} is required but is not a property"


def default(document: Tree) -> Problems:
    """Every default fits its schema."""
    document = without_patterns(document)
    components = document.get("components", {})
    for part in schemas(document):
        if "default" in part.node:
            yield from _unfit(part, part.node, components, [(("default",), part.node["default"])])


def example(document: Tree) -> Problems:
    """Every example fits its schema."""
    document = without_patterns(document)
    components = document.get("components", {})
    for part in parts(document):
        schema = part.node if part.kind == "schema" else part.node.get("schema")
        if isinstance(schema, dict):
            yield from _unfit(part, schema, components, _examples(document, part))


def name_collision(document: Tree) -> Problems:
    """No two schemas share a module name: names that differ only in case or in what separates words do."""
    first: dict[str, str] = {}
    for name in document.get("components", {}).get("schemas", {}):
        there = first.setdefault(bare(name), name)
        if there != name:
            yield ("components", "schemas", name), f"{name!r} and {there!r} would be one module; rename one"


def security_requirements(document: Tree) -> Iterator[tuple[Pointer, Tree]]:
    """Every security requirement, the document's and each operation's, and where it stands."""
    holders: list[tuple[Pointer, Tree]] = [((), document)]
    holders += [(("paths", path, method), operation) for path, method, operation in operations(document)]
    for where, holder in holders:
        for i, requirement in enumerate(holder.get("security", [])):
            yield (*where, "security", i), requirement


def bare(name: str) -> str:
    """A name without what a module name may lose of it."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


_PATH = re.compile(r"(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2}|\{[A-Za-z_][A-Za-z0-9_-]*\})*)+")


def _examples(document: Tree, part: Part) -> Iterator[tuple[Pointer, object]]:
    if part.kind == "schema":
        for i, value in enumerate(part.node.get("examples", [])):
            yield ("examples", i), value
    elif part.kind in ("parameter", "header", "media type"):
        if "example" in part.node:
            yield ("example",), part.node["example"]
        for name, given in part.node.get("examples", {}).items():
            shown = followed(document, given)
            if "value" in shown:
                yield ("examples", name, "value"), shown["value"]


def _unfit(part: Part, schema: Tree, components: Tree, values: Iterable[tuple[Pointer, object]]) -> Problems:
    validator = None
    for where, value in values:
        validator = validator or Draft202012Validator({**schema, "components": components})
        if error := best_match(validator.iter_errors(value)):
            inside = "".join(f"{step}: " for step in error.absolute_path)
            yield (*part.where, *where), f"does not fit its schema: {inside}{error.message}"


def _whole(document: Tree, where: Pointer) -> Tree:
    """The schema that a piece of a composition is a piece of."""
    while where[-1] in ("then", "else", "if", "not") or where[-2] in ("allOf", "anyOf", "oneOf"):
        where = where[:-2] if isinstance(where[-1], int) else where[:-1]
    return at(document, where)  # type: ignore[no-any-return]  # a schema


def _property_names(document: Tree, schema: Tree, seen: set[int]) -> set[str] | None:
    """Every property name that a schema speaks of; None when a pattern leaves them open."""
    if id(schema) in seen:
        return set()
    seen.add(id(schema))
    if "patternProperties" in schema:
        return None
    names = set(schema.get("properties", ()))
    inner = [followed(document, schema)] if "$ref" in schema else []
    inner += [item for key in ("allOf", "anyOf", "oneOf") for item in schema.get(key, ()) if isinstance(item, dict)]
    inner += [schema[key] for key in ("then", "else", "if") if isinstance(schema.get(key), dict)]
    for item in inner:
        more = _property_names(document, item, seen)
        if more is None:
            return None
        names |= more
    return names

"""OpenAPI 3.0 to 3.1.

What 3.0 says in words of its own (`nullable`, a true or false `exclusiveMinimum`, one `example`) becomes plain JSON
Schema. Where 3.0's letter gives a word no effect but every author means one (`nullable` beside `allOf`, an enum
without null), the meaning is kept. `format: binary` stays: it is valid in 3.1, and how the generator knows a file.
"""

from __future__ import annotations

from openapi.structure import parts, parts_below
from openapi.tree import LinedMap, Tree, copied, lined

VERSION = "3.1.0"

# 3.0 ignores everything beside a $ref; 3.1 does not. What only informs is kept, what would now constrain is dropped.
_KEPT_BESIDE_REF = {"$ref", "summary", "description", "title", "deprecated", "readOnly", "writeOnly"}
_REFERENCE_KEYS = {"$ref", "summary", "description"}


def upgraded(document: Tree) -> Tree:
    """A copy of an OpenAPI 3.0 document as OpenAPI 3.1.0; a 3.1 document comes back the same but for its version."""
    document = copied(document)
    old = str(document.get("openapi", "")).startswith("3.0")
    if old:
        for part in list(parts(document)):
            if "$ref" in part.node and part.kind != "path item":
                kept = _KEPT_BESIDE_REF if part.kind == "schema" else _REFERENCE_KEYS
                for key in [key for key in part.node if key not in kept and not key.startswith("x-")]:
                    del part.node[key]
            elif part.kind == "schema":
                _upgrade_schema(part.node)
            elif part.kind == "server variable" and part.node.get("enum") == []:
                del part.node["enum"]  # 3.0 lets a list be empty that lists nothing; 3.1 does not
            elif part.kind == "header" or (part.kind == "parameter" and part.node.get("in") != "query"):
                for key in ("allowReserved", "allowEmptyValue"):  # which say nothing there, and 3.1 forbids them
                    part.node.pop(key, None)
    document["openapi"] = VERSION
    return document


def upgraded_schema(schema: Tree) -> Tree:
    """A copy of a schema, and of all schemas inside it, in the words of OpenAPI 3.1."""
    schema = copied(schema)
    for part in list(parts_below("schema", schema)):
        if "$ref" not in part.node:
            _upgrade_schema(part.node)
    return schema


def nullable(schema: Tree) -> Tree:
    """A schema that takes null as well, made from one that has no `nullable` of its own."""
    line = getattr(schema, "line", 1)
    kinds = schema.get("type")
    if isinstance(kinds, str) and not any(key in schema for key in ("allOf", "oneOf", "anyOf", "const")):
        result = lined(schema, schema)
        result["type"] = [kinds, "null"]
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            result["enum"] = [*schema["enum"], None]
        return result
    if isinstance(kinds, list):
        return schema if "null" in kinds else LinedMap({**schema, "type": [*kinds, "null"]}, line=line)
    if not schema:  # the empty schema takes everything, null included
        return schema
    beside: Tree = {key: schema[key] for key in ("title", "description") if key in schema}
    rest = LinedMap({key: value for key, value in schema.items() if key not in beside}, line=line)
    alternatives = rest["anyOf"] if set(rest) == {"anyOf"} else [rest]
    return LinedMap({"anyOf": [*alternatives, {"type": "null"}], **beside}, line=line)


def _upgrade_schema(schema: Tree) -> None:
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool):
            is_exclusive = schema.pop(exclusive)
            if is_exclusive and bound in schema:
                _move(schema, bound, exclusive)
    if "example" in schema:
        schema["example"] = [schema["example"]]
        _move(schema, "example", "examples")
    if schema.pop("nullable", False) is True:
        result = nullable(schema)
        if result is not schema:
            schema.clear()
            schema.update(result)


def _move(schema: Tree, old: str, new: str) -> None:
    schema[new] = schema.pop(old)
    if isinstance(schema, LinedMap) and old in schema.lines:
        schema.lines[new] = schema.lines.pop(old)

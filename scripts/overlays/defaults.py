"""What a document lacks of our names and text, made by rule, so that nothing of it stops a compilation.

A name is made of the place: `GET /x` gets the id `get_x` and the tag `x`, an object in the property `limits` of the
schema `AppParameters` becomes `AppParametersLimits`, the event `agent_note` becomes `AgentNoteEvent` with
`AgentNoteData`. A text says what the thing is: its name and its type. Both are to-dos: an overlay can do better.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from importer.reduction import EVENTS
from lint.rules import completeness
from openapi.references import SCHEMAS, at, followed
from openapi.structure import operations, parts, schemas
from openapi.tree import Tree, copied, is_text

from overlays import extensions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openapi.structure import Part


def named(document: Tree) -> tuple[Tree, list[str]]:
    """A copy of a document in which everything has a name, and the names that were made."""
    document = copied(document)
    _drop_doubled_events(document)
    made = [*_name_operations(document), *_name_components(document)]
    while (found := next(_without_name(document), None)) is not None:
        part, name = found
        extensions.lifted(document, part.node, name)
        made.append(f"the schema {name}")
    _add_errors(document)
    return document, made


def described(document: Tree) -> tuple[Tree, list[str]]:
    """A copy of a document in which everything has an English text, and the places where one was made."""
    document = copied(document)
    made: list[str] = []
    for where, _ in completeness.english(document):
        if where[-1] in ("summary", "description", "title") and isinstance(where[-1], str):
            at(document, where[:-1]).pop(where[-1], None)
        elif "examples" in where:
            holder = at(document, where[: where.index("examples")])
            holder.pop("examples", None) if isinstance(holder, dict) else None
    for path, method, operation in operations(document):
        if not is_text(operation.get("summary")):
            operation["summary"] = f"{method.upper()} {path}"
            made.append(f"{method.upper()} {path}")
    for where, _ in list(completeness.description(document)):
        node = at(document, where)
        kind = next(part.kind for part in parts(document) if part.node is node)
        holder = node["schema"] if kind == "parameter" else node
        holder["description"] = _text(document, kind, where, node)
        made.append(_place(where))
    return document, made


def _drop_doubled_events(document: Tree) -> None:
    """Drops the vendor's description of an event for which an overlay has one: the discriminator leads to ours."""
    components = document.get("components", {}).get("schemas", {})
    for union in list(components.values()):
        for kind, reference in union.get("discriminator", {}).get("mapping", {}).items():
            theirs = f"event_{kind}"
            if theirs in components and reference != SCHEMAS + theirs:
                union["oneOf"].remove({"$ref": SCHEMAS + theirs})
                del components[theirs]


def _add_errors(document: Tree) -> None:
    """Gives operations the errors that every operation can respond with, where no overlay did."""
    shared = document.get("components", {}).get("responses", {})
    for _, _, operation in operations(document):
        if "default" not in operation["responses"]:
            for status, name in ERRORS.items():
                if name in shared:
                    operation["responses"].setdefault(status, {"$ref": f"#/components/responses/{name}"})


ERRORS = {"401": "Unauthorized", "403": "Forbidden", "500": "ServerError", "default": "OtherError"}
"""The responses of ours that stand for the errors of an operation that has no `default`."""


# --- names -----------------------------------------------------------------------------------------------------------


def _name_operations(document: Tree) -> Iterator[str]:
    for path, method, operation in operations(document):
        words = [word.lower() for word in re.findall(r"[A-Za-z0-9]+", path)]
        if "operationId" not in operation:
            operation["operationId"] = "_".join([method, *words])
            yield f"{method.upper()} {path} ({operation['operationId']})"
        if not operation.get("tags"):
            tag = words[0] if words and words[0][0].isalpha() else "other"
            operation["tags"] = [tag]
            if all(one.get("name") != tag for one in document.setdefault("tags", [])):
                document["tags"].append({"name": tag, "description": f"The operations of `/{tag}`."})


def _name_components(document: Tree) -> Iterator[str]:
    """Names of ours for components that a structure has, where no overlay gave one."""
    components = document.get("components", {}).get("schemas", {})
    for old in list(components):
        if old.startswith(("event_", "recursive_")) or old == EVENTS:
            words = old.removeprefix("event_") if old != EVENTS else old
            new = _free(_camel(words) + ("Event" if old.startswith("event_") else ""), components)
            components[old][extensions.NAME] = new
            yield f"the schema {new}"
    if any(extensions.NAME in schema for schema in components.values()):
        done = extensions.carried_out(document, "names by rule")
        document.clear()
        document.update(done)


def _without_name(document: Tree) -> Iterator[tuple[Part, str]]:
    """Objects that are written out where a class belongs, the outermost first, each with a name for it."""
    components = document.get("components", {}).get("schemas", {})
    for part in schemas(document):
        where = part.where
        kinds = part.node.get("type", "object")
        is_object = kinds == "object" or (isinstance(kinds, list) and "object" in kinds)
        if not part.node.get("properties") or not is_object or "$ref" in part.node:
            continue
        if where[:2] == ("components", "schemas"):
            if len(where) > _COMPONENT and (
                where[-1] in ("items", "additionalProperties") or where[-2] == "properties"
            ):
                yield part, _free(_by_place(where[2], where[3:]), components)
        elif where[0] == "paths" and where[-1] != "schema" and where[-2] in ("properties", "items"):
            start = where.index("schema") if "schema" in where else len(where)
            yield part, _free(_by_place(_operation_name(document, where), where[start + 1 :]), components)
        elif where[0] == "paths" and where[-1] == "items":
            yield part, _free(f"{_operation_name(document, where)}Item", components)
        elif where[0] == "paths" and where[-2:] == ("application/json", "schema"):
            suffix = "Request" if "requestBody" in where else "Response"
            yield part, _free(_operation_name(document, where) + suffix, components)


_COMPONENT = 3
"""How many steps lead to a component: components, schemas, and its name."""


def _by_place(place: object, steps: tuple[Any, ...]) -> str:
    outer = str(place)
    words = [step for step in steps if isinstance(step, str) and step not in ("properties", "anyOf", "oneOf", "allOf")]
    if outer.endswith("Event") and words == ["data"]:
        return outer.removesuffix("Event") + "Data"
    named = [_camel("item" if word in ("items", "additionalProperties") else word) for word in words]
    return outer + "".join(named)


def _operation_name(document: Tree, where: tuple[Any, ...]) -> str:
    operation = document["paths"][where[1]][where[2]]
    return _camel(str(operation.get("operationId", where[2])))


def _camel(words: str) -> str:
    name = "".join(word[0].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", words))
    return name if name[:1].isalpha() else f"X{name}"


def _free(name: str, taken: Tree) -> str:
    lower = {one.lower() for one in taken}
    number, found = 1, name
    while found.lower() in lower:
        number += 1
        found = f"{name}{number}"
    return found


# --- texts -----------------------------------------------------------------------------------------------------------


def _text(document: Tree, kind: str, where: tuple[Any, ...], node: Tree) -> str:
    name = where[-1]
    plain = {
        "operation": f"Calls `{str(where[2]).upper()} {where[1]}`.",
        "response": "What is returned." if str(name).startswith("2") else f"Status {name}.",
        "header": f"The header `{name}`.",
        "security scheme": f"The credentials `{name}`.",
    }
    if kind == "parameter":
        return f"The {node['in']} parameter `{node['name']}`: {_kind(document, node.get('schema', {}))}."
    is_component = where[:2] == ("components", "schemas") and len(where) == _COMPONENT
    return plain.get(kind) or f"The {'schema' if is_component else 'field'} `{name}`: {_kind(document, node)}."


def _kind(document: Tree, schema: Tree) -> str:
    words = list(dict.fromkeys(_kinds(document, schema)))
    return " or ".join(words) or "any value"


def _kinds(document: Tree, schema: Tree) -> Iterator[str]:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(SCHEMAS)
        yield f"`{name}`" if "properties" in followed(document, schema) else "a value"
    for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _kinds(document, option)
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        yield "one of " + ", ".join(f"`{value}`" for value in values) if len(values) > 1 else f"`{values[0]}`"
        return
    kinds = schema.get("type", [])
    yield from (_WORDS.get(kind, str(kind)) for kind in ([kinds] if isinstance(kinds, str) else kinds))


_WORDS = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def _place(where: tuple[Any, ...]) -> str:
    """A place as people name it: `GET /x query limit` is too much here, so the method, the path and what follows."""
    if where[0] == "paths":
        steps = [str(step) for step in where[3:] if step not in ("properties", "content", "schema")]
        return " ".join([f"{str(where[2]).upper()} {where[1]}", *steps])
    return ".".join(str(step) for step in where[2:] if step != "properties")

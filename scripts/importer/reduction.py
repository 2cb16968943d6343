"""A vendor's document reduced to its structure: facts only, of the selected operations only, in one form.

What is kept are facts: paths, names, types, what is required, bounds, enums, formats, statuses. What is dropped is the
vendor's text (summaries, descriptions, titles, examples, code samples), everything that names things (operation ids,
tags, names of components), and what says nothing (`required: false`, `additionalProperties: true`).

Each operation stands for itself: references are written out, pieces of `allOf` are put together, and null is one of
several types. So an overlay reaches a thing by its method, path and property names, whatever the vendor calls the
schema that it is in. Only the events of streams, and schemas that contain themselves, are components; their names say
what they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from openapi import serialize
from openapi.names import are_alike
from openapi.references import SCHEMAS, at, followed, led_to
from openapi.structure import LIST, MAP, METHODS, ONE, SCHEMAS_BELOW, VENDOR_NAME, path_names, route
from openapi.tree import LinedMap, Tree, lined, plain
from openapi.upgrade import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openapi.tree import Pointer

    from importer.documents import VendorDocument
    from importer.selection import Selected, Selection, Stream

SUFFIX = ".structure.yaml"
EVENTS = "stream_event"
"""The component for the events of a stream; each event is one too, named `event_` and its kind."""

STREAM_TYPE = "text/event-stream"


def reduced(documents: Sequence[Tree], selection: Selection) -> Tree:
    """The structure of OpenAPI 3.1 documents that are known to be right, as one document.

    Args:
        documents: The document, or the pages of one.
        selection: Which operations are kept, and how streams are found.
    """
    result: Tree = {
        "openapi": VERSION,
        "info": {"title": "Structure of a vendor's document", "version": "0"},
        "paths": {},
        "components": {"securitySchemes": {}, "schemas": {}},
    }
    servers = [server for document in documents for server in document.get("servers", [])]
    if servers:
        result["servers"] = [_server(server) for server in _each_once(servers)]
    for selected in selection.operations:
        for document in documents:
            if (found := _find(document, selected)) is not None:
                _Reduction(document, result).operation(selected, *found)
                break
    for stream in selection.streams:
        present = [one for one in selection.operations if one.key in stream.operations and _described(result, one)]
        for document in [*documents] if present else []:
            if _Reduction(document, result).stream(stream, present):
                break
    if not result["components"]["schemas"]:
        del result["components"]["schemas"]
    return result


def newer(document: VendorDocument, selection: Selection, stored: Tree | None) -> Tree:
    """The structure that a vendor's document leads to, in the order of the stored one.

    A whole description says what there is, so that a selected operation that it lacks is gone. Pages describe their own
    operations, and the others stay as they are stored.

    Args:
        document: The document.
        selection: Which operations are kept.
        stored: The stored structure; None when there is none.
    """
    found = reduced(document.parts, selection)
    if stored is None:
        return found
    if document.is_pages:
        found = put_together(stored, found)
    return aligned(found, stored)  # type: ignore[no-any-return]  # a document


def text_of(tree: Tree) -> str:
    """The text of a structure, as it is stored."""
    return serialize.text_of(serialize.in_place(plain(tree)), _HEADER)


_HEADER = """\
The structure of the vendor's newest document: facts only, of the operations in spec/selection.yaml.

Stored by `make import STRUCTURE=1` and by `make update`. Do not edit it: a correction is an overlay."""


def stored_in(documents: Iterable[VendorDocument]) -> VendorDocument | None:
    """The stored structure among stored documents."""
    return next((document for document in documents if document.name.endswith(SUFFIX)), None)


def others(documents: Sequence[Tree], selection: Selection) -> list[str]:
    """The operations of documents that are not selected, each as `GET /path`."""
    return [
        f"{method.upper()} {path}"
        for document in documents
        for path, item in document.get("paths", {}).items()
        for method in METHODS
        if method in item and selection.find(method, path) is None
    ]


def aligned(new: Any, old: Any) -> Any:  # noqa: ANN401  # any JSON value
    """`new` in the order of `old`: what both have in the order that `old` has it, then what only `new` has.

    Order says nothing in a structure, so a document whose order was shuffled becomes the stored one again.
    """
    if isinstance(new, dict) and isinstance(old, dict):
        keys = [*(key for key in old if key in new), *(key for key in new if key not in old)]
        items = {key: aligned(new[key], old.get(key)) for key in keys}
        if isinstance(new, LinedMap):
            return LinedMap(items, line=new.line, lines=new.lines)
        return items
    if isinstance(new, list) and isinstance(old, list):
        known = [_identity(item) for item in old]
        taken = [_identity(item) for item in new]
        first = [taken.index(identity) for identity in dict.fromkeys(known) if identity in taken]
        order = [*first, *(i for i in range(len(new)) if i not in first)]
        return [aligned(new[i], old[known.index(taken[i])] if taken[i] in known else None) for i in order]
    return new


def put_together(old: Tree, new: Tree) -> Tree:
    """The stored structure with what a newer document that has only a part of the operations describes.

    Args:
        old: The stored structure.
        new: That of the newer document.
    """
    result = plain(old)
    for path, item in new["paths"].items():
        for method, operation in item.items():
            result["paths"].setdefault(path, {})[method] = operation
    known = result.setdefault("components", {})
    for kind, named in new.get("components", {}).items():
        known.setdefault(kind, {}).update(named)
    if EVENTS not in new.get("components", {}).get("schemas", {}) and EVENTS in known.get("schemas", {}):
        for item in result["paths"].values():  # a page of an operation never has the events of its stream
            for operation in item.values():
                for response in operation.get("responses", {}).values():
                    media = response.get("content", {}).get(STREAM_TYPE)
                    if media is not None:
                        media["schema"] = {"$ref": SCHEMAS + EVENTS}
    return result  # type: ignore[no-any-return]  # a document


def _identity(item: Any) -> str:  # noqa: ANN401  # any JSON value
    """What an item of a list is known by when the list is put in another order."""
    if isinstance(item, dict):
        if isinstance(item.get("in"), str) and isinstance(item.get("name"), str):
            return f"{item['in']} {item['name']}"
        return _text(item)
    return repr(item)


def _text(item: Any) -> str:  # noqa: ANN401  # any JSON value
    """A value as text in which the order of keys plays no part."""
    if isinstance(item, dict):
        return "{" + ", ".join(sorted(f"{key!r}: {_text(value)}" for key, value in item.items())) + "}"
    if isinstance(item, list):
        return "[" + ", ".join(sorted(_text(one) for one in item)) + "]"
    return repr(item)


def _each_once(servers: Iterable[Tree]) -> list[Tree]:
    return list({str(server.get("url")): server for server in servers}.values())


def _server(server: Tree) -> Tree:
    result: Tree = {"url": server.get("url", "/")}
    variables = {
        name: {key: plain(given[key]) for key in ("enum", "default") if key in given}
        for name, given in server.get("variables", {}).items()
    }
    return result | ({"variables": variables} if variables else {})


def _find(document: Tree, selected: Selected) -> tuple[str, Tree, Tree] | None:
    for path, item in document.get("paths", {}).items():
        if selected.method in item and route(path) == selected.key[1]:
            return path, item, item[selected.method]
    return None


def _described(result: Tree, selected: Selected) -> bool:
    return selected.method in result["paths"].get(selected.path, {})


_NOT_FACTS = {"title", "description", "example", "examples", "externalDocs", "xml", "$comment", "discriminator"}


class _Reduction:
    """Reduces parts of one document, and puts them into the result."""

    def __init__(self, document: Tree, result: Tree) -> None:
        self._document = document
        self._result = result
        self._inside: list[Pointer] = []
        self._recursive: dict[Pointer, str] = {}

    # --- operations --------------------------------------------------------------------------------------------------

    def operation(self, selected: Selected, path: str, item: Tree, node: Tree) -> None:
        """Puts an operation where the selection has it."""
        found = LinedMap(line=getattr(node, "line", 1))
        if node.get("deprecated") is True:
            found["deprecated"] = True
        shared: list[Tree] = self._document.get("security", [])
        found["security"] = [
            {self._scheme(name): plain(scopes) for name, scopes in requirement.items()}
            for requirement in node.get("security", shared)
        ]
        names = dict(zip(path_names(path), path_names(selected.path), strict=True))
        parameters = {}
        for given in (*item.get("parameters", []), *node.get("parameters", [])):
            parameter = self._parameter(followed(self._document, given), names)
            parameters[parameter["in"], parameter["name"]] = parameter
        if parameters:
            found["parameters"] = list(parameters.values())
        if "requestBody" in node:
            body = followed(self._document, node["requestBody"])
            found["requestBody"] = lined(
                body,
                ({"required": True} if body.get("required") is True else {}) | {"content": self._content(body)},
            )
        found["responses"] = {
            str(status): self._response(followed(self._document, given))
            for status, given in sorted(node.get("responses", {}).items())
            if not str(status).startswith("x-")
        }
        self._result["paths"].setdefault(selected.path, {})[selected.method] = found

    def _scheme(self, name: str) -> str:
        schemes = self._document.get("components", {}).get("securitySchemes", {})
        scheme = followed(self._document, schemes[name]) if name in schemes else {"type": name}
        facts = {key: plain(scheme[key]) for key in ("type", "scheme", "in", "name", "flows") if key in scheme}
        words = [str(facts[key]) for key in ("type", "scheme", "in", "name") if key in facts]
        known = re.sub(r"\W+", "_", "_".join(words)).lower()
        self._result["components"]["securitySchemes"][known] = facts
        return known

    def _parameter(self, node: Tree, names: dict[str, str]) -> Tree:
        name = node["name"]
        own = str(names.get(name, name)) if node["in"] == "path" else name
        found = lined(node, {"name": own, "in": node["in"]})
        if not are_alike(own, name):
            found[VENDOR_NAME] = name
        if node.get("required") is True:
            found["required"] = True
        if node.get("deprecated") is True:
            found["deprecated"] = True
        found |= {key: node[key] for key in ("style", "explode", "allowReserved", "allowEmptyValue") if key in node}
        if "schema" in node:
            found["schema"] = self.schema(node["schema"])
        elif "content" in node:
            found["content"] = self._content(node)
        return found

    def _response(self, node: Tree) -> Tree:
        found = lined(node, {"description": ""})
        headers = {name: followed(self._document, header) for name, header in node.get("headers", {}).items()}
        if headers:
            found["headers"] = {
                name: lined(
                    header,
                    ({"required": True} if header.get("required") is True else {})
                    | ({"schema": self.schema(header["schema"])} if "schema" in header else {}),
                )
                for name, header in sorted(headers.items())
            }
        if content := self._content(node):
            found["content"] = content
        return found

    def _content(self, holder: Tree) -> Tree:
        found: Tree = {}
        for name, media in sorted(holder.get("content", {}).items()):
            kept: Tree = {"schema": self.schema(media["schema"])} if "schema" in media else {}
            if "encoding" in media:
                kept["encoding"] = plain(media["encoding"])
            found[name.partition(";")[0].strip().lower()] = lined(media, kept)
        return found

    # --- streams -----------------------------------------------------------------------------------------------------

    def stream(self, stream: Stream, operations: Sequence[Selected]) -> bool:
        """Puts the events of a stream where its operations send them; whether the document describes them."""
        mapping = self._events(stream)
        if not mapping:
            return False
        components = self._result["components"]["schemas"]
        for kind, reference in mapping.items():
            event = self._event(reference, stream.property, kind)
            components[f"event_{kind}"] = event
        references = {kind: f"{SCHEMAS}event_{kind}" for kind in mapping}
        components[EVENTS] = {
            "oneOf": [{"$ref": reference} for reference in references.values()],
            "discriminator": {"propertyName": stream.property, "mapping": references},
        }
        for selected in operations:
            for response in self._result["paths"][selected.path][selected.method]["responses"].values():
                if STREAM_TYPE in response.get("content", {}):
                    response["content"][STREAM_TYPE] = {"schema": {"$ref": SCHEMAS + EVENTS}}
        return True

    def _events(self, stream: Stream) -> dict[str, str]:
        """The kinds of events of a stream, with references to their schemas."""
        for schema in self._document.get("components", {}).get("schemas", {}).values():
            discriminator = schema.get("discriminator") if isinstance(schema, dict) else None
            if not isinstance(discriminator, dict) or discriminator.get("propertyName") != stream.property:
                continue
            mapping = {str(kind): str(to) for kind, to in discriminator.get("mapping", {}).items()}
            if set(stream.has) <= mapping.keys() and not set(stream.lacks) & mapping.keys():
                return {kind: to if to.startswith("#") else SCHEMAS + to for kind, to in mapping.items()}
        return {}

    def _event(self, reference: str, name: str, kind: str) -> Tree:
        event = self.schema({"$ref": reference})
        properties = dict(event.get("properties", {}))
        properties.pop(name, None)
        event["properties"] = {name: {"const": kind}, **properties}
        event.setdefault("type", "object")
        event["required"] = [name, *(one for one in event.get("required", []) if one != name)]
        return event

    # --- schemas -----------------------------------------------------------------------------------------------------

    def schema(self, node: Any) -> Tree:  # noqa: ANN401  # a schema may be true or false
        """A schema without text and references."""
        if not isinstance(node, dict):
            return {} if node else {"not": {}}
        own = LinedMap(line=getattr(node, "line", 1))
        for key, value in node.items():
            if key in _NOT_FACTS or key.startswith("x-") or key == "$ref":
                continue
            how, _ = SCHEMAS_BELOW.get(key, ("", ""))
            if how == MAP and isinstance(value, dict):
                own[key] = lined(value, {name: self.schema(inner) for name, inner in value.items()})
            elif how == LIST and isinstance(value, list):
                own[key] = [self.schema(inner) for inner in value]
            elif how == ONE and isinstance(value, dict):
                own[key] = self.schema(value)
            else:
                own[key] = plain(value)
        for key, nothing in _SAYS_NOTHING.items():
            if key in own and own[key] == nothing:
                del own[key]
        if isinstance(node.get("$ref"), str):
            own["allOf"] = [self._target(node["$ref"]), *own.get("allOf", [])]
        return _flattened(own)

    def _target(self, reference: str) -> Tree:
        where = led_to(reference)
        if where in self._inside:  # it contains itself, so it has to be a component
            name = self._recursive.setdefault(where, f"recursive_{len(self._result['components']['schemas']) + 1}")
            return {"$ref": SCHEMAS + name}
        self._inside.append(where)
        found = self.schema(at(self._document, where))
        self._inside.pop()
        if where in self._recursive:
            name = self._recursive[where]
            self._result["components"]["schemas"][name] = found
            return {"$ref": SCHEMAS + name}
        return found


_SAYS_NOTHING: dict[str, Any] = {
    "additionalProperties": True,
    "deprecated": False,
    "readOnly": False,
    "writeOnly": False,
    "nullable": False,
    "uniqueItems": False,
    "required": [],
    "allOf": [],
}


def _flattened(schema: LinedMap) -> LinedMap:
    """A schema with the pieces of its `allOf` put together, as far as they do not contradict each other."""
    left = [piece for piece in schema.pop("allOf", []) if not _taken_up(schema, piece)]
    if left:
        schema["allOf"] = left
    if list(schema) == ["allOf"] and len(left) == 1:
        return LinedMap(left[0], line=schema.line)
    for key in ("anyOf", "oneOf"):
        options = schema.get(key)
        if isinstance(options, list) and len(options) == 2 and {"type": "null"} in options:  # noqa: PLR2004
            other = next((one for one in options if one != {"type": "null"}), {"type": "null"})
            kinds = other.get("type")
            if not other:  # anything, null included
                del schema[key]
            elif isinstance(kinds, str) and "enum" not in other and "const" not in other and "type" not in schema:
                del schema[key]
                if _taken_up(schema, other):
                    schema["type"] = [kinds, "null"]
    return schema


def _taken_up(schema: Tree, piece: Tree) -> bool:
    """Puts a piece of `allOf` into the schema, if all it says fits; whether it was."""
    if not _fits(schema, piece):
        return False
    for key, value in piece.items():
        if key == "properties":
            schema[key] = _together(schema.get(key, {}), value)
        elif key in ("required", "allOf"):
            schema[key] = [*value, *(one for one in schema.get(key, []) if one not in value)]
        elif key not in schema:
            schema[key] = value
    return True


def _fits(schema: Tree, piece: Tree) -> bool:
    """Whether a schema and a piece of it do not contradict each other."""
    if "$ref" in piece and schema:
        return False
    for key, value in piece.items():
        has_fewer = key == "enum" and all(one in value for one in schema.get(key, ()))
        if key in schema and schema[key] != value and key not in _JOINED and not has_fewer:
            return False
    own = schema.get("properties", {})
    return all(
        name not in own or own[name] == inner or _fits(own[name], inner)
        for name, inner in piece.get("properties", {}).items()
    )


_JOINED = {"required", "properties", "allOf"}


def _together(own: Tree, others: Tree) -> Tree:
    """Properties of a schema and of a piece of it."""
    found = lined(others, others)
    for name, inner in own.items():
        if name in found:
            joined = LinedMap(dict(inner), line=getattr(inner, "line", 1))
            _taken_up(joined, found[name])
            found[name] = joined
        else:
            found[name] = inner
    return found

"""The older docs-page export, turned back into OpenAPI.

Its YAML is not OpenAPI: `paths` is one operation, a schema at the top level is a list of alternatives, `required` in
such a schema speaks of what holds it, and what is used twice is a YAML alias. What the format drops is gone for good:
operation ids, tags, parameter styles, response headers, and the `format` of numbers in schemas outside `components`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from openapi.parse import SourceError
from openapi.tree import LinedList, LinedMap, Tree, copied, key_line, line_of, lined
from openapi.upgrade import VERSION, nullable, upgraded_schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from importer.docs_pages import Page

REBUILT = "x-our-rebuilt"
"""Marks a component schema that a page only had inlined, so that number formats are missing in it."""


def converted(page: Page, tree: Tree) -> Tree:
    """An older page's content as an OpenAPI 3.1 document with one operation.

    Component schemas that the page only has inlined (`refIdentifier`) are marked `REBUILT`: a page that has the
    component itself is more exact.

    Args:
        page: The page.
        tree: Its YAML, read.

    Raises:
        SourceError: When the content is not the format.
    """
    return _Conversion(page, tree).document()


_PLACEHOLDER = "_mintlify/placeholder"  # the content type of a response that has no content
_PLAIN_TYPES = ("boolean", "string", "number", "integer", "object", "array")
_COMPONENT = re.compile(r"#/components/schemas/([^/]+)")


class _Conversion:
    """Turns one older page into OpenAPI, collecting the component schemas on the way."""

    def __init__(self, page: Page, tree: Tree) -> None:
        self.page = page
        self.tree = tree
        self.schemas: Tree = LinedMap()
        self.schemes: Tree = LinedMap()

    def document(self) -> Tree:
        _known(self.tree, ("paths", "components"), "at the top of a page")
        paths = _mapping(self.tree, "paths")
        _known(paths, ("path", "method", "servers", "request", "response", "deprecated", "type"), "in `paths`")
        for key, named in (("path", self.page.path), ("method", self.page.method)):
            if paths.get(key) != named:
                msg = f"`{key}` is {paths.get(key)!r}, but the fence on line {self.page.line} names {named!r}"
                raise SourceError(key_line(paths, key), msg)
        if paths.get("type", "path") != "path":
            msg = f"a page of type {paths['type']!r} is not supported; only `path` is"
            raise SourceError(key_line(paths, "type"), msg)
        self._take_components()
        operation = self._operation(paths)
        components = lined(paths, {"schemas": self.schemas, "securitySchemes": self.schemes})
        item = LinedMap({self.page.method: operation}, line=paths.line)
        document = {
            "openapi": VERSION,
            "info": {"title": self.page.title or self.page.path, "version": "0"},
            "paths": LinedMap({self.page.path: item}, line=paths.line),
            "components": LinedMap({kind: named for kind, named in components.items() if named}, line=paths.line),
        }
        return LinedMap(document, line=self.page.line)

    def _operation(self, paths: LinedMap) -> Tree:
        request = _mapping(paths, "request")
        _known(request, ("security", "parameters", "body", "codeSamples"), "in `request`")
        operation = LinedMap(line=paths.line)
        for key, text in (("summary", self.page.title), ("description", self.page.description)):
            if text:
                _set(operation, key, text, self.page.line)
        if paths.get("deprecated", False) is True:
            _set(operation, "deprecated", True, key_line(paths, "deprecated"))
        for key, holder, source, made in (
            ("servers", paths, "servers", self._servers(paths)),
            ("security", request, "security", self._security(request)),
            ("parameters", request, "parameters", self._parameters(request)),
            ("requestBody", request, "body", self._body(request)),
            ("responses", paths, "response", self._responses(paths)),
        ):
            if made or source in ("security", "response"):
                _set(operation, key, made, key_line(holder, source))
        return operation

    def _take_components(self) -> None:
        components = _mapping(self.tree, "components", optional=True)
        _known(components, ("schemas",), "in `components`")
        schemas = _mapping(components, "schemas", optional=True)
        self.schemas = LinedMap(line=schemas.line, lines=dict(schemas.lines))
        for name in schemas:
            self.schemas[name] = upgraded_schema(_mapping(schemas, name))

    def _security(self, request: LinedMap) -> LinedList:
        requirements = LinedList(line=key_line(request, "security"))
        for entry in _mappings(request, "security"):
            _known(entry, ("title", "parameters"), "in an entry of `security`")
            title = str(entry.get("title") or "")
            places = _mapping(entry, "parameters")
            found = [
                (place, name, _mapping(_mapping(places, place), name))
                for place in ("query", "header", "cookie")
                for name in _mapping(places, place, optional=True)
            ]
            titles = title.split(" & ") if len(found) > 1 else [title] * len(found)
            if len(titles) != len(found):
                msg = f"{len(found)} parameters, but the title {title!r} names {len(titles)} security schemes"
                raise SourceError(entry.line, msg)
            requirement: Tree = LinedMap(line=entry.line)
            for scheme_title, (place, name, given) in zip(titles, found, strict=True):
                requirement[scheme_title] = []
                _set(self.schemes, scheme_title, _security_scheme(place, name, given), given.line)
            requirements.append(requirement)
            requirements.lines.append(entry.line)
        return requirements

    def _servers(self, paths: LinedMap) -> LinedList:
        servers = LinedList(line=key_line(paths, "servers"))
        for given in _mappings(paths, "servers"):
            server = copied(given)
            for name in _mapping(server, "variables", optional=True):
                _mapping(_mapping(server, "variables"), name).pop("type", None)  # OpenAPI's variables are text
            servers.append(server)
            servers.lines.append(given.line)
        return servers

    def _parameters(self, request: LinedMap) -> LinedList:
        places = _mapping(request, "parameters", optional=True)
        _known(places, ("path", "query", "header", "cookie"), "in `parameters`")
        parameters = LinedList(line=places.line)
        for place in places:
            for name in _mapping(places, place, optional=True):
                given = _mapping(_mapping(places, place), name)
                known = ("schema", "description", "deprecated", "example", "examples", "style", "explode")
                _known(given, known, f"in the parameter {name!r}")
                schema, required = self._schema(given, "schema")
                parameter = lined(given, {"name": name, "in": place})
                if required or place == "path":
                    parameter["required"] = True
                for key in known[1:]:
                    if key in given and (given[key] not in ({}, False) or key == "explode"):
                        _set(parameter, key, copied(given[key]), key_line(given, key))
                _set(parameter, "schema", schema, key_line(given, "schema"))
                parameters.append(parameter)
                parameters.lines.append(key_line(_mapping(places, place), name))
        return parameters

    def _body(self, request: LinedMap) -> Tree | None:
        given = _mapping(request, "body", optional=True)
        if not given:
            return None
        body, content, is_required = lined(given, {}), lined(given, {}), False
        for media_type in given:
            kind, required = self._media_type(_mapping(given, media_type), body)
            _set(content, media_type, kind, key_line(given, media_type))
            is_required = is_required or required
        _set(body, "content", content, given.line)
        if is_required:
            body["required"] = True
        return body

    def _responses(self, paths: LinedMap) -> LinedMap:
        given = _mapping(paths, "response")
        responses = lined(given, {})
        for status in given:
            contents = _mapping(given, status)
            response, content = lined(contents, {"description": ""}), lined(contents, {})
            for media_type in contents:
                kind, _ = self._media_type(_mapping(contents, media_type), response)
                if media_type != _PLACEHOLDER:
                    _set(content, media_type, kind, key_line(contents, media_type))
            if content:
                _set(response, "content", content, contents.line)
            _set(responses, status, response, key_line(given, status))
        return responses

    def _media_type(self, given: LinedMap, owner: Tree) -> tuple[LinedMap, bool]:
        _known(given, ("schemaArray", "examples", "example", "description", "encoding"), "in a content type")
        if isinstance(given.get("description"), str):
            owner["description"] = given["description"]
        schema, required = self._schema(given, "schemaArray")
        kind = lined(given, {})
        _set(kind, "schema", schema, key_line(given, "schemaArray"))
        for key in ("examples", "example", "encoding"):
            if given.get(key):
                _set(kind, key, copied(given[key]), key_line(given, key))
        return kind, required

    def _schema(self, holder: LinedMap, key: str) -> tuple[Tree, bool]:
        """The schema that a list of alternatives stands for, and whether what holds it is required."""
        entries = _mappings(holder, key)
        if not entries:
            msg = f"`{key}` must be a list of at least one schema"
            raise SourceError(key_line(holder, key), msg)
        required = any(entry.get("required") is True for entry in entries)
        made = [self._alternative(entry) for entry in entries if entry.get("type") != "null"]
        takes_null = len(made) < len(entries)
        if not made:
            return lined(entries[0], {"type": "null"}), required
        schema = made[0] if len(made) == 1 else lined(entries[0], {"anyOf": made})
        return (nullable(schema) if takes_null else schema), required

    def _alternative(self, entry: LinedMap) -> Tree:
        given = lined(entry, {})
        for key, value in entry.items():
            match key:
                case "required":
                    if not isinstance(value, bool):
                        msg = "`required` must be true or false here; a schema's own list is `requiredProperties`"
                        raise SourceError(key_line(entry, key), msg)
                case "refIdentifier" | "contentEncoding":
                    pass
                case "requiredProperties":
                    _set(given, "required", value, key_line(entry, key))
                case "type":
                    given.update(_type_words(entry))
                case "properties":
                    properties = _mapping(entry, "properties")
                    unwrapped = lined(properties, {name: _unwrapped(raw) for name, raw in properties.items()})
                    _set(given, key, unwrapped, key_line(entry, key))
                case "items":
                    _set(given, key, _unwrapped(value), key_line(entry, key))
                case _:
                    _set(given, key, value, key_line(entry, key))
        schema = upgraded_schema(given)
        if "refIdentifier" not in entry:
            return schema
        return self._reference(entry, schema)

    def _reference(self, entry: LinedMap, schema: Tree) -> Tree:
        identifier = entry["refIdentifier"]
        found = _COMPONENT.fullmatch(identifier) if isinstance(identifier, str) else None
        if found is None:
            msg = f"refIdentifier {identifier!r} must be #/components/schemas/NAME"
            raise SourceError(key_line(entry, "refIdentifier"), msg)
        name = found[1]
        if name not in self.schemas:
            _set(self.schemas, name, LinedMap({**schema, REBUILT: True}, line=entry.line), entry.line)
        reference = lined(entry, {"$ref": identifier})
        description = schema.get("description")
        if description is not None and description != self.schemas[name].get("description"):
            reference["description"] = description
        return reference


def _type_words(entry: LinedMap) -> Tree:
    kind = entry["type"]
    line = key_line(entry, "type")
    if kind == "any":
        return {}
    if kind == "file":
        return {"type": "string", "format": "byte" if entry.get("contentEncoding") == "base64" else "binary"}
    if isinstance(kind, str) and (found := re.fullmatch(r"enum<(string|number|integer)>", kind)):
        if not isinstance(entry.get("enum"), list):
            raise SourceError(line, f"type {kind} needs a list `enum`")
        return {"type": found[1]}
    if kind in _PLAIN_TYPES:
        return {"type": kind}
    allowed = ", ".join((*_PLAIN_TYPES, "enum<string|number|integer>", "file", "null", "any"))
    raise SourceError(line, f"unknown type {kind!r}; allowed are {allowed}")


def _unwrapped(raw: Any) -> Any:  # noqa: ANN401  # any JSON value
    """A schema below the top level is plain OpenAPI inside `allOf: [...]`."""
    if isinstance(raw, dict) and set(raw) == {"allOf"} and isinstance(raw["allOf"], list) and len(raw["allOf"]) == 1:
        return raw["allOf"][0]
    return raw


def _security_scheme(place: str, name: str, given: LinedMap) -> Tree:
    kind = given.get("type")
    scheme = lined(given, {"type": kind})
    if kind == "apiKey":
        scheme.update({"in": place, "name": name})
    elif kind == "http":
        if not isinstance(given.get("scheme"), str):
            raise SourceError(given.line, "a security parameter of type http needs its `scheme`")
        scheme["scheme"] = given["scheme"]
    else:
        msg = f"a security parameter of type {kind!r} is not supported; apiKey and http are"
        raise SourceError(given.line, msg)
    if isinstance(given.get("description"), str):
        scheme["description"] = given["description"]
    return scheme


def _set(node: Tree, key: str, value: object, line: int) -> None:
    node[key] = value
    if isinstance(node, LinedMap):
        node.lines[key] = line


def _known(node: Tree, keys: Iterable[str], place: str) -> None:
    for key in node:
        if key not in keys and not re.fullmatch(r"x[-A-Z].*", key):  # what only decorates a page
            raise SourceError(key_line(node, key), f"unknown key {key!r} {place}; allowed are {', '.join(keys)}")


def _mapping(holder: Tree, key: str, *, optional: bool = False) -> LinedMap:
    value = holder.get(key)
    if optional and key not in holder:
        return LinedMap(line=line_of(holder, ()))
    if not isinstance(value, LinedMap):
        given = "is missing" if key not in holder else "must be a mapping"
        raise SourceError(key_line(holder, key), f"`{key}` {given}")
    return value


def _mappings(holder: LinedMap, key: str) -> list[LinedMap]:
    value = holder.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, LinedMap) for item in value):
        raise SourceError(key_line(holder, key), f"`{key}` must be a list of mappings")
    return list(value)

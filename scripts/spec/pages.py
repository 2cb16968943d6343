"""Docs-page exports: the vendor's pages, of both generations, one or several to a file.

A page is a heading, a quoted description, and a fence whose info string is `yaml FILE METHOD PATH`. In the newer
generation the fence holds a plain OpenAPI document that was filtered down to one operation. In the older one it holds
a format of its own, which `converted` turns back into OpenAPI. What that format drops is gone for good: operation ids,
tags, parameter styles, response headers, and the `format` of numbers in schemas that stand outside `components`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from spec.anatomy import METHODS
from spec.findings import Finding
from spec.nodes import LinedList, LinedMap, Tree, copied, key_line
from spec.sources import read_yaml
from spec.upgrade import VERSION, nullable, upgraded_schema

if TYPE_CHECKING:
    from collections.abc import Iterable


class Page(NamedTuple):
    """One page, found in a file but not yet read.

    Attributes:
        title: The heading above the fence, or nothing.
        description: The quoted text above the fence, or nothing.
        method: The method in the fence's info string, in lower case.
        path: The path in the fence's info string.
        fence_line: The line of the fence.
        text: The YAML inside the fence.
    """

    title: str
    description: str
    method: str
    path: str
    fence_line: int
    text: str


class PageError(Exception):
    """A page that cannot be used.

    Attributes:
        finding: What is wrong, and on which line.
    """

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.finding = Finding(line, "", text)


def has_pages(text: str) -> bool:
    """Whether a text holds at least one page."""
    return any(_YAML_FENCE.match(line) for line in text.split("\n"))


def split(text: str) -> list[Page]:
    """Finds the pages in a text, which may follow one another with their closing fences missing.

    Everything in a page's YAML that begins in the first column is a top-level key or a list item. So where a closing
    fence is missing, the next heading, quote or fence in the first column ends the YAML all the same.

    Raises:
        PageError: When a fence names no operation, or YAML goes on behind the end of its fence.
    """
    pages: list[Page] = []
    title, quoted = "", []
    lines = text.split("\n")
    number = 0  # of lines taken, so also the line just taken, counted from 1
    while number < len(lines):
        line = lines[number]
        number += 1
        if line.startswith("# "):
            title, quoted = line[2:].strip(), []
        elif line.startswith(">"):
            quoted.append(line[1:].strip())
        elif _YAML_FENCE.match(line):
            method, path = _operation_named(line, number)
            body = _until_end(lines[number:])
            description = "\n".join(quoted).strip() if title else ""
            pages.append(Page(title, description, method, path, number, "\n".join(body)))
            title, quoted = "", []
            number += len(body)
            closed = number < len(lines) and lines[number].startswith("```") and not _YAML_FENCE.match(lines[number])
            number += closed
            if not closed:
                _refuse_stray_yaml(lines, number, pages[-1])
        elif line.startswith("```"):  # another fence, such as a code sample
            number += next((i for i, other in enumerate(lines[number:], 1) if other.startswith("```")), len(lines))
    return pages


def read(page: Page) -> tuple[Tree, str]:
    """Reads a page's YAML.

    Returns:
        An OpenAPI document, and the generation of the page: "older" (the document is 3.1, already converted) or "newer"
        (the document is as the page has it).

    Raises:
        SourceError: When it is not YAML.
        PageError: When it is neither generation, or is not about the operation that the fence names.
    """
    tree = read_yaml(page.text, first_line=page.fence_line + 1)
    if not isinstance(tree, LinedMap):
        raise PageError(page.fence_line, "the fence holds no YAML mapping")
    if "openapi" in tree:
        paths = tree.get("paths")
        item = paths.get(page.path) if isinstance(paths, dict) else None
        if not isinstance(item, dict) or page.method not in item:
            msg = f"the fence names {page.method.upper()} {page.path}, which the document inside it does not have"
            raise PageError(page.fence_line, msg)
        return tree, "newer"
    return converted(page, tree), "older"


def converted(page: Page, tree: LinedMap) -> Tree:
    """An older page's content as an OpenAPI 3.1 document with one operation.

    Component schemas that the page only has inlined (`refIdentifier`) get `x-rebuilt: true`: number formats are missing
    in them, and a page that has the component itself knows better.

    Raises:
        PageError: When the content is not the format.
    """
    return _Conversion(page, tree).document()


REBUILT = "x-rebuilt"

_YAML_FENCE = re.compile(r"`{3,}\s*ya?ml(\s|$)")
_FENCE_INFO = re.compile(r"`{3,}\s*ya?ml\s+(?P<file>\S+)\s+(?P<method>[A-Za-z]+)\s+(?P<path>\S+)\s*")
_PLACEHOLDER = "_mintlify/placeholder"  # the content type of a response that has no content
_COMPONENT = re.compile(r"#/components/schemas/([^/]+)")


def _operation_named(line: str, number: int) -> tuple[str, str]:
    info = _FENCE_INFO.fullmatch(line)
    if info is None:
        raise PageError(number, "a page's fence must say `yaml FILE METHOD PATH`")
    method, path = info["method"].lower(), info["path"]
    if method not in METHODS:
        raise PageError(number, f"{info['method']!r} is not supported; a page is about one of {', '.join(METHODS)}")
    if not path.startswith("/"):
        raise PageError(number, f"the path {path!r} must begin with /")
    return method, path


def _until_end(lines: list[str]) -> list[str]:
    for i, line in enumerate(lines):
        if line.startswith(("```", "#", ">")):
            return lines[:i]
    return lines


def _refuse_stray_yaml(lines: list[str], number: int, page: Page) -> None:
    """A `#` in the first column may have been a comment, with YAML behind it that nobody would read."""
    for i, line in enumerate(lines[number:], number + 1):
        if line.startswith(("```", "# ")) and i > number + 1:
            return
        if re.match(r"\s+\S|-\s|[\w$'\"-]+:(\s|$)", line):
            msg = f"the YAML of the fence on line {page.fence_line} goes on behind a line that ended it (line {number + 1})"
            raise PageError(i, msg)


class _Conversion:
    """Turns one older page into OpenAPI, collecting the component schemas on the way."""

    def __init__(self, page: Page, tree: LinedMap) -> None:
        self.page = page
        self.tree = tree
        self.schemas: Tree = LinedMap()

    def document(self) -> Tree:
        _known(self.tree, ("paths", "components"), "at the top of a page")
        paths = _mapping(self.tree, "paths")
        _known(paths, ("path", "method", "servers", "request", "response", "deprecated", "type"), "in `paths`")
        for key, named in (("path", self.page.path), ("method", self.page.method)):
            if paths.get(key) != named:
                msg = f"`{key}` is {paths.get(key)!r}, but the fence on line {self.page.fence_line} names {named!r}"
                raise PageError(key_line(paths, key), msg)
        if paths.get("type", "path") != "path":
            msg = f"a page of type {paths['type']!r} is not supported; only `path` is"
            raise PageError(key_line(paths, "type"), msg)
        self._take_components()
        request = _mapping(paths, "request")
        _known(request, ("security", "parameters", "body", "codeSamples"), "in `request`")
        schemes: Tree = LinedMap(line=key_line(request, "security"))
        operation = _lined(paths, {})
        for key, text in (("summary", self.page.title), ("description", self.page.description)):
            if text:
                operation[key] = text
        if paths.get("deprecated", False) is True:
            operation["deprecated"] = True
        _set(operation, "security", self._security(request, schemes), key_line(request, "security"))
        if servers := self._servers(paths):
            _set(operation, "servers", servers, key_line(paths, "servers"))
        if parameters := self._parameters(request):
            _set(operation, "parameters", parameters, key_line(request, "parameters"))
        if body := self._body(request):
            _set(operation, "requestBody", body, key_line(request, "body"))
        _set(operation, "responses", self._responses(paths), key_line(paths, "response"))
        components: Tree = {}
        if self.schemas:
            components["schemas"] = self.schemas
        if schemes:
            components["securitySchemes"] = schemes
        item = LinedMap({self.page.method: operation}, line=paths.line, lines={self.page.method: paths.line})
        document = {
            "openapi": VERSION,
            "info": {"title": self.page.title or self.page.path, "version": "0"},
            "paths": LinedMap({self.page.path: item}, line=paths.line, lines={self.page.path: paths.line}),
        }
        if components:
            document["components"] = LinedMap(components, line=key_line(self.tree, "components"))
        return LinedMap(document, line=self.page.fence_line)

    def _take_components(self) -> None:
        components = _mapping(self.tree, "components", optional=True)
        _known(components, ("schemas",), "in `components`")
        schemas = _mapping(components, "schemas", optional=True)
        self.schemas = LinedMap(line=schemas.line, lines=dict(schemas.lines))
        for name in schemas:
            self.schemas[name] = upgraded_schema(_mapping(schemas, name))

    def _security(self, request: LinedMap, schemes: Tree) -> LinedList:
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
                raise PageError(entry.line, msg)
            requirement: Tree = LinedMap(line=entry.line)
            for scheme_title, (place, name, given) in zip(titles, found, strict=True):
                requirement[scheme_title] = []
                _set(schemes, scheme_title, _security_scheme(place, name, given), given.line)
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
                known = ("schema", "description", "deprecated", "example", "examples")
                _known(given, known, f"in the parameter {name!r}")
                schema, required = self._schema(given, "schema")
                parameter = _lined(given, {"name": name, "in": place})
                if required or place == "path":
                    parameter["required"] = True
                for key in known[1:]:
                    if key in given and given[key] not in ({}, False):
                        _set(parameter, key, copied(given[key]), key_line(given, key))
                _set(parameter, "schema", schema, key_line(given, "schema"))
                parameters.append(parameter)
                parameters.lines.append(key_line(_mapping(places, place), name))
        return parameters

    def _body(self, request: LinedMap) -> Tree | None:
        given = _mapping(request, "body", optional=True)
        if not given:
            return None
        body, content, is_required = _lined(given, {}), _lined(given, {}), False
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
        responses = _lined(given, {})
        for status in given:
            contents = _mapping(given, status)
            response, content = _lined(contents, {"description": ""}), _lined(contents, {})
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
        kind = _lined(given, {})
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
            raise PageError(key_line(holder, key), msg)
        required = any(entry.get("required") is True for entry in entries)
        made = [self._alternative(entry) for entry in entries if entry.get("type") != "null"]
        takes_null = len(made) < len(entries)
        if not made:
            return _lined(entries[0], {"type": "null"}), required
        schema = made[0] if len(made) == 1 else _lined(entries[0], {"anyOf": made})
        return (nullable(schema) if takes_null else schema), required

    def _alternative(self, entry: LinedMap) -> Tree:
        given = _lined(entry, {})
        for key, value in entry.items():
            match key:
                case "required":
                    if not isinstance(value, bool):
                        msg = "`required` must be true or false here; a schema's own list is `requiredProperties`"
                        raise PageError(key_line(entry, key), msg)
                case "refIdentifier" | "contentEncoding":
                    pass
                case "requiredProperties":
                    _set(given, "required", value, key_line(entry, key))
                case "type":
                    given.update(_type_words(entry))
                case "properties":
                    properties = _mapping(entry, "properties")
                    unwrapped = _lined(properties, {name: _unwrapped(raw) for name, raw in properties.items()})
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
            raise PageError(key_line(entry, "refIdentifier"), msg)
        name = found[1]
        if name not in self.schemas:
            _set(self.schemas, name, LinedMap({**schema, REBUILT: True}, line=entry.line), entry.line)
        reference = _lined(entry, {"$ref": identifier})
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
            raise PageError(line, f"type {kind} needs a list `enum`")
        return {"type": found[1]}
    if kind in ("boolean", "string", "number", "integer", "object", "array"):
        return {"type": kind}
    msg = f"unknown type {kind!r}; allowed are boolean, string, number, integer, object, array, enum<...>, file, null, any"
    raise PageError(line, msg)


def _unwrapped(raw: Any) -> Any:  # noqa: ANN401  # any JSON value
    """A schema below the top level is plain OpenAPI inside `allOf: [...]`."""
    if isinstance(raw, dict) and set(raw) == {"allOf"} and isinstance(raw["allOf"], list) and len(raw["allOf"]) == 1:
        return raw["allOf"][0]
    return raw


def _security_scheme(place: str, name: str, given: LinedMap) -> Tree:
    kind = given.get("type")
    scheme = _lined(given, {"type": kind})
    if kind == "apiKey":
        scheme.update({"in": place, "name": name})
    elif kind == "http":
        if not isinstance(given.get("scheme"), str):
            raise PageError(given.line, "a security parameter of type http needs its `scheme`")
        scheme["scheme"] = given["scheme"]
    else:
        msg = f"a security parameter of type {kind!r} is not supported; apiKey and http are"
        raise PageError(given.line, msg)
    if isinstance(given.get("description"), str):
        scheme["description"] = given["description"]
    return scheme


def _lined(source: LinedMap, items: Tree) -> LinedMap:
    """A new mapping in the place of a given one, with its lines."""
    return LinedMap(items, line=source.line, lines=dict(source.lines))


def _set(node: Tree, key: str, value: object, line: int) -> None:
    node[key] = value
    if isinstance(node, LinedMap):
        node.lines[key] = line


def _known(node: LinedMap, keys: Iterable[str], place: str) -> None:
    for key in node:
        if key not in keys:
            raise PageError(key_line(node, key), f"unknown key {key!r} {place}; allowed are {', '.join(keys)}")


def _mapping(holder: LinedMap, key: str, *, optional: bool = False) -> LinedMap:
    value = holder.get(key)
    if optional and key not in holder:
        return LinedMap(line=holder.line)
    if not isinstance(value, LinedMap):
        given = "is missing" if key not in holder else "must be a mapping"
        raise PageError(key_line(holder, key), f"`{key}` {given}")
    return value


def _mappings(holder: LinedMap, key: str) -> list[LinedMap]:
    value = holder.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, LinedMap) for item in value):
        raise PageError(key_line(holder, key), f"`{key}` must be a list of mappings")
    return list(value)

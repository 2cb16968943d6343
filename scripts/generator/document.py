"""The stored spec, and the plain form of it that openapi-python-client 0.29.1 carries without loss.

Left to itself the generator names classes by titles, keeps some text only in altered form, drops properties that stand
beside a `oneOf` or a single `allOf`, skips parameters without a schema, and turns ids and times into types that refuse
what a server really sends. So it is given a document in which none of that occurs, and what the document says beyond
that (text, bounds, defaults) is read here. What cannot be carried is refused, with its place.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from openapi import names
from openapi.references import DEFAULT, target
from openapi.structure import METHODS
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from generator.problems import GenerationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

DOCS = "x-docs"
"""Where a prepared schema has the documentation of all its properties, in the order in which the API sends them."""


class Parameter(NamedTuple):
    """A parameter of an operation, as the spec has it.

    Its location is `path` or `query`, or `field` or `file` for a part of a multipart body. The items of an array are
    parameters of their own, or one parameter with a separator between them.
    """

    name: str
    location: str
    required: bool
    schema: dict[str, Any]
    description: str
    place: str
    separator: str = ""


class Operation(NamedTuple):
    """An operation, as the spec has it."""

    name: str
    tag: str
    method: str
    path: str
    parameters: list[Parameter]
    text: str
    body: str
    body_required: bool
    events: Events | None
    place: str


class Events(NamedTuple):
    """The events of a stream, by the component schemas that describe them.

    Attributes:
        schemas: The schema of each event, by the event's name.
        other: The schema of an event of any other name.
    """

    schemas: dict[str, str]
    other: str


class Document(NamedTuple):
    """What the generator reads, and what only the templates need.

    Attributes:
        prepared: The document for the generator.
        operations: Every operation, by operationId.
        schemas: The component schemas, as the spec has them.
        values: The text of enum members; the prepared document has `v0`, `v1`, ... in their place.
        title: The spec's own title.
        version: The spec's own version.
        sha256: The digest of the file's bytes, in hexadecimal.
    """

    prepared: dict[str, Any]
    operations: dict[str, Operation]
    schemas: dict[str, Any]
    values: dict[str, str]
    title: str
    version: str
    sha256: str


def read(path: Path) -> Document:
    """Reads a spec.

    Raises:
        GenerationError: It cannot be read, or holds what cannot be carried.
    """
    try:
        data = path.read_bytes()
        text = data.decode()
        # A key of JSON may be longer than YAML allows.
        raw = json.loads(text) if text.startswith("{") else YAML(typ="safe", pure=True).load(text)
    except OSError as error:
        raise GenerationError(f"{path.name}: {error.strerror}") from None
    except (YAMLError, ValueError) as error:
        raise GenerationError(f"{path.name} is not YAML or JSON: {error}") from None
    if not isinstance(raw, dict) or not str(raw.get("openapi")).startswith("3."):
        raise GenerationError(f"{path.name} is not an OpenAPI 3 document")
    try:
        return Preparation(raw, hashlib.sha256(data).hexdigest()).document()
    except RecursionError:
        raise GenerationError(f"{path.name} contains itself, or is nested too deeply") from None


class Preparation:
    """Prepares one document."""

    def __init__(self, raw: dict[str, Any], sha256: str) -> None:
        self.raw = raw
        self.sha256 = sha256
        self.values: dict[str, str] = {}
        self.tokens: dict[str, str] = {}

    def document(self) -> Document:
        """The whole document."""
        components = {name: self._component(name, schema) for name, schema in self._schemas().items()}
        schemas = {name: schema for name, schema in components.items() if "$ref" not in schema}
        paths: dict[str, Any] = {}
        operations: dict[str, Operation] = {}
        for path, method, item, operation in self._each_operation():
            found, prepared = self._operation(path, method, item, operation)
            twin = operations.setdefault(found.name, found)
            if twin is not found:
                raise GenerationError(f"{found.place} and {twin.place} have one operationId, {found.name!r}")
            paths.setdefault(path, {})[method] = prepared
        info = {"title": "API", "version": "0"}
        prepared = {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"schemas": schemas}}
        own = _mapping(self.raw.get("info"), "#/info")
        title, version = (str(own.get(name, "")) for name in ("title", "version"))
        return Document(prepared, operations, self._schemas(), self.values, title, version, self.sha256)

    def _schemas(self) -> dict[str, Any]:
        return _mapping(_mapping(self.raw.get("components"), "#/components").get("schemas"), "#/components/schemas")

    def _each_operation(self) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
        for path, raw_item in _mapping(self.raw.get("paths"), "#/paths").items():
            place = f"#/paths/{path}"
            item = _mapping(raw_item, place)
            known = {*METHODS, "parameters", "summary", "description", "servers"}
            if unknown := [key for key in item if key not in known and not key.startswith("x-")]:
                raise GenerationError(f"{place}: {unknown[0]!r} is not supported")
            for method in METHODS:
                if method in item:
                    yield path, method, item, _mapping(item[method], f"{place}/{method}")

    # --- operations ----------------------------------------------------------------------------------------------

    def _operation(
        self, path: str, method: str, item: dict[str, Any], operation: dict[str, Any]
    ) -> tuple[Operation, dict[str, Any]]:
        place = f"{method.upper()} {path}"
        name, tags = operation.get("operationId"), operation.get("tags")
        tag = tags[0] if isinstance(tags, list) and tags else None
        for key, value in (("operationId", name), ("first tag", tag)):
            if not isinstance(value, str) or not names.is_module_name(value):
                raise GenerationError(
                    f"{place}: its {key} is {value!r}; it names a module and must be a word in lower case, such as "
                    "list_workflow_logs: give it one in an overlay"
                )
        if not path.startswith("/"):
            raise GenerationError(f"{place}: a path begins with a slash")
        parameters = list(self._parameters(item, operation, place))
        body: dict[str, Any] = {}
        if operation.get("requestBody") is not None:
            body = self._resolved(operation["requestBody"], f"{place} requestBody")
            parameters += self._parts(body, {p.name for p in parameters}, f"{place} requestBody")
        found = Operation(
            name=str(name),
            tag=str(tag),
            method=method.upper(),
            path=path,
            parameters=parameters,
            text="\n\n".join(text for key in ("summary", "description") if (text := _text(operation.get(key)).strip())),
            body=_text(body.get("description")),
            body_required=body.get("required") is True,
            events=self._events(operation, place),
            place=place,
        )
        prepared: dict[str, Any] = {
            "operationId": name,
            "tags": [tag],
            "parameters": [
                {
                    "name": parameter.name,
                    # A form's field is checked and written like a parameter of the query.
                    "in": "path" if parameter.location == "path" else "query",
                    "required": parameter.required,
                    "schema": self._schema(parameter.schema, parameter.place, parameter.name),
                }
                for parameter in parameters
                if parameter.location != "file"
            ],
            "responses": self._responses(operation, place),
        }
        if body and not any(parameter.location in {"field", "file"} for parameter in parameters):
            prepared["requestBody"] = self._body(body, f"{place} requestBody")
        return found, prepared

    def _parameters(self, item: dict[str, Any], operation: dict[str, Any], place: str) -> Iterator[Parameter]:
        merged: dict[tuple[str, str], dict[str, Any]] = {}
        for owner in (item, operation):
            own: set[tuple[str, str]] = set()
            for raw in owner.get("parameters") or []:
                parameter = self._resolved(raw, f"{place} parameters")
                key = (_text(parameter.get("name")), _text(parameter.get("in")))
                if key in own:
                    raise GenerationError(f"{place}: two parameters {key[0]!r} in {key[1]}")
                own.add(key)
                merged[key] = parameter
        seen: dict[str, str] = {"body": "the request body"} if operation.get("requestBody") is not None else {}
        for (name, location), parameter in merged.items():
            where = f"{place} parameter {name!r}"
            if not name:
                raise GenerationError(f"{where} has no name")
            if location not in {"path", "query"}:
                raise GenerationError(
                    f"{where}: parameters in {location or 'nowhere'} are not supported: take it out in an overlay; "
                    "what is sent with each call anyway can be given as `default_headers` of the client"
                )
            if not isinstance(parameter.get("schema"), dict):
                raise GenerationError(
                    f"{where} has no schema: describe what is sent by one in an overlay (`content` is not supported)"
                )
            argument = names.argument_name(name)
            if other := seen.get(argument):
                raise GenerationError(f"{where} and {other} would both be the argument {argument!r}")
            seen[argument] = f"parameter {name!r}"
            schema = self._resolved(parameter["schema"], where)
            yield Parameter(
                name=name,
                location=location,
                required=location == "path" or parameter.get("required") is True,
                schema=parameter["schema"],
                description=_text(parameter["schema"].get("description"))
                or _text(parameter.get("description"))
                or _text(schema.get("description")),
                place=where,
                separator=self._separator(parameter, schema, where),
            )

    def _separator(self, parameter: dict[str, Any], schema: dict[str, Any], place: str) -> str:
        """What stands between the items of an array in one parameter; nothing when each is a parameter of its own."""
        location = parameter["in"]
        style = parameter.get("style", "form" if location == "query" else "simple")
        explode = parameter.get("explode", style == "form")
        if location == "path":
            if style != "simple":
                raise GenerationError(f"{place}: style {style!r} in a path is not supported; only 'simple' is")
            return ""
        is_array = "array" in self._kinds_of(schema, place)
        if style == "form" and (explode is True or not is_array):
            return ""
        separator = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}.get(str(style))
        if not is_array or explode is not False or separator is None:
            raise GenerationError(
                f"{place}: style {style!r} with explode {explode!r} is not supported; 'form' is, and for an array "
                "without explode 'spaceDelimited' and 'pipeDelimited'"
            )
        return separator

    def _kinds_of(self, schema: dict[str, Any], place: str, depth: int = 0) -> set[str]:
        """The types that a schema speaks of, alternatives and pieces included."""
        schema = self._resolved(schema, place)
        types = schema.get("type")
        found = {types} if isinstance(types, str) else {name for name in types or [] if isinstance(name, str)}
        for member in [m for key in ("anyOf", "oneOf", "allOf") for m in schema.get(key) or [] if isinstance(m, dict)]:
            if depth < _DEEPEST:
                found |= self._kinds_of(member, place, depth + 1)
        return found

    def _parts(self, body: dict[str, Any], taken: set[str], place: str) -> Iterator[Parameter]:
        """The fields and files of a multipart body; none of a body that can be JSON."""
        content = _mapping(body.get("content"), place)
        if MULTIPART not in content or any(map(_is_json, content)):
            return
        schema = self._resolved(_mapping(content[MULTIPART], place).get("schema"), place)
        properties = _mapping(schema.get("properties"), f"{place}/properties")
        if not properties or set(schema) & {"allOf", "anyOf", "oneOf"}:
            raise GenerationError(f"{place}: a multipart body is an object with properties")
        seen = {names.argument_name(name): name for name in taken}
        for name, value in properties.items():
            where = f"{place} field {name!r}"
            argument = names.argument_name(name)
            if not name:
                raise GenerationError(f"{where} has no name")
            if argument in seen:
                raise GenerationError(f"{where} and {seen[argument]!r} would both be the argument {argument!r}")
            seen[argument] = name
            found = self._resolved(value, where)
            items = self._resolved(found.get("items") or {}, where)
            if _is_file(items):
                raise GenerationError(f"{where}: several files in one field are not supported")
            yield Parameter(
                name=name,
                location="file" if _is_file(found) else "field",
                required=name in (schema.get("required") or []),
                schema=_mapping(value, where),
                description=_text(_mapping(value, where).get("description")) or _text(found.get("description")),
                place=where,
            )

    def _events(self, operation: dict[str, Any], place: str) -> Events | None:
        """The events of a successful response that is a stream, when the spec distinguishes them by name."""
        for status, raw in _mapping(operation.get("responses"), f"{place} responses").items():
            where = f"{place} response {status}"
            content = _mapping(self._resolved(raw, where).get("content"), where)
            media = _mapping(content.get(EVENT_STREAM), where)
            schema = self._resolved(media.get("schema") if isinstance(media.get("schema"), dict) else None, where)
            discriminator = _mapping(schema.get("discriminator"), f"{where} discriminator")
            mapping = _mapping(discriminator.get("mapping"), f"{where} discriminator/mapping")
            if status.startswith("2") and mapping:
                if DEFAULT not in discriminator:
                    raise GenerationError(f"{where}: its discriminator needs {DEFAULT}, for events of another name")
                found = {name: self._mapped(target, where) for name, target in mapping.items()}
                return Events(found, self._mapped(discriminator[DEFAULT], where))
        return None

    def _mapped(self, target: object, place: str) -> str:
        """The component schema that a discriminator's mapping leads to, by reference or by name."""
        ref = str(target)
        ref = ref if ref.startswith("#/") else f"#/components/schemas/{ref}"
        return self._target(ref, place).removeprefix("#/components/schemas/")

    def _body(self, body: dict[str, Any], place: str) -> dict[str, Any]:
        content = _mapping(body.get("content"), place)
        for content_type, media in content.items():
            if _is_json(content_type):
                schema = self._schema(_mapping(media, place).get("schema", {}), place, "body")
                return {
                    "required": body.get("required") is True,
                    "content": {"application/json": {"schema": schema}},
                }
        raise GenerationError(f"{place}: {', '.join(content) or 'no content'}: only JSON and {MULTIPART} are supported")

    def _responses(self, operation: dict[str, Any], place: str) -> dict[str, Any]:
        prepared: dict[str, Any] = {}
        for status, raw in _mapping(operation.get("responses"), f"{place} responses").items():
            where = f"{place} response {status}"
            response = self._resolved(raw, where)
            prepared[status] = {"description": ""}
            first = status.startswith("2") and not any(other.startswith("2") for other in prepared if other != status)
            hint = "response" if first else f"response_{status}"
            content = _mapping(response.get("content"), where)
            # JSON comes first, as the generator takes the first type that it knows and drops the others.
            for content_type in sorted(content, key=lambda name: not _is_json(name)):
                media = _mapping(content[content_type], where)
                if _is_json(content_type):
                    prepared[status]["content"] = {
                        "application/json": {"schema": self._schema(media.get("schema", {}), where, hint)}
                    }
                else:
                    is_text = content_type.startswith("text/") and content_type != EVENT_STREAM
                    known = "text/plain" if is_text else "application/octet-stream"
                    prepared[status]["content"] = {known: {"schema": {"type": "string"}}}
                break
        return prepared

    # --- schemas -------------------------------------------------------------------------------------------------

    def _component(self, name: str, schema: object) -> dict[str, Any]:
        place = f"#/components/schemas/{name}"
        if not name.replace("-", "").replace("_", "").replace(".", "").isalnum() or not name.isascii():
            raise GenerationError(f"{place}: a schema is named in letters, digits, '.', '-' and '_'")
        prepared = self._schema(schema, place, name)
        prepared.pop("title", None)  # its own name names it
        return prepared

    def _target(self, ref: str, place: str) -> str:
        """The reference to the schema that a reference, perhaps by way of others, is to."""
        seen = [ref]
        while "$ref" in (schema := self._next({"$ref": ref}, place)):
            ref = schema["$ref"]
            if ref in seen:
                raise GenerationError(f"{place}: {ref} refers to itself")
            seen.append(ref)
        return ref

    def _schema(self, schema: object, place: str, hint: str) -> dict[str, Any]:
        """The plain form of a schema.

        Args:
            schema: The schema as the spec has it.
            place: Where that is.
            hint: What a class is named by that has to be made for it, after the class that it is part of.
        """
        if isinstance(schema, bool):
            return {}
        if not isinstance(schema, dict):
            raise GenerationError(f"{place}: a schema is an object")
        if "$ref" in schema:
            if not isinstance(schema["$ref"], str) or not schema["$ref"].startswith("#/components/schemas/"):
                raise GenerationError(f"{place}: $ref {schema['$ref']!r} is not supported")
            return {"$ref": self._target(schema["$ref"], place)}
        types = schema.get("type")
        types = [types] if isinstance(types, str) else list(types or [])
        if unknown := [name for name in types if name not in _KINDS]:
            raise GenerationError(f"{place}: {unknown[0]!r} is not a type")
        enum = schema.get("enum")
        nullable = "null" in types or schema.get("nullable") is True or (isinstance(enum, list) and None in enum)
        types = types if types == ["null"] else [name for name in types if name != "null"]
        alternatives = self._alternatives(schema, types, enum, place, hint)
        if nullable and types != ["null"]:
            alternatives.append({"type": "null"})
        _name_classes(alternatives, hint)
        result = alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}
        if _text(schema.get("description")) and "$ref" not in result:
            result["description"] = schema["description"]
        return result

    def _alternatives(
        self, schema: dict[str, Any], types: list[str], enum: object, place: str, hint: str
    ) -> list[dict[str, Any]]:
        if isinstance(schema.get("properties"), dict) and (schema.get("anyOf") or schema.get("oneOf")):
            # Such members say which properties go together. One that brings properties of its own would be lost.
            for member in [*(schema.get("anyOf") or []), *(schema.get("oneOf") or [])]:
                if not isinstance(member, dict) or set(member) & {"$ref", "properties", "allOf", "anyOf", "oneOf"}:
                    raise GenerationError(f"{place}: properties beside anyOf or oneOf are not supported")
            return [self._object(schema, place)]
        members = [*(schema.get("anyOf") or []), *(schema.get("oneOf") or [])]
        if members and schema.get("allOf"):
            raise GenerationError(f"{place}: allOf beside anyOf or oneOf is not supported")
        if members:
            return [self._schema(member, f"{place}/{i}", hint) for i, member in enumerate(members)]
        if schema.get("allOf"):
            return [self._composed(schema, place, hint)]
        if isinstance(enum, list) and enum and (plain := self._enum(enum)) is not None:
            return [plain] if plain else []
        if isinstance(schema.get("const"), (str, int)):
            return [{"const": schema["const"]}] if not isinstance(schema["const"], bool) else [{"type": "boolean"}]
        if not types and "properties" in schema:
            types = ["object"]
        return [self._of_type(name, schema, place, hint) for name in types] or [{}]

    def _of_type(self, name: str, schema: dict[str, Any], place: str, hint: str) -> dict[str, Any]:
        if name == "object":
            return self._object(schema, place)
        if name == "array":
            items = {} if schema.get("prefixItems") else schema.get("items", {})
            return {"type": "array", "items": self._schema(items, f"{place}/items", f"{hint}_item")}
        return {"type": name}  # without its format: text stays text, an id or a time included

    def _enum(self, enum: list[object]) -> dict[str, Any] | None:
        """The plain form of an enum; empty when it allows only null, None when its values are not of one kind."""
        values = list(dict.fromkeys(value for value in enum if isinstance(value, (str, int))))
        if all(value is None for value in enum):
            return {}
        if all(isinstance(value, str) for value in enum if value is not None):
            texts = [str(value) for value in values]
            tokens = [self.tokens.setdefault(text, f"v{len(self.tokens)}") for text in texts]
            self.values.update(zip(tokens, texts, strict=True))
            return {"type": "string", "enum": tokens, "x-enum-varnames": names.member_names(texts)}
        if all(isinstance(value, int) and not isinstance(value, bool) for value in enum if value is not None):
            return {"type": "integer", "enum": values}
        return None

    def _object(self, schema: dict[str, Any], place: str) -> dict[str, Any]:
        properties = _mapping(schema.get("properties"), f"{place}/properties")
        prepared: dict[str, Any] = {
            "type": "object",
            "properties": {
                name: self._schema(value, f"{place}/properties/{name}", name) for name, value in properties.items()
            },
            "required": [name for name in schema.get("required") or [] if name in properties],
            DOCS: self._docs(schema, place),
        }
        if isinstance(schema.get("additionalProperties"), dict) and schema["additionalProperties"]:
            prepared["additionalProperties"] = self._schema(
                schema["additionalProperties"], f"{place}/additionalProperties", "value"
            )
        return prepared

    def _composed(self, schema: dict[str, Any], place: str, hint: str) -> dict[str, Any]:
        """The plain form of an `allOf`, with nested ones opened up and what stands beside it taken in."""
        members = [member for member in self._members(schema, place) if set(member) - _ANNOTATIONS]
        if len(members) == 1 and "$ref" in members[0]:
            return self._schema(members[0], place, hint)
        if not any("$ref" in member or "properties" in member for member in members):
            merged: dict[str, Any] = {}
            for member in members:
                merged |= member
            return self._schema({**merged, "description": schema.get("description")}, place, hint)
        self._refuse_differences(members, place)
        prepared: list[dict[str, Any]] = []
        for i, member in enumerate(members):
            if set(member) & {"anyOf", "oneOf"}:
                raise GenerationError(f"{place}/allOf/{i}: anyOf or oneOf inside allOf is not supported")
            # A required list counts for the properties of all members.
            required = {"required": member.get("required") or []}
            prepared.append(
                self._schema(member, place, hint) if "$ref" in member else self._object(member, place) | required
            )
        return {"allOf": prepared, DOCS: self._docs(schema, place)}

    def _refuse_differences(self, members: list[dict[str, Any]], place: str) -> None:
        """Refuses members of an `allOf` that describe a property in different ways: the generator drops such a schema.

        Raises:
            GenerationError: Two of them do.
        """
        known: dict[str, dict[str, Any]] = {}
        for name, schema in [pair for member in members for pair in self._properties(member, place)]:
            said = {key: value for key, value in schema.items() if key == "nullable" or key not in _ANNOTATIONS}
            if known.setdefault(name, said) != said:
                raise GenerationError(
                    f"{place}/properties/{name}: members of an allOf describe it in different ways: describe it once "
                    "in an overlay"
                )

    def _properties(self, member: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The properties of a member of an `allOf`, and of what it is itself composed of."""
        member = self._resolved(member, place)
        for piece in member.get("allOf") or []:
            yield from self._properties(_mapping(piece, place), place)
        for name, value in _mapping(member.get("properties"), place).items():
            yield name, value if isinstance(value, dict) else {}

    def _members(self, schema: dict[str, Any], place: str) -> Iterator[dict[str, Any]]:
        for member in schema.get("allOf") or []:
            if not isinstance(member, dict):
                raise GenerationError(f"{place}/allOf: a schema is an object")
            yield from self._members(member, place) if "allOf" in member else (member,)
        own = {key: value for key, value in schema.items() if key not in {*_ANNOTATIONS, "allOf"}}
        if "properties" in own or "required" in own:
            yield own

    def _docs(self, schema: dict[str, Any], place: str) -> dict[str, str]:
        """The documentation of every property of an object, in order; empty text where there is none."""
        docs: dict[str, str] = {}
        for member in schema.get("allOf") or []:
            docs |= self._docs(self._resolved(member, place), place)
        for name, value in _mapping(schema.get("properties"), place).items():
            text = _text(value.get("description")) if isinstance(value, dict) else ""
            if not text and isinstance(value, dict) and "$ref" in value:
                text = _text(self._resolved(value, place).get("description"))
            docs[name] = text or docs.get(name, "")
        _distinct(docs, place)
        return docs

    def _resolved(self, node: object, place: str) -> dict[str, Any]:
        """What a node is, or what it refers to, perhaps by way of others."""
        found = _mapping(node, place)
        return self._next({"$ref": self._target(found["$ref"], place)}, place) if "$ref" in found else found

    def _next(self, node: dict[str, Any], place: str) -> dict[str, Any]:
        """What a reference refers to, which may be another one."""
        found = target(self.raw, node["$ref"])
        if found is None:
            raise GenerationError(f"{place}: there is no {node['$ref']}")
        return _mapping(found, place)


_DEEPEST = 20
MULTIPART = "multipart/form-data"
EVENT_STREAM = "text/event-stream"
_KINDS = {"array", "boolean", "integer", "null", "number", "object", "string"}
_ANNOTATIONS = {"title", "description", "example", "examples", "default", "deprecated", "nullable", "externalDocs"}


def _distinct(fields: Mapping[str, str], place: str) -> None:
    seen: dict[str, str] = {}
    for name in fields:
        attribute = names.field_name(name)
        if attribute in seen:
            raise GenerationError(
                f"{place}: the properties {seen[attribute]!r} and {name!r} would both be the attribute {attribute!r}; "
                "remove one in an overlay, and models still keep it in additional_properties"
            )
        seen[attribute] = name


def _name_classes(alternatives: list[dict[str, Any]], hint: str) -> None:
    """Names the classes that have to be made by the property they are for, and numbers them when they are several."""
    made = [member for member in alternatives if "enum" in member or "allOf" in member or member.get("properties")]
    for number, member in enumerate(made, start=1):
        member["title"] = hint if len(made) == 1 else f"{hint}_{number}"
    for number, member in enumerate(alternatives, start=1):
        if member.get("type") == "object" and not member["properties"]:
            member["title"] = f"{hint}_map_{number}" if len(alternatives) > 1 else hint


def _is_json(content_type: str) -> bool:
    main = content_type.partition(";")[0].strip().lower()
    return main == "application/json" or main.endswith("+json")


def _is_file(schema: dict[str, Any]) -> bool:
    """Whether a part of a multipart body is a file: bytes, in the words of OpenAPI 3.0 or of 3.1."""
    return schema.get("format") == "binary" or ("contentMediaType" in schema and "contentEncoding" not in schema)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: object, place: str) -> dict[str, Any]:
    """A mapping with text for keys (YAML reads the status 200 as a number); empty for nothing."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise GenerationError(f"{place} is not an object")
    return {str(key): item for key, item in value.items()}

"""The compiled document's bytes: always the same order, the same quoting and the same line breaks."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.representer import SafeRepresenter

from openapi.parse import read_yaml
from openapi.structure import METHODS, parts
from openapi.tree import Tree, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ruamel.yaml.nodes import ScalarNode

WIDTH = 110


def ordered(document: Tree) -> Tree:
    """A copy of a document with its keys in the order of the table below, and paths, components and statuses by name.

    Properties and parameters keep the order they have, for it is the order that people and the server give them; so do
    keys that the table does not know, at the end.
    """
    document = plain(document)
    for part in list(parts(document)):
        _put_in_order(part.node, _ORDER.get(part.kind, ()))
        if part.kind == "schema":
            _put_null_last(part.node)
        if part.kind == "operation" and isinstance(part.node.get("responses"), dict):
            _put_in_order(
                part.node["responses"], sorted(part.node["responses"], key=lambda code: (code == "default", code))
            )
        if part.kind == "components":
            for named in part.node.values():
                _put_in_order(named, sorted(named))
    _put_in_order(document["paths"], sorted(document["paths"]))
    return document


def in_place(document: Tree) -> Tree:
    """A copy of a document with the keys of each part in the order of the table below, and names as they are."""
    document = plain(document)
    for part in list(parts(document)):
        _put_in_order(part.node, _ORDER.get(part.kind, ()))
    return document


def text_of(document: Tree, header: str) -> str:
    """A document as YAML.

    Args:
        document: Plain data.
        header: Lines for the comment at the top.

    Raises:
        AssertionError: When reading the text does not give the document back, which would be a fault in this module.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # annotated as always None
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.allow_unicode = True
    stream = io.StringIO()
    yaml.dump(document, stream)
    body = stream.getvalue()
    if plain(read_yaml(body)) != document:
        msg = "the YAML text does not say what the document says"
        raise AssertionError(msg)
    comment = "".join(f"# {line}".rstrip() + "\n" for line in header.splitlines())
    return comment + body


def _put_null_last(schema: Tree) -> None:
    """Null comes last among types and alternatives, and what is required comes in the order of the properties."""
    for key, null in (("type", "null"), ("anyOf", {"type": "null"}), ("oneOf", {"type": "null"})):
        if isinstance(schema.get(key), list):
            schema[key] = [*(one for one in schema[key] if one != null), *(one for one in schema[key] if one == null)]
    if isinstance(schema.get("required"), list) and isinstance(schema.get("properties"), dict):
        order = list(schema["properties"])
        schema["required"].sort(key=lambda name: order.index(name) if name in order else len(order))


def _put_in_order(node: Tree, order: Iterable[str]) -> None:
    items = {key: node[key] for key in order if key in node} | node
    node.clear()
    node.update(items)


_ORDER: dict[str, tuple[str, ...]] = {
    "document": ("openapi", "info", "servers", "tags", "paths", "components"),
    "components": ("securitySchemes", "parameters", "requestBodies", "responses", "headers", "schemas"),
    "path item": METHODS,
    "operation": (
        *("operationId", "tags", "summary", "description", "deprecated", "servers", "security"),
        *("parameters", "requestBody", "responses"),
    ),
    "parameter": ("$ref", "name", "in", "description", "required", "deprecated", "schema"),
    "header": ("$ref", "description", "required", "schema"),
    "request body": ("$ref", "description", "required", "content"),
    "response": ("$ref", "description", "headers", "content"),
    "media type": ("schema", "examples"),
    "schema": (
        *("$ref", "title", "description", "deprecated", "type", "format", "enum", "const", "anyOf", "oneOf", "allOf"),
        *("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "default", "examples", "items"),
        *("required", "properties", "additionalProperties"),
    ),
    "security scheme": ("type", "scheme", "in", "name", "description"),
    "server": ("url", "description", "variables"),
    "server variable": ("description", "enum", "default"),
}

# What a reader of YAML 1.1 would take for something other than text (many tools are such readers), and 1.2's own.
_NOT_TEXT_FOR_SOME = re.compile(r"(y|n|yes|no|on|off|true|false|null|~|=|<<|)|[-+.0-9].*", re.IGNORECASE | re.DOTALL)
_PARAGRAPHS = re.compile(r"\S[^\n]*(\n\n\S[^\n]*)*")  # they may be wrapped; lists and code may not
_LONG = 80


class _Representer(SafeRepresenter):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401  # the base class's signature
        """No anchors: equal values are written out."""
        return True

    def represent_str(self, data: str) -> ScalarNode:
        style = None
        if data.startswith(" "):  # folded or indented, the first line would say how deep the others are
            style = '"'
        elif _PARAGRAPHS.fullmatch(data) if "\n" in data else len(data) > _LONG and " " in data:
            style = ">"
        elif "\n" in data:
            style = "|"
        elif _NOT_TEXT_FOR_SOME.fullmatch(data):
            style = "'"
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Representer.add_representer(str, _Representer.represent_str)

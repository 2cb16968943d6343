"""The docs site's two page exports, made from an OpenAPI 3.0 operation: what the importer has to turn back.

Written from the description of the format alone, so that a mistake in the reader is not repeated here.
"""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML

Tree = dict[str, Any]


def older_page(document: Tree, method: str, path: str, *, closed: bool = True) -> str:
    """A page of the older generation."""
    operation = document["paths"][path][method]
    inlined = _Inlined(document)
    request = {
        "security": [_security(document, requirement) for requirement in operation["security"]],
        "parameters": inlined.parameters(operation.get("parameters", [])),
        "body": inlined.contents(operation.get("requestBody", {"content": {}})),
    }
    response = {
        status: inlined.contents(given) or {"_mintlify/placeholder": inlined.media_type({"schema": {}}, given)}
        for status, given in operation["responses"].items()
    }
    tree = {
        "paths": {
            "path": path,
            "method": method,
            "servers": [
                {**s, "variables": {name: {"type": "string", **v} for name, v in s["variables"].items()}}
                for s in document["servers"]
            ],
            "request": request,
            "response": response,
            "deprecated": operation.get("deprecated", False),
            "type": "path",
        },
        "components": {"schemas": {name: document["components"]["schemas"][name] for name in sorted(inlined.reached)}},
    }
    return _page(operation, f"zh/openapi.json {method} {path}", tree, closed=closed)


def newer_page(document: Tree, method: str, path: str, *, closed: bool = True) -> str:
    """A page of the newer generation, between the notes that surround it."""
    tree = filtered(document, method, path)
    page = _page(document["paths"][path][method], f"en/openapi.json {method} {path}", tree, closed=closed)
    index = "> ## Documentation index\n> The list of all pages is at: https://docs.example.com/llms.txt\n\n"
    footer = "\nThis page was made by a docs site: [edit it](https://docs.example.com)\n"
    return index + page + (footer if closed else "")


def filtered(document: Tree, method: str, path: str) -> Tree:
    """A document with one of its operations, and what that needs."""
    operation = document["paths"][path][method]
    schemas = document["components"]["schemas"]
    needed: set[str] = set()
    _reach(operation, schemas, needed)
    return {
        **{key: value for key, value in document.items() if key not in ("paths", "components")},
        "paths": {path: {method: operation}},
        "components": {
            "schemas": {name: schemas[name] for name in schemas if name in needed},
            "securitySchemes": document["components"]["securitySchemes"],
        },
    }


class _Inlined:
    """Inlines what stands at the top level, and remembers what is referred to below it."""

    def __init__(self, document: Tree) -> None:
        self.schemas: Tree = document["components"]["schemas"]
        self.reached: set[str] = set()

    def parameters(self, given: list[Tree]) -> Tree:
        places: Tree = {"path": {}, "query": {}, "header": {}, "cookie": {}}
        for parameter in given:
            required = {"required": True} if parameter.get("required") else {}
            entries = self.alternatives(parameter["schema"], required)
            places[parameter["in"]][parameter["name"]] = {"schema": entries}
        return places

    def contents(self, given: Tree) -> Tree:
        required = {"required": True} if given.get("required") else {}
        return {name: self.media_type(kind, given, required) for name, kind in given.get("content", {}).items()}

    def media_type(self, kind: Tree, owner: Tree, required: Tree | None = None) -> Tree:
        described = {"description": owner["description"]} if "description" in owner else {}
        array = self.alternatives(kind["schema"], required or {})
        return {"schemaArray": array, "examples": kind.get("examples", {}), **described}

    def alternatives(self, schema: Tree, required: Tree) -> list[Tree]:
        options = schema.get("anyOf", [schema])
        entries = [{**self.entry(option), **required} for option in options]
        return [*entries, {"type": "null", **required}] if schema.get("nullable") else entries

    def entry(self, schema: Tree) -> Tree:
        name = schema.get("$ref", "").removeprefix("#/components/schemas/")
        whole = self.schemas[name] if name else schema
        entry: Tree = {"refIdentifier": schema["$ref"]} if name else {}
        for key, value in whole.items():
            match key:
                case "required":
                    entry["requiredProperties"] = value
                case "properties":
                    entry[key] = {name: {"allOf": [raw]} for name, raw in value.items()}
                    _reach(value, self.schemas, self.reached)
                case "items":
                    entry[key] = {"allOf": [value]}
                    _reach(value, self.schemas, self.reached)
                case "type" if "enum" in whole:
                    entry[key] = f"enum<{value}>"
                case "type" if whole.get("format") == "binary":
                    entry |= {"type": "file", "contentEncoding": "binary"}
                case "nullable":
                    pass
                case "format" if whole["type"] in ("integer", "number") or value == "binary":
                    pass  # lost
                case _:
                    entry[key] = value
                    _reach(value, self.schemas, self.reached)
        entry.setdefault("type", "any")
        return entry


def _security(document: Tree, requirement: Tree) -> Tree:
    places: Tree = {"query": {}, "header": {}, "cookie": {}}
    for name in requirement:
        scheme = document["components"]["securitySchemes"][name]
        if scheme["type"] == "http":
            places["header"]["Authorization"] = scheme
        else:
            given = {key: value for key, value in scheme.items() if key not in ("in", "name")}
            places[scheme["in"]][scheme["name"]] = given
    return {"title": " & ".join(requirement), "parameters": places}


def _reach(node: Any, schemas: Tree, reached: set[str]) -> None:
    if isinstance(node, list):
        for item in node:
            _reach(item, schemas, reached)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            name = node["$ref"].removeprefix("#/components/schemas/")
            if name not in reached:
                reached.add(name)
                _reach(schemas[name], schemas, reached)
        for value in node.values():
            _reach(value, schemas, reached)


def _page(operation: Tree, info: str, tree: Tree, *, closed: bool) -> str:
    stream = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(tree, stream)  # one object used twice becomes an anchor and an alias
    quoted = "".join(f"> {line}\n" for line in operation["description"].splitlines())
    end = "\n````\n" if closed else ""
    return f"# {operation['summary']}\n\n{quoted}\n## OpenAPI\n\n````yaml {info}\n{stream.getvalue()}{end}\n"

"""Documents as a vendor could publish them, made by rule from the stored structure: with text, names and order of their
own, whole or as one page, and changed in one thing at a time."""

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
METHODS = ("get", "put", "post", "delete", "patch")
Document = dict[str, Any]


def stored_structure(root: Path = ROOT) -> Document:
    """The stored structure of the vendor's newest document."""
    [path] = (root / "spec" / "upstream").glob("*.structure.yaml")
    return copy.deepcopy(_parsed(path.read_text("utf-8")))


@functools.cache
def _parsed(text: str) -> Document:
    """The document of a text: parsing takes a second."""
    document: Document = YAML(typ="safe", pure=True).load(text)
    return document


def published(structure: Document | None = None, *, prefix: str = "Vendor", text: str = "Some text") -> Document:
    """A whole description with the facts of a structure: ids, tags, titles and texts are the vendor's.

    Objects in responses and bodies become components, whose names begin with a prefix.
    """
    document = copy.deepcopy(structure or stored_structure())
    document["info"] = {"title": f"{prefix} API", "version": "9"}
    document["tags"] = [{"name": f"{prefix} things", "description": text}]
    schemas = document["components"].setdefault("schemas", {})
    for number, (path, method, operation) in enumerate(operations(document)):
        operation |= {
            "operationId": f"{prefix.lower()}{number}",
            "tags": [f"{prefix} things"],
            "summary": text,
            "description": f"{text}: {method} {path}.",
            "x-codeSamples": [{"lang": "python", "source": text}],
        }
        for status, response in operation["responses"].items():
            response["description"] = f"{text} {status}."
            media = response.get("content", {}).get("application/json", {})
            if "properties" in media.get("schema", {}):
                name = f"{prefix}Schema{len(schemas)}"
                schemas[name] = {"title": text, "description": text, **media["schema"]}
                media["schema"] = {"$ref": f"#/components/schemas/{name}"}
    if "stream_event" in schemas:
        _hide_stream(document, prefix)
    return document


def _hide_stream(document: Document, prefix: str) -> None:
    """Describes the events as the vendor does: by a schema that no operation refers to."""
    schemas = document["components"]["schemas"]
    event = schemas.pop("stream_event")
    mapping = {}
    for kind, reference in event["discriminator"]["mapping"].items():
        name = f"{prefix}Event{len(mapping)}"
        own = schemas.pop(reference.rpartition("/")[2])
        own["properties"].pop("event")
        if required := [field for field in own.pop("required") if field != "event"]:
            own["required"] = required
        schemas[name] = {"allOf": [{"$ref": f"#/components/schemas/{prefix}AnyEvent"}, own]}
        mapping[kind] = f"#/components/schemas/{name}"
    schemas[f"{prefix}AnyEvent"] = {
        "type": "object",
        "required": ["event"],
        "properties": {"event": {"type": "string", "enum": list(mapping)}},
        "discriminator": {"propertyName": "event", "mapping": mapping},
    }
    for _, _, operation in operations(document):
        for response in operation["responses"].values():
            media = response.get("content", {}).get("text/event-stream")
            if media is not None:
                media["schema"] = {"type": "string"}


def operations(document: Document) -> list[tuple[str, str, Document]]:
    """The operations of a document: path, method, itself."""
    return [
        (path, method, item[method]) for path, item in document["paths"].items() for method in METHODS if method in item
    ]


def shuffled(node: Any) -> Any:
    """The same with every order turned round."""
    if isinstance(node, dict):
        return {key: shuffled(node[key]) for key in reversed(node)}
    return [shuffled(item) for item in reversed(node)] if isinstance(node, list) else node


def page(document: Document, method: str, path: str) -> str:
    """One operation as a page of the docs site."""
    own = copy.deepcopy(document)
    own["openapi"] = "3.0.1"
    own["paths"] = {path: {method: own["paths"][path][method]}}
    schemas = own["components"]["schemas"]
    own["components"]["schemas"] = {name: schema for name, schema in schemas.items() if "Schema" in name}
    body = _older(own)
    return f"# A page\n\n> Some text\n\n````yaml file.json {method} {path}\n{json.dumps(body, indent=2)}\n````\n"


def _older(node: Any) -> Any:
    """Types with null in the words of OpenAPI 3.0."""
    if isinstance(node, dict):
        found = {key: _older(value) for key, value in node.items()}
        kinds = found.get("type")
        if isinstance(kinds, list) and "null" in kinds:
            found |= {"type": next(kind for kind in kinds if kind != "null"), "nullable": True}
        return found
    return [_older(item) for item in node] if isinstance(node, list) else node


def changed(change: Callable[[Document], None], **more: Any) -> Document:
    """A published document whose facts were changed first."""
    structure = stored_structure()
    change(structure)
    return published(structure, **more)


def written(folder: Path, document: Document | str, name: str = "newer.json") -> Path:
    """The file that holds a document."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(document if isinstance(document, str) else json.dumps(document, indent=1), "utf-8")
    return file

"""New parameters and operations in the sandbox: `src/dify_workflow/sandbox/additions.py`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import facade_coverage
from openapi.references import followed

from writing.source import Source, UnwritableError

if TYPE_CHECKING:
    from pathlib import Path

    from facade_coverage import Operation, Parameter

_KINDS = ("string", "integer", "number", "boolean", "object", "array")
_BOUNDS = ("minLength", "maxLength", "minimum", "maximum")
_TEXTS = {"uuid": "00000000-0000-4000-8000-000000000000", "date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01"}


class Additions:
    """The tables of the module, with what is added."""

    def __init__(self, path: Path) -> None:
        self._source = Source(path)
        self._nodes = {
            ast.unparse(node.target): node.value
            for node in self._source.tree.body
            if isinstance(node, ast.AnnAssign) and node.value is not None
        }
        self._fields: dict[str, list[dict[str, Any]]] = ast.literal_eval(self._nodes["FIELDS"])
        self._stubs: dict[str, Any] = ast.literal_eval(self._nodes["STUBS"])

    def add_field(self, spec: dict[str, Any], operation: Operation, parameter: Parameter) -> None:
        """Adds a parameter or a field of a body; a part of a form that is text has nothing to check."""
        fields = self._fields.setdefault(operation.key, [])
        if parameter.where in ("query", "body") and all(one["name"] != parameter.name for one in fields):
            fields.append(_field(spec, parameter))
        if not fields:
            del self._fields[operation.key]

    def add_operation(self, spec: dict[str, Any], operation: Operation) -> None:
        """Adds an operation, which responds with an example made from its schema."""
        for parameter in operation.parameters:
            self.add_field(spec, operation, parameter)
        responses = spec["paths"][operation.path][operation.method.lower()]["responses"]
        status = next(int(one) for one in responses if one.isdigit() and one[0] == "2")
        response = example(spec, operation.responses[0]) if operation.responses else None
        self._stubs[operation.key] = [status, response]

    def formatted(self) -> str:
        """The module's text."""
        self._source.replace(self._nodes["FIELDS"], repr(self._fields))
        self._source.replace(self._nodes["STUBS"], repr(self._stubs))
        return self._source.formatted()


def _field(spec: dict[str, Any], parameter: Parameter) -> dict[str, Any]:
    kinds: list[str] = []
    allowed: list[Any] | None = []
    found: dict[str, Any] = {"name": parameter.name, "where": parameter.where}
    for one in facade_coverage.alternatives(parameter.schema):
        schema = followed(spec, one)
        own = schema.get("type", [])
        kinds += [own] if isinstance(own, str) else own
        found |= {key: schema[key] for key in _BOUNDS if key in schema}
        allowed = None if allowed is None or "enum" not in schema else [*allowed, *schema["enum"]]
    found["kinds"] = list(dict.fromkeys(kinds))
    return found | ({"allowed": allowed} if allowed else {}) | ({"required": True} if parameter.required else {})


def example(spec: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:  # noqa: ANN401 - any JSON value
    """A value that a schema allows, the least that there is.

    Raises:
        UnwritableError: A schema requires itself.
    """
    if depth > _DEEPEST:
        raise UnwritableError("no example can be made: a schema requires itself")
    schema = followed(spec, schema)
    if "allOf" in schema:
        parts = [example(spec, one, depth + 1) for one in schema["allOf"]]
        return {key: value for part in parts if isinstance(part, dict) for key, value in part.items()}
    if fixed := [schema[key] for key in ("const", "default") if key in schema] or schema.get("enum"):
        return fixed[0]
    if options := [*schema.get("anyOf", []), *schema.get("oneOf", [])]:
        is_nullable = any(followed(spec, one).get("type") == "null" for one in options)
        return None if is_nullable else example(spec, options[0], depth + 1)
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else "null" if "null" in kinds else kinds[0]
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: example(spec, properties.get(name, {}), depth + 1) for name in schema.get("required", [])}
    if kind == "array":
        return [example(spec, schema.get("items", {}), depth + 1) for _ in range(schema.get("minItems", 0))]
    return _plain(schema, kind)


def _plain(schema: dict[str, Any], kind: str) -> Any:  # noqa: ANN401 - any JSON value
    text = _TEXTS.get(schema.get("format", ""), "x" * schema.get("minLength", 0))
    number = schema.get("minimum", 0)
    return {"string": text, "integer": number, "number": number, "boolean": False}.get(kind)


_DEEPEST = 20

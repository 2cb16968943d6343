"""The Markdown of the models: each field with its type, unit and meaning, from the spec and the generated code."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

from openapi.names import field_name
from project import ROOT
from ruamel.yaml import YAML

from .entries import table
from .interface import docstring, interface, one_line

if TYPE_CHECKING:
    from .entries import Form

SPEC: Final = ROOT / "spec" / "openapi.yaml"
MODULE: Final = "dify_workflow.models"
UNITS: Final = {
    r"\bin epoch seconds\b": "epoch seconds",
    r"\bin seconds\b": "seconds",
    r"\bin megabytes\b": "megabytes",
    r"\bin bytes\b": "bytes",
    r"\bin `currency`": "`currency`",
    r"^How many model tokens\b": "tokens",
    r"^How many (\w+)\b": r"\1",
    r"^The most (\w+)\b": r"\1",
    r"\bHTTP status\b": "HTTP status",
    r"\bcounted from 0\b": "number, from 0",
    r"^(Which|The number of|The node's place)\b": "number",
}
"""The unit of a number, by what its description says; the first that fits."""


def unit(schema: dict[str, Any]) -> str:
    """The unit of a field: that of numbers and of the numbers in an object; an empty string for everything else."""
    said = one_line(str(schema.get("description", "")))
    kinds = schema.get("type", [])
    is_number = bool({"integer", "number"} & set(kinds if isinstance(kinds, list) else [kinds]))
    for pattern, text in UNITS.items():
        if (is_number or text in {"seconds", "bytes"}) and (found := re.search(pattern, said)):
            return found.expand(text)
    return ""


def is_event(name: str) -> bool:
    """Whether a schema is an event of a stream, or what one holds."""
    return name.endswith("Event") or (name.endswith("Data") and f"{name[:-4]}Event" in schemas())


def model(name: str, form: Form) -> str:
    """What the reference says about a model, below a heading."""
    found = interface().find(f"{MODULE}.{name}")
    schema = schemas()[name]
    path = f"{MODULE}.{name}"
    parts = [docstring(found).text]
    if "enum" in schema:
        members = [
            (form.name(f"{name}.{member.name}", f"{path}.{member.name}"), f"`{member.value}`")
            for member in interface().members(found)
            if member.is_attribute
        ]
        parts.append(table(("Member", "Value"), members))
    else:
        rows = field_rows(found, schema, path, form)
        head = ("Field", "Type", "Unit", "Meaning")
        shown = [index for index in range(len(head)) if any(row[index] for row in rows)]
        parts.append(table([head[index] for index in shown], [tuple(row[index] for index in shown) for row in rows]))
    body = "\n\n".join(part for part in parts if part)
    return f"## `{name}`\n\n{form.block('class', path, name, body)}\n"


def field_rows(found: Any, schema: dict[str, Any], path: str, form: Form) -> list[tuple[str, ...]]:  # noqa: ANN401 - griffe's
    """The fields of a model as the spec orders them, and the properties that it has besides."""
    rows: list[tuple[str, ...]] = []
    described = {field_name(key): (key, one) for key, one in schema.get("properties", {}).items()}
    required = set(schema.get("required", ()))
    for member in interface().members(found):
        if not member.is_attribute or member.name == "array_fields":
            continue
        key, one = described.get(member.name, ("", {}))
        meaning = one_line(docstring(member).text)
        if key and key != member.name:
            meaning += f" In JSON: `{key}`."
        if key and key not in required:
            meaning += " Optional."
        rows.append((form.name(member.name, f"{path}.{member.name}"), form.type(member.annotation), unit(one), meaning))
    return rows


@functools.cache
def schemas() -> dict[str, dict[str, Any]]:
    """The schemas of the spec."""
    found: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load(SPEC)["components"]["schemas"]
    return found

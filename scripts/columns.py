"""Write src/dify_workflow/_logs/columns.py: the columns of a log, from the schemas of the spec.

Usage: columns.py [--check]

With --check nothing is written: exit status 1 when the file is not what the spec gives.

Each scalar field of a log, its run and its creators is a column. What has no column is in the column `extra`.
"""

from __future__ import annotations

import sys
from typing import Any, Final

import outputs
from openapi.names import field_name
from project import ROOT
from ruamel.yaml import YAML

SPEC: Final = ROOT / "spec" / "openapi.yaml"
TARGET: Final = ROOT / "src" / "dify_workflow" / "_logs" / "columns.py"
PARTS: Final = {
    "": ("WorkflowLog", ""),
    "created_by_account": ("Account", "account_"),
    "created_by_end_user": ("EndUser", "end_user_"),
    "workflow_run": ("WorkflowRunSummary", "run_"),
}
"""The schema of each part of a log, by its field, and how the names of its columns begin."""
FIRST: Final = ("id", "created_at")
TYPES: Final = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean"}

HEAD = '''\
"""The columns of a log: made from spec/openapi.yaml by `make generate`. Do not edit it here."""

from typing import Final

FIELDS: Final = (
'''


def main(argv: list[str] | None = None) -> int:
    """Write the file, or compare it; the exit status."""
    return outputs.main(argv, TARGET, lambda: render(YAML(typ="safe", pure=True).load(SPEC)), "make generate")


def render(spec: dict[str, Any]) -> str:
    """The text of the file."""
    found = fields(spec)
    lines = [
        f"    ({name!r}, {kind!r}, {path!r}, {attribute!r}, {said!r})," for name, kind, path, attribute, said in found
    ]
    end = '\n)\n"""Name, type, path in the JSON object, attribute of the model, description."""\n'
    return outputs.formatted(HEAD + "\n".join(lines) + end, TARGET)


def fields(spec: dict[str, Any]) -> list[tuple[str, str, str, str, str]]:
    """The columns: name, type, path, attribute, description."""
    schemas = spec["components"]["schemas"]
    found: list[tuple[str, str, str, str, str]] = []
    for part, (schema, prefix) in PARTS.items():
        for key, described in schemas[schema]["properties"].items():
            kind = kind_of(key, described, schemas)
            if kind is not None:
                attribute = field_name(key)
                said = " ".join(str(described.get("description", "")).split()).partition(". ")[0].rstrip(".")
                path = f"{part}.{key}" if part else key
                found.append((prefix + attribute, kind, path, attribute, f"{said}."))
    return sorted(found, key=lambda column: FIRST.index(column[0]) if column[0] in FIRST else len(FIRST))


def kind_of(key: str, schema: dict[str, Any], schemas: dict[str, Any]) -> str | None:
    """The type of a field's column; None for what is no scalar."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    kinds = schema.get("type", [])
    kinds = set(kinds if isinstance(kinds, list) else [kinds]) - {"null"}
    for option in schema.get("anyOf", ()):
        kinds.add(kind_of(key, option, schemas) or option.get("type", "object"))
    kinds -= {"null"}
    if len(kinds) != 1 or not kinds <= TYPES.keys():
        return None
    (kind,) = kinds
    return "timestamp" if kind == "integer" and key.endswith("_at") else TYPES[kind]


if __name__ == "__main__":
    sys.exit(main())

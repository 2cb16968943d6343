"""That schemas are schemas. OpenAPI 3.1's own schema takes anything for one, for the sake of other dialects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from openapi.structure import schemas
from openapi.tree import plain

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]  # it ships no types
    from openapi.tree import Pointer, Tree

    from lint.rules import Problems


def json_schema(document: Tree) -> Problems:
    """Every schema is one by JSON Schema 2020-12: keywords have the values that they can have."""
    checker = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    seen: set[Pointer] = set()
    for part in schemas(document):
        seen.add(part.where)
        if any(part.where[:depth] in seen for depth in range(1, len(part.where))):
            continue  # a schema inside a schema; it is checked with the outer one
        for error in checker.iter_errors(plain(part.node)):
            deepest = innermost(error)
            yield (*part.where, *deepest.absolute_path), f"not valid JSON Schema: {deepest.message}"


def innermost(error: ValidationError) -> ValidationError:
    """Of an error about alternatives, the likely one: the deepest, and rather a wrong value than a wrong type."""
    while error.context:
        error = max(error.context, key=lambda inner: (len(inner.absolute_path), inner.validator != "type"))
    return error

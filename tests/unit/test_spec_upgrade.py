"""OpenAPI 3.0 becomes 3.1 with the same meaning, and nothing that only looks like a keyword is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openapi.parse import read_yaml
from openapi.tree import plain
from openapi.upgrade import upgraded, upgraded_schema
from openapi_spec_validator import OpenAPIV31SpecValidator

WIDGETS = Path(__file__).parent.parent / "documents" / "plain-3.0.yaml"
NULL = {"type": "null"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        ({"type": "string", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"type": "string", "enum": ["a", None], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        (
            {"allOf": [{"type": "object"}], "nullable": True, "description": "d"},
            {"anyOf": [{"allOf": [{"type": "object"}]}, NULL], "description": "d"},
        ),
        ({"anyOf": [{"type": "string"}], "nullable": True}, {"anyOf": [{"type": "string"}, NULL]}),
        ({"oneOf": [{"type": "string"}], "nullable": True}, {"anyOf": [{"oneOf": [{"type": "string"}]}, NULL]}),
        (
            {"type": "object", "allOf": [{}], "nullable": True},
            {"anyOf": [{"type": "object", "allOf": [{}]}, NULL]},
        ),
        ({"nullable": True}, {}),
        ({"type": ["string", "null"]}, {"type": ["string", "null"]}),
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"minimum": 1, "exclusiveMinimum": False}, {"minimum": 1}),
        ({"maximum": 1, "exclusiveMaximum": True}, {"exclusiveMaximum": 1}),
        ({"exclusiveMaximum": 5}, {"exclusiveMaximum": 5}),
        ({"type": "string", "example": "x"}, {"type": "string", "examples": ["x"]}),
        ({"type": "string", "format": "binary"}, {"type": "string", "format": "binary"}),
        (
            {"properties": {"nullable": {"type": "string", "nullable": True}, "example": {}}},
            {"properties": {"nullable": {"type": ["string", "null"]}, "example": {}}},
        ),
        (
            {"type": "object", "default": {"nullable": True}, "items": {"not": {"type": "string", "nullable": True}}},
            {"type": "object", "default": {"nullable": True}, "items": {"not": {"type": ["string", "null"]}}},
        ),
    ],
)
def test_a_schema_says_the_same_in_the_words_of_3_1(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert plain(upgraded_schema(old)) == new
    assert plain(upgraded_schema(new)) == new


def document(**changes: Any) -> dict[str, Any]:
    return {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {}, **changes}


def test_keywords_beside_a_3_0_reference_go_unless_descriptive() -> None:
    reference = {"$ref": "#/components/schemas/A", "description": "d", "nullable": True, "minLength": 3, "x-a": 1}
    new = upgraded(document(components={"schemas": {"A": {}, "B": {"properties": {"a": reference}}}}))
    assert new["components"]["schemas"]["B"]["properties"]["a"] == {
        "$ref": "#/components/schemas/A",
        "description": "d",
        "x-a": 1,
    }


def test_a_3_1_document_stays_as_it_is() -> None:
    schema = {"$ref": "#/components/schemas/B", "minLength": 3}
    old = document(openapi="3.1.1", components={"schemas": {"A": schema, "B": {"type": "string"}}})
    assert plain(upgraded(old)) == {**old, "openapi": "3.1.0"}


def test_the_original_is_not_changed() -> None:
    old = document(components={"schemas": {"A": {"type": "string", "nullable": True}}})
    upgraded(old)
    assert old["components"]["schemas"]["A"] == {"type": "string", "nullable": True}


def test_a_whole_document_is_valid_3_1_afterwards() -> None:
    new = plain(upgraded(read_yaml(WIDGETS.read_text())))
    assert list(OpenAPIV31SpecValidator(new).iter_errors()) == []
    assert "nullable" not in str(new)

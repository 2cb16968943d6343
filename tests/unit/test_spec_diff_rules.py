"""Changes made by rule in every operation of the vendor's structure, and what the comparison reports."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from diff.changes import Change, verdict
from diff.load import described
from diff.normalize import Schemas
from diff.operations import compared
from diff.schemas import _has_null
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from openapi.parse import read_yaml
from openapi.tree import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
(PATH,) = (ROOT / "spec" / "upstream").glob("*.structure.yaml")
STRUCTURE: dict[str, Any] = plain(read_yaml(PATH.read_text("utf-8")))
SCHEMAS = "#/components/schemas/"


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


NAMES = [name for name, _ in operations(STRUCTURE)]


def changes(new: dict[str, Any], old: dict[str, Any] = STRUCTURE) -> list[Change]:
    return compared(described([copy.deepcopy(old)]), described([new]))


@pytest.mark.parametrize(("required", "kind"), [(False, "parameter-added"), (True, "parameter-added-required")])
def test_an_added_parameter_is_reported_for_each_operation(required: bool, kind: str) -> None:
    new = copy.deepcopy(STRUCTURE)
    parameter = {"name": "zz", "in": "query", "required": required, "schema": {"type": "string"}}
    for _, operation in operations(new):
        operation.setdefault("parameters", []).append(parameter)
    severity = "breaking" if required else "additive"
    assert {change[:2] for change in changes(new)} == {(severity, f"{name} query zz") for name in NAMES}
    assert {change.kind for change in changes(new)} == {kind}
    assert {change.kind for change in changes(STRUCTURE, new)} == {"parameter-removed"}


def test_a_field_of_every_response_is_reported() -> None:
    new = copy.deepcopy(STRUCTURE)
    expected = set()
    for name, operation in operations(new):
        for status, response in operation["responses"].items():
            for kind, media in response.get("content", {}).items():
                schema = media.get("schema", {})
                if status.startswith("2") and kind == "application/json" and "properties" in schema:
                    schema["properties"]["zz"] = {"type": "integer"}
                    expected.add(f"{name} {status} zz")
    assert len(expected) > 8
    found = changes(new)
    assert expected <= {change.where for change in found}
    assert {(change.severity, change.kind) for change in found} == {("additive", "response-field-added")}
    back = {(change.severity, change.kind) for change in changes(STRUCTURE, new)}
    assert back == {("breaking", "response-field-removed")}


def unions(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [schema for schema in document["components"]["schemas"].values() if "discriminator" in schema]


@pytest.mark.parametrize("apart", [False, True])
def test_added_and_removed_events_and_fields_are_reported(apart: bool) -> None:
    old = copy.deepcopy(STRUCTURE)
    (union,) = unions(old)
    if apart:  # as the vendor writes it: the operations stream a string, and nothing refers to the events
        for _, operation in operations(old):
            for response in operation["responses"].values():
                if "text/event-stream" in response.get("content", {}):
                    response["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    name, target = next(iter(union["discriminator"]["mapping"].items()))
    assert changes(copy.deepcopy(old), old) == []

    def new() -> tuple[dict[str, Any], dict[str, Any]]:
        document = copy.deepcopy(old)
        return document, unions(document)[0]

    more, its = new()
    more["components"]["schemas"]["event_zz"] = {"type": "object", "properties": {"zz": {"type": "string"}}}
    its["discriminator"]["mapping"]["zz"] = f"{SCHEMAS}event_zz"
    if "oneOf" in its:
        its["oneOf"].append({"$ref": f"{SCHEMAS}event_zz"})
    assert verdict(changes(more, old)) == "additive"
    assert verdict(changes(old, more)) == "breaking"
    fields, _ = new()
    event = fields["components"]["schemas"][target.removeprefix(SCHEMAS)]
    event.setdefault("properties", {})["zz"] = {"type": "string"}
    found = changes(fields, old)
    assert verdict(found) == "additive"
    assert all(change.where.endswith(f"[event={name}].zz") for change in found)
    assert verdict(changes(old, fields)) == "breaking"


leaves = st.sampled_from(
    [
        *({"type": "object"}, {"type": "null"}, {"type": ["object", "null"]}, {"type": "string"}, {}),
        *({"properties": {"a": {}}}, {"required": ["a"]}, {"items": {}}, {"minLength": 1}),
        *({"enum": ["a", None]}, {"enum": ["a"]}, {"const": None}, {"type": "string", "enum": ["a", None]}),
    ]
)


def composed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    beside = st.sampled_from([{}, {"properties": {"x": {}}}, {"type": "object"}, {"required": ["q"]}])
    return st.one_of(
        st.builds(lambda pieces, own: {**own, "anyOf": pieces}, several, beside),
        st.builds(lambda pieces, own: {**own, "allOf": pieces}, several, beside),
    )


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.recursive(leaves, composed, max_leaves=6))
def test_null_is_allowed_where_json_schema_allows_it(schema: Any) -> None:
    # With types stated somewhere; a schema without any is taken for what its keywords are about.
    whole = {"allOf": [schema, {"type": ["null", "object", "string"]}]}
    assert _has_null(Schemas({}).shapes((whole,))) == Draft202012Validator(whole).is_valid(None)

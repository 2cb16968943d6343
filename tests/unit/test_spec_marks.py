"""What overlays mark is carried out: a schema gets its name wherever it is meant, properties get their order."""

from __future__ import annotations

from typing import Any

import pytest
from openapi.diagnostics import SpecError
from openapi.parse import read_yaml
from openapi.references import SCHEMAS
from overlays.extensions import carried_out

DOCUMENT = """
paths:
  /things:
    get:
      responses:
        '200':
          content:
            application/json:
              schema: {$ref: '#/components/schemas/ThingCn'}
              example: {$ref: '#/components/schemas/ThingCn'}
components:
  schemas:
    ThingCn:
      x-our-name: Thing
      x-our-property-order: [b, c]
      properties:
        a: {$ref: '#/components/schemas/ThingCnOther'}
        b: {$ref: '#/components/schemas/ThingCn/properties/a'}
        c:
          oneOf: [{$ref: '#/components/schemas/ThingCn'}]
          discriminator: {mapping: {t: '#/components/schemas/ThingCn', u: ThingCn}, x-our-default: ThingCn}
    ThingCnOther:
      items: {$ref: '#/components/schemas/ThingCn'}
"""


def test_a_name_is_given_everywhere_and_only_there() -> None:
    got = carried_out(read_yaml(DOCUMENT), "test.yaml")
    thing = "#/components/schemas/Thing"
    content = got["paths"]["/things"]["get"]["responses"]["200"]["content"]["application/json"]
    assert content == {"schema": {"$ref": thing}, "example": {"$ref": "#/components/schemas/ThingCn"}}
    schemas = got["components"]["schemas"]
    assert list(schemas) == ["Thing", "ThingCnOther"]
    assert schemas["ThingCnOther"] == {"items": {"$ref": thing}}
    assert schemas["Thing"]["properties"] == {
        "a": {"$ref": "#/components/schemas/ThingCnOther"},
        "b": {"$ref": "#/components/schemas/Thing/properties/a"},
        "c": {
            "oneOf": [{"$ref": thing}],
            "discriminator": {"mapping": {"t": thing, "u": thing}, "x-our-default": thing},
        },
    }


def test_properties_come_in_the_marked_order_then_the_others() -> None:
    got = carried_out(read_yaml(DOCUMENT), "test.yaml")
    assert list(got["components"]["schemas"]["Thing"]["properties"]) == ["b", "c", "a"]


def test_a_name_on_a_reference_is_that_of_the_schema_it_leads_to() -> None:
    got = carried_out(
        {
            "paths": {"/a": {"get": {"parameters": [{"schema": {"$ref": f"{SCHEMAS}A", "x-our-name": "B"}}]}}},
            "components": {"schemas": {"A": {"type": "string"}}},
        },
        "test.yaml",
    )
    assert got["paths"]["/a"]["get"]["parameters"] == [{"schema": {"$ref": "#/components/schemas/B"}}]
    assert got["components"]["schemas"] == {"B": {"type": "string"}}


def test_a_path_takes_our_names_for_its_parameters() -> None:
    shared, own = {"name": "a", "in": "path"}, {"name": "b", "in": "path"}
    query = {"name": "a", "in": "query"}
    item = {"x-our-path": "/x/{one}/{two}", "parameters": [shared], "get": {"parameters": [own, query]}}
    got = carried_out({"paths": {"/x/{a}/{b}": item, "/y": {}}}, "test.yaml")["paths"]
    assert list(got) == ["/x/{one}/{two}", "/y"]
    assert [p["name"] for p in got["/x/{one}/{two}"]["parameters"]] == ["one"]
    assert [p["name"] for p in got["/x/{one}/{two}"]["get"]["parameters"]] == ["two", "a"]


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"x-our-path": "/y/{b}"}, "must be the same path"),
        ({"x-our-path": 5}, "must be the same path"),
        ({"x-our-path": "/x/{b}", "parameters": [{"$ref": "#/components/parameters/A"}]}, "by reference"),
    ],
)
def test_another_path_is_refused(item: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        carried_out({"paths": {"/x/{a}": item}}, "test.yaml")


def test_two_schemas_can_swap_names() -> None:
    got = carried_out({"components": {"schemas": {"A": {"x-our-name": "B"}, "B": {"x-our-name": "A"}}}}, "test.yaml")
    assert got == {"components": {"schemas": {"B": {}, "A": {}}}}


@pytest.mark.parametrize(
    ("schemas", "said"),
    [
        ({"A": {"x-our-name": "B"}, "B": {}}, "is the name of another schema"),
        ({"A": {"x-our-name": "C"}, "B": {"x-our-name": "C"}}, "is the name of another schema"),
        ({"A": {"x-our-name": "../B"}}, "must be an identifier"),
        ({"A": {"x-our-name": 5}}, "must be an identifier"),
        ({"A": {"items": {"x-our-name": "not a name"}}}, "must be an identifier"),
        ({"A": {"x-our-property-order": ["a", "a"], "properties": {"a": {}}}}, "each once"),
        ({"A": {"x-our-property-order": "a"}}, "must list names"),
    ],
)
def test_a_mark_that_can_not_be_carried_out_is_refused(schemas: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        carried_out({"components": {"schemas": schemas}}, "test.yaml")


def schemas_of(**schemas: Any) -> dict[str, Any]:
    found: dict[str, Any] = carried_out({"components": {"schemas": schemas}}, "test.yaml")["components"]["schemas"]
    return found


def test_a_schema_written_out_becomes_a_component() -> None:
    inner = {"type": "object", "properties": {"b": {"type": "string"}}}
    got = schemas_of(A={"properties": {"a": {**inner, "x-our-name": "B"}}})
    assert got == {"A": {"properties": {"a": {"$ref": "#/components/schemas/B"}}}, "B": inner}


def test_null_stays_beside_the_reference() -> None:
    got = schemas_of(A={"items": {"type": ["object", "null"], "properties": {}, "x-our-name": "B"}})
    assert got["A"]["items"] == {"anyOf": [{"$ref": "#/components/schemas/B"}, {"type": "null"}]}
    assert got["B"] == {"type": "object", "properties": {}}


def test_places_of_one_name_are_united() -> None:
    text, count = {"type": "string"}, {"type": "integer"}
    one = {"type": "object", "required": ["a", "b"], "properties": {"a": text, "b": text}, "x-our-name": "B"}
    two = {"type": "object", "required": ["b", "c"], "properties": {"b": text, "c": count}, "x-our-name": "B"}
    got = schemas_of(A={"properties": {"x": one, "y": two}})
    assert got["B"] == {"type": "object", "required": ["b"], "properties": {"a": text, "b": text, "c": count}}
    assert got["A"]["properties"]["x"] == got["A"]["properties"]["y"] == {"$ref": "#/components/schemas/B"}


def test_what_a_schema_is_to_lack_is_taken_away() -> None:
    got = schemas_of(A={"x-our-without": ["format", "gone"], "type": "string", "format": "uuid"})
    assert got == {"A": {"type": "string"}}


def test_an_order_passes_over_what_is_not_there() -> None:
    got = schemas_of(A={"x-our-property-order": ["c", "a"], "properties": {"a": {}, "b": {}}})
    assert list(got["A"]["properties"]) == ["a", "b"]


def test_the_kinds_of_a_discriminator_are_put_in_order() -> None:
    references = [{"$ref": f"#/components/schemas/{name}"} for name in "AB"]
    mapping = {"a": references[0]["$ref"], "b": references[1]["$ref"]}
    one = {"oneOf": references, "discriminator": {"propertyName": "p", "mapping": mapping}}
    got = schemas_of(A={}, B={}, C={**one, "x-our-property-order": ["b"]})
    assert list(got["C"]["discriminator"]["mapping"]) == ["b", "a"]
    assert got["C"]["oneOf"] == references[::-1]


def test_a_security_scheme_is_renamed_where_it_is_required() -> None:
    document = {
        "paths": {"/a": {"get": {"security": [{"old": []}]}}},
        "components": {"securitySchemes": {"old": {"type": "http", "x-our-name": "Key"}}},
    }
    got = carried_out(document, "test.yaml")
    assert got["components"]["securitySchemes"] == {"Key": {"type": "http"}}
    assert got["paths"]["/a"]["get"]["security"] == [{"Key": []}]

"""What overlays mark is carried out: a schema gets its name wherever it is meant, properties get their order."""

from __future__ import annotations

from typing import Any

import pytest
from specification.findings import SpecError
from specification.marks import carried_out
from specification.references import SCHEMAS
from specification.sources import read_yaml

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


def test_properties_come_in_the_marked_order_and_others_after_them() -> None:
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
        ({"A": {"items": {"x-our-name": "B"}}}, "belongs on a component schema"),
        ({"A": {"x-our-property-order": ["a"]}}, "names what is not a property: a"),
        ({"A": {"x-our-property-order": ["a", "a"], "properties": {"a": {}}}}, "each once"),
        ({"A": {"x-our-property-order": "a"}}, "must list names"),
    ],
)
def test_a_mark_that_can_not_be_carried_out_is_refused(schemas: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        carried_out({"components": {"schemas": schemas}}, "test.yaml")

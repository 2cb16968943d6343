"""Each lint rule finds the one thing it is for, in a document that is right but for that."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from lint import checks
from lint.rules import completeness, consistency, safety, shape
from openapi.parse import read_yaml
from openapi.structure import METHODS, operations, parts
from openapi.tree import plain

COMPILED = Path(__file__).parent.parent.parent / "spec" / "openapi.yaml"
ALL_RULES = (
    *(*checks.SAFETY_RULES, *checks.SHAPE_RULES, *checks.COMPILED_RULES),
    *(completeness.description, completeness.english),
)
SCHEMAS = "#/components/schemas/"


def whole() -> dict[str, Any]:
    """A small document that every rule is content with."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [
            {"url": "{base}/v1", "variables": {"base": {"default": "https://a.example", "enum": ["https://a.example"]}}}
        ],
        "tags": [{"name": "things"}],
        "paths": {
            "/things/{thing_id}": {
                "get": {
                    "operationId": "get_thing",
                    "tags": ["things"],
                    "summary": "s",
                    "description": "d",
                    "security": [{"Key": []}],
                    "parameters": [
                        {
                            "name": "thing_id",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "string", "description": "d", "default": "a"},
                        }
                    ],
                    "responses": {
                        "200": {
                            "description": "d",
                            "headers": {"X-A": {"description": "d", "schema": {"type": "string"}}},
                            "content": {
                                "application/json": {
                                    "schema": {"$ref": SCHEMAS + "Thing"},
                                    "examples": {"one": {"value": {"id": "a", "parent": None}}},
                                }
                            },
                        }
                    },
                }
            }
        },
        "components": {
            "securitySchemes": {"Key": {"type": "http", "scheme": "bearer", "description": "d"}},
            "schemas": {
                "Thing": {
                    "type": "object",
                    "description": "d",
                    "required": ["id"],
                    "properties": {
                        "id": {"type": "string", "enum": ["a", "b"], "description": "d"},
                        "parent": {"anyOf": [{"$ref": SCHEMAS + "Thing"}, {"type": "null"}], "description": "d"},
                    },
                }
            },
        },
    }


GET = ("paths", "/things/{thing_id}", "get")
OK = (*GET, "responses", "200")
JSON = (*OK, "content", "application/json")
THING = ("components", "schemas", "Thing")
ID = (*THING, "properties", "id")
GONE = object()


def changed(*changes: tuple[tuple[Any, ...], Any]) -> dict[str, Any]:
    document = whole()
    for where, value in changes:
        node: Any = document
        for step in where[:-1]:
            node = node[step]
        if value is GONE:
            del node[where[-1]]
        elif isinstance(node, list) and where[-1] == len(node):
            node.append(value)
        else:
            node[where[-1]] = value
    return document


def test_the_whole_document_breaks_no_rule() -> None:
    assert checks.compiled_findings(whole()) == []
    assert checks.vendor_findings(whole()) == []


OTHER = copy.deepcopy(whole()["paths"]["/things/{thing_id}"]["get"]) | {"operationId": "other"}
NAMED = {"type": "object", "description": "d"}


def there(rule: Any, where: tuple[Any, ...], value: Any, said: str) -> tuple[Any, ...]:
    """A case where the one thing that is changed is what is found."""
    return rule, [(where, value)], where, said


@pytest.mark.parametrize(
    ("rule", "changes", "where", "said"),
    [
        there(safety.self_contained, ("jsonSchemaDialect",), "x", "dialect"),
        there(safety.self_contained, (*ID, "$id"), "http://a.example", "$id is not supported"),
        there(safety.self_contained, (*ID, "$dynamicRef"), "#a", "not supported"),
        (
            safety.self_contained,
            [((*JSON, "examples", "two"), {"externalValue": "http://a.example"})],
            (*JSON, "examples", "two", "externalValue"),
            "write it out",
        ),
        there(safety.component_name, (*THING[:2], "../x"), NAMED, "'../x' is not allowed"),
        there(safety.component_name, (*THING[:2], "a b"), NAMED, "is not allowed"),
        there(safety.component_name, (*THING[:2], ".."), NAMED, "is not allowed"),
        there(safety.component_name, (*THING[:2], "a\nb"), NAMED, "is not allowed"),
        there(safety.component_name, (*THING[:2], "Tһing"), NAMED, "is not allowed"),
        there(safety.component_name, (*THING[:2], ""), NAMED, "is not allowed"),
        (
            safety.component_name,
            [(("components", "responses"), {"/etc": {"description": "d"}})],
            ("components", "responses", "/etc"),
            "is not allowed",
        ),
        there(safety.reference, (*ID, "$ref"), SCHEMAS + "Gone", "leads to nothing"),
        there(safety.reference, (*ID, "$ref"), "http://a.example/x", "leads out of the document"),
        there(safety.reference, (*ID, "$ref"), "other.yaml#/A", "leads out of the document"),
        there(safety.reference, (*ID, "$ref"), "file:///etc/passwd", "leads out of the document"),
        there(safety.reference, (*ID, "$ref"), 5, "leads out of the document"),
        there(
            safety.reference,
            (*ID, "$ref"),
            "#/components/securitySchemes/Key",
            "leads to a security scheme, but a schema belongs here",
        ),
        (
            safety.reference,
            [((*THING, "discriminator"), {"propertyName": "id", "mapping": {"a": "http://a.example"}})],
            (*THING, "discriminator", "mapping", "a"),
            "leads out of the document",
        ),
        (
            safety.reference,
            [((*THING, "discriminator"), {"propertyName": "id", "x-our-default": "Gone"})],
            (*THING, "discriminator", "x-our-default"),
            "leads to nothing",
        ),
        (safety.reference_cycle, [((*THING, "allOf"), [{"$ref": SCHEMAS + "Thing"}])], THING, "made of itself"),
        (safety.reference_cycle, [((*ID, "not"), {"$ref": "#/" + "/".join(ID)})], None, "made of itself"),
        there(shape.json_schema, (*ID, "enum"), None, "None is not of type 'array'"),
        there(shape.json_schema, (*ID, "type"), "text", "'text' is not one of"),
        there(shape.json_schema, (*THING, "required"), "id", "is not of type 'array'"),
        (shape.json_schema, [((*JSON, "schema"), {"items": 5})], (*JSON, "schema", "items"), "5 is not of type"),
        there(consistency.unsupported, ("webhooks",), {"w": {"post": OTHER}}, "webhooks"),
        (
            consistency.unsupported,
            [
                (("paths", "/other"), {"$ref": "#/components/pathItems/Other"}),
                (("components", "pathItems"), {"Other": {}}),
            ],
            ("paths", "/other", "$ref"),
            "a path by reference",
        ),
        there(consistency.path_text, ("paths", "/../x"), {}, "is not allowed"),
        there(consistency.path_text, ("paths", "/a?b"), {}, "is not allowed"),
        there(consistency.path_text, ("paths", "/a b"), {}, "is not allowed"),
        there(consistency.path_text, ("paths", "/{a"), {}, "is not allowed"),
        there(consistency.path_text, ("paths", '/"'), {}, "is not allowed"),
        (consistency.path_text, [((*GET, "parameters"), [])], GET, "no path parameter of that name"),
        (
            consistency.path_text,
            [((*GET, "parameters", 1), OTHER["parameters"][0] | {"name": "b"})],
            GET,
            "the path has no {b}",
        ),
        (
            consistency.operation_id,
            [(("paths", "/things/{thing_id}", "put"), OTHER | {"operationId": "getThing"})],
            ("paths", "/things/{thing_id}", "put", "operationId"),
            "is also that of GET /things/{thing_id}",
        ),
        (
            consistency.security_scheme,
            [((*GET, "security", 1), {"Gone": []})],
            (*GET, "security", 1, "Gone"),
            "'Gone' is not defined",
        ),
        (consistency.security_scheme, [(("security",), [{"Gone": []}])], ("security", 0, "Gone"), "not defined"),
        (consistency.server_variable, [(("servers", 0, "url"), "/{base}/{b}")], ("servers", 0), "'b' must be both"),
        (consistency.server_variable, [(("servers", 0, "url"), "/v1")], ("servers", 0), "'base' must be both"),
        (
            consistency.server_variable,
            [(("servers", 0, "variables", "base", "enum"), ["b"])],
            ("servers", 0, "variables", "base", "default"),
            "not one of the listed values",
        ),
        there(consistency.enum_type, (*ID, "enum", 1), 5, "5 is not of type 'string'"),
        there(consistency.enum_type, (*ID, "enum", 1), None, "None is not of type 'string'"),
        there(consistency.enum_type, (*ID, "const"), True, "True is not of type 'string'"),
        there(consistency.required_property, (*THING, "required", 1), "b", "not a property"),
        (
            consistency.required_property,
            [((*THING, "allOf"), [{"required": ["id", "b"]}])],
            (*THING, "allOf", 0, "required", 1),
            "'b' is required but is not a property",
        ),
        (consistency.example, [((*ID, "examples"), ["a", "c"])], (*ID, "examples", 1), "'c' is not one of"),
        there(consistency.default, (*ID, "default"), "c", "'c' is not one of"),
        (
            consistency.example,
            [((*JSON, "examples", "one", "value", "parent"), {"id": 5})],
            (*JSON, "examples", "one", "value"),
            "does not fit its schema: parent: ",
        ),
        there(consistency.example, (*GET, "parameters", 0, "example"), 5, "5 is not of type 'string'"),
        there(consistency.example, (*OK, "headers", "X-A", "example"), 5, "5 is not of type 'string'"),
        (
            consistency.name_collision,
            [((*THING[:2], "THING"), NAMED), ((*JSON, "schema", "anyOf"), [{"$ref": SCHEMAS + "THING"}])],
            (*THING[:2], "THING"),
            "'THING' and 'Thing' would be one module",
        ),
        there(completeness.class_name, (*THING[:2], "Other_a"), NAMED, "must be a capital"),
        there(completeness.class_name, (*THING[:2], "None"), NAMED, "must be a capital"),
        (completeness.complete_operation, [((*GET, "operationId"), GONE)], GET, "the operationId is None"),
        (completeness.complete_operation, [((*GET, "operationId"), "getThing")], GET, "the operationId is 'getThing'"),
        (completeness.complete_operation, [((*GET, "operationId"), "import")], GET, "the operationId is 'import'"),
        (completeness.complete_operation, [((*GET, "tags"), [])], GET, "exactly one is needed"),
        (completeness.complete_operation, [((*GET, "tags"), ["a"])], GET, "declared"),
        (
            completeness.complete_operation,
            [((*GET, "tags"), ["../a"]), (("tags", 0, "name"), "../a")],
            GET,
            "in lower case",
        ),
        (completeness.complete_operation, [((*GET, "security"), GONE), (("security",), [{"Key": []}])], GET, "own"),
        (completeness.complete_operation, [((*GET, "summary"), " ")], GET, "`summary` is missing"),
        (completeness.description, [((*GET, "description"), GONE)], GET, "has no description"),
        (
            completeness.description,
            [((*GET, "parameters", 0, "schema", "description"), GONE), ((*GET, "parameters", 0, "description"), "d")],
            (*GET, "parameters", 0),
            "no description in its schema",
        ),
        (completeness.description, [((*OK, "description"), "")], OK, "has no description"),
        (completeness.description, [((*OK, "headers", "X-A", "description"), GONE)], (*OK, "headers", "X-A"), "no"),
        (completeness.description, [((*ID, "description"), GONE)], ID, "has no description"),
        (completeness.description, [((*THING, "description"), GONE)], THING, "has no description"),
        (
            completeness.description,
            [(("components", "securitySchemes", "Key", "description"), GONE)],
            ("components", "securitySchemes", "Key"),
            "has no description",
        ),
        there(completeness.unused_component, (*THING[:2], "Other"), NAMED, "is used by nothing"),
        there(
            completeness.unused_component,
            ("components", "securitySchemes", "B"),
            {"type": "http", "scheme": "basic", "description": "d"},
            "is used by nothing",
        ),
        there(completeness.english, (*ID, "description"), "the 编号 of it", "the 编号 of it"),
        there(completeness.english, (*ID, "description"), "id，", "not English"),
        there(completeness.english, (*ID, "x-日"), 1, "not English"),
        (completeness.english, [((*JSON, "examples", "one", "summary"), "ひ")], None, "not English"),
    ],
)
def test_a_rule_finds_what_it_is_for(rule: Any, changes: list[Any], where: tuple[Any, ...] | None, said: str) -> None:
    document = changed(*changes)
    found = list(rule(document))
    assert any(said in text and (where is None or pointer == where) for pointer, text in found), found
    stages = (checks.SAFETY_RULES, (*checks.SAFETY_RULES, *checks.SHAPE_RULES), ALL_RULES)
    beside = next(stage for stage in stages if rule in stage)  # the rules of later stages are not asked then
    others = {other.__name__ for other in beside if other is not rule and list(other(document))}
    assert others <= MAY_COME_ALONG.get(rule.__name__, set())


# Some documents can't break one rule alone: a component that only shows a bad name is also used by nothing.
MAY_COME_ALONG = {
    "unsupported": {"unused_component"},
    "class_name": {"unused_component"},
    "operation_id": {"complete_operation"},
    "enum_type": {"example"},
    "required_property": {"example"},
}


def test_every_rule_is_tested() -> None:
    tested = {
        mark.args[1][i][0] for mark in test_a_rule_finds_what_it_is_for.pytestmark for i in range(len(mark.args[1]))
    }
    assert tested == set(ALL_RULES)


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"$ref": SCHEMAS + "Other"}, {"required": ["other"]}]},
        {"allOf": [{"properties": {"a": {"description": "d"}}}], "required": ["a"]},
        {"patternProperties": {"^a": {}}, "required": ["a"]},
        {"properties": {"required": {"type": "array", "description": "d"}}},
        {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "properties": {"a": {}, "b": {}}},
    ],
)
def test_a_required_property_may_come_from_elsewhere(schema: dict[str, Any]) -> None:
    other = {"type": "object", "description": "d", "properties": {"other": {"description": "d"}}}
    document = changed(((*THING[:2], "Other"), other), ((*THING[:2], "A"), schema))
    assert list(consistency.required_property(document)) == []


ENDLESS = "^(a+)+$"


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": ENDLESS, "default": "a" * 60 + "!", "examples": ["a" * 60 + "!"]},
        {"patternProperties": {ENDLESS: {}}, "additionalProperties": False, "examples": [{"a" * 60 + "!": 1}]},
        {"type": "string", "pattern": "(", "default": "a"},
    ],
)
def test_a_pattern_is_never_tried(schema: dict[str, Any]) -> None:
    document = changed((ID, {**schema, "description": "d"}), ((*JSON, "examples"), {}))
    assert checks.vendor_findings(document) == checks.vendor_notes(document) == checks.compiled_findings(document) == []


def test_a_cycle_through_a_property_is_a_tree() -> None:
    assert list(safety.reference_cycle(changed(((*THING, "items"), {"$ref": SCHEMAS + "Thing"})))) == []


@pytest.mark.parametrize("name", ["$ref", "$id", "nullable", "example", "x-a", "class", "from_dict", "a b", "/"])
def test_a_property_may_be_called_anything(name: str) -> None:
    document = changed(((*THING, "properties", name), {"type": "string", "description": "d"}))
    assert checks.compiled_findings(document) == []


def test_data_that_looks_like_a_reference_is_data() -> None:
    data = {"$ref": "http://a.example", "$id": "x"}
    document = changed(((*JSON, "examples", "one", "value"), {"id": "a", "parent": None, "data": data}))
    assert checks.compiled_findings(document) == []


def test_unsafe_documents_never_reach_the_validator() -> None:
    document = changed(((*ID, "$ref"), "http://127.0.0.1:9/x"), (("info",), GONE))
    assert [finding.rule for finding in checks.vendor_findings(document)] == ["reference"]
    assert [finding.rule for finding in checks.compiled_findings(document)] == ["reference"]


def test_what_the_validator_says_has_its_place() -> None:
    findings = checks.vendor_findings(changed(((*GET, "parameters", 0, "in"), "nowhere")))
    where = "#/paths/~1things~1{thing_id}/get/parameters/0/in"
    assert any(f.where == where and "nowhere" in f.text and "is not one of" in f.text for f in findings)
    assert all("\n" not in f.text for f in findings)


def test_validator_messages_without_a_place_get_one() -> None:
    [finding] = checks.vendor_findings(changed(((*GET, "parameters"), [])))
    assert (finding.where, finding.rule) == ("#/paths/~1things~1{thing_id}/get", "path-text")


def test_findings_about_a_file_have_its_lines() -> None:
    document = read_yaml("openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /a/../b:\n    get: {}\n")
    findings = checks.findings(document, [consistency.path_text])
    assert [(finding.line, finding.rule) for finding in findings] == [(4, "path-text")]


def test_every_operation_and_schema_of_the_spec_is_walked() -> None:
    document = plain(read_yaml(COMPILED.read_text()))
    walked = list(parts(document))
    assert len({part.where for part in walked}) == len(walked)
    listed = [(p, m) for p, item in document["paths"].items() for m in item if m in METHODS]
    assert [(path, method) for path, method, _ in operations(document)] == listed
    assert {name for part in walked if part.kind == "schema" for name in part.where[2:3]} >= set(
        document["components"]["schemas"]
    )

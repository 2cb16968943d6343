"""Every kind of difference between two descriptions is reported, at its place, and weighed by whom it breaks."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import spec_diff
from diff.changes import verdict
from diff.load import described
from diff.operations import compared
from openapi.parse import read_yaml
from openapi.tree import plain
from openapi.upgrade import upgraded
from support.page_exports import newer_page, older_page

ROOT = Path(__file__).parent.parent.parent
WIDGETS = plain(read_yaml((ROOT / "tests" / "documents" / "plain-3.0.yaml").read_text("utf-8")))


def api(
    *parameters: dict[str, Any],
    body: Any = None,
    response: Any = None,
    path: str = "/things",
    method: str = "post",
    **more: Any,
) -> dict[str, Any]:
    """A description of one operation, in OpenAPI 3.1."""
    operation: dict[str, Any] = {"responses": {"200": {"description": "", "content": json_of(response)}}}
    if parameters:
        operation["parameters"] = list(parameters)
    if body is not None:
        operation["requestBody"] = {"required": True, "content": json_of(body)}
    components = more.pop("components", {})
    document = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {path: {method: operation}}}
    operation |= more
    return document | {"components": components}


def json_of(schema: Any) -> dict[str, Any]:
    return {"application/json": {} if schema is None else {"schema": schema}}


def query(name: str, schema: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, **more}


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str]]:
    sides = [described([upgraded(copy.deepcopy(document))]) for document in (old, new)]
    return [change[:3] for change in compared(*sides)]


def reported(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str]]:
    """What is reported beside wording, without the words."""
    return [(severity, where) for severity, where, _ in changes(old, new) if severity != "wording"]


def outcome(old: dict[str, Any], new: dict[str, Any]) -> str:
    sides = [described([upgraded(copy.deepcopy(document))]) for document in (old, new)]
    return verdict(compared(*sides))


# --- schemas, by direction -------------------------------------------------------------------------------------------

TEXT = {"type": "string"}
OPEN = {"anyOf": [{"type": "string", "enum": ["a", "b"]}, TEXT]}
LISTED = {"type": "string", "enum": ["a", "b"]}
NONE = "none"

# old, new, whom it breaks that sends such a value, and whom that receives it
PAIRS: dict[str, tuple[Any, Any, str, str]] = {
    "the same": (LISTED, {"enum": ["b", "a"], "type": "string", "title": "T"}, NONE, NONE),
    "an enum value more": (LISTED, {"type": "string", "enum": ["a", "b", "c"]}, "additive", "additive"),
    "an enum value less": (LISTED, {"type": "string", "enum": ["a"]}, "breaking", "additive"),
    "an enum opened": (LISTED, OPEN, "additive", "additive"),
    "an enum given up": (LISTED, TEXT, "additive", "additive"),
    "an enum where there was none": (TEXT, LISTED, "breaking", "additive"),
    "an enum closed": (OPEN, LISTED, "breaking", "additive"),
    "a listed value more": (OPEN, {"anyOf": [{"enum": ["a", "b", "c"]}, TEXT]}, "additive", "additive"),
    "a listed value less": (OPEN, {"anyOf": [{"enum": ["a"]}, TEXT]}, "breaking", "additive"),
    "the list of an open enum given up": (OPEN, TEXT, "additive", "additive"),
    "a const for an enum of one": ({"const": "a"}, {"type": "string", "enum": ["a"]}, NONE, NONE),
    "another const": ({"const": "a"}, {"const": "b"}, "breaking", "additive"),
    "a listed object less": ({"enum": [{"a": 1}, {"a": 2}]}, {"enum": [{"a": 1}]}, "breaking", "additive"),
    "string to object": (TEXT, {"type": "object"}, "breaking", "breaking"),
    "string to integer": (TEXT, {"type": "integer"}, "breaking", "breaking"),
    "integer to number": ({"type": "integer"}, {"type": "number"}, "additive", "breaking"),
    "number to integer": ({"type": "number"}, {"type": "integer"}, "breaking", "additive"),
    "a type more": (TEXT, {"type": ["string", "object"]}, "additive", "breaking"),
    "a type less": ({"type": ["string", "object"]}, TEXT, "breaking", "additive"),
    "a type where there was none": ({}, TEXT, "breaking", "additive"),
    "no type any more": (TEXT, {}, "additive", "breaking"),
    "null too": (TEXT, {"type": ["string", "null"]}, "additive", "breaking"),
    "null no more": ({"type": ["string", "null"]}, TEXT, "breaking", "additive"),
    "null in other words": ({"type": ["string", "null"]}, {"oneOf": [{"type": "null"}, TEXT]}, NONE, NONE),
    "null beside an enum": (LISTED, {"type": ["string", "null"], "enum": ["a", "b", None]}, "additive", "breaking"),
    "a lower limit": (TEXT, {"type": "string", "minLength": 1}, "breaking", "additive"),
    "a lower limit gone": ({"type": "string", "minLength": 1}, TEXT, "additive", "additive"),
    "a lower limit that limits nothing": (TEXT, {"type": "string", "minLength": 0}, NONE, NONE),
    "an upper limit lowered": (
        {"type": "integer", "maximum": 9},
        {"type": "integer", "maximum": 8},
        "breaking",
        "additive",
    ),
    "an upper limit raised": (
        {"type": "integer", "maximum": 9},
        {"type": "integer", "maximum": 10},
        "additive",
        "additive",
    ),
    "an exclusive limit in other words": (
        {"type": "integer", "exclusiveMaximum": 10},
        {"type": "integer", "maximum": 9},
        NONE,
        NONE,
    ),
    "an exclusive limit": (
        {"type": "number", "minimum": 1},
        {"type": "number", "exclusiveMinimum": 1},
        "breaking",
        "additive",
    ),
    "fewer items": ({"type": "array"}, {"type": "array", "maxItems": 3}, "breaking", "additive"),
    "a pattern": (TEXT, {"type": "string", "pattern": "^a"}, "breaking", "additive"),
    "a pattern gone": ({"type": "string", "pattern": "^a"}, TEXT, "additive", "additive"),
    "a format": (TEXT, {"type": "string", "format": "uuid"}, "breaking", "additive"),
    "a format gone": ({"type": "string", "format": "uuid"}, TEXT, "additive", "additive"),
    "another format": (
        {"type": "string", "format": "uuid"},
        {"type": "string", "format": "date-time"},
        "breaking",
        "breaking",
    ),
    "how wide a number is": ({"type": "integer"}, {"type": "integer", "format": "int64"}, NONE, NONE),
    "a file for a text": (TEXT, {"type": "string", "format": "binary"}, "breaking", "breaking"),
    "a file in other words": (
        {"type": "string", "format": "binary"},
        {"type": "string", "contentMediaType": "application/octet-stream"},
        NONE,
        NONE,
    ),
    "an optional field more": (
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": TEXT}},
        "additive",
        "additive",
    ),
    "a required field more": (
        {"type": "object"},
        {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
        "breaking",
        "additive",
    ),
    "a field less": (
        {"type": "object", "properties": {"a": TEXT, "b": TEXT}},
        {"type": "object", "properties": {"b": TEXT}},
        "breaking",
        "breaking",
    ),
    "a field renamed": (
        {"type": "object", "properties": {"a": TEXT}},
        {"type": "object", "properties": {"b": TEXT}},
        "breaking",
        "breaking",
    ),
    "a field that must be sent, or always comes": (
        {"type": "object", "properties": {"a": TEXT}},
        {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
        "breaking",
        "additive",
    ),
    "a field that may be left out": (
        {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
        {"type": "object", "properties": {"a": TEXT}},
        "additive",
        "breaking",
    ),
    "no further fields": (
        {"type": "object"},
        {"type": "object", "additionalProperties": False},
        "breaking",
        "additive",
    ),
    "further fields": ({"type": "object", "additionalProperties": False}, {"type": "object"}, "additive", "additive"),
    "further fields in other words": (
        {"type": "object"},
        {"type": "object", "additionalProperties": True},
        NONE,
        NONE,
    ),
    "the values of a map": (
        {"type": "object", "additionalProperties": TEXT},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        "breaking",
        "breaking",
    ),
    "the items of an array": (
        {"type": "array", "items": TEXT},
        {"type": "array", "items": {"type": ["string", "null"]}},
        "additive",
        "breaking",
    ),
    "an object without its type": (
        {"properties": {"a": TEXT}},
        {"type": "object", "properties": {"a": TEXT}},
        NONE,
        NONE,
    ),
    "pieces for a whole": (
        {"allOf": [{"type": "object", "properties": {"a": TEXT}}, {"required": ["a"]}]},
        {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
        NONE,
        NONE,
    ),
    "a piece more": (
        {"allOf": [{"type": "object", "properties": {"a": TEXT}}]},
        {"allOf": [{"type": "object", "properties": {"a": TEXT}}, {"required": ["a"], "properties": {"b": TEXT}}]},
        "breaking",
        "additive",
    ),
    "the alternatives in another order": (
        {"oneOf": [{"type": "object", "required": ["a"]}, {"type": "object", "required": ["b"]}]},
        {"anyOf": [{"type": "object", "required": ["b"]}, {"type": "object", "required": ["a"]}]},
        NONE,
        NONE,
    ),
    "an unnamed alternative more": (
        {"oneOf": [{"type": "object", "properties": {"a": TEXT}, "required": ["a"]}]},
        {
            "oneOf": [
                {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
                {"type": "object", "properties": {"b": TEXT}, "required": ["b"]},
            ]
        },
        "additive",
        "breaking",
    ),
    "an unnamed alternative less": (
        {
            "oneOf": [
                {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
                {"type": "object", "properties": {"b": TEXT}, "required": ["b"]},
            ]
        },
        {"oneOf": [{"type": "object", "properties": {"a": TEXT}, "required": ["a"]}]},
        "breaking",
        "additive",
    ),
    "an alternative that a constant names, more": (
        {"oneOf": [{"properties": {"k": {"const": "a"}, "x": TEXT}}]},
        {"oneOf": [{"properties": {"k": {"const": "a"}, "x": TEXT}}, {"properties": {"k": {"const": "b"}, "y": TEXT}}]},
        "additive",
        "additive",
    ),
    "the fields of the alternatives exchanged": (
        {"oneOf": [{"properties": {"k": {"const": "a"}, "x": TEXT}}, {"properties": {"k": {"const": "b"}, "y": TEXT}}]},
        {"oneOf": [{"properties": {"k": {"const": "a"}, "y": TEXT}}, {"properties": {"k": {"const": "b"}, "x": TEXT}}]},
        "breaking",
        "breaking",
    ),
    "what is not allowed": ({"type": "string"}, {"type": "string", "not": {"const": "x"}}, "breaking", "additive"),
    "all forbidden": (TEXT, False, "breaking", "additive"),
    "a default of what is sent": (
        {"properties": {"a": {"type": "integer", "default": 1}}},
        {"properties": {"a": {"type": "integer", "default": 2}}},
        "breaking",
        NONE,
    ),
    "a default gone": (
        {"properties": {"a": {"type": "integer", "default": 1}}},
        {"properties": {"a": {"type": "integer"}}},
        "breaking",
        NONE,
    ),
    "a default told": (
        {"properties": {"a": {"type": "integer"}}},
        {"properties": {"a": {"type": "integer", "default": 2}}},
        "additive",
        NONE,
    ),
    "a field that is read only from now on": (
        {"properties": {"a": TEXT, "b": TEXT}},
        {"properties": {"a": TEXT | {"readOnly": True}, "b": TEXT}},
        "breaking",
        NONE,
    ),
    "a required field for reading": (
        {"properties": {"b": TEXT}},
        {"properties": {"a": TEXT | {"readOnly": True}, "b": TEXT}, "required": ["a"]},
        NONE,
        "additive",
    ),
    "descriptions, titles, examples": (
        {"type": "object", "title": "A", "properties": {"a": TEXT | {"description": "1"}}},
        {"type": "object", "title": "B", "properties": {"a": TEXT | {"description": "2", "examples": ["x"]}}},
        NONE,
        NONE,
    ),
    "the order of fields": (
        {"properties": {"a": TEXT, "b": TEXT}},
        {"properties": {"b": TEXT, "a": TEXT}},
        NONE,
        NONE,
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_schema_is_weighed_by_who_sends_and_who_receives(name: str) -> None:
    old, new, sent, received = PAIRS[name]
    assert outcome(api(body=old), api(body=new)) == sent
    assert outcome(api(query("q", old)), api(query("q", new))) == sent
    assert outcome(api(response=old), api(response=new)) == received
    both = [api(body={"properties": {"f": [old, new][i]}}, response={"items": [old, new][i]}) for i in (0, 1)]
    gravest = next(one for one in ("breaking", "additive", NONE) if one in {sent, received})
    assert outcome(*both) == gravest


@pytest.mark.parametrize("name", PAIRS)
def test_nothing_differs_from_itself(name: str) -> None:
    old, new, _, _ = PAIRS[name]
    for schema in (old, new):
        assert (
            changes(
                api(query("q", schema), body=schema, response=schema),
                api(query("q", schema), body=schema, response=schema),
            )
            == []
        )


# --- operations ------------------------------------------------------------------------------------------------------

BASE = api(query("q", TEXT), response={"type": "object", "properties": {"a": TEXT}})
BEARER = {"components": {"securitySchemes": {"K": {"type": "http", "scheme": "bearer"}}}, "security": [{"K": []}]}
BEARER_RENAMED = {
    "components": {"securitySchemes": {"Other": {"type": "http", "scheme": "Bearer", "bearerFormat": "x"}}},
    "security": [{"Other": []}],
}
BY_KEY = {
    "components": {"securitySchemes": {"K": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
    "security": [{"K": []}],
}
EITHER = {
    "components": {
        "securitySchemes": {
            "K": {"type": "http", "scheme": "bearer"},
            "H": {"type": "apiKey", "in": "header", "name": "X-Key"},
        }
    },
    "security": [{"K": []}, {"H": []}],
}


def with_responses(**responses: Any) -> dict[str, Any]:
    return {"responses": {status.strip("_"): {"description": "", **response} for status, response in responses.items()}}


OPERATIONS: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[str, str]]]] = {
    "an operation gone and another come": (
        api(path="/a"),
        api(path="/b"),
        [("breaking", "POST /a"), ("additive", "POST /b")],
    ),
    "another method": (
        api(method="get"),
        api(method="put"),
        [("breaking", "GET /things"), ("additive", "PUT /things")],
    ),
    "a path parameter renamed": (
        api({"name": "a", "in": "path", "required": True, "schema": TEXT}, path="/things/{a}"),
        api({"name": "b", "in": "path", "required": True, "schema": TEXT}, path="/things/{b}"),
        [],
    ),
    "a path parameter narrowed": (
        api({"name": "a", "in": "path", "required": True, "schema": TEXT}, path="/things/{a}"),
        api({"name": "b", "in": "path", "required": True, "schema": LISTED}, path="/things/{b}"),
        [("breaking", "POST /things/{b} path b")],
    ),
    "an optional parameter more": (
        BASE,
        api(query("q", TEXT), query("r", TEXT), response={"type": "object", "properties": {"a": TEXT}}),
        [("additive", "POST /things query r")],
    ),
    "a required parameter more": (api(), api(query("r", TEXT, required=True)), [("breaking", "POST /things query r")]),
    "a parameter less": (api(query("q", TEXT)), api(), [("breaking", "POST /things query q")]),
    "a parameter renamed": (
        api(query("q", TEXT)),
        api(query("p", TEXT)),
        [("breaking", "POST /things query q"), ("additive", "POST /things query p")],
    ),
    "a parameter that is required now": (
        api(query("q", TEXT)),
        api(query("q", TEXT, required=True)),
        [("breaking", "POST /things query q")],
    ),
    "a parameter that is optional now": (
        api(query("q", TEXT, required=True)),
        api(query("q", TEXT)),
        [("additive", "POST /things query q")],
    ),
    "a parameter elsewhere": (
        api(query("q", TEXT)),
        api({"name": "q", "in": "header", "schema": TEXT}),
        [("breaking", "POST /things query q"), ("additive", "POST /things header q")],
    ),
    "a header in other capitals": (
        api({"name": "X-Trace", "in": "header", "schema": TEXT}),
        api({"name": "x-trace", "in": "header", "schema": TEXT}),
        [],
    ),
    "a header that OpenAPI ignores": (api(), api({"name": "Authorization", "in": "header", "schema": TEXT}), []),
    "a cookie": (
        api({"name": "c", "in": "cookie", "schema": LISTED}),
        api({"name": "c", "in": "cookie", "schema": {"enum": ["a"]}}),
        [("breaking", "POST /things cookie c")],
    ),
    "a list in the query written otherwise": (
        api(query("q", {"type": "array", "items": TEXT})),
        api(query("q", {"type": "array", "items": TEXT}, explode=False)),
        [("breaking", "POST /things query q")],
    ),
    "the usual way of writing a list said": (
        api(query("q", {"type": "array", "items": TEXT})),
        api(query("q", {"type": "array", "items": TEXT}, explode=True, style="form")),
        [],
    ),
    "the items of a parameter": (
        api(query("q", {"type": "array", "items": LISTED})),
        api(query("q", {"type": "array", "items": {"enum": ["a"]}})),
        [("breaking", "POST /things query q[]")],
    ),
    "a parameter as JSON": (
        api({"name": "q", "in": "query", "content": json_of({"properties": {"a": TEXT}})}),
        api({"name": "q", "in": "query", "content": json_of({"properties": {}})}),
        [("breaking", "POST /things query q.a")],
    ),
    "a default of a parameter": (
        api(query("q", {"type": "integer", "default": 20})),
        api(query("q", {"type": "integer", "default": 25})),
        [("breaking", "POST /things query q")],
    ),
    "a parameter on its path": (
        BASE,
        {
            **BASE,
            "paths": {
                "/things": {
                    "parameters": [query("q", TEXT)],
                    "post": {k: v for k, v in BASE["paths"]["/things"]["post"].items() if k != "parameters"},
                }
            },
        },
        [],
    ),
    "a parameter by reference": (
        api(query("q", TEXT)),
        api({"$ref": "#/components/parameters/Q"}, components={"parameters": {"Q": query("q", TEXT)}}),
        [],
    ),
    "a path by reference": (
        BASE,
        {
            **BASE,
            "paths": {"/things": {"$ref": "#/components/pathItems/T"}},
            "components": {"pathItems": {"T": BASE["paths"]["/things"]}},
        },
        [],
    ),
    "a body more": (api(), api(body=TEXT), [("breaking", "POST /things body")]),
    "a body less": (api(body=TEXT), api(), [("breaking", "POST /things body")]),
    "a body by reference": (
        api(body=TEXT),
        api(
            requestBody={"$ref": "#/components/requestBodies/B"},
            components={"requestBodies": {"B": {"required": True, "content": json_of(TEXT)}}},
        ),
        [],
    ),
    "an optional body": (
        api(requestBody={"content": json_of(TEXT)}),
        api(requestBody={"content": json_of(TEXT), "required": True}),
        [("breaking", "POST /things body")],
    ),
    "a field of a body": (
        api(body={"properties": {"inputs": TEXT}}),
        api(body={"properties": {"inputs": TEXT}, "required": ["inputs"]}),
        [("breaking", "POST /things body inputs")],
    ),
    "another content type": (
        api(requestBody={"content": {"application/json": {"schema": TEXT}}}),
        api(requestBody={"content": {"text/plain": {"schema": TEXT}}}),
        [("breaking", "POST /things body"), ("additive", "POST /things body")],
    ),
    "a charset": (
        api(requestBody={"content": {"application/json": {"schema": TEXT}}}),
        api(requestBody={"content": {"Application/JSON; charset=utf-8": {"schema": TEXT}}}),
        [],
    ),
    "a response less": (
        api(**with_responses(_200={}, _201={})),
        api(**with_responses(_200={})),
        [("breaking", "POST /things 201")],
    ),
    "an error less": (
        api(**with_responses(_200={}, _404={})),
        api(**with_responses(_200={})),
        [("additive", "POST /things 404")],
    ),
    "an error more": (
        api(**with_responses(_200={})),
        api(**with_responses(_200={}, _404={})),
        [("additive", "POST /things 404")],
    ),
    "an error that a range covers": (
        api(**with_responses(_200={}, _404={"content": json_of(TEXT)})),
        api(**with_responses(_200={}, _4XX={"content": json_of(TEXT)})),
        [("additive", "POST /things 404"), ("additive", "POST /things 4XX")],
    ),
    "a field of a response": (
        BASE,
        api(query("q", TEXT), response={"type": "object", "properties": {"a": {"type": "object"}}}),
        [("breaking", "POST /things 200 a")],
    ),
    "a header of a response": (
        api(**with_responses(_200={"headers": {"X-A": {"schema": TEXT}, "X-B": {"schema": TEXT}}})),
        api(**with_responses(_200={"headers": {"x-b": {"schema": {"type": "integer"}}, "X-C": {"schema": TEXT}}})),
        [
            ("breaking", "POST /things 200 header X-A"),
            ("breaking", "POST /things 200 header x-b"),
            ("additive", "POST /things 200 header X-C"),
        ],
    ),
    "a content type of a response": (
        api(**with_responses(_200={"content": json_of(TEXT)})),
        api(**with_responses(_200={"content": {**json_of(TEXT), "text/event-stream": {}}})),
        [("additive", "POST /things 200")],
    ),
    "what a stream is of": (
        api(**with_responses(_200={"content": {**json_of(TEXT), "text/event-stream": {"schema": TEXT}}})),
        api(**with_responses(_200={"content": {**json_of(TEXT), "text/event-stream": {"schema": {"type": "object"}}}})),
        [("breaking", "POST /things 200 text/event-stream")],
    ),
    "security where there was none": (api(), api(**BEARER), [("breaking", "POST /things security")]),
    "security gone": (api(**BEARER), api(), [("breaking", "POST /things security")]),
    "another security": (api(**BEARER), api(**BY_KEY), [("breaking", "POST /things security")]),
    "security under another name": (api(**BEARER), api(**BEARER_RENAMED), []),
    "another way in": (api(**BEARER), api(**EITHER), [("additive", "POST /things security")]),
    "a way in less": (api(**EITHER), api(**BEARER), [("breaking", "POST /things security")]),
    "security of the document": (
        api(**BEARER),
        {**api(components=BEARER["components"]), "security": BEARER["security"]},
        [],
    ),
    "another server": (
        api(servers=[{"url": "https://a.example/v1"}]),
        api(servers=[{"url": "https://b.example/v1"}]),
        [],
    ),
    "operation id, summary, tags": (
        api(operationId="a", tags=["x"]),
        api(operationId="b", summary="S", tags=["y"]),
        [],
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_compared_part_by_part(name: str) -> None:
    old, new, expected = OPERATIONS[name]
    assert sorted(reported(old, new)) == sorted(expected)
    assert changes(old, old) == changes(new, new) == []


def test_each_difference_is_reported_wording_included() -> None:
    for name in ("operation id, summary, tags", "another server", "a path parameter renamed"):
        old, new, _ = OPERATIONS[name]
        found = changes(old, new)
        assert found, name
        assert {severity for severity, _, _ in found} == {"wording"}, name


def test_a_break_and_an_addition_in_one_place_are_two_changes() -> None:
    old, new = {"type": "string", "enum": ["a", "b"]}, {"type": "string", "enum": ["a", "c"]}
    assert changes(api(query("q", old)), api(query("q", new))) == [
        ("breaking", "POST /things query q", 'the value "b" is no longer taken'),
        ("additive", "POST /things query q", 'the value "c" is taken as well'),
    ]


def test_a_place_deep_inside_is_told_in_full() -> None:
    def page(status: Any) -> dict[str, Any]:
        run = {"type": "object", "properties": {"status": status}}
        log = {"type": "object", "properties": {"workflow_run": {"anyOf": [run, {"type": "null"}]}}}
        return api(
            response={"properties": {"data": {"type": "array", "items": log}}}, path="/workflows/logs", method="get"
        )

    assert reported(page(TEXT), page({"type": "object"})) == [
        ("breaking", "GET /workflows/logs 200 data[].workflow_run.status")
    ]
    tools = [api(response={"properties": {"icons": {"additionalProperties": schema}}}) for schema in (TEXT, {})]
    assert reported(*tools) == [("breaking", "POST /things 200 icons{}")]


# --- compositions and recursion --------------------------------------------------------------------------------------


def events(*names: str, in_one_of: bool = True, mapped: bool = True, prefix: str = "", **fields: Any) -> dict[str, Any]:
    """A stream of events as OpenAPI has it, or with the mapping alone, as the vendor has it."""
    schemas: dict[str, Any] = {
        f"{prefix}{name.title()}": {
            "allOf": [
                {"$ref": f"#/components/schemas/{prefix}Event"} if not in_one_of else {"type": "object"},
                {"properties": {"event": {"type": "string"}, "data": fields.get(name, TEXT)}},
            ]
        }
        for name in names
    }
    refs = {name: f"#/components/schemas/{prefix}{name.title()}" for name in names}
    discriminator = {"propertyName": "event", **({"mapping": refs} if mapped else {})}
    top: dict[str, Any] = {"discriminator": discriminator}
    if in_one_of:
        top["oneOf"] = [{"$ref": ref} for ref in refs.values()]
    else:
        top |= {"type": "object", "properties": {"event": {"type": "string", "enum": [*names]}}}
    schemas[f"{prefix}Event"] = top
    content = {"text/event-stream": {"schema": {"$ref": f"#/components/schemas/{prefix}Event"}}}
    return api(**with_responses(_200={"content": content}), components={"schemas": schemas})


@pytest.mark.parametrize("in_one_of", [True, False])
class TestEvents:
    """A discriminated stream, with a `oneOf` or by its mapping alone."""

    def test_an_event_more_is_an_addition(self, in_one_of: bool) -> None:
        found = reported(
            events("ping", "pong", in_one_of=in_one_of), events("ping", "pong", "end", in_one_of=in_one_of)
        )
        assert ("additive", "POST /things 200") in found
        assert {severity for severity, _ in found} == {"additive"}

    def test_an_event_less_is_a_break(self, in_one_of: bool) -> None:
        found = reported(events("ping", "pong", in_one_of=in_one_of), events("ping", in_one_of=in_one_of))
        assert ("breaking", "POST /things 200") in found

    def test_events_are_distinguished_by_name(self, in_one_of: bool) -> None:
        old = events("ping", "pong", in_one_of=in_one_of)
        new = events("ping", "pong", in_one_of=in_one_of, pong={"type": "object"})
        assert reported(old, new) == [("breaking", "POST /things 200 [event=pong].data")]

    def test_other_names_of_the_schemas_are_wording(self, in_one_of: bool) -> None:
        old, new = events("ping", "pong", in_one_of=in_one_of), events("ping", "pong", in_one_of=in_one_of, prefix="X")
        assert reported(old, new) == []
        assert ("wording", "schema Event", "is called XEvent now") in changes(old, new)


def tree(**node: Any) -> dict[str, Any]:
    """A schema that contains itself in every way there is."""
    ref = {"$ref": "#/components/schemas/Tree"}
    schemas = {
        "Tree": {
            "type": "object",
            "properties": {
                "children": {"type": "array", "items": ref},
                "parent": {"anyOf": [ref, {"type": "null"}]},
                "by_name": {"type": "object", "additionalProperties": ref},
                "other": {"$ref": "#/components/schemas/Other"},
                "name": TEXT,
                **node,
            },
        },
        "Other": {"allOf": [ref, {"properties": {"tree": ref}}]},
        "Loop": {"allOf": [{"$ref": "#/components/schemas/Loop"}]},
        "Either": {"oneOf": [{"$ref": "#/components/schemas/Either"}, {"$ref": "#/components/schemas/Tree"}]},
        "Round": {"$ref": "#/components/schemas/Round"},
    }
    holder = {"properties": {name: {"$ref": f"#/components/schemas/{name}"} for name in schemas}}
    return api(body=holder, response=holder, components={"schemas": schemas})


def test_schemas_that_contain_themselves_are_compared() -> None:
    assert changes(tree(), tree()) == []
    found = reported(tree(), tree(name={"type": "integer"}))
    assert ("breaking", "POST /things 200 Tree.name") in found
    assert ("breaking", "POST /things body Either.name") in found
    assert len(found) < 100


def test_mutually_recursive_schemas_are_compared_quickly() -> None:
    def tangle(leaf: Any) -> dict[str, Any]:
        count = 40
        schemas: dict[str, Any] = {
            f"S{i}": {
                "properties": {f"p{j}": {"$ref": f"#/components/schemas/S{j}"} for j in range(count)} | {"leaf": leaf}
            }
            for i in range(count)
        }
        return api(response={"$ref": "#/components/schemas/S0"}, components={"schemas": schemas})

    assert outcome(tangle(TEXT), tangle(TEXT)) == "none"
    assert outcome(tangle(TEXT), tangle({"type": "integer"})) == "breaking"


def test_a_chain_of_two_thousand_schemas_is_followed_to_its_end(tmp_path: Path) -> None:
    def chain(leaf: Any) -> dict[str, Any]:
        count = 2000
        schemas: dict[str, Any] = {
            f"S{i}": {"properties": {"next": {"$ref": f"#/components/schemas/S{i + 1}"}}} for i in range(count)
        }
        schemas[f"S{count}"] = leaf
        return api(response={"$ref": "#/components/schemas/S0"}, components={"schemas": schemas})

    sides = [tmp_path / "old.json", tmp_path / "new.json"]
    sides[0].write_text(json.dumps(chain(TEXT)))
    sides[1].write_text(json.dumps(chain({"type": "integer"})))
    assert said(*sides)["verdict"] == "breaking"
    assert said(sides[1], sides[1])["changes"] == []


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "elsewhere.yaml#/Thing"},
        {"$ref": "#/components/schemas/Gone"},
        {"$ref": "#anchor"},
        {"allOf": [TEXT, {"type": "object"}]},
        {"enum": []},
        {"type": []},
        {"oneOf": [True, False]},
        {"discriminator": {"propertyName": "k", "mapping": {"a": "Gone"}}},
        {"properties": {"a": True, "b": False}, "items": False, "prefixItems": [TEXT]},
        {"if": TEXT, "then": {"minLength": 2}, "else": {"$ref": "#/components/schemas/Gone"}},
        {"type": "object", "patternProperties": {"^x": TEXT}, "dependentRequired": {"a": ["b"]}},
    ],
)
def test_odd_schemas_are_compared_as_well(schema: Any) -> None:
    assert changes(api(body=schema, response=schema), api(body=schema, response=schema)) == []
    for other in (TEXT, {}, {"type": "object", "properties": {"a": TEXT}}):
        changes(api(body=schema, response=schema), api(body=other, response=other))
        changes(api(body=other, response=other), api(body=schema, response=schema))


# --- files and the command -------------------------------------------------------------------------------------------


def said(old: Path, new: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.spec_diff", str(old), str(new), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    response = json.loads(done.stdout)
    assert set(response) == {"verdict", "changes"}
    assert all(set(change) == {"severity", "where", "what"} for change in response["changes"])
    return response  # type: ignore[no-any-return]


def test_nullable_of_3_0_means_what_a_type_list_of_3_1_means(tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.json"
    old.write_text(
        """\
openapi: 3.0.3
info: {title: T, version: '1'}
paths:
  /things:
    post:
      responses:
        200:
          description: ''
          content:
            application/json:
              schema:
                type: object
                properties:
                  a: {type: string, nullable: true}
                  b: {type: integer, minimum: 1, exclusiveMinimum: true}
                  c: {nullable: true, allOf: [{$ref: '#/components/schemas/C'}]}
                  d: {type: string, nullable: true, enum: [x, y]}
components:
  schemas:
    C: {type: object}
"""
    )
    c = {"$ref": "#/components/schemas/C"}
    response = {
        "properties": {
            "a": {"type": ["string", "null"]},
            "b": {"type": "integer", "exclusiveMinimum": 1},
            "c": {"oneOf": [c, {"type": "null"}]},
            "d": {"type": ["string", "null"], "enum": ["x", "y", None]},
        }
    }
    new.write_text(json.dumps(api(response=response, components={"schemas": {"C": {"type": "object"}}})))
    assert said(old, new) == {"verdict": "none", "changes": []}
    assert said(new, old) == {"verdict": "none", "changes": []}


def test_docs_pages_are_compared_with_whole_documents(tmp_path: Path) -> None:
    operations = [(m, p) for p, item in WIDGETS["paths"].items() for m in item if m in {"get", "post", "put", "delete"}]
    whole, older, newer = tmp_path / "whole.yaml", tmp_path / "older.md", tmp_path / "newer.md"
    whole.write_text(json.dumps(WIDGETS))
    older.write_text("\n".join(older_page(WIDGETS, *operation) for operation in operations))
    newer.write_text("\n".join(newer_page(WIDGETS, *operation) for operation in operations))
    assert said(whole, newer)["verdict"] == said(newer, whole)["verdict"] == "none"
    # The older export drops headers of responses and styles; nothing else may look different.
    gone = [c for c in said(whole, older)["changes"] if c["severity"] != "wording"]
    assert [c for c in gone if " header " not in c["where"]] == []


def test_the_list_for_people_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sides = [tmp_path / "old.json", tmp_path / "new.json"]
    sides[0].write_text(json.dumps(api(query("q", TEXT))))
    sides[1].write_text(json.dumps(api(query("q", TEXT, required=True))))
    assert spec_diff.main([str(side) for side in sides]) == 0
    assert capsys.readouterr() == (
        "verdict: breaking\n  breaking  POST /things query q: is required; it was optional\n",
        "",
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "No such file"),
        ("", "neither a docs-page export"),
        ("hello: world", "neither a docs-page export"),
        ("openapi: 2.0.0", "is not supported"),
        ("{", "not JSON"),
        ("a: [", "not YAML"),
    ],
)
def test_what_cannot_be_read_ends_with_2_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, expected: str
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.yaml"
    good.write_text(json.dumps(api()))
    if content is not None:
        bad.write_text(content)
    for pair in ([str(good), str(bad)], [str(bad), str(good)]):
        assert spec_diff.main([*pair, "--json"]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert expected in err


def test_a_wrong_command_line_ends_with_2() -> None:
    for arguments in ([], ["one.yaml"], ["a", "b", "c"], ["a", "b", "--xml"]):
        with pytest.raises(SystemExit) as end:
            spec_diff.main(arguments)
        assert end.value.code == 2

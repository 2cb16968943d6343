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
OBJECT = {"type": "object"}
INTEGER = {"type": "integer"}
OPEN = {"anyOf": [{"type": "string", "enum": ["a", "b"]}, TEXT]}
LISTED = {"type": "string", "enum": ["a", "b"]}
NULL_OR_TEXT = {"type": ["string", "null"]}
UUID = {"type": "string", "format": "uuid"}
FILE = {"type": "string", "format": "binary"}
CLOSED = {"type": "object", "additionalProperties": False}
NONE, ADDS, BREAKS = "none", "additive", "breaking"


def fields(*required: str, **properties: Any) -> dict[str, Any]:
    """An object with these properties."""
    return OBJECT | {"properties": properties} | ({"required": [*required]} if required else {})


def tagged(tag: str, **properties: Any) -> dict[str, Any]:
    """An alternative that a constant names."""
    return {"properties": {"k": {"const": tag}, **properties}}


def one_of(*pieces: Any) -> dict[str, Any]:
    return {"oneOf": [*pieces]}


# old, new, whom it breaks that sends such a value, and whom that receives it
PAIRS: dict[str, tuple[Any, Any, str, str]] = {
    "the same": (LISTED, {"enum": ["b", "a"], "type": "string", "title": "T"}, NONE, NONE),
    "an enum value more": (LISTED, {"type": "string", "enum": ["a", "b", "c"]}, ADDS, ADDS),
    "an enum value less": (LISTED, {"type": "string", "enum": ["a"]}, BREAKS, ADDS),
    "an enum opened": (LISTED, OPEN, ADDS, ADDS),
    "an enum given up": (LISTED, TEXT, ADDS, ADDS),
    "an enum where there was none": (TEXT, LISTED, BREAKS, ADDS),
    "an enum closed": (OPEN, LISTED, BREAKS, ADDS),
    "a listed value more": (OPEN, {"anyOf": [{"enum": ["a", "b", "c"]}, TEXT]}, ADDS, ADDS),
    "a listed value less": (OPEN, {"anyOf": [{"enum": ["a"]}, TEXT]}, BREAKS, ADDS),
    "the list of an open enum given up": (OPEN, TEXT, ADDS, ADDS),
    "a const for an enum of one": ({"const": "a"}, {"type": "string", "enum": ["a"]}, NONE, NONE),
    "another const": ({"const": "a"}, {"const": "b"}, BREAKS, ADDS),
    "a listed object less": ({"enum": [{"a": 1}, {"a": 2}]}, {"enum": [{"a": 1}]}, BREAKS, ADDS),
    "string to object": (TEXT, OBJECT, BREAKS, BREAKS),
    "string to integer": (TEXT, INTEGER, BREAKS, BREAKS),
    "integer to number": (INTEGER, {"type": "number"}, ADDS, BREAKS),
    "number to integer": ({"type": "number"}, INTEGER, BREAKS, ADDS),
    "a type more": (TEXT, {"type": ["string", "object"]}, ADDS, BREAKS),
    "a type less": ({"type": ["string", "object"]}, TEXT, BREAKS, ADDS),
    "a type where there was none": ({}, TEXT, BREAKS, ADDS),
    "no type any more": (TEXT, {}, ADDS, BREAKS),
    "null too": (TEXT, NULL_OR_TEXT, ADDS, BREAKS),
    "null no more": (NULL_OR_TEXT, TEXT, BREAKS, ADDS),
    "null in other words": (NULL_OR_TEXT, one_of({"type": "null"}, TEXT), NONE, NONE),
    "null beside an enum": (LISTED, NULL_OR_TEXT | {"enum": ["a", "b", None]}, ADDS, BREAKS),
    "a lower limit": (TEXT, TEXT | {"minLength": 1}, BREAKS, ADDS),
    "a lower limit gone": (TEXT | {"minLength": 1}, TEXT, ADDS, ADDS),
    "a lower limit that limits nothing": (TEXT, TEXT | {"minLength": 0}, NONE, NONE),
    "an upper limit lowered": (INTEGER | {"maximum": 9}, INTEGER | {"maximum": 8}, BREAKS, ADDS),
    "an upper limit raised": (INTEGER | {"maximum": 9}, INTEGER | {"maximum": 10}, ADDS, ADDS),
    "an exclusive limit in other words": (INTEGER | {"exclusiveMaximum": 10}, INTEGER | {"maximum": 9}, NONE, NONE),
    "an exclusive limit": ({"type": "number", "minimum": 1}, {"type": "number", "exclusiveMinimum": 1}, BREAKS, ADDS),
    "fewer items": ({"type": "array"}, {"type": "array", "maxItems": 3}, BREAKS, ADDS),
    "a pattern": (TEXT, TEXT | {"pattern": "^a"}, BREAKS, ADDS),
    "a pattern gone": (TEXT | {"pattern": "^a"}, TEXT, ADDS, ADDS),
    "a format": (TEXT, UUID, BREAKS, ADDS),
    "a format gone": (UUID, TEXT, ADDS, ADDS),
    "another format": (UUID, TEXT | {"format": "date-time"}, BREAKS, BREAKS),
    "how wide a number is": (INTEGER, INTEGER | {"format": "int64"}, NONE, NONE),
    "a file for a text": (TEXT, FILE, BREAKS, BREAKS),
    "a file in other words": (FILE, TEXT | {"contentMediaType": "application/octet-stream"}, NONE, NONE),
    "an optional field more": (fields(), fields(a=TEXT), ADDS, ADDS),
    "a required field more": (OBJECT, fields("a", a=TEXT), BREAKS, ADDS),
    "a field less": (fields(a=TEXT, b=TEXT), fields(b=TEXT), BREAKS, BREAKS),
    "a field renamed": (fields(a=TEXT), fields(b=TEXT), BREAKS, BREAKS),
    "a field that must be sent, or always comes": (fields(a=TEXT), fields("a", a=TEXT), BREAKS, ADDS),
    "a field that may be left out": (fields("a", a=TEXT), fields(a=TEXT), ADDS, BREAKS),
    "no further fields": (OBJECT, CLOSED, BREAKS, ADDS),
    "further fields": (CLOSED, OBJECT, ADDS, ADDS),
    "further fields in other words": (OBJECT, OBJECT | {"additionalProperties": True}, NONE, NONE),
    "the values of a map": (
        *(OBJECT | {"additionalProperties": values} for values in (TEXT, INTEGER)),
        *(BREAKS, BREAKS),
    ),
    "the items of an array": (
        *({"type": "array", "items": items} for items in (TEXT, NULL_OR_TEXT)),
        *(ADDS, BREAKS),
    ),
    "an object without its type": ({"properties": {"a": TEXT}}, fields(a=TEXT), NONE, NONE),
    "pieces for a whole": ({"allOf": [fields(a=TEXT), {"required": ["a"]}]}, fields("a", a=TEXT), NONE, NONE),
    "a piece more": (
        {"allOf": [fields(a=TEXT)]},
        {"allOf": [fields(a=TEXT), {"required": ["a"], "properties": {"b": TEXT}}]},
        *(BREAKS, ADDS),
    ),
    "the alternatives in another order": (
        one_of(OBJECT | {"required": ["a"]}, OBJECT | {"required": ["b"]}),
        {"anyOf": [OBJECT | {"required": ["b"]}, OBJECT | {"required": ["a"]}]},
        *(NONE, NONE),
    ),
    "an unnamed alternative more": (
        *(one_of(fields("a", a=TEXT)), one_of(fields("a", a=TEXT), fields("b", b=TEXT))),
        *(ADDS, BREAKS),
    ),
    "an unnamed alternative less": (
        *(one_of(fields("a", a=TEXT), fields("b", b=TEXT)), one_of(fields("a", a=TEXT))),
        *(BREAKS, ADDS),
    ),
    "an alternative that a constant names, more": (
        *(one_of(tagged("a", x=TEXT)), one_of(tagged("a", x=TEXT), tagged("b", y=TEXT))),
        *(ADDS, ADDS),
    ),
    "the fields of the alternatives exchanged": (
        *(one_of(tagged("a", x=TEXT), tagged("b", y=TEXT)), one_of(tagged("a", y=TEXT), tagged("b", x=TEXT))),
        *(BREAKS, BREAKS),
    ),
    "what is not allowed": (TEXT, TEXT | {"not": {"const": "x"}}, BREAKS, ADDS),
    "all forbidden": (TEXT, False, BREAKS, ADDS),
    "a default of what is sent": (*(fields(a=INTEGER | {"default": value}) for value in (1, 2)), BREAKS, NONE),
    "a default gone": (fields(a=INTEGER | {"default": 1}), fields(a=INTEGER), BREAKS, NONE),
    "a default told": (fields(a=INTEGER), fields(a=INTEGER | {"default": 2}), ADDS, NONE),
    "a field that is read only from now on": (
        *(fields(a=TEXT, b=TEXT), fields(a=TEXT | {"readOnly": True}, b=TEXT)),
        *(BREAKS, NONE),
    ),
    "a required field for reading": (
        *(fields(b=TEXT), fields("a", a=TEXT | {"readOnly": True}, b=TEXT)),
        *(NONE, ADDS),
    ),
    "descriptions, titles, examples": (
        fields(a=TEXT | {"description": "1"}) | {"title": "A"},
        fields(a=TEXT | {"description": "2", "examples": ["x"]}) | {"title": "B"},
        *(NONE, NONE),
    ),
    "the order of fields": (fields(a=TEXT, b=TEXT), fields(b=TEXT, a=TEXT), NONE, NONE),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_schema_is_weighed_by_who_sends_and_who_receives(name: str) -> None:
    old, new, sent, received = PAIRS[name]
    assert outcome(api(body=old), api(body=new)) == sent
    assert outcome(api(query("q", old)), api(query("q", new))) == sent
    assert outcome(api(response=old), api(response=new)) == received
    both = [api(body={"properties": {"f": [old, new][i]}}, response={"items": [old, new][i]}) for i in (0, 1)]
    gravest = next(one for one in (BREAKS, ADDS, NONE) if one in {sent, received})
    assert outcome(*both) == gravest
    for schema in (old, new):
        same = api(query("q", schema), body=schema, response=schema)
        assert changes(same, same) == []


# --- operations ------------------------------------------------------------------------------------------------------

BASE = api(query("q", TEXT), response=fields(a=TEXT))
K_BEARER = {"K": {"type": "http", "scheme": "bearer"}}
X_KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}


def secured(*ways: str, **schemes: Any) -> dict[str, Any]:
    return {"components": {"securitySchemes": schemes}, "security": [{way: []} for way in ways]}


BEARER = secured("K", **K_BEARER)
BEARER_RENAMED = secured("Other", Other={"type": "http", "scheme": "Bearer", "bearerFormat": "x"})
EITHER = secured("K", "H", **K_BEARER, H=X_KEY)


def with_responses(**responses: Any) -> dict[str, Any]:
    return {"responses": {status.strip("_"): {"description": "", **response} for status, response in responses.items()}}


def at_path(name: str, schema: Any = TEXT) -> dict[str, Any]:
    return api({"name": name, "in": "path", "required": True, "schema": schema}, path=f"/things/{{{name}}}")


def header(name: str, schema: Any = TEXT) -> dict[str, Any]:
    return api({"name": name, "in": "header", "schema": schema})


def body(content_type: str = "application/json", **more: Any) -> dict[str, Any]:
    return api(requestBody={"content": {content_type: {"schema": TEXT}}, **more})


def in_200(**parts: Any) -> dict[str, Any]:
    return api(**with_responses(_200=parts))


def queries(**schemas: Any) -> dict[str, Any]:
    return api(*(query(name, schema) for name, schema in schemas.items()))


TEXTS = {"type": "array", "items": TEXT}
POST = BASE["paths"]["/things"]["post"]
OPERATIONS: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[str, str]]]] = {
    "an operation gone and another come": (api(path="/a"), api(path="/b"), [(BREAKS, "POST /a"), (ADDS, "POST /b")]),
    "another method": (
        *(api(method="get"), api(method="put")),
        [(BREAKS, "GET /things"), (ADDS, "PUT /things")],
    ),
    "a path parameter renamed": (at_path("a"), at_path("b"), []),
    "a path parameter narrowed": (at_path("a"), at_path("b", LISTED), [(BREAKS, "POST /things/{b} path b")]),
    "an optional parameter more": (queries(q=TEXT), queries(q=TEXT, r=TEXT), [(ADDS, "POST /things query r")]),
    "a required parameter more": (api(), api(query("r", TEXT, required=True)), [(BREAKS, "POST /things query r")]),
    "a parameter less": (queries(q=TEXT), api(), [(BREAKS, "POST /things query q")]),
    "a parameter renamed": (
        *(queries(q=TEXT), queries(p=TEXT)),
        [(BREAKS, "POST /things query q"), (ADDS, "POST /things query p")],
    ),
    "a parameter that is required now": (
        *(queries(q=TEXT), api(query("q", TEXT, required=True))),
        [(BREAKS, "POST /things query q")],
    ),
    "a parameter that is optional now": (
        *(api(query("q", TEXT, required=True)), queries(q=TEXT)),
        [(ADDS, "POST /things query q")],
    ),
    "a parameter elsewhere": (
        *(queries(q=TEXT), header("q")),
        [(BREAKS, "POST /things query q"), (ADDS, "POST /things header q")],
    ),
    "a header in other capitals": (header("X-Trace"), header("x-trace"), []),
    "a header that OpenAPI ignores": (api(), header("Authorization"), []),
    "a cookie": (
        *(api({"name": "c", "in": "cookie", "schema": schema}) for schema in (LISTED, {"enum": ["a"]})),
        [(BREAKS, "POST /things cookie c")],
    ),
    "a list in the query written otherwise": (
        *(queries(q=TEXTS), api(query("q", TEXTS, explode=False))),
        [(BREAKS, "POST /things query q")],
    ),
    "the usual way of writing a list said": (queries(q=TEXTS), api(query("q", TEXTS, explode=True, style="form")), []),
    "the items of a parameter": (
        *(queries(q={"type": "array", "items": items}) for items in (LISTED, {"enum": ["a"]})),
        [(BREAKS, "POST /things query q[]")],
    ),
    "a parameter as JSON": (
        *(api({"name": "q", "in": "query", "content": json_of(schema)}) for schema in (fields(a=TEXT), fields())),
        [(BREAKS, "POST /things query q.a")],
    ),
    "a default of a parameter": (
        *(queries(q=INTEGER | {"default": value}) for value in (20, 25)),
        [(BREAKS, "POST /things query q")],
    ),
    "a parameter on its path": (
        BASE,
        BASE | {"paths": {"/things": {"parameters": POST["parameters"], "post": {"responses": POST["responses"]}}}},
        [],
    ),
    "a parameter by reference": (
        queries(q=TEXT),
        api({"$ref": "#/components/parameters/Q"}, components={"parameters": {"Q": query("q", TEXT)}}),
        [],
    ),
    "a path by reference": (
        BASE,
        BASE
        | {
            "paths": {"/things": {"$ref": "#/components/pathItems/T"}},
            "components": {"pathItems": {"T": {"post": POST}}},
        },
        [],
    ),
    "a body more": (api(), api(body=TEXT), [(BREAKS, "POST /things body")]),
    "a body less": (api(body=TEXT), api(), [(BREAKS, "POST /things body")]),
    "a body by reference": (
        api(body=TEXT),
        api(
            requestBody={"$ref": "#/components/requestBodies/B"},
            components={"requestBodies": {"B": {"required": True, "content": json_of(TEXT)}}},
        ),
        [],
    ),
    "an optional body": (body(), body(required=True), [(BREAKS, "POST /things body")]),
    "a field of a body": (
        *(api(body=fields(inputs=TEXT)), api(body=fields("inputs", inputs=TEXT))),
        [(BREAKS, "POST /things body inputs")],
    ),
    "another content type": (
        *(body(), body("text/plain")),
        [(BREAKS, "POST /things body"), (ADDS, "POST /things body")],
    ),
    "a charset": (body(), body("Application/JSON; charset=utf-8"), []),
    "a response less": (api(**with_responses(_200={}, _201={})), in_200(), [(BREAKS, "POST /things 201")]),
    "an error less": (api(**with_responses(_200={}, _404={})), in_200(), [(ADDS, "POST /things 404")]),
    "an error more": (in_200(), api(**with_responses(_200={}, _404={})), [(ADDS, "POST /things 404")]),
    "an error that a range covers": (
        *(api(**with_responses(_200={}, **{status: {"content": json_of(TEXT)}})) for status in ("_404", "_4XX")),
        [(ADDS, "POST /things 404"), (ADDS, "POST /things 4XX")],
    ),
    "a field of a response": (
        *(BASE, api(query("q", TEXT), response=fields(a=OBJECT))),
        [(BREAKS, "POST /things 200 a")],
    ),
    "a header of a response": (
        in_200(headers={"X-A": {"schema": TEXT}, "X-B": {"schema": TEXT}}),
        in_200(headers={"x-b": {"schema": INTEGER}, "X-C": {"schema": TEXT}}),
        [(one, f"POST /things 200 header {name}") for one, name in ((BREAKS, "X-A"), (BREAKS, "x-b"), (ADDS, "X-C"))],
    ),
    "a content type of a response": (
        *(in_200(content=json_of(TEXT)), in_200(content={**json_of(TEXT), "text/event-stream": {}})),
        [(ADDS, "POST /things 200")],
    ),
    "what a stream is of": (
        *(in_200(content={**json_of(TEXT), "text/event-stream": {"schema": schema}}) for schema in (TEXT, OBJECT)),
        [(BREAKS, "POST /things 200 text/event-stream")],
    ),
    "security where there was none": (api(), api(**BEARER), [(BREAKS, "POST /things security")]),
    "security gone": (api(**BEARER), api(), [(BREAKS, "POST /things security")]),
    "another security": (api(**BEARER), api(**secured("K", K=X_KEY)), [(BREAKS, "POST /things security")]),
    "security under another name": (api(**BEARER), api(**BEARER_RENAMED), []),
    "another way in": (api(**BEARER), api(**EITHER), [(ADDS, "POST /things security")]),
    "a way in less": (api(**EITHER), api(**BEARER), [(BREAKS, "POST /things security")]),
    "security of the document": (
        api(**BEARER),
        {**api(components=BEARER["components"]), "security": BEARER["security"]},
        [],
    ),
    "another server": (*(api(servers=[{"url": f"https://{name}.example/v1"}]) for name in "ab"), []),
    "operation id, summary, tags": (
        *(api(operationId="a", tags=["x"]), api(operationId="b", summary="S", tags=["y"])),
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

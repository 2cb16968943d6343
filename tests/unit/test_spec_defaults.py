"""Names and texts by rule: nothing that an overlay lacks stops a compilation."""

from __future__ import annotations

from typing import Any

from lint import checks
from lint.rules import completeness
from openapi.serialize import ordered
from overlays.defaults import described, named

JSON = "application/json"


def document() -> dict[str, Any]:
    limits = {"type": ["object", "null"], "properties": {"runs": {"type": "integer"}}}
    body = {"type": "object", "properties": {"limits": limits, "tags": {"type": "array", "items": {"type": "string"}}}}
    note = {"type": "object", "required": ["event"], "properties": {"event": {"const": "agent_note"}}}
    note["properties"] |= {"data": {"type": "object", "properties": {"text": {"type": "string"}}}}  # type: ignore[operator]
    return {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {
            "/x/{x_id}": {
                "get": {
                    "security": [{"Key": []}],
                    "parameters": [{"name": "x_id", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "responses": {
                        "200": {
                            "description": "",
                            "content": {
                                JSON: {"schema": body},
                                "text/event-stream": {"schema": {"$ref": "#/components/schemas/event_agent_note"}},
                            },
                        },
                        "404": {"description": "見つからない"},
                    },
                }
            }
        },
        "components": {
            "securitySchemes": {"Key": {"type": "http", "scheme": "bearer"}},
            "schemas": {"event_agent_note": note},
        },
    }


def test_everything_gets_a_name_of_its_place() -> None:
    got, made = named(document())
    operation = got["paths"]["/x/{x_id}"]["get"]
    assert (operation["operationId"], operation["tags"]) == ("get_x_x_id", ["x"])
    assert set(got["components"]["schemas"]) == {
        "AgentNoteEvent",
        "AgentNoteData",
        "GetXXIdResponse",
        "GetXXIdResponseLimits",
    }
    limits = got["components"]["schemas"]["GetXXIdResponse"]["properties"]["limits"]
    assert limits == {"anyOf": [{"$ref": "#/components/schemas/GetXXIdResponseLimits"}, {"type": "null"}]}
    assert len(made) == 5


def test_an_event_of_an_overlay_takes_the_place_of_the_vendors() -> None:
    tree = document()
    ours, theirs = ({"$ref": f"#/components/schemas/{name}"} for name in ("AgentNote", "event_agent_note"))
    tree["components"]["schemas"] |= {
        "AgentNote": {"type": "object", "properties": {"event": {"const": "agent_note"}}},
        "stream_event": {
            "oneOf": [theirs, ours],
            "discriminator": {"propertyName": "event", "mapping": {"agent_note": ours["$ref"]}},
        },
    }
    content = tree["paths"]["/x/{x_id}"]["get"]["responses"]["200"]["content"]
    content["text/event-stream"]["schema"] = {"$ref": "#/components/schemas/stream_event"}
    schemas = named(tree)[0]["components"]["schemas"]
    assert schemas["StreamEvent"]["oneOf"] == [ours]
    assert "AgentNoteEvent" not in schemas


def test_everything_gets_a_text_of_its_name_and_type() -> None:
    got, made = described(named(document())[0])
    operation = got["paths"]["/x/{x_id}"]["get"]
    assert operation["summary"] == "GET /x/{x_id}"
    assert operation["parameters"][0]["schema"]["description"] == "The path parameter `x_id`: a string."
    assert operation["responses"]["404"]["description"] == "Status 404."
    properties = got["components"]["schemas"]["GetXXIdResponse"]["properties"]
    assert properties["tags"]["description"] == "The field `tags`: a list."
    assert properties["limits"]["description"] == "The field `limits`: `GetXXIdResponseLimits` or null."
    assert "GET /x/{x_id} responses 404" in made
    assert checks.compiled_findings(ordered(got)) == []
    assert checks.findings(got, (completeness.description, completeness.english)) == []


def test_names_and_texts_of_ours_stay() -> None:
    once = described(named(document())[0])[0]
    again, names = named(once)
    assert (again, names) == (once, [])
    assert described(once) == (once, [])

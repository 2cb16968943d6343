"""What no operation refers to (the events of streams), and what only looks like a removal, or like nothing."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import pytest
from diff.changes import Change, verdict
from diff.load import described
from diff.operations import compared
from openapi.upgrade import upgraded

TEXT = {"type": "string"}
SCHEMAS = "#/components/schemas/"


def api(schema: Any = None, *, path: str = "/runs", **parts: Any) -> dict[str, Any]:
    """A description of one operation, which takes and returns a schema."""
    content = {"application/json": {} if schema is None else {"schema": schema}}
    operation = {"requestBody": {"content": content}, "responses": {"200": {"description": "", "content": content}}}
    document = {"openapi": "3.0.1", "info": {"title": "T", "version": "1"}, "paths": {path: {"post": operation}}}
    return document | parts


def stream(*names: str, root: str = "ChunkEvent", apart: bool = True, **fields: Any) -> dict[str, Any]:
    """A streaming operation; its events stand apart, as the vendor has them, or the operation refers to them."""
    schemas: dict[str, Any] = {
        root: {
            "type": "object",
            "properties": {"event": {"type": "string", "enum": [*names]}},
            "discriminator": {"propertyName": "event", "mapping": {n: f"{SCHEMAS}{root}{n.title()}" for n in names}},
        }
    }
    for name in names:
        data = {"type": "object", "properties": {"id": TEXT, **fields.get(name, {})}}
        own = {"type": "object", "properties": {"data": data}}
        schemas[f"{root}{name.title()}"] = {"allOf": [{"$ref": SCHEMAS + root}, own]}
    streamed = TEXT if apart else {"$ref": SCHEMAS + root}
    operation = {
        "responses": {"200": {"description": "", "content": {"text/event-stream": {"schema": streamed}}}},
    }
    return api(paths={"/runs": {"post": operation}}, components={"schemas": schemas})


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    return compared(*[described([upgraded(copy.deepcopy(document))]) for document in (old, new)])


def reported(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one.severity, one.where, one.kind) for one in changes(old, new) if one.severity != "wording"]


@pytest.mark.parametrize(
    ("apart", "place", "side"), [(True, "events ChunkEvent", "event"), (False, "POST /runs 200", "response")]
)
class TestEvents:
    """Events that no operation refers to, and those of an operation, by the mapping of their discriminator."""

    def test_equal_events_differ_in_nothing(self, apart: bool, place: str, side: str) -> None:
        assert changes(stream("ping", "end", apart=apart), stream("ping", "end", apart=apart)) == []

    def test_a_new_event_is_additive_and_a_removed_one_breaks(self, apart: bool, place: str, side: str) -> None:
        old, new = stream("ping", apart=apart), stream("ping", "end", apart=apart)
        assert ("additive", place, f"{side}-alternative-added") in reported(old, new)
        assert {severity for severity, _, _ in reported(old, new)} == {"additive"}
        assert ("breaking", place, f"{side}-alternative-removed") in reported(new, old)

    def test_a_new_field_is_additive_and_a_removed_one_breaks(self, apart: bool, place: str, side: str) -> None:
        old, new = stream("ping", "end", apart=apart), stream("ping", "end", apart=apart, end={"at": TEXT})
        where = f"{place}{'' if apart else ' '}[event=end].data.at"
        assert reported(old, new) == [("additive", where, f"{side}-field-added")]
        assert reported(new, old) == [("breaking", where, f"{side}-field-removed")]

    def test_renamed_schemas_are_found_by_their_values(self, apart: bool, place: str, side: str) -> None:
        old, new = (stream("ping", "pong", "end", root=root, apart=apart) for root in ("ChunkEvent", "Other"))
        assert reported(old, new) == []
        assert any(change.kind == "schema-renamed" for change in changes(old, new))
        new = stream("ping", "pong", "end", root="Other", apart=apart, end={"at": TEXT})
        assert [one[::2] for one in reported(old, new)] == [("additive", f"{side}-field-added")]


class TestEventsApart:
    """Events that no operation refers to."""

    def test_two_streams_are_not_mixed_up(self) -> None:
        old, new = stream("ping", "end"), stream("ping", "end")
        other = stream("ping", "end", root="Other", end={"chat": TEXT})["components"]["schemas"]
        new["components"]["schemas"] |= other
        assert reported(old, new) == [("additive", "events Other", "events-added")]
        assert reported(new, old) == [("breaking", "events Other", "events-removed")]

    def test_events_that_are_referred_to_now_stay_the_same_events(self) -> None:
        old, new = stream("ping", "end"), stream("ping", "end", apart=False, end={"at": TEXT})
        assert ("additive", "events ChunkEvent[event=end].data.at", "event-field-added") in reported(old, new)
        assert not any("removed" in kind for _, _, kind in reported(old, new))

    def test_a_page_without_what_stands_apart_removes_nothing(self) -> None:
        page = stream("ping", "end")
        del page["components"]
        assert verdict(changes(stream("ping", "end"), page)) == "none"
        assert verdict(changes(page, stream("ping", "end"))) == "none"
        assert changes(stream("ping", "end"), page)

    def test_unused_schemas_without_events_count_for_nothing(self) -> None:
        old, new = stream("ping"), stream("ping")
        new["components"]["schemas"]["Unused"] = {"type": "object", "properties": {"a": TEXT}}
        assert reported(old, new) == reported(new, old) == []
        (change,) = changes(old, new)  # and leaves a line all the same
        assert (change.kind, change.what) == ("unused", "schemas that nothing uses differ: Unused")

    def test_events_without_a_mapping_may_be_renamed(self) -> None:
        def unmapped(root: str, field: Any) -> dict[str, Any]:
            document = stream("ping")
            event = {"type": "object", "properties": {"a": field}}
            union = {"oneOf": [{"$ref": f"{SCHEMAS}{root}A"}], "discriminator": {"propertyName": "event"}}
            document["components"]["schemas"] = {root: union, f"{root}A": event}
            return document

        assert reported(unmapped("Event", TEXT), unmapped("Other", TEXT)) == []
        found = reported(unmapped("Event", TEXT), unmapped("Other", {"type": "integer"}))
        assert found == [("breaking", "events Event.a", "event-type")]

    def test_heirs_of_a_discriminator_without_mapping_are_compared(self) -> None:
        def animals(field: Any) -> dict[str, Any]:
            pet = {"type": "object", "discriminator": {"propertyName": "kind"}, "properties": {"kind": TEXT}}
            cat = {"allOf": [{"$ref": SCHEMAS + "Pet"}, {"type": "object", "properties": {"meow": field}}]}
            return api({"$ref": SCHEMAS + "Pet"}, components={"schemas": {"Pet": pet, "Cat": cat}})

        assert changes(animals(TEXT), animals(TEXT)) == []
        assert verdict(changes(animals(TEXT), animals({"type": "integer"}))) == "breaking"


OBJECT = {"type": "object"}
FIELDS = {"properties": {"a": TEXT}}


@pytest.mark.parametrize(
    "nullable",
    [
        {**FIELDS, "anyOf": [OBJECT, {"type": "null"}]},
        {**FIELDS, "oneOf": [{"type": "null"}, {"type": "object"}]},
        {"allOf": [FIELDS, {"type": ["object", "null"]}]},
        {**FIELDS, "anyOf": [{"additionalProperties": True}, {"type": "null"}]},
    ],
)
def test_null_beside_properties_is_seen(nullable: Any) -> None:
    plain = {"type": "object", **FIELDS}
    old, new, same = (
        api(schema) | {"openapi": "3.1.0"} for schema in (plain, nullable, {"anyOf": [plain, {"type": "null"}]})
    )
    assert reported(old, new) == [
        ("breaking", "POST /runs 200", "response-null-added"),
        ("additive", "POST /runs body", "body-null-added"),
    ]
    assert reported(new, old) == [
        ("breaking", "POST /runs body", "body-null-removed"),
        ("additive", "POST /runs 200", "response-null-removed"),
    ]
    assert reported(same, new) == reported(new, same) == []


def test_an_object_without_null_never_becomes_less_nullable() -> None:
    beside = {**FIELDS, "anyOf": [{"required": ["a"]}]}
    assert not any("null" in kind for _, _, kind in reported(api(beside), api({"type": "object", **FIELDS})))


class TestAlternatives:
    """Alternatives that nothing but their fields tells apart."""

    FILE: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"how": {"type": "string", "enum": ["url", "id"]}, "url": TEXT, "id": TEXT},
        "required": ["how"],
    }

    def file(self, keyword: str, *pieces: dict[str, Any]) -> dict[str, Any]:
        return api({**self.FILE, keyword: [*pieces]})

    def test_forbidding_the_other_field_is_no_new_rule(self) -> None:
        old = self.file("oneOf", {"required": ["url"]}, {"required": ["id"]})
        new = self.file(
            "anyOf",
            {"required": ["url"], "not": {"required": ["id"]}},
            {"required": ["id"], "not": {"required": ["url"]}},
        )
        assert reported(old, new) == reported(new, old) == []

    def test_a_narrower_alternative_is_named_by_its_field(self) -> None:
        old = self.file("oneOf", {"required": ["url"]}, {"required": ["id"]})
        only = [{"required": [name], "properties": {"how": {"enum": [name]}}} for name in ("url", "id")]
        found = [one for one in reported(old, self.file("oneOf", *only)) if "body" in one[1]]
        assert found == [
            ("breaking", "POST /runs body (with url).how", "body-value-removed"),
            ("breaking", "POST /runs body (with id).how", "body-value-removed"),
        ]

    def test_values_divided_among_alternatives_are_not_removed(self) -> None:
        only = [{"required": [name], "properties": {"how": {"enum": [name]}}} for name in ("url", "id")]
        found = [one for one in reported(api(self.FILE), self.file("oneOf", *only)) if "body" in one[1]]
        assert found == [
            ("breaking", "POST /runs body [how=url].url", "body-field-required"),
            ("breaking", "POST /runs body [how=id].id", "body-field-required"),
        ]

    def test_one_more_alternative_is_no_removal_of_fields(self) -> None:
        cat, dog, fish = (
            {"type": "object", "properties": {name: TEXT}, "required": [name]} for name in ("meow", "bark", "swim")
        )
        found = reported(api({"oneOf": [cat, dog]}), api({"oneOf": [cat, dog, fish]}))
        assert sorted(found) == [
            ("additive", "POST /runs body", "body-alternative-added"),
            ("breaking", "POST /runs 200", "response-alternative-added"),
        ]

    def test_a_forbidden_field_is_reported_by_name(self) -> None:
        old = {"type": "object", "properties": {"a": TEXT, "b": TEXT}}
        new = {**old, "not": {"required": ["b"]}}
        assert reported(api(old), api(new)) == [
            ("breaking", "POST /runs body b", "body-field-forbidden"),
            ("breaking", "POST /runs 200 b", "response-field-forbidden"),
        ]


def on_path(name: str, *others: str) -> dict[str, Any]:
    document = api()
    document["paths"] = {
        path: {"post": {"parameters": [{"name": n, "in": "path", "required": True, "schema": TEXT}], "responses": {}}}
        for n in (name, *others)
        for path in [f"/runs/{{{n}}}/events" if n == name else f"/of-{n}/{{{n}}}"]
    }
    return document


@pytest.mark.parametrize(
    ("old", "new", "others", "expected"),
    [
        ("task_id", "workflow_run_id", (), "breaking"),
        ("taskId", "runId", (), "breaking"),
        ("task", "run", ("task", "run"), "breaking"),
        ("run_id", "workflow_run_id", ("run_id",), "none"),
        ("run_id", "runId", (), "none"),
        ("id", "run_id", (), "none"),
        ("a", "b", (), "none"),
        ("number", "slug", (), "none"),
    ],
)
def test_another_id_in_a_path_is_breaking(old: str, new: str, others: tuple[str, ...], expected: str) -> None:
    before, after = (on_path(name, *(other for other in others if other != name)) for name in (old, new))
    found = changes(before, after)
    at = [change for change in found if change.kind.startswith(("path-parameter", "parameter-renamed"))]
    assert verdict(at) == expected
    assert len(at) == 1


def test_another_server_template_is_wording() -> None:
    old = api(servers=[{"url": "{base}", "variables": {"base": {"default": "https://a.example/v1"}}}])
    new = api(servers=[{"url": "https://{base}", "variables": {"base": {"default": "a.example/v1"}}}])
    (change,) = changes(old, new)
    assert (change.severity, change.kind) == ("wording", "server")
    assert "https://{base}" in change.what

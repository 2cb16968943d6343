"""Several documents become one, or it is said where they contradict each other."""

from __future__ import annotations

from typing import Any

import pytest
from importer.documents import VendorDocument
from importer.legacy_docs_pages import REBUILT
from importer.merging import merged
from openapi.tree import plain


def document(name: str, **keys: Any) -> VendorDocument:
    part = {"openapi": "3.1.0", "info": {"title": name, "version": "1"}, "paths": {}, **keys}
    return VendorDocument(name, "", [part])


def operation(**keys: Any) -> dict[str, Any]:
    return {"responses": {}, **keys}


def of_schema(name: str, schema: Any) -> VendorDocument:
    return document(name, components={"schemas": {"A": schema}})


def test_what_applies_to_all_operations_is_written_onto_each() -> None:
    tree, collisions = merged(
        [
            document(
                "one",
                servers=[{"url": "/root"}],
                security=[{"Root": []}],
                paths={
                    "/a": {
                        "summary": "of the path",
                        "parameters": [
                            {"name": "x", "in": "query", "schema": {}},
                            {"name": "y", "in": "query", "schema": {}},
                        ],
                        "servers": [{"url": "/path"}],
                        "get": operation(parameters=[{"name": "x", "in": "query", "schema": {"type": "string"}}]),
                        "put": operation(security=[], servers=[{"url": "/own"}]),
                    },
                    "/b": {"get": operation()},
                },
            )
        ]
    )
    assert collisions == []
    paths = plain(tree)["paths"]
    assert paths["/a"] == {
        "get": operation(
            parameters=[
                {"name": "y", "in": "query", "schema": {}},
                {"name": "x", "in": "query", "schema": {"type": "string"}},
            ],
            servers=[{"url": "/path"}],
            security=[{"Root": []}],
        ),
        "put": operation(
            parameters=[{"name": "x", "in": "query", "schema": {}}, {"name": "y", "in": "query", "schema": {}}],
            security=[],
            servers=[{"url": "/own"}],
        ),
    }
    assert paths["/b"]["get"] == operation(servers=[{"url": "/root"}], security=[{"Root": []}])
    assert not {"servers", "security"} & tree.keys()


def test_shared_and_own_parameter_references_are_both_kept() -> None:
    x, y = ({"name": name, "in": "query", "schema": {}} for name in "xy")
    tree, _ = merged(
        [
            document(
                "one",
                components={"parameters": {"X": x, "Y": y}},
                paths={
                    "/a": {
                        "parameters": [{"$ref": "#/components/parameters/X"}, {"$ref": "#/components/parameters/Y"}],
                        "get": operation(parameters=[{"$ref": "#/components/parameters/Y"}]),
                    }
                },
            )
        ]
    )
    assert [given["$ref"][-1] for given in tree["paths"]["/a"]["get"]["parameters"]] == ["X", "Y"]


@pytest.mark.parametrize("path", ["/a/{x}", "/a/{y}"])
def test_the_same_operation_twice_is_a_collision(path: str) -> None:
    one = document("one", paths={"/a/{x}": {"get": operation(), "put": operation()}})
    _, [collision] = merged([one, document("two", paths={path: {"get": operation(), "post": operation()}})])
    assert collision.name == "two"
    assert f"GET {path} is already described by one" in collision.finding.text


def test_one_file_can_collide_with_itself() -> None:
    page = document("one", paths={"/a": {"get": operation()}}).parts[0]
    _, [collision] = merged([VendorDocument("one", "", [page, page])])
    assert "already described by one" in collision.finding.text


def test_a_component_of_one_name_and_one_content_is_one() -> None:
    tree, collisions = merged([of_schema("one", {"type": "string"}), of_schema("two", {"type": "string"})])
    assert (tree["components"]["schemas"], collisions) == ({"A": {"type": "string"}}, [])


@pytest.mark.parametrize("other", [{"type": "integer"}, {"type": "string", "description": "d"}, True])
def test_a_component_with_other_content_is_a_collision(other: Any) -> None:
    _, [collision] = merged([of_schema("one", {"type": "string"}), of_schema("two", other)])
    assert "'A' is already described, and differently, by one" in collision.finding.text


FULL = {"type": "object", "properties": {"a": {"type": "integer", "format": "int64", "x-a": 1}}}
INLINED = {"type": "object", "properties": {"a": {"type": "integer"}}, REBUILT: True}


@pytest.mark.parametrize("schemas", [(FULL, INLINED), (INLINED, FULL), (INLINED, FULL, INLINED)])
def test_a_schema_in_full_wins_over_the_same_one_rebuilt(schemas: Any) -> None:
    tree, collisions = merged([of_schema(str(i), schema) for i, schema in enumerate(schemas)])
    assert (tree["components"]["schemas"], collisions) == ({"A": FULL}, [])


def test_a_rebuilt_schema_that_differs_is_a_collision() -> None:
    _, collisions = merged([of_schema("one", FULL), of_schema("two", {"type": "string", REBUILT: True})])
    assert len(collisions) == 1


def test_security_schemes_may_differ_in_words_only() -> None:
    def scheme(name: str, **keys: str) -> VendorDocument:
        return document(name, components={"securitySchemes": {"Key": {"type": "http", **keys}}})

    one = scheme("one", scheme="bearer", description="eins", bearerFormat="API_KEY")
    assert merged([one, scheme("two", scheme="bearer", description="two")])[1] == []
    assert len(merged([one, scheme("two", scheme="basic", description="eins")])[1]) == 1


def test_tags_are_put_together_by_name() -> None:
    a, b, c = ({"name": name} for name in "abc")
    tree, _ = merged([document("one", tags=[a, b]), document("two", tags=[b, c])])
    assert tree["tags"] == [a, b, c]

"""Whatever two descriptions say, they are compared: never a crash, and never a difference that is none."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest
from diff.changes import Change, verdict
from diff.events import reached
from diff.load import described, read
from diff.operations import compared
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lint import checks
from openapi import structure
from openapi.parse import read_yaml
from openapi.tree import plain
from openapi.upgrade import upgraded

ROOT = Path(__file__).parent.parent.parent
NAMES = ["A", "B", "C"]
WORDS = st.sampled_from(["a", "b", "c", "id", "data"])
LIMITS = st.integers(0, 5)

scalars = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "minLength": LIMITS,
            "maxLength": st.integers(5, 9),
            "format": st.sampled_from(["uuid", "date-time", "binary"]),
            "pattern": st.sampled_from(["^a", "b$"]),
            "description": WORDS,
        },
    ),
    st.fixed_dictionaries({"type": st.just("string"), "enum": st.lists(WORDS, min_size=1, max_size=4, unique=True)}),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"])},
        optional={"minimum": LIMITS, "exclusiveMaximum": st.integers(5, 9), "format": st.just("int64")},
    ),
    st.fixed_dictionaries({"type": st.just("boolean")}, optional={"default": st.booleans()}),
    st.fixed_dictionaries({"type": st.lists(st.sampled_from(["string", "integer", "null"]), min_size=1, unique=True)}),
    st.fixed_dictionaries({"const": WORDS}),
    st.just({}),
)
references = st.sampled_from([{"$ref": f"#/components/schemas/{name}"} for name in NAMES])


def composed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(WORDS, inner, max_size=3)},
        optional={
            "required": st.lists(WORDS, max_size=2, unique=True),
            "additionalProperties": st.one_of(st.booleans(), inner),
            "title": WORDS,
        },
    )
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        objects,
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional={"maxItems": LIMITS}),
        st.fixed_dictionaries({"allOf": several}),
        st.fixed_dictionaries({"anyOf": several}),
        st.fixed_dictionaries({"oneOf": several}, optional={"nullable": st.just(True)}),
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries(
            {
                "oneOf": st.just([{"$ref": f"#/components/schemas/{name}"} for name in NAMES]),
                "discriminator": st.fixed_dictionaries(
                    {"propertyName": WORDS},
                    optional={"mapping": st.dictionaries(WORDS, st.sampled_from(NAMES), min_size=1, max_size=3)},
                ),
            }
        ),
    )


schemas = st.recursive(st.one_of(scalars, references), composed, max_leaves=6)
locations = st.sampled_from(["query", "header", "cookie"])
parameters = st.lists(
    st.builds(
        lambda name, location, schema, required: {
            "name": name,
            "in": location,
            "schema": schema,
            "required": required,
        },
        WORDS,
        locations,
        schemas,
        st.booleans(),
    ),
    max_size=3,
    unique_by=lambda parameter: (parameter["name"], parameter["in"]),
)
contents = st.dictionaries(
    st.sampled_from(["application/json", "text/event-stream", "multipart/form-data"]),
    st.one_of(st.just({}), st.builds(lambda schema: {"schema": schema}, schemas)),
    max_size=2,
)
responses = st.dictionaries(
    st.sampled_from(["200", "201", "400", "4XX", "default"]),
    st.builds(lambda content: {"description": "d", "content": content}, contents),
    min_size=1,
    max_size=3,
)
operations = st.fixed_dictionaries(
    {"responses": responses},
    optional={
        "parameters": parameters,
        "requestBody": st.builds(lambda c, r: {"content": c, "required": r}, contents, st.booleans()),
        "operationId": WORDS,
        "deprecated": st.booleans(),
        "security": st.lists(st.just({"key": []}), max_size=1),
    },
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    paths = draw(
        st.dictionaries(
            st.sampled_from(["/a", "/a/b", "/c"]),
            st.dictionaries(st.sampled_from(["get", "post"]), operations, min_size=1, max_size=2),
            min_size=1,
            max_size=2,
        )
    )
    named = {name: draw(schemas) for name in NAMES}
    if draw(st.booleans()):  # events that no operation refers to
        values = draw(st.dictionaries(WORDS, st.sampled_from(NAMES), min_size=1, max_size=3))
        named["Chunk"] = {"type": "object", "discriminator": {"propertyName": "event", "mapping": values}}
    components = {
        "schemas": named,
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
    }
    version = draw(st.sampled_from(["3.0.3", "3.1.0"]))
    return {
        "openapi": version,
        "info": {"title": draw(WORDS), "version": "1"},
        "paths": paths,
        "components": components,
    }


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    return compared(*[described([upgraded(copy.deepcopy(document))]) for document in (old, new)])


quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(documents())
def test_nothing_differs_from_itself(document: dict[str, Any]) -> None:
    assert changes(document, document) == []


@quick
@given(documents(), documents())
def test_any_two_documents_compare_and_changes_have_places(old: dict[str, Any], new: dict[str, Any]) -> None:
    found = changes(old, new)
    assert all(change.where and change.what for change in found)
    assert [change.severity for change in found] == sorted(
        (change.severity for change in found), key=("breaking", "additive", "wording").index
    )
    # What is removed one way is added the other way.
    back = changes(new, old)
    names = [{change.where for change in side if change.what == "the operation is gone"} for side in (found, back)]
    others = [{change.where for change in side if change.what == "the operation is new"} for side in (back, found)]
    assert names == others
    assert (verdict(found) == "none") == (verdict(back) == "none")


def reworded(node: Any, chance: random.Random, kind: str = "") -> Any:
    """The same document in other words: other order, other names of schemas, other texts."""
    if isinstance(node, list):
        return [reworded(item, chance, kind) for item in node]
    if not isinstance(node, dict):
        is_name = isinstance(node, str) and node.startswith("#/components/schemas/")
        return f"{node}Renamed" if is_name else node
    items = [(key, reworded(value, chance, key)) for key, value in node.items()]
    if kind == "schemas":
        items = [(f"{key}Renamed", value) for key, value in items]
    if kind == "mapping":
        items = [(key, value if value[0] == "#" else f"#/components/schemas/{value}Renamed") for key, value in items]
    if kind not in {"properties", "mapping", "schemas", "paths"}:
        if "$ref" not in node and ("type" in node or "anyOf" in node):
            items.append(("title", "T"))
        items = [(key, f"{value} x" if key in {"description", "operationId"} else value) for key, value in items]
    chance.shuffle(items)
    return dict(items)


@quick
@given(documents(), st.integers(0, 10**6))
def test_other_words_order_and_names_are_wording(document: dict[str, Any], seed: int) -> None:
    other = reworded(document, random.Random(seed))  # noqa: S311 - no secret
    assert verdict(changes(document, other)) == "none"
    assert verdict(changes(other, document)) == "none"


@quick
@given(documents())
def test_a_3_0_document_equals_its_3_1_conversion(document: dict[str, Any]) -> None:
    document["openapi"] = "3.0.3"
    assert changes(document, plain(upgraded(copy.deepcopy(document)))) == []


def objects(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas of objects with fields that an operation leads to, in the order in which they are written."""
    used = reached(document, document["paths"])
    found = [part.node for part in structure.schemas(document) if id(part.node) in used and part.node.get("properties")]
    assert len(found) > 50
    return found


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_new_optional_field_is_additive_and_its_removal_breaks(data: st.DataObject) -> None:
    more = copy.deepcopy(SPEC)
    schema = data.draw(st.sampled_from(objects(more)))
    schema["properties"]["zz_new"] = data.draw(st.sampled_from([{"type": "string"}, {}, {"type": ["object", "null"]}]))
    found = changes(SPEC, more)
    assert verdict(found) == "additive"
    assert all("zz_new" in change.where for change in found)
    assert verdict(changes(more, SPEC)) == "breaking"


def holders(node: Any, found: list[dict[str, Any]], kind: str = "") -> list[dict[str, Any]]:
    """The schemas of the compiled spec that stand where a program sends, or receives, their values."""
    if isinstance(node, dict):
        if "type" in node and kind not in {"properties", "securitySchemes"}:
            found.append(node)
        for key, value in node.items():
            if key not in {"examples", "example", "securitySchemes"}:
                holders(value, found, key)
    elif isinstance(node, list):
        for item in node:
            holders(item, found)
    return found


SPEC_FILE = ROOT / "spec" / "openapi.yaml"
SPEC: dict[str, Any] = plain(read_yaml(SPEC_FILE.read_text("utf-8")))


OPEN = [SPEC["components"]["schemas"][name] for name in ("ResponseMode", "FileType", "FileTransferMethod")]
"""What a request may also send as any other string: without them, all that was taken still is."""


@pytest.mark.parametrize("part", range(2))
def test_every_retyped_schema_of_the_spec_is_breaking(part: int) -> None:
    count = len(holders(copy.deepcopy(SPEC), []))
    assert count > 200
    silent = []
    for i in range(part, count, 40):
        document = copy.deepcopy(SPEC)
        schema = holders(document, [])[i]
        before = dict(schema)
        schema.clear()
        schema.update({"type": "string" if "boolean" in before["type"] else "boolean"})
        if verdict(changes(SPEC, document)) != "breaking" and before not in OPEN:
            silent.append(before)
    assert not silent


def test_the_documents_of_the_tests_are_valid_openapi() -> None:
    counted = 0

    @settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(documents())
    def count(document: dict[str, Any]) -> None:
        nonlocal counted
        document["openapi"] = "3.1.0"
        counted += not checks.validator_findings(document)

    count()
    assert counted >= 1


def test_stored_documents_do_not_differ_from_themselves() -> None:
    for path in [ROOT / "spec" / "openapi.yaml", *(ROOT / "spec" / "upstream").iterdir()]:
        assert compared(read(path), read(path)) == []


@pytest.mark.parametrize(
    "path", [SPEC_FILE, *(ROOT / "spec" / "upstream").glob("*.structure.yaml")], ids=lambda path: path.name
)
def test_stored_documents_in_other_words_are_the_same(path: Path) -> None:
    document = plain(read_yaml(path.read_text("utf-8")))
    other = reworded(document, random.Random(1))  # noqa: S311 - no secret
    found = changes(document, other)
    assert verdict(found) == verdict(changes(other, document)) == "none"
    assert any(change.kind == "schema-renamed" for change in found)

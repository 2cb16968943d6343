"""What real documents have and the spec chain does not: carried, put right with a note, or refused with what to do."""

from __future__ import annotations

import importlib
import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from diff.changes import verdict
from diff.load import described
from diff.operations import compared
from generator.problems import GenerationError
from hypothesis import given, settings
from hypothesis import strategies as st
from importer.documents import read_document
from importer.merging import merged
from importer.storage import take_in
from importer.texts import put_right
from openapi.diagnostics import SpecError
from openapi.parse import HELD, read_yaml
from openapi.serialize import text_of
from openapi.tree import plain
from support.generated_packages import document, files_of, imported, operation
from support.page_exports import older_page

if TYPE_CHECKING:
    from pathlib import Path

TEXT = {"type": "string"}
SOFT = list(HELD.values())


def api(version: str = "3.1.0", **parts: Any) -> dict[str, Any]:
    """A document with one operation and one schema."""
    response = {"description": "A thing.", "content": {"application/json": {"schema": {"$ref": REF}}}}
    return {
        "openapi": version,
        "info": {"title": "T", "version": "1"},
        "paths": {"/things": {"get": {"operationId": "read_it", "tags": ["things"], "responses": {"200": response}}}},
        "components": {"schemas": {"Thing": {"type": "object", "properties": {"id": {"type": "string"}}}}},
        **parts,
    }


REF = "#/components/schemas/Thing"


def read(tree: Any, name: str = "a.json") -> tuple[dict[str, Any], list[str]]:
    """What a document becomes, and the notes on it."""
    found = read_document(name, json.dumps(tree, indent=1).encode())
    return plain(found.parts[0]), [note.said(name) for note in found.notes]


class TestTexts:
    """Line ends that only some programs know, and marks of the direction of writing."""

    @pytest.mark.parametrize("is_escaped", [True, False])
    @pytest.mark.parametrize("kind", ["json", "yaml"])
    def test_texts_are_put_right_with_a_note(self, kind: str, is_escaped: bool) -> None:
        given = "one\r\ntwo\u2028three\x85four\u202efive\u2069"
        tree = api()
        tree["components"]["schemas"]["Thing"]["properties"]["id"]["description"] = given
        tree["info"]["description"] = given
        tree["components"]["schemas"]["Thing"]["examples"] = [{"id": given}]
        text = json.dumps(tree, indent=1, ensure_ascii=is_escaped)
        data = ("# A comment, so that it is no JSON.\n" * (kind == "yaml") + text).encode()
        found = read_document("a", data)
        thing = plain(found.parts[0])["components"]["schemas"]["Thing"]
        righted = "one\ntwo\nthree\nfourfive"
        assert thing["properties"]["id"]["description"] == thing["examples"][0]["id"] == righted
        assert found.parts[0]["info"]["description"] == righted
        assert len(found.notes) == 3
        assert all("lines are ended by LF" in note.text and note.line > 1 for note in found.notes)

    @pytest.mark.parametrize("character", SOFT)
    def test_values_that_are_sent_or_compared_are_never_changed(self, character: str) -> None:
        for place in ("enum", "default", "pattern", "property", "path", "name"):
            tree = api()
            thing = tree["components"]["schemas"]["Thing"]
            if place == "property":
                thing["properties"][f"a{character}b"] = TEXT
            elif place == "path":
                tree["paths"][f"/a{character}b"] = tree["paths"].pop("/things")
            elif place == "name":
                parameter = {"name": f"a{character}b", "in": "query", "schema": TEXT}
                tree["paths"]["/things"]["get"]["parameters"] = [parameter]
            else:
                value = f"a{character}b"
                thing["properties"]["id"] |= {place: [value] if place == "enum" else value}
            with pytest.raises(
                SpecError, match=rf"a\.json:\d+: character U\+{ord(character):04X} is not allowed|:\d+: "
            ):
                read(tree)

    def test_a_character_that_stands_for_others_is_refused(self) -> None:
        for text in ("\uf500", "a\uf503"):
            tree = api()
            tree["info"]["description"] = text
            with pytest.raises(SpecError, match="private use"):
                read_document("a", json.dumps(tree, ensure_ascii=False).encode())

    @settings(max_examples=80, deadline=None)
    @given(st.text(st.sampled_from([*SOFT, *"\n ab:#-'\"|>é\t"]), max_size=120))
    def test_any_text_passes_the_chain_with_plain_line_ends(self, text: str) -> None:
        tree = api()
        tree["components"]["schemas"]["Thing"]["description"] = text
        part, notes = read(tree)
        found = part["components"]["schemas"]["Thing"]["description"]
        expected = text.replace("\r\n", "\n")
        for character in SOFT:
            expected = expected.replace(character, "\n" if character in "\r\x85\u2028\u2029" else "")
        assert found == expected
        assert bool(notes) == (found != text)
        assert plain(read_yaml(text_of(part, "A comment.")))["components"]["schemas"]["Thing"]["description"] == found

    def test_what_was_put_right_needs_no_second_time(self) -> None:
        tree = api()
        tree["info"]["title"] = "a\r\nb"
        part, _ = read(tree)
        assert put_right(part) == []


@pytest.mark.parametrize("text", [" a", " a" * 60, "  a\n  b", " \n a\n\n b " * 9, "   "])
def test_text_that_begins_with_a_space_is_written(text: str) -> None:
    assert plain(read_yaml(text_of({"a": text, "b": [text]}, "A comment."))) == {"a": text, "b": [text]}


class TestWhatIsNoPartOfAClient:
    """Webhooks, callbacks, and what only decorates a page."""

    CALL = {"post": {"requestBody": {"content": {}}, "responses": {"204": {"description": "Yes."}}}}  # noqa: RUF012 - never changed

    def test_webhooks_are_noted_and_left_out(self) -> None:
        part, notes = read(api(webhooks={"done": self.CALL}))
        assert "webhooks" not in part
        assert len(notes) == 1
        assert "#/webhooks/done: a webhook is a call to the user" in notes[0]

    def test_callbacks_are_no_operations(self, tmp_path: Path) -> None:
        tree = api()
        tree["paths"]["/things"]["get"]["callbacks"] = {"done": {"{$request.query.url}": self.CALL}}
        path = tmp_path / "a.json"
        path.write_text(json.dumps(tree))
        upstream = tmp_path / "upstream"
        upstream.mkdir()
        assert take_in(path, upstream).operations == ["GET /things"]

    @pytest.mark.parametrize("key", ["x-mint", "xMint", "x-mint-hidden"])
    def test_decoration_is_noted_and_left_out(self, key: str) -> None:
        tree = api(**{key: {"hidden": True}})
        tree["paths"]["/things"]["get"][key] = {"content": "<b>"}
        tree["components"]["schemas"]["Thing"]["properties"][key] = TEXT  # a name, and no decoration
        part, notes = read(tree)
        assert len(notes) == 2
        assert all("only decorates" in note for note in notes)
        assert key not in part
        assert key not in part["paths"]["/things"]["get"]
        assert key in part["components"]["schemas"]["Thing"]["properties"]

    def test_a_page_may_state_the_style_of_a_parameter(self) -> None:
        tree = api("3.0.3", servers=[])
        array = {"type": "array", "items": TEXT}
        tree["paths"]["/things"]["get"] |= {"security": [], "summary": "S", "description": "D"}
        tree["paths"]["/things"]["get"]["parameters"] = [{"name": "ids", "in": "query", "schema": array}]
        page = older_page(tree, "get", "/things")
        page = page.replace("        ids:\n", "        ids:\n          style: form\n          explode: false\n", 1)
        page = page.replace("paths:\n", "x-mint: {}\npaths:\n", 1)
        (parameter,) = read_document("a.md", page.encode()).parts[0]["paths"]["/things"]["get"]["parameters"]
        assert (parameter["style"], parameter["explode"]) == ("form", False)


class TestVersions:
    """A document is judged by the version that it states."""

    def test_what_only_3_0_allows_is_taken(self) -> None:
        tree = api("3.0.3", servers=[{"url": "https://{host}/", "variables": {"host": {"default": "a", "enum": []}}}])
        header = {"name": "X-A", "in": "header", "allowEmptyValue": False, "allowReserved": False, "schema": TEXT}
        tree["paths"]["/things"]["get"]["parameters"] = [header]
        tree["servers"][0]["variables"]["host"].pop("enum")
        part, _ = read(tree)
        assert part["paths"]["/things"]["get"]["parameters"] == [{"name": "X-A", "in": "header", "schema": TEXT}]

    @pytest.mark.parametrize(
        "schema", [{"type": ["string", "null"]}, {"const": "a"}, {"type": "string", "examples": ["a"]}]
    )
    def test_what_only_3_1_allows_is_refused(self, schema: Any) -> None:
        for version, is_right in (("3.1.0", True), ("3.0.3", False)):
            tree = api(version)
            tree["components"]["schemas"]["Thing"]["properties"]["id"] = schema
            if is_right:
                read(tree)
            else:
                with pytest.raises(SpecError, match="not valid OpenAPI"):
                    read(tree)

    @pytest.mark.parametrize("name", ["1Thing", "_thing", "-a", "Thing.v1..2", "a.b-c_d"])
    def test_component_names_are_those_of_the_standard(self, name: str) -> None:
        tree = json.loads(json.dumps(api()).replace("schemas/Thing", f"schemas/{name}").replace('"Thing"', f'"{name}"'))
        part, _ = read(tree)
        assert list(part["components"]["schemas"]) == [name]


ARRAY = {"type": "array", "items": TEXT}


def generated(tmp_path: Path, spec: dict[str, Any]) -> Any:
    with imported(spec, tmp_path) as package:
        return importlib.import_module(package.__name__ + ".api.things.read_it")


class TestStyles:
    """How arrays are written in a query."""

    def sent(self, tmp_path: Path, values: Any, schema: Any = None, **how: Any) -> Any:
        parameter = {"name": "ids", "in": "query", "schema": schema or ARRAY, **how}
        spec = document(paths={"/a": {"get": operation(parameters=[parameter])}})
        return generated(tmp_path, spec).build_request(ids=values).params

    @pytest.mark.parametrize(
        ("how", "expected"),
        [
            ({}, (("ids", "a"), ("ids", "b"))),
            ({"style": "form", "explode": True}, (("ids", "a"), ("ids", "b"))),
            ({"explode": False}, (("ids", "a,b"),)),
            ({"style": "pipeDelimited"}, (("ids", "a|b"),)),
            ({"style": "spaceDelimited", "explode": False}, (("ids", "a b"),)),
        ],
    )
    def test_a_style_is_carried(self, tmp_path: Path, how: dict[str, Any], expected: Any) -> None:
        assert self.sent(tmp_path, ["a", "b"], **how) == expected

    def test_nullable_and_composed_arrays_are_arrays(self, tmp_path: Path) -> None:
        for number, schema in enumerate(({"type": ["array", "null"], "items": TEXT}, {"allOf": [ARRAY]})):
            assert self.sent(tmp_path / str(number), ["a", "b"], schema, explode=False) == (("ids", "a,b"),)

    def test_an_item_with_the_separator_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"ids\[1\] must not contain ','"):
            self.sent(tmp_path, ["a", "b,c"], explode=False)
        assert self.sent(tmp_path / "empty", [], explode=False) == ()

    @pytest.mark.parametrize(
        ("how", "schema"),
        [
            ({"style": "pipeDelimited", "explode": True}, ARRAY),
            ({"style": "deepObject"}, ARRAY),
            ({"style": "pipeDelimited"}, TEXT),
            ({"style": "matrix"}, ARRAY),
        ],
    )
    def test_any_other_style_is_refused_with_what_is_supported(self, tmp_path: Path, how: Any, schema: Any) -> None:
        with pytest.raises(GenerationError, match="'form' is, and for an array without explode"):
            self.sent(tmp_path, [], schema, **how)

    def test_a_path_has_no_other_style_than_simple(self, tmp_path: Path) -> None:
        parameter = {"name": "a", "in": "path", "required": True, "schema": TEXT, "style": "label"}
        with pytest.raises(GenerationError, match="only 'simple' is"):
            generated(tmp_path, document(paths={"/x/{a}": {"get": operation(parameters=[parameter])}}))


INT, INT_OR_NULL = {"type": "integer"}, {"type": ["integer", "null"]}


@pytest.mark.parametrize("in_reference", [False, True])
@given(values=st.lists(st.sampled_from([{}, INT, INT_OR_NULL, TEXT, ARRAY, {"enum": ["a"]}]), min_size=2, max_size=3))
@settings(max_examples=15, deadline=None)
def test_an_all_of_that_contradicts_itself_is_refused(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], in_reference: bool
) -> None:
    base, *others = ({"type": "object", "properties": {"count": value, "other": TEXT}} for value in values)
    members = [{"$ref": "#/components/schemas/Base"} if in_reference else base, *others]
    spec = document(schemas={"Base": base, "Thing": {"allOf": members}})
    if all(value == values[0] for value in values):
        with imported(spec, tmp_path_factory.mktemp("same")) as package:
            given = {"count": 1, "other": "x"}
            assert package.models.Thing.from_dict(given).to_dict() == given
    else:
        with pytest.raises(GenerationError, match=r"Thing/properties/count: members of an allOf .* in an overlay"):
            files_of(spec, tmp_path_factory.mktemp("different"))


def test_a_spec_without_schemas_is_generated(tmp_path: Path) -> None:
    with imported(
        document(paths={"/a": {"get": operation(responses={"204": {"description": ""}})}}), tmp_path
    ) as package:
        assert package.models.__all__ == []


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"parameters": [{"name": "X-A", "in": "header", "schema": TEXT}]}, "default_headers"),
        (
            {
                "responses": {
                    "200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}},
                    "204": {"description": ""},
                }
            },
            "leave one of the responses out",
        ),
        (
            {"responses": {"200": {"description": "", "content": {"application/json": {"schema": ARRAY}}}}},
            "describe in an overlay",
        ),
    ],
)
def test_what_is_not_carried_is_refused_with_what_to_do(tmp_path: Path, parts: dict[str, Any], said: str) -> None:
    with pytest.raises(GenerationError, match=said):
        generated(tmp_path, document(paths={"/a": {"get": operation(**parts)}}))


names = st.sampled_from(["a", "b", "id", "x"])
schemas = st.recursive(
    st.sampled_from([TEXT, INT, INT_OR_NULL, {"type": "string", "enum": ["u", "v"]}, {"$ref": REF}]),
    lambda inner: st.one_of(
        st.builds(lambda fields: {"type": "object", "properties": fields}, st.dictionaries(names, inner, max_size=3)),
        st.builds(lambda items: {"type": "array", "items": items}, inner),
    ),
    max_leaves=5,
)


@settings(max_examples=40, deadline=None)
@given(schemas, st.sampled_from(["a", " b", "c\r\nd", "e\u2028"]), st.booleans())
def test_an_imported_document_means_what_it_meant(schema: Any, text: str, is_decorated: bool) -> None:
    tree = api()
    tree["paths"]["/things"]["get"]["description"] = text
    tree["paths"]["/things"]["get"] |= {"xMint": 1} if is_decorated else {}
    tree["components"]["schemas"]["Thing"]["properties"] = {"f": schema}
    found = read_document("a.json", json.dumps(tree).encode())
    whole, collisions = merged([found])
    assert not collisions
    written = plain(read_yaml(text_of(plain(whole), "A comment.")))
    sides = itertools.permutations([described([tree]), described([written])], 2)
    assert [verdict(compared(old, new)) for old, new in sides] == ["none", "none"]

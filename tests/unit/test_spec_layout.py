"""The compiled document's text is the same for the same document, reads well, and says what the document says."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from openapi.parse import SourceError, decoded, read_yaml
from openapi.serialize import ordered, text_of
from openapi.tree import plain

TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"]), max_size=30),
    st.text("ab :#-\n\"'|>&*!%@`{}[]\\\t", max_size=150),
    st.sampled_from(
        ["yes", "No", "on", "null", "~", "1", "1.0", "0x1", "2026-11-22", "12:30:45", "=", "<<x", "", " a"]
    ),
)
VALUES = st.recursive(
    TEXT | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(TEXT.filter(lambda key: key != "<<"), VALUES, max_size=4))
def test_any_document_is_read_back_as_it_was(document: dict[str, Any]) -> None:
    try:
        text = text_of(document, "")
    except SourceError:  # what no reader of ours takes: direction marks, numbers without end
        return
    assert plain(read_yaml(decoded(text.encode()))) == document


@given(st.lists(TEXT, max_size=5))
def test_a_reader_of_yaml_1_1_finds_the_same_text(values: list[str]) -> None:
    try:
        text = text_of({"values": values}, "")
    except SourceError:
        return
    assert yaml.safe_load(text) == {"values": values}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("short", "a: short\n"),
        ("für 中文 😀", "a: für 中文 😀\n"),
        ("200", "a: '200'\n"),
        ("no", "a: 'no'\n"),
        ("1.2.3", "a: '1.2.3'\n"),
        ("two\nlines\n", "a: |\n  two\n  lines\n"),
        ("- a list\n- of two", "a: |-\n  - a list\n  - of two\n"),
        ("one\n\ntwo", "a: >-\n  one\n\n\n  two\n"),
        ([], "a: []\n"),
        ({"b": [1, {"c": None}]}, "a:\n  b:\n    - 1\n    - c: null\n"),
    ],
)
def test_text_is_laid_out_for_readers(value: Any, text: str) -> None:
    assert text_of({"a": value}, "") == text


def test_long_paragraphs_are_wrapped() -> None:
    text = "a word " * 100 + "and the last"
    lines = text_of({"a": {"b": text}}, "").split("\n")
    assert lines[:2] == ["a:", "  b: >-"]
    assert all(100 < len(line) <= 120 for line in lines[2:-2])
    assert " ".join(line.strip() for line in lines[2:]).strip() == text


def test_one_object_used_twice_is_written_twice() -> None:
    shared = {"type": "string"}
    assert text_of({"a": shared, "b": shared}, "") == "a:\n  type: string\nb:\n  type: string\n"


def test_a_header_is_a_comment() -> None:
    assert text_of({"a": 1}, "Made by x.\n\nNot by y.") == "# Made by x.\n#\n# Not by y.\na: 1\n"


def test_keys_are_ordered_by_what_they_belong_to() -> None:
    document = ordered(
        {
            "paths": {
                "/b": {},
                "/a": {"put": {}, "get": {"responses": {"default": {}, "500": {}, "200": {}}, "operationId": "x"}},
            },
            "components": {
                "schemas": {
                    "B": {"properties": {"type": {}, "description": {}, "a": {"type": "string", "description": "d"}}},
                    "A": {"x-z": 1, "type": "object"},
                }
            },
            "openapi": "3.1.0",
        }
    )
    assert list(document) == ["openapi", "paths", "components"]
    assert list(document["paths"]) == ["/a", "/b"]
    assert list(document["paths"]["/a"]) == ["get", "put"]
    assert list(document["paths"]["/a"]["get"]) == ["operationId", "responses"]
    assert list(document["paths"]["/a"]["get"]["responses"]) == ["200", "500", "default"]
    assert list(document["components"]["schemas"]) == ["A", "B"]
    assert list(document["components"]["schemas"]["A"]) == ["type", "x-z"]
    properties = document["components"]["schemas"]["B"]["properties"]
    assert list(properties) == ["type", "description", "a"]
    assert list(properties["a"]) == ["description", "type"]

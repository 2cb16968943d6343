"""Text from outside is read as data, with its lines, or refused on the line that is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi.parse import MAX_DEPTH, SourceError, decoded, read_json, read_yaml
from openapi.tree import line_of, plain

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(st.characters(categories=["L", "N", "Zs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcd:# ", max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_json_is_read_as_the_standard_library_reads_it(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=2, ensure_ascii=False)):
        assert plain(read_json(decoded(text.encode()))) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("200: a", {"200": "a"}),
        ("true: a\nnull: b\n~: c\n1.50: d", {"true": "a", "null": "b", "~": "c", "1.50": "d"}),
        ("[yes, no, on, 'true', \"1\"]", ["yes", "no", "on", "true", "1"]),
        ("[true, FALSE, null, ~, Null]", [True, False, None, None, None]),
        ("[0x1F, 0o17, -3, +4, 1.5, 1e3, .5]", [31, 15, -3, 4, 1.5, 1000.0, 0.5]),
        ("[2026-11-22, 2026-11-22T01:02:03Z, 12:30:00]", ["2026-11-22", "2026-11-22T01:02:03Z", "12:30:00"]),
        ("[!!str 5, ! 6]", ["5", "6"]),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
        ('"\\ud83d"', "U+D83D is not allowed"),
        ("a: |\n  two\n  lines\n", {"a": "two\nlines\n"}),
    ],
)
def test_yaml_is_read_by_the_core_schema(text: str, value: Any) -> None:
    if isinstance(value, str) and "allowed" in value:
        with pytest.raises(SourceError, match=r"not allowed|not YAML"):
            read_yaml(text)
        return
    assert plain(read_yaml(text)) == value


def test_an_alias_gives_a_copy() -> None:
    tree = read_yaml("a: &x {b: [1]}\nc: *x")
    tree["c"]["b"].append(2)
    assert tree["a"] == {"b": [1]}


def test_lines_are_those_of_the_file() -> None:
    text = "a:\n  b:\n    - 1\n\n    - c: 2\n"
    tree = read_yaml(text, first_line=11)
    assert [line_of(tree, where) for where in [(), ("a",), ("a", "b"), ("a", "b", 1), ("a", "b", 1, "c")]] == [
        *(11, 11, 12, 15, 15)
    ]
    tree = read_json('{"a":\n {"b":\n  [1,\n\n  {"c": 2}]}}')
    assert [line_of(tree, where) for where in [(), ("a",), ("a", "b"), ("a", "b", 1), ("a", "b", 1, "c")]] == [
        *(1, 1, 2, 5, 5)
    ]


def test_what_has_no_line_gets_the_line_of_what_is_around_it() -> None:
    tree = read_yaml("a:\n  b:\n    c: 1\n")
    assert line_of(tree, ("a", "b", "x", "y", 3)) == 2
    assert line_of({}, ("a",)) == 1


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2", 4, "the key 'c' is given twice, first on line 3"),
        ("200: a\n'200': b", 2, "given twice"),
        (BOMB, 6, "more than 300,000 values"),
        ("a: 1\nb: &x\n  - *x", 3, "*x stands for nothing before it, or for what it is in"),
        ("a: *x", 1, "*x stands for nothing before it"),
        ("a: 1\nb: !!python/object/apply:os.system ['true']", 2, "the tag tag:yaml.org,2002:python/object/apply"),
        ("a: !!int '5'", 1, "the tag"),
        ("a: !own 5", 1, "the tag !own"),
        ("a: 1\n---\nb: 2", 2, "a second YAML document"),
        ("a: {x: 1}\nb:\n  <<: {y: 2}", 3, "merge key"),
        ("? [a, b]\n: 1", 1, "a mapping key must be a string"),
        ("a: 1\nb: [.inf]", 2, "not a JSON number"),
        ("a: 1\nb: 1e999", 2, "too large"),
        ("a: " + "9" * 41, 1, "a number of 41 characters"),
        ("a: 1\n\tb: 2", 2, "not YAML"),
        ("a:\n  - b\n c: 1", 3, "not YAML"),
        ("a: 'never closed\nb: 2\n", 3, "not YAML"),
        ('a: 1\nb: "\\x00"', 2, "U+0000 is not allowed"),
        ('a: "\\u202e"', 1, "U+202E is not allowed"),
        ('a: 1\nb: "\\Uffffffff"', 2, "not YAML"),
        ("a: 1\nb: @", 2, "not YAML"),
        ("%YAML 3.0\n---\na: 1", 1, "not YAML"),
        ("- " * (MAX_DEPTH + 1) + "a", 1, "64 levels"),
    ],
)
def test_yaml_that_could_hurt_is_refused_on_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_yaml(text)
    assert (caught.value.line, said in caught.value.text) == (line, True), caught.value


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('{"a": 1,\n "a": 2}', 2, "the key 'a' is given twice, first on line 1"),
        ('{"a":\n [NaN]}', 2, "NaN is not a JSON number"),
        ('{"a":\n -Infinity}', 2, "-Infinity is not a JSON number"),
        ('{"a": 1,\n\n}', 3, "not JSON"),
        ('{"a": 1}\n{"b": 2}', 2, "not JSON"),
        ('{"a":\n "\\ud800"}', 2, "U+D800 is not allowed"),
        ('{"\\u0000": 1}', 1, "U+0000 is not allowed"),
        ('{"a": 1e999}', 1, "too large"),
        ("[" * 65 + "]" * 65, 1, "64 levels"),
        ("[" * 500_000, 1, "64 levels"),
        ('{"a": 1, // why\n "b": 2}', 1, "not JSON"),
        ("{'a': 1}", 1, "not JSON"),
    ],
)
def test_json_that_could_hurt_is_refused_on_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_json(text)
    assert (caught.value.line, said in caught.value.text) == (line, True), caught.value


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (b"a: 1\nb: \xff", 2, "byte 0xff is not UTF-8"),
        ("a: 1".encode("utf-16"), 1, "is not UTF-8"),
        ("a\nb\nCafé".encode("latin-1"), 3, "byte 0xe9 is not UTF-8"),
        (b"a: 1\n\x00", 2, "U+0000 is not allowed"),
        (b"a: 1\rb: 2", 1, "U+000D is not allowed"),
        ("a: 1\nb: \u2028".encode(), 2, "U+2028 is not allowed"),
        ("a: 1\nb: a\u202eb".encode(), 2, "U+202E is not allowed"),
        (b"a: \x1b[31m", 1, "U+001B is not allowed"),
    ],
)
def test_bytes_that_are_not_plain_text_are_refused_on_their_line(data: bytes, line: int, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        decoded(data)
    assert (caught.value.line, said in caught.value.text) == (line, True), caught.value


def test_windows_line_ends_and_a_byte_order_mark_are_taken_off() -> None:
    assert decoded(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n") == "a: 1\nb: 2\n"


YAML_PIECES = st.lists(
    st.sampled_from(
        [*"{}[],:-?&*!|>'\"%@`#~ \n\t", "a", "&a ", "*a", "<<: ", "!!str ", "---\n", "...\n", "\\x", "0x", "  ", "1e9"]
    ),
    max_size=40,
).map("".join)


@settings(deadline=None)
@given(st.one_of(YAML_PIECES, st.text(max_size=60)))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (read_yaml, read_json):
        try:
            tree = read(decoded(text.encode()))
        except (SourceError, UnicodeEncodeError):
            continue
        json.dumps(tree, allow_nan=False).encode("ascii")

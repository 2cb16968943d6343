"""Overlays follow OpenAPI Overlay 1.0, and two rules of this project: no action without effect, or without a reason."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from openapi.diagnostics import SpecError
from openapi.parse import read_yaml
from overlays.actions import applied, check_overlay, read_overlay

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = {
    "info": {"title": "t", "x": {"a": 1, "b": {"c": 2}}},
    "tags": [{"name": "a"}, {"name": "b", "old": True}, {"name": "c", "old": True}],
    "paths": {
        "/things": {"get": {"tags": ["x"], "responses": {"200": {"description": "old"}}}, "put": {"tags": ["x"]}},
        "/others/{id}": {"get": {"tags": ["y"]}},
    },
}
REASON = {"description": "Because."}


def overlay(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": [REASON | a for a in actions]}


def result(*actions: dict[str, Any], document: Any = DOCUMENT) -> dict[str, Any]:
    made = overlay(*actions)
    assert check_overlay(made) == []
    return applied(document, made, "test.yaml")


@pytest.mark.parametrize(
    ("target", "update", "where", "expected"),
    [
        ("$.info", {"title": "new"}, ("info", "title"), "new"),
        ("$.info", {"added": None}, ("info", "added"), None),
        ("$.info", {"x": {"b": {"d": 3}}}, ("info", "x"), {"a": 1, "b": {"c": 2, "d": 3}}),
        ("$.info", {"x": {"b": "text"}}, ("info", "x", "b"), "text"),
        ("$.info", {"x": {"a": {"now": "a mapping"}}}, ("info", "x", "a"), {"now": "a mapping"}),
        ("$.info", {"x": {"a": [1]}}, ("info", "x", "a"), [1]),
        ("$.info", {"title": {}}, ("info", "title"), {}),
        ("$", {"servers": [{"url": "/"}]}, ("servers",), [{"url": "/"}]),
        ("$", {"info": {"x": {"e": 1}}}, ("info", "x"), {"a": 1, "b": {"c": 2}, "e": 1}),
        ("$.tags", {"name": "d"}, ("tags", 3), {"name": "d"}),
        ("$.tags", ["d"], ("tags", 3), ["d"]),
        ("$", {"tags": [{"name": "d"}]}, ("tags", 3), {"name": "d"}),
        ("$.tags[?@.name == 'b']", {"new": 1}, ("tags", 1), {"name": "b", "old": True, "new": 1}),
        ("$.tags[-1]", {"new": 1}, ("tags", 2, "new"), 1),
        ("$.tags[0:2]", {"new": 1}, ("tags", 1, "new"), 1),
        ("$.paths['/things'].get.responses['200']", {"description": "new"}, (), None),
        ("$.paths.*.get", {"x": 1}, ("paths", "/others/{id}", "get", "x"), 1),
        ("$.paths['/others/{id}']", {"x": 1}, ("paths", "/others/{id}", "x"), 1),
        ("$.paths.*[?@.tags]", {"x": 1}, ("paths", "/things", "put", "x"), 1),
        ("$..get", {"x": 1}, ("paths", "/things", "get", "x"), 1),
        ("$.paths..tags", "z", ("paths", "/others/{id}", "get", "tags"), ["y", "z"]),
        ("$.info['x']['b', 'b']", {"list": [1]}, ("info", "x", "b", "list"), [1]),
    ],
)
def test_an_update_merges_into_mappings_and_appends_to_lists(
    target: str, update: Any, where: tuple[Any, ...], expected: Any
) -> None:
    got: Any = result({"target": target, "update": update})
    if not where:
        where, expected = ("paths", "/things", "get", "responses", "200", "description"), "new"
    for step in where:
        got = got[step]
    assert got == expected


@pytest.mark.parametrize(
    ("target", "gone", "left"),
    [
        ("$.info.title", "$.info", {"x": {"a": 1, "b": {"c": 2}}}),
        ("$.info['title', 'x']", "$.info", {}),
        ("$.tags[?@.old]", "$.tags", [{"name": "a"}]),
        ("$.tags[0]", "$.tags", [{"name": "b", "old": True}, {"name": "c", "old": True}]),
        ("$.tags[0, 0]", "$.tags", [{"name": "b", "old": True}, {"name": "c", "old": True}]),
        ("$.tags[*].old", "$.tags", [{"name": "a"}, {"name": "b"}, {"name": "c"}]),
        ("$.tags.*", "$.tags", []),
        ("$.paths['/things']", "$.paths", {"/others/{id}": {"get": {"tags": ["y"]}}}),
        ("$.info..*", "$.info", {}),
    ],
)
def test_a_removal_takes_every_match_away(target: str, gone: str, left: Any) -> None:
    got: Any = result({"target": target, "remove": True})
    assert got[gone.removeprefix("$.")] == left


def test_actions_are_carried_out_in_their_order() -> None:
    got = result(
        {"target": "$.tags", "remove": True},
        {"target": "$", "update": {"tags": [{"name": "new"}]}},
        {"target": "$.tags[?@.name == 'new']", "update": {"seen": True}},
    )
    assert got["tags"] == [{"name": "new", "seen": True}]


def test_all_targets_are_selected_before_the_first_changes() -> None:
    got = result({"target": "$..*[?@.name]", "update": {"inner": {"name": "x"}}})
    assert got["tags"][0] == {"name": "a", "inner": {"name": "x"}}


def test_neither_document_nor_overlay_is_changed_or_shared() -> None:
    update = {"list": [{"deep": 1}]}
    document = copy.deepcopy(DOCUMENT)
    got = result({"target": "$.paths.*.get", "update": update}, document=document)
    first, second = (got["paths"][path]["get"]["list"] for path in got["paths"])
    first[0]["deep"] = 2
    assert second == [{"deep": 1}]
    assert update == {"list": [{"deep": 1}]}
    assert document == DOCUMENT


def test_an_unquoted_status_matches_a_quoted_one() -> None:
    document = read_yaml("responses:\n  200: {description: old}\n")
    got = applied(document, overlay({"target": "$.responses['200']", "update": {"description": "new"}}), "test.yaml")
    assert got == {"responses": {"200": {"description": "new"}}}


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (
            {"target": "$.paths['/gone']", "update": {}},
            r"test.yaml:1: action 2 \(\$.paths\['/gone'\]\): matches nothing",
        ),
        ({"target": "$.tags[?@.name == 'z']", "remove": True}, "action 2 .* matches nothing"),
        ({"target": "$.info.title", "update": {"a": 1}}, "matches a plain value"),
        ({"target": "$.info", "update": "text"}, "matches a mapping, so `update` must be a mapping"),
        ({"target": "$.info", "update": [1]}, "matches a mapping, so `update` must be a mapping"),
        ({"target": "$", "remove": True}, "the whole document cannot be removed"),
    ],
)
def test_an_action_that_does_nothing_or_does_not_fit_is_named(action: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        result({"target": "$.info", "update": {}}, action)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("- a", 1, "an overlay is a mapping"),
        (
            "overlay: 1.1.0\ninfo: {title: t, version: '1'}\nactions: [{target: $, description: d, update: {}}]",
            1,
            "1.0",
        ),
        ("overlay: 1.0.0\ninfo: {title: t}\nactions: [{target: $, description: d, update: {}}]", 2, "version"),
        ("overlay: 1.0.0\ninfo: {title: t, version: '1'}\nactions: []", 3, "at least one action"),
        ("overlay: 1.0.0\ninfo: {title: t, version: '1'}\naction: []", 1, "at least one action"),
    ],
)
def test_a_file_that_is_not_an_overlay_is_refused_on_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = tmp_path / "10-a.yaml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        read_overlay(path)
    assert any(finding.line == line and said in finding.text for finding in caught.value.findings)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("{target: $.info, update: {}}", "action 2: `description` must state the action's reason"),
        ("{target: $.info, update: {}, description: ' '}", "`description` must state"),
        ("{description: d, update: {}}", "`target` must be a JSONPath"),
        ("{target: 'info', description: d, update: {}}", "is not a JSONPath"),
        ("{target: '$.a[', description: d, update: {}}", "is not a JSONPath"),
        ("{target: $.info, description: d}", "either `update` or `remove: true`"),
        ("{target: $.info, description: d, update: {}, remove: true}", "either `update` or `remove: true`"),
        ("{target: $.info, description: d, remove: 'yes'}", "`remove` must be true or false"),
        ("{target: $.info, description: d, updates: {}, remove: true}", "unknown key 'updates'"),
        ("text", "must be a mapping"),
    ],
)
def test_an_action_that_is_not_one_is_refused_on_its_line(tmp_path: Path, action: str, said: str) -> None:
    path = tmp_path / "10-a.yaml"
    path.write_text(
        "overlay: 1.0.0\ninfo: {title: t, version: '1'}\nactions:\n"
        f"  - {{target: $.info, description: d, update: {{}}}}\n  - {action}\n"
    )
    with pytest.raises(SpecError) as caught:
        read_overlay(path)
    assert {finding.line for finding in caught.value.findings} == {5}
    assert said in str(caught.value)


def test_a_duplicate_key_in_an_overlay_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "10-a.yaml"
    path.write_text("overlay: 1.0.0\noverlay: 1.0.0\n")
    with pytest.raises(SpecError, match=r"10-a\.yaml:2: .*given twice"):
        read_overlay(path)

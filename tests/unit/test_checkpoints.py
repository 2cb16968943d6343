"""Checkpoints: JSON, small, of one walk only; what is not one is refused in words that help."""

from __future__ import annotations

import json
from itertools import islice
from types import MappingProxyType
from typing import Any

import pytest
from support.log_histories import NOW
from support.log_table import LogTable, ServerFaults

from dify_workflow._logs.checkpoint import VERSION, Position, position_from
from dify_workflow._logs.filters import LogFilters
from dify_workflow._logs.walk import SeenLog
from dify_workflow._sync.log_walk import LogWalk


def filters(**given: str) -> LogFilters:
    return LogFilters(given=given, sent=given, newest=None, oldest=NOW - 900, status=None, session_id=None)


def row(identity: str, second: int, *, is_timed: bool = True) -> SeenLog:
    return SeenLog(None, second, identity, is_timed)  # type: ignore[arg-type]  # a position looks at no log


def checkpoint(**changes: Any) -> dict[str, Any]:
    position = Position(newest=None, oldest=NOW - 900)
    position.passed(row("a", NOW), is_ordered=True)
    return position.as_json(filters(keyword="x")) | changes


def test_a_checkpoint_keeps_the_ids_of_its_last_second_only():
    position = Position(newest=None, oldest=None)
    for identity, second in [("a", 9), ("b", 8), ("c", 8), ("d", 5), ("e", 5)]:
        position.passed(row(identity, second), is_ordered=True)
    value = position.as_json(filters())
    assert (value["newest"], value["known"], value["strays"]) == (5, ["d", "e"], [])


def test_a_checkpoint_keeps_the_second_of_the_newest_timed_log():
    position = Position(newest=None, oldest=None)
    assert position.as_json(filters())["latest"] is None
    position.passed(row("a", 12, is_timed=False), is_ordered=True)
    assert position.as_json(filters())["latest"] is None
    for identity, second in [("b", 9), ("c", 8)]:
        position.passed(row(identity, second), is_ordered=True)
    value = position.as_json(filters())
    assert value["latest"] == 9
    restored = position_from(value, filters())
    restored.passed(row("d", 5), is_ordered=True)
    assert restored.as_json(filters())["latest"] == 9


def test_rows_without_a_time_or_order_are_kept_whatever_follows():
    position = Position(newest=9, oldest=None)
    position.passed(row("a", 9), is_ordered=True)
    position.passed(row("b", 9, is_timed=False), is_ordered=True)
    position.passed(row("c", 7), is_ordered=True)
    position.passed(row("d", 8), is_ordered=False)
    value = position.as_json(filters())
    assert (value["newest"], value["known"], value["strays"]) == (7, ["c"], ["b", "d"])


@pytest.mark.parametrize("second", [3, 5, 9])
def test_the_first_log_says_where_a_walk_is_whatever_its_bound(second: int):
    position = Position(newest=5, oldest=None)
    position.passed(row("a", second), is_ordered=True)
    value = position.as_json(filters())
    assert (value["newest"], value["latest"], value["known"]) == (second, second, ["a"])


@pytest.mark.parametrize(
    ("given", "verbatim"),
    [({"keyword": "x"}, ["keyword"]), ({"status": "x"}, ["keyword"]), ({"created_by_account": "x"}, None), ({}, None)],
)
def test_it_says_which_values_were_sent_as_they_were(given: dict[str, str], verbatim: list[str] | None):
    sent_as_given = filters(**given)._replace(verbatim=frozenset({"keyword"}))
    assert Position(newest=None, oldest=None).as_json(sent_as_given).get("verbatim") == verbatim


def test_a_checkpoint_survives_json():
    value = checkpoint()
    restored = position_from(json.loads(json.dumps(value)), filters(keyword="x"))
    assert restored.as_json(filters(keyword="x")) == value


def test_any_mapping_will_do():
    assert position_from(MappingProxyType(checkpoint()), filters(keyword="x")).seen_at_newest == {"a"}


def test_it_is_small_and_says_what_it_belongs_to():
    table = LogTable([(NOW - number, 21) for number in range(40)])
    walk = LogWalk(table.page, filters(keyword="x"), checkpoint=None, workers=1)
    for _ in range(400):
        next(walk)
    value = walk.checkpoint
    assert len(json.dumps(value)) < 600
    assert (value["version"], value["walk"], value["filters"]) == (VERSION, "logs.iter", {"keyword": "x"})
    assert (value["seen"], value["total"], value["ended"]) == (400, 840, False)


def test_each_look_at_it_is_a_value_of_its_own():
    walk = LogWalk(LogTable([(NOW, 9)]).page, filters(), checkpoint=None, workers=1)
    first = walk.checkpoint
    next(walk)
    assert first["known"] == []
    assert first != walk.checkpoint


def test_a_finished_walk_goes_on_with_nothing_and_asks_nothing():
    table = LogTable([(NOW, 3)])
    walk = LogWalk(table.page, filters(), checkpoint=None, workers=1)
    assert len(list(walk)) == 3
    again = LogWalk(table.page, filters(), checkpoint=json.loads(json.dumps(walk.checkpoint)), workers=1)
    assert list(again) == []
    assert (again.seen, again.total, len(table.requests)) == (3, 3, 1)


def test_a_bound_that_was_an_age_stays_where_it_was():
    table = LogTable([(NOW - number, 1) for number in range(1200)])
    walk = LogWalk(table.page, filters(created_at__after="15m"), checkpoint=None, workers=1)
    next(walk)
    later = LogFilters(
        given={"created_at__after": "15m"}, sent={}, newest=None, oldest=NOW - 100, status=None, session_id=None
    )
    assert sum(1 for _ in LogWalk(table.page, later, checkpoint=walk.checkpoint, workers=1)) == 900


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("mended_after", [5, 120, 1051, 1180])
def test_an_unordered_walk_can_continue_on_a_fixed_server(mended_after: int, workers: int):
    table = LogTable([(NOW - number, 3) for number in range(400)], faults=ServerFaults(order="unsorted"))
    walk = LogWalk(table.page, filters(), checkpoint=None, workers=1)
    ids = [next(walk).id for _ in range(mended_after)]
    table.faults = ServerFaults()
    second = LogWalk(table.page, filters(), checkpoint=json.loads(json.dumps(walk.checkpoint)), workers=workers)
    ids += [log.id for log in islice(second, 20)]
    second.close()
    third = LogWalk(table.page, filters(), checkpoint=json.loads(json.dumps(second.checkpoint)), workers=workers)
    ids += [log.id for log in third]
    assert sorted(ids) == sorted(table.keys())


@pytest.mark.parametrize("value", [{}, [], "x", 7, {"version": 1}, {"walk": "logs.follow", "version": 1}, b"{}"])
def test_what_is_no_checkpoint_of_a_walk_is_refused(value: Any):
    with pytest.raises(ValueError, match=r"must be the \.checkpoint of a walk by logs.iter"):
        position_from(value, filters())


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_is_refused(version: Any):
    with pytest.raises(ValueError, match=f"has version {version!r}; this SDK reads version 1"):
        position_from(checkpoint(version=version), filters(keyword="x"))


@pytest.mark.parametrize("other", [{}, {"keyword": "y"}, {"keyword": "x", "status": "failed"}])
def test_a_checkpoint_of_other_filters_is_refused(other: dict[str, str]):
    with pytest.raises(ValueError, match="belongs to a walk with the filters"):
        position_from(checkpoint(), filters(**other))


@pytest.mark.parametrize("name", sorted(set(checkpoint()) - {"walk", "version", "filters", "verbatim"}))
def test_a_checkpoint_that_lacks_a_part_is_refused(name: str):
    value = checkpoint()
    del value[name]
    with pytest.raises(ValueError, match=f"damaged: {name} missing"):
        position_from(value, filters(keyword="x"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("newest", "9"),
        ("newest", True),
        ("newest", 1.5),
        ("newest", 10**30),
        ("newest", -(10**30)),
        ("oldest", [1]),
        ("oldest", 10**15),
        ("known", None),
        ("known", "abc"),
        ("known", [1]),
        ("known", {"a": 1}),
        ("strays", None),
        ("strays", [None]),
        ("seen", "9"),
        ("seen", -1),
        ("seen", 2**63),
        ("total", 2**63),
        ("total", -1),
        ("total", 1.0),
    ],
)
def test_a_damaged_checkpoint_is_refused(name: str, value: Any):
    with pytest.raises(ValueError, match=f"damaged: '{name}'"):
        position_from(checkpoint(**{name: value}), filters(keyword="x"))

"""Checkpoints that earlier commits made, as they were stored then: a walk still continues from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.log_histories import NO_FILTERS, NOW
from support.log_table import LogTable, ServerFaults, key_of

from dify_workflow._sync.log_walk import LogWalk

STORED: dict[str, Any] = json.loads(Path(__file__).with_name("checkpoints_made_earlier.json").read_text("utf-8"))
CROWDS = [(NOW - number, 1 + number % 4) for number in range(80)] + [(NOW - 80, 150), (NOW - 81, 5)]
TABLES: dict[str, dict[str, Any]] = {
    "with both bounds": {"newest": NOW - 3, "oldest": NOW - 60},
    "before the first log": {"newest": NOW - 3},
    "with logs that have no time": {"odd": {5: "no time", 7: "time is null"}},
    "of a server that does not sort": {"faults": ServerFaults(order="unsorted")},
}
"""How the table was made and walked then, where it was not the plain one."""


def made_then(name: str) -> tuple[LogTable, Any]:
    options = dict(TABLES.get(name, {}))
    filters = NO_FILTERS._replace(newest=options.pop("newest", None), oldest=options.pop("oldest", None))
    return LogTable(CROWDS, **options), filters


@pytest.mark.parametrize("stored", STORED["iter"], ids=lambda stored: stored["name"])
@pytest.mark.parametrize("workers", [1, 4])
def test_a_walk_goes_on_from_an_earlier_checkpoint(stored: dict[str, Any], workers: int):
    table, filters = made_then(stored["name"])
    first = LogWalk(table.page, filters, checkpoint=None, workers=1)
    given = [key_of(next(first)) for _ in range(stored["given"])]
    assert first.checkpoint == stored["checkpoint"] | {"ended": first.checkpoint["ended"]}  # the form is the same today
    rest = LogWalk(table.page, filters, checkpoint=stored["checkpoint"], workers=workers)
    given += [key_of(log) for log in rest]
    assert sorted(given) == sorted(table.keys(filters.newest, filters.oldest))

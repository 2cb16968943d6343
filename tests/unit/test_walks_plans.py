"""Walks ask for the stored pages and no others; tests/support/walk_plans.py says how to read them, and stores them."""

from __future__ import annotations

import difflib

import pytest
from support import walk_plans

STORED = walk_plans.TARGET.read_text("utf-8")
PLANS = dict(plan.split("\n", 1) for plan in STORED.removeprefix("# ").split("\n\n# "))


def test_the_plans_are_those_of_the_cases():
    assert list(PLANS) == [case.name for case in (*walk_plans.CASES, *walk_plans.WORKER_CASES)]


@pytest.mark.parametrize("case", [*walk_plans.CASES, *walk_plans.WORKER_CASES], ids=lambda case: case.name)
def test_a_walk_asks_for_these_pages_and_no_others(case: walk_plans.Case | walk_plans.WorkerCase):
    stored, now = PLANS[case.name].splitlines(), walk_plans.render(case).splitlines()
    if now != stored:
        difference = difflib.unified_diff(stored, now, "stored", "now", lineterm="")
        pytest.fail("\n".join(difference), pytrace=False)

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


@pytest.mark.parametrize(("in_a_second", "step"), [(1, 97), (5, 93), (12, 94)])
def test_ranges_cost_few_requests_more_than_one_walk(in_a_second: int, step: int):
    crowds = [(age, in_a_second) for age in range(12_000 // in_a_second)]
    alone, shared = (walk_plans.plan_of_workers(walk_plans.WorkerCase("", crowds, workers))[0] for workers in (1, 8))
    assert {page.size for page in shared} == {100, step}
    assert len(shared) - len(alone) <= 3

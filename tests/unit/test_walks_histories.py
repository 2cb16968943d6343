"""Random histories, walked and compared with the truth: no row lost, none twice, and always an end.

`make soak` tries thousands of them, from seeds that can be tried again.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import closing_histories
from support.log_histories import (
    NOW,
    History,
    check,
    random_history,
    random_history_with_odd_rows,
    random_history_with_workers,
)
from support.log_table import ODD_FORMS, LogTable

if TYPE_CHECKING:
    from collections.abc import Callable

chances = st.randoms(use_true_random=False)
a_few = settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@a_few
@given(chances)
def test_each_log_is_returned_once_and_newest_first(random: Random):
    check(random_history(random))


@a_few
@given(chances)
def test_interfering_workers_return_the_same_logs_in_order(random: Random):
    check(random_history_with_workers(random))


@a_few
@given(chances)
def test_odd_rows_cost_neither_themselves_nor_others(random: Random):
    check(random_history_with_odd_rows(random))


# The same with fixed seeds: these do not depend on what hypothesis finds worth trying.


@pytest.mark.parametrize(
    "make",
    [random_history, random_history_with_workers, random_history_with_odd_rows],
    ids=["honest", "workers", "odd rows"],
)
def test_histories_of_fixed_seeds(make: Callable[[Random], History]):
    for seed in range(16):
        check(make(Random(seed)))  # noqa: S311 - histories that can be repeated, no secrets


def test_walks_closed_by_other_threads_resume_exactly():
    for seed in range(8):
        closing_histories.check(closing_histories.random_closing_history(Random(seed)))  # noqa: S311 - as above


CROWDS = [
    (NOW, 3), (NOW - 1, 30), (NOW - 2, 1), (NOW - 3, 130), (NOW - 4, 60), (NOW - 5, 60), (NOW - 6, 99),
    (NOW - 9, 100), (NOW - 10, 101), (NOW - 50, 1), (NOW - 3600, 250), (NOW - 7200, 2),
]  # fmt: skip
ROWS = sum(count for _, count in CROWDS)


@pytest.mark.parametrize("cut", range(0, ROWS, 31))
def test_after_any_row_a_walk_can_be_left_and_another_goes_on(cut: int):
    outcome = check(History(CROWDS, cuts=[cut]))
    assert len(outcome.given) == ROWS


@pytest.mark.parametrize("cut", range(0, ROWS, 71))
def test_days_later_a_checkpoint_costs_nothing_of_what_was_there(cut: int):
    def later(table: LogTable) -> None:
        for second, count in CROWDS:
            table.add(second, 2)
            if count < 80:
                table.delete(table.crowd(second)[: count // 2])
        table.add(NOW + 86_400, 500)

    check(History(CROWDS, cuts=[cut], meanwhile=[later]))


@pytest.mark.parametrize("form", ODD_FORMS)
def test_one_odd_log_of_each_kind_keeps_all_the_others(form: str):
    crowds = [*CROWDS[:5], (NOW - 3600, 2)]
    rows = sum(count for _, count in crowds)
    for place in (0, 2, 3, 32, 33, 34, 99, 100, 150, 170, rows - 3, rows - 1):
        outcome = check(History(crowds, odd={place: form}))
        assert len(outcome.given) == rows


@pytest.mark.parametrize("form", ODD_FORMS)
@pytest.mark.parametrize("cut", [33, 34, 101, 171])
def test_checkpoints_at_odd_rows_hold(form: str, cut: int):
    odd = {} if form == "null" else dict.fromkeys((2, 3, 33, 34, 99, 100, 101, 170, 400, 637), form)
    odd[200] = form
    outcome = check(History(CROWDS, odd=odd, cuts=[cut, 3]))
    assert len(outcome.given) == ROWS


@pytest.mark.parametrize("step", [6, 15, 96, 97])
@pytest.mark.parametrize("seed", range(2))
def test_untimed_logs_at_range_borders_are_returned_once(seed: int, step: int):
    crowds = [(NOW - number, 1 + (number + seed) % 4) for number in range(500)]
    rows = sum(count for _, count in crowds)
    odd = dict.fromkeys(range(seed, rows, step), "time is null")
    pauses = Random(seed)  # noqa: S311 - histories that can be repeated, no secrets
    outcome = check(History(crowds, odd=odd, workers=4, pauses=pauses))
    assert len(outcome.given) == rows

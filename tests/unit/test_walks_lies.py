"""Servers and proxies that lie: each row, or an error that says so; and always an end."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.log_histories import LIES, NOW, WRONG_TOTALS, History, check_lies, random_lies, walk
from support.log_table import ODD_FORMS, Lies, LogTable

CROWDS = [(NOW, 3), (NOW - 1, 30), (NOW - 3, 130), (NOW - 4, 60), (NOW - 5, 60), (NOW - 9, 100), (NOW - 3600, 250)]


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_a_faulty_server_costs_no_log_without_an_error(random: Random):
    check_lies(random_lies(random))


def test_lying_servers_of_fixed_seeds():
    for seed in range(16):
        check_lies(random_lies(Random(seed)))  # noqa: S311 - histories that can be repeated, no secrets


@pytest.mark.parametrize("form", [form for form in ODD_FORMS if form not in {"null", "number"}])
def test_a_server_whose_rows_are_all_odd_is_walked(form: str):
    outcome = check_lies(History([(NOW, 3), (NOW - 1, 60), (NOW - 2, 90)], odd=dict.fromkeys(range(153), form)))
    assert outcome.error is None
    assert len(outcome.given) == 153


HARMLESS = [lies for lies in LIES if lies not in WRONG_TOTALS and not lies.ignores_page]


@pytest.mark.parametrize("lies", HARMLESS, ids=str)
def test_what_can_be_made_up_for_is_made_up_for(lies: Lies):
    outcome = check_lies(History([(NOW - number, 1 + number * 7 % 30) for number in range(40)], lies=lies))
    if lies.cuts or lies.cap == 1:  # where pages begin at few places, or have but one order, rows cannot be had
        assert outcome.error is not None or not outcome.lost
    else:
        assert outcome.error is None
        assert not outcome.lost


@pytest.mark.parametrize("lies", WRONG_TOTALS, ids=str)
def test_a_total_that_is_wrong_is_an_error_or_does_no_harm(lies: Lies):
    for crowds in (CROWDS, [(NOW, 3)], [(NOW, 350)], [(NOW - number, 3) for number in range(200)]):
        check_lies(History(crowds, lies=lies))


@pytest.mark.parametrize("lies", LIES, ids=str)
def test_two_lies_at_once_never_make_a_walk_endless(lies: Lies):
    for other in LIES[LIES.index(lies) + 1 :]:
        both = vars(lies) | {
            name: value for name, value in vars(other).items() if name != "name" and value != getattr(Lies, name)
        }
        outcome = walk(History([(NOW, 7), (NOW - 1, 102), (NOW - 2, 4)], lies=Lies(**both)))
        assert len(outcome.table.requests) <= 10 * 150
        assert len(outcome.keys) == len(set(outcome.keys))


def test_where_everything_is_swept_one_proof_is_not_enough():
    # A row goes and one comes, between the same two pages, so that the total does not tell.
    lost = 0
    for at in range(3, 30, 2):

        def swap(table: LogTable) -> None:
            table.delete(table.crowd(NOW - 1)[:1])
            table.add(NOW - 3)

        crowds = [(NOW, 3), (NOW - 1, 130), (NOW - 3, 130)]
        outcome = walk(History(crowds, lies=Lies(ignores_before=True, ignores_after=True), changes={at: [swap]}))
        assert outcome.error is None
        lost += len(outcome.lost)
    assert lost == 0

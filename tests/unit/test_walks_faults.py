"""Servers and proxies that lie: each row, or an error that says so; and always an end."""

from __future__ import annotations

import contextlib
import itertools
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.log_histories import FAULTS, NOW, WRONG_TOTALS, History, check_faulty, random_faulty_history, walk
from support.log_table import ODD_FORMS, LogTable, ServerFaults

from dify_workflow import IncompleteWalkError
from dify_workflow._logs.walk import MOST_WITHOUT_LOGS, FilterClock, PageRequest, WindowWalk
from dify_workflow.models import WorkflowLogPage

if TYPE_CHECKING:
    from collections.abc import Callable

CROWDS = [(NOW, 3), (NOW - 1, 30), (NOW - 3, 130), (NOW - 4, 60), (NOW - 5, 60), (NOW - 9, 100), (NOW - 3600, 250)]


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_a_faulty_server_costs_no_log_without_an_error(random: Random):
    check_faulty(random_faulty_history(random))


def test_lying_servers_of_fixed_seeds():
    for seed in range(16):
        check_faulty(random_faulty_history(Random(seed)))  # noqa: S311 - histories that can be repeated, no secrets


@pytest.mark.parametrize("form", [form for form in ODD_FORMS if form not in {"null", "number"}])
def test_a_server_whose_rows_are_all_odd_is_walked(form: str):
    outcome = check_faulty(History([(NOW, 3), (NOW - 1, 60), (NOW - 2, 90)], odd=dict.fromkeys(range(153), form)))
    assert outcome.error is None
    assert len(outcome.given) == 153


HARMLESS = [faults for faults in FAULTS if faults not in WRONG_TOTALS and not faults.ignores_page]


@pytest.mark.parametrize("faults", HARMLESS, ids=str)
def test_what_can_be_compensated_is_compensated(faults: ServerFaults):
    outcome = check_faulty(History([(NOW - number, 1 + number * 7 % 30) for number in range(40)], faults=faults))
    if faults.cuts or faults.cap == 1:  # where pages begin at few places, or have but one order, rows cannot be had
        assert outcome.error is not None or not outcome.lost
    else:
        assert outcome.error is None
        assert not outcome.lost


@pytest.mark.parametrize("faults", WRONG_TOTALS, ids=str)
def test_a_total_that_is_wrong_is_an_error_or_does_no_harm(faults: ServerFaults):
    for crowds in (CROWDS, [(NOW, 3)], [(NOW, 350)], [(NOW - number, 3) for number in range(200)]):
        check_faulty(History(crowds, faults=faults))


@pytest.mark.parametrize("faults", FAULTS, ids=str)
def test_two_faults_at_once_never_make_a_walk_endless(faults: ServerFaults):
    for other in FAULTS[FAULTS.index(faults) + 1 :]:
        both = vars(faults) | {
            name: value
            for name, value in vars(other).items()
            if name != "name" and value != getattr(ServerFaults, name)
        }
        outcome = walk(History([(NOW, 7), (NOW - 1, 102), (NOW - 2, 4)], faults=ServerFaults(**both)))
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
        outcome = walk(
            History(crowds, faults=ServerFaults(ignores_before=True, ignores_after=True), changes={at: [swap]})
        )
        assert outcome.error is None
        lost += len(outcome.lost)
    assert lost == 0


def responses_at_random(random: Random) -> Callable[[PageRequest], WorkflowLogPage]:
    """A server whose responses leave out logs, count others, and take a bound for another second, some of them."""
    count = random.choice([1, 5, 30, 130, 300])
    seconds = {f"log-{number}": NOW - random.choice([0, 1, 2, 9]) for number in range(count)}
    left_out, moved = random.choice([0, 0.05, 0.3]), random.choice([0.2, 1])

    def bound(second: int | None, otherwise: int) -> int:
        return otherwise if second is None else second + (random.randint(-1, 1) if random.random() < moved else 0)

    def read_page(request: PageRequest) -> WorkflowLogPage:
        before, after = bound(request.before, 10**10), bound(request.after, 0)
        there = [key for key, at in seconds.items() if after <= at <= before and random.random() >= left_out]
        there.sort(key=lambda key: (-seconds[key], random.random()))
        place = (request.page - 1) * request.limit
        return WorkflowLogPage.from_dict(
            {
                "page": request.page,
                "limit": request.limit,
                "total": random.choice([len(there)] * 4 + [random.choice([0, 5, len(there) + 1, 10**6])]),
                "has_more": place + request.limit < len(there),
                "data": [{"id": key, "created_at": seconds[key]} for key in there[place : place + request.limit]],
            }
        )

    return read_page


def test_a_walk_ends_whatever_the_server_sends():
    for seed in range(60):
        random = Random(seed)  # noqa: S311 - as above
        read_page = responses_at_random(random)
        walk = WindowWalk(None, None, clock=FilterClock(0, random.choice([0, 1]), random.choice([0, 1])))
        requests, given = 0, list[str]()
        with contextlib.suppress(IncompleteWalkError):
            while (request := walk.next_request()) is not None:
                requests += 1
                assert requests <= 10 * (MOST_WITHOUT_LOGS + len(given)), seed
                given += [row.identity for row in walk.accept(read_page(request))]
        assert len(given) == len(set(given)), seed


def test_logs_that_grow_older_with_each_page_end_a_walk():
    walk = WindowWalk(None, None)
    ages = itertools.count()

    def read_on() -> None:
        while walk.next_request() is not None:
            age = next(ages)
            data = [{"id": key, "created_at": NOW - age - place} for place, key in enumerate("ab")]
            walk.accept(
                WorkflowLogPage.from_dict({"page": 1, "limit": 100, "total": 3, "has_more": True, "data": data})
            )

    with pytest.raises(IncompleteWalkError, match="nothing new"):
        read_on()
    assert next(ages) <= MOST_WITHOUT_LOGS + 2

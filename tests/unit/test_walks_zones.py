"""Servers whose filters contradict what they display: each log is given once, or an error ends the walk.

`make soak` tries thousands of the histories of tests/support/zoned_histories.py.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from itertools import islice
from random import Random
from typing import Any

import pytest
from support import zoned_histories
from support.clients import EACH_DRIVER, Driver
from support.follow_histories import log_filters_of
from support.log_histories import NO_FILTERS, NOW
from support.zoned_histories import KINDS, ZonedHistory, check, extra_requests, random_zoned_history

from dify_workflow import IncompleteWalkError
from dify_workflow._async.log_follow import AsyncLogFollow
from dify_workflow._async.log_walk import AsyncLogWalk
from dify_workflow._logs.follow import Following
from dify_workflow._logs.walk import MOST_SWEEPS, FilterClock, PageRequest, WindowWalk
from dify_workflow._sync.log_follow import LogFollow
from dify_workflow._sync.log_walk import LogWalk
from dify_workflow.models import WorkflowLogPage

HOUR = 3600
SPREAD = [NOW - 40 * number for number in range(700)]


def history(kind: str, zone: str, seconds: list[int] = SPREAD, **options: Any) -> ZonedHistory:
    return ZonedHistory(kind, zone, seconds, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_no_log_is_lost_where_filters_contradict_displays(kind: str):
    for seed in range(6):
        try:
            check(random_zoned_history(Random(seed), kind))  # noqa: S311 - histories that can be repeated, no secrets
        except AssertionError as error:
            pytest.fail(f"scripts/soak.py 1 --kind {kind} --seed {seed}: {error}")


@pytest.mark.parametrize("has_runs", [True, False])
@pytest.mark.parametrize(
    ("kind", "zone", "shift"),
    [
        ("session", "America/New_York", -4 * HOUR),
        ("session", "Asia/Shanghai", 8 * HOUR),
        ("session", "Asia/Kathmandu", 20_700),
        ("process", "Asia/Shanghai", -8 * HOUR),
        ("process", "America/New_York", 4 * HOUR),
        ("", "UTC", 0),
    ],
)
def test_the_shift_is_displayed_minus_true_seconds(kind: str, zone: str, shift: int, has_runs: bool):
    outcome = check(history(kind, zone, has_runs=has_runs))
    assert outcome.error is None
    assert len(outcome.given) == len(SPREAD)
    assert outcome.time_shift == shift


def test_one_page_shows_the_shift_of_a_database_session():
    outcome = check(history("session", "America/New_York", SPREAD[:50]))
    assert outcome.time_shift == -4 * HOUR
    assert len(outcome.table.requests) == 1


def test_a_shift_costs_a_few_requests_and_none_costs_none():
    assert extra_requests(history("", "UTC")) == 0
    assert extra_requests(history("session", "America/New_York")) <= 3
    assert extra_requests(history("process", "Europe/Berlin")) <= 20


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("excludes", ["before", "after", "before and after"])
def test_exclusive_bounds_cost_no_log(excludes: str, workers: int):
    seconds = [NOW - number // 5 for number in range(900)] + [NOW - 50] * 350
    outcome = check(history("exclusive", "UTC", seconds, excludes=excludes, workers=workers))
    assert outcome.error is None
    assert len(outcome.given) == 1250


@pytest.mark.parametrize("kind", ["session", "process"])
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai"])
def test_bounds_of_the_caller_are_true_times(kind: str, zone: str):
    outcome = check(history(kind, zone, oldest=NOW - HOUR, newest=NOW - 600))
    assert len(outcome.given) == len([second for second in SPREAD if NOW - HOUR <= second <= NOW - 600])


def test_a_shift_is_logged_once_and_says_what_to_set(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING, "dify_workflow"):
        check(history("session", "America/New_York"))
    (record,) = caplog.records
    assert record.name == "dify_workflow"
    for word in ("logs.iter", "-14400 s", "PGTZ", "pooler", "ALTER DATABASE", "UTC"):
        assert word in record.getMessage()


def test_no_shift_is_reported_before_the_first_page():
    table = zoned_histories.ZonedTable(history("session", "Asia/Shanghai"))
    walk = LogWalk(table.page, NO_FILTERS, checkpoint=None, workers=1)
    assert walk.time_shift is None
    next(walk)
    assert walk.time_shift == 8 * HOUR


@EACH_DRIVER
def test_each_iterator_of_logs_has_the_shift(driver: Driver):
    async def story(client: Any) -> Any:
        return client.logs.iter().time_shift, client.logs.iter(details=2).time_shift, client.logs.follow().time_shift

    assert driver.play("http://127.0.0.1:9/v1", story) == (None, None, None)


@pytest.mark.parametrize(("kind", "seed"), [("lagging", 5008), ("exclusive", 5067)])
def test_histories_that_once_lost_logs_lose_none(kind: str, seed: int):
    outcome = check(random_zoned_history(Random(seed), kind))  # noqa: S311 - as above
    assert outcome.error is None


def walk_with_cut(table: zoned_histories.ZonedTable, cut: int | None) -> list[str]:
    given: list[str] = []
    checkpoint = None
    for most in (cut, None):
        with LogWalk(table.page, NO_FILTERS, checkpoint=checkpoint, workers=1) as walk:
            given += [str(log.id) for log in islice(walk, most)]
            checkpoint = json.loads(json.dumps(walk.checkpoint))
    return given


@pytest.mark.parametrize("cut", [None, 650, 698, 699])
def test_logs_that_no_window_showed_are_swept_at_the_end(cut: int | None):
    table = zoned_histories.ZonedTable(history("session", "America/New_York"))
    for place in (150, 320, 321):  # filtered by a time that is an hour later than the one displayed
        entry = table.entries[place]
        later = entry.times._replace(filtered=entry.times.filtered + HOUR)
        table.entries[place] = entry._replace(times=later)
    if cut == 650:  # what was given before the checkpoint is not known any more
        with pytest.raises(IncompleteWalkError, match="697 of 700"):
            walk_with_cut(table, cut)
    else:
        assert sorted(walk_with_cut(table, cut)) == sorted(table.matching())


class Replicated:
    """150 logs of the newest second, with older ones below, some of which a replica does not have yet."""

    def __init__(self) -> None:
        old = [NOW - 5000 - number for number in range(20)]
        self.current = zoned_histories.ZonedTable(history("", "UTC", [*old, *[NOW - 100] * 3, *[NOW] * 150]))
        self.replica = zoned_histories.ZonedTable(history("", "UTC", old))
        self.lags_for_good = False
        self.lagged = 0

    def page(self, request: PageRequest) -> WorkflowLogPage:
        if request.before != NOW - 1 and not (self.lags_for_good and self.lagged):
            return self.current.page(request)
        self.lagged += 1
        return self.replica.page(request)

    def walk(self) -> list[str]:
        with LogWalk(self.page, NO_FILTERS, checkpoint=None, workers=1) as walk:
            return [str(log.id) for log in walk]


def test_a_replica_that_lags_below_a_full_second_costs_no_log():
    server = Replicated()
    given = server.walk()
    assert server.lagged
    assert sorted(given) == sorted(server.current.matching())


def test_a_replica_that_lags_for_good_ends_a_walk_in_an_error():
    server = Replicated()
    server.lags_for_good = True
    with pytest.raises(IncompleteWalkError, match="a second of many logs"):
        server.walk()


class PausedError(Exception):
    """A follow has ended its last poll."""


def read_by(driver: Driver, kind: str, page: Any, count: int, *, polls: int = 1) -> list[str]:
    """The first logs of what a function responds that a walk gives, or a follow with its first polls."""
    following = Following(log_filters_of(), oldest=0, poll=5.0, give_up_after=60.0)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) >= polls:
            raise PausedError

    async def read_page(request: PageRequest) -> WorkflowLogPage:
        return page(request)

    async def async_pause(seconds: float) -> None:
        pause(seconds)

    async def read() -> list[Any]:
        walk = AsyncLogWalk(read_page, NO_FILTERS, checkpoint=None, workers=1)
        logs = walk if kind == "iter" else AsyncLogFollow(read_page, following, sleep=async_pause)
        async with logs:
            return [await anext(logs) for _ in range(count)]

    if driver.name == "async":
        return [str(log.id) for log in asyncio.run(read())]
    walk = LogWalk(page, NO_FILTERS, checkpoint=None, workers=1)
    with walk if kind == "iter" else LogFollow(page, following, sleep=pause) as logs:
        return [str(log.id) for log in islice(logs, count)]


@pytest.mark.parametrize("kind", ["iter", "follow"])
@EACH_DRIVER
def test_a_bound_that_looked_exclusive_repeats_no_window(driver: Driver, kind: str):
    # From the second page on a replica lags, until the logs of the seam are shown with a later bound only. By such a
    # bound, windows further down begin with a full page of what is right above their seam.
    old, new = [NOW - 9] * 250, [second for age in (0, 2, 3, 4, 5) for second in [NOW - age] * 70]
    table = zoned_histories.ZonedTable(history("", "UTC", old + new))
    replica = zoned_histories.ZonedTable(history("", "UTC", old))
    later = PageRequest(NOW - 1, NOW - 2)
    asked: list[PageRequest] = []

    def page(request: PageRequest) -> WorkflowLogPage:
        asked.append(request)
        lags = len(asked) > 1 and (later not in asked or 1 < len(asked) - asked.index(later) <= 1 + 6)
        return (replica if lags else table).page(request)

    given = read_by(driver, kind, page, 600)
    assert later in asked
    assert sorted(given) == sorted(table.matching())
    assert len(asked) < 80


@EACH_DRIVER
def test_a_poll_ends_where_no_window_shows_the_newest_log(driver: Driver):
    # The newest log is shown alone, but never by the clock that showed it alone the time before.
    asked: list[PageRequest] = []

    def page(request: PageRequest) -> WorkflowLogPage:
        asked.append(request)
        is_alone = request.before is not None and asked[-2].before is not None
        return page_of(("a", 0), total=1) if is_alone or len(asked) == 1 else page_of(total=0)

    with pytest.raises(PausedError):
        read_by(driver, "follow", page, 2, polls=2)
    assert 3 < len(asked) < 200


def random_margins(random: Random) -> tuple[ZonedHistory, FilterClock]:
    """Crowded seconds, next to each other or not, and a clock with margins that are right or wrong."""
    seconds: list[int] = []
    second = NOW
    for _ in range(random.choice([1, 2, 3, 8, 40])):
        second -= random.choice([1, 1, 1, 2, 5, 40])
        seconds += [second] * random.choice([1, 1, 3, 20, 50, 99, 100, 101, 250])
    made = history("", "UTC", seconds[:1500], seed=random.getrandbits(32))
    made.lag = random.choice([0, 0, 1, 3, 20])
    made.excludes = random.choice(["", "before", "after", "before and after"])
    if not made.excludes:  # else the caller's bounds are what the server makes of them
        made.oldest = random.choice([None, random.choice(seconds)])
        made.newest = random.choice([None, random.choice(seconds)])
    return made, FilterClock(0, random.choice([0, 1]), random.choice([0, 1]))


def test_margins_right_or_wrong_cost_no_log_and_few_requests():
    for seed in range(40):
        made, clock = random_margins(Random(seed))  # noqa: S311 - histories that can be repeated, no secrets
        table = zoned_histories.ZonedTable(made)
        # Where a margin is wrong, the first page is requested again, and may be of the replica.
        doubted = made.lag if clock != FilterClock() else 0
        walk = WindowWalk(made.newest, made.oldest, clock=clock)
        given: list[str] = []
        error = None
        try:
            while (request := walk.next_request()) is not None:
                given += [row.identity for row in walk.accept(table.page(request))]
        except IncompleteWalkError as failure:
            error = failure
        due = {entry.key for entry in table.entries if entry.true <= max(made.seconds) - doubted} & table.matching()
        assert len(given) == len(set(given)), seed
        assert set(given) <= table.matching(), seed
        assert set(given) >= due or (error is not None and made.lag), seed
        crowded = sum((count // 100 + 2) * 12 for count in Counter(made.seconds).values() if count >= 80)
        pages = len(made.seconds) // 50
        assert len(table.requests) <= (MOST_SWEEPS * (pages + 8) if made.lag else 10 + pages + crowded), seed


def page_of(*logs: tuple[str, int], total: int) -> WorkflowLogPage:
    data = [{"id": key, "created_at": NOW - age} for key, age in logs]
    return WorkflowLogPage.from_dict(
        {"page": 1, "limit": 100, "total": total, "has_more": total > len(data), "data": data}
    )


def test_logs_that_a_replica_left_out_are_not_given_again():
    walk = WindowWalk(None, None)
    given: list[str] = []
    for request, page in (
        (PageRequest(None, None), page_of(("a", 0), ("b", 1), ("c", 1), total=9)),
        (PageRequest(NOW - 1, None), page_of(("c", 1), ("d", 2), total=7)),  # without b
        (PageRequest(NOW - 2, None), page_of(("f", 3), ("g", 4), total=4)),  # without d
        (PageRequest(NOW - 1, None), page_of(("b", 1), ("c", 1), ("d", 2), ("e", 2), total=8)),
        (PageRequest(NOW - 2, NOW - 2), page_of(("d", 2), ("e", 2), total=2)),
    ):
        assert walk.next_request() == request
        given += [row.identity for row in walk.accept(page)]
    assert given == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("first", range(2, 8))
def test_a_replica_that_is_empty_for_a_while_costs_no_log(first: int):
    table = zoned_histories.ZonedTable(history("", "UTC", [NOW] * 150))
    asked: list[PageRequest] = []

    def page(request: PageRequest) -> WorkflowLogPage:
        asked.append(request)
        return page_of(total=0) if first <= len(asked) < first + 4 else table.page(request)

    with LogWalk(page, NO_FILTERS._replace(newest=NOW, oldest=NOW), checkpoint=None, workers=1) as walk:
        assert len(list(walk)) == 150

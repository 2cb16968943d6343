"""Random histories of a table of logs, walked, and compared with the truth.

A history follows from a `random.Random` alone: hypothesis gives one that it can shrink, `scripts/soak.py` one for each
seed. `check` walks it and raises AssertionError where a row was lost, given twice, or a walk did not end in time.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice, pairwise
from random import Random
from typing import TYPE_CHECKING, Any

from dify_workflow import IncompleteWalkError
from dify_workflow._async.log_walk import AsyncLogWalk
from dify_workflow._logs.filters import LogFilters
from dify_workflow._sync.log_walk import LogWalk
from support.log_table import FAULTLESS, ODD_FORMS, LogTable, ServerFaults, key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from dify_workflow._logs.walk import PageRequest
    from dify_workflow.models import WorkflowLogPage

NOW = 1_790_000_000
NO_FILTERS = LogFilters(given={}, sent={}, newest=None, oldest=None, status=None, session_id=None)
FULL = 80
"""A second of so many rows may fill a page. It only gains rows, or only loses some: both at once no walk can see."""


@dataclass
class History:
    """A table, what happens to it, and how it is walked."""

    crowds: list[tuple[int, int]]
    changes: dict[int, list[Callable[[LogTable], object]]] = field(default_factory=dict)
    """What happens before each request, by its number."""
    newest: int | None = None
    oldest: int | None = None
    status: str | None = None
    faults: ServerFaults = FAULTLESS
    odd: dict[int, str] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    """Rows after which the walk is left and another one continues from its checkpoint."""
    meanwhile: list[Callable[[LogTable], object]] = field(default_factory=list)
    """What happens between two of these walks."""
    workers: int = 1
    pauses: Random | None = None
    """Where there are workers, how their requests get in each other's way."""

    @property
    def rows(self) -> int:
        return sum(count for _, count in self.crowds)

    @property
    def filters(self) -> LogFilters:
        return NO_FILTERS._replace(newest=self.newest, oldest=self.oldest, status=self.status)


@dataclass
class Outcome:
    """What came of walking a history."""

    table: LogTable
    there: set[str]
    """Keys of the rows that existed at the first request, and match."""
    given: list[Any]
    error: IncompleteWalkError | None
    seen: int
    ended: bool
    checkpoint: dict[str, Any]

    @property
    def keys(self) -> list[str]:
        return [key_of(log) for log in self.given]

    @property
    def lost(self) -> set[str]:
        """Rows that existed from the first request to the last, and were not given."""
        return self.there - self.table.deleted - set(self.keys)


def made(history: History) -> tuple[LogTable, set[str]]:
    """The table of a history, and the keys of the rows that match before anything happens."""
    table = LogTable(
        history.crowds, faults=history.faults, odd=history.odd, statuses=("succeeded", "running", "failed", "paused")
    )
    there = {
        key
        for key in table.keys(history.newest, history.oldest)
        if history.status is None or history.filters.match(table.rows[key].log)
    }
    table.before_request = lambda number: [happen(table) for happen in history.changes.get(number, ())]
    return table, there


def walk(history: History) -> Outcome:
    """Walk a history, to its end or to the error."""
    table, there = made(history)
    given: list[Any] = []
    checkpoint: dict[str, Any] | None = None
    for cut in [*history.cuts, None]:
        error, part = read_part(
            table.page,
            history.filters,
            checkpoint=checkpoint,
            cut=cut,
            given=given,
            workers=history.workers,
            pauses=history.pauses,
        )
        seen, checkpoint = part.seen, part.checkpoint
        if error is not None or checkpoint["ended"]:
            break
        for happen in history.meanwhile:
            happen(table)
        checkpoint = json.loads(json.dumps(checkpoint))
    return Outcome(table, there, given, error, seen, bool(checkpoint and checkpoint["ended"]), checkpoint or {})


def read_part(
    page: Callable[[PageRequest], WorkflowLogPage],
    filters: LogFilters,
    *,
    checkpoint: dict[str, Any] | None,
    cut: int | None,
    given: list[Any],
    workers: int,
    pauses: Random | None,
) -> tuple[IncompleteWalkError | None, LogWalk | AsyncLogWalk]:
    """Walk until so many logs are given, to the end or to the error: by one worker, or by several that interfere."""
    if workers > 1:
        return asyncio.run(_read_part_at_once(page, filters, checkpoint, cut, given, workers, pauses))
    part = LogWalk(page, filters, checkpoint=checkpoint, workers=1)
    error = None
    try:
        given.extend(islice(part, cut))
    except IncompleteWalkError as failure:
        error = failure
    part.close()
    return error, part


async def _read_part_at_once(
    page: Callable[[PageRequest], WorkflowLogPage],
    filters: LogFilters,
    checkpoint: dict[str, Any] | None,
    cut: int | None,
    given: list[Any],
    workers: int,
    pauses: Random | None,
) -> tuple[IncompleteWalkError | None, AsyncLogWalk]:
    async def pause() -> None:
        for _ in range(pauses.randrange(6) if pauses else 0):
            await asyncio.sleep(0)

    async def read_page(request: PageRequest) -> WorkflowLogPage:
        await pause()
        found = page(request)
        await pause()
        return found

    error = None
    part = AsyncLogWalk(read_page, filters, checkpoint=checkpoint, workers=workers)
    try:
        while cut is None or cut > 0:
            given.append(await anext(part))
            cut = None if cut is None else cut - 1
    except StopAsyncIteration:
        pass
    except IncompleteWalkError as failure:
        error = failure
    await part.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not others, f"tasks left behind: {others}"
    return error, part


def check(history: History) -> Outcome:
    """Walk a history of an honest server: nothing lost, nothing twice, newest first, in a bounded number of pages."""
    outcome = walk(history)
    assert outcome.error is None, f"false error: {outcome.error}"
    _check_given(outcome)
    seconds = [log.created_at for log in outcome.given if isinstance(getattr(log, "created_at", None), int)]
    if not history.odd:
        assert all(newer >= older for newer, older in pairwise(seconds)), "not newest first"
    assert outcome.ended
    assert outcome.seen == len(outcome.given)
    bound = most_requests(history, outcome)
    assert len(outcome.table.requests) <= bound, f"{len(outcome.table.requests)} requests, promised {bound} at most"
    return outcome


def check_faulty(history: History) -> Outcome:
    """Walk a history of a server that faults: every row, or an error that tells the truth; and always an end."""
    outcome = walk(history)
    _check_given(outcome, may_be_lost=outcome.error is not None)
    if outcome.error is None:
        assert outcome.ended
    else:
        assert not outcome.ended
        ever = len(outcome.table.seconds_ever)
        assert 0 <= outcome.error.seen <= ever
        assert f"{outcome.error.seen} of {outcome.error.expected} logs seen" in str(outcome.error)
    rows = len(outcome.table.seconds_ever)
    most = 100 * (len(history.cuts) + 1) * (10 + rows) + 3 * sum(map(len, history.changes.values()))
    assert len(outcome.table.requests) <= most, f"{len(outcome.table.requests)} requests for {rows} rows"
    return outcome


def _check_given(outcome: Outcome, *, may_be_lost: bool = False) -> None:
    keys = outcome.keys
    assert len(keys) == len(set(keys)), f"twice: {sorted({key for key in keys if keys.count(key) > 1})[:5]}"
    assert set(keys) <= outcome.table.rows.keys() | outcome.table.deleted
    assert may_be_lost or not outcome.lost, f"lost: {sorted(outcome.lost)[:5]} ({len(outcome.lost)} rows)"


def most_requests(history: History, outcome: Outcome) -> int:
    """The promised bound for an honest server.

    Outside of seconds that fill a page, one request for each 50 rows is enough: a page of 100 brings 50 new rows at
    least, as either the second that it begins with, which may be known, or the others have so many. A second that
    fills a page is read in sweeps; where order is pure chance, 12 are very likely enough, again after each change.
    Each change may cost one request more, each walk 3, and each range of several workers 1.
    """
    counts = Counter(outcome.table.seconds_ever.values())
    changes = sum(map(len, history.changes.values())) + len(history.meanwhile) * len(history.cuts)
    walks = len(history.cuts) + 1
    crowded = sum((count // 100 + 2) * 12 for count in counts.values() if count >= FULL)
    plain = sum(count for count in counts.values() if count < FULL)
    return 3 * walks + plain // 50 + crowded * (1 + walks + changes) + changes + (_boundaries(history) * walks)


def _boundaries(history: History) -> int:
    return 0 if history.workers == 1 else 4 + history.rows // 150 + history.workers


# Random ones ----------------------------------------------------------------------------------------------------


def random_history(random: Random) -> History:
    """Rows of 1 to 400 a second, arrivals and deletions at any moment, any bounds, any cuts."""
    crowds = _random_crowds(random)
    seconds = [second for second, _ in crowds]
    history = History(crowds)
    history.changes = _random_changes(random, history.rows, crowds)
    if random.random() < 0.3:
        history.newest = random.choice(seconds) + random.randint(-1, 1)
    if random.random() < 0.3:
        history.oldest = random.choice(seconds) + random.randint(-1, 1)
    if random.random() < 0.2:
        history.status = random.choice(["running", "succeeded", "anything-new"])
    if random.random() < 0.4:
        history.cuts = [random.randint(0, history.rows) for _ in range(random.randint(1, 3))]
        if random.random() < 0.7:
            history.meanwhile = [_random_change(random, crowds) for _ in range(random.randint(1, 4))]
    return history


def random_history_with_workers(random: Random) -> History:
    """The same, read by several workers whose requests get in each other's way."""
    history = random_history(random)
    history.workers = random.choice([2, 3, 8])
    history.pauses = Random(random.getrandbits(32))  # noqa: S311 - one number to draw, and no secret
    return history


def random_history_with_odd_rows(random: Random) -> History:
    """The same, and some rows are not what they should be."""
    history = random_history_with_workers(random) if random.random() < 0.3 else random_history(random)
    forms = [form for form in ODD_FORMS if form != "null"]
    for _ in range(random.randint(1, 5)):
        history.odd[random.randrange(history.rows)] = random.choice(forms)
    if random.random() < 0.3:  # nothing tells one null from another
        history.odd[random.randrange(history.rows)] = "null"
    history.status = None
    return history


def random_faulty_history(random: Random) -> History:
    """The same, on a server that faults in one way."""
    history = random_history_with_workers(random) if random.random() < 0.3 else random_history(random)
    history.faults = random.choice(FAULTS)
    # Where everything has to be swept, the rule for full seconds holds for the whole table: a gain and a loss at once
    # cannot be seen.
    for number, changes in history.changes.items():
        history.changes[number] = [change for change in changes if is_gain(change) == (number % 2 == 0)]
    return history


def is_gain(change: Callable[[LogTable], object]) -> bool:
    """Whether a change adds rows."""
    return change.__name__ == "gain"


TOTALS: dict[str, Callable[[int], Any]] = {
    "7 more": lambda true: true + 7,
    "twice as many": lambda true: true * 2,
    "1 less": lambda true: max(0, true - 1),
    "half as many": lambda true: true // 2,
    "always 0": lambda true: 0,
    "always 100": lambda true: 100,
    "always a billion": lambda true: 10**9,
    "null": lambda true: None,
    "text": str,
}
WRONG_TOTALS = [ServerFaults(total=total, name=f"total {name}") for name, total in TOTALS.items()]

FAULTS = (
    ServerFaults(ignores_before=True),
    ServerFaults(ignores_after=True),
    ServerFaults(ignores_before=True, ignores_after=True),
    *WRONG_TOTALS,
    ServerFaults(has_more=True),
    ServerFaults(has_more=False),
    ServerFaults(cap=20),
    ServerFaults(cap=20, cuts=True),
    ServerFaults(cap=1),
    ServerFaults(order="ascending"),
    ServerFaults(order="unsorted"),
    ServerFaults(ignores_page=True),
)


def _random_crowds(random: Random) -> list[tuple[int, int]]:
    kind = random.random()
    if kind < 0.3:  # one or two sizes, so that pages end in the middle of a second
        size = random.choice([1, 2, 3, 20, 50, 51, 60, 99, 100, 101, 150, 200])
        sizes = [size] * random.randint(1, min(60, 800 // size))
    else:
        sizes = []
        for _ in range(random.randint(1, 30)):
            low, high = random.choice([(1, 1), (1, 3), (1, 21), (1, 21), (40, 60), (95, 105), (100, 400)])
            sizes.append(random.randint(low, high))
    gap = random.choice([1, 1, 3, 3600])
    crowds = []
    rows = 0
    for number, size in enumerate(sizes):
        rows += size
        if rows > 900 and crowds:
            break
        crowds.append((NOW - number * gap, size))
    return crowds


def _random_changes(
    random: Random, rows: int, crowds: list[tuple[int, int]]
) -> dict[int, list[Callable[[LogTable], object]]]:
    changes: dict[int, list[Callable[[LogTable], object]]] = {}
    for _ in range(random.choice([0, 0, 1, 3, 10])):
        # The first request has to find the table as it was.
        changes.setdefault(random.randint(2, 6 + rows // 40), []).append(_random_change(random, crowds))
    return changes


def _random_change(random: Random, crowds: list[tuple[int, int]]) -> Callable[[LogTable], object]:
    second, size = random.choice(crowds)
    gains = second % 2 == 0 if size >= FULL else random.random() < 0.5
    count = random.randint(1, 5)
    if gains:
        if size < FULL:
            second += random.choice([-1, 0, 0, 1, 100_000])
        if any(other == second and size >= FULL and other % 2 for other, size in crowds):
            second += 200_000

        def gain(table: LogTable) -> None:
            table.add(second, count)

        return gain
    share = random.choice([0.02, 0.1, 0.5, 1.0])
    first = random.randrange(size)

    def lose(table: LogTable) -> None:
        crowd = table.crowd(second)
        table.delete(crowd[first : first + max(1, round(len(crowd) * share))])

    return lose

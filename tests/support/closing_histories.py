"""Random histories of walks that other threads close, resumed from their checkpoints, and compared with the truth.

A walk is closed while it reads a page, or while a log is handled. It ends in its RuntimeError, unless it was at its
end, and another one continues from its checkpoint: each log is given once.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dify_workflow._http.lifetimes import Lifetime
from dify_workflow._sync.log_walk import LogWalk
from support.log_histories import History, made, most_requests, random_history
from support.log_histories import Outcome as WalkOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from dify_workflow._logs.walk import PageRequest
    from dify_workflow.models import WorkflowLogPage
    from support.log_table import LogTable

LONGEST_WAIT = 20.0


@dataclass
class Closing:
    """When another thread closes a walk.

    Attributes:
        at: number of the request, or of the log, at which it does.
        while_reading: whether it is a request.
        is_prompt: whether the closing has begun before the walk continues.
    """

    at: int
    while_reading: bool
    is_prompt: bool


@dataclass
class ClosingHistory:
    """What is walked, and when it is closed."""

    history: History
    closings: list[Closing]


def random_closing_history(random: Random) -> ClosingHistory:
    """A faithful server, with changes, and one to four closings."""
    history = random_history(random)
    history.cuts, history.meanwhile = [], []
    history.workers = random.choice([1, 1, 4])
    closings: list[Closing] = []
    for _ in range(random.randint(1, 4)):
        while_reading = random.random() < 0.6
        most = 8 if while_reading else max(history.rows, 1)
        closings.append(Closing(random.randint(1, most), while_reading, random.random() < 0.7))
    return ClosingHistory(history, closings)


def check(closed: ClosingHistory) -> WalkOutcome:
    """Walk, close, resume, and compare with the truth."""
    history = closed.history
    table, there = made(history)
    given: list[Any] = []
    checkpoint: dict[str, Any] | None = None
    walk = None
    for closing in [*closed.closings, None]:
        walk = _walk_part(history, table, checkpoint, closing, given)
        checkpoint = json.loads(json.dumps(walk.checkpoint))
        if walk.checkpoint["ended"]:
            break
    assert walk is not None
    outcome = WalkOutcome(table, there, given, None, walk.seen, walk.checkpoint["ended"], walk.checkpoint)
    keys = outcome.keys
    assert len(keys) == len(set(keys)), f"{len(keys) - len(set(keys))} logs twice"
    assert not outcome.lost, f"lost: {len(outcome.lost)} of {len(there)}"
    assert outcome.ended
    assert outcome.seen == len(given)
    assert len(table.requests) <= most_requests(history, outcome) * (len(closed.closings) + 1)
    return outcome


def _walk_part(
    history: History, table: LogTable, checkpoint: dict[str, Any] | None, closing: Closing | None, given: list[Any]
) -> LogWalk:
    life, lock = Lifetime(), threading.Lock()
    closer = _Closer(closing, life)

    def read_page(request: PageRequest) -> WorkflowLogPage:
        closer.happens(while_reading=True)
        with lock:
            return table.page(request)

    walk = LogWalk(read_page, history.filters, checkpoint=checkpoint, workers=history.workers, life=life)
    with closer.closing_of(walk):
        try:
            for log in walk:
                given.append(log)
                closer.happens(while_reading=False)
        except RuntimeError as error:
            assert "ended before its last log" in str(error)  # noqa: PT017 - soak calls this, without pytest
            assert closing is not None
            assert not walk.checkpoint["ended"]
        else:
            assert walk.checkpoint["ended"]
    return walk


class _Closer:
    """A thread that closes a walk at its moment, or when the walk is over."""

    def __init__(self, closing: Closing | None, life: Lifetime) -> None:
        self._closing = closing
        self._life = life
        self._lock = threading.Lock()
        self._count = 0
        self._now = threading.Event()

    def happens(self, *, while_reading: bool) -> None:
        """Note a request, or a log, of the walk."""
        closing = self._closing
        if closing is None or closing.while_reading is not while_reading:
            return
        with self._lock:
            self._count += 1
            if self._count != closing.at:
                return
        self._now.set()
        deadline = time.monotonic() + LONGEST_WAIT
        while closing.is_prompt and not self._life.is_over and time.monotonic() < deadline:
            time.sleep(0)

    @contextlib.contextmanager
    def closing_of(self, walk: LogWalk) -> Iterator[None]:
        """Have the thread while the walk is iterated."""
        if self._closing is None:
            yield
            return

        def close() -> None:
            self._now.wait(LONGEST_WAIT)
            walk.close()

        thread = threading.Thread(target=close)
        thread.start()
        try:
            yield
        finally:
            self._now.set()
            thread.join(LONGEST_WAIT)
        assert not thread.is_alive(), "a closing that does not end"

"""What is done with a row of a batch, by what the journal has of it."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dify_workflow._runs.batch import (
    MOST_SENDS,
    RETRIED,
    SUCCESSES,
    BatchProgress,
    Entry,
    Rules,
    Slots,
    after_search,
    begun,
    digest_of,
    first_step,
    pause_of,
    row_user,
)
from dify_workflow._runs.batch_journal import Journal
from dify_workflow._runs.file_inputs import Contents
from dify_workflow.types import WorkflowRunResult

if TYPE_CHECKING:
    from pathlib import Path

BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # as the machine may be
EVENTS = ("sending", "unsent", "accepted", "started", "paused", "ended", "lost")


def rules(**changes: Any) -> Rules:
    known: dict[str, Any] = {
        "user": "u",
        "one_user": False,
        "at_once": 8,
        "retry_failed": False,
        "settle": 30.0,
        "lost_after": 3600.0,
        "in_order": False,
        "check_inputs": True,
        "workflow_id": None,
    }
    return Rules(**known | changes)


entries = st.builds(
    Entry,
    row=st.integers(0, 10**7),
    event=st.sampled_from(EVENTS),
    at=st.floats(0, 2**31),
    digest=st.just("d"),
    attempt=st.integers(1, 3),
    run=st.none() | st.uuids().map(str),
    status=st.sampled_from([None, "succeeded", "failed", "stopped", "refused", "paused"]),
    outputs=st.none() | st.dictionaries(st.text(), st.text()),
    error=st.none() | st.text(),
    tokens=st.integers(0, 10**6),
)


@BUSY
@given(entries, st.booleans(), st.booleans(), st.floats(0, 2**32))
def test_only_rows_of_which_nothing_runs_are_sent(entry: Entry, one_user: bool, retry: bool, now: float):
    asked = rules(one_user=one_user, retry_failed=retry)
    step = first_step(entry, asked)
    assert (step == "send") == (
        entry.event == "unsent" or (entry.event == "ended" and retry and entry.status in RETRIED)
    )
    following = begun(entry, row=entry.row, digest="d", rules=asked, now=now)
    is_again = step == "send" and entry.event != "unsent"
    assert following.attempt == entry.attempt + is_again
    assert following.event == "sending" or step != "send"
    assert row_user("u", "b", 1, entry.attempt) != row_user("u", "b", 1, entry.attempt + 1)
    assert following.at <= max(now, entry.at)


@BUSY
@given(entries, st.floats(0, 2**31), st.integers(0, 99), st.integers(0, 9), st.booleans(), st.floats(0, 99))
def test_no_accepted_row_is_sent_and_no_other_before_settle(
    entry: Entry, searched_at: float, searches: int, sends: int, is_doubtful: bool, settle: float
):
    next_step = after_search(
        entry,
        searched_at=searched_at,
        searches=searches,
        sends=sends,
        is_doubtful=is_doubtful,
        rules=rules(settle=settle),
    )
    if next_step.step == "send":
        assert entry.event not in {"accepted", "lost"}
        assert searched_at - entry.at >= settle - 0.001 or entry.event != "sending"
        assert sends < MOST_SENDS
        assert not is_doubtful
    if next_step.step == "search":
        assert 0 < next_step.pause <= 10


@pytest.mark.parametrize(("status", "event"), [("paused", "paused"), ("failed", "ended"), (None, "ended")])
@pytest.mark.parametrize(("tokens", "noted"), [(7, 7), (None, 0), ("7", 0)])
def test_an_ended_row_has_what_its_result_says(status: str | None, event: str, tokens: object, noted: int):
    entry = Entry(4, "started", 1.0, "d", attempt=2, run="r-1", tokens=3)
    data = {"id": "r-2", "status": status, "outputs": {"a": 1}, "error": "no", "total_tokens": tokens}
    ended = entry.ended(WorkflowRunResult.from_dict({"workflow_run_id": "r-2", "data": data}), 5.0)
    assert ended == Entry(
        4, event, 5.0, "d", attempt=2, run="r-2", status=str(status), outputs={"a": 1}, error="no", tokens=noted
    )
    assert entry.ended(WorkflowRunResult.from_dict({"data": {}}), 5.0).run == "r-1"


@given(entries.filter(lambda entry: entry.event != "lost"), st.integers(-8, 8), st.integers(0, 9))
def test_a_row_is_searched_until_its_time_is_over(entry: Entry, quarters: int, searches: int):
    left = quarters / 4
    limit = 30.0 if entry.event == "sending" else 3600.0
    next_step = after_search(
        replace(entry, at=1000.0),
        searched_at=1000.0 + limit - left,
        searches=searches,
        sends=0,
        is_doubtful=False,
        rules=rules(),
    )
    assert (next_step.step == "search") == (left > 0)
    assert left <= 0 or next_step.pause == min(pause_of(searches), left)


def test_progress_counts_items_failures_and_tokens():
    progress = BatchProgress(None, 2)
    for number, status in enumerate(("succeeded", "failed", "stopped", "refused", "paused", None)):
        entry = Entry(number, "ended", 1.0, "d", status=status, tokens=10**number)
        progress.count(entry, entry.item({}))
    assert (progress.done, progress.failed, progress.tokens) == (6, 4, 111_111)


def test_a_clock_set_back_does_not_block_a_row():
    entry = begun(Entry(0, "sending", 9e9, "d"), row=0, digest="d", rules=rules(), now=1000.0)
    next_step = after_search(entry, searched_at=1030.0, searches=1, sends=0, is_doubtful=False, rules=rules())
    assert next_step.step == "send"


def test_another_row_is_refused_unless_nothing_was_started():
    for event in EVENTS:
        entry = Entry(3, event, 1.0, "old", status="succeeded" if event == "ended" else None)
        if event == "unsent":
            assert begun(entry, row=3, digest="new", rules=rules(), now=2.0).digest == "new"
            continue
        with pytest.raises(ValueError, match="row 3 has other inputs"):
            begun(entry, row=3, digest="new", rules=rules(), now=2.0)
    refused = Entry(3, "ended", 1.0, "old", status="refused")
    assert begun(refused, row=3, digest="new", rules=rules(), now=2.0).attempt == 2


@settings(BUSY, max_examples=30)  # it writes files
@given(st.lists(entries, max_size=10), st.data())
def test_a_journal_that_is_cut_has_all_whole_lines(found: list[Entry], data: Any):
    import tempfile  # noqa: PLC0415 - hypothesis and tmp_path do not mix
    from pathlib import Path  # noqa: PLC0415 - as above

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "j"
        journal = Journal(path, rules())
        head = path.stat().st_size
        sizes = []
        for entry in found:
            journal.write(entry)
            sizes.append(path.stat().st_size)
        journal.close()
        size = data.draw(st.integers(head, path.stat().st_size))
        with path.open("r+b") as file:
            file.truncate(size)
        again = Journal(path, rules())
        kept = [entry for entry, end in zip(found, sizes, strict=True) if end <= size]
        last = {entry.row: entry for entry in kept}
        assert again.batch == journal.batch
        assert again.is_new == (not kept)
        for entry in found:
            known, wanted = again.entry(entry.row), last.get(entry.row)
            assert (known is None) == (wanted is None)
            assert known is None or wanted is None or known.line() == wanted.line()
        again.close()


def test_a_journal_that_is_synced_when_closed_is_unlocked(tmp_path: Path):
    def write(journal: Journal) -> None:
        with suppress(OSError, ValueError):  # it was closed before
            journal.write(Entry(0, "sending", 1.0, "x"), sync=True)

    path = tmp_path / "j"
    for _ in range(30):
        journal = Journal(path, rules())
        size = path.stat().st_size
        worker = Thread(target=write, args=(journal,))
        worker.start()
        while path.stat().st_size == size:
            pass
        journal.close()
        Journal(path, rules()).close()
        worker.join()


def test_uploads_are_remembered(tmp_path: Path):
    journal = Journal(tmp_path / "j", rules())
    journal.note_upload("b/1", {"type": "document"})
    journal.close()
    again = Journal(tmp_path / "j", rules())
    assert again.uploads == {"b/1": {"type": "document"}}
    again.close()


def test_the_index_of_a_journal_is_a_file_beyond_a_size(tmp_path: Path):
    journal = Journal(tmp_path / "j", rules())
    wanted = [0, 7, 10**6, 200_000]
    for row in wanted:
        journal.write(Entry(row, "unsent", 1.0, str(row)))
    journal.close()
    again = Journal(tmp_path / "j", rules())
    assert [getattr(again.entry(row), "digest", None) for row in [*wanted, 1, 10**7]] == [*map(str, wanted), None, None]
    again.close()


def test_slots_are_halved_once_for_a_burst_and_grow_again():
    slots = Slots(8)
    epochs = [slots.begin() for _ in range(8)]
    assert not slots.has_room()
    for epoch in epochs[:5]:
        slots.refused(epoch)
    assert slots.limit == 4
    for _ in range(SUCCESSES * 3):
        slots.accepted()
    assert slots.limit == 7
    for _ in range(SUCCESSES * 9):
        slots.accepted()
    assert slots.limit == 8
    for _ in range(9):
        slots.refused(slots.begin())
        slots.end()
    assert slots.limit == 1


def test_pauses_grow_to_ten_seconds():
    pauses = [pause_of(count) for count in range(100)]
    assert pauses[0] == 0.5
    assert pauses == sorted(pauses)
    assert Counter(pauses)[10.0] > 90


@BUSY
@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_a_digest_does_not_depend_on_the_order_of_names(row: dict[str, Any]):
    assert digest_of(row) == digest_of(dict(reversed(row.items()))) == digest_of(json.loads(json.dumps(row)))


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path: Path):
    contents, path = Contents(most=2), tmp_path / "a.txt"
    path.write_bytes(b"one")
    first, time = contents.digest(path), path.stat().st_mtime_ns
    path.write_bytes(b"two")
    os.utime(path, ns=(time, time))
    assert contents.digest(path) == first  # it looks the same, and is not read
    path.write_bytes(b"three")
    assert contents.digest(path) != first
    path.write_bytes(b"one")
    os.utime(path, ns=(time + 1, time + 1))
    assert contents.digest(path) == first == Contents().digest(path)  # only two are remembered
    (tmp_path / "b.txt").write_bytes(b"one")
    assert contents.digest(tmp_path / "b.txt") != first

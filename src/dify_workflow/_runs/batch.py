"""A batch of runs: what is known of each row, and what is done with it next. Decisions only: nothing here is I/O.

What is known of a row is the last line that the journal has of it, an `Entry`:

| event | written | what follows after a crash |
|---|---|---|
| `sending` | before the request is sent | its log is looked for; without one, it is sent again after `settle` seconds |
| `unsent` | when the server has refused it for now, or could not be reached | it is sent |
| `accepted` | when the response has begun, with status 200 | its log is waited for; it is never sent again |
| `started` | when an event has named the run | the run is read |
| `paused` | when the run waits for a person | the run is read |
| `ended` | when the run has ended, or was refused | nothing |
| `lost` | when its log was waited for without success | its log is looked for once; it is never sent again |
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Self, cast

from .._errors import APIConnectionError, APIStatusError, DifyError, RateLimitError
from .._http.advice import may_have_been_done
from .._http.outages import Request
from .arguments import LONGEST_USER, checked_user
from .batch_item import BatchItem

if TYPE_CHECKING:
    from ..results import WorkflowRunResult

Event = Literal["sending", "unsent", "accepted", "started", "paused", "ended", "lost"]
Step = Literal["send", "search", "follow", "done"]
Meaning = Literal["busy", "outage", "unclear", "doubtful", "refused", "fatal"]

REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"
RETRIED: Final = frozenset({"failed", "stopped", REFUSED})
"""Statuses of rows that `retry_failed` starts once more."""
FAILED: Final = RETRIED | {UNKNOWN}

MOST_AT_ONCE: Final = 64
MOST_SENDS: Final = 3
"""How often a row is sent whose response is lost each time, and whose log is found no time."""
WINDOW: Final = 10_000
"""Rows that are begun, or kept, at most before the oldest one that has not ended, where items come in order."""
MOST_WAITING: Final = 1000
"""Rows whose logs are waited for at once; then no further row is read."""

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 10.0
SUCCESSES: Final = 20
"""Accepted runs in a row after which one more is allowed at once."""

ROW_LINE: Final = re.compile(rb'\{"row":(\d+),"event":"(\w+)"')
KIND: Final = "dify-workflow batch"
VERSION: Final = 1

OF_THE_APP: Final = frozenset(
    {"app_unavailable", "not_workflow_app", "provider_not_initialize", "provider_quota_exceeded"}
)
"""Codes of refusals that concern every row."""
REFUSALS: Final = frozenset({400, 413, 415, 422})


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal has of a row.

    Attributes:
        row: the number of the row.
        event: what happened last.
        at: when, in seconds of the epoch.
        digest: the digest of the row's inputs.
        attempt: 1, and one more for each time that the row was started again on request.
        run: the run's id.
        task: the run's task.
        status: how the run ended.
        outputs: the run's outputs.
        error: why it failed.
        tokens: what it used.
    """

    row: int
    event: Event
    at: float
    digest: str
    attempt: int = 1
    run: str | None = None
    task: str | None = None
    status: str | None = None
    outputs: Any = None
    error: str | None = None
    tokens: int = 0

    def line(self) -> bytes:
        """The line of the journal."""
        given: dict[str, Any] = {"row": self.row, "event": self.event, "at": round(self.at, 3), "digest": self.digest}
        for name in ("run", "task", "status", "outputs", "error"):
            if (value := getattr(self, name)) is not None:
                given[name] = value
        if self.attempt > 1:
            given["attempt"] = self.attempt
        if self.tokens:
            given["tokens"] = self.tokens
        return json.dumps(given, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> Self:
        """The entry of a line.

        Raises:
            ValueError: it is none.
        """
        try:
            return cls(**json.loads(line))
        except TypeError as error:
            raise ValueError(str(error)) from None

    def now(self, event: Event, at: float, **changes: Any) -> Entry:  # noqa: ANN401 - the fields
        """The entry after another event."""
        return replace(self, event=event, at=at, **changes)

    def ended(self, result: WorkflowRunResult, at: float) -> Entry:
        """The entry after the end of the run, or after its pause."""
        status = str(result.status)
        tokens: object = getattr(result.data, "total_tokens", None)
        return replace(
            self,
            event="paused" if status == "paused" else "ended",
            at=at,
            run=result.workflow_run_id or self.run,
            status=status,
            outputs=result.outputs,
            error=result.error,
            tokens=tokens if isinstance(tokens, int) else 0,
        )

    def item(self, inputs: Mapping[str, Any]) -> BatchItem:
        """What the caller receives."""
        if self.event == "lost":
            return BatchItem(self.row, inputs, self.run, UNKNOWN, None, self.error)
        return BatchItem(self.row, inputs, self.run, self.status or UNKNOWN, self.outputs, self.error)


class Rules(NamedTuple):
    """What a call of `runs.batch` asks for.

    Attributes:
        user: the beginning of the rows' users, or the one user of all.
        one_user: whether all rows run for the same user.
        at_once: rows at once.
        retry_failed: whether rows that have failed are started once more.
        settle: seconds after which a row is sent again whose request may have been lost.
        lost_after: seconds for which the log of an accepted run is waited for.
        in_order: whether items come in the order of the rows.
        check_inputs: whether rows are checked against the app's form.
        workflow_id: the version of the workflow.
    """

    user: str
    one_user: bool
    at_once: int
    retry_failed: bool
    settle: float
    lost_after: float
    in_order: bool
    check_inputs: bool
    workflow_id: str | None

    def header(self, batch: str) -> dict[str, Any]:
        """The first line of the journal."""
        return {
            "journal": KIND,
            "version": VERSION,
            "batch": batch,
            "user": self.user,
            "one_user": self.one_user,
            "workflow_id": self.workflow_id,
        }


def checked_rules(rules: Rules) -> Rules:
    """What a call asks for, if it can be meant.

    Raises:
        ValueError: it cannot.
    """
    longest = LONGEST_USER if rules.one_user else LONGEST_USER - len(row_user("", "0" * 12, 10**9, 999))
    checked_user(rules.user)
    if len(rules.user) > longest:
        raise ValueError(
            f"user must be of 1 to {longest} characters, as each row's user begins with it; got {rules.user!r}"
        )
    if isinstance(rules.at_once, bool) or not isinstance(rules.at_once, int) or not 1 <= rules.at_once <= MOST_AT_ONCE:
        raise ValueError(f"at_once must be a whole number from 1 to {MOST_AT_ONCE}, got {rules.at_once!r}")
    for name in ("settle", "lost_after"):
        seconds: object = getattr(rules, name)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds >= 0:
            raise ValueError(f"{name} must be seconds, 0 or more; got {seconds!r}")
    return rules


def checked_header(line: bytes, wanted: dict[str, Any], place: str) -> dict[str, Any]:
    """The first line of a journal that is to be continued.

    Raises:
        ValueError: it is not a journal, or that of another batch.
    """
    try:
        found: object = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict) or cast("dict[str, Any]", found).get("journal") != KIND:
        raise ValueError(f"{place} is not a journal of a batch: give another file")
    header = cast("dict[str, Any]", found)
    if header.get("version") != VERSION:
        raise ValueError(f"{place} was written by another version of this package: give another file")
    for name in ("user", "one_user", "workflow_id"):
        if header.get(name) != wanted[name]:
            raise ValueError(
                f"{place} is the journal of a batch with {name}={header.get(name)!r}, and not {wanted[name]!r}: "
                "give the same value to continue that batch, or another journal to begin a new one"
            )
    return header


def digest_of(inputs: Mapping[str, Any]) -> str:
    """The digest by which a row is recognized. A file counts by its path.

    Raises:
        ValueError: they are not a JSON object, apart from files.
    """
    if not isinstance(inputs, Mapping) or not all(isinstance(name, str) for name in inputs):
        raise ValueError(f"a row must be a mapping of the names of inputs to values, got {inputs!r}")
    try:
        text = json.dumps(dict(inputs), sort_keys=True, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"a row must have JSON values, or paths of files: {error}") from None
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _plain(value: object) -> object:
    if isinstance(value, os.PathLike):
        return {"file": os.fsdecode(cast("os.PathLike[str]", value))}
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, object]", value))
    as_input: object = getattr(value, "as_input", None)
    if callable(as_input):
        return as_input()
    raise TypeError(f"a {type(value).__name__} is not a JSON value")


def row_user(user: str, batch: str, row: int, attempt: int) -> str:
    """The end user for whom a row runs: nobody else has this name, so that its log can be found by it."""
    again = f"/{attempt}" if attempt > 1 else ""
    return f"{user}/{batch}/{row}{again}"


def first_step(entry: Entry | None, rules: Rules) -> Step:
    """What is done with a row of which the journal has this."""
    if entry is None or entry.event == "unsent":
        return "send"
    if entry.event == "ended":
        return "send" if rules.retry_failed and entry.status in RETRIED else "done"
    if entry.event in ("started", "paused"):
        return "follow"
    return "done" if rules.one_user else "search"


def begun(entry: Entry | None, *, row: int, digest: str, rules: Rules, now: float) -> Entry:
    """The entry with which a row continues in this call.

    Raises:
        ValueError: the row is another one than it was.
    """
    if entry is None:
        return Entry(row, "sending", now, digest)
    if entry.event == "unsent":
        return entry.now("sending", now, digest=digest)
    is_again = first_step(entry, rules) == "send"
    if entry.digest != digest and not is_again and entry.status != REFUSED:
        raise ValueError(
            f"row {row} has other inputs than when this batch began: give the same rows in the same order, "
            "or another journal to begin a new batch"
        )
    if is_again or entry.digest != digest:
        return Entry(row, "sending", now, digest, attempt=entry.attempt + 1)
    if first_step(entry, rules) == "done" and entry.event in ("sending", "accepted"):
        return entry.now("lost", now, error=LOST_OF_ONE_USER)
    return replace(entry, at=min(entry.at, now))  # the clock may have been set back


LOST_OF_ONE_USER: Final = (
    "the batch was interrupted while this row was sent: a run may have been started, and cannot be found, as all rows "
    "have one user"
)
LOST: Final = "the server has accepted this run, and has not logged it since: it may still be waiting to be executed"


class NextStep(NamedTuple):
    """What follows when the log of a row was looked for without success.

    Attributes:
        step: "send", "lost", "refused", or "search" again.
        pause: seconds until then.
    """

    step: Literal["send", "lost", "refused", "search"]
    pause: float = 0.0


def after_search(
    entry: Entry, *, searched_at: float, searches: int, sends: int, is_doubtful: bool, rules: Rules
) -> NextStep:
    """What follows when the log of a row was looked for without success.

    Args:
        entry: what is known of the row.
        searched_at: when the search began.
        searches: how often it was looked for.
        sends: how often it was sent in this call.
        is_doubtful: whether the server reported an error that sending again is not likely to change.
        rules: what the call asks for.
    """
    if entry.event == "lost":
        return NextStep("lost")
    left = entry.at + (rules.settle if entry.event == "sending" else rules.lost_after) - searched_at
    if left > 0:
        return NextStep("search", min(pause_of(searches), left))
    if entry.event == "accepted":
        return NextStep("lost")
    return NextStep("refused" if is_doubtful or sends >= MOST_SENDS else "send")


def pause_of(count: int) -> float:
    """Seconds until something is repeated that was done so often."""
    return min(FIRST_PAUSE * 1.5 ** min(count, 20), LONGEST_PAUSE)


def meaning_of(error: DifyError) -> Meaning:
    """What an error means in which the request that starts a run has ended.

    - busy: the server refuses one more run at once; none was started.
    - outage: nothing was sent.
    - unclear: the run may have been started.
    - doubtful: as unclear, and sending it again is likely to fail in the same way.
    - refused: the server refuses this row; no run was started.
    - fatal: the error concerns every row.
    """
    if isinstance(error, RateLimitError):
        return "busy"
    if may_have_been_done(error):
        return "unclear"
    if isinstance(error, APIConnectionError):
        return "outage"
    if isinstance(error, APIStatusError):
        if error.status_code >= 500:  # noqa: PLR2004 - a status
            return "doubtful"
        if error.status_code in REFUSALS and error.code not in OF_THE_APP:
            return "refused"
    return "fatal"


class Slots:
    """How many runs there may be at once: halved when the server refuses one more, and grown again one by one.

    Attributes:
        limit: runs at once, now.
        active: runs that are under way.
    """

    __slots__ = ("_epoch", "_most", "_successes", "active", "limit")

    def __init__(self, most: int) -> None:
        self._most = most
        self._epoch = 0
        self._successes = 0
        self.limit = most
        self.active = 0

    def has_room(self) -> bool:
        """Whether one more may begin."""
        return self.active < self.limit

    def begin(self) -> int:
        """Note that one begins; what `refused` takes."""
        self.active += 1
        return self._epoch

    def end(self) -> None:
        """Note that one has ended."""
        self.active -= 1

    def refused(self, epoch: int) -> None:
        """Note that the server refused one. Those that began before the last refusal say nothing new."""
        if epoch == self._epoch:
            self.limit = max(1, min(self.limit, self.active) // 2)
            self._epoch += 1
        self._successes = 0

    def accepted(self) -> None:
        """Note that the server accepted one."""
        self._successes += 1
        if self._successes >= SUCCESSES and self.limit < self._most:
            self.limit += 1
            self._successes = 0


class BatchProgress:
    """How far a batch is.

    Attributes:
        total: rows; None until all were read, unless the rows have a length.
        done: items so far.
        failed: those among them that failed, were stopped or refused, or are unknown.
        tokens: tokens that the runs of these items used.
        slots: how many run at once.
    """

    __slots__ = ("done", "failed", "slots", "tokens", "total")

    def __init__(self, total: int | None, at_once: int) -> None:
        self.total = total
        self.done = 0
        self.failed = 0
        self.tokens = 0
        self.slots = Slots(at_once)

    def count(self, entry: Entry, item: BatchItem) -> None:
        """Count an item."""
        self.done += 1
        self.failed += item.status in FAILED
        self.tokens += entry.tokens


@dataclass(slots=True)
class Task:
    """A row on its way.

    Attributes:
        inputs: the row.
        entry: what is known of it.
        step: what is done with it next: "send", "search" or "follow".
        due: the moment of the next search, or of sending again, by `time.monotonic`.
        searches: how often its log was looked for in this call.
        sends: how often it was sent in this call.
        busy: how often in a row the server refused one more run at once.
        error: what went wrong when it was sent.
        is_doubtful: whether sending it again is likely to fail in the same way.
        request: what is known of its outages.
    """

    inputs: Mapping[str, Any]
    entry: Entry
    step: str
    due: float = 0.0
    searches: int = 0
    sends: int = 0
    busy: int = 0
    error: str | None = None
    is_doubtful: bool = False
    request: Request = field(default_factory=Request)


@dataclass(slots=True)
class JobState:
    """What the workers of a batch share, under the lock of their worker pool.

    Attributes:
        ready: rows that are to be sent or followed.
        searching: rows whose logs are looked for.
        ended: items that were not given yet, with what the journal has of them.
        taken: rows that were read and not given yet.
        read: rows that were read.
        given: in order, the number of the next item to give.
        is_read: whether all rows were read.
        is_complete: whether all items were given.
        busy_since: the moment since which the server refused all runs; None where it accepted the last one.
        uploading: the files that are being uploaded.
    """

    ready: deque[Task] = field(default_factory=deque[Task])
    searching: list[Task] = field(default_factory=list[Task])
    ended: deque[tuple[Entry, BatchItem]] = field(default_factory=deque[tuple[Entry, BatchItem]])
    taken: int = 0
    read: int = 0
    given: int = 0
    is_read: bool = False
    is_complete: bool = False
    busy_since: float | None = None
    uploading: set[str] = field(default_factory=set[str])

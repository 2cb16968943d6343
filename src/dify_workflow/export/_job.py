"""The export: it reads the logs, hands them to a target, and keeps where it stands."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from .. import __version__
from .._errors import DifyError
from .._logs.follow import OVERLAP_SECONDS
from .._sync.client import DifyWorkflow
from .._sync.resources.logs import Logs
from ..records import columns_of, is_plain_text
from ._results import ExportProgress, ExportResult
from ._targets import format_of, is_folder, opened, without_password
from ._updates import add_unfinished, beginning, give_up, note_unfinished, with_details

if TYPE_CHECKING:
    from ..types import DetailedLogWalk, LogChanges, LogWalk
    from ._targets import State, Target

Clients = DifyWorkflow | Mapping[str, DifyWorkflow] | Sequence[tuple[str, DifyWorkflow]]
"""The client of the app to export, or of several apps, each with a name."""

VERSION: Final = 1
SECONDS: Final = 5.0
"""Seconds after which is committed, at the latest."""
GIVE_UP_AFTER: Final = 86_400
"""Age in seconds beyond which an unfinished log is not looked up by an update, as by `logs.changes`."""
NO_FILTERS: Final = frozenset({"self", "parts", "timeout"})
"""Parameters of `logs.ranges` that are none of its filters."""
TIME_FILTERS: Final = ("created_at__before", "created_at__after")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def export(
    client: Clients,
    target: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 - the option's own word
    details: int | None = None,
    workers: int = 1,
    update: bool = False,
    restart: bool = False,
    excel: bool = False,
    state: str | os.PathLike[str] | None = None,
    progress: Callable[[ExportProgress], object] | None = None,
    **filters: Any,  # noqa: ANN401 - checked by logs.iter
) -> ExportResult:
    """Export all matching logs to a file, a database, or a collector of OpenTelemetry.

    The format follows the target's ending: `.jsonl`, `.csv`, `.sqlite`, `.parquet`, `.duckdb`; or it is a
    `postgresql://` or an `otlp://` address. `NAME.parquet/` is a folder of Parquet files, one or a few for each day. A
    file or folder has its name only when it is whole. A database has the table `workflow_logs`, and says in
    `_dify_workflow_export` whether it is finished. An export that was interrupted, at whatever moment, is continued by
    the same call: each log that matched when it began, and was not deleted since, is there exactly once. A finished
    one is read again as a whole; a database is then updated row by row. A collector gets a span for each run that has
    ended, always the same one: see `dify_workflow.otel`.

    Args:
        client: the client of an app; or a mapping of names to clients, or a list of pairs, for several apps: the column
            `app` then comes first.
        target: the file or the address.
        format: the format, where the target's ending does not say it.
        details: 1 to 64: inputs and outputs of the runs too; at most so many runs are looked up at once.
        workers: requests at once, 1 to 64; it may differ when an export is continued.
        update: add only what is new or has ended since the last export or update, where the target can be updated
            (`sqlite`, `duckdb`, `postgresql`, a folder of `parquet`, and `otlp` with `state`); the first export is
            made, or continued, where it has not finished.
        restart: discard an interrupted export, and what a database holds of the last one.
        excel: write CSV for Excel: with a byte order mark, and `'` before cells that look like formulas.
        state: file in which an export to a collector keeps where it stands, so that it can be continued and updated;
            unless given, each call sends everything.
        progress: called from time to time.
        filters: those of `logs.iter`.

    Raises:
        ValueError: an argument that cannot be meant, or another one than that of the export that is to be continued.
        ImportError: the format needs a package that is not installed; the message says how to install it.
        TargetLockedError: another process is exporting to the target; it is an `OSError`.
        CollectorError: a collector does not take spans, or rejected some while it took the others; it is an `OSError`.
        OSError: the target cannot be written. What was there stays as it was, and the call can be repeated.
        DifyError: as `logs.iter` raises; what was read is kept, and the call can be repeated.
    """
    if unknown := filters.keys() - (signature(Logs.ranges).parameters.keys() - NO_FILTERS):
        raise TypeError(f"export() got an unexpected keyword argument {min(unknown)!r}")
    clients = _named(client)
    apps = any(name is not None for name, _ in clients)
    target = os.fspath(target)
    format_name = format_of(target, format)
    if excel and format_name != "csv":
        raise ValueError("excel is for CSV files")
    if state is not None and format_name != "otlp":
        raise ValueError("state is for exports to a collector: other targets hold their own")
    wanted = _wanted(clients, details=details, excel=excel, filters=filters)
    # Databases and folders get new columns, and lines of JSON need none.
    if format_name in ("csv", "parquet") and not is_folder(target, format_name):
        wanted["columns"] = [column.name for column in columns_of(details=details is not None, app=apps)]
    more: dict[str, Any] = {}
    if format_name == "otlp":
        wanted["target"] = target
        app = None if apps else _app_name(clients[0][1])
        more = {"state": None if state is None else Path(state).absolute(), "app": app}
    for _, one in clients:  # all their checks, before anything is written
        options: dict[str, Any] = {"workers": workers, "details": details}
        _walk(one, **filters, **options).close()
    if update and filters.get("created_at__before") is not None:
        raise ValueError("update must be given without created_at__before: what is new comes after it")
    if update and format_name == "otlp" and state is None:
        raise ValueError("update of a collector needs state=, a file in which it keeps where it stands")
    more |= {"details": details is not None, "apps": apps, "excel": excel}
    with closing(opened(target, format_name, more)) as place:
        if update and not place.can_update:
            raise ValueError(
                f"update is not possible for {format_name}: export again, to a database, or to a folder (NAME.parquet/)"
            )
        job = _Job(place, clients, wanted, filters, workers=workers, details=details, progress=progress)
        last, was_resumed, was_update = job.run(update=update, restart=restart)
    unfinished = sum(len(found) for found in last["unfinished"].values())
    until = None if format_name == "otlp" and unfinished else last["complete_until"]
    return ExportResult(
        target=without_password(target),
        format=format_name,
        rows=last["rows"],
        complete_until=_moment(until),
        unfinished=unfinished,
        was_resumed=was_resumed,
        was_update=was_update,
    )


class _Job:
    def __init__(
        self,
        target: Target,
        clients: list[tuple[str | None, DifyWorkflow]],
        wanted: dict[str, Any],
        filters: dict[str, Any],
        *,
        workers: int,
        details: int | None,
        progress: Callable[[ExportProgress], object] | None,
    ) -> None:
        self._target = target
        self._clients = clients
        self._wanted = wanted
        self._filters = filters
        self._workers = workers
        self._details = details
        self._report = progress
        self._begun = time.monotonic()
        self._rows_before = 0  # those of interrupted calls

    def run(self, *, update: bool, restart: bool) -> tuple[State, bool, bool]:
        """Export; the last state, whether an interrupted export was continued, and whether it was an update."""
        state = None if restart else self._target.state()
        if state is not None:
            self._check(state)
            if not state["finished"]:
                self._target.resume(state)
                self._rows_before = state["rows"]
                return self._read(state), True, False
            if not self._target.can_update:  # it was interrupted after its last log
                return state, True, False
            if update:
                self._target.resume(state)
                return self._update(state), False, True
        state = self._new_state()
        self._target.begin(state, restart=restart)
        return self._read(state), False, False

    def _check(self, state: State) -> None:
        for name, value in self._wanted.items():
            # What is finished may be read again with other columns, and not with other logs.
            if state["wanted"].get(name) != value and not (state["finished"] and name == "details"):
                raise ValueError(
                    f"the export that was begun has {name} {state['wanted'].get(name)!r}, not {value!r}: repeat it "
                    "with the same arguments, or begin again with restart=True"
                )

    def _new_state(self) -> State:
        return {
            "version": VERSION,
            "sdk": __version__,
            "wanted": self._wanted,
            "app": 0,
            "rows": 0,
            "done": 0,  # rows of the apps that are finished
            "checkpoint": None,
            "time_shift": 0,
            "changes": self._beginnings() if self._target.can_update else {},
            "unfinished": {},
            "complete_until": None,
            "finished": False,
        }

    def _beginnings(self) -> dict[str, Any]:
        """Where updates begin, for each app: before the walk, so that they miss nothing."""
        found: dict[str, Any] = {}
        for name, client in self._clients:
            found[name or ""] = beginning(client, self._change_filters())
        return found

    def _change_filters(self) -> dict[str, Any]:
        return {name: value for name, value in self._filters.items() if name not in TIME_FILTERS}

    # The first export ---------------------------------------------------------------------------------------------

    def _read(self, state: State) -> State:
        while state["app"] < len(self._clients):
            number: int = state["app"]
            name, client = self._clients[number]
            self._read_app(name, client, state)
            state["app"] += 1
            state["done"], state["checkpoint"], state["time_shift"] = state["rows"], None, 0
        for name, found in state["unfinished"].items():
            if (checkpoint := state["changes"].get(name)) is not None:
                add_unfinished(checkpoint, found)
        state["finished"] = True
        self._target.finish(state)
        self._report_progress(state, None, state["rows"])
        return state

    def _read_app(self, name: str | None, client: DifyWorkflow, state: State) -> None:
        options: dict[str, Any] = {
            "workers": self._workers,
            "details": self._details,
            "checkpoint": state["checkpoint"],
        }
        walk = _walk(client, **self._filters, **options)
        unfinished: dict[str, int] = state["unfinished"].setdefault(name or "", {})
        target, batch = self._target, self._target.batch
        pending, committed = 0, time.monotonic()
        try:
            with walk:
                for log in walk:
                    target.add(name, log)
                    note_unfinished(log, unfinished)
                    state["rows"] += 1
                    pending += 1
                    if pending >= batch or (pending % 100 == 0 and time.monotonic() - committed > SECONDS):
                        self._commit(state, walk)
                        pending, committed = 0, time.monotonic()
                    if pending % 500 == 0:
                        self._report_progress(state, name, _sum(state["done"], walk.total))
        except DifyError:
            with suppress(Exception):  # the error is what counts; what was read before it may be kept
                self._commit(state, walk)
            raise
        self._commit(state, walk)
        give_up(unfinished, state["checkpoint"]["latest"], GIVE_UP_AFTER)
        until = _until(state["checkpoint"], state["time_shift"], self._filters)
        state["complete_until"] = until if state["app"] == 0 else _earlier(state["complete_until"], until)

    def _commit(self, state: State, walk: LogWalk | DetailedLogWalk) -> None:
        state["checkpoint"] = walk.checkpoint
        state["time_shift"] = walk.time_shift or state["time_shift"]  # what continues may be too short to show it
        self._target.commit(state)

    # Updates ------------------------------------------------------------------------------------------------------

    def _update(self, state: State) -> State:
        state["rows"] = 0
        untils: list[int | None] = []
        unfinished: dict[str, Any] = {}
        for name, client in self._clients:
            changes = client.logs.changes(
                **self._change_filters(), checkpoint=state["changes"][name or ""], give_up_after=GIVE_UP_AFTER
            )
            state["time_shift"] = 0
            with changes:
                self._add_changes(name, client, changes, state)
            checkpoint = state["changes"][name or ""]
            unfinished[name or ""] = {key: second for key, (second, _) in checkpoint["unfinished"].items()}
            newest = checkpoint["newest"]
            untils.append(None if newest is None else newest - (changes.time_shift or 0) - OVERLAP_SECONDS)
        known = [until for until in untils if until is not None]
        state["complete_until"] = min(known) if len(known) == len(untils) else state["complete_until"]
        state["unfinished"] = unfinished
        self._target.finish(state)
        self._report_progress(state, None, state["rows"])
        return state

    def _add_changes(self, name: str | None, client: DifyWorkflow, changes: LogChanges, state: State) -> None:
        key, committed, pending = name or "", time.monotonic(), 0
        read: list[Any] = []

        def add() -> None:
            for log in with_details(client, read, self._details):
                self._target.add(name, log)
            state["rows"] += len(read)
            read.clear()

        def store() -> None:
            state["changes"][key], state["time_shift"] = changes.checkpoint, changes.time_shift or 0
            self._target.commit(state)

        try:
            for log in changes:
                read.append(log)
                pending += 1
                if len(read) < (self._details or 1):
                    continue
                add()
                if pending >= self._target.batch or time.monotonic() - committed > SECONDS:
                    store()
                    pending, committed = 0, time.monotonic()
                    self._report_progress(state, name, None)
        except DifyError:
            if not read:  # all that the checkpoint has passed was taken
                with suppress(Exception):
                    store()
            raise
        add()
        store()

    def _report_progress(self, state: State, app: str | None, total: int | None) -> None:
        if self._report is None:
            return
        seconds = time.monotonic() - self._begun
        speed = max(state["rows"] - self._rows_before, 0) / seconds if seconds > 0 else 0.0
        left = None if total is None or not speed else max(total - state["rows"], 0) / speed
        self._report(ExportProgress(state["rows"], total, speed, left, app))


def _walk(client: DifyWorkflow, **options: Any) -> LogWalk | DetailedLogWalk:  # noqa: ANN401 - those of logs.iter
    walk: LogWalk | DetailedLogWalk = cast("Any", client.logs).iter(**options)
    return walk


def _named(clients: Clients) -> list[tuple[str | None, DifyWorkflow]]:
    if isinstance(clients, DifyWorkflow):
        return [(None, clients)]
    pairs: Iterable[Any] = clients.items() if isinstance(clients, Mapping) else clients
    found: list[tuple[str | None, DifyWorkflow]] = []
    try:
        found += [(name, client) for name, client in pairs]
    except (TypeError, ValueError):
        raise ValueError("client must be a DifyWorkflow, or names with a DifyWorkflow each") from None
    names = [name for name, _ in found]
    if not found or len(set(names)) < len(names):
        raise ValueError(f"client must have at least one app, and each name once; got {names!r}")
    for name, client in found:
        if not isinstance(name, str) or not name or not is_plain_text(name):
            raise ValueError(f"the name of an app must be a string, got {name!r}")
        if not isinstance(client, DifyWorkflow):
            raise ValueError(f"client must have a DifyWorkflow for {name!r}, got a {type(client).__name__}")
    return found


def _app_name(client: DifyWorkflow) -> str | None:
    """What the server calls the app; None where it does not say it, and what follows shows why."""
    with suppress(DifyError):
        name: object = client.app.info().name
        return name if isinstance(name, str) else None
    return None


def _wanted(
    clients: list[tuple[str | None, DifyWorkflow]], *, details: int | None, excel: bool, filters: dict[str, Any]
) -> dict[str, Any]:
    """What must be the same where an export is continued."""
    with _walk(clients[0][1], **filters) as walk:
        checkpoint = walk.checkpoint
    return {
        "filters": checkpoint["filters"],
        "verbatim": checkpoint.get("verbatim", []),
        "details": details is not None,
        "excel": excel,
        "apps": [name for name, _ in clients],
        "base_urls": [client.base_url for _, client in clients],
    }


def _until(checkpoint: dict[str, Any], time_shift: int | None, filters: dict[str, Any]) -> int | None:
    """The true second before which a walk has every log: logs may appear a little after their own time."""
    latest: int | None = checkpoint["latest"]
    until = None if latest is None else latest - (time_shift or 0) - OVERLAP_SECONDS
    if filters.get("created_at__before") is not None:
        from .._logs.times import latest_second  # noqa: PLC0415 - loaded when needed

        bound = latest_second("created_at__before", checkpoint["filters"]["created_at__before"])
        until = bound if until is None or bound is None else min(until, bound + 1)
    return until


def _earlier(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _moment(second: int | None) -> datetime | None:
    return None if second is None else EPOCH + timedelta(seconds=second)


def _sum(done: int, total: int | None) -> int | None:
    return None if total is None else done + total

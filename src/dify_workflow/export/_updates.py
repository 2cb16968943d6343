"""How a first reading of all logs is continued by `logs.changes`: nothing is missing, and nothing stays unfinished."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

from .._errors import DifyError
from .._http.outages import is_outage
from .._logs.detailed_log import DetailedLog
from .._runs.statuses import has_ended

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .._sync.client import DifyWorkflow


def beginning(client: DifyWorkflow, filters: Mapping[str, Any]) -> dict[str, Any]:
    """The checkpoint of `logs.changes` from now on: taken before all logs are read, so that updates miss nothing."""
    changes = cast("Any", client.logs).changes(**filters)
    for _ in changes:
        pass
    checkpoint: dict[str, Any] = changes.checkpoint
    return checkpoint


def add_unfinished(checkpoint: dict[str, Any], found: Mapping[str, int]) -> None:
    """Have `logs.changes` look logs up again that were read before their runs had ended: seconds by ids."""
    since = checkpoint["newest"]
    checkpoint["unfinished"] |= {key: [second, second if since is None else since] for key, second in found.items()}


def give_up(unfinished: dict[str, int], latest: int | None, age: float) -> None:
    """Forget unfinished logs that are older than the newest log by more than an age in seconds."""
    for key, second in list(unfinished.items()):
        if latest is not None and second < latest - age:
            del unfinished[key]


def note_unfinished(log: Any, unfinished: dict[str, int]) -> None:  # noqa: ANN401 - a server may send anything
    """Note a log whose run had not ended."""
    log = log.log if isinstance(log, DetailedLog) else log
    if not has_ended(getattr(log, "workflow_run", None)):
        identity, second = log.id, log.created_at
        if isinstance(identity, str) and type(second) is int:
            unfinished[identity] = second


def with_details(client: DifyWorkflow, logs: Sequence[Any], details: int | None) -> list[Any]:
    """Logs with their runs' inputs and outputs, where these are wanted; an outage is raised."""
    if details is None:
        return list(logs)

    def detailed(log: Any) -> DetailedLog:  # noqa: ANN401 - as above
        run = getattr(log, "workflow_run", None)
        if run is None:
            return DetailedLog(log, None, None)
        try:
            return DetailedLog(log, client.runs.get(run.id), None)
        except (DifyError, ValueError) as error:
            if isinstance(error, DifyError) and is_outage(error):
                raise
            return DetailedLog(log, None, error)

    with ThreadPoolExecutor(details) as pool:
        return list(pool.map(detailed, logs))

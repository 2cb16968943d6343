"""The source: one table of logs, merged by their ids, with the place to continue from in dlt's state."""

# pyarrow has no types, and dlt may be missing where types are checked.
# pyright: standard

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .. import DifyWorkflow, _profiles, records
from .._errors import ConfigurationError
from .._extras import imported
from .._logs.arrow import BATCH, for_engines, reader_of
from ..export._updates import add_unfinished, beginning, give_up, note_unfinished, with_details

if TYPE_CHECKING:
    from ..types import Time

NAME: Final = "dify_workflow"
TABLE: Final = "workflow_logs"
SECTION: Final = f"sources.{NAME}"
GIVE_UP_AFTER: Final = 86_400.0

Apps = Sequence[str] | Mapping[str, DifyWorkflow]


class App(NamedTuple):
    """An app that is read: its name where several are, and what opens its client."""

    name: str | None
    client: Callable[[], AbstractContextManager[DifyWorkflow]]


def source(
    *,
    api_key: str | None = None,
    base_url: str | None = None,
    apps: Sequence[str] | Mapping[str, DifyWorkflow] | None = None,
    details: int | None = None,
    workers: int = 1,
    give_up_after: float = GIVE_UP_AFTER,
    created_at__after: Time | None = None,
    keyword: str | None = None,
    status: str | None = None,
    created_by_end_user_session_id: str | None = None,
    created_by_account: str | None = None,
) -> Any:  # noqa: ANN401 - a DltSource
    """The logs as a dlt source with the table `workflow_logs`, for any destination that can merge.

    The first run of a pipeline loads all matching logs, each later one what is new or has ended since: the state is the
    checkpoint of `logs.changes`, which dlt stores together with the rows: the run after one that was killed continues
    from the last one that was loaded. The columns are those of `dify_workflow.records`.

    Args:
        api_key: the app's key; else `sources.dify_workflow.api_key` of dlt's secrets, else `DIFY_API_KEY`.
        base_url: address of the API; else `sources.dify_workflow.base_url` of dlt's configuration, else
            `DIFY_BASE_URL`, else Dify's cloud.
        apps: several apps in place of one: names of profiles, or clients by names. The column `app` then comes first,
            and belongs to the key. Clients are not closed.
        details: 1 to 64: inputs and outputs of the runs too; at most so many runs are looked up at once.
        workers: requests at once of the first load, 1 to 64.
        give_up_after: age in seconds, a day unless given, beyond which an unfinished log is not looked up again.
        created_at__after: earliest creation time of the first load, in the forms that `logs.iter` takes.
        keyword: string to search for in inputs, outputs and session ids, or a run's id; at most 30 characters.
        status: status of the run; a log appears when its run reaches this status.
        created_by_end_user_session_id: the `user` that was given at the run, exactly.
        created_by_account: e-mail address of the account that ran it, exactly.

    Raises:
        ValueError: an argument that cannot be meant; nothing was sent.
        ConfigurationError: there is no key, or it or an address cannot be used.
        ImportError: dlt or pyarrow is not installed.
    """
    dlt: Any = imported("dlt", "dlt")
    filters = {
        "keyword": keyword,
        "status": status,
        "created_by_end_user_session_id": created_by_end_user_session_id,
        "created_by_account": created_by_account,
    }
    reading = Reading(
        filters={name: value for name, value in filters.items() if value is not None},
        since=created_at__after,
        details=details,
        workers=workers,
        give_up_after=give_up_after,
    )
    found = _apps(dlt, api_key, base_url, apps)
    for app in found:  # all their checks, before anything is sent
        with app.client() as client:
            reading.check(client)
    has_apps = apps is not None

    def rows() -> Iterator[Any]:
        state: dict[str, Any] = dlt.current.resource_state()
        for app in found:
            with app.client() as client:
                yield from reading.batches(client, app.name, state)

    columns = records.columns_of(details=details is not None, app=has_apps)
    logs = dlt.resource(
        rows,
        name=TABLE,
        primary_key=["app", "id"] if has_apps else "id",
        write_disposition="merge",  # by the destination's own strategy: not every one has upsert
        columns={column.name: {"description": column.description} for column in columns},
    )

    def resources() -> Any:  # noqa: ANN401 - a DltResource
        return logs

    return dlt.source(resources, name=NAME, max_table_nesting=0)()


class Reading(NamedTuple):
    """What is read of each app, and how."""

    filters: dict[str, Any]
    since: Time | None
    details: int | None
    workers: int
    give_up_after: float

    def check(self, client: DifyWorkflow) -> None:
        """Check all arguments.

        Raises:
            ValueError: one that cannot be meant.
        """
        self._walk(client).close()
        client.logs.changes(**self.filters, give_up_after=self.give_up_after).close()

    def batches(self, client: DifyWorkflow, app: str | None, state: dict[str, Any]) -> Iterator[Any]:
        """The logs that an app's next load has, as Arrow batches; the state is changed when all of them were read."""
        saved = state.get(app or "")
        found = self._first(client) if saved is None else self._later(client, saved)
        has_details = self.details is not None
        for batch in reader_of(found, details=has_details):
            yield for_engines(batch, app)
        state[app or ""] = found.checkpoint

    def _walk(self, client: DifyWorkflow) -> Any:  # noqa: ANN401 - a walk, with details or without
        options: dict[str, Any] = {**self.filters, "workers": self.workers, "details": self.details}
        return client.logs.iter(**options, created_at__after=self.since)

    def _first(self, client: DifyWorkflow) -> _Logs:
        checkpoint = beginning(client, self.filters)
        unfinished: dict[str, int] = {}

        def logs() -> Iterator[Any]:
            with self._walk(client) as walk:
                for log in walk:
                    note_unfinished(log, unfinished)
                    yield log
                give_up(unfinished, walk.checkpoint["latest"], self.give_up_after)
            add_unfinished(checkpoint, unfinished)

        return _Logs(logs(), lambda: checkpoint)

    def _later(self, client: DifyWorkflow, saved: dict[str, Any]) -> _Logs:
        changes = client.logs.changes(**self.filters, checkpoint=saved, give_up_after=self.give_up_after)

        def logs() -> Iterator[Any]:
            with changes:
                some: list[Any] = []
                for log in changes:
                    some.append(log)
                    if len(some) >= (self.details or BATCH):
                        yield from with_details(client, some, self.details)
                        some.clear()
                yield from with_details(client, some, self.details)

        return _Logs(logs(), lambda: changes.checkpoint)


class _Logs:
    """Logs, and the checkpoint after the last of them."""

    def __init__(self, logs: Iterator[Any], checkpoint: Callable[[], dict[str, Any]]) -> None:
        self._logs = logs
        self._checkpoint = checkpoint

    def __iter__(self) -> Iterator[Any]:
        return self._logs

    @property
    def checkpoint(self) -> dict[str, Any]:
        return self._checkpoint()


def _apps(dlt: Any, api_key: str | None, base_url: str | None, apps: Apps | None) -> list[App]:  # noqa: ANN401 - a module
    if apps is None:
        key = api_key or dlt.secrets.get(f"{SECTION}.api_key")
        address = base_url or dlt.config.get(f"{SECTION}.base_url")
        return [App(None, lambda: DifyWorkflow(api_key=key, base_url=address))]
    if api_key is not None or base_url is not None:
        raise ConfigurationError("apps must be given without api_key and base_url: each app has its own")
    names = list(apps) if isinstance(apps, Mapping | list | tuple) else []
    if not names or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise ConfigurationError(f"apps must be names of profiles, or clients by names, each name once; got {names!r}")
    return [App(name, _client_of(name, apps)) for name in names]


def _client_of(name: str, apps: Apps) -> Callable[[], AbstractContextManager[DifyWorkflow]]:
    if not isinstance(apps, Mapping):
        return _profiles.named(name, _profiles.read()).client
    client = apps[name]
    if not isinstance(client, DifyWorkflow):
        raise ConfigurationError(f"apps must have a DifyWorkflow for {name!r}, got a {type(client).__name__}")
    return lambda: nullcontext(client)

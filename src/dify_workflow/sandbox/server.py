"""A sandbox that runs in a thread of this process."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import uvicorn

from .app import create_app
from .database import Database
from .engine import Engine
from .faults import Traps
from .records import DEFAULT_APPS, AppRow, AppState, FileRow, LogRow, new_log
from .request_log import ReceivedRequest, RequestLog, StartedRun
from .sample_data import ACCOUNTS, generate_logs
from .state import Behavior, SandboxState
from .versions import DEFAULT_VERSION, Version, server_version
from .workflow_steps import Workflow

if TYPE_CHECKING:
    from dify_workflow import AsyncDifyWorkflow, DifyWorkflow

__all__ = ["Sandbox"]

_HOST: Final = "127.0.0.1"
_IDLE_SECONDS: Final = 2
"""An idle connection is closed after so long, as by gunicorn, which the real server runs on."""
_GRACE_SECONDS: Final = 1
"""So long a stop waits for responses under way; connections whose clients do not read theirs are cut then."""


class Sandbox:
    """A stand-in for a Dify workflow app, on 127.0.0.1, from `with` to the end of its block.

    >>> with Sandbox(rows=500) as sandbox, sandbox.client() as client:
    ...     page = client.logs.list(status="failed")

    Any number of sandboxes can run at once; they share nothing. All methods may be called from any thread.

    A run does what its inputs ask for: `query` (required) is the answer, `seconds` how long it takes, `chunks` in how
    many pieces it is streamed, `fail` an error to fail with, `error_event` a message with which its stream breaks down,
    `document` and `documents` files, and from version 1.14 on `pause` the text of a form that it waits for. For a
    workflow of your own, see `set_workflow`.

    Args:
        rows: Generated logs of the app `main`; 0 for none, to add your own.
        seed: The same number gives the same rows, relative to the time of the start.
        days: How far back the generated logs reach.
        crowd: Rows of the one crowded second among them.
        port: The port to listen on; 0 for any free one.
        latency: Seconds that every response is delayed.
        api_key: The key of the app `main`.
        database: A file to keep the rows in. A file that holds rows already is served as it is, and nothing is
            generated.
        version: The Dify server whose behavior it shows, as measured: `1.11` (that is 1.11.2), `1.14` (1.14.2) or
            `1.16` (1.16.1). From 1.14 on, streaming runs are queued, runs can pause for forms, and an unknown run is
            a 404.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        *,
        rows: int = 2000,
        seed: int = 1,
        days: float = 30.0,
        crowd: int = 120,
        port: int = 0,
        latency: float = 0.0,
        api_key: str = DEFAULT_APPS[0].api_key,
        database: str | Path = ":memory:",
        version: Version = DEFAULT_VERSION,
    ) -> None:
        for name, value in {"rows": rows, "days": days, "crowd": crowd, "latency": latency}.items():
            if value < 0:
                raise ValueError(f"{name} cannot be negative, got {value}")
        if not 0 <= port <= _HIGHEST_PORT:
            raise ValueError(f"port must be from 0 to {_HIGHEST_PORT}, got {port}")
        if not api_key.isascii() or not api_key.isprintable() or " " in api_key or not api_key:
            raise ValueError("api_key must be printable ASCII without blanks")
        self._rows, self._seed, self._days, self._crowd = rows, seed, days, crowd
        self._wanted_port = port
        self._main_key = api_key
        self._path = database
        self._server = server_version(version)
        self._behaviors: dict[str, Behavior] = {}
        self._request_log = RequestLog()
        self._running: _Running | None = None
        self.traps = Traps(latency=latency)
        """Switches for what makes a server hard to read; they work at once."""

    # Life -------------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Start to serve; `with` does it.

        Raises:
            OSError: If the port cannot be had.
            DatabaseFileError: If the database file cannot be used.
            RuntimeError: If it runs already.
        """
        if self._running is not None:
            raise RuntimeError("the sandbox runs already")
        listener = _listen(self._wanted_port)
        try:
            database = Database(self._path)
            try:
                self._fill(database)
                state = SandboxState(
                    database=database,
                    engine=Engine(database, self._request_log, self._server, self.traps),
                    traps=self.traps,
                    server=self._server,
                    behaviors=self._behaviors,
                )
                self._running = _Running(state, self._request_log, listener)
            except BaseException:
                database.close()
                raise
        except BaseException:
            listener.close()
            raise
        return self

    def stop(self) -> None:
        """Stop serving and leave nothing behind: no run, thread, socket or connection. The end of `with` does it."""
        running, self._running = self._running, None
        if running is not None:
            running.stop()
            running.state.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        place = "stopped" if self._running is None else self.base_url
        return f"<{type(self).__name__} {place}>"

    # What a client needs ----------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._now_running.port

    @property
    def version(self) -> str:
        """The server version whose behavior it shows, in its short form: `1.11`, `1.14` or `1.16`."""
        return self._server.number.rpartition(".")[0]

    @property
    def base_url(self) -> str:
        """The address for a client, such as `http://127.0.0.1:43211/v1`."""
        return f"http://{_HOST}:{self.port}/v1"

    @property
    def api_key(self) -> str:
        """The key of the app `main`."""
        return self._main_key

    @property
    def keys(self) -> Mapping[str, str]:
        """The keys of all apps by the apps' names."""
        return MappingProxyType({app.name: app.api_key for app in self._now_running.state.database.apps()})

    def client(self, *, app: str = "main", **options: Any) -> "DifyWorkflow":  # noqa: ANN401 - the client's options
        """Make an SDK client of this sandbox; the caller closes it.

        Args:
            app: Name of the app whose key the client has.
            options: Options of `DifyWorkflow`.
        """
        from dify_workflow import DifyWorkflow  # noqa: PLC0415 - a sandbox can do without the client

        return DifyWorkflow(**self._client_options(app, options))

    def async_client(self, *, app: str = "main", **options: Any) -> "AsyncDifyWorkflow":  # noqa: ANN401 - as above
        """Make an asynchronous SDK client of this sandbox; the caller closes it."""
        from dify_workflow import AsyncDifyWorkflow  # noqa: PLC0415 - as above

        return AsyncDifyWorkflow(**self._client_options(app, options))

    # What the sandbox holds -------------------------------------------------------------------------------------

    def add_app(
        self,
        name: str,
        *,
        mode: str = "workflow",
        state: AppState = "open",
        published: bool = True,
        max_active_requests: int = 0,
        description: str = "",
        api_key: str | None = None,
    ) -> str:
        """Add an app, or replace the one of this name, and give its key. `AppRow` says what the arguments mean."""
        app = AppRow(
            name=name,
            api_key=api_key or (self._main_key if name == "main" else f"app-sandbox-{name}"),
            mode=mode,
            state=state,
            published=published,
            max_active_requests=max_active_requests,
            description=description,
        )
        self._now_running.state.database.add_app(app)
        return app.api_key

    def app(self, name: str = "main") -> AppRow:
        """Give an app, with the ids of itself, its published workflow and its draft.

        Raises:
            KeyError: If there is none of this name.
        """
        return {app.name: app for app in self._now_running.state.database.apps()}[name]

    def set_workflow(
        self, workflow: Workflow, *, form: Sequence[Mapping[str, Any]] | None = None, app: str = "main"
    ) -> None:
        """Give an app a workflow of your own; runs that are under way keep theirs. May be called before the start.

        >>> sandbox.set_workflow(lambda inputs: {"answer": inputs["query"].upper()})

        Args:
            workflow: A function that gets the inputs and gives the outputs, or a generator of steps that returns them:
                text, `Wait`, `NextNode`, `Emit`, `HumanForm`, `StreamError`, `Wire`. An exception makes the run fail.
                It is called in the sandbox's thread and must not block.
            form: The inputs that it takes, in the form of `user_input_form` in `GET /parameters`: such as that of an
                app of yours. Without one, it gets all inputs as they come, files too.
            app: Name of the app.
        """
        self._behaviors[app] = Behavior(workflow, form)

    def add_log(self, *, app: str = "main", **fields: Any) -> LogRow:  # noqa: ANN401 - the fields of `new_log`
        """Add one log and its run, made by `new_log` from `fields`, and give it."""
        log = new_log(**fields)
        self.add_logs([log], app=app)
        return log

    def add_logs(self, logs: Iterable[LogRow], *, app: str = "main") -> int:
        """Add logs, all of them or, after an error, none. Logs whose id is known are replaced. Gives their number."""
        return self._now_running.state.database.add_logs(app, logs)

    def delete_logs(self, ids: Iterable[str]) -> int:
        """Delete logs by their ids. Gives how many there were."""
        return self._now_running.state.database.delete_logs(ids)

    def update_run(self, run_id: str, **changes: object) -> bool:
        """Change a run, such as `status="succeeded", finished_at=...`. Gives whether there is such a run."""
        return self._now_running.state.database.update_run(run_id, changes)

    @property
    def uploads(self) -> list[FileRow]:
        """The files that were uploaded with any app's key, oldest first."""
        return self._now_running.state.database.files()

    # What it has seen -------------------------------------------------------------------------------------------

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """The requests that arrived, oldest first, since the start or the last `clear_requests`."""
        return self._request_log.requests()

    @property
    def started_runs(self) -> tuple[StartedRun, ...]:
        """The runs that requests have really started, oldest first, since the start or the last `clear_requests`."""
        return self._request_log.runs()

    def clear_requests(self) -> None:
        """Forget the requests and started runs so far."""
        self._request_log.clear()

    # Helpers ----------------------------------------------------------------------------------------------------

    @property
    def _now_running(self) -> "_Running":
        if self._running is None:
            raise RuntimeError("the sandbox is not running")
        return self._running

    def _client_options(self, app: str, options: dict[str, Any]) -> dict[str, Any]:
        return {"api_key": self.keys[app], "base_url": self.base_url, **options}

    def _fill(self, database: Database) -> None:
        main = AppRow(name="main", api_key=self._main_key)
        if database.apps():
            database.add_app(main)
            return
        logs = generate_logs(self._rows, seed=self._seed, now=int(time.time()), days=self._days, crowd=self._crowd)
        database.add_accounts(ACCOUNTS)
        database.add_logs(main.name, logs)
        # Last, as apps show the next start that this file is complete.
        for app in DEFAULT_APPS:
            database.add_app(main if app.name == main.name else app)


_HIGHEST_PORT: Final = 65_535


def _listen(port: int) -> socket.socket:
    # asyncio switches Nagle's delay off only for sockets that name their protocol; with it, short responses take 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere the option would let two processes share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen(128)  # now, so that a taken port is found out here and not in the thread
    except BaseException:
        listener.close()
        raise
    return listener


class _Running:
    """The server in its thread."""

    def __init__(self, state: SandboxState, request_log: RequestLog, listener: socket.socket) -> None:
        self.state = state
        self.port: int = listener.getsockname()[1]
        self._listener = listener
        self._server = _Server(
            state.engine,
            uvicorn.Config(
                create_app(state, request_log),
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                headers=[("Server", "dify-workflow-sandbox")],
                timeout_keep_alive=_IDLE_SECONDS,
                timeout_graceful_shutdown=10 * _GRACE_SECONDS,  # a net under `_Server.shutdown`
            ),
        )
        self._thread = threading.Thread(target=self._serve, name=f"dify-sandbox-{self.port}", daemon=True)
        self._thread.start()
        while not self._server.ready.wait(0.1):
            if not self._thread.is_alive():
                raise RuntimeError("the sandbox did not start; its thread says why on stderr")

    def _serve(self) -> None:
        # Never in debug mode, whatever Python's is: it would report each step that a busy machine takes long for.
        asyncio.run(self._server.serve(sockets=[self._listener]), debug=False)

    def stop(self) -> None:
        self.state.stopping.set()
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()


class _Server(uvicorn.Server):
    """A server that says when it is ready, and ends its runs, and so their streams, before it waits for its clients."""

    def __init__(self, engine: Engine, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._engine = engine
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._engine.close()
        cutting = asyncio.get_running_loop().create_task(self._cut_connections())
        await super().shutdown(sockets=sockets)
        cutting.cancel()

    async def _cut_connections(self) -> None:
        await asyncio.sleep(_GRACE_SECONDS)
        for connection in list(self.server_state.connections):
            connection.transport.abort()

"""The embedded SQLite database behind the sandbox."""

import json
import sqlite3
import threading
import time
import zlib
from collections import deque
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from .errors import invalid_param, unknown_error
from .faults import LogOrder
from .query_params import LogQuery
from .records import AccountRow, AppRow, EndUserRow, FileRow, LogRow, RunRow

__all__ = ["Database", "DatabaseFileError", "LogPage"]

_SCHEMA_VERSION: Final = 3
_BATCH: Final = 500  # rows that one statement writes
_CHANGES_KEPT: Final = 10_000

_SCHEMA: Final = """
CREATE TABLE apps (
    name TEXT PRIMARY KEY, api_key TEXT NOT NULL UNIQUE, mode TEXT NOT NULL, state TEXT NOT NULL,
    published INTEGER NOT NULL, max_active_requests INTEGER NOT NULL, description TEXT NOT NULL
);
CREATE TABLE accounts (id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE);
CREATE TABLE end_users (id TEXT PRIMARY KEY, type TEXT NOT NULL, session_id TEXT NOT NULL, app TEXT NOT NULL);
CREATE TABLE runs (
    id TEXT PRIMARY KEY, app TEXT NOT NULL, version TEXT NOT NULL, status TEXT NOT NULL, triggered_from TEXT NOT NULL,
    inputs TEXT NOT NULL, outputs TEXT, error TEXT, elapsed_time REAL NOT NULL, total_tokens INTEGER NOT NULL,
    total_steps INTEGER, created_at INTEGER NOT NULL, finished_at INTEGER, exceptions_count INTEGER,
    workflow_id TEXT
);
-- run_id and created_by may name rows that are gone: the response then shows null.
CREATE TABLE logs (
    id TEXT PRIMARY KEY, app TEXT NOT NULL, run_id TEXT, created_from TEXT NOT NULL, created_by_role TEXT NOT NULL,
    created_by TEXT, created_at INTEGER NOT NULL, tie INTEGER NOT NULL, stored_at REAL NOT NULL
);
CREATE TABLE files (
    id TEXT PRIMARY KEY, app TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, extension TEXT NOT NULL,
    mime_type TEXT NOT NULL, created_by TEXT NOT NULL, created_at INTEGER NOT NULL, sha256 TEXT NOT NULL
);
CREATE INDEX logs_newest_first ON logs (app, created_at DESC);
"""

_RUN: Final = "runs r ON r.id = l.run_id"
_ACCOUNT: Final = "accounts a ON l.created_by_role = 'account' AND a.id = l.created_by"
_END_USER: Final = "end_users u ON l.created_by_role = 'end_user' AND u.id = l.created_by"

_ITEMS: Final = f"""
SELECT
    l.id, l.created_from, l.created_by_role, l.created_at,
    r.id AS run_id, r.version, r.status, r.triggered_from, r.error, r.elapsed_time, r.total_tokens, r.total_steps,
    r.created_at AS run_created_at, r.finished_at, r.exceptions_count,
    a.id AS account_id, a.name, a.email,
    u.id AS end_user_id, u.type, u.session_id
FROM logs l LEFT JOIN {_RUN} LEFT JOIN {_ACCOUNT} LEFT JOIN {_END_USER}
"""  # noqa: S608 - names of ours

# Shuffles what shares a second: multiplying by anything but 0 permutes the numbers below this prime.
_TIE_PRIME: Final = 2**31 - 1
_ORDERS: Final[Mapping[LogOrder, str]] = {
    "newest first": f"l.created_at DESC, l.tie * :shuffle % {_TIE_PRIME}",
    "oldest first": f"l.created_at, l.tie * :shuffle % {_TIE_PRIME}",
    "unsorted": f"l.tie * :shuffle % {_TIE_PRIME}",
}


class DatabaseFileError(Exception):
    """The file is not a database that a sandbox of this version has written."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """The rows of one page, and how many match the filters altogether."""

    total: int
    items: list[dict[str, Any]]


class Database:
    """All that one sandbox knows. Safe for threads: each method holds the one connection for its own time.

    Args:
        path: The database file; `:memory:` keeps everything in memory.

    Raises:
        DatabaseFileError: If the file cannot be used.
    """

    def __init__(self, path: str | Path = ":memory:") -> None:
        self._lock = threading.RLock()
        # What changed runs were before, newest last: a lagging replica still shows it.
        self._earlier_runs: deque[tuple[float, dict[str, Any]]] = deque(maxlen=_CHANGES_KEPT)
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        except sqlite3.DatabaseError as error:
            raise DatabaseFileError(f"{path}: {error}") from None
        self._connection.row_factory = sqlite3.Row
        try:
            self._prepare()
        except (sqlite3.DatabaseError, DatabaseFileError) as error:
            self._connection.close()
            raise DatabaseFileError(f"{path}: {error}") from None

    def close(self) -> None:
        """Close the connection; without a file the rows are gone."""
        with self._lock:
            self._connection.close()

    # Apps -------------------------------------------------------------------------------------------------------

    def add_app(self, app: AppRow) -> None:
        """Add an app, or replace the one of this name."""
        with self._transaction():
            self._insert("apps", [_columns(app)])

    def apps(self) -> list[AppRow]:
        """Give all apps in the order in which they were added."""
        with self._lock:
            return [_app(row) for row in self._connection.execute("SELECT * FROM apps ORDER BY rowid")]

    def find_app(self, api_key: str) -> AppRow | None:
        """Give the app that this key opens."""
        with self._lock:
            row = self._connection.execute("SELECT * FROM apps WHERE api_key = ?", (api_key,)).fetchone()
        return None if row is None else _app(row)

    # Logs -------------------------------------------------------------------------------------------------------

    def add_accounts(self, accounts: Iterable[AccountRow]) -> None:
        """Add members of the workspace; those of logs are added with them."""
        with self._transaction():
            self._insert("accounts", [_columns(account) for account in accounts])

    def add_logs(self, app: str, logs: Iterable[LogRow]) -> int:
        """Add logs with their runs and creators; those of a known id are replaced. Gives how many there were."""
        count = 0
        remaining = iter(logs)
        with self._transaction():
            while batch := list(islice(remaining, _BATCH)):
                self._insert("runs", [_columns(log.run) | {"app": app} for log in batch if log.run is not None])
                creators = {log.creator for log in batch}
                self._insert("accounts", [_columns(row) for row in creators if isinstance(row, AccountRow)])
                users = [_columns(row) | {"app": app} for row in creators if isinstance(row, EndUserRow)]
                self._insert("end_users", users)
                now = time.time()
                self._insert("logs", [_log_columns(app, log) | {"stored_at": now} for log in batch])
                count += len(batch)
        return count

    def delete_logs(self, ids: Iterable[str]) -> int:
        """Delete logs; their runs stay. Gives how many there were."""
        with self._transaction():
            return self._connection.executemany("DELETE FROM logs WHERE id = ?", [(id_,) for id_ in ids]).rowcount

    def update_run(self, run_id: str, changes: Mapping[str, object]) -> bool:
        """Change columns of a run. Gives whether there is such a run.

        Raises:
            ValueError: If the runs have no such column.
        """
        with self._transaction():
            known = {row["name"] for row in self._connection.execute("PRAGMA table_info(runs)")}
            if unknown := changes.keys() - known:
                raise ValueError(f"a run has no {', '.join(sorted(unknown))}")
            assignments = ", ".join(f"{name} = :{name}" for name in changes)
            earlier = self._connection.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
            if earlier is not None:
                self._earlier_runs.append((time.time(), dict(earlier)))
            statement = f"UPDATE runs SET {assignments} WHERE id = :run_id"  # noqa: S608 - column names just checked
            return self._connection.execute(statement, {**changes, "run_id": run_id}).rowcount > 0

    def list_logs(
        self,
        app: AppRow,
        query: LogQuery,
        *,
        order: LogOrder = "newest first",
        stable_ties: bool = False,
        lag: float = 0.0,
    ) -> LogPage:
        """Give one page of an app's logs, newest first unless another order is requested.

        Rows of one second come in an order that depends on the page's size, its offset and its time window: the same
        page is always the same, but a row may move across the border of two pages, as it does on the real server,
        whose `ORDER BY created_at` has no tie-breaker.

        Args:
            app: The app.
            query: The filters and the page.
            order: The order of the logs.
            stable_ties: Whether rows of one second keep their order.
            lag: Seconds by which the page is behind: what was stored or changed since does not show yet.

        Raises:
            ApiError: For an account that is not known, and for the pair of filters that the server cannot join.
        """
        with self._lock:
            earlier = self._earlier(lag)
            source, where, values = self._selection(app, query, earlier)
            if lag > 0:
                where += " AND l.stored_at <= :visible"
                values["visible"] = time.time() - lag
            total: int = self._connection.execute(f"SELECT count(*) {source} {where}", values).fetchone()[0]
            values["shuffle"] = 1 if stable_ties else _shuffle(query)
            values |= {"limit": query.limit, "offset": query.offset}
            # First the ids alone, so that the rows that a deep offset skips are never put together.
            by = _ORDERS[order]
            page = f"SELECT l.rowid {source} {where} ORDER BY {by} LIMIT :limit OFFSET :offset"
            items = f"{_ITEMS} WHERE l.rowid IN ({page}) ORDER BY {by}"
            rows = self._connection.execute(items, values).fetchall()
        return LogPage(total, [_item(_as_it_was(row, earlier)) for row in rows])

    # Runs, end users, files -------------------------------------------------------------------------------------

    def find_run(self, app: AppRow, run_id: str, *, lag: float = 0.0) -> RunRow | None:
        """Give a run of this app, as it was `lag` seconds ago."""
        with self._lock:
            row = self._connection.execute("SELECT * FROM runs WHERE id = ? AND app = ?", (run_id, app.name)).fetchone()
            found = None if row is None else self._earlier(lag).get(run_id, dict(row))
            if lag > 0 and found is not None:
                fresh = "SELECT 1 FROM logs WHERE run_id = ? AND stored_at > ?"
                if self._connection.execute(fresh, (run_id, time.time() - lag)).fetchone() is not None:
                    return None
        return None if found is None else RunRow(**{name: found[name] for name in RunRow.__dataclass_fields__})

    def find_run_user(self, run_id: str) -> EndUserRow | None:
        """Give the end user for whom a run was started."""
        with self._lock:
            row = self._connection.execute(
                "SELECT u.* FROM logs l JOIN end_users u ON u.id = l.created_by WHERE l.run_id = ?", (run_id,)
            ).fetchone()
        return None if row is None else EndUserRow(row["id"], row["type"], row["session_id"])

    def add_end_user(self, app: AppRow, end_user: EndUserRow) -> None:
        """Add an end user of this app; one of a known id is replaced."""
        with self._transaction():
            self._insert("end_users", [_columns(end_user) | {"app": app.name}])

    def find_end_user(self, app: AppRow, id_: str) -> EndUserRow | None:
        """Give an end user of this app by the id."""
        with self._lock:
            row = self._connection.execute(
                "SELECT * FROM end_users u WHERE u.id = :id AND (u.app = :app OR EXISTS"
                " (SELECT 1 FROM logs l WHERE l.created_by = u.id AND l.app = :app))",
                {"id": id_, "app": app.name},
            ).fetchone()
        return None if row is None else EndUserRow(row["id"], row["type"], row["session_id"])

    def first_seen(self, end_user: EndUserRow) -> int | None:
        """Give the time of an end user's first log; None when there is none."""
        with self._lock:
            first: int | None = self._connection.execute(
                "SELECT min(created_at) FROM logs WHERE created_by = ?", (end_user.id,)
            ).fetchone()[0]
        return first

    def add_file(self, app: AppRow, file: FileRow) -> None:
        """Add an uploaded file."""
        with self._transaction():
            self._insert("files", [_columns(file) | {"app": app.name}])

    def find_file(self, app: AppRow, file_id: str) -> FileRow | None:
        """Give a file that was uploaded with this app's key."""
        with self._lock:
            row = self._connection.execute(
                "SELECT * FROM files WHERE id = ? AND app = ?", (file_id, app.name)
            ).fetchone()
        return None if row is None else _file(row)

    def find_any_file(self, file_id: str) -> FileRow | None:
        """Give a file that was uploaded with any app's key."""
        with self._lock:
            row = self._connection.execute("SELECT * FROM files WHERE id = ?", (file_id,)).fetchone()
        return None if row is None else _file(row)

    def files(self) -> list[FileRow]:
        """Give all uploaded files in the order in which they came."""
        with self._lock:
            return [_file(row) for row in self._connection.execute("SELECT * FROM files ORDER BY rowid")]

    # Helpers ----------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        with self._transaction():
            version: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
            tables: int = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
            if version == _SCHEMA_VERSION:
                return
            if version or tables:
                raise DatabaseFileError("not a database of this sandbox")
            for statement in _SCHEMA.split(";"):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")

    @contextmanager
    def _transaction(self) -> Generator[None, None, None]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            columns, places = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
            statement = f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({places})"  # noqa: S608 - names of ours
            self._connection.executemany(statement, rows)

    def _earlier(self, lag: float) -> dict[str, dict[str, Any]]:
        """Give the runs that have changed in the last `lag` seconds, by their ids, as they were before."""
        earlier: dict[str, dict[str, Any]] = {}
        if lag > 0:
            visible = time.time() - lag
            for changed_at, run in reversed(self._earlier_runs):
                if changed_at <= visible:
                    break
                earlier[run["id"]] = run
        return earlier

    def _selection(
        self, app: AppRow, query: LogQuery, earlier: Mapping[str, Mapping[str, Any]]
    ) -> tuple[str, str, dict[str, Any]]:
        source = "FROM logs l"
        where = ["l.app = :app"]
        values: dict[str, Any] = {"app": app.name}
        if query.keyword is not None or query.status is not None:
            source += f" JOIN {_RUN}"  # so a log whose run is gone matches neither
        if query.status is not None:
            where.append(f"{_status_column(earlier, values)} = :status")
            values["status"] = query.status
        for name, operator in (("created_at__before", "<="), ("created_at__after", ">=")):
            if (bound := getattr(query, name)) is not None:
                where.append(f"l.created_at {operator} :{name}")
                values[name] = bound
        if query.created_by_account is not None:
            where.append("l.created_by = :account")
            values["account"] = self._account_id(query.created_by_account)
        if query.keyword is not None or query.created_by_end_user_session_id is not None:
            source += f" LEFT JOIN {_END_USER}"
        if query.created_by_end_user_session_id is not None:
            if query.keyword is not None:  # the server joins end_users once for each of the two, under one name
                raise unknown_error()
            where.append("u.session_id = :session")
            values["session"] = query.created_by_end_user_session_id
        if query.keyword is not None:
            like = "LIKE :pattern ESCAPE '\\'"
            where.append(f"(r.inputs {like} OR r.outputs {like} OR u.session_id {like} OR r.id = :keyword_run_id)")
            values |= {"pattern": query.keyword_pattern, "keyword_run_id": query.keyword_run_id}
        return source, "WHERE " + " AND ".join(where), values

    def _account_id(self, email: str) -> str:
        row = self._connection.execute("SELECT id FROM accounts WHERE email = ?", (email,)).fetchone()
        if row is None:
            raise invalid_param(f"Account not found: {email}")
        return str(row["id"])


def _status_column(earlier: Mapping[str, Mapping[str, Any]], values: dict[str, Any]) -> str:
    """Give the expression for the status of a run, which a lagging replica may not have yet."""
    if not earlier:
        return "r.status"
    values["earlier"] = json.dumps({id_: run["status"] for id_, run in earlier.items()})
    return "coalesce(json_extract(:earlier, '$.\"' || r.id || '\"'), r.status)"


def _shuffle(query: LogQuery) -> int:
    page = f"{query.limit} {query.offset} {query.created_at__before} {query.created_at__after}"
    return 1 + zlib.crc32(page.encode()) % (_TIE_PRIME - 1)


def _app(row: sqlite3.Row) -> AppRow:
    return AppRow(
        name=row["name"],
        api_key=row["api_key"],
        mode=row["mode"],
        state=row["state"],
        published=bool(row["published"]),
        max_active_requests=row["max_active_requests"],
        description=row["description"],
    )


def _file(row: sqlite3.Row) -> FileRow:
    return FileRow(**{name: row[name] for name in FileRow.__dataclass_fields__})


def _columns(row: AppRow | RunRow | AccountRow | EndUserRow | FileRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def _log_columns(app: str, log: LogRow) -> dict[str, Any]:
    return {
        "id": log.id,
        "app": app,
        "run_id": None if log.run is None else log.run.id,
        "created_from": log.created_from,
        "created_by_role": log.created_by_role,
        "created_by": None if log.creator is None else log.creator.id,
        "created_at": log.created_at,
        "tie": 1 + zlib.crc32(log.id.encode()) % (_TIE_PRIME - 1),
    }


def _as_it_was(row: sqlite3.Row, earlier: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    run = earlier.get(row["run_id"])
    if run is None:
        return row  # type: ignore[return-value]  # it is read by keys alone, as a mapping is
    names = ("status", "error", "elapsed_time", "total_tokens", "total_steps", "finished_at", "exceptions_count")
    return {**dict(row), **{name: run[name] for name in names}}


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row as the API shows it, with its keys in the API's order."""
    return {
        "id": row["id"],
        "workflow_run": None
        if row["run_id"] is None
        else {
            "id": row["run_id"],
            "version": row["version"],
            "status": row["status"],
            "triggered_from": row["triggered_from"],
            "error": row["error"],
            "elapsed_time": row["elapsed_time"],
            "total_tokens": row["total_tokens"],
            "total_steps": row["total_steps"],
            "created_at": row["run_created_at"],
            "finished_at": row["finished_at"],
            "exceptions_count": row["exceptions_count"],
        },
        "details": None,  # the console alone fills it
        "created_from": row["created_from"],
        "created_by_role": row["created_by_role"],
        "created_by_account": None
        if row["account_id"] is None
        else {"id": row["account_id"], "name": row["name"], "email": row["email"]},
        "created_by_end_user": None
        if row["end_user_id"] is None
        else {
            "id": row["end_user_id"],
            "type": row["type"],
            "is_anonymous": False,  # the server's model has it for all end users
            "session_id": row["session_id"],
        },
        "created_at": row["created_at"],
    }

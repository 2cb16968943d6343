"""Targets of an export: what each of them can be asked to do, and which one belongs to a name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, cast, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

ExportFormat = Literal["jsonl", "csv", "sqlite", "parquet", "duckdb", "postgresql", "otlp"]
"""What an export can write."""
FORMATS: Final[tuple[str, ...]] = get_args(ExportFormat)
ENDINGS: Final = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".db": "sqlite",
    ".parquet": "parquet",
    ".duckdb": "duckdb",
}
POSTGRESQL: Final = re.compile(r"postgres(?:ql)?://")
OTLP: Final = re.compile(r"otlps?:")
HTTP: Final = re.compile(r"https?://")

State = dict[str, Any]
"""Where an export stands, as a JSON object."""


class Target(Protocol):
    """A file or database that is being written. Only one process has it."""

    can_update: bool
    """Whether changed logs can be added later."""

    batch: int
    """Logs after which is committed, at the latest."""

    def state(self) -> State | None:
        """Where the export stands that was interrupted, or that has finished; None when there is none."""
        ...

    def begin(self, state: State, *, restart: bool) -> None:
        """Begin an export; `restart` discards what the target holds. The target shows nothing of it yet."""
        ...

    def resume(self, state: State) -> None:
        """Go back to what was committed with this state."""
        ...

    def add(self, app: str | None, log: Any) -> None:  # noqa: ANN401 - a server may send anything as a log
        """Take a log."""
        ...

    def commit(self, state: State) -> None:
        """Store the logs that were taken, and the state, so that both or none survive."""
        ...

    def finish(self, state: State) -> None:
        """Store the rest, and show the whole."""
        ...

    def close(self) -> None:
        """Let go of the target."""
        ...


def format_of(target: str, given: str | None) -> ExportFormat:
    """The format of a target: the given one, or the one of its ending.

    Raises:
        ValueError: there is none, or the two contradict each other.
    """
    found = "postgresql" if POSTGRESQL.match(target) else ENDINGS.get(Path(target.rstrip("/")).suffix.lower())
    if OTLP.match(target) or (given == "otlp" and HTTP.match(target)):
        found = "otlp"
    if given is None:
        if found is None:
            raise ValueError(
                f"target must end in one of {', '.join(ENDINGS)}, or begin with postgresql:// or otlp://, or format be "
                f"given; got {target!r}"
            )
        return cast("ExportFormat", found)
    if given not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {given!r}")
    if given != found and not {given, found}.isdisjoint({"postgresql", "otlp"}):
        raise ValueError(f"format {given!r} is none of the target {without_password(target)!r}")
    return cast("ExportFormat", given)


def without_password(target: str) -> str:
    """A target as it may be shown."""
    shown = re.sub(r"(?<=//)([^/@:]*):[^/@]*@", r"\1:***@", target) if POSTGRESQL.match(target) else target
    return re.sub(r"(?<=[?&]password=)[^&]*", "***", shown) if POSTGRESQL.match(target) else shown


def opened(target: str, format_name: ExportFormat, options: Mapping[str, Any]) -> Target:
    """The target, for this process alone.

    Raises:
        ImportError: a package is missing that the format needs.
        TargetLockedError: another process has it.
        OSError: it cannot be written.
    """
    # Each is loaded when it is needed.
    if format_name == "postgresql":
        from ._postgresql import PostgreSQLTarget  # noqa: PLC0415 - as above

        return PostgreSQLTarget(target, **options)
    if format_name == "otlp":
        from ._otlp import OTLPTarget  # noqa: PLC0415 - as above

        return OTLPTarget(target, **options)
    path = Path(os.path.abspath(target))  # noqa: PTH100 - a folder that is a symbolic link may stay one
    if path.is_dir():
        raise IsADirectoryError(f"target must be a file, and {target!r} is a folder")
    if format_name == "sqlite":
        from ._sqlite import SQLiteTarget  # noqa: PLC0415 - as above

        return SQLiteTarget(path, **options)
    if format_name == "duckdb":
        from ._duckdb import DuckDBTarget  # noqa: PLC0415 - as above

        return DuckDBTarget(path, **options)
    if format_name == "parquet":
        from ._parquet import ParquetTarget  # noqa: PLC0415 - as above

        return ParquetTarget(path, **options)
    from ._files import CSVTarget, JSONLTarget  # noqa: PLC0415 - as above

    return CSVTarget(path, **options) if format_name == "csv" else JSONLTarget(path, **options)

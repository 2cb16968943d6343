"""Targets of an export: what each of them can do, and which one belongs to a name."""

from __future__ import annotations

import os
import re
from importlib import import_module
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

ADDRESSES: Final = ("postgresql", "otlp")
"""Formats whose targets are not files."""
CLASSES: Final = {
    "jsonl": ("_files", "JSONLTarget"),
    "csv": ("_files", "CSVTarget"),
    "sqlite": ("_sqlite", "SQLiteTarget"),
    "parquet": ("_parquet", "ParquetTarget"),
    "folder": ("_parquet_folder", "ParquetFolderTarget"),
    "duckdb": ("_duckdb", "DuckDBTarget"),
    "postgresql": ("_postgresql", "PostgreSQLTarget"),
    "otlp": ("_otlp", "OTLPTarget"),
}
"""The module of each kind of target, and its class."""

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
        """Close the target."""
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


def is_folder(target: str, format_name: str) -> bool:
    """Whether a target is a folder of files.

    Raises:
        ValueError: it is none that the format can have.
    """
    if format_name in ADDRESSES:
        return False
    is_named = target.endswith(("/", os.sep))
    if is_named and format_name != "parquet":
        raise ValueError(f"a folder must be of Parquet files, not {format_name}: leave the / at the end out")
    return is_named or (format_name == "parquet" and Path(target).is_dir())


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
    place: str | Path = target
    kind: str = format_name
    if format_name not in ADDRESSES:
        place = Path(os.path.abspath(target))  # noqa: PTH100 - a folder that is a symbolic link may stay one
        if is_folder(target, format_name):
            kind = "folder"
        elif place.is_dir():
            raise IsADirectoryError(f"target must be a file, and {target!r} is a folder")
    module, name = CLASSES[kind]
    made: Target = getattr(import_module(f".{module}", __package__), name)(place, **options)  # loaded when it is needed
    return made

"""What an export reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """How far an export is.

    Attributes:
        rows: logs written since the export began, those of interrupted calls included.
        total: logs that it has to write, as the server counted them; None where that is not known.
        rows_per_second: of this call.
        remaining: seconds that are left at this speed; None where that is not known.
        app: the app that is exported, where there are several.
    """

    rows: int
    total: int | None
    rows_per_second: float
    remaining: float | None
    app: str | None


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What an export did.

    Attributes:
        target: the file or database, without a password.
        format: the format.
        rows: logs written by this export, those of interrupted calls included.
        complete_until: each matching log that was created before this moment, in true UTC, is in the target: those may
            be deleted on the server. None where there were no logs.
        unfinished: logs that were written before their runs had ended; `update` replaces them later.
        was_resumed: whether this call continued an interrupted one.
        was_update: whether it added what had changed, instead of reading everything.
    """

    target: str
    format: str
    rows: int
    complete_until: datetime | None
    unfinished: int
    was_resumed: bool
    was_update: bool


for _public in (ExportProgress, ExportResult):
    _public.__module__ = "dify_workflow.export"

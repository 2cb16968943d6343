"""Columns of logs as CSV."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, Final, cast

PARTS: Final = {
    "": ("id", "created_at", "created_from", "created_by_role"),
    "created_by_account": ("id", "name", "email"),
    "created_by_end_user": ("id", "type", "is_anonymous", "session_id"),
    "workflow_run": (
        "id", "version", "status", "triggered_from", "error", "elapsed_time", "total_tokens", "total_steps",
        "exceptions_count", "created_at", "finished_at",
    ),
}  # fmt: skip
PREFIXES: Final = {"": "", "created_by_account": "account_", "created_by_end_user": "end_user_", "workflow_run": "run_"}
COLUMNS: Final = (*(PREFIXES[part] + name for part, names in PARTS.items() for name in names), "extra")


def flatten(received: dict[str, Any]) -> dict[str, str]:
    """The cells of a log; `extra` has what no column has, as JSON."""
    rest = deepcopy(received)
    row = dict.fromkeys(COLUMNS, "")
    for part, names in PARTS.items():
        found: object = rest.get(part) if part else rest
        if not isinstance(found, dict):
            continue
        fields = cast("dict[str, Any]", found)
        for name in names:
            if name in fields and (cell := _cell(name, fields[name])) is not None:
                row[PREFIXES[part] + name] = cell
                del fields[name]
        if part and not fields:
            del rest[part]
    for part in PARTS:
        if part in rest and rest[part] is None:
            del rest[part]
    row["extra"] = json.dumps(rest, ensure_ascii=False) if rest else ""
    return row


def _cell(name: str, value: object) -> str | None:
    """The text of a value; None where it is none for a column."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and name.endswith("_at"):
        try:
            return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")
        except (ValueError, OverflowError, OSError):
            return None
    return str(value) if isinstance(value, str | int | float) else None

"""The statuses of runs."""

from __future__ import annotations

from typing import Final

ENDED_STATUSES: Final = frozenset({"succeeded", "failed", "stopped", "partial-succeeded"})
"""Those of runs that have ended."""


def has_ended(run: object) -> bool:
    """Whether a log's run will not change any more: it has ended, or is gone, or nothing could show it."""
    status: object = getattr(run, "status", None)
    return not isinstance(status, str) or status in ENDED_STATUSES or getattr(run, "finished_at", None) is not None

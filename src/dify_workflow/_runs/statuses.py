"""The statuses of runs."""

from __future__ import annotations

from typing import Final

ENDED_STATUSES: Final = frozenset({"succeeded", "failed", "stopped", "partial-succeeded"})
"""Those of runs that have ended."""

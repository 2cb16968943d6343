"""`logs`: list, follow, export, stats, report."""

from __future__ import annotations

from .commands import LazyGroup

command = LazyGroup(
    "logs",
    help="Read the logs of an app: list, follow, export, count them, make a report.",
    modules={
        "list": ".logs_list",
        "follow": ".logs_follow",
        "export": ".logs_export",
        "stats": ".logs_stats",
        "report": ".logs_report",
    },
)

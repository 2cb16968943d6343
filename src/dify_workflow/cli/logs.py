"""`logs`: list and follow."""

from __future__ import annotations

from .commands import LazyGroup

command = LazyGroup(
    "logs",
    help="Read the logs of an app: list, follow, count them, make a report.",
    modules={"list": ".logs_list", "follow": ".logs_follow", "stats": ".logs_stats", "report": ".logs_report"},
)

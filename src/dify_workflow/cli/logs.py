"""`logs`."""

from __future__ import annotations

from .commands import LazyGroup

command = LazyGroup(
    "logs",
    help="Read the logs of an app: list them.",
    modules={"list": ".logs_list"},
)

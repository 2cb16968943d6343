"""`runs`: run the workflow, look up, follow and stop runs."""

from __future__ import annotations

from .commands import LazyGroup

command = LazyGroup(
    "runs",
    help="Run the workflow; look up, follow and stop runs.",
    modules={
        "run": ".runs_run",
        "batch": ".runs_batch",
        "rerun": ".runs_rerun",
        "get": ".runs_get",
        "stop": ".runs_stop",
        "events": ".runs_events",
    },
)

"""Statistics of workflow logs: counts, failure rates, durations, tokens, users, versions.

>>> from dify_workflow import DifyWorkflow, stats
>>> with DifyWorkflow() as client:
...     figures = stats.collect(client.logs.iter(created_at__after="30d"), tz="Europe/Berlin")
>>> figures.failure_rate, figures.duration.p95
(0.1..., 8...)
"""

from .collection import Stats, collect
from .figures import (
    Day,
    Duration,
    ErrorGroup,
    Figures,
    RunFigure,
    StatusCounts,
    Trigger,
    User,
    Version,
)
from .report import render_html

__all__ = [
    "Day",
    "Duration",
    "ErrorGroup",
    "Figures",
    "RunFigure",
    "Stats",
    "StatusCounts",
    "Trigger",
    "User",
    "Version",
    "collect",
    "render_html",
]

for _name in __all__:  # so that tracebacks, pickles and documentation show the public name
    globals()[_name].__module__ = __name__

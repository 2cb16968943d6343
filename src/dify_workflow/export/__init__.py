"""Exports of the logs to files and databases: exact, atomic, and resumable.

>>> from dify_workflow.export import export
>>> result = export(client, "logs.csv", created_at__after="30d")
>>> result.rows, result.complete_until

An export that was interrupted, at whatever moment, is continued by the same call; docs/guides/export.md
has the guarantees.
"""

from ._job import Clients, export
from ._locks import TargetLockedError
from ._otlp import CollectorError
from ._reading import read
from ._results import ExportProgress, ExportResult
from ._targets import FORMATS, ExportFormat

__all__ = [
    "FORMATS",
    "Clients",
    "CollectorError",
    "ExportFormat",
    "ExportProgress",
    "ExportResult",
    "TargetLockedError",
    "export",
    "read",
]

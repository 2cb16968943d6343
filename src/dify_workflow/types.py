"""The types that public methods take and return, for annotations and `isinstance`.

>>> from dify_workflow.types import LogWalk, Time

Besides the names below, it has every model of `dify_workflow.models`. Each name is loaded when it is first used.
"""

TYPE_CHECKING: bool = False  # declared as a bool, for Jedi: see `dify_workflow`
if TYPE_CHECKING:
    from dify_workflow_api.models import *  # noqa: F403 - whatever the spec has
    from dify_workflow_api.types import Model

    from ._api_spec import APISpec
    from ._async.batch import AsyncBatch
    from ._async.iterations import AsyncIteration
    from ._async.log_details import AsyncDetailedLogWalk
    from ._async.log_follow import AsyncLogChanges, AsyncLogFollow
    from ._async.log_walk import AsyncLogWalk
    from ._async.resources import AsyncResource
    from ._async.resources.app import AsyncApp
    from ._async.resources.end_users import AsyncEndUsers
    from ._async.resources.files import AsyncFiles
    from ._async.resources.forms import AsyncForms
    from ._async.resources.logs import AsyncLogs
    from ._async.resources.raw import AsyncRawMethod, AsyncRawResource
    from ._async.resources.raw_resources import (
        AsyncRawApp,
        AsyncRawEndUsers,
        AsyncRawFiles,
        AsyncRawForms,
        AsyncRawLogs,
        AsyncRawRuns,
    )
    from ._async.resources.runs import AsyncRuns
    from ._async.run_stream import AsyncRunStream
    from ._async.started_run import AsyncRun
    from ._http.config import TimeoutOption, Unchanged
    from ._http.library import AsyncHTTPClient, HTTPClient
    from ._http.raw_response import RawResponse
    from ._logs.arrow import ArrowStream, AsyncArrowStream
    from ._logs.detailed_log import DetailedLog
    from ._logs.log_range import LogRange
    from ._logs.times import Time
    from ._runs.batch_item import BatchItem
    from ._runs.node_executions import NodeExecution
    from ._runs.upload import FileSource
    from ._sync.batch import Batch
    from ._sync.iterations import Iteration
    from ._sync.log_details import DetailedLogWalk
    from ._sync.log_follow import LogChanges, LogFollow
    from ._sync.log_walk import LogWalk
    from ._sync.resources import Resource
    from ._sync.resources.app import App
    from ._sync.resources.end_users import EndUsers
    from ._sync.resources.files import Files
    from ._sync.resources.forms import Forms
    from ._sync.resources.logs import Logs
    from ._sync.resources.raw import RawMethod, RawResource
    from ._sync.resources.raw_resources import RawApp, RawEndUsers, RawFiles, RawForms, RawLogs, RawRuns
    from ._sync.resources.runs import Runs
    from ._sync.run_stream import RunStream
    from ._sync.started_run import Run
    from .results import FileType, Upload, WorkflowRunDetail, WorkflowRunResult

__all__ = [
    "APISpec",
    "App",
    "ArrowStream",
    "AsyncApp",
    "AsyncArrowStream",
    "AsyncBatch",
    "AsyncDetailedLogWalk",
    "AsyncEndUsers",
    "AsyncFiles",
    "AsyncForms",
    "AsyncHTTPClient",
    "AsyncIteration",
    "AsyncLogChanges",
    "AsyncLogFollow",
    "AsyncLogWalk",
    "AsyncLogs",
    "AsyncRawApp",
    "AsyncRawEndUsers",
    "AsyncRawFiles",
    "AsyncRawForms",
    "AsyncRawLogs",
    "AsyncRawMethod",
    "AsyncRawResource",
    "AsyncRawRuns",
    "AsyncResource",
    "AsyncRun",
    "AsyncRunStream",
    "AsyncRuns",
    "Batch",
    "BatchItem",
    "DetailedLog",
    "DetailedLogWalk",
    "EndUsers",
    "FileSource",
    "FileType",
    "Files",
    "Forms",
    "HTTPClient",
    "Iteration",
    "LogChanges",
    "LogFollow",
    "LogRange",
    "LogWalk",
    "Logs",
    "Model",
    "NodeExecution",
    "RawApp",
    "RawEndUsers",
    "RawFiles",
    "RawForms",
    "RawLogs",
    "RawMethod",
    "RawResource",
    "RawResponse",
    "RawRuns",
    "Resource",
    "Run",
    "RunStream",
    "Runs",
    "Time",
    "TimeoutOption",
    "Unchanged",
    "Upload",
    "WorkflowRunDetail",
    "WorkflowRunResult",
]

_HOME = {
    "APISpec": "._api_spec",
    "App": "._sync.resources.app",
    "ArrowStream": "._logs.arrow",
    "Batch": "._sync.batch",
    "BatchItem": "._runs.batch_item",
    "DetailedLog": "._logs.detailed_log",
    "DetailedLogWalk": "._sync.log_details",
    "EndUsers": "._sync.resources.end_users",
    "FileSource": "._runs.upload",
    "Files": "._sync.resources.files",
    "Forms": "._sync.resources.forms",
    "Iteration": "._sync.iterations",
    "LogChanges": "._sync.log_follow",
    "LogFollow": "._sync.log_follow",
    "LogRange": "._logs.log_range",
    "LogWalk": "._sync.log_walk",
    "NodeExecution": "._runs.node_executions",
    "Logs": "._sync.resources.logs",
    "RawApp": "._sync.resources.raw_resources",
    "RawEndUsers": "._sync.resources.raw_resources",
    "RawFiles": "._sync.resources.raw_resources",
    "RawForms": "._sync.resources.raw_resources",
    "RawLogs": "._sync.resources.raw_resources",
    "RawMethod": "._sync.resources.raw",
    "RawResource": "._sync.resources.raw",
    "RawResponse": "._http.raw_response",
    "RawRuns": "._sync.resources.raw_resources",
    "Resource": "._sync.resources",
    "Run": "._sync.started_run",
    "RunStream": "._sync.run_stream",
    "Runs": "._sync.resources.runs",
    "Time": "._logs.times",
    "AsyncHTTPClient": "._http.library",
    "HTTPClient": "._http.library",
    "TimeoutOption": "._http.config",
    "Unchanged": "._http.config",
}

if not TYPE_CHECKING:  # a type checker would take this for a module that has every name

    def __getattr__(name: str) -> object:
        from importlib import import_module  # noqa: PLC0415 - the import of this module stays free of imports

        if name == "Model":
            home = "dify_workflow_api.types"
        elif name not in __all__:
            home = "dify_workflow_api.models"
        elif name.startswith("Async"):
            home = _HOME[name.removeprefix("Async")].replace("_sync", "_async")
        else:
            home = _HOME.get(name, ".results")
        try:
            value: object = getattr(import_module(home, __package__), name)
        except AttributeError:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        from . import models  # noqa: PLC0415 - as above

        return sorted({*__all__, *models.__all__})

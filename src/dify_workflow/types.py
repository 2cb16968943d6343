"""The types that public methods take and return, for annotations and `isinstance`.

>>> from dify_workflow.types import LogWalk, Time

Besides the names below, it has every model of `dify_workflow.models`. Each name is loaded when it is first used.
"""

TYPE_CHECKING: bool = False  # declared as a bool, for Jedi: see `dify_workflow`
if TYPE_CHECKING:
    from dify_workflow_api.models import *  # noqa: F403 - whatever the spec has
    from dify_workflow_api.types import Model

    from ._api_spec import APISpec
    from ._arrow import ArrowStream, AsyncArrowStream
    from ._async.app import AsyncApp
    from ._async.details import AsyncDetailedLogWalk
    from ._async.end_users import AsyncEndUsers
    from ._async.files import AsyncFiles
    from ._async.follow import AsyncLogChanges, AsyncLogFollow
    from ._async.forms import AsyncForms
    from ._async.iterations import AsyncIteration
    from ._async.logs import AsyncLogs
    from ._async.raw import AsyncRawMethod, AsyncRawResource
    from ._async.raw_resources import (
        AsyncRawApp,
        AsyncRawEndUsers,
        AsyncRawFiles,
        AsyncRawForms,
        AsyncRawLogs,
        AsyncRawRuns,
    )
    from ._async.resource import AsyncResource
    from ._async.runs import AsyncRuns
    from ._async.started_runs import AsyncRun
    from ._async.streams import AsyncRunStream
    from ._async.walks import AsyncLogWalk
    from ._configuration import TimeoutOption, Unchanged
    from ._detailed_log import DetailedLog
    from ._log_range import LogRange
    from ._node_executions import NodeExecution
    from ._raw_response import RawResponse
    from ._sync.app import App
    from ._sync.details import DetailedLogWalk
    from ._sync.end_users import EndUsers
    from ._sync.files import Files
    from ._sync.follow import LogChanges, LogFollow
    from ._sync.forms import Forms
    from ._sync.iterations import Iteration
    from ._sync.logs import Logs
    from ._sync.raw import RawMethod, RawResource
    from ._sync.raw_resources import RawApp, RawEndUsers, RawFiles, RawForms, RawLogs, RawRuns
    from ._sync.resource import Resource
    from ._sync.runs import Runs
    from ._sync.started_runs import Run
    from ._sync.streams import RunStream
    from ._sync.walks import LogWalk
    from ._times import Time
    from ._uploads import FileSource
    from .results import FileType, Upload, WorkflowRunDetail, WorkflowRunResult

__all__ = [
    "APISpec",
    "App",
    "ArrowStream",
    "AsyncApp",
    "AsyncArrowStream",
    "AsyncDetailedLogWalk",
    "AsyncEndUsers",
    "AsyncFiles",
    "AsyncForms",
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
    "DetailedLog",
    "DetailedLogWalk",
    "EndUsers",
    "FileSource",
    "FileType",
    "Files",
    "Forms",
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
    "App": "._sync.app",
    "ArrowStream": "._arrow",
    "DetailedLog": "._detailed_log",
    "DetailedLogWalk": "._sync.details",
    "EndUsers": "._sync.end_users",
    "FileSource": "._uploads",
    "Files": "._sync.files",
    "Forms": "._sync.forms",
    "Iteration": "._sync.iterations",
    "LogChanges": "._sync.follow",
    "LogFollow": "._sync.follow",
    "LogRange": "._log_range",
    "LogWalk": "._sync.walks",
    "NodeExecution": "._node_executions",
    "Logs": "._sync.logs",
    "RawApp": "._sync.raw_resources",
    "RawEndUsers": "._sync.raw_resources",
    "RawFiles": "._sync.raw_resources",
    "RawForms": "._sync.raw_resources",
    "RawLogs": "._sync.raw_resources",
    "RawMethod": "._sync.raw",
    "RawResource": "._sync.raw",
    "RawResponse": "._raw_response",
    "RawRuns": "._sync.raw_resources",
    "Resource": "._sync.resource",
    "Run": "._sync.started_runs",
    "RunStream": "._sync.streams",
    "Runs": "._sync.runs",
    "Time": "._times",
    "TimeoutOption": "._configuration",
    "Unchanged": "._configuration",
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

"""The API's models: a class for each schema, loaded when it is first used."""

# `typing.TYPE_CHECKING` would import typing for nothing else; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from .account import Account
    from .end_user import EndUser
    from .error_response import ErrorResponse
    from .workflow_log import WorkflowLog
    from .workflow_log_page import WorkflowLogPage
    from .workflow_run_status import WorkflowRunStatus
    from .workflow_run_summary import WorkflowRunSummary

__all__ = [
    "Account",
    "EndUser",
    "ErrorResponse",
    "WorkflowLog",
    "WorkflowLogPage",
    "WorkflowRunStatus",
    "WorkflowRunSummary",
]

if not TYPE_CHECKING:  # a type checker would take this for a module that has every name
    _MODULES = {
        "Account": ".account",
        "EndUser": ".end_user",
        "ErrorResponse": ".error_response",
        "WorkflowLog": ".workflow_log",
        "WorkflowLogPage": ".workflow_log_page",
        "WorkflowRunStatus": ".workflow_run_status",
        "WorkflowRunSummary": ".workflow_run_summary",
    }

    def __getattr__(name):
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(_MODULES[name], __name__), name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})

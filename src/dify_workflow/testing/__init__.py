"""A Dify workflow app for your own tests: `Sandbox`, and pytest fixtures in `dify_workflow.testing.plugin`.

>>> from dify_workflow.testing import Sandbox
>>> with Sandbox(rows=0) as sandbox, sandbox.client() as client:
...     sandbox.add_log(status="failed", error="boom")
...     assert client.logs.list(status="failed").total == 1

Importing this package loads nothing else: each name is loaded when it is first used, and needs the extra `sandbox`.
"""

TYPE_CHECKING: bool = False  # declared as a bool, for Jedi: see `dify_workflow`
if TYPE_CHECKING:
    from dify_workflow.sandbox.faults import Traps
    from dify_workflow.sandbox.records import AccountRow, AppRow, EndUserRow, FileRow, LogRow, RunRow, new_log
    from dify_workflow.sandbox.request_log import ReceivedRequest, StartedRun
    from dify_workflow.sandbox.server import Sandbox
    from dify_workflow.sandbox.workflow_steps import Emit, FormSubmission, HumanForm, NextNode, StreamError, Wait, Wire

__all__ = [
    "AccountRow",
    "AppRow",
    "Emit",
    "EndUserRow",
    "FileRow",
    "FormSubmission",
    "HumanForm",
    "LogRow",
    "NextNode",
    "ReceivedRequest",
    "RunRow",
    "Sandbox",
    "StartedRun",
    "StreamError",
    "Traps",
    "Wait",
    "Wire",
    "new_log",
]

_HOME = {
    "Sandbox": "server",
    "ReceivedRequest": "request_log",
    "StartedRun": "request_log",
    "Traps": "faults",
    **dict.fromkeys(
        ("Emit", "FormSubmission", "HumanForm", "NextNode", "StreamError", "Wait", "Wire"), "workflow_steps"
    ),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - pytest loads this package in every run of the user's

    try:
        module = import_module(f"dify_workflow.sandbox.{_HOME.get(name, 'records')}")
    except ModuleNotFoundError as error:
        from dify_workflow.sandbox import INSTALL_HINT, lacks_extra  # noqa: PLC0415 - as above

        if not lacks_extra(error):
            raise
        raise ImportError(INSTALL_HINT, name=error.name) from None
    value: object = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

"""Typed SDK for the Dify workflow-app API.

>>> from dify_workflow import DifyWorkflow
>>> with DifyWorkflow(api_key="app-...", base_url="https://dify.example.com/v1") as client:
...     page = client.logs.list(status="failed", limit=100)

Importing this package loads nothing else: each name below is loaded when it is first used.
"""

from ._version import __version__

# `typing.TYPE_CHECKING` would import typing, which costs more than all the rest of this module. Type checkers
# know the bare name as well. Declared as a bool, and not known to be False: Jedi reads the names below for its
# completions.
TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from . import models, types
    from ._api_spec import API_SPEC
    from ._async.client import AsyncDifyWorkflow
    from ._errors import (
        APIConnectionError,
        APIResponseError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
        ConfigurationError,
        DifyError,
        IncompleteWalkError,
        InternalServerError,
        NotFoundError,
        PayloadTooLargeError,
        PermissionDeniedError,
        RateLimitError,
        UnsupportedMediaTypeError,
        WorkflowRunError,
        WorkflowStreamError,
    )
    from ._logs.keywords import Verbatim
    from ._sync.client import DifyWorkflow
    from .results import remote_file

__all__ = [
    "API_SPEC",
    "APIConnectionError",
    "APIResponseError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncDifyWorkflow",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "DifyError",
    "DifyWorkflow",
    "IncompleteWalkError",
    "InternalServerError",
    "NotFoundError",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "RateLimitError",
    "UnsupportedMediaTypeError",
    "Verbatim",
    "WorkflowRunError",
    "WorkflowStreamError",
    "__version__",
    "models",
    "remote_file",
    "types",
]

_HOME = {
    "API_SPEC": "._api_spec",
    "AsyncDifyWorkflow": "._async.client",
    "DifyWorkflow": "._sync.client",
    "Verbatim": "._logs.keywords",
    "remote_file": ".results",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - the import of this package stays free of imports

    if name in {"models", "types"}:
        return import_module(f".{name}", __name__)
    if name in {"AsyncDifyWorkflow", "DifyWorkflow"}:
        # The classes of what a client returns have these as their modules. cloudpickle, by which Spark, Dask and Ray
        # send values, takes the class itself along where its module is not loaded: another class on arrival.
        import_module(".models", __name__)
        import_module(".types", __name__)
    value: object = getattr(import_module(_HOME.get(name, "._errors"), __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

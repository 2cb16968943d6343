"""Typed SDK for the Dify workflow-app API.

>>> from dify_workflow import DifyWorkflow
>>> with DifyWorkflow(api_key="app-...", base_url="https://dify.example.com/v1") as client:
...     page = client.logs.list(status="failed", limit=100)

Importing this package loads nothing else: each name below is loaded when it is first used.
"""

from ._version import __version__

# `typing.TYPE_CHECKING` would import typing, which costs more than all the rest of this module. Type checkers
# know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

    from . import models
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
    from ._keywords import Verbatim
    from ._sync.client import DifyWorkflow
    from .results import remote_file

    __spec__: "PackageSpec"  # type: ignore[no-redef]  # every module has one; this one says more
else:
    ModuleSpec = type(__spec__)

__all__ = [
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
]

_HOME = {
    "AsyncDifyWorkflow": "._async.client",
    "DifyWorkflow": "._sync.client",
    "Verbatim": "._keywords",
    "remote_file": ".results",
}


class PackageSpec(ModuleSpec):
    """What the import system keeps of this package, and which stored OpenAPI document the package was made from.

    >>> dify_workflow.__spec__.version
    '1.11.2'

    mypy takes every module's `__spec__` for a plain `ModuleSpec`: after `isinstance(spec, PackageSpec)` it knows more.
    """

    @property
    def title(self) -> str:
        """The title of the OpenAPI document."""
        from dify_workflow_api.specification import TITLE  # noqa: PLC0415 - the import of this package stays free

        return TITLE

    @property
    def version(self) -> str:
        """The version of the OpenAPI document: of the Dify server that it describes."""
        from dify_workflow_api.specification import VERSION  # noqa: PLC0415 - the import of this package stays free

        return VERSION

    @property
    def sha256(self) -> str:
        """The SHA-256 digest of the file `spec/openapi.yaml`, as 64 hexadecimal digits."""
        from dify_workflow_api.specification import SHA256  # noqa: PLC0415 - the import of this package stays free

        return SHA256


# Every module has a `__spec__`, and importlib, runpy and multiprocessing need it. So it stays the one that it is, and
# only learns to answer three more questions.
__spec__.__class__ = PackageSpec


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - the import of this package stays free of imports

    if name == "models":
        return import_module(".models", __name__)
    value: object = getattr(import_module(_HOME.get(name, "._errors"), __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

"""The HTTP library, httpx or its successor httpx2: the one place that imports either.

One of the two is the process's, for its own connections and in what the SDK's errors hold. It is decided when the first
client is made, or earlier where something is imported that needs it: by `DIFY_HTTP`, else by the caller's own
`http_client`, else it is httpx, where that is installed. The other one is not imported then. A later `http_client` may
be of either: its requests and responses are of its own library, and the errors that it raises are converted.

Modules use `httpx` and `httpcore` of this one, whichever library it is:

>>> from dify_workflow._http.library import httpx
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast

from .._errors import APIConnectionError, APIResponseError, APIStatusError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    import httpcore
    import httpx

__all__ = [
    "AsyncHTTPClient",
    "HTTPClient",
    "all_of",
    "as_timeout",
    "checked_client",
    "choose",
    "derived",
    "errors",
    "httpcore",
    "httpx",
    "library_name",
    "library_of",
    "loaded",
]

T = TypeVar("T")

VARIABLE: Final = "DIFY_HTTP"
CORES: Final = {"httpx": "httpcore", "httpx2": "httpcore2"}
"""The libraries, and below each the one that has the connections."""


class HTTPClient(Protocol):
    """An HTTP client of the caller's own: `httpx.Client`, or `httpx2.Client`."""

    @property
    def timeout(self) -> Any:  # noqa: ANN401 - the library's own type, as all below
        """How long its requests may take."""
        ...

    def build_request(self, method: str, url: str) -> Any:  # noqa: ANN401 - as above
        """Make a request."""
        ...

    def send(self, request: Any) -> Any:  # noqa: ANN401 - as above
        """Send a request."""
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


class AsyncHTTPClient(Protocol):
    """An async HTTP client of the caller's own: `httpx.AsyncClient`, or `httpx2.AsyncClient`."""

    @property
    def timeout(self) -> Any:  # noqa: ANN401 - as above
        """How long its requests may take."""
        ...

    def build_request(self, method: str, url: str) -> Any:  # noqa: ANN401 - as above
        """Make a request."""
        ...

    async def send(self, request: Any) -> Any:  # noqa: ANN401 - as above
        """Send a request."""
        ...

    async def aclose(self) -> None:
        """Close its connections."""
        ...


for _public in (HTTPClient, AsyncHTTPClient):
    _public.__module__ = "dify_workflow.types"


class _Choice:
    """Which library is the process's.

    Attributes:
        name: its name; "" while it is not decided.
    """

    name = ""


def choose(http_client: object = None) -> str:
    """Decide which library is the process's, unless that is decided; its name.

    Args:
        http_client: the caller's own client, for the first client of the process.

    Raises:
        ConfigurationError: `DIFY_HTTP` is none of the two, or what it names is not installed.
    """
    if not _Choice.name:
        wanted = os.environ.get(VARIABLE, "").strip()
        if wanted and wanted not in CORES:
            raise ConfigurationError(f"{VARIABLE} must be 'httpx' or 'httpx2'; got {wanted!r}")
        if wanted and not _is_installed(wanted):
            raise ConfigurationError(
                f"{VARIABLE} is {wanted!r}, which is not installed: pip install 'dify-workflow-sdk[{wanted}]'"
                if wanted == "httpx2"
                else f"{VARIABLE} is {wanted!r}, which is not installed: pip install {wanted}"
            )
        own = library_name(http_client)
        _Choice.name = wanted or own or ("httpx" if _is_installed("httpx") else "httpx2")
    return _Choice.name


def _is_installed(name: str) -> bool:
    """Whether a library can be imported. As `importlib.util.find_spec`, which takes a millisecond to load."""
    if name in sys.modules:
        return cast("ModuleType | None", sys.modules[name]) is not None  # None forbids an import
    searches = [getattr(finder, "find_spec", None) for finder in sys.meta_path]
    return any(search(name, None) is not None for search in searches if search is not None)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> ModuleType:
        if name not in {"httpx", "httpcore"}:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        chosen = choose()
        module = import_module(chosen if name == "httpx" else CORES[chosen])
        globals()[name] = module
        if name == "httpx":
            # For `typing.get_type_hints`: the errors can be imported before the library is chosen.
            for cls in (APIConnectionError, APIResponseError, APIStatusError):
                names = {"request": module.Request, "headers": module.Headers}
                cls.__annotations__.update({one: names[one] for one in names.keys() & cls.__annotations__.keys()})
        return module


def loaded(names: Iterable[str] = tuple(CORES)) -> list[Any]:
    """The libraries that are imported already: the process's, and the other one where the caller has imported it."""
    return [module for name in names if (module := sys.modules.get(name)) is not None]


def all_of(name: str) -> tuple[type[Any], ...]:
    """A class of each library that is imported already, for `isinstance` and `except`."""
    # One that another thread is importing at the moment lacks some.
    return tuple(found for module in loaded() if (found := getattr(module, name, None)) is not None)


def errors(name: str) -> tuple[type[Exception], ...]:
    """An exception of each library that is imported already."""
    return all_of(name)


def as_timeout(value: object) -> httpx.Timeout | None:
    """A `Timeout` of either library; None where it is something else."""
    is_timeout = value is not None and isinstance(value, all_of("Timeout"))
    return cast("httpx.Timeout", value) if is_timeout else None


def library_name(thing: object) -> str:
    """The library that an object is of; "" where it is of neither."""
    for cls in type(thing).__mro__:
        name = cls.__module__.partition(".")[0]
        if name in CORES:
            return name
    return ""


def library_of(thing: object) -> Any:  # noqa: ANN401 - a module
    """The library that an object is of; the process's where it is of neither."""
    return import_module(library_name(thing) or choose())


def checked_client(http_client: T, name: str) -> T:
    """The caller's own client.

    Args:
        http_client: what was given; None is not a client.
        name: the class that it must be of, "Client" or "AsyncClient".

    Raises:
        ConfigurationError: it is of another one.
    """
    if http_client is not None and not isinstance(http_client, all_of(name)):
        got = type(http_client).__name__
        if got in {"Client", "AsyncClient"}:
            got = f"{type(http_client).__module__}.{got}"
        raise ConfigurationError(f"http_client must be an httpx.{name} or an httpx2.{name}; got a {got}")
    return http_client


def derived(mixin: type[T], base: str, thing: object) -> type[T]:
    """A class with a base from the library that an object is of: libraries take only what is derived from their own.

    Args:
        mixin: what the class does.
        base: the name of the base.
        thing: the object.
    """
    made: type[T] = _derived(cast("Any", mixin), getattr(library_of(thing), base))
    return made


@cache
def _derived(mixin: type[Any], base: type[Any]) -> type[Any]:
    return type(mixin.__name__, (mixin, base), {"__module__": mixin.__module__, "__doc__": mixin.__doc__})

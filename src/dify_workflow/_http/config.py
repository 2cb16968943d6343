"""What a client is set up with, checked once, when the client is made."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .._errors import ConfigurationError
from . import library
from .base_urls import base_url_from
from .secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .library import httpx

CLOSED: Final = "this client is closed"
DEFAULT_TIMEOUT: Final = 60.0
CONNECT_TIMEOUT: Final = 5.0
HTTPX_TIMEOUT: Final = 5.0
"""Seconds that an httpx client has for each phase that was given no timeout."""
DEFAULT_MAX_RETRIES: Final = 2
DEFAULT_BACKOFF: Final = 0.5
DEFAULT_PATIENCE: Final = 300.0
"""Seconds for which a walk waits out an outage."""
MOST_SECONDS: Final = 1e9
"""Some 31 years. A socket's own clock ends a little later, with an error of its own."""

if TYPE_CHECKING:
    TimeoutOption: TypeAlias = float | httpx.Timeout | None
else:

    def __getattr__(name: str) -> object:
        if name != "TimeoutOption":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return float | library.httpx.Timeout | None


class Unchanged:
    """The type of `UNCHANGED`, which stands for an option that was not given (None is a value for some)."""

    __module__ = "dify_workflow.types"

    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED: Final = Unchanged()


class Timeout:
    """How long one attempt may take.

    Attributes:
        phases: what httpx is given: connecting, sending, waiting for a free connection, and each wait for more data.
        total: seconds for the attempt as a whole, which also ends a response that comes drop by drop; None = no bound.
        is_given: whether the caller chose it; else it is the default.
    """

    __slots__ = ("is_given", "phases", "total")

    def __init__(self, value: TimeoutOption) -> None:
        self.is_given = value is not None
        self.phases: dict[str, float | None]
        phases = library.as_timeout(value)
        if phases is not None:
            self.phases, self.total = phases.as_dict(), None
            for phase, seconds in self.phases.items():
                if seconds is not None:
                    _number(f"timeout: {phase}", seconds, f"seconds from 0 to {MOST_SECONDS:g}, or None")
            return
        given = DEFAULT_TIMEOUT if value is None else value
        seconds = _number("timeout", given, "seconds over 0, or an httpx.Timeout")
        if seconds <= 0:
            raise ConfigurationError(f"timeout must be seconds over 0, or an httpx.Timeout; got {value!r}")
        self.phases = {"connect": min(seconds, CONNECT_TIMEOUT), **dict.fromkeys(("read", "write", "pool"), seconds)}
        self.total = seconds

    def with_read(self, seconds: float | None, *, total: float | None) -> Timeout:
        """The same with another bound of each wait for data, and of the whole."""
        changed = Timeout(None)
        changed.is_given, changed.total = self.is_given, total
        changed.phases = self.phases | {"read": seconds}
        return changed


def timeout_of(http_client: Any) -> httpx.Timeout | None:  # noqa: ANN401 - of either library
    """The timeout of a caller's own httpx client, unless it is httpx's default: then the caller has chosen none."""
    if http_client is None or http_client.timeout == library.library_of(http_client).Timeout(HTTPX_TIMEOUT):
        return None
    given: httpx.Timeout = http_client.timeout
    return given


class Variable:
    """A variable of the environment, for errors that name it."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.value = value

    def unusable(self, reason: str) -> ConfigurationError:
        """The error for its value. The reason shows no part of it that may be a password."""
        return ConfigurationError(f"the environment variable {self.name} cannot be used: {reason}")


class Configuration:
    """The checked options of a client.

    Raises:
        ConfigurationError: an option has no usable value; the message names it and says what is allowed.
    """

    __slots__ = ("api_key", "backoff", "base_url", "headers", "max_retries", "timeout")

    def __init__(
        self,
        *,
        api_key: Secret | None,
        base_url: str | None,
        timeout: TimeoutOption,
        max_retries: int,
        backoff: float,
        default_headers: Mapping[str, str] | None,
    ) -> None:
        self.api_key = api_key_from(api_key)
        self.base_url = base_url_from(base_url, self.api_key)
        self.timeout = Timeout(timeout)
        if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
            raise ConfigurationError(f"max_retries must be a whole number from 0; got {max_retries!r}")
        self.max_retries = max_retries
        self.backoff = _number("backoff", backoff, "seconds from 0")
        self.headers = _headers(default_headers or {})

    def changed(
        self,
        *,
        api_key: Secret | None,
        base_url: str | None,
        timeout: TimeoutOption | Unchanged,
        max_retries: int | None,
        backoff: float | None,
        default_headers: Mapping[str, str | None] | None,
    ) -> Configuration:
        """These options with some of them changed; None (for the timeout: `UNCHANGED`) leaves one as it is.

        Headers are merged: each replaces the one of its name, None removes it.
        """
        changed = Configuration(
            api_key=self.api_key if api_key is None else api_key,
            base_url=self.base_url if base_url is None else base_url,
            timeout=None if isinstance(timeout, Unchanged) else timeout,
            max_retries=self.max_retries if max_retries is None else max_retries,
            backoff=self.backoff if backoff is None else backoff,
            default_headers=_merged(self.headers, default_headers or {}),
        )
        if isinstance(timeout, Unchanged):
            changed.timeout = self.timeout
        return changed


def secret_from(api_key: str | None) -> Secret | None:
    """The key as the caller gave it, out of sight from here on; `api_key_from` checks it."""
    return None if api_key is None else Secret(api_key)


def api_key_from(given: Secret | None) -> Secret:
    """The given key, else the one in `DIFY_API_KEY`, checked to be one that can be sent."""
    if given is not None and not isinstance(given.reveal(), str):
        raise ConfigurationError(f"api_key must be a string; got a {type(given.reveal()).__name__}")
    key = Secret((os.environ.get("DIFY_API_KEY", "") if given is None else given.reveal()).strip())
    if not key.reveal():
        raise ConfigurationError(
            "no API key: pass api_key=..., or set the environment variable DIFY_API_KEY "
            "(a workflow app's key, which begins with 'app-'; Dify shows it under API Access)"
        )
    if not re.fullmatch(r"[!-~]+", key.reveal()):
        raise ConfigurationError(
            "api_key must be the key alone, printable ASCII without spaces and without 'Bearer ' before it; "
            "what was given is not shown here"
        )
    return key


def _headers(given: Mapping[str, str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in given.items():
        if not isinstance(name, str) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ConfigurationError(f"default_headers: {name!r} is not the name of a header")
        if name.lower() == "authorization":
            raise ConfigurationError("default_headers: Authorization is made from api_key; pass the key there")
        if not isinstance(value, str) or not re.fullmatch(r"[\t -~]*", value):
            raise ConfigurationError(f"default_headers: the value of {name!r} must be printable ASCII text")
        headers[name] = value
    return headers


def _merged(headers: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    added = _headers({name: "" if value is None else value for name, value in changes.items()})
    changed = {name.lower() for name in added}  # two spellings of a name are one header
    kept = {name: value for name, value in headers.items() if name.lower() not in changed}
    return kept | {name: value for name, value in added.items() if changes[name] is not None}


def _number(name: str, value: object, allowed: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_SECONDS:
        raise ConfigurationError(f"{name} must be {allowed}; got {value!r}")
    return float(value)

"""The base URL: which addresses are taken, and what to write in place of one that is refused.

People paste what they have at hand: an operation's address, or that of a page of Dify's console. With either, every
call would end in a 404 or in HTML, so that both are refused when the client is made.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .._errors import ConfigurationError
from . import library

if TYPE_CHECKING:
    from .secrets import Secret

DEFAULT_BASE_URL: Final = "https://api.dify.ai/v1"
CLOUD_CONSOLE: Final = "cloud.dify.ai"
ALLOWED: Final = "an address such as 'https://dify.example.com/v1', with or without the '/v1'"
LONGEST_LABEL: Final = 63
LONGEST_HOST: Final = 253
AT_SIGNS: Final = frozenset("\uff20\ufe6b")
"""Characters that urlsplit takes for an "@", which may end a user name and password."""

CONSOLE_PATH: Final = (
    r"/(?:apps|signin|signup|install|init|activate|forgot-password|reset-password|account|plugins|tools"
    r"|(?:datasets|explore)(?:/.*)?|app/[0-9a-f-]{36}(?:/.*)?"
    r"|app/[^/]+/(?:develop|workflow|logs|overview|configuration|annotations)"
    r"|(?:workflow|chat|chatbot|completion|agent)/[^/]+|console/api(?:/.*)?)$"
)
"""How the path of a page of Dify's console, or of an app's web page, ends."""

OPERATION_PATH: Final = (
    r"/(?:workflows?/(?:run|logs|tasks)(?:/.*)?|workflows/[^/]+/run|files/upload|(?:chat|completion)-messages)$"
)
"""How the path of an operation ends. Neither is compiled before it is needed: most addresses have no such path."""


def base_url_from(given: str | None, secret: Secret) -> str:
    """The base URL that a client uses: the given one, else `DIFY_BASE_URL`, else the cloud's. It ends in "/v1".

    Args:
        given: as given by the caller.
        secret: the API key, which no message shows.

    Raises:
        ConfigurationError: it is not the address of an API; the message says why, and what to write instead.
    """
    url = (os.environ.get("DIFY_BASE_URL") or DEFAULT_BASE_URL) if given is None else given
    if not isinstance(url, str):
        raise ConfigurationError(f"base_url must be {ALLOWED}; got a {type(url).__name__}")
    url = url.strip()
    # The message does not show what stands before it: that may be a password.
    if "@" in url or not AT_SIGNS.isdisjoint(url) or "%40" in url.partition("//")[2].partition("/")[0]:
        raise ConfigurationError(f"base_url must be {ALLOWED}, without a user name or password before an '@'")
    if "?" in url or "#" in url:  # the message does not show them: they may hold a token
        bare = re.split("[?#]", url, maxsplit=1)[0]
        raise _refused(bare, secret, " and a query or fragment; leave out what begins with '?' or '#'")
    problem = _problem(url)
    if problem is not None:
        raise _refused(url, secret, problem)
    parts = urlsplit(url)  # a second time, from its cache
    origin = f"{parts.scheme.lower()}://{parts.netloc}"
    return origin + _path_from(parts.path, url, origin, secret)


def _problem(url: str) -> str | None:
    """What is wrong with an address before its path; None where nothing is."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        raw_host = library.httpx.URL(url).raw_host.decode("ascii")
    except (ValueError, library.httpx.InvalidURL) as error:
        return f": {error}"
    if parts.scheme.lower() not in {"http", "https"}:
        return ": put 'https://' or 'http://' before it" if _is_without_scheme(url) else ""
    if not host or not url.isprintable() or "\\" in url or len(url.split()) > 1:
        return ""
    if host in {"http", "https"}:
        return ": it has two schemes"
    return _problem_of_host(raw_host)


def _problem_of_host(host: str) -> str | None:
    """What is wrong with a host, in ASCII. Python's `socket` refuses these with a bare `UnicodeError`."""
    host = host.removesuffix(".")
    labels = host.split(".")
    if "" in labels:
        return ": its host has two dots in a row, or begins with one"
    if ":" not in host and max(map(len, labels)) > LONGEST_LABEL:
        return f": its host has a part of more than {LONGEST_LABEL} characters between two dots"
    return f": its host has more than {LONGEST_HOST} characters" if len(host) > LONGEST_HOST else None


def _is_without_scheme(url: str) -> bool:
    """Whether an address begins with what looks like a host: with a dot, a port, or brackets."""
    host = r"(?:[\w-]+(?:\.[\w-]+)+\.?|localhost|[\w-]+(?=:[0-9])|\[[0-9a-fA-F:.]+\])"
    return re.match(rf"(?://)?{host}(?::[0-9]+)?(?:/|$)", url) is not None


def _path_from(path: str, url: str, origin: str, secret: Secret) -> str:
    """The path that is used, ending in "/v1"."""
    if "//" in path:
        path = re.sub("/{2,}", "/", path)
    segments = path.rstrip("/").split("/")
    if segments[-1].lower() == "v1" and segments[-2].lower() != "v1":
        return "/".join([*segments[:-1], "v1"])
    is_version = [segment.lower() == "v1" for segment in segments]
    if True in is_version:
        used = origin + "/".join([*segments[: is_version.index(True)], "v1"])
        raise _refused(url, secret, f": it must end with '/v1', as in {used!r}")
    path = "/".join(segments)
    if urlsplit(url).hostname == CLOUD_CONSOLE:
        raise _refused(url, secret, f", which is Dify's console; the cloud's API is {DEFAULT_BASE_URL!r}")
    if re.search(CONSOLE_PATH, path, re.IGNORECASE):
        raise _refused(
            url,
            secret,
            ", which is a page of Dify's console or of an app; Dify shows the API's address under API Access "
            "(where the API is below this path after all, write '/v1' at its end)",
        )
    if re.search(OPERATION_PATH, path, re.IGNORECASE):
        raise _refused(url, secret, ", which is the address of an operation; leave out the operation's path")
    return path + "/v1"


def _refused(url: str, secret: Secret, problem: str) -> ConfigurationError:
    return ConfigurationError(secret.redact(f"base_url must be {ALLOWED}; got {url!r}{problem}"))

"""The proxy to a server, by the variables of the environment or the settings of the system.

The variables are those of httpx, and mean the same, with these differences: a value that cannot be used is a
`ConfigurationError` that names its variable, where it concerns the address at all; `NO_PROXY` may hold networks such as
"10.0.0.0/8" and addresses in brackets; a port in it is compared with the port that is used, given or not.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from .config import Variable
from .library import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

PROXY_SCHEMES: Final = frozenset({"http", "https", "socks5", "socks5h"})
SOCKS: Final = frozenset({"socks5", "socks5h"})
LAST_PORT: Final = 65535
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
SUFFIX: Final = "_proxy"


def proxy_variables(environment: Mapping[str, str]) -> dict[str, Variable]:
    """The proxies of an environment, by scheme ("http", "https", "all"), and what is exempt from them ("no").

    As in Python's urllib, names in small letters win, an empty one of these removes the other, and a CGI script does
    not use HTTP_PROXY, which a client of the web server may have set.
    """
    found = [(name[: -len(SUFFIX)].lower(), Variable(name, value)) for name, value in environment.items()
             if name.lower().endswith(SUFFIX)]  # fmt: skip
    variables = {scheme: variable for scheme, variable in found if variable.value}
    if "REQUEST_METHOD" in environment:
        variables.pop("http", None)
    for scheme, variable in found:
        if not variable.name.endswith(SUFFIX):
            continue
        if variable.value:
            variables[scheme] = variable
        else:
            variables.pop(scheme, None)
    return {scheme: variables[scheme] for scheme in ("http", "https", "all", "no") if scheme in variables}


def system_variables() -> dict[str, Variable]:
    """The proxies of the system's settings, which count on macOS and Windows where the environment has none."""
    if sys.platform not in {"darwin", "win32"}:
        return {}
    from urllib.request import getproxies  # noqa: PLC0415 - loaded when needed

    found = {scheme: Variable("(proxy in the system's settings)", value) for scheme, value in getproxies().items()}
    return {scheme: variable for scheme, variable in found.items() if scheme in {"http", "https", "all"}}


def proxy_for(variables: Mapping[str, Variable], url: httpx.URL) -> httpx.Proxy | None:
    """The proxy by which an address is reached; None where it is reached directly.

    Args:
        variables: what `proxy_variables` gives.
        url: the address; only its scheme, host and port count.

    Raises:
        ConfigurationError: the variables that concern this address cannot be used.
    """
    variable = variables.get(url.scheme) or variables.get("all")
    if variable is None or ("no" in variables and is_exempt(variables["no"], url)):
        return None
    return _proxy(variable)


def is_exempt(variable: Variable, url: httpx.URL) -> bool:
    """Whether NO_PROXY says that an address is reached directly.

    Raises:
        ConfigurationError: it does not, and one of its entries cannot be read: that may be the one.
    """
    unreadable: str | None = None
    for entry in re.split(r"[,\s]+", variable.value):
        if not entry:
            continue
        try:
            if _matches(entry, url):
                return True
        except ValueError:
            unreadable = entry
    if unreadable is not None:
        raise variable.unusable(
            f"{unreadable!r} is neither a host, an address, nor a network; allowed are 'example.com', '.example.com', "
            "'example.com:8080', '192.0.2.1', '10.0.0.0/8', '::1', '[::1]:8080', 'fd00::/8' and '*', joined by commas"
        )
    return False


def _matches(entry: str, url: httpx.URL) -> bool:
    """Whether an entry of NO_PROXY means an address.

    Raises:
        ValueError: the entry cannot be read.
    """
    scheme, separator, rest = entry.rpartition("://")
    if separator and scheme.lower() not in {"all", url.scheme}:
        return False
    if rest in {"*", ""}:
        return True
    host, port = _host_and_port(rest)
    if port is not None and port != (url.port or DEFAULT_PORTS.get(url.scheme)):
        return False
    # As httpx reads them, a host with a scheme, and "localhost", mean no hosts below them.
    is_alone = rest.lower() == "localhost" or bool(separator and not rest.startswith(("*", ".")))
    return _host_matches(host, url.host.lower(), is_alone=is_alone)


def _host_and_port(entry: str) -> tuple[str, int | None]:
    bracketed = re.fullmatch(r"\[(.+)\](/[0-9]+)?(?::([0-9]{1,5}))?", entry, re.ASCII)
    if bracketed:
        return bracketed[1] + (bracketed[2] or ""), int(bracketed[3]) if bracketed[3] else None
    named = re.fullmatch(r"([^:]+):([0-9]{1,5})", entry, re.ASCII)
    return (named[1], int(named[2])) if named else (entry, None)


def _host_matches(host: str, wanted: str, *, is_alone: bool) -> bool:
    is_address = _is_address(wanted)
    if "/" in host or ":" in host or re.fullmatch(r"[0-9.*]+", host, re.ASCII):
        from ipaddress import ip_address, ip_network  # noqa: PLC0415 - loaded when needed

        # Where a host is named, its addresses are not looked up, and entries that are addresses do not concern it.
        return is_address and ip_address(wanted) in ip_network(host, strict=False)
    if is_address:
        return False
    is_below = host.startswith((".", "*."))
    name = host.removeprefix("*").removeprefix(".")
    try:
        name = httpx.URL(f"http://{name}").host.lower()
    except httpx.InvalidURL as error:
        raise ValueError(host) from error
    if not name or "*" in name:
        raise ValueError(host)
    return (wanted == name and not is_below) or (wanted.endswith(f".{name}") and not is_alone)


def _is_address(host: str) -> bool:
    from ipaddress import ip_address  # noqa: PLC0415 - loaded when needed

    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _proxy(variable: Variable) -> httpx.Proxy:
    value = variable.value.strip()
    scheme, separator, _ = value.partition("://")
    if not separator:
        scheme, value = "http", f"http://{value}"
    scheme = scheme.lower()
    allowed = "allowed are addresses such as 'http://proxy.example.com:8080', with http, https, socks5 or socks5h"
    if scheme not in PROXY_SCHEMES:
        # What stands before "://" is shown only where it can be no part of a password.
        kind = f"the scheme {scheme!r}" if re.fullmatch(r"[a-z][a-z0-9+.-]{1,9}", scheme, re.ASCII) else "its scheme"
        raise variable.unusable(f"{kind} is none of a proxy that can be used; {allowed}")
    if scheme in SOCKS and not _has_socks():
        raise variable.unusable(
            f"a proxy of the scheme {scheme!r} needs the package socksio: pip install '{httpx.__name__}[socks]'"
        )
    proxy, usable = None, False
    with suppress(ValueError, httpx.InvalidURL):  # their text may contain a password
        proxy = httpx.Proxy(value)
        proxy.url.host.encode("idna")  # as it is encoded when it is looked up
        usable = bool(proxy.url.host) and (proxy.url.port is None or 0 < proxy.url.port <= LAST_PORT)
    if proxy is None or not usable:
        raise variable.unusable(f"its value is not the address of a proxy; {allowed}")
    return proxy


def _has_socks() -> bool:
    from importlib.util import find_spec  # noqa: PLC0415 - loaded when needed

    return find_spec("socksio") is not None

"""The certificates that are trusted: by `SSL_CERT_FILE`, by `SSL_CERT_DIR`, or as httpx does.

A value that cannot be used is a `ConfigurationError` that names its variable.
"""

from __future__ import annotations

import re
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .config import Variable
from .library import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def trusting(environment: Mapping[str, str]) -> ssl.SSLContext:
    """What verifies the certificates of servers: by SSL_CERT_FILE, else by SSL_CERT_DIR, else as httpx does.

    Raises:
        ConfigurationError: the variable that counts names nothing that holds certificates, or SSLKEYLOGFILE, to which
            Python's ssl writes the secrets of connections, names no file that can be written.
    """
    if secrets := environment.get("SSLKEYLOGFILE"):
        try:
            Path(secrets).open("ab").close()  # as each context of ssl opens it
        except (OSError, ValueError) as error:
            reason = f"{secrets!r} cannot be written ({getattr(error, 'strerror', None) or error}); unset it"
            raise Variable("SSLKEYLOGFILE", secrets).unusable(reason) from error
    file, folders = environment.get("SSL_CERT_FILE"), environment.get("SSL_CERT_DIR")
    if file:
        return _trusting_file(Variable("SSL_CERT_FILE", file))
    if folders:
        return _trusting_folders(Variable("SSL_CERT_DIR", folders))
    return httpx.create_ssl_context()


def _trusting_file(variable: Variable) -> ssl.SSLContext:
    path = Path(variable.value)
    allowed = "it must name a readable file with certificates in PEM form"
    if path.is_dir():
        raise variable.unusable(f"{variable.value!r} is a folder; {allowed}, folders belong into SSL_CERT_DIR")
    try:
        return ssl.create_default_context(cafile=variable.value)
    except ssl.SSLError:
        reason = "holds no certificates"
    except (OSError, ValueError) as error:
        reason = f"cannot be read ({getattr(error, 'strerror', None) or error})"
    raise variable.unusable(f"{variable.value!r} {reason}; {allowed}")


def _trusting_folders(variable: Variable) -> ssl.SSLContext:
    separator = ";" if sys.platform == "win32" else ":"
    if not any(_is_hashed(names) for names in map(_names, variable.value.split(separator))):
        raise variable.unusable(
            f"{variable.value!r} is not a folder of certificates named by their hash, as `openssl rehash` does it"
        )
    return ssl.create_default_context(capath=variable.value)


def _names(folder: str) -> list[str]:
    try:
        return [path.name for path in Path(folder).iterdir()] if folder else []
    except (OSError, ValueError):
        return []


def _is_hashed(names: Iterable[str]) -> bool:
    return any(re.fullmatch(r"[0-9a-f]{8}\.[0-9]+", name, re.ASCII) for name in names)

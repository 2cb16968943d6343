"""TLS for servers on loopback: a certificate for 127.0.0.1, and the file of the authority to trust."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path


def certified(trusted: Path) -> ssl.SSLContext:
    """What speaks TLS for 127.0.0.1; the authority's certificate is written to a file."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(trusted))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context

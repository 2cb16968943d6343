"""A server that responds to every request with a recorded page of logs, cut to the limit that it asks for.

Usage: page_server.py [FILE]

Below "/plain/v1" each row is one that every client can read. With FILE it speaks TLS, and writes there whom to trust:
the authorities that httpx trusts, and the one of its own certificate.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import sys
from pathlib import Path

from loopback import Responding, serve
from pages import SIZES, body, plain_body, respond

RESPONSES = {
    (bool(plain), str(rows)): respond(plain_body(rows) if plain else body(rows))
    for plain in (False, True)
    for rows in SIZES
}
LIMIT = re.compile(r"\blimit=(\d+)")


def page_response(target: str) -> bytes:
    """The page that a target asks for."""
    limit = LIMIT.search(target)
    return RESPONSES[target.startswith("/plain"), limit[1] if limit else "20"]


def certified(trusted: Path) -> ssl.SSLContext:
    """What speaks TLS for 127.0.0.1; the authorities to trust are written to a file."""
    import certifi
    import trustme

    authority = trustme.CA()
    trusted.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


if __name__ == "__main__":
    tls = certified(Path(sys.argv[1])) if len(sys.argv) > 1 else None
    asyncio.run(serve(lambda: Responding(page_response), tls))

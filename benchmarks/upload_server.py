"""A server that takes whatever is uploaded, keeps nothing of it, and responds as Dify does.

Usage: upload_server.py
"""

from __future__ import annotations

import asyncio
from typing import Final

from loopback import Connected, content_length, serve
from pages import respond

UPLOAD: Final = (
    b'{"id": "00000000-0000-4000-8000-000000000001", "name": "a.pdf", "size": 1, "extension": "pdf", "mime_type": '
    b'"application/pdf", "created_by": "00000000-0000-4000-8000-000000000002", "created_at": 1795384743, '
    b'"preview_url": null, "source_url": "http://127.0.0.1/a.pdf"}'
)


class Taking(Connected):
    """One connection: a response after each request of which as many bytes have come as it announced."""

    def __init__(self) -> None:
        self._head = b""
        self._missing = -1  # bytes of the request's body; below zero before its head was there

    def data_received(self, data: bytes) -> None:
        """Take a part of a request."""
        if self._missing < 0:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._head = b""
            self._missing = content_length(head)
        self._missing -= len(data)
        if self._missing == 0:
            self._missing = -1
            self._transport.write(RESPONSE)


RESPONSE: Final = respond(UPLOAD, "201 CREATED")

if __name__ == "__main__":
    asyncio.run(serve(Taking))

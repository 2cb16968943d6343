"""A server that answers every request with a recorded page of logs, cut to the limit that it asks for.

Usage: page_server.py

Below "/plain/v1" each row is one that every client can read.
"""

from __future__ import annotations

import asyncio
import re

from loopback import Answering, serve
from pages import SIZES, answer, body, plain_body

ANSWERS = {
    (bool(plain), str(rows)): answer(plain_body(rows) if plain else body(rows))
    for plain in (False, True)
    for rows in SIZES
}
LIMIT = re.compile(r"\blimit=(\d+)")


def page_answer(target: str) -> bytes:
    """The page that a target asks for."""
    limit = LIMIT.search(target)
    return ANSWERS[target.startswith("/plain"), limit[1] if limit else "20"]


if __name__ == "__main__":
    asyncio.run(serve(lambda: Answering(page_answer)))

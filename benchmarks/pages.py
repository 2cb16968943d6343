"""The page of logs that is measured: what a Dify server sent, byte for byte, and the same cut to fewer rows."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

RECORDING: Final = Path(__file__).resolve().parent.parent / "tests" / "recordings" / "logs-bulk-page-1_limit-100.json"
SIZES: Final = (1, 20, 100)


def body(rows: int = 100) -> bytes:
    """The body of the page, with its first rows only."""
    return _recorded_body() if rows == len(page()["data"]) else _dumped(page(rows))


def page(rows: int = 100) -> dict[str, Any]:
    """The page as JSON values."""
    value: dict[str, Any] = json.loads(_recorded_body())
    return {**value, "limit": rows, "data": value["data"][:rows]}


def plain_body(rows: int = 100) -> bytes:
    """The body with each row as one that an end user's successful run through the API leaves: nothing else in it."""
    value = page(rows)
    user = next(row["created_by_end_user"] for row in page()["data"] if row["created_by_end_user"])
    for row in value["data"]:
        row |= {"created_from": "service-api", "created_by_role": "end_user", "created_by_account": None}
        row["created_by_end_user"] = user
        row["workflow_run"]["status"] = "succeeded"
    return _dumped(value)


def respond(content: bytes, status: str = "200 OK") -> bytes:
    """The whole response with a body: the recorded one's headers, of which there are some ten."""
    headers = {**_recorded()["headers"], "Content-Length": str(len(content))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("ascii") + content


def _recorded_body() -> bytes:
    return str(_recorded()["body"]).encode("ascii")


@cache
def _recorded() -> dict[str, Any]:
    recording: dict[str, Any] = json.loads(RECORDING.read_text("utf-8"))["response"]
    return recording


def _dumped(value: object) -> bytes:
    return json.dumps(value).encode("ascii")

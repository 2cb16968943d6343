"""Plain HTTP with a sandbox: a client of one of its apps, and the events of a stream."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dify_workflow._http.library import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dify_workflow.testing import Sandbox


def client_of(sandbox: Sandbox, app: str = "main") -> httpx.Client:
    return httpx.Client(base_url=sandbox.base_url, headers={"Authorization": f"Bearer {sandbox.keys[app]}"}, timeout=30)


def events_in(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The events of a stream's lines, as they come; pings are left out."""
    return (json.loads(line.removeprefix("data: ")) for line in lines if line and line != "event: ping")


def events_of(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    return list(events_in(response.text.split("\n\n")))

"""Requests without a body are assembled from parts, and are what httpx makes of the whole."""

from __future__ import annotations

from typing import Any

import pytest
from dify_workflow_api.types import Request
from hypothesis import given
from hypothesis import strategies as st

from dify_workflow._http import requests
from dify_workflow._http.library import httpx

BASE = "https://dify.example.org:8443/v1"
HEADERS = httpx.Headers({"Host": "dify.example.org:8443", "Authorization": "Bearer app-x", "X-Own": "a"})
TEXT = st.text(st.characters(codec="utf-8"), max_size=40) | st.text("a1~=&", max_size=6)


def built(path: str, params: tuple[tuple[str, str], ...]) -> httpx.Request:
    call: Request[Any] = Request("request", "GET", path, lambda: object, params)
    return requests.build_request(call, base_url=BASE, headers=HEADERS, accept=None, timeouts={"read": 1.0}, http=None)


@given(params=st.lists(st.tuples(TEXT, TEXT), max_size=4).map(tuple), identity=TEXT)
def test_an_assembled_request_is_what_httpx_makes(params: tuple[tuple[str, str], ...], identity: str) -> None:
    path = "/logs/" + requests.urlencode({"": identity})[1:]
    request = built(path, params)
    query = f"?{requests.urlencode(params)}" if params else ""
    meant = httpx.Request("GET", BASE + path + query, headers=HEADERS, extensions={"timeout": {"read": 1.0}})
    assert requests._can_assemble()
    assert (request.url, request.url.raw_path, request.url.host) == (meant.url, meant.url.raw_path, meant.url.host)
    assert request.headers.raw == meant.headers.raw
    assert request.headers is not HEADERS
    assert request.extensions == meant.extensions
    assert request.read() == b""


def test_a_release_of_httpx_with_other_parts_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    before = built("/logs", (("page", "1"),))
    requests._can_assemble.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(httpx.ByteStream, "__init__", lambda self, content: 1 / 0)
        assert not requests._can_assemble()
    after = built("/logs", (("page", "1"),))
    requests._can_assemble.cache_clear()
    assert type(after) is type(before) is requests.SentRequest
    assert vars(after).keys() == vars(before).keys()
    assert (after.url, after.headers) == (before.url, before.headers)


def test_an_address_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="no address that can be requested"):
        built("/logs", (("keyword", "x" * 70_000),))

"""What the sandbox sends over HTTP, beyond the recorded exchanges."""

import json
import logging
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any

import pytest

from dify_workflow._http.library import httpx
from dify_workflow.testing import ReceivedRequest, Sandbox

LOGS = "/v1/workflows/logs"


@pytest.fixture(scope="module")
def filled() -> Iterator[Sandbox]:
    """A sandbox for tests that only read."""
    with Sandbox(rows=602, crowd=0, seed=2) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def http(filled: Sandbox) -> Iterator[httpx.Client]:
    with client_of(filled) as http:
        yield http


def client_of(sandbox: Sandbox) -> httpx.Client:
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    return httpx.Client(base_url=f"http://127.0.0.1:{sandbox.port}", headers=headers)


def page(http: httpx.Client, **params: Any) -> dict[str, Any]:
    response = http.get(LOGS, params=params)
    assert response.status_code == 200, response.text
    return response.json()


# Keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer    ", "Bearer \t"])
def test_the_scheme_ignores_case_and_extra_blanks(scheme: str, filled: Sandbox, http: httpx.Client) -> None:
    assert http.get(LOGS, headers={"Authorization": scheme + filled.api_key}).status_code == 200


@pytest.mark.parametrize(
    "value", ["", "Bearer", "{key}", "Basic {key}", "Bearer{key}", "Bearer x{key}", 'Bearer "{key}"']
)
def test_anything_else_is_refused_with_a_challenge(value: str, filled: Sandbox, http: httpx.Client) -> None:
    header = value.replace("{key}", filled.api_key)
    for method in ("GET", "HEAD"):
        response = http.request(method, LOGS, headers={"Authorization": header})
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert http.get(LOGS, headers={"Authorization": header}).json()["code"] == "unauthorized"


# Form ------------------------------------------------------------------------------------------------------------


def test_a_body_is_ascii_json_with_a_newline_at_its_end(http: httpx.Client) -> None:
    response = http.get(LOGS, params={"limit": 100, "keyword": "中文"})
    assert response.headers["Content-Type"] == "application/json"
    assert response.content.isascii()
    assert response.text == json.dumps(response.json()) + "\n"


def test_options_needs_no_key() -> None:
    with Sandbox(rows=0) as sandbox:
        response = httpx.options(f"{sandbox.base_url}/workflows/logs")
    assert response.status_code == 200
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("version", ["1.11", "1.16"])
def test_a_browser_is_told_what_it_may_send(version: Any) -> None:
    with Sandbox(rows=0, version=version) as sandbox:
        headers = {
            "Origin": "https://app.example.com",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, Content-Type, x-secret",
        }
        preflight = httpx.options(f"{sandbox.base_url}/workflows/run", headers=headers)
        assert preflight.status_code == 200
        assert preflight.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
        assert preflight.headers["Access-Control-Allow-Headers"] == "Content-Type, authorization"
        assert preflight.headers["Access-Control-Allow-Methods"] == "DELETE, GET, OPTIONS, PATCH, POST, PUT"
        assert "Origin" in preflight.headers["Vary"]
        for key in (sandbox.api_key, "app-wrong"):  # a page may read an error as well
            headers = {"Origin": "https://app.example.com", "Authorization": f"Bearer {key}"}
            response = httpx.get(f"{sandbox.base_url}/info", headers=headers)
            assert response.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
        headers = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "TRACE"}
        refused = httpx.options(f"{sandbox.base_url}/info", headers=headers)
        assert "Access-Control-Allow-Methods" not in refused.headers


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/conversations?user=u", 400, "not_chat_app"),
        ("POST", "/v1/chat-messages", 400, "not_chat_app"),
        ("POST", "/v1/completion-messages", 400, "app_unavailable"),
        ("GET", "/v1/messages", 400, "not_chat_app"),
        ("POST", f"/v1/messages/{uuid.UUID(int=0)}/feedbacks", 404, "not_found"),
        ("POST", "/v1/text-to-audio", 400, "invalid_param"),
        ("POST", "/v1/audio-to-text", 400, "no_audio_uploaded"),
        ("GET", f"/v1/files/{uuid.UUID(int=0)}/preview", 404, "file_not_found"),
        ("GET", "/v1/datasets", 401, "unauthorized"),
        ("GET", "/v1/app/feedbacks", 200, None),
        ("GET", "/v1/apps/annotations", 200, None),
        ("PUT", "/v1/chat-messages", 405, "method_not_allowed"),
        ("POST", "/v1/conversations", 405, "method_not_allowed"),
    ],
)
def test_routes_of_other_products_respond_in_json(
    method: str, path: str, status: int, code: str | None, http: httpx.Client
) -> None:
    response = http.request(method, path)
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/json")
    assert response.json().get("code") == code
    if status != 405:
        refused = http.request(method, path, headers={"Authorization": "Bearer app-wrong"})
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")


def test_a_malformed_file_id_is_an_unknown_address(http: httpx.Client) -> None:
    response = http.get("/v1/files/no-uuid/preview")
    assert (response.status_code, response.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY"])
def test_other_methods_are_refused_in_json_without_allow(method: str, http: httpx.Client) -> None:
    response = http.request(method, LOGS)
    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"
    assert "Allow" not in response.headers


@pytest.mark.parametrize(
    "path", ["/", "/v1/", "/v1/nope", "/v2/workflows/logs", "/v1/workflows/logs/", "/v1/workflows"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_address_gets_an_html_response(path: str, method: str, http: httpx.Client) -> None:
    response = http.request(method, path)
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["X-Version"] == "1.11.2"


@pytest.mark.parametrize(
    ("path", "location"),
    [("/v1//workflows/logs?limit=3", "/v1/workflows/logs?limit=3"), ("/v1", "/v1/"), ("//v1/workflows///logs", LOGS)],
)
def test_doubled_slashes_and_the_bare_prefix_redirect_in_html(
    path: str, location: str, filled: Sandbox, http: httpx.Client
) -> None:
    response = http.get(f"http://127.0.0.1:{filled.port}{path}")
    assert response.status_code == 308
    assert response.headers["Location"] == f"http://127.0.0.1:{filled.port}{location}"
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"


def test_doubled_slashes_in_unknown_addresses_do_not_redirect(filled: Sandbox, http: httpx.Client) -> None:
    assert http.get(f"http://127.0.0.1:{filled.port}/v1//nope").status_code == 404


def test_what_an_address_contains_does_not_become_html(filled: Sandbox) -> None:
    # Not with httpx, which would encode the signs.
    connection = HTTPConnection("127.0.0.1", filled.port)
    with closing(connection):
        connection.putrequest("GET", '/v1//workflows/logs?a="><script>')
        connection.endheaders()
        response = connection.getresponse()
        body = response.read().decode()
    assert response.status == 308
    assert "&lt;script&gt;" in body
    assert "<script>" not in body


def test_filters_that_cannot_be_joined_are_a_500_with_odd_body(http: httpx.Client) -> None:
    response = http.get(LOGS, params={"keyword": "a", "created_by_end_user_session_id": "b"})
    assert response.status_code == 500
    assert response.text == '{"message": "Internal Server Error", "code": "unknown", "status": 500}\n'
    assert page(http, keyword="", created_by_end_user_session_id="b")["total"] == 0


# Paging ----------------------------------------------------------------------------------------------------------


def test_past_the_end_a_page_is_empty_and_the_total_stays(http: httpx.Client) -> None:
    assert page(http, page=99_999, limit=100) == {
        "page": 99_999,
        "limit": 100,
        "total": 602,
        "has_more": False,
        "data": [],
    }


def test_has_more_ends_with_the_page_that_has_the_last_row(http: httpx.Client) -> None:
    assert [page(http, page=number, limit=86)["has_more"] for number in (6, 7, 8)] == [True, False, False]


def test_the_total_counts_what_the_filters_leave(http: httpx.Client) -> None:
    totals = {status: page(http, status=status)["total"] for status in ("succeeded", "failed", "stopped")}
    assert all(0 < total < 602 for total in totals.values())
    assert sum(totals.values()) < 602  # the other statuses cannot be filtered by


def walk(http: httpx.Client, limit: int) -> list[str]:
    ids: list[str] = []
    number = 1
    while True:
        response = page(http, page=number, limit=limit)
        ids += [item["id"] for item in response["data"]]
        if not response["has_more"]:
            return ids
        number += 1


# The real server lost 8, 16, 30, 66 and 85 of 602 rows.
@pytest.mark.parametrize(("limit", "lost"), [(100, range(2, 25)), (20, range(15, 61)), (5, range(60, 150))])
def test_paging_loses_logs_although_the_total_adds_up(limit: int, lost: range, http: httpx.Client) -> None:
    ids = walk(http, limit)
    assert len(ids) == page(http)["total"] == 602
    assert 602 - len(set(ids)) in lost


def test_reading_windows_with_an_inclusive_bound_finds_every_row(http: httpx.Client) -> None:
    ids: set[str] = set()
    window: dict[str, str] = {}
    while True:
        items = page(http, limit=100, **window)["data"]
        fresh = {item["id"] for item in items} - ids
        ids |= fresh
        if not fresh:
            break
        window = {"created_at__before": iso(items[-1]["created_at"])}
    assert len(ids) == 602


def iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()


def test_a_window_over_http_is_inclusive_at_both_ends() -> None:
    with Sandbox(rows=0) as sandbox, client_of(sandbox) as http:
        for second in (99, 100, 101):
            sandbox.add_log(created_at=second)
        both = page(http, created_at__before=iso(100), created_at__after=iso(100))
        assert [item["created_at"] for item in both["data"]] == [100]
        assert page(http, created_at__before="1970-01-01T00:01:40.9Z")["total"] == 2
        assert page(http, created_at__after="1970-01-01T00:01:40.1Z")["total"] == 1


# Switches and notes ----------------------------------------------------------------------------------------------


def test_each_request_is_noted_as_it_was_sent_but_not_its_key(dify_sandbox: Sandbox) -> None:
    with client_of(dify_sandbox) as http:
        http.get(f"{LOGS}?keyword=%E4%B8%AD+x&limit=5")
        http.post("/v1/caf%C3%A9", content=b"secret body")
    assert dify_sandbox.requests == (
        ReceivedRequest("GET", LOGS, "keyword=%E4%B8%AD+x&limit=5"),
        ReceivedRequest("POST", "/v1/caf%C3%A9", ""),
    )
    assert dify_sandbox.requests[0].params == [("keyword", "中 x"), ("limit", "5")]
    assert dify_sandbox.api_key not in repr(dify_sandbox.requests)
    dify_sandbox.clear_requests()
    assert dify_sandbox.requests == ()


def test_rows_can_arrive_and_vanish_between_two_requests(dify_sandbox: Sandbox) -> None:
    vanishing = dify_sandbox.add_log(created_at=1)
    arrivals: list[str] = []

    def change(request: ReceivedRequest) -> None:
        if ("page", "2") in request.params:
            arrivals.append(dify_sandbox.add_log(created_at=5).id)
            dify_sandbox.delete_logs([vanishing.id])

    dify_sandbox.traps.before_request = change
    with client_of(dify_sandbox) as http:
        assert [item["id"] for item in page(http)["data"]] == [vanishing.id]
        assert page(http, page=2, limit=1)["total"] == 1
        assert [item["id"] for item in page(http)["data"]] == arrivals


def test_ties_can_be_made_stable(dify_sandbox: Sandbox) -> None:
    for _ in range(30):
        dify_sandbox.add_log(created_at=100)
    with client_of(dify_sandbox) as http:
        assert len(set(walk(http, 7))) < 30
        dify_sandbox.traps.stable_ties = True
        assert len(set(walk(http, 7))) == 30


def test_a_client_that_is_impatient_meets_a_slow_sandbox(dify_sandbox: Sandbox) -> None:
    dify_sandbox.traps.latency = 30
    with client_of(dify_sandbox) as http:
        with pytest.raises(httpx.ReadTimeout):
            http.get(LOGS, timeout=0.05)
        dify_sandbox.traps.latency = 0
        assert http.get(LOGS).status_code == 200


def test_a_defect_in_a_callback_is_a_500_that_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_request: ReceivedRequest) -> None:
        raise LookupError("this callback is broken")

    with Sandbox(rows=0) as sandbox, client_of(sandbox) as http:
        sandbox.traps.before_request = fail
        response = http.get(LOGS)
    assert (response.status_code, response.json()["code"]) == (500, "unknown")
    assert response.headers["X-Version"] == "1.11.2"
    assert "this callback is broken" in caplog.text
    assert sandbox.api_key not in caplog.text


def test_the_log_has_method_path_status_and_no_secrets(dify_sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), client_of(dify_sandbox) as http:
        http.request("GET", f"{LOGS}?keyword=private", content=b"hidden body")
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name == "dify_sandbox")
    assert f"GET {LOGS}: 200" in ours
    for text in (dify_sandbox.api_key, "private", "hidden body"):
        assert text not in ours

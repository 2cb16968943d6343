"""Faults and oddities of connections, time, redirects and bodies, beyond the table, for both clients."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from support.clients import EACH_DRIVER, Driver, failure, list_logs, post
from support.fault_server import (
    JSON,
    FaultServer,
    close,
    close_on_accept,
    error_response,
    gzipped,
    large_page_bytes,
    log_page,
    page_response,
    raw,
    reset,
    respond,
)
from support.fault_table import PAGE, http_date

from dify_workflow import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    BadRequestError,
    InternalServerError,
    RateLimitError,
)

# --- no connection ----------------------------------------------------------------------------------------------------


@EACH_DRIVER
def test_reading_recovers_from_a_connection_closed_at_once(driver: Driver):
    with FaultServer(close_on_accept(), close_on_accept(), page_response()) as server:
        assert driver.call(server.base_url, list_logs).total == 1
    assert server.connections == 3


# --- time -------------------------------------------------------------------------------------------------------------


@EACH_DRIVER
def test_the_timeout_of_one_call_replaces_the_clients(driver: Driver):
    with FaultServer(raw(30.0)) as server:
        error = failure(
            driver, server.base_url, lambda client: client.logs.list(timeout=0.1), timeout=60, max_retries=0
        )
    assert type(error) is APITimeoutError


@EACH_DRIVER
def test_a_slow_response_within_the_timeout_is_accepted(driver: Driver):
    pieces = [PAGE[at : at + 100] for at in range(0, len(PAGE), 100)]
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\nContent-Length: {len(PAGE)}\r\n\r\n".encode()
    slow = raw(0.05, head, *(part for piece in pieces for part in (piece, 0.02)), then="keep")
    with FaultServer(slow) as server:
        assert driver.call(server.base_url, list_logs, timeout=20).to_dict() == log_page()
    assert len(server.requests) == 1


@EACH_DRIVER
def test_the_servers_wish_is_waited_for(driver: Driver, caplog):
    caplog.set_level(logging.INFO, "dify_workflow")
    with FaultServer(error_response(429, "x", "y", headers=(("Retry-After", "0.3"),)), page_response()) as server:
        driver.call(server.base_url, list_logs)
    assert len(server.requests) == 2
    assert "retry 1 in 0.30 s" in caplog.text


@EACH_DRIVER
def test_a_retry_after_date_beyond_a_minute_is_raised_at_once(driver: Driver):
    with FaultServer(
        error_response(429, "x", "y", headers=(("Retry-After", http_date(timedelta(hours=1))),))
    ) as server:
        error = failure(driver, server.base_url, list_logs)
    assert isinstance(error, RateLimitError)
    assert 3000 < error.retry_after <= 3600
    assert len(server.requests) == 1


@EACH_DRIVER
def test_waits_grow_from_retry_to_retry(driver: Driver, caplog):
    caplog.set_level(logging.INFO, "dify_workflow")
    with FaultServer(reset()) as server:
        failure(driver, server.base_url, list_logs, backoff=0.01, max_retries=4)
    waits = [record.args[1] for record in caplog.records if record.msg.startswith("retry")]
    assert len(waits) == 4
    for wait, longest in zip(waits, (0.01, 0.02, 0.04, 0.08), strict=True):
        assert longest / 2 <= wait <= longest


# --- redirects --------------------------------------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "http",
    [None, {"follow_redirects": True, "auth": ("user", "password"), "headers": {"Authorization": "Bearer other"}}],
    ids=["own pool", "caller's following client"],
)
def test_the_key_does_not_follow_a_redirect_to_another_host(driver: Driver, status: int, http):
    with FaultServer(page_response(), host="127.0.0.2") as elsewhere:
        redirect = respond(status, headers=(("Location", f"{elsewhere.base_url}/workflows/logs"),))
        with FaultServer(redirect) as server:
            error = failure(driver, server.base_url, list_logs, http=http)
        assert [request.authorization for request in server.requests] == ["expected"]
        assert elsewhere.connections == 0
    assert type(error) is APIStatusError
    assert error.status_code == status
    assert "redirect" in str(error)
    assert error.headers["location"].startswith(elsewhere.origin)


@EACH_DRIVER
def test_a_redirect_on_the_same_host_is_not_followed_either(driver: Driver):
    # Flask responds 308 with a page of HTML where a path has too many slashes: base_url is wrong then.
    redirect = respond(
        308, "<!doctype html><title>Redirecting...</title>", headers=(("Location", "/v1/workflows/logs"),)
    )
    with FaultServer(redirect, page_response()) as server:
        error = failure(driver, server.base_url, list_logs)
    assert type(error) is APIStatusError
    assert error.status_code == 308
    assert len(server.requests) == 1


# --- what is unusual and must work ------------------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize(
    "behaviour",
    [
        respond(200, gzipped(PAGE), headers=(("Content-Encoding", "gzip"),)),
        respond(200, PAGE, content_type=None),
        respond(200, PAGE, content_type="text/html"),
        respond(200, PAGE, content_type="application/json; charset=latin-1"),
        respond(200, b"\xef\xbb\xbf" + PAGE),
        respond(200, b"\r\n  " + PAGE + b"\n\n"),
        respond(200, PAGE, headers=(("X-Server", "caf\u00e9"),)),
        raw(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + PAGE),
        raw(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE),
        raw(b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(PAGE) + PAGE + b"\r\n0\r\n\r\n"),
        raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE),
    ],
    ids=["gzip", "no content type", "HTML by name only", "another charset by name only", "byte order mark",
         "white space around", "header outside ASCII", "HTTP/1.0 until the end", "HTTP/1.0 with a length",
         "chunks and no reason", "100 first"],
)  # fmt: skip
def test_a_correct_page_is_read_however_it_comes(driver: Driver, behaviour):
    with FaultServer(behaviour) as server:
        assert driver.call(server.base_url, list_logs).to_dict() == log_page()
    assert len(server.requests) == 1


@EACH_DRIVER
def test_a_page_of_50_megabytes_is_read(driver: Driver):
    size = 50_000_000
    with FaultServer(respond(200, large_page_bytes(size))) as server:
        page = driver.call(server.base_url, list_logs)
    assert len(page.to_dict()["data"][0]["workflow_run"]["error"]) == size
    assert len(page.data) == 2
    assert len(server.requests) == 1


@EACH_DRIVER
def test_an_error_of_5_megabytes_says_little_and_carries_all(driver: Driver):
    body = "<html><title>Bad Gateway</title>" + "x" * 5_000_000
    with FaultServer(respond(502, body)) as server:
        error = failure(driver, server.base_url, list_logs, max_retries=0)
    assert type(error) is InternalServerError
    assert error.body == body
    assert len(str(error)) < 200


@EACH_DRIVER
def test_a_keep_alive_connection_is_used_again(driver: Driver):
    with FaultServer(page_response()) as server:
        driver.call(server.base_url, list_logs, list_logs, post, list_logs)
    assert server.connections == 1


@EACH_DRIVER
def test_an_error_leaves_the_connection_usable(driver: Driver):
    behaviours = [error_response(400, "invalid_param", "no"), respond(502, "<html>"), page_response()]
    with FaultServer(*behaviours) as server:

        def refused_once(client):
            return client.logs.list(status="running")

        with pytest.raises(BadRequestError):
            driver.call(server.base_url, refused_once)
        assert driver.call(server.base_url, list_logs).total == 1
    assert server.connections == 2  # one for each client, with the retry of the second on the same one


@EACH_DRIVER
def test_a_closed_keep_alive_connection_is_no_error_for_reads(driver: Driver):
    with FaultServer(respond(200, PAGE, then="close")) as server:
        driver.call(server.base_url, *[list_logs] * 5)
    assert [request.method for request in server.requests] == ["GET"] * 5


@EACH_DRIVER
def test_a_connection_seen_to_be_closed_is_not_used_for_work(driver: Driver):
    with FaultServer(respond(200, PAGE, then="close")) as server:

        def see_it_closed(client):
            assert server.wait_for_no_connection()
            return post(client)

        driver.call(server.base_url, list_logs, see_it_closed, max_retries=0)
    assert [request.method for request in server.requests] == ["GET", "POST"]


@EACH_DRIVER
def test_a_close_during_reuse_is_repeated_for_reads_only(driver: Driver):
    with FaultServer(page_response(), close(), page_response()) as server:
        driver.call(server.base_url, list_logs, list_logs)
    assert [request.connection for request in server.requests] == [1, 1, 2]
    with FaultServer(page_response(), close(), page_response()) as server:
        assert type(failure(driver, server.base_url, list_logs, post)) is APIConnectionError
    assert [request.connection for request in server.requests] == [1, 1]


@EACH_DRIVER
def test_connections_idle_beyond_gunicorns_limit_are_not_reused(driver: Driver):
    # gunicorn closes a connection that was idle for 2 s; work sent at that moment would be neither done nor undone.
    with FaultServer(page_response()) as server:
        driver.call(server.base_url, list_logs, driver.pause(1.8), post)
    assert [request.connection for request in server.requests] == [1, 2]

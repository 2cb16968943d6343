"""What carries the bytes: a response that is not read to its end is closed, and what is there at once is taken."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_DRIVER, Driver, list_logs
from support.fault_server import log_page

from dify_workflow import APIConnectionError, APITimeoutError, DifyError, DifyWorkflow
from dify_workflow._errors import class_of_status
from dify_workflow._http.library import httpx
from dify_workflow._http.logging import log_end_of_stream, log_outage, log_retry, log_time_shift

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

ADDRESS = "http://server.invalid/v1"
GET = httpx.Request("GET", f"{ADDRESS}/x")
PAGE = json.dumps(log_page()).encode()


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of a response: pieces, or an exception in the place of one; it knows whether it was closed."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.close()


def responding(*responses: httpx.Response, late: float = 0.0) -> dict[str, Any]:
    """The options of an httpx client that gets these responses in turn, so many seconds late."""
    waiting = iter(responses)

    def respond(request: httpx.Request) -> httpx.Response:
        time.sleep(late)
        return next(waiting)

    return {"transport": httpx.MockTransport(respond)}


async def read_events(client: Any) -> None:
    async with client.runs.stream({}, user="u-1") as events:
        async for _ in events:
            pass


@EACH_DRIVER
def test_late_responses_are_taken_if_whole_but_not_in_pieces(driver: Driver):
    whole, pieces = Body(PAGE), Body(PAGE[:10], PAGE[10:])
    options = {"timeout": 0.001, "max_retries": 0}
    page = driver.call(ADDRESS, list_logs, http=responding(httpx.Response(200, stream=whole), late=0.01), **options)
    assert page.to_dict() == log_page()
    with pytest.raises(APITimeoutError):
        driver.call(ADDRESS, list_logs, http=responding(httpx.Response(200, stream=pieces), late=0.01), **options)
    assert pieces.is_closed


@EACH_DRIVER
def test_a_response_that_breaks_off_is_closed(driver: Driver):
    body = Body(PAGE[:10], httpx.ReadError("reset"))
    with pytest.raises(APIConnectionError, match="reset"):
        driver.call(ADDRESS, list_logs, http=responding(httpx.Response(200, stream=body)), max_retries=0)
    assert body.is_closed


@EACH_DRIVER
@pytest.mark.parametrize("status", [200, 500])
def test_a_broken_non_stream_response_is_closed(driver: Driver, status: int):
    body = Body(b"<html>", httpx.ReadError("reset"))
    with pytest.raises(DifyError):
        driver.play(ADDRESS, read_events, http=responding(httpx.Response(status, stream=body)), max_retries=0)
    assert body.is_closed


@EACH_DRIVER
def test_request_gives_the_json_value_or_the_bytes_as_they_came(driver: Driver):
    def given(body: bytes, **options: Any) -> Any:
        ask = {"http": responding(httpx.Response(200, stream=Body(body)))}
        return driver.call(ADDRESS, lambda client: client.request("GET", "/info", **options), **ask)

    assert given(b'{"a": [1]}') == given(b'{"a": [1]}', expect="json") == {"a": [1]}
    assert given(b"") is None
    assert given(b'{"a": [1]}', expect="bytes") == b'{"a": [1]}'
    with pytest.raises(ValueError, match="expect must be 'json' or 'bytes'; got 'text'"):
        given(b"", expect="text")


def streamed(body: Body) -> dict[str, Any]:
    return responding(httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=body))


@EACH_DRIVER
def test_a_stream_that_nobody_read_is_closed_when_it_is_left(driver: Driver):
    body = Body(b"event: ping\n\n")

    async def leave(client: Any) -> None:
        async with client.runs.stream({}, user="u-1"):
            pass
        assert body.is_closed

    driver.play(ADDRESS, leave, http=streamed(body))


@EACH_DRIVER
def test_a_broken_stream_is_closed_at_once(driver: Driver):
    body = Body(b"event: ping\n\n", httpx.ReadError("reset"))

    async def read(client: Any) -> None:
        async with client.runs.stream({}, user="u-1") as events:
            with pytest.raises(APIConnectionError, match="reset"):
                async for _ in events:
                    pass
            assert body.is_closed

    driver.play(ADDRESS, read, http=streamed(body))


# --- what is logged ---------------------------------------------------------------------------------------------------


@EACH_DRIVER
def test_a_response_is_one_info_line_and_its_query_a_debug_line(driver: Driver, caplog: pytest.LogCaptureFixture):
    responses = [httpx.Response(200, json=log_page()), httpx.Response(503)]
    caplog.set_level(logging.INFO, "dify_workflow")
    driver.call(ADDRESS, list_logs, http=responding(responses[0]))
    [record] = caplog.records
    assert record.getMessage().startswith("GET /v1/workflows/logs: 200 in ")
    caplog.clear()
    caplog.set_level(logging.DEBUG, "dify_workflow")
    with pytest.raises(DifyError):
        driver.call(ADDRESS, list_logs, http=responding(responses[1]), max_retries=0)
    assert [record.levelname for record in caplog.records] == ["INFO", "DEBUG"]
    assert "503" in caplog.messages[0]
    assert caplog.messages[1] == "GET /v1/workflows/logs: query page=1&limit=20"


@EACH_DRIVER
def test_a_streams_response_and_each_retry_are_logged(driver: Driver, caplog):
    stream = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())
    caplog.set_level(logging.INFO, "dify_workflow")
    with pytest.raises(APIConnectionError):
        driver.play(ADDRESS, read_events, http=responding(httpx.Response(429), stream))
    begun, retry, again = caplog.messages
    assert begun.startswith("POST /v1/workflows/run: 429 in ")
    assert retry == "retry 1 in 0.00 s after RateLimitError: status 429"
    assert again.startswith("POST /v1/workflows/run: 200 in ")


STATUS = class_of_status(503)(
    "GET /x: 503 the body",
    status_code=503,
    code=None,
    message="the body",
    headers=httpx.Headers(),
    body="",
    request=GET,
)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (APIConnectionError("GET /x: no route", request=GET), "APIConnectionError: GET /x: no route"),
        (STATUS, "InternalServerError: status 503"),  # the text is a part of a body
    ],
)
def test_what_is_waited_out_is_logged_with_its_reason(error: DifyError, reason: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "dify_workflow")
    log_outage("logs.iter", error, 0.26)
    log_retry(error, 2, 1.256)
    log_end_of_stream(error)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", f"logs.iter looks again in 0.3 s after {reason}"),
        ("INFO", f"retry 2 in 1.26 s after {reason}"),
        ("INFO", f"a stream whose run had finished ended with {reason}"),
    ]


def test_a_shift_of_times_is_logged_in_seconds_and_hours(caplog: pytest.LogCaptureFixture):
    log_time_shift("logs.follow", -1800)
    [record] = caplog.records
    shift = "logs.follow: the server displays times that are -1800 s (-0.50 h) off the true ones, which is allowed for."
    assert (record.levelname, record.getMessage().startswith(f"{shift} Set the time zone")) == ("WARNING", True)


@pytest.mark.parametrize(("wanted", "level"), [("info", logging.INFO), (" DEBUG ", logging.DEBUG)])
def test_the_environment_turns_logging_on_once(monkeypatch, wanted: str, level: int):
    logger = logging.getLogger("dify_workflow")
    before, handlers = logger.level, list(logger.handlers)
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setenv("DIFY_LOG", wanted)
    try:
        for _ in range(3):
            DifyWorkflow(api_key="app-1").close()
        assert len(logger.handlers) == 1
        assert logger.level == level
    finally:
        logger.setLevel(before)
    assert handlers == []

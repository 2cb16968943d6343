"""`logs.follow` when the server fails: outages are waited out, nothing is lost or given twice; refusals are raised."""

from __future__ import annotations

import logging
import time
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from support.clients import EACH_DRIVER, Driver, Follower, SyncDriver
from support.fault_server import (
    HTML,
    KEY,
    Behaviour,
    FaultServer,
    close,
    close_on_accept,
    cut_chunks,
    error_response,
    json_response,
    log_page,
    log_page_bytes,
    page_response,
    reset,
    reset_inside_body,
    respond,
    short_body,
    silence,
)

from dify_workflow import APIStatusError, AuthenticationError
from dify_workflow.testing import Sandbox, new_log

if TYPE_CHECKING:
    from pathlib import Path

SINCE = "2026-01-01"  # before the rows of a fault server's pages
MARK = "text-of-a-response"
NOW = int(time.time())


def contradiction() -> Behaviour:
    """Rows are counted, and none is shown."""
    return json_response(200, log_page(0) | {"total": 5})


OUTAGES = {
    "reset": reset,
    "closed": close,
    "reset inside the body": lambda: reset_inside_body(log_page_bytes(2)),
    "short body": lambda: short_body(200, log_page_bytes(2)),
    "cut chunks": lambda: cut_chunks(log_page_bytes(2)),
    "timeout": silence,
    "HTML with 200": lambda: respond(200, f"<html><title>{MARK}</title>{KEY}</html>", content_type=HTML),
    "broken JSON": lambda: respond(200, f'{{"data": [{MARK}'),
    "a list": lambda: json_response(200, [MARK]),
    "data is missing": lambda: json_response(200, {"total": 1}),
    "contradiction": contradiction,
    **{
        str(status): lambda status=status: error_response(status, "unknown", f"{MARK} {KEY}")
        for status in (408, 429, 500, 502, 503, 504)
    },
    "the concurrency limit": lambda: error_response(400, "invalid_param", "Too many requests. Please try again later."),
}


@EACH_DRIVER
@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_is_waited_out_without_loss_or_duplicates(
    driver: Driver, outage: str, caplog: pytest.LogCaptureFixture
):
    fault = OUTAGES[outage]
    # A contradiction is accepted when it comes three times.
    faults = [fault() for _ in range(6 if fault is contradiction else 2)]
    with (
        FaultServer(page_response(rows=1), *faults, page_response(rows=2), fault(), page_response(rows=3)) as server,
        Follower(driver, server.base_url, since=SINCE, timeout=0.2 if fault is silence else None) as follower,
    ):
        given = [log.id for log in follower.take(3)]
    assert given == [row["id"] for row in log_page(3)["data"]]
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) >= 2
    for record in warnings:
        assert "logs.follow looks again in 0.0" in record.getMessage()
        assert KEY not in record.getMessage()
        assert MARK not in record.getMessage()


@EACH_DRIVER
def test_a_connection_that_is_closed_at_once_is_waited_out(driver: Driver, caplog: pytest.LogCaptureFixture):
    with (
        FaultServer(close_on_accept(), close_on_accept(), page_response(rows=1)) as server,
        Follower(driver, server.base_url, since=SINCE) as follower,
    ):
        assert len(follower.take()) == 1
    assert "APIConnectionError" in caplog.text


@EACH_DRIVER
def test_retry_after_is_obeyed_beyond_what_a_call_waits(driver: Driver, caplog: pytest.LogCaptureFixture):
    # The pause itself is decided, and proven, without a clock; here it has to come from the response's header.
    patience = error_response(429, "too_many_requests", "slow down", headers=(("Retry-After", "0.3"),))
    with (
        FaultServer(patience, page_response(rows=1)) as server,
        Follower(driver, server.base_url, since=SINCE) as follower,
    ):
        assert len(follower.take()) == 1
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "logs.follow looks again in 0.3 s after RateLimitError: status 429"
    ]


@EACH_DRIVER
@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_raised_at_once_and_the_checkpoint_holds(driver: Driver, status: int):
    with FaultServer(page_response(rows=2), error_response(status, "no", "no"), page_response(rows=3)) as server:
        with Follower(driver, server.base_url, since=SINCE) as follower:
            follower.take(2)
            with pytest.raises(APIStatusError) as caught:
                follower.take()
            assert caught.value.status_code == status
            assert len(server.requests) == 2
            with pytest.raises(RuntimeError, match="checkpoint"):  # it does not look as if all had been well
                follower.take()
            checkpoint = follower.checkpoint
        with Follower(driver, server.base_url, checkpoint=checkpoint) as follower:
            assert [log.id for log in follower.take()] == [log_page(3)["data"][2]["id"]]


@EACH_DRIVER
def test_a_refusal_at_the_start_is_raised(driver: Driver):
    with Sandbox(rows=0) as sandbox, Follower(driver, sandbox.base_url, api_key="app-wrong") as follower:
        with pytest.raises(AuthenticationError):
            follower.take()
        assert not follower.checkpoint["has_begun"]


@EACH_DRIVER
@pytest.mark.parametrize("every", [2, 3, 7])
def test_outages_in_the_middle_of_looks_lose_and_repeat_nothing(driver: Driver, every: int):
    rows = [new_log(created_at=NOW - 5000 + n // 2, status=("running", "failed")[n % 2]) for n in range(1500)]
    numbers = count(1)

    def fail_now_and_then(_: object) -> None:
        if next(numbers) % every == 0:
            raise ConnectionError("a test's own outage")

    with Sandbox(rows=0) as sandbox:
        sandbox.add_logs(rows)
        sandbox.traps.before_request = fail_now_and_then
        with Follower(driver, sandbox.base_url, api_key=sandbox.api_key, since="1d", max_retries=1) as follower:
            given = [log.id for log in follower.take(len(rows))]
            assert given == sorted(given, key={row.id: row.created_at for row in rows}.__getitem__)
            for row in rows[-40:]:
                assert row.run is not None
                sandbox.update_run(row.run.id, status="succeeded", finished_at=NOW)
            ended = [log.id for log in follower.take(20)]
    assert sorted(given) == sorted(row.id for row in rows)
    assert sorted(ended) == sorted(row.id for row in rows[-40::2])


@EACH_DRIVER
def test_a_server_that_is_away_for_a_while_is_found_again(driver: Driver, tmp_path: Path):
    options: dict[str, Any] = {"rows": 0, "database": tmp_path / "logs.sqlite"}
    with Sandbox(**options) as sandbox:
        port = sandbox.port
        first = sandbox.add_log(created_at=NOW, status="running")
        follower = Follower(driver, sandbox.base_url, api_key=sandbox.api_key, since="1d")
        assert [log.id for log in follower.take()] == [first.id]
    back = Sandbox(**options, port=port)

    def come_back(record: logging.LogRecord) -> bool:
        if "APIConnectionError" in record.getMessage() and not came_back:
            came_back.append(True)
            back.start()
            second = back.add_log(created_at=NOW + 1)
            expected.append(second.id)
            assert first.run is not None
            back.update_run(first.run.id, status="stopped", finished_at=NOW)
        return True

    came_back: list[bool] = []
    expected: list[str] = [first.id]
    logger = logging.getLogger("dify_workflow")
    logger.addFilter(come_back)
    try:
        with follower:
            assert [log.id for log in follower.take(2)] == expected
    finally:
        logger.removeFilter(come_back)
        back.stop()


def test_an_outage_that_lasts_is_asked_about_ever_more_seldom(caplog: pytest.LogCaptureFixture):
    with (
        FaultServer(*(respond(503) for _ in range(6)), page_response(rows=1)) as server,
        Follower(SyncDriver(), server.base_url, since=SINCE, poll=0.01) as follower,
    ):
        follower.take()
    pauses = [float(record.getMessage().split()[4]) for record in caplog.records if record.levelno == logging.WARNING]
    assert pauses == [0.0, 0.0, 0.1, 0.2, 0.3, 0.6]

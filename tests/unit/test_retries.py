"""When a request is sent again, and how long that takes: decisions without sleeping or sending."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dify_workflow._errors import APIConnectionError, APIResponseError, APITimeoutError, ConfigurationError, DifyError
from dify_workflow._http.library import httpx
from dify_workflow._http.response_errors import status_error
from dify_workflow._http.retry import retry_after_seconds, seconds_before_retry
from dify_workflow._http.secrets import Secret

REQUEST = httpx.Request("GET", "https://dify.example.com/v1/workflows/logs")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BUSY = json.dumps({"code": "invalid_param", "message": "Too many requests. Please try again later."}).encode()

REFUSED = APIConnectionError("refused", request=REQUEST, request_sent=False)
CUT = APIConnectionError("reset", request=REQUEST, request_sent=True)
CONNECT_TIMEOUT = APITimeoutError("timed out", request=REQUEST, request_sent=False)
READ_TIMEOUT = APITimeoutError("timed out", request=REQUEST, request_sent=True)
BROKEN = APIResponseError("HTML", status_code=200, headers=httpx.Headers(), body="<html>", request=REQUEST)


def responded(status: int, content: bytes = b"", **headers: str) -> DifyError:
    return status_error(httpx.Response(status, headers=headers, request=REQUEST), content, Secret("app-1"))


def pause(error: DifyError, method: str = "GET", *, made: int = 0, allowed: int = 2, chance: float = 0.0):
    return seconds_before_retry(
        error, method=method, retries_made=made, max_retries=allowed, backoff=0.5, jitter=lambda: chance
    )


@pytest.mark.parametrize("error", [REFUSED, CUT, CONNECT_TIMEOUT, READ_TIMEOUT], ids=str)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_repeated_after_any_connection_error(error, method):
    assert pause(error, method) == 0.5


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_work_is_repeated_only_when_it_cannot_have_begun(method):
    again = [REFUSED, CONNECT_TIMEOUT, responded(429), responded(400, BUSY)]
    never = [CUT, READ_TIMEOUT, BROKEN, *map(responded, (400, 401, 408, 409, 500, 502, 503, 504, 520))]
    assert [pause(error, method) for error in again] == [0.5] * len(again)
    assert [pause(error, method) for error in never] == [None] * len(never)


def test_reading_is_repeated_after_exactly_these_statuses():
    repeated = {status for status in range(300, 1000) if pause(responded(status)) is not None}
    assert repeated == {408, 429, *range(500, 600)} - {501, 505}


@pytest.mark.parametrize("error", [BROKEN, ConfigurationError("no key"), DifyError("else")], ids=str)
def test_what_would_come_back_the_same_is_not_repeated(error):
    assert pause(error) is None


@pytest.mark.parametrize("error", [REFUSED, READ_TIMEOUT, responded(429), responded(503)], ids=str)
def test_there_are_as_many_retries_as_allowed_and_no_more(error):
    assert [pause(error, made=made, allowed=2) is not None for made in range(4)] == [True, True, False, False]
    assert pause(error, allowed=0) is None


def test_the_wait_doubles_up_to_eight_seconds():
    waits = [pause(CUT, made=made, allowed=10_000) for made in (0, 1, 2, 3, 4, 5, 9_999)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 5_000))
def test_jitter_takes_off_up_to_half(chance, made):
    longest = pause(CUT, made=made, allowed=10_000)
    wait = pause(CUT, made=made, allowed=10_000, chance=chance)
    assert longest / 2 <= wait <= longest
    assert wait == pytest.approx(longest * (1 - chance / 2))


def test_a_backoff_of_zero_does_not_wait():
    assert seconds_before_retry(CUT, method="GET", retries_made=3, max_retries=9, backoff=0.0, jitter=lambda: 0.5) == 0


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("text", "seconds"), [("0", 0.0), ("1", 1.0), ("60", 60.0), ("61", None), ("9" * 17, None)])
def test_retry_after_is_obeyed_up_to_a_minute(status, text, seconds):
    assert pause(responded(status, **{"Retry-After": text})) == seconds


def test_retry_after_holds_for_rate_limits_and_runs_too():
    assert pause(responded(400, BUSY, **{"Retry-After": "3"}), "POST") == 3.0
    assert pause(responded(429, **{"Retry-After": "3"}), "POST") == 3.0
    assert pause(responded(503, **{"Retry-After": "3"}), "POST") is None


@pytest.mark.parametrize("text", ["soon", "", "-5", "1,5", "NaN", "inf", "1e3", "٣", "0x10", "Mon, 32 Foo 2026"])
def test_a_wish_that_makes_no_sense_is_no_wish(text):
    assert retry_after_seconds({"retry-after": text}) is None


def test_garbage_in_retry_after_leaves_the_usual_wait():
    assert pause(responded(429, **{"Retry-After": "soon"})) == 0.5
    assert pause(responded(429, **{"Retry-After": "-5"})) == 0.5


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Tue, 24 Nov 2026 12:00:30 GMT", 30.0),
        ("Tuesday, 24-Nov-26 12:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 20:00:30 +0800", 30.0),
        ("Tue, 24 Nov 2026 12:00:30 -0000", 30.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("Thu, 24 Nov 2033 12:00:00 GMT", 220_924_800.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
    ],
)
def test_a_wish_may_be_seconds_or_a_date(text, seconds):
    assert retry_after_seconds({"retry-after": text}, now=NOW) == seconds


@given(st.integers(0, 10**8))
def test_any_date_ahead_is_that_many_seconds_away(seconds):
    text = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after_seconds({"retry-after": text}, now=NOW) == seconds


def test_without_now_a_date_is_counted_from_the_present():
    text = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert 3500 < retry_after_seconds({"retry-after": text}) <= 3600


date_like = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Mon", "Tue", ""]), st.integers(-9, 99), st.sampled_from(["Jan", "Nov", "Foo"]), st.integers(),
    st.integers(-9, 99), st.integers(-9, 99), st.integers(-9, 99),
    st.sampled_from(["GMT", "+0000", "-9999", "+99999999"]),
)  # fmt: skip


@given(st.one_of(st.text(), date_like))
@example("Mon, 01 Jan 99999999999999999999 00:00:00 GMT")
@example("Mon, 01 Jan 2026 00:00:00 +99999999999999999999")
@example("Sat, 01 Jan 0001 00:00:00 +0800")
@example("9" * 5000)
def test_no_retry_after_can_break_the_error_that_carries_it(text):
    seconds = retry_after_seconds({"retry-after": text}, now=NOW)
    assert seconds is None or 0 <= seconds < float("inf")

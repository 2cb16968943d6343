"""Each rule of the query string of `GET /workflows/logs`, as a promise."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Literal
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from dify_workflow.sandbox import query_params
from dify_workflow.sandbox.errors import ApiError
from dify_workflow.sandbox.query_params import LogQuery, parse_time
from dify_workflow.sandbox.versions import SERVER_VERSIONS


def parse_log_query(query_string: str, version: str = "1.11") -> LogQuery:
    return query_params.parse_log_query(query_string, SERVER_VERSIONS[version])


def refusal(query_string: str) -> str:
    with pytest.raises(ApiError) as caught:
        parse_log_query(query_string)
    assert caught.value.status == 400
    assert list(caught.value.body) == ["code", "message", "status"]
    assert caught.value.body["code"] == "invalid_param"
    return str(caught.value.body["message"])


def second(text: str) -> int:
    moment = parse_time(text)
    assert moment is not None
    return moment // 1_000_000


NOVEMBER = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())


def test_without_parameters_the_first_twenty_rows_are_asked_for() -> None:
    assert parse_log_query("") == LogQuery(page=1, limit=20)


def test_unknown_parameters_are_ignored() -> None:
    assert parse_log_query("detail=true&created_at_before=nonsense&sort=created_at&order=asc") == LogQuery()


def test_the_first_of_repeated_values_counts() -> None:
    assert parse_log_query("status=failed&status=nonsense&limit=5&limit=0") == LogQuery(status="failed", limit=5)


def test_empty_texts_and_times_are_no_filter() -> None:
    names = [
        "keyword",
        "created_at__before",
        "created_at__after",
        "created_by_end_user_session_id",
        "created_by_account",
    ]
    assert parse_log_query("&".join(f"{name}=" for name in names)) == LogQuery()


def test_a_plus_that_is_not_encoded_is_a_blank() -> None:
    assert parse_log_query("created_by_account=a+b@example.com").created_by_account == "a b@example.com"
    assert parse_log_query("created_by_account=a%2Bb@example.com").created_by_account == "a+b@example.com"
    assert refusal("created_at__before=2026-11-01T00:00:00+08:00") == "Unused components in ISO string"


@pytest.mark.parametrize("name", ["created_by_end_user_session_id", "created_by_account"])
def test_a_nul_in_a_filter_is_refused(name: str) -> None:
    assert "NUL" in refusal(f"{name}=a%00b")


def test_a_nul_in_a_keyword_is_refused_by_newer_servers() -> None:
    assert parse_log_query("keyword=a%00b").keyword == "a\0b"
    with pytest.raises(ApiError, match="NUL"):
        parse_log_query("keyword=a%00b", "1.14")


def test_bytes_that_are_not_utf_8_stay_percent_encoded() -> None:
    assert parse_log_query("keyword=a%ffb%c3%a9%80").keyword == "a%FFbé%80"


@pytest.mark.parametrize("offset", ["+16:00", "-16:00", "+23:59"])
def test_an_offset_that_the_database_refuses_is_a_500(offset: str) -> None:
    for text in (f"2026-11-01T00:00:00{offset}", "9999-12-31T24:00:00"):
        with pytest.raises(ApiError) as caught:
            parse_time(text)
        assert (caught.value.status, caught.value.body["code"]) == (500, "unknown")


def test_exclusive_bounds_leave_out_the_seconds_themselves() -> None:
    server = SERVER_VERSIONS["1.11"]
    for text, before, after in (("1970-01-01T00:01:40Z", 99, 101), ("1970-01-01T00:01:40.5Z", 100, 101)):
        query = urlencode({"created_at__before": text, "created_at__after": text})
        found = query_params.parse_log_query(query, server, exclusive_bounds=True)
        assert (found.created_at__before, found.created_at__after) == (before, after)


@pytest.mark.parametrize(
    ("keyword", "pattern"), [("100%_x", "%100\\%\\_x%"), ("中文", "%中文%"), ("a\\u00e9", "%a\\\\u00e9%")]
)
def test_newer_servers_compare_a_keyword_as_it_was_sent(keyword: str, pattern: str) -> None:
    assert parse_log_query(urlencode({"keyword": keyword}), "1.16").keyword_pattern == pattern


# Numbers and statuses --------------------------------------------------------------------------------------------


class WorkflowLogQuery(BaseModel):
    """What the real server checks types with, for comparison."""

    status: Literal["succeeded", "failed", "stopped"] | None = None
    page: Annotated[int, Field(ge=1, le=99_999)] = 1
    limit: Annotated[int, Field(ge=1, le=100)] = 20


def words(message: str) -> str:
    return re.sub(r"errors\.pydantic\.dev/[\d.]+/", "errors.pydantic.dev/", message)


# pydantic drops leading zeros together with underscores and then reads a sign, so that it takes "0__1" and "0-1". The
# sandbox does not go so far.
odd_zeros = re.compile(r"0_*[-+_]")

wild_text = st.one_of(
    st.text(max_size=70),
    st.from_regex(r"[ \t]?[+-]?[0-9_]{0,7}(\.[0-9]{0,3})?[ \n]?", fullmatch=True),
    st.sampled_from(["succeeded", "failed", "stopped", "running", "Failed", "1" * 4300, "1" * 4301, "x" * 51]),
).filter(lambda text: not odd_zeros.search(text) and not re.search("[\ud800-\udfff]", text))


INTEGERS = ["10", " 10", "010", "10.0", "+10", "\t10\n", "1_0", "0010.000", "1", "100", "99999"]
NO_INTEGERS = ["", "abc", "1.5", "10.", "1e1", "null", "10,0", "0x10", "１０", "1__0", "_10", "1 0", "--1"]
BEYOND = ["0", "-1", "101", "100000", "99999999999999999999"]
STATUSES = ["succeeded", "failed", "stopped", "running", "partial-succeeded", "paused", "", "FAILED", "failed ", "a,b"]


@pytest.mark.parametrize("limit", [*INTEGERS, *NO_INTEGERS, *BEYOND])
def test_a_number_is_read_and_refused_as_by_pydantic(limit: str) -> None:
    check_against_pydantic({"limit": limit})
    check_against_pydantic({"page": limit})


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_is_read_and_refused_as_by_pydantic(status: str) -> None:
    check_against_pydantic({"status": status})


@given(st.fixed_dictionaries({}, optional={"status": wild_text, "page": wild_text, "limit": wild_text}))
@example({"status": "running", "page": "0", "limit": "abc"})
@example({"limit": "'\"\\ " * 20})
def test_types_are_checked_and_refused_in_the_words_of_pydantic(values: dict[str, str]) -> None:
    check_against_pydantic(values)


def check_against_pydantic(values: dict[str, str]) -> None:
    theirs: WorkflowLogQuery | str
    try:
        theirs = WorkflowLogQuery.model_validate(values)
    except ValidationError as error:
        theirs = str(error)
    if isinstance(theirs, str):
        assert words(refusal(urlencode(values))) == words(theirs)
    else:
        ours = parse_log_query(urlencode(values))
        assert (ours.status, ours.page, ours.limit) == (theirs.status, theirs.page, theirs.limit)


# Times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-01",
        "20261101",
        "2026-11",
        "2026-305",
        "2026305",
        "2026-W44-7",
        "2026W447",
        "2026-11-01T00",
        "2026-11-01T00:00",
        "2026-11-01T00:00:00",
        "2026-11-01 00:00:00",
        "20261101T000000Z",
        "2026-11-01T00:00:00Z",
        "2026-11-01T00:00:00z",
        "2026-11-01T00:00:00+00:00",
        "2026-11-01T08:00:00+08:00",
        "2026-11-01T08:00:00+0800",
        "2026-11-01T08:00:00+08",
        "2026-10-31T19:00:00-05:00",
        "2026-10-31T24:00:00",
        "2026-11-01T00:00:00.123Z",
        "2026-11-01T00:00:00,5Z",
        "2026-11-01T00:00:00.123456789Z",
    ],
)
def test_a_time_may_have_any_iso_8601_form_and_defaults_to_utc(text: str) -> None:
    assert second(text) == NOVEMBER


def test_a_year_alone_is_its_first_second() -> None:
    assert second("2026") == int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("yesterday", "invalid literal for int() with base 10: b'yest'"),
        ("2026/11/01", "invalid literal for int() with base 10: b'/11'"),
        ("2026-02-30T00:00:00Z", "day is out of range for month"),
        ("2026-11-01T00:00:00 UTC", "Unused components in ISO string"),
        ("2026-11-01 ", "ISO time too short"),
        ("２０２６-11-01", "ISO-8601 strings should contain only ASCII characters"),
    ],
)
def test_an_unreadable_time_is_refused_in_the_parsers_words(text: str, message: str) -> None:
    assert refusal(urlencode({"created_at__before": text})) == message
    assert refusal(urlencode({"created_at__after": text})) == message


@pytest.mark.parametrize(
    "text",
    [
        "1795384475",
        "1795384475000",
        "2026-11-01T00:00:60Z",
        "0000-01-01",
        "7d",
        "now",
        "2026-13-01",
    ],
)
def test_unix_times_ages_and_impossible_times_are_refused(text: str) -> None:
    assert refusal(urlencode({"created_at__before": text}))


@given(st.text(max_size=40).filter(lambda text: text.isprintable()))
def test_whatever_is_given_as_a_time_is_read_or_refused(text: str) -> None:
    statuses = []
    try:
        parse_log_query(urlencode({"created_at__before": text, "created_at__after": text}))
    except ApiError as error:
        statuses.append(error.status)
    assert statuses in ([], [400], [500])


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)),  # noqa: DTZ001 - the offset follows
    st.integers(-15 * 60, 15 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_fractions_of_a_second_narrow_the_window(moment: datetime, zone: timezone) -> None:
    text = quote(moment.replace(tzinfo=zone).isoformat())
    query = parse_log_query(f"created_at__before={text}&created_at__after={text}")
    assert query.created_at__before is not None
    assert query.created_at__after is not None
    exact = (moment.replace(tzinfo=zone) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
    assert query.created_at__before <= exact <= query.created_at__after
    assert query.created_at__after - query.created_at__before == (0 if moment.microsecond == 0 else 1)


# Keywords --------------------------------------------------------------------------------------------------------


def test_only_thirty_characters_of_a_keyword_are_searched_for() -> None:
    assert LogQuery(keyword="x" * 40).keyword_pattern == "%" + "x" * 30 + "%"
    assert LogQuery(keyword="中" * 40).keyword_pattern == "%" + r"\\u4e2d" * 30 + "%"

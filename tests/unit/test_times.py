"""Points in time: every form that is promised, and a ValueError for everything else, before anything is sent."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from time import tzset

import pytest
from dateutil.relativedelta import relativedelta
from dateutil.tz import tzstr
from hypothesis import example, given
from hypothesis import strategies as st

from dify_workflow._logs.times import (
    as_given,
    check_order,
    earliest_second,
    latest_second,
    optional,
    second_text,
    text_of_second,
    to_utc_text,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WIRE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z")

EAST_8 = timezone(timedelta(hours=8))
NEW_YORK = tzstr("EST5EDT,M3.2.0,M11.1.0")  # a zone with summer time that needs no zone database


def utc(value: object) -> str:
    return to_utc_text("created_at__after", value, now=NOW)  # type: ignore[arg-type]  # wrong types are tried too


class _NowhereZone(tzinfo):
    """A zone that does not know its offset: Python calls such a datetime naive."""

    def utcoffset(self, _: datetime | None) -> timedelta | None:
        return None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 10, 25, 1, 48, tzinfo=UTC), "2026-10-25T01:48:00Z"),
        (datetime(2026, 10, 25, 9, 48, tzinfo=EAST_8), "2026-10-25T01:48:00Z"),
        (datetime(2026, 10, 25, 1, 48, 0, 5, tzinfo=UTC), "2026-10-25T01:48:00.000005Z"),
        (datetime(2026, 11, 1, 1, 30, fold=0, tzinfo=NEW_YORK), "2026-11-01T05:30:00Z"),
        (datetime(2026, 11, 1, 1, 30, fold=1, tzinfo=NEW_YORK), "2026-11-01T06:30:00Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
        (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_an_aware_datetime_is_sent_as_the_same_instant_in_utc(value, text):
    assert utc(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 10, 25, 1, 48), "2026-10-25T01:48:00Z"),  # noqa: DTZ001 - naive on purpose
        (datetime(2026, 10, 25, 1, 48, tzinfo=_NowhereZone()), "2026-10-25T01:48:00Z"),
        (date(2026, 10, 25), "2026-10-25T00:00:00Z"),
        (date(1, 1, 1), "0001-01-01T00:00:00Z"),
        ("2026-10-25T01:48:00", "2026-10-25T01:48:00Z"),
        ("2026-10-25", "2026-10-25T00:00:00Z"),
    ],
)
def test_a_time_without_a_zone_is_utc_as_it_is_for_the_server(value, text):
    assert utc(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2026-10-25T01:48:00Z", "2026-10-25T01:48:00Z"),
        ("2026-10-25T01:48:00z", "2026-10-25T01:48:00Z"),
        ("2026-10-25T09:48:00+08:00", "2026-10-25T01:48:00Z"),
        ("2026-10-25T09:48:00+0800", "2026-10-25T01:48:00Z"),
        ("2026-10-25T09:48:00+08", "2026-10-25T01:48:00Z"),
        ("2026-10-24T20:18:00-05:30", "2026-10-25T01:48:00Z"),
        ("2026-10-25T01:48:00-00:00", "2026-10-25T01:48:00Z"),
        ("2026-10-25t01:48:00", "2026-10-25T01:48:00Z"),
        ("2026-10-25 01:48:00", "2026-10-25T01:48:00Z"),
        ("2026-10-25 09:48:00+08:00", "2026-10-25T01:48:00Z"),
        ("2026-10-25T01:48", "2026-10-25T01:48:00Z"),
        ("2026-10-25T01", "2026-10-25T01:00:00Z"),
        ("20261025T014800Z", "2026-10-25T01:48:00Z"),
        ("20261025T0148", "2026-10-25T01:48:00Z"),
        ("20261025T094800+0800", "2026-10-25T01:48:00Z"),
        ("20261025", "2026-10-25T00:00:00Z"),
        ("2026-W43-7", "2026-10-25T00:00:00Z"),
        ("2026W437", "2026-10-25T00:00:00Z"),
        ("2026-W43-7T01:48:00Z", "2026-10-25T01:48:00Z"),
        ("2026-298", "2026-10-25T00:00:00Z"),
        ("2026298T014800Z", "2026-10-25T01:48:00Z"),
        ("2026-10", "2026-10-01T00:00:00Z"),
        ("2026", "2026-01-01T00:00:00Z"),
        ("2026-10-25T24:00:00", "2026-10-26T00:00:00Z"),
        ("2026-12-31T24:00:00+08:00", "2026-12-31T16:00:00Z"),
        ("2026-10-25T01:48:00.5Z", "2026-10-25T01:48:00.500000Z"),
        ("2026-10-25T01:48:00,25Z", "2026-10-25T01:48:00.250000Z"),
        ("2026-10-25T01:48:00.000000Z", "2026-10-25T01:48:00Z"),
        ("2026-10-25T01:48:00.123456Z", "2026-10-25T01:48:00.123456Z"),
        ("2026-10-25T01:48:00.123456999Z", "2026-10-25T01:48:00.123456Z"),
    ],
)
def test_iso_8601_text_is_understood_in_all_its_forms(value, text):
    assert utc(value) == text


@pytest.mark.parametrize(
    ("age", "text"),
    [
        ("90s", "2026-11-24T11:58:30Z"),
        ("15m", "2026-11-24T11:45:00Z"),
        ("24h", "2026-11-23T12:00:00Z"),
        ("7d", "2026-11-17T12:00:00Z"),
        ("2w", "2026-11-10T12:00:00Z"),
        ("1mo", "2026-10-24T12:00:00Z"),
        ("12mo", "2025-11-24T12:00:00Z"),
        ("1y", "2025-11-24T12:00:00Z"),
        ("36500d", "1926-12-19T12:00:00Z"),
    ],
)
def test_an_age_is_counted_back_from_now(age, text):
    assert utc(age) == text


def test_a_month_before_a_longer_months_end_is_its_last_day():
    assert to_utc_text("t", "1mo", now=datetime(2026, 3, 31, tzinfo=UTC)) == "2026-02-28T00:00:00Z"


def test_the_zone_of_now_does_not_matter_to_an_age():
    assert to_utc_text("t", "24h", now=NOW.astimezone(EAST_8)) == utc("24h")


def test_without_now_an_age_is_counted_from_the_present():
    before = datetime.now(UTC)
    sent = datetime.fromisoformat(to_utc_text("t", "90s"))
    assert before - timedelta(seconds=90) <= sent <= datetime.now(UTC) - timedelta(seconds=90)


@pytest.mark.parametrize(
    "value",
    [
        # not a time at all
        "", " ", "yesterday", "now", "today", "2026/11/01", "01.11.2026", "11-01-2026", "Nov 1 2026", "nan", "NaT",
        "None", "Z", "T", "T10:00", "10:00", "P7D",
        # numbers: the server refuses unix time, and text of it must not be read as a year or a compact date
        "1790000000", "1761012312345", "1712123012345", "1761012312", "0", "-1", "1e9",
        # nearly ISO
        "2026-10-25T01:48:00Z ", " 2026-10-25T01:48:00Z", "2026-10-25 UTC", "2026-10-25T01:48:00 UTC", "2026-10-25\n",
        "2026-10-25T01:48:00Z\n", "2026-10-25T01:48:00 +08:00", "2026-10-25T", "2026-10-25T1:48", "2026-1-5",
        "202610", "26-10-25", "+2026-10-25", "2026-10-25T01:48:00ZZ", "2026-10-25T01:48:00.Z",
        "2026-10-25Z", "2026-10-25+08:00", "2026-10-25-08:00", "2026-10-25_01:48", "2026-10-25x01:48",
        # out of range
        "0000-01-01", "0000", "2026-13-01", "2026-02-30", "2026-W54-1", "2026-W01-8", "2026-000", "2026-366",
        "2026-10-25T25:00", "2026-10-25T24:00:01", "2026-10-25T01:60", "2026-10-25T01:48:60Z",
        "2026-10-25T01:48:00+24:00", "2026-10-25T01:48:00+99:99", "0001-01-01T00:00:00+08:00",
        "9999-12-31T23:59:59-08:00", "9999-12-31T24:00:00", "10000-01-01",
        # digits that are not ASCII
        "２０２６-10-25", "٢٠٢٦-10-25", "2026-10-25T01:48:00−08:00", "７d", "٧d",
        # nearly an age
        "d", "7", "7 d", " 7d", "7d ", "7D", "7days", "7d12h", "-7d", "+7d", "7.5h", "7M", "1q", "7d\n", "999999999y",
        "999999999d", "9999999999999s", "2027y",
    ],
)  # fmt: skip
def test_text_without_one_clear_meaning_is_refused(value):
    with pytest.raises(ValueError, match="created_at__after must be"):
        utc(value)


@pytest.mark.parametrize(
    "value",
    [0, 1, 1_790_000_000, -1, True, False, 1.5, float("nan"), float("inf"), Decimal(7), b"2026-10-25", bytearray(b"7d"),
     time(10, 0), timedelta(days=7), relativedelta(days=7), ("2026", "10"), ["7d"], {"days": 7}, object, object(),
     NotImplemented],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_value_of_another_type_is_refused_not_guessed(value):
    with pytest.raises(ValueError, match="created_at__after must be"):
        utc(value)


def test_a_datetime_beyond_the_calendar_in_utc_is_refused():
    with pytest.raises(ValueError, match="created_at__after must be"):
        utc(datetime(1, 1, 1, tzinfo=EAST_8))
    with pytest.raises(ValueError, match="created_at__after must be"):
        utc(datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-8))))


def test_the_message_names_parameter_value_and_allowed_values():
    with pytest.raises(ValueError, match="created_at__before must be") as caught:
        to_utc_text("created_at__before", "yesterday")
    assert "'yesterday'" in str(caught.value)
    assert "ISO 8601" in str(caught.value)
    assert "'7d'" in str(caught.value)


offsets = st.builds(timezone, st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59)))
zones = st.one_of(st.just(UTC), offsets, st.just(NEW_YORK))
# Two days from both ends of the calendar, so that no offset leads outside it.
moments = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=zones)  # noqa: DTZ001 - aware by `zones`


@given(moments)
def test_any_aware_datetime_comes_back_as_the_same_instant(moment):
    text = utc(moment)
    assert WIRE.fullmatch(text)
    assert datetime.fromisoformat(text) == moment.astimezone(UTC)


@given(moments, st.sampled_from(["T", " "]), st.sampled_from(["auto", "seconds", "milliseconds", "microseconds"]))
def test_any_datetime_as_iso_text_means_what_python_says(moment, separator, precision):
    whole_minutes = moment.replace(tzinfo=None, second=0, microsecond=0)
    aware = whole_minutes.replace(tzinfo=timezone(timedelta(minutes=moment.utcoffset() // timedelta(minutes=1))))
    text = aware.isoformat(separator, precision)
    assert datetime.fromisoformat(utc(text)) == datetime.fromisoformat(text)


@given(st.integers(0, 20_000), st.sampled_from(["seconds", "minutes", "hours", "days", "weeks"]))
def test_any_age_of_fixed_length_is_that_long_ago(count, unit):
    assert datetime.fromisoformat(utc(f"{count}{unit[0]}")) == NOW - timedelta(**{unit: count})


iso_like = st.from_regex(
    r"[0-9]{1,4}-?W?[0-9]{0,3}-?[0-9]{0,2}([T t][0-9:.,]{0,12}(Z|[+-][0-9:]{0,5})?)?", fullmatch=True
)
time_like = st.text("0123456789-:.,+TWZzdhmsowy /", max_size=32)


@given(st.one_of(st.text(), time_like, iso_like))
@example("2026-10-25T24:00:00+23:59")
@example("0001-W01-1")
def test_any_text_is_either_a_valid_utc_time_or_a_value_error(text):
    try:
        sent = utc(text)
    except ValueError as error:
        assert str(error).startswith("created_at__after must be")  # noqa: PT017 - both outcomes are right
    else:
        assert WIRE.fullmatch(sent)
        assert datetime.fromisoformat(sent).utcoffset() == timedelta(0)


def test_the_end_of_time_is_a_second_that_can_be_written() -> None:
    second = earliest_second("since", datetime.max.replace(tzinfo=UTC))
    assert second is not None
    assert text_of_second(second) == "9999-12-31T23:59:59Z"


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(moments)
def test_the_whole_seconds_around_a_moment_are_the_nearest(moment):
    exact = (moment - EPOCH) // timedelta(microseconds=1)
    first, last = earliest_second("since", moment), latest_second("until", moment)
    assert (first, last) == (-(-exact // 1_000_000), exact // 1_000_000)
    assert type(first) is type(last) is int
    whole = moment.astimezone(UTC).replace(microsecond=0)
    assert text_of_second(last) == second_text(moment.astimezone(UTC)) == utc(whole)


@pytest.mark.parametrize("value", [date(1970, 1, 2), datetime(1970, 1, 2), "1970-01-02", "1970-01-02t00:00"])  # noqa: DTZ001
def test_the_second_of_a_time_without_a_zone_is_one_of_utc(value):
    assert earliest_second("since", value) == latest_second("until", value) == 86_400


def test_what_is_left_out_stays_left_out() -> None:
    assert earliest_second("since", None) is latest_second("until", None) is None
    assert text_of_second(None) is second_text(None) is optional("since", None) is None


@pytest.mark.parametrize("function", [earliest_second, latest_second, optional, as_given])
def test_each_function_names_the_parameter_that_is_no_time(function):
    with pytest.raises(ValueError, match=r"^since must be a datetime"):
        function("since", "yesterday")
    assert optional("since", EPOCH) == as_given("since", EPOCH) == "1970-01-01T00:00:00Z"
    assert as_given("since", "7d") == "7d"


def test_after_may_be_as_late_as_before_and_no_later():
    for after, before in ((EPOCH, EPOCH), ("7d", "7d"), ("7d", "6d"), (None, "7d"), ("7d", None), ("1970", NOW)):
        check_order(after, before)
    text = "created_at__after must be no later than created_at__before; got 2026-11-24T12:00:00Z (after) and 1970"
    with pytest.raises(ValueError, match=re.escape(text)):
        check_order(NOW, EPOCH)
    with pytest.raises(ValueError, match=r"^created_at__after must be a datetime"):
        check_order("yesterday", NOW)
    with pytest.raises(ValueError, match=r"^created_at__before must be a datetime"):
        check_order(EPOCH, "yesterday")


def test_the_zone_of_the_machine_does_not_matter(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "JST-9")
        tzset()
        try:
            assert utc(datetime(2026, 10, 25, 9, 48, tzinfo=EAST_8)) == "2026-10-25T01:48:00Z"
            assert utc("2026-10-25T01:48:00") == "2026-10-25T01:48:00Z"
            assert abs(datetime.fromisoformat(to_utc_text("t", "0s")) - datetime.now(UTC)) < timedelta(minutes=5)
        finally:
            patch.undo()
            tzset()

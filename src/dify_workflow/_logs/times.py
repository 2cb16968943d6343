"""What callers may give for a point in time, and the one text that is sent for it.

The server reads a time without a zone as UTC, refuses unix seconds, words such as "yesterday", and an unencoded
"+"; so everything is turned into UTC text ending in "Z" here, and whatever has no clear meaning is refused.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

AGE = r"([0-9]{1,9})(s|m|h|d|w|mo|y)"  # not compiled before it is needed: most calls have no times
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks", "mo": "months", "y": "years"}

LATEST_SECOND = 253_402_300_799
"""9999-12-31T23:59:59Z: no later second can be written."""

Time = datetime | date | str
"""A point in time: a datetime (naive means UTC), a date (its first moment in UTC), ISO 8601 text, or an age as "7d"."""


def to_utc_text(name: str, value: Time, *, now: datetime | None = None) -> str:
    """The UTC text, such as "2026-10-25T01:48:00Z", that is sent for a point in time.

    Args:
        name: the parameter, for the message of the error.
        value: a datetime (aware, or naive and then UTC), a date (its first moment in UTC), ISO 8601 text, or an age
            before `now`: a whole number and s, m, h, d, w, mo or y.
        now: what ages are counted from; the present moment unless given.

    Raises:
        ValueError: anything else.
    """
    return _text(_checked(name, value, now))


def second_text(moment: datetime | None) -> str | None:
    """The text, such as "2026-10-25T01:48:00Z", of a moment in UTC; None for None."""
    return None if moment is None else moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def optional(name: str, value: Time | None) -> str | None:
    """`to_utc_text` for a parameter that may be left out."""
    return None if value is None else to_utc_text(name, value)


def check_order(after: Time | None, before: Time | None) -> None:
    """Check that a log can be created both after the one and before the other point in time, inclusive.

    Raises:
        ValueError: it cannot, or one of them is not a point in time.
    """
    if after is None or before is None:
        return
    now = datetime.now(UTC)
    earliest = _checked("created_at__after", after, now)
    latest = _checked("created_at__before", before, now)
    if earliest > latest:
        raise ValueError(
            f"created_at__after must be no later than created_at__before; got {_text(earliest)} (after) and "
            f"{_text(latest)} (before), between which there is no log"
        )


def as_given(name: str, value: Time) -> str:
    """The text that stands for a point in time in a checkpoint: an age as it is, all else in UTC.

    Raises:
        ValueError: it is not a point in time.
    """
    return value if isinstance(value, str) and re.fullmatch(AGE, value) else to_utc_text(name, value)


def latest_second(name: str, value: Time | None) -> int | None:
    """The last whole second, in epoch seconds, up to a point in time.

    Raises:
        ValueError: it is not a point in time.
    """
    return None if value is None else _epoch_microseconds(name, value) // 1_000_000


def earliest_second(name: str, value: Time | None) -> int | None:
    """The first whole second, in epoch seconds, from a point in time on.

    Raises:
        ValueError: it is not a point in time.
    """
    if value is None:
        return None
    return min(-(-_epoch_microseconds(name, value) // 1_000_000), LATEST_SECOND)


def text_of_second(second: int | None) -> str | None:
    """The text that is sent for a whole second, given in epoch seconds."""
    return None if second is None else _text(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second))


def _checked(name: str, value: Time, now: datetime | None) -> datetime:
    try:
        return _moment(value, now)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{name} must be a datetime, a date, ISO 8601 text such as '2026-10-25T01:48:00Z', "
            f"or an age such as '90s', '15m', '24h', '7d', '2w', '1mo'; got {value!r}"
        ) from error


def _epoch_microseconds(name: str, value: Time) -> int:
    return (_checked(name, value, None) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _text(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat() + "Z"


def _moment(value: object, now: datetime | None) -> datetime:
    if isinstance(value, datetime):
        return _in_utc(value)
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo=UTC)
    if not isinstance(value, str):
        raise ValueError(f"a {type(value).__name__}")
    age = re.fullmatch(AGE, value)
    if age:
        from dateutil.relativedelta import relativedelta  # noqa: PLC0415 - loaded when needed

        count = int(age[1])
        return _in_utc((now or datetime.now(UTC)) - relativedelta(**{UNITS[age[2]]: count}))  # type: ignore[arg-type]  # the stub can't know the keys
    if not value.isascii():
        raise ValueError("not ASCII")  # the server reads no other digits, though Python does
    from dateutil.parser import isoparser  # noqa: PLC0415 - loaded when needed

    # dateutil takes any character between date and time, which makes 08:00 of the offset in "2026-10-25+08:00" and
    # the year 1761 of a unix time in milliseconds. Only ISO 8601's letter and the space often put there are clear.
    return _in_utc(isoparser(sep="T").isoparse(re.sub("[ t]", "T", value, count=1)))


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)

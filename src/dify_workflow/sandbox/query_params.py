"""The query string of `GET /workflows/logs`: what the server takes, and the words in which it refuses the rest.

The server checks the parameters' types with pydantic and reads times with dateutil's `isoparse`, and puts the text of
either library into its response. The rules below are theirs.
"""

import ast
import codecs
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl

from dateutil.parser import isoparse

from .errors import invalid_param, nul_character, unknown_error
from .validation import Problem, refusal
from .versions import ServerVersion

__all__ = ["LogQuery", "parse_log_query", "parse_time"]

_SEARCHED_CHARACTERS: Final = 30
"""So much of a keyword is used; the rest is dropped silently."""
_FILTER_STATUSES: Final = ("succeeded", "failed", "stopped")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LARGEST_OFFSET: Final = timedelta(hours=16)  # from here on the database refuses it


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """A query that the server takes. None means no filter.

    Attributes:
        created_at__before: The latest second that may be listed (epoch seconds, inclusive).
        created_at__after: The earliest second that may be listed (epoch seconds, inclusive).
        literal_keyword: Whether the keyword is compared as it was sent, `%` and `_` included.
    """

    page: int = 1
    limit: int = 20
    keyword: str | None = None
    status: str | None = None
    created_at__before: int | None = None
    created_at__after: int | None = None
    created_by_end_user_session_id: str | None = None
    created_by_account: str | None = None
    literal_keyword: bool = False

    @property
    def offset(self) -> int:
        """How many rows come before this page."""
        return (self.page - 1) * self.limit

    @property
    def keyword_pattern(self) -> str | None:
        r"""The keyword as a LIKE pattern with the escape character backslash, to be held against stored JSON text.

        A literal keyword is compared as it is, so text beyond ASCII is found in session ids only: stored JSON writes
        it as `\uXXXX`. Otherwise `%` and `_` stay wildcards, and the server escapes the keyword as Python does; but
        only `\u` gets the second backslash that LIKE needs. Characters below U+0100 (written `\xe9`) and above U+FFFF
        (`\U0001f600`) lose theirs and match nothing.
        """
        if self.keyword is None:
            return None
        if self.literal_keyword:
            return "%" + re.sub(r"([\\%_])", r"\\\1", self.keyword[:_SEARCHED_CHARACTERS]) + "%"
        escaped = self.keyword[:_SEARCHED_CHARACTERS].encode("unicode_escape").decode("ascii")
        return "%" + escaped.replace("\\u", "\\\\u") + "%"

    @property
    def keyword_run_id(self) -> str | None:
        """The run id that the keyword spells, with or without dashes, in any case; None when it is not a UUID."""
        if self.keyword is None or len(self.keyword) < len(uuid.UUID(int=0).hex):
            return None
        try:
            return str(uuid.UUID(self.keyword))
        except ValueError:
            return None


def parse_log_query(query_string: str, server: ServerVersion, *, exclusive_bounds: bool = False) -> LogQuery:
    """Read a query string.

    A name that comes more than once counts with its first value, unknown names are ignored, and an empty text or time
    is no filter. Bytes that are not UTF-8 stay percent-encoded.

    Args:
        query_string: The part of the URL after the question mark.
        server: The server version.
        exclusive_bounds: Whether a log created exactly at `created_at__before` or `created_at__after` is left out.

    Raises:
        ApiError: 400, in the server's words.
    """
    values: dict[str, str] = {}
    for name, value in parse_qsl(query_string, keep_blank_values=True, errors=_KEEP_ENCODED):
        values.setdefault(name, value)

    numbers, problems = _typed(values)
    if problems:
        raise refusal("WorkflowLogQuery", problems, server.pydantic)
    before = parse_time(values.get("created_at__before", ""))
    after = parse_time(values.get("created_at__after", ""))
    if exclusive_bounds:
        before, after = (None if before is None else before - 1), (None if after is None else after + 1)
    return LogQuery(
        **numbers,
        keyword=_text(values, "keyword", nul_allowed=not server.literal_keyword),
        status=values.get("status"),
        created_at__before=None if before is None else before // 1_000_000,
        created_at__after=None if after is None else -(-after // 1_000_000),
        created_by_end_user_session_id=_text(values, "created_by_end_user_session_id"),
        created_by_account=_text(values, "created_by_account"),
        literal_keyword=server.literal_keyword,
    )


def parse_time(text: str) -> int | None:
    """Read an ISO 8601 time; without an offset it is in UTC. Gives epoch microseconds, None for an empty text.

    Raises:
        ApiError: 400 with the text of the parser's exception; 500 for a time or an offset that the server's parser
            takes and its database does not.
    """
    if not text:
        return None
    try:
        moment = isoparse(text)
    except ValueError as error:
        raise invalid_param(_parser_words(str(error))) from None
    except OverflowError:  # 9999-12-31T24:00:00
        raise unknown_error() from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if abs(moment.utcoffset() or timedelta()) >= _LARGEST_OFFSET:
        raise unknown_error()
    return (moment - _EPOCH) // _MICROSECOND


def _keep_encoded(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(f"%{byte:02X}" for byte in error.object[error.start : error.end]), error.end


_KEEP_ENCODED: Final = "dify_workflow.sandbox.keep_encoded"
codecs.register_error(_KEEP_ENCODED, _keep_encoded)


def _text(values: Mapping[str, str], name: str, *, nul_allowed: bool = False) -> str | None:
    text = values.get(name)
    if text and "\0" in text and not nul_allowed:  # the server's database driver refuses it
        raise nul_character()
    return text or None


# Types ----------------------------------------------------------------------------------------------------------


def _typed(values: Mapping[str, str]) -> tuple[dict[str, int], list[Problem]]:
    numbers: dict[str, int] = {}
    problems: list[Problem] = []
    status = values.get("status")
    if status is not None and status not in _FILTER_STATUSES:
        allowed = "'succeeded', 'failed' or 'stopped'"
        problems.append(Problem("status", "literal_error", f"Input should be {allowed}", status))
    for name, highest in (("page", 99_999), ("limit", 100)):
        if name in values:
            number = _integer(name, values[name], highest)
            if isinstance(number, int):
                numbers[name] = number
            else:
                problems.append(number)
    return numbers, problems


_INTEGER: Final = re.compile(r"[+-]?[0-9]+(?:_[0-9]+)*(?:\.0+)?")
_LONGEST_INTEGER: Final = 4300
_UNPARSABLE: Final = "Input should be a valid integer, unable to parse string as an integer"


def _integer(name: str, text: str, highest: int) -> int | Problem:
    """Read an integer as pydantic reads text: blanks around it, leading zeros and a fraction of zeros are fine."""
    stripped = text.strip()
    if len(stripped) > _LONGEST_INTEGER:
        message = "Unable to parse input string as an integer, exceeded maximum size"
        return Problem(name, "int_parsing_size", message, text)
    if not _INTEGER.fullmatch(stripped):
        return Problem(name, "int_parsing", _UNPARSABLE, text)
    number = int(stripped.partition(".")[0])
    if number < 1:
        return Problem(name, "greater_than_equal", "Input should be greater than or equal to 1", text)
    if number > highest:
        return Problem(name, "less_than_equal", f"Input should be less than or equal to {highest}", text)
    return number


# Words of the time parser ---------------------------------------------------------------------------------------

_EXPECTED_DIGITS: Final = re.compile(r"Expected \d+ digits, got (['\"].*['\"])", re.DOTALL)


def _parser_words(message: str) -> str:
    """Give the message that the server's release of dateutil has for this.

    dateutil 2, which the server has, lets `int` complain about what is not a digit; later releases word it themselves.
    """
    match = _EXPECTED_DIGITS.fullmatch(message)
    if match is None:
        return message
    try:
        int(str(ast.literal_eval(match[1])).encode())
    except ValueError as error:
        return str(error)
    return message

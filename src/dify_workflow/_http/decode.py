"""Bodies of responses turned into values: JSON, models, bytes. What can't be decoded is an `UnusableBodyError`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeGuard, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from dify_workflow_api.types import Request

    class Model(Protocol):
        """What every generated model can do."""

        array_fields: ClassVar[tuple[str, ...]]
        """The fields that are always a list."""

        @classmethod
        def from_dict(cls, src: dict[str, Any], /) -> Self:
            """The model of a JSON object."""
            ...


_KINDS: Final[dict[object, str]] = {
    type(None): "null",
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "a boolean",
}

LONGEST_TEXT: Final = 500
"""Characters of the server's text that go into a message; `.body` has all of it."""


M = TypeVar("M", bound="Model")


class MissingError(Exception):
    """The response says, in its own way, that there is no such thing; the text is the message."""


class UnusableBodyError(Exception):
    """The bytes of a response are not what was expected; the text says in which way."""


class BrokenEventError(Exception):
    """The data of an event is not a JSON object; the text says what it is.

    Attributes:
        data: the data.
    """

    def __init__(self, reason: str, data: str) -> None:
        super().__init__(reason)
        self.data = data


class ReportedError(Exception):
    """The server reports, by an `error` event, that the run could not continue.

    Attributes:
        code: the server's code.
        status: the HTTP status that the server would have given.
        message: the server's text.
    """

    def __init__(self, code: str | None, status: int | None, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message


DIGITS: Final = bytes.maketrans(b"0123456789", b"0" * 10)
LONG_NUMBER: Final = b"0" * 19
"""As many digits as the largest integers of 64 bits have, in a text in which each digit is a 0."""


def _has_long_number(content: bytes) -> bool:
    return content.translate(DIGITS).rfind(LONG_NUMBER) >= 0  # which takes half as long as `in`


def _json_loader() -> Callable[[bytes], Any]:
    try:
        import orjson  # noqa: PLC0415 - an extra: used where it is installed
    except ImportError:
        return json.loads

    def loads(content: bytes) -> Any:  # noqa: ANN401 - JSON is anything
        if _has_long_number(content):
            return json.loads(content)  # orjson makes a float of an integer that 64 bits do not hold
        try:
            return orjson.loads(content)
        except ValueError:
            return json.loads(content)  # it also reads NaN, lone surrogates and a byte order mark

    return loads


loads = _json_loader()


def json_value(content: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """The JSON value of a body.

    Raises:
        UnusableBodyError: it is empty, cut, or not JSON.
    """
    if not content:
        raise UnusableBodyError("an empty body")
    try:
        return loads(content)
    except (ValueError, RecursionError) as error:
        kind = "HTML" if is_html(content[:LONGEST_TEXT].decode("utf-8", "replace")) else "broken JSON"
        raise UnusableBodyError(f"{kind} ({shortened(str(error))})" if kind != "HTML" else kind) from None


def model_value(content: bytes, model: type[M]) -> M:
    """The body as a model.

    Raises:
        UnusableBodyError: it is not JSON, not an object, or lacks a list that the API promises.
    """
    value = json_value(content)
    if not is_object(value):
        raise UnusableBodyError(f"{kind_of(value)} where an object belongs")
    for name in model.array_fields:
        if not isinstance(value.get(name), list):
            found = kind_of(value[name]) if name in value else "nothing"
            raise UnusableBodyError(f"an object with {found} where its list {name!r} belongs")
    return model.from_dict(value)


def model_reader(call: Request[M]) -> Callable[[bytes], M]:
    """What turns the body of an operation's response into the operation's model."""
    return lambda content: model_value(content, call.response)


def reader_as(model: type[M]) -> Callable[[bytes], M]:
    """What turns the body of a response into this model."""
    return lambda content: model_value(content, model)


def reader(expect: str) -> Callable[[bytes], Any]:
    """What turns a body into what `client.request` is to give.

    Raises:
        ValueError: neither "json" nor "bytes".
    """
    if expect not in ("json", "bytes"):
        raise ValueError(f"expect must be 'json' or 'bytes'; got {expect!r}")
    if expect == "bytes":
        return bytes
    return lambda content: json_value(content) if content else None


def nothing(content: bytes) -> None:
    """Check that a body that means nothing is empty or JSON.

    Raises:
        UnusableBodyError: it is neither.
    """
    if content:
        json_value(content)


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def kind_of(value: object) -> str:
    """What kind of JSON value it is, in words."""
    return _KINDS.get(type(value), "a number")


def is_html(text: str) -> bool:
    """Whether a text seems to be an HTML page."""
    return text.lstrip("\ufeff \t\r\n")[:1] == "<"


def shortened(text: str) -> str:
    """The text for a message: in one line, of an HTML page its title, cut after `LONGEST_TEXT` characters."""
    if is_html(text):
        title = re.search(r"<title[^>]*>(.{1,200}?)</title>", text, re.IGNORECASE | re.DOTALL)
        text = f"an HTML page, {title[1].strip()!r}" if title else "an HTML page"
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 3] + "..."

"""Every fault that a server or a network can respond with, and what the facade promises for it.

One row each: what the server does, the exact class of the error, what the error carries, and how many requests reach
the server when two retries are allowed, for a GET and for a POST.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from dify_workflow import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    DifyError,
    InternalServerError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitError,
    UnsupportedMediaTypeError,
)
from support.fault_server import (
    HTML,
    Behaviour,
    Exchange,
    close,
    cut_chunks,
    drip,
    error_response,
    gzipped,
    json_response,
    log_page_bytes,
    raw,
    reset,
    reset_inside_body,
    respond,
    short_body,
    silence,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = log_page_bytes()
BUSY = "Too many requests. Please try again later. The current maximum concurrent requests allowed for x is 1."
ONCE, THREE_TIMES = 1, 3


@dataclass(frozen=True)
class Fault:
    """One row of the table."""

    name: str
    behaviour: Callable[[], Behaviour]
    error: type[DifyError]
    gets: int = ONCE
    posts: int = ONCE
    carries: dict[str, Any] = field(default_factory=dict)
    """Attributes of the error."""
    says: str = ""
    """A part of the error's text, besides method and path."""
    options: dict[str, Any] = field(default_factory=dict)
    """Options of the client."""

    def __str__(self) -> str:
        return self.name


def nothing_usable(name: str, behaviour: Callable[[], Behaviour]) -> Fault:
    """A fault of the network: reading is repeated, work is not, as it may have begun."""
    return Fault(name, behaviour, APIConnectionError, gets=THREE_TIMES, carries={"request_sent": True})


def too_slow(name: str, behaviour: Callable[[], Behaviour]) -> Fault:
    """A response that does not come, or not in time."""
    return Fault(
        name,
        behaviour,
        APITimeoutError,
        gets=THREE_TIMES,
        carries={"request_sent": True},
        says="timed out",
        options={"timeout": 0.3},
    )


def not_the_api(name: str, behaviour: Callable[[], Behaviour], body: object, *, says: str = "") -> Fault:
    """Status 200 with something else than the API promises: it would come back the same."""
    return Fault(name, behaviour, APIResponseError, carries={"status_code": 200, "body": body}, says=says)


def dify_error(
    name: str, status: int, code: str, message: str, error: type[DifyError], *, gets: int = ONCE, posts: int = ONCE
) -> Fault:
    """An error in Dify's own shape."""
    body = {"code": code, "message": message, "status": status}
    return Fault(
        name,
        lambda: error_response(status, code, message, headers=(("X-Version", "1.11.2"),)),
        error,
        gets=gets,
        posts=posts,
        carries={"status_code": status, "code": code, "message": message, "body": body},
        says=f"{status} {code}: {message}",
    )


def html(status: int, title: str, error: type[DifyError], *, gets: int = ONCE, posts: int = ONCE) -> Fault:
    """An error that is not Dify's: a proxy's page."""
    page = f"<html><head><title>{title}</title></head><body><center>nginx</center></body></html>"
    return Fault(
        f"{status} HTML",
        lambda: respond(status, page, content_type=HTML),
        error,
        gets=gets,
        posts=posts,
        carries={"status_code": status, "code": None, "body": page},
        says=title,
    )


def rate_limit(name: str, retry_after: str | None, seconds: float | None, *, gets: int, posts: int) -> Fault:
    """429 with a wish in `Retry-After`."""
    headers = () if retry_after is None else (("Retry-After", retry_after),)
    return Fault(
        f"429 Retry-After {name}",
        lambda: error_response(429, "too_many_requests", "slow down", headers=headers),
        RateLimitError,
        gets=gets,
        posts=posts,
        carries={"status_code": 429, "code": "too_many_requests", "retry_after": seconds},
    )


def http_date(ahead: timedelta) -> str:
    """A date as HTTP writes it."""
    return format_datetime(datetime.now(UTC) + ahead, usegmt=True)


def plain_text_to_tls() -> Behaviour:
    """What a client that speaks TLS gets from a server that does not."""

    async def play(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        exchange.close()

    return Behaviour("plain text to TLS", play, on_accept=True)


def _head(*lines: bytes, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join([status, *lines, b"", b""])


def _length(body: bytes) -> bytes:
    return b"Content-Length: %d" % len(body)


GZIP = (("Content-Encoding", "gzip"),)
LOGIN = "<html><title>Log in</title></html>"
LATIN = json.dumps({"data": "caf\u00e9"}, ensure_ascii=False).encode("latin-1")

FAULTS = [
    # --- the network ---
    nothing_usable("reset before the response", reset),
    nothing_usable("reset inside the body", lambda: reset_inside_body(PAGE)),
    nothing_usable("closed without a response", close),
    nothing_usable("body shorter than its length", lambda: short_body(200, PAGE)),
    nothing_usable("error body shorter than its length", lambda: short_body(400, PAGE)),
    nothing_usable("chunked body cut", lambda: cut_chunks(PAGE)),
    nothing_usable("chunk of a nonsensical size", lambda: raw(_head(b"Transfer-Encoding: chunked") + b"zz\r\n{}")),
    nothing_usable("head cut", lambda: raw(b"HTTP/1.1 200 OK\r\nContent-Le")),
    nothing_usable("no HTTP at all", lambda: raw(b"\x16\x03\x01 SSH-2.0-OpenSSH\r\n\r\n")),
    nothing_usable("status line of nonsense", lambda: raw(_head(status=b"HTTP/1.1 abc OK"))),
    nothing_usable("zero byte in a header", lambda: raw(_head(b"X-A: a\x00b", _length(PAGE)) + PAGE)),
    nothing_usable("line without a colon in the head", lambda: raw(_head(b"nonsense", _length(PAGE)) + PAGE)),
    nothing_usable("enormous header", lambda: raw(_head(b"X-A: " + b"a" * 300_000, _length(PAGE)) + PAGE)),
    nothing_usable("two lengths", lambda: raw(_head(b"Content-Length: 2", b"Content-Length: 3") + b"{}")),
    too_slow("silence", silence),
    too_slow("drip", lambda: drip(PAGE)),
    too_slow("silence inside the body", lambda: raw(_head(_length(PAGE)) + PAGE[:50], 30.0)),
    # --- status 200, and not the API ---
    not_the_api("truncated JSON", lambda: respond(200, PAGE[:80]), PAGE[:80].decode(), says="broken JSON"),
    not_the_api("HTML", lambda: respond(200, LOGIN, content_type=HTML), LOGIN, says="HTML"),
    not_the_api("HTML called JSON", lambda: respond(200, "<!doctype html>x"), "<!doctype html>x", says="HTML"),
    not_the_api("empty body", lambda: respond(200), "", says="an empty body"),
    not_the_api("white space only", lambda: respond(200, " \n"), " \n", says="broken JSON"),
    not_the_api("null", lambda: respond(200, "null"), None, says="null where an object belongs"),
    not_the_api("an empty list", lambda: respond(200, "[]"), [], says="a list where an object belongs"),
    not_the_api("text", lambda: respond(200, '"page"'), "page", says="a string where an object belongs"),
    not_the_api("a number", lambda: respond(200, "7"), 7, says="a number where an object belongs"),
    not_the_api("true", lambda: respond(200, "true"), True, says="a boolean where an object belongs"),
    not_the_api("data is an object", lambda: json_response(200, {"data": {}}), {"data": {}}, says="'data'"),
    not_the_api("data is null", lambda: json_response(200, {"data": None}), {"data": None}, says="'data'"),
    not_the_api("data is text", lambda: json_response(200, {"data": "[]"}), {"data": "[]"}, says="'data'"),
    not_the_api("no data", lambda: json_response(200, {}), {}, says="'data'"),
    not_the_api("another API's object", lambda: json_response(200, {"result": "ok"}), {"result": "ok"}, says="'data'"),
    not_the_api("not UTF-8", lambda: respond(200, LATIN), {"data": "caf\ufffd"}, says="broken JSON"),
    not_the_api("JSON nested too deep", lambda: respond(200, "[" * 200_000), "[" * 200_000, says="broken JSON"),
    not_the_api("not gzip", lambda: respond(200, PAGE, headers=GZIP), None, says="compression"),
    not_the_api(
        "gzip with a broken middle",
        lambda: respond(200, gzipped(PAGE)[:40] + b"\xff" * 40 + gzipped(PAGE)[80:], headers=GZIP),
        None,
        says="compression",
    ),
    Fault(
        "no content", lambda: raw(_head(status=b"HTTP/1.1 204 No Content"), then="keep"), APIResponseError,
        carries={"status_code": 204, "body": ""}, says="an empty body",
    ),
    # --- Dify's own errors ---
    dify_error("400", 400, "invalid_param", "Account not found: x", BadRequestError),
    dify_error("401", 401, "unauthorized", "Access token is invalid", AuthenticationError),
    dify_error("403", 403, "forbidden", "The app's API service has been disabled", PermissionDeniedError),
    dify_error("404", 404, "not_found", "Workflow not found", NotFoundError),
    dify_error("405", 405, "method_not_allowed", "The method is not allowed", APIStatusError),
    dify_error("413", 413, "file_too_large", "File size exceeded. {message}", PayloadTooLargeError),
    dify_error("415", 415, "unsupported_media_type", "Did not attempt to load JSON", UnsupportedMediaTypeError),
    dify_error("500", 500, "unknown", "Internal Server Error", InternalServerError, gets=THREE_TIMES),
    dify_error(
        "the concurrency limit as 400", 400, "invalid_param", BUSY, RateLimitError, gets=THREE_TIMES, posts=THREE_TIMES
    ),
    # --- errors of what stands in front of it ---
    html(404, "404 Not Found", NotFoundError),
    html(408, "408 Request Time-out", APIStatusError, gets=THREE_TIMES),
    html(413, "413 Request Entity Too Large", PayloadTooLargeError),
    html(429, "429 Too Many Requests", RateLimitError, gets=THREE_TIMES, posts=THREE_TIMES),
    html(499, "499 Client Closed Request", APIStatusError),
    html(501, "501 Not Implemented", InternalServerError),
    html(502, "502 Bad Gateway", InternalServerError, gets=THREE_TIMES),
    html(503, "503 Service Unavailable", InternalServerError, gets=THREE_TIMES),
    html(504, "504 Gateway Time-out", InternalServerError, gets=THREE_TIMES),
    html(505, "505 HTTP Version Not Supported", InternalServerError),
    html(520, "520 Web server is returning an unknown error", InternalServerError, gets=THREE_TIMES),
    html(522, "dify.example.com | 522: Connection timed out", InternalServerError, gets=THREE_TIMES),
    html(529, "529 Site is overloaded", InternalServerError, gets=THREE_TIMES),
    html(599, "599 Network Connect Timeout", InternalServerError, gets=THREE_TIMES),
    html(600, "600 beyond the standard", APIStatusError),
    Fault("500 empty", lambda: respond(500), InternalServerError, gets=THREE_TIMES,
          carries={"status_code": 500, "code": None, "message": "Internal Server Error", "body": ""}),
    Fault("401 with a broken body", lambda: respond(401, '{"code": "unautho'), AuthenticationError,
          carries={"status_code": 401, "code": None, "body": '{"code": "unautho'}),
    Fault("403 with a list", lambda: respond(403, "[1]"), PermissionDeniedError,
          carries={"status_code": 403, "code": None, "body": [1]}),
    Fault("503 with a header outside ASCII", lambda: respond(503, headers=(("X-Server", "caf\u00e9"),)),
          InternalServerError, gets=THREE_TIMES, carries={"status_code": 503}),
    # --- the wish to be left alone ---
    *(
        Fault(
            f"{status} Retry-After 120",
            lambda status=status: respond(status, "busy", content_type="text/plain", headers=(("Retry-After", "120"),)),
            error,
            carries={"status_code": status, "retry_after": 120.0},
        )
        for status, error in {408: APIStatusError, 502: InternalServerError, 503: InternalServerError}.items()
    ),
    rate_limit("absent", None, None, gets=THREE_TIMES, posts=THREE_TIMES),
    rate_limit("0", "0", 0.0, gets=THREE_TIMES, posts=THREE_TIMES),
    rate_limit("61", "61", 61.0, gets=ONCE, posts=ONCE),
    rate_limit("absurdly large", "9" * 18, float("9" * 18), gets=ONCE, posts=ONCE),
    rate_limit("garbage", "soon", None, gets=THREE_TIMES, posts=THREE_TIMES),
    rate_limit("negative", "-5", None, gets=THREE_TIMES, posts=THREE_TIMES),
    rate_limit("a date gone by", http_date(-timedelta(days=1)), 0.0, gets=THREE_TIMES, posts=THREE_TIMES),
    rate_limit("a date of nonsense", "Mon, 99 Foo 2026 99:99:99 GMT", None, gets=THREE_TIMES, posts=THREE_TIMES),
]  # fmt: skip

REPEATED = [fault for fault in FAULTS if fault.gets == THREE_TIMES]

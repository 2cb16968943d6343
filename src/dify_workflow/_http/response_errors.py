"""Responses turned into errors: what happened, on which method and path. The API key is in none of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .._errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    DifyError,
    NotFoundError,
    RateLimitError,
    WorkflowStreamError,
    class_of_status,
)
from . import library, tracebacks
from .bodies import BodyError
from .decode import BrokenEventError, MissingError, ReportedError, UnusableBodyError, is_html, is_object, shortened
from .library import httpx
from .requests import without_secrets
from .transport_errors import as_http_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from .secrets import Secret

LARGEST_ERROR_BODY: Final = 16 << 20
"""Bytes of a body that an error has in `.body`; of a longer one it has the beginning, as text."""
CUT_END: Final = 1000
"""Characters left out where a body is cut."""

NOT_THE_API: Final = "; is this a Dify API? check base_url"
"""Added to HTML with a status of success, and to a 404 that is not in Dify's form: most often the address is wrong."""

PORTS: Final = {"http": 80, "https": 443}

TIMED_OUT: Final = {
    httpx.ConnectTimeout: "timed out while connecting",
    httpx.ReadTimeout: "timed out while waiting for the response",
    httpx.WriteTimeout: "timed out while sending the request",
    httpx.PoolTimeout: "timed out while waiting for a free connection",
    httpx.TimeoutException: "timed out",
}

NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


T = TypeVar("T")


def value_or_raise(response: httpx.Response, content: bytes, read: Callable[[bytes], T], secret: Secret) -> T:
    """The value of a response.

    Raises:
        APIStatusError: its status is an error.
        APIResponseError: its status is a success, and its body is not what the API promises.
    """
    failure: DifyError
    if not response.is_success:
        failure = status_error(response, content, secret)
    else:
        try:
            return read(content)
        except UnusableBodyError as reason:
            failure = response_error(response, content, reason, secret)
        except MissingError as reason:
            failure = missing_error(response, content, str(reason), secret)
    del content  # a server may echo the key, and a traceback may show variables
    raise failure


def response_error(
    response: httpx.Response, content: bytes, reason: UnusableBodyError, secret: Secret
) -> APIResponseError:
    """The error for a response whose status is a success and whose body is not what the API promises."""
    hide_reason(response, secret)
    text, body = _text_and_body(content, secret)
    what = f"{response.status_code} with {reason}"
    if text and isinstance(body, str):
        what += f": {shortened(text)}"
    if is_html(text):
        what += NOT_THE_API
    return APIResponseError(
        summary_of(response.request, secret, what),
        status_code=response.status_code,
        headers=_redacted(response.headers, secret),
        body=body,
        request=without_secrets(response.request, secret),
    )


def missing_error(response: httpx.Response, content: bytes, message: str, secret: Secret) -> NotFoundError:
    """The error for a response whose status is a success and whose body says that there is nothing."""
    hide_reason(response, secret)
    return NotFoundError(
        summary_of(response.request, secret, f"{response.status_code}, {message}"),
        status_code=response.status_code,
        code="not_found",
        message=message,
        headers=_redacted(response.headers, secret),
        body=_text_and_body(content, secret)[1],
        request=without_secrets(response.request, secret),
    )


def status_error(response: httpx.Response, content: bytes, secret: Secret) -> APIStatusError:
    """The error for a response whose status is an error."""
    hide_reason(response, secret)
    status = response.status_code
    text, body = _text_and_body(content, secret)
    code = _text_in(body, "code")
    message = _text_in(body, "message") or shortened(text) or response.reason_phrase or "(an empty response)"
    if 300 <= status <= 399:  # noqa: PLR2004 - HTTP's own numbers
        message = "a redirect, which is not followed, as it could take the key elsewhere; check base_url"
    cls = class_of_status(status)
    if status == 400 and code == "invalid_param" and message.startswith("Too many requests"):  # noqa: PLR2004
        # Dify 1.11 raises its concurrency limit as a ValueError, whose handler turns it into this 400.
        cls = RateLimitError
    what = f"{status}{' ' + code if code else ''}: {shortened(message)}"
    if status == 404 and code is None:  # noqa: PLR2004 - HTTP's own number
        what += NOT_THE_API
    return cls(
        summary_of(response.request, secret, what),
        status_code=status,
        code=code,
        message=message,
        headers=_redacted(response.headers, secret),
        body=body,
        request=without_secrets(response.request, secret),
    )


def is_event_stream(response: httpx.Response) -> bool:
    """Whether a response is a stream of events."""
    return response.is_success and response.headers.get("content-type", "").lower().startswith("text/event-stream")


def stream_error(response: httpx.Response, content: bytes, secret: Secret) -> DifyError:
    """The error for a response that is not a stream of events."""
    if not response.is_success:
        return status_error(response, content, secret)
    return response_error(response, content, UnusableBodyError("no stream of events"), secret)


def failed_stream(
    error: httpx.HTTPError | BrokenEventError | ReportedError, response: httpx.Response, progress: str, secret: Secret
) -> DifyError:
    """The error for what ended a stream before its run.

    Args:
        error: what ended it.
        response: the response that the stream is the body of.
        progress: what was seen so far.
        secret: the key.
    """
    if isinstance(error, BrokenEventError):  # not what the API promises
        return response_error(response, error.data.encode(), UnusableBodyError(f"{error}, {progress}"), secret)
    if isinstance(error, httpx.HTTPError):
        return transport_error(error, response.request, response, secret, progress)
    code = None if error.code is None else secret.redact(error.code)
    message = secret.redact(error.message)
    what = f"the run ended with an error event: {code or 'no code'}: {shortened(message)}, {secret.redact(progress)}"
    return WorkflowStreamError(
        summary_of(response.request, secret, what), code=code, status=error.status, message=message
    )


def cut_stream(response: httpx.Response, progress: str, secret: Secret) -> APIConnectionError:
    """The error for a stream that ended before its run did."""
    hide_reason(response, secret)
    what = f"the stream ended without workflow_finished, {progress}"
    return APIConnectionError(
        summary_of(response.request, secret, what, with_port=True), request=without_secrets(response.request, secret)
    )


def transport_error(
    raised: Exception, request: httpx.Request, response: httpx.Response | None, secret: Secret, progress: str = ""
) -> DifyError:
    """The error for what a transport raised.

    What it raised becomes its cause, without the frames of httpx's insides: their variables hold the headers.
    """
    error = as_http_error(raised)
    what = _what_failed(error, secret) + (f", {secret.redact(progress)}" if progress else "")
    summary = summary_of(request, secret, what, with_port=True)
    bare = without_secrets(request, secret)
    for link in tracebacks.links_of(error):
        link.__traceback__ = None
        if isinstance(link, library.all_of("RequestError")):
            link.request = bare  # pyright: ignore[reportAttributeAccessIssue] - of either library
    tracebacks.redact(error, secret)
    if response is not None:
        hide_reason(response, secret)
    sent = not isinstance(error, NOT_SENT)
    result: DifyError
    if isinstance(error, httpx.DecodingError) and response is not None:
        if not response.is_success:  # its status says more than a body that cannot be read
            return status_error(response, b"", secret)
        reason = str(error) if isinstance(error, BodyError) else "a body whose compression is corrupt"
        reason += f", {secret.redact(progress)}" if progress else ""
        result = APIResponseError(
            summary_of(request, secret, f"{response.status_code} with {reason}"),
            status_code=response.status_code,
            headers=_redacted(response.headers, secret),
            body=None,
            request=bare,
        )
    elif isinstance(error, httpx.TimeoutException):
        result = APITimeoutError(summary, request=bare, request_sent=sent)
    else:
        result = APIConnectionError(summary, request=bare, request_sent=sent)
    result.__cause__ = error
    return result


def hide_reason(response: httpx.Response, secret: Secret) -> None:
    """Take the key out of a response's reason phrase, which its repr shows."""
    reason = response.extensions.get("reason_phrase")
    if isinstance(reason, bytes):
        response.extensions["reason_phrase"] = secret.redact_bytes(reason)


def conceal(error: BaseException, response: httpx.Response | None, secret: Secret) -> None:
    """Prepare an exception that is not one of the SDK's, such as a cancellation, to be raised on from here.

    Neither the frames of what carries the bytes nor those behind it are shown with their variables.
    """
    if isinstance(error, GeneratorExit):  # nobody sees it; and while a process ends, nothing can be imported
        return
    tracebacks.hide_frames(error)
    tracebacks.redact(error, secret)
    if response is not None:
        hide_reason(response, secret)


def summary_of(request: httpx.Request, secret: Secret, what: str, *, with_port: bool = False) -> str:
    """The text of an error: method and path of the request, what happened, and the host.

    Args:
        request: the request.
        secret: the key, which is taken out.
        what: what happened.
        with_port: whether the port is named where it is the scheme's own, too: of use where no connection was made.
    """
    url = request.url
    host = url.netloc.decode("ascii")  # without a user name and password
    if with_port and url.port is None:
        host += f":{PORTS.get(url.scheme, 0)}"
    return secret.redact(f"{request.method} {url.path}: {what} ({host})")


def _what_failed(error: httpx.HTTPError, secret: Secret) -> str:
    text = shortened(secret.redact(str(error)))
    for kind, when in TIMED_OUT.items():
        if isinstance(error, kind):
            return when if text.lower() in ("", "timed out") else f"{when}: {text}"
    return text or type(error).__name__


def _text_in(body: object, name: str) -> str | None:
    found = body.get(name) if is_object(body) else None
    return found if isinstance(found, str) else None


def _text_and_body(content: bytes, secret: Secret) -> tuple[str, Any]:
    text = secret.redact(content[:LARGEST_ERROR_BODY].decode("utf-8", "replace"))
    if len(content) > LARGEST_ERROR_BODY:  # its end may be a part of the key
        text = text[:-CUT_END]
        return text, text
    try:
        received = json.loads(text)
        body = secret.redact_value(received)  # in a string of JSON, the key may be encoded once more
        return text if body == received else json.dumps(body), body
    except (ValueError, RecursionError):
        return text, text


def headers_of(response: httpx.Response, secret: Secret) -> httpx.Headers:
    """The headers of a response, without the key."""
    return _redacted(response.headers, secret)


def _redacted(headers: httpx.Headers, secret: Secret) -> httpx.Headers:
    # As bytes: httpx reads header values outside ASCII, and refuses to be given them as text.
    return httpx.Headers([(secret.redact_bytes(name), secret.redact_bytes(value)) for name, value in headers.raw])

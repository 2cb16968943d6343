"""The exceptions that the SDK raises.

DifyError
├─ ConfigurationError (also ValueError)   an invalid option of a client
├─ APIConnectionError                     no usable response: refused, reset, cut body, DNS, TLS
│  └─ APITimeoutError
├─ APIResponseError                       a response that is not what the API promises: HTML with 200, broken JSON
├─ APIStatusError                         a response with an error status
│  ├─ BadRequestError            400
│  ├─ AuthenticationError        401
│  ├─ PermissionDeniedError      403
│  ├─ NotFoundError              404
│  ├─ PayloadTooLargeError       413
│  ├─ UnsupportedMediaTypeError  415
│  ├─ RateLimitError             429, and the 400 by which a server reports its concurrency limit
│  └─ InternalServerError        5xx
├─ WorkflowStreamError                    an `error` event inside a stream
├─ WorkflowRunError                       a run that failed or was stopped; raised by `raise_for_status()` only
└─ IncompleteWalkError                    a walk that cannot prove that it saw every log

Invalid arguments raise `ValueError` before any request is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._http.library import httpx


class DifyError(Exception):
    """Base class of the SDK's exceptions. `str(error)` says what happened, on which method, path and host."""

    __module__ = "dify_workflow"

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls the class with `args`, which keyword-only constructors refuse. Only public names are
        # pickled: a pickle can be read after a private module was renamed.
        return type(self).__new__, (type(self), *self.args), self.__dict__


class ConfigurationError(DifyError, ValueError):
    """An invalid option of a client; the message names the option and what is allowed."""

    __module__ = "dify_workflow"


class APIConnectionError(DifyError):
    """No usable response: refused, reset, cut in the middle of the response, DNS, TLS.

    Attributes:
        request: the request, without its body and without the API key.
        request_sent: False when the server cannot have read the request, so that sending it again is safe.
    """

    __module__ = "dify_workflow"

    request: httpx.Request
    request_sent: bool

    def __init__(self, message: str, *, request: httpx.Request, request_sent: bool = True) -> None:
        super().__init__(message)
        self.request = request
        self.request_sent = request_sent


class APITimeoutError(APIConnectionError):
    """The connection or the response took longer than the timeout."""

    __module__ = "dify_workflow"


class APIResponseError(DifyError):
    """A response that is not what the API promises: HTML with status 200, broken JSON, a list for an object.

    Attributes:
        status_code: HTTP status of the response.
        headers: headers of the response.
        body: what was received: the JSON value where it is JSON, else a string; of more than 16 MiB, the beginning.
        request: the request, without its body and without the API key.
    """

    __module__ = "dify_workflow"

    status_code: int
    headers: httpx.Headers
    body: object
    request: httpx.Request

    def __init__(
        self, message: str, *, status_code: int, headers: httpx.Headers, body: object, request: httpx.Request
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.headers = headers
        self.body = body
        self.request = request


class APIStatusError(DifyError):
    """A response with an error status. Every status works, known or not.

    Attributes:
        status_code: HTTP status of the response.
        code: the server's own code, such as `invalid_param`; None where the response has none (a proxy's HTML).
        message: the server's message, shortened where it is a page of HTML.
        headers: headers of the response.
        body: what was received: the JSON value where it is JSON, else a string; of more than 16 MiB, the beginning.
        request: the request, without its body and without the API key.
        retry_after: seconds that the response's `Retry-After` header asks to wait, counted from when it was received;
            None without a usable one. Set for every status, such as 429, 503, 502 and 408.
    """

    __module__ = "dify_workflow"

    status_code: int
    code: str | None
    message: str
    headers: httpx.Headers
    body: object
    request: httpx.Request
    retry_after: float | None

    def __init__(
        self,
        summary: str,
        *,
        status_code: int,
        code: str | None,
        message: str,
        headers: httpx.Headers,
        body: object,
        request: httpx.Request,
    ) -> None:
        from ._http.retry import retry_after_seconds  # noqa: PLC0415 - that module imports this one

        super().__init__(summary)
        self.status_code = status_code
        self.code = code
        self.message = message
        self.headers = headers
        self.body = body
        self.request = request
        self.retry_after = retry_after_seconds(headers)


class BadRequestError(APIStatusError):
    """400: the server refuses a parameter; `.message` has its reason."""

    __module__ = "dify_workflow"


class AuthenticationError(APIStatusError):
    """401: the API key is missing or unknown."""

    __module__ = "dify_workflow"


class PermissionDeniedError(APIStatusError):
    """403: the app's API is turned off, or its workspace is archived."""

    __module__ = "dify_workflow"


class NotFoundError(APIStatusError):
    """404: no such run, file or route."""

    __module__ = "dify_workflow"


class PayloadTooLargeError(APIStatusError):
    """413: a file or body over the server's limit."""

    __module__ = "dify_workflow"


class UnsupportedMediaTypeError(APIStatusError):
    """415: a content type or file type that the server refuses."""

    __module__ = "dify_workflow"


class RateLimitError(APIStatusError):
    """429, and the 400 `invalid_param` by which a Dify server reports its limit of concurrent requests."""

    __module__ = "dify_workflow"


class InternalServerError(APIStatusError):
    """Any 5xx: the server, or a proxy in front of it, failed."""

    __module__ = "dify_workflow"


class WorkflowStreamError(DifyError):
    """An `error` event inside a stream: the run had begun and could not continue.

    Attributes:
        code: the server's code, such as `invalid_param`.
        status: the HTTP status that the server would have given.
        message: the server's message.
    """

    __module__ = "dify_workflow"

    code: str | None
    status: int | None
    message: str

    def __init__(self, summary: str, *, code: str | None, status: int | None, message: str) -> None:
        super().__init__(summary)
        self.code = code
        self.status = status
        self.message = message


class WorkflowRunError(DifyError):
    """A run that failed or was stopped; only `raise_for_status()` of a result raises it.

    Attributes:
        status: how the run ended.
        error: the run's error message; None where it has none.
        workflow_run_id: the run.
    """

    __module__ = "dify_workflow"

    status: str
    error: str | None
    workflow_run_id: str | None

    def __init__(self, summary: str, *, status: str, error: str | None, workflow_run_id: str | None) -> None:
        super().__init__(summary)
        self.status = status
        self.error = error
        self.workflow_run_id = workflow_run_id


class IncompleteWalkError(DifyError):
    """A walk over the logs that cannot prove that it saw every log.

    Attributes:
        expected: number of logs that the server reports.
        seen: number of distinct logs that were seen, those deleted during the walk included.
    """

    __module__ = "dify_workflow"

    expected: int
    seen: int

    def __init__(self, message: str, *, expected: int, seen: int) -> None:
        super().__init__(message)
        self.expected = expected
        self.seen = seen


_CLASS_OF_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    413: PayloadTooLargeError,
    415: UnsupportedMediaTypeError,
    429: RateLimitError,
}


def class_of_status(status_code: int) -> type[APIStatusError]:
    """The class of error for an HTTP status."""
    if status_code in _CLASS_OF_STATUS:
        return _CLASS_OF_STATUS[status_code]
    return InternalServerError if 500 <= status_code <= 599 else APIStatusError  # noqa: PLR2004 - HTTP's own numbers

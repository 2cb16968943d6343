"""The response to a call, with its status and headers: what methods of `with_raw_response` return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from . import response_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from .library import httpx
    from .secrets import Secret

T = TypeVar("T")

NOT_PARSED: Final[Any] = object()


class RawResponse(Generic[T]):
    """The response to a call, made by a method of `with_raw_response`.

    >>> response = client.logs.with_raw_response.list(limit=1)
    >>> response.status_code, response.headers["x-version"], response.parse().total

    An error status raises, as for the method without `with_raw_response`: this is always a successful response.
    """

    __module__ = "dify_workflow.types"
    __slots__ = ("_content", "_parsed", "_read", "_response", "_secret")

    def __init__(self, response: httpx.Response, content: bytes, read: Callable[[bytes], T], secret: Secret) -> None:
        self._response = response
        self._content = response_errors.value_or_raise(response, content, bytes, secret)
        self._read = read
        self._secret = secret
        self._parsed: T = NOT_PARSED

    @property
    def status_code(self) -> int:
        """HTTP status."""
        return self._response.status_code

    @property
    def headers(self) -> httpx.Headers:
        """Headers of the response, without the API key where the server repeats it."""
        return response_errors.headers_of(self._response, self._secret)

    def parse(self) -> T:
        """The result of the call, as the method without `with_raw_response` returns it. It is parsed once.

        Raises:
            APIResponseError: the body is not what the API promises.
            NotFoundError: the body says that the resource does not exist (a run, on Dify 1.11).
        """
        if self._parsed is NOT_PARSED:
            self._parsed = response_errors.value_or_raise(self._response, self._content, self._read, self._secret)
        return self._parsed

    def __repr__(self) -> str:
        return f"RawResponse(status_code={self.status_code})"

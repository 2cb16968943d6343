"""Methods that return the response instead of what it means: `with_raw_response`.

A method sends its request by the base client of its resource. Here the same method works with a base client that
returns the response, so that nothing is written for each method but its name, in `raw_resources`.
"""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from ..._http.raw_response import RawResponse
from ..base_client import AsyncBaseClient
from . import AsyncResource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from ..._http.config import Timeout
    from ..._http.connections import AsyncSend
    from ..._http.library import httpx
    from ..base_client import Hold

P = ParamSpec("P")
T = TypeVar("T")


class AsyncRawMethod(Generic[P, T]):
    """A method of a resource that returns the response: it takes the same arguments."""

    __module__ = "dify_workflow.types"

    def __init__(self, method: Callable[Concatenate[Any, P], Awaitable[T]]) -> None:
        self._method = method

    def __get__(
        self, resource: AsyncRawResource | None, owner: object = None
    ) -> Callable[P, Coroutine[Any, Any, RawResponse[T]]]:
        method = self._method if resource is None else MethodType(self._method, resource)
        return cast("Callable[P, Coroutine[Any, Any, RawResponse[T]]]", method)


class AsyncRawResource(AsyncResource):
    """The methods of a resource, which return the response: base of what `with_raw_response` returns."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    def __init__(self, base_client: AsyncBaseClient) -> None:
        super().__init__(AsyncRawBaseClient(base_client.configuration, base_client.pool, versions=base_client.versions))


class AsyncRawBaseClient(AsyncBaseClient):
    """Calls operations, and returns the response of each."""

    __slots__ = ()

    async def _exchange(  # type: ignore[override] # that is the point: the methods do not look at what they return
        self, read: Callable[[bytes], T], send: AsyncSend, _: Hold, request: httpx.Request, limits: Timeout
    ) -> RawResponse[T]:
        response, content = await self._received(send, request, limits)
        return RawResponse(response, content, read, self.configuration.api_key)

"""What carries the bytes. What to send, whether to send it again and what came back is decided in other modules."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, TypeVar

import httpx

from .. import _logging, _requests, _responses, _retries
from .._configuration import Timeout
from .._errors import DifyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dify_workflow_api.types import Request

    from .._configuration import Configuration, TimeoutOption
    from .._pools import AsyncPool
    from .._requests import Params
    from .._responses import Model

T = TypeVar("T")
M = TypeVar("M", bound="Model")


class AsyncCaller:
    """Calls operations with one client's options, over its pool of connections."""

    __slots__ = ("_headers", "configuration", "pool")

    def __init__(self, configuration: Configuration, pool: AsyncPool) -> None:
        self.configuration = configuration
        self.pool = pool
        self._headers = _requests.prepared_headers(configuration)

    async def call(self, call: Request[M], timeout: TimeoutOption) -> M:
        """Call an operation that the spec describes, and give its answer as the operation's model."""
        return await self.send(call.method, call.path, call.params, call.json, _responses.model_reader(call), timeout)

    async def send(
        self,
        method: str,
        path: str,
        params: Params,
        json: object,
        read: Callable[[bytes], T],
        timeout: TimeoutOption,
    ) -> T:
        """Send a request, again where that is safe, and give what `read` makes of the answer's body.

        Raises:
            DifyError: no usable answer came, or its status says no.
        """
        options = self.configuration
        limits = options.timeout if timeout is None else Timeout(timeout)
        http = await self.pool.http()
        retries_made = 0
        while True:
            request = _requests.build_request(
                method=method,
                url=options.base_url + path,
                params=params,
                json=json,
                headers=self._headers,
                timeout=limits,
                http=self.pool.own,
            )
            try:
                return _responses.value(*await self._attempt(http, request, limits), read, options.api_key)
            except DifyError as error:
                pause = _retries.seconds_before_retry(
                    error,
                    method=method,
                    retries_made=retries_made,
                    max_retries=options.max_retries,
                    backoff=options.backoff,
                    chance=random.random,
                )
                if pause is None:
                    raise
                retries_made += 1
                _logging.log_retry(error, retries_made, pause)
            await asyncio.sleep(pause)

    async def _attempt(
        self, http: httpx.AsyncClient, request: httpx.Request, limits: Timeout
    ) -> tuple[httpx.Response, bytes]:
        begun = time.monotonic()
        deadline = None if limits.total is None else begun + limits.total
        response = None
        try:
            # The caller's httpx client may be set to follow redirects and to add its own credentials: neither here.
            response = await http.send(request, auth=None, follow_redirects=False, stream=True)
            chunks: list[bytes] = []
            async for chunk in response.aiter_bytes():
                chunks.append(chunk)
                if deadline is not None and time.monotonic() > deadline:
                    raise httpx.ReadTimeout(f"no complete answer within {limits.total:g} s", request=request)
            _logging.log_answer(request, response, time.monotonic() - begun)
            return response, b"".join(chunks)
        except httpx.HTTPError as error:
            failure = _responses.transport_error(error, request, response, self.configuration.api_key)
        finally:
            if response is not None:
                await response.aclose()
        raise failure

"""What carries the bytes. What to send, whether to send it again and what came back is decided in other modules."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from .._errors import DifyError
from .._http import bodies, decode, logging, requests, response_errors, retry, transport_errors
from .._http.advice import add_advice
from .._http.attempts import Attempt, attempt_of, end_attempt
from .._http.config import CLOSED, UNCHANGED, Timeout
from .._http.library import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
    from typing import TypeAlias

    from dify_workflow_api.types import Request

    from .._http.advice import Advice
    from .._http.bodies import Decoder
    from .._http.chunked import ChunkedBody
    from .._http.config import Configuration, TimeoutOption
    from .._http.connections import AsyncSend
    from .._http.decode import Model
    from .._http.lifetimes import AsyncLifetime
    from .._http.open_responses import AsyncHeldResponse
    from .._http.pools import AsyncPool
    from .._runs.input_form import Form

    Hold: TypeAlias = Callable[[httpx.Response], AsyncHeldResponse]
    AsyncOpenStream: TypeAlias = tuple[AsyncHeldResponse, AsyncIterator[bytes]]
    """A response whose body is a stream of events, and the body as it comes."""

TURNS: Final = 6
"""Turns of an event loop after which no task is left of a body that was given up in its middle: httpx and httpcore nest
four generators, and the loop closes each by a task of its own."""

T = TypeVar("T")
M = TypeVar("M", bound="Model")


class AsyncBaseClient:
    """Calls operations with one client's options, over its pool of connections.

    Args:
        configuration: the options.
        pool: the connections.
        largest_body: decoded bytes of a response; one with more is an error.
        versions: the server's version by base URL, shared with derived clients.

    Attributes:
        life: what ends the calls, where they work for an iterator.
        form: the app's form, where `app.check_inputs` has read it.
    """

    __slots__ = ("_headers", "_largest_body", "configuration", "form", "life", "pool", "versions")

    def __init__(
        self,
        configuration: Configuration,
        pool: AsyncPool,
        *,
        largest_body: int = bodies.LARGEST_BODY,
        versions: dict[str, str] | None = None,
    ) -> None:
        self.configuration = configuration
        self.pool = pool
        self.versions = {} if versions is None else versions
        self._largest_body = largest_body
        self._headers = requests.prepared_headers(configuration)
        self.life: AsyncLifetime | None = None
        self.form: Form | None = None

    def __reduce__(self) -> str:
        raise TypeError(
            "a client holds connections and a key, and is not pickled: make it where it is used, for example "
            "DifyWorkflow() with DIFY_API_KEY and DIFY_BASE_URL in the environment"
        )

    def without_retries(self) -> AsyncBaseClient:
        """The same, which sends each request once."""
        configuration = self.configuration.changed(
            api_key=None, base_url=None, timeout=UNCHANGED, max_retries=0, backoff=None, default_headers=None
        )
        return AsyncBaseClient(configuration, self.pool, largest_body=self._largest_body, versions=self.versions)

    def within(self, life: AsyncLifetime) -> AsyncBaseClient:
        """The same for an iterator: its calls end, with `EndedError`, when its lifetime does."""
        base_client = AsyncBaseClient(
            self.configuration, self.pool, largest_body=self._largest_body, versions=self.versions
        )
        base_client.life = life
        self.pool.end_with(life)
        return base_client

    def limits(self, timeout: TimeoutOption) -> Timeout:
        """The bounds of a call: what was given to it, else the client's.

        Raises:
            ConfigurationError: what was given is not a timeout.
        """
        return self.configuration.timeout if timeout is None else Timeout(timeout)

    @property
    def version(self) -> str | None:
        """The server's version as its responses name it; "" when they do not, None before the first response."""
        return self.versions.get(self.configuration.base_url)

    async def fetched_version(self, timeout: TimeoutOption) -> str:
        """The server's version, learned by a `GET /info` where no response has come yet; "" when it does not say it.

        Raises:
            DifyError: no response came, or one that is not the API's.
        """
        if self.version is None:
            from dify_workflow_api.api.app import get_app_info  # noqa: PLC0415 - loaded when needed

            try:
                await self.send(get_app_info.build_request(), bytes, timeout)
            except DifyError:  # a refusal names the version, too
                if self.version is None:
                    raise
        return self.version or ""

    def _note_version(self, response: httpx.Response) -> None:
        version = response.headers.get("x-version", "" if response.is_success else None)
        if version is not None:
            self.versions[self.configuration.base_url] = version

    async def call(self, call: Request[M], timeout: TimeoutOption) -> M:
        """Call an operation that the spec describes, and give its response as the operation's model."""
        return await self.send(call, decode.model_reader(call), timeout)

    async def send(
        self, call: Request[Any], read: Callable[[bytes], T], timeout: TimeoutOption, advice: Advice | None = None
    ) -> T:
        """Send a request, again where that is safe, and return what `read` makes of the response's body.

        Args:
            call: the request.
            read: what makes a value of the body.
            timeout: as for every method.
            advice: what the message of an error says besides.

        Raises:
            DifyError: no usable response came, or its status is an error.
        """
        limits = self.configuration.timeout if timeout is None else self.limits(timeout)
        return await self._repeated(call, partial(self._exchange, read), limits, advice)

    async def open_stream(self, call: Request[Any], limits: Timeout, advice: Advice | None = None) -> AsyncOpenStream:
        """Send a request, again where that is safe, and return the response, its stream of events still to be read.

        There is no bound on the whole: a stream may continue for hours. Each wait for more data has one.

        Raises:
            DifyError: no usable response came, its status is an error, or it is not a stream of events.
        """
        return await self._repeated(call, self._opened, limits, advice, accept="text/event-stream")

    async def _repeated(
        self,
        call: Request[Any],
        attempt: Callable[[AsyncSend, Hold, httpx.Request, Timeout], Awaitable[T]],
        limits: Timeout,
        advice: Advice | None,
        accept: str | None = None,
    ) -> T:
        options = self.configuration
        life = self.life
        has_body = call.json is not None or bool(call.files or call.fields)
        retries_made = 0
        while True:
            connections = await self.pool.connections()  # for each attempt: the process may have been forked
            bounds = Attempt(limits.phases, total=limits.total, has_body=has_body, is_interruptible=life is not None)
            timeouts = bounds.phases() if self.pool.own is None else limits.phases
            try:
                request = requests.build_request(
                    call,
                    base_url=options.base_url,
                    headers=self._headers,
                    accept=accept,
                    timeouts=timeouts,
                    http=self.pool.own,
                )
            except (TypeError, ValueError) as error:
                response_errors.conceal(error, None, options.api_key)
                raise
            if call.files:
                self.pool.prepare_body(request)
            try:
                send = connections.within(None if has_body else limits.total)
                work = partial(attempt, send, connections.hold, request, limits)
                return await (work() if life is None else life.run(bounds, work))
            except DifyError as error:
                pause = retry.seconds_before_retry(
                    error,
                    method=call.method,
                    retries_made=retries_made,
                    max_retries=options.max_retries,
                    backoff=options.backoff,
                    jitter=random.random,
                )
                if pause is None or self.pool.is_closed:
                    if advice is not None:
                        add_advice(error, advice(error))
                    if self.pool.is_closed:
                        raise RuntimeError(f"{CLOSED}: {error}") from error
                    raise
                retries_made += 1
                logging.log_retry(error, retries_made, pause)
            await (self.pool.sleep(pause) if life is None else life.sleep(pause))

    async def _exchange(
        self, read: Callable[[bytes], T], send: AsyncSend, _: Hold, request: httpx.Request, limits: Timeout
    ) -> T:
        return response_errors.value_or_raise(
            *await self._received(send, request, limits), read, self.configuration.api_key
        )

    async def _received(self, send: AsyncSend, request: httpx.Request, limits: Timeout) -> tuple[httpx.Response, bytes]:
        begun = time.monotonic()
        response = None
        try:
            response = await send(request)
            if self.configuration.base_url not in self.versions:
                self._note_version(response)
            content = await self._content(pieces(response, is_whole=True), response, limits, begun)
        except transport_errors.raised() as error:
            failure = response_errors.transport_error(error, request, response, self.configuration.api_key)
        except BaseException as error:
            response_errors.conceal(error, response, self.configuration.api_key)
            raise
        else:
            logging.log_response(request, response, time.monotonic() - begun, self.configuration.api_key)
            return response, content
        finally:
            if response is not None:
                await response.aclose()
        for _ in range(TURNS):  # before the caller continues, the loop closes what httpx and httpcore left open
            await asyncio.sleep(0)
        raise failure

    async def _opened(self, send: AsyncSend, hold: Hold, request: httpx.Request, limits: Timeout) -> AsyncOpenStream:
        begun = time.monotonic()
        response = held = None
        try:
            response = await send(request)
            held = hold(response)
            if self.configuration.base_url not in self.versions:
                self._note_version(response)
            logging.log_response(request, response, time.monotonic() - begun, self.configuration.api_key)
            chunks, beginning = pieces(response, is_whole=not response.is_success), b""
            is_stream = response_errors.is_event_stream(response)
            if response.is_success and not is_stream:
                is_stream, beginning = await self._beginning(chunks, response, limits, begun)
            if is_stream:
                end_attempt(request)
                chunks = _joined(beginning, chunks) if beginning else chunks
                opened, held = (held, chunks), None
                return opened
            content = beginning + await self._content(chunks, response, limits, begun)
        except transport_errors.raised() as error:
            failure = response_errors.transport_error(error, request, response, self.configuration.api_key)
        except BaseException as error:
            response_errors.conceal(error, response, self.configuration.api_key)
            raise
        else:
            failure = response_errors.stream_error(response, content, self.configuration.api_key)
            content = beginning = b""  # a server may echo the key, and a traceback may show variables
        finally:
            if held is not None:
                await held.aclose()
        raise failure

    async def _beginning(
        self, chunks: AsyncIterator[bytes], response: httpx.Response, limits: Timeout, begun: float
    ) -> tuple[bool, bytes]:
        """Whether a body is a stream of events though its content type says otherwise, and what was read to see it."""
        from .._runs.stream import looks_like_events  # noqa: PLC0415 - loaded when needed

        beginning = b""
        async for chunk in chunks:
            beginning += chunk
            is_stream = looks_like_events(beginning)
            if is_stream is not None:
                return is_stream, beginning
            _check_deadline(response, limits, begun)
        return False, beginning

    async def _content(
        self, chunks: AsyncIterator[bytes], response: httpx.Response, limits: Timeout, begun: float
    ) -> bytes:
        bodies.check_length(response.headers, self._largest_body)
        received: list[bytes] = []
        size = 0
        async for chunk in chunks:
            received.append(chunk)
            size += len(chunk)
            if size > self._largest_body:
                raise bodies.too_large(self._largest_body)
            # What is there at once is taken, however late: after a long upload it is the only news of the file.
            if len(received) > 1:
                _check_deadline(response, limits, begun)
        return b"".join(received)


def _check_deadline(response: httpx.Response, limits: Timeout, begun: float) -> None:
    if limits.total is None:
        return
    attempt = attempt_of(response.request)
    if time.monotonic() > begun + limits.total if attempt is None else attempt.is_over():
        raise httpx.ReadTimeout(f"no complete response within {limits.total:g} s", request=response.request)


def pieces(response: httpx.Response, *, is_whole: bool = False) -> AsyncIterator[bytes]:
    """The body as it comes, decompressed.

    Args:
        response: a response whose body has not been read yet.
        is_whole: compressed data that is cut is an error; else it is an end like any other.

    Raises:
        BodyError: the body is compressed in a way that was not requested.
    """
    decoder = bodies.decoder_for(response.headers) if "content-encoding" in response.headers else None
    if response.is_stream_consumed:  # a transport may have read it all before
        return response.aiter_bytes()
    if decoder is not None:
        return _decoded(response, decoder, is_whole=is_whole)
    if is_whole:
        return response.aiter_raw()
    from .._http.chunked import chunked_body  # noqa: PLC0415 - loaded when needed

    body = chunked_body(response)
    return response.aiter_raw() if body is None else _chunked(response, body)


async def _joined(beginning: bytes, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """A body whose first bytes were read before."""
    yield beginning
    async for chunk in chunks:
        yield chunk


async def _chunked(response: httpx.Response, body: ChunkedBody) -> AsyncGenerator[bytes]:
    chunks, data, read, timeout = body
    data = data or await read(bodies.READ_BYTES, timeout)
    while True:
        for piece in chunks.feed(data):
            yield piece
        if chunks.is_over:
            break
        data = await read(bodies.READ_BYTES, timeout)
    async for chunk in response.aiter_raw():
        yield chunk


async def _decoded(response: httpx.Response, decoder: Decoder, *, is_whole: bool) -> AsyncGenerator[bytes]:
    try:
        # Closed here, also after corrupt data, and not when the garbage collector comes to it.
        async with aclosing(cast("AsyncGenerator[bytes]", response.aiter_raw())) as received:
            async for chunk in received:
                for piece in decoder.decode(chunk):
                    yield piece
    except bodies.BodyError:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        raise
    if is_whole:
        decoder.end()

"""Both facades, called operation by operation over a transport that is passed in."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

import facade_coverage

from dify_workflow._http.library import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from support.clients import Driver

    Responses = Callable[[httpx.Request], httpx.Response]

BASE_URL = "http://dify.test/base/v1"
INDIRECT = {"app.check_inputs", "files.upload_all", "runs.batch", "runs.rerun", "runs.start"}
"""Methods that call an operation besides others, or in the background: they have tests of their own."""
DOORS = {door.name: door for door in facade_coverage.doors() if door.name not in INDIRECT}


class Call(NamedTuple):
    """A method of the facade, `runs.get`, and what it is given."""

    method: str
    arguments: dict[str, Any]


class Outcome(NamedTuple):
    """What became of a call: its value or its error, and the requests that it sent."""

    value: Any
    error: Exception | None
    requests: list[httpx.Request]

    @property
    def request(self) -> httpx.Request:
        """The one request."""
        if self.error is not None:
            raise self.error
        [request] = self.requests
        return request


def outcomes(driver: Driver, responses: Responses, calls: Iterable[Call], **options: Any) -> list[Outcome]:
    """Make the calls one after the other; of what is iterated, the value is all that it gave."""
    transport, made = Noting(responses), []

    async def story(client: Any) -> None:
        for call in calls:
            value = error = None
            try:
                value = method_of(client, call)(**call.arguments)
                if hasattr(value, "__anext__"):
                    async with value as iterator:
                        value = [one async for one in iterator]
                elif inspect.isawaitable(value):
                    value = await value
            except Exception as raised:  # noqa: BLE001 - the test decides what it should have been
                error = raised
            made.append(Outcome(value, error, transport.taken()))

    driver.play(BASE_URL, story, http={"transport": transport}, **options)
    return made


class Noting(httpx.MockTransport):
    """A transport that notes what was sent."""

    def __init__(self, responses: Responses) -> None:
        super().__init__(self._noted)
        self._responses = responses
        self._requests: list[httpx.Request] = []

    def _noted(self, request: httpx.Request) -> httpx.Response:
        self._requests.append(request)
        return self._responses(request)

    def taken(self) -> list[httpx.Request]:
        """The requests since the last time."""
        taken, self._requests = self._requests, []
        return taken


def method_of(client: Any, call: Call) -> Callable[..., Any]:
    resource, _, name = call.method.partition(".")
    method: Callable[..., Any] = getattr(getattr(client, resource), name)
    return method

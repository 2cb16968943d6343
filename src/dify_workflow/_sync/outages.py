"""Requests that are repeated until an outage is over; when, and for how long, is decided in `_http.outages`."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from .._errors import DifyError
from .._http import logging
from .._http.advice import add_advice
from .._http.outages import CONTINUE, Request, is_outage

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._http.lifetimes import Lifetime
    from .._http.outages import Outages

A = TypeVar("A")
T = TypeVar("T")


class CallThroughOutages(Generic[A, T]):
    """A call that waits where the server is out of order, and is repeated then; its lifetime ends the waiting.

    Args:
        call: the call.
        outages: the outages of the walk.
        life: the lifetime of the walk.
        probe: another call that shows whether the server is up, where it may fail on this one, with a certain
            argument, for good: its error is then raised. It is needed until the call has succeeded with any argument,
            and is then replaced by that.
        what: the method that messages name.
    """

    def __init__(
        self,
        call: Callable[[A], T],
        outages: Outages,
        life: Lifetime,
        *,
        probe: Callable[[], object] | None = None,
        what: str = "logs.iter",
    ) -> None:
        self._what = what
        self._call = call
        self._outages = outages
        self._life = life
        self._probe = probe

    def __call__(self, argument: A) -> T:
        """Call it, again and again.

        Raises:
            DifyError: the outage lasts too long, or the error is none of an outage.
        """
        outages, request = self._outages, Request()
        while True:
            try:
                if self._probe is not None and outages.needs_probe(request):
                    self._check_server(self._probe)
                outages.begin(request)
                value = self._call(argument)
            except DifyError as error:
                pause = outages.pause(request, error, time.monotonic(), may_be_its_own=self._probe is not None)
                if pause is None:
                    if outages.has_given_up:
                        add_advice(error, CONTINUE.format(what=self._what))
                    raise
                logging.log_outage(self._what, error, pause)
            else:
                outages.succeeded(request)
                if self._probe is not None:
                    self._probe = partial(self._call, argument)
                return value
            self._life.sleep(pause)

    def _check_server(self, probe: Callable[[], object]) -> None:
        check = Request()
        self._outages.begin(check)
        try:
            probe()
        except DifyError as error:
            if is_outage(error):  # a refusal comes from a server that is up
                raise
        self._outages.succeeded(check)

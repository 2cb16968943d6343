"""Requests that are repeated until an outage is over; when, and for how long, is decided in `_outages`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from .. import _logging
from .._advice import add_advice
from .._errors import DifyError
from .._outages import CONTINUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._lifetimes import Lifetime
    from .._outages import Outages

A = TypeVar("A")
T = TypeVar("T")


def patient(
    ask: Callable[[A], T], outages: Outages, life: Lifetime, *, may_be_its_own: bool = False
) -> Callable[[A], T]:
    """What asks the same, and waits where the server is out of order; its lifetime ends the waiting."""

    def ask_patiently(argument: A) -> T:
        request = outages.request()
        while True:
            try:
                value = ask(argument)
            except DifyError as error:
                pause = outages.pause(request, error, time.monotonic(), may_be_its_own=may_be_its_own)
                if pause is None:
                    if outages.has_given_up:
                        add_advice(error, CONTINUE)
                    raise
                _logging.log_outage("logs.iter", error, pause)
            else:
                outages.succeeded()
                return value
            life.sleep(pause)

    return ask_patiently

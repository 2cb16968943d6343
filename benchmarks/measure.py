"""How the benchmarks measure: several ways of doing one thing, in turn, in one run; CPU time.

Absolute times differ from machine to machine and from minute to minute. Ratios of what was taken in turn travel.
Each way has a process of its own, in which nothing was imported and nothing is kept on behalf of another.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from multiprocessing.connection import Connection

Repeat: TypeAlias = Callable[[int], object]
"""Does a thing so many times."""
Setup: TypeAlias = Callable[[], Repeat]
"""Makes all that is needed to do a thing; a function of a module, or a `partial` of one, as it goes to a process."""

T = TypeVar("T")


class Taken(NamedTuple):
    """What one call took."""

    cpu: float
    """Seconds of the process's CPU time."""
    clock: float
    """Seconds by the clock."""
    result: Any
    """What the last of the calls gave."""


def in_turn(
    ways: Mapping[str, Setup], *, rounds: int, repeats: int = 1, starts: int = 1, aside: int = 0, warm: bool = True
) -> dict[str, list[Taken]]:
    """What one call of each way took, in each round.

    Args:
        ways: what to measure, by name.
        rounds: how often each is timed after each start; all are timed once before any is timed again.
        repeats: calls in one timing.
        starts: how often the processes are started again: where things are in memory, and how they hash, makes
            one process some hundredths faster than the next for as long as it lives.
        aside: so many of the first ways are timed at the same time, as they mostly wait.
        warm: whether each is done once before it is timed, as what is done once only is not to be counted.

    Raises:
        SystemExit: one of them failed.
    """
    taken: dict[str, list[Taken]] = {name: [] for name in ways}
    for _ in range(starts):
        with contextlib.ExitStack() as opened:
            runners = {name: opened.enter_context(Runner(name, setup, warm)) for name, setup in ways.items()}
            turns = [list(runners)[:aside], *([name] for name in list(runners)[aside:])]
            for number in range(rounds):
                for names in in_order(turns, number):
                    for name in names:
                        runners[name].begin(repeats)
                    for name in names:
                        taken[name].append(runners[name].end())
    return taken


def in_order(ways: Iterable[T], number: int) -> list[T]:
    """The ways in the order of a round: forwards and backwards, as what follows a costly one may cost more."""
    return list(ways)[:: -1 if number % 2 else 1]


def cpu(taken: Sequence[Taken]) -> tuple[float, ...]:
    """The CPU seconds of each round."""
    return tuple(one.cpu for one in taken)


def alone(work: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the work gives
    """What some work gives that is done once in a process of its own.

    Raises:
        SystemExit: it failed.
    """
    name = getattr(work, "func", work).__name__
    with Runner(name, work) as runner:
        return runner.made


class Runner:
    """A process that does one thing on each request.

    Args:
        name: for messages.
        setup: what makes the thing; where that gives no function, it is all that the process does.
        warm: whether the thing is done once at first.
    """

    def __init__(self, name: str, setup: Callable[[], Any], warm: bool = True) -> None:
        context = multiprocessing.get_context("spawn")
        self._name = name
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_run, args=(setup, warm, other), daemon=True)
        self._process.start()
        other.close()

    def __enter__(self) -> Self:
        self.made = self._received()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()  # which ends it
        self._process.join()

    def begin(self, repeats: int) -> None:
        """Let it do the thing so many times."""
        self._pipe.send(repeats)

    def end(self) -> Taken:
        """What that took."""
        taken: Taken = self._received()
        return taken

    def _received(self) -> Any:  # noqa: ANN401 - what was made, or taken
        try:
            failed, value = self._pipe.recv()
        except EOFError:
            failed, value = True, "its process ended"
        if failed:
            raise SystemExit(f"{self._name}: {value}")
        return value


def _run(setup: Callable[[], Any], warm: bool, pipe: Connection) -> None:
    try:
        made = setup()
        if not callable(made):
            pipe.send((False, made))
            return
        if warm:
            made(1)
        gc.collect()
        gc.freeze()
        pipe.send((False, None))
        for repeats in _orders(pipe):
            gc.collect()
            clock, begun = time.perf_counter(), time.process_time()
            result = made(repeats)
            used, passed = time.process_time() - begun, time.perf_counter() - clock
            pipe.send((False, Taken(used / repeats, passed / repeats, result)))
    except Exception:  # noqa: BLE001 - whatever it is, it is said to who waits for it
        pipe.send((True, traceback.format_exc()))


def _orders(pipe: Connection) -> Iterator[int]:
    with contextlib.suppress(EOFError):
        while True:
            yield pipe.recv()


def programs_in_turn(programs: Mapping[str, str], *, rounds: int) -> dict[str, tuple[float, ...]]:
    """CPU seconds of a whole interpreter that runs each program, in each round.

    Raises:
        SystemExit: one of them failed.
    """
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, program in in_order(programs.items(), turn):
            process = subprocess.Popen([sys.executable, "-I", "-c", program])
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise SystemExit(f"{name}: exit status {process.returncode}")
            if turn:  # the first one warms the file cache
                taken[name].append(usage.ru_utime + usage.ru_stime)
    return {name: tuple(times) for name, times in taken.items()}

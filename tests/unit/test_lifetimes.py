"""What ends an iterator from elsewhere: waits wake up, whoever iterates cleans up, and nothing else is swallowed."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from dify_workflow._http import lifetimes
from dify_workflow._http.frames import is_collecting
from dify_workflow._http.lifetimes import FORKED, AsyncLifetime, EndedError, Lifetime
from dify_workflow._http.monitors import AsyncMonitor, Monitor, Waker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Generator

EACH_LIFETIME = pytest.mark.parametrize("life", [Lifetime, AsyncLifetime], ids=["sync", "async"])
LONG = 60.0


class Waiting:
    """Something that is waited for, and counts how often it is interrupted."""

    interruptions = 0

    def interrupt(self) -> None:
        self.interruptions += 1


def later(action: Any) -> threading.Timer:
    timer = threading.Timer(0.02, action)
    timer.start()
    return timer


# Both clients --------------------------------------------------------------------------------------------------------


@EACH_LIFETIME
def test_an_end_closes_and_interrupts_all_that_waits(life: Any):
    made = life()
    waits = [Waiting(), Waiting()]
    made._waiting.update(waits)
    assert (made.is_open, made.is_over) == (True, False)
    made.end()
    made.end()
    assert (made.is_open, made.is_over) == (False, True)
    assert [wait.interruptions for wait in waits] == [2, 2]


@EACH_LIFETIME
def test_a_forked_child_keeps_the_iterator_and_refuses_it(life: Any):
    made, owner, wait = life(), Waiting(), Waiting()
    made.belongs_to(owner)
    made._waiting.add(wait)
    made.refuse_in_child("walk")
    kept: Any = made.leave_to_parent()
    assert kept == ({wait}, [owner])
    assert (made.is_open, made.is_over, made.is_forked) == (False, True, True)
    with pytest.raises(RuntimeError, match=f"this walk {FORKED}"):
        made.refuse_in_child("walk")
    assert wait.interruptions == 0


@EACH_LIFETIME
@pytest.mark.parametrize("text", ["generator already executing", "x: asynchronous generator is already running"])
def test_a_clash_is_passed_over_only_while_it_is_closed(life: Any, text: str):
    made = life()
    with pytest.raises(RuntimeError, match=r"^this iterator is used by two threads or tasks at the same time$"):
        made.check_clash(ValueError(text))
    with pytest.raises(LookupError):
        made.check_clash(LookupError("another"))
    made.end()
    made.check_clash(ValueError(text))
    with pytest.raises(LookupError):
        made.check_clash(LookupError("another"))


# Threads ------------------------------------------------------------------------------------------------------------


def test_work_is_not_begun_after_the_end_and_its_result_dropped():
    life, begun = Lifetime(), []
    assert life.run(Waiting(), lambda: "result") == "result"

    def work() -> str:
        life.end()
        return "too late"

    wait = Waiting()
    with pytest.raises(EndedError):
        life.run(wait, work)
    assert wait.interruptions == 1
    with pytest.raises(EndedError):
        life.run(Waiting(), lambda: begun.append(1))
    assert begun == []
    assert life._waiting == set()


def test_an_error_of_work_counts_only_before_the_end():
    life = Lifetime()

    def fail(*, first: Any = lambda: None) -> None:
        first()
        raise LookupError

    with pytest.raises(LookupError):
        life.run(Waiting(), fail)
    with pytest.raises(EndedError) as caught:
        life.run(Waiting(), lambda: fail(first=life.end))
    assert caught.value.__suppress_context__
    assert life._waiting == set()


def test_an_exit_passes_through_the_end():
    life = Lifetime()

    def leave() -> None:
        life.end()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        life.run(Waiting(), leave)


def test_a_sleep_is_ended_by_another_thread_or_by_time():
    life = Lifetime()
    life.sleep(0.001)
    timer = later(life.end)
    with pytest.raises(EndedError):
        life.sleep(LONG)
    timer.join()


def test_an_alarm_that_rang_before_is_noticed():
    waker = Waker()
    waker.interrupt()
    waker.wait(LONG)
    waker.wait(0.001)


def test_a_monitor_waits_without_its_lock_and_returns_with_it():
    life, ready = Lifetime(), []
    monitor = Monitor(life)

    def make_ready() -> None:
        with monitor:  # it would wait for ever, were the lock held
            monitor.notify()  # not yet
            ready.append(1)
        monitor.notify()

    with monitor:
        timer = later(make_ready)
        monitor.wait_for(lambda: bool(ready))
        assert monitor._lock.locked()
    timer.join()
    assert not monitor._lock.locked()
    assert monitor._waiting == {}


def test_a_monitor_wakes_only_those_that_need_not_wait():
    life, released, checks = Lifetime(), set(), []
    monitor = Monitor(life)

    def wait(number: int) -> None:
        def is_released() -> bool:
            if threading.current_thread() in threads:
                checks.append(number)
            return number in released

        with monitor:
            monitor.wait_for(is_released)

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    while len(checks) < 4:  # each has checked, and once more when it was known to `notify`
        time.sleep(0.001)
    for _ in range(20):
        with monitor:
            monitor.notify()
        time.sleep(0.001)
    for number, thread in enumerate(threads):
        with monitor:
            released.add(number)
            monitor.notify()
        thread.join()
    assert sorted(checks) == [0] * 3 + [1] * 3


def test_a_monitor_gives_up_at_the_end_with_its_lock_held():
    life = Lifetime()
    monitor = Monitor(life)
    timer = later(life.end)
    with monitor:
        with pytest.raises(EndedError):
            monitor.wait_for(lambda: False)
        assert monitor._lock.locked()
    timer.join()


def counting(closed: list[str]) -> Generator[int]:
    try:
        yield from range(9)
    finally:
        closed.append("closed")


def test_closing_closes_the_generator():
    life, closed = Lifetime(), []
    items = counting(closed)
    next(items)
    assert life.close(items)
    assert life.close(items)
    assert closed == ["closed"]


def test_closing_waits_for_the_thread_that_runs_the_generator():
    life, ended = Lifetime(), []

    def wait() -> Generator[int]:
        try:
            life.sleep(LONG)
            yield 1
        finally:
            ended.append("ended")

    items = wait()

    def run() -> None:
        with pytest.raises(EndedError):
            next(items)

    thread = threading.Thread(target=run)
    thread.start()
    while not life._waiting:
        time.sleep(0.001)
    assert life.close(items)
    assert ended == ["ended"]
    thread.join()


def test_closing_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch):
    life, go_on, running = Lifetime(), threading.Event(), threading.Event()
    monkeypatch.setattr(lifetimes, "LONGEST_WAIT", 0.02)

    def wait() -> Generator[int]:
        running.set()
        go_on.wait(LONG)  # as a client's own read, which nothing interrupts
        yield 1

    items = wait()
    thread = threading.Thread(target=lambda: next(items))
    thread.start()
    running.wait(LONG)
    assert not life.close(items)
    go_on.set()
    thread.join()
    assert life.close(items)


def test_closing_inside_the_generator_itself_does_not_wait():
    life = Lifetime()
    found: list[bool] = []

    def close_itself() -> Generator[int]:
        found.append(life.close(items))
        yield 1

    items = close_itself()
    assert next(items) == 1
    assert found == [False]
    assert life.is_over


def test_an_error_of_the_generators_end_is_raised():
    def fail() -> Generator[int]:
        try:
            yield 1
        finally:
            raise ValueError("of the generator")

    items = fail()
    next(items)
    with pytest.raises(ValueError, match="of the generator"):
        Lifetime().close(items)


def test_a_forked_child_closes_nothing():
    life, closed = Lifetime(), []
    items = counting(closed)
    next(items)
    kept = life.leave_to_parent()
    assert not life.close(items)
    assert closed == []
    assert kept


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no such signal")
def test_a_signal_handler_is_not_the_owner():
    life, seen = Lifetime(), []
    assert not life.is_owner()
    life.begin()
    assert life.is_owner()
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(life.is_owner()))
    try:
        signal.raise_signal(signal.SIGALRM)
    finally:
        signal.signal(signal.SIGALRM, before)
    thread = threading.Thread(target=lambda: seen.append(life.is_owner()))
    thread.start()
    thread.join()
    assert seen == [False, False]


def test_a_collection_is_noticed_from_within_it():
    seen: list[bool] = []

    class Cycle:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            seen.append(is_collecting())

    Cycle()
    gc.collect()
    assert seen == [True]
    assert not is_collecting()


# Tasks --------------------------------------------------------------------------------------------------------------


def play(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story, debug=True)


async def forever() -> None:
    await asyncio.Event().wait()


def test_an_end_cancels_what_a_task_waits_for_and_not_the_task():
    async def story() -> None:
        life = AsyncLifetime()
        asyncio.get_running_loop().call_soon(life.end)
        with pytest.raises(EndedError):
            await life.run(None, forever)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        assert life._waiting == set()
        await asyncio.sleep(0)  # the cancellation is not delivered a second time
        with pytest.raises(EndedError):
            await life.sleep(LONG)

    play(story())


@pytest.mark.parametrize("with_end", [False, True])
def test_a_cancellation_by_somebody_else_passes(with_end: bool):
    async def story() -> None:
        life = AsyncLifetime()
        task = asyncio.ensure_future(life.run(None, forever))
        await asyncio.sleep(0)
        if with_end:
            life.end()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    play(story())


def test_an_error_of_a_tasks_work_counts_only_before_the_end():
    async def story() -> None:
        life = AsyncLifetime()

        async def fail() -> None:
            raise LookupError

        with pytest.raises(LookupError):
            await life.run(None, fail)

        async def end_and_fail() -> None:
            life.end()
            raise LookupError

        with pytest.raises(EndedError):
            await life.run(None, end_and_fail)
        await asyncio.sleep(0)  # the cancellation that the end asked for does not come here

    play(story())


def test_work_that_is_done_before_its_cancellation_leaves_none():
    async def story() -> None:
        life = AsyncLifetime()

        async def end() -> str:
            life.end()
            return "too late"

        with pytest.raises(EndedError):
            await life.run(None, end)
        await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    play(story())


def test_a_task_owns_what_it_began():
    async def story() -> None:
        life = AsyncLifetime()
        assert not life.is_owner()
        life.begin()
        assert life.is_owner()

        async def other() -> bool:
            return life.is_owner()

        assert not await asyncio.create_task(other())

    play(story())


@pytest.mark.parametrize("where", ["here", "another loop"])
def test_closing_ends_a_generator_that_another_task_runs(where: str):
    async def story() -> None:
        life, ended = AsyncLifetime(), []

        async def wait() -> AsyncGenerator[int]:
            try:
                await life.sleep(LONG)
                yield 1
            finally:
                ended.append("ended")

        items = wait()
        task = asyncio.ensure_future(anext(items))
        await asyncio.sleep(0)
        if where == "here":
            assert await life.close(items)
        else:
            assert await asyncio.to_thread(asyncio.run, life.close(items))
        with pytest.raises(EndedError):
            await task
        assert ended == ["ended"]
        assert await life.close(items)

    play(story())


def test_a_monitor_of_tasks_wakes_up_all_and_ends():
    async def story() -> None:
        life, ready = AsyncLifetime(), []
        monitor = AsyncMonitor(life)

        async def wait() -> None:
            async with monitor:
                await monitor.wait_for(lambda: bool(ready))

        tasks = [asyncio.ensure_future(wait()) for _ in range(3)]
        await asyncio.sleep(0)
        futures = list(monitor._waiting)
        monitor.notify()  # not yet
        assert len(futures) == 3
        assert not any(future.done() for future in futures)
        ready.append(1)
        monitor.notify()
        await asyncio.gather(*tasks)
        ready.clear()
        last = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        life.end()
        with pytest.raises(EndedError):
            await last
        assert monitor._waiting == {}

    play(story())

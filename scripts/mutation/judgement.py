"""Run the tests against every change of the code, one at a time, and see which nobody notices.

The tests are collected once and run once without a change. Then a child of this process is made for each change, takes
it over in memory, and runs the tests that come by the changed function until one fails: first those that are quick and
come by little else.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import io
import os
import pickle
import resource
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import mirror
import pytest
from hypothesis import HealthCheck, Phase, settings

from mutation.adoption import adopt
from mutation.operators import mutated
from mutation.subjects import ROOT, Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

LONGEST_TEST: Final = 4.0
"""Seconds; a test that takes longer is not asked."""
LONGEST_JUDGEMENT: Final = 20.0
"""Seconds of tests, as they take without a change, that are asked about one change."""
PATIENCE: Final = 10
"""How many times as long as without a change a test may take; then it hangs, which is noticed too."""
LEAST_PATIENCE: Final = 5.0
"""Seconds for even the quickest test."""
MOST_MEMORY: Final = 4 << 30
MOST_WORK: Final = int(2 * LEAST_PATIENCE + PATIENCE * (LONGEST_JUDGEMENT + LONGEST_TEST))
"""Seconds of processor time after which a child ends by itself: nobody else ends it where this process was killed."""


class Verdict(NamedTuple):
    """What became of a change.

    Attributes:
        change: the change.
        outcome: "caught", "survived", or "not viable" where the module cannot be loaded with it.
        asked: how many tests were asked.
        by: the test that failed, and how; empty when none did, or the tests crashed or hung.
    """

    change: Change
    outcome: str
    asked: int
    by: str


class Baseline(NamedTuple):
    """What the tests do without any change.

    Attributes:
        seconds: how long each takes, by its number.
        callers: which tests come by a function, by module and name.
        passers: which tests come by a line, by module and number.
        failed: those that fail, with their reason; they are in none of the others.
    """

    seconds: dict[int, float]
    callers: dict[tuple[str, str], set[int]]
    passers: dict[tuple[str, int], set[int]]
    failed: list[str]


class NoMeasureError(Exception):
    """Nothing can be measured: the tests cannot be collected, or what has no fault in it is found faulty."""


def judged(
    queue: Sequence[Change],
    modules: dict[str, Path],
    tests: Sequence[str],
    *,
    jobs: int,
    say: Callable[[str], None],
    seen: Callable[[Verdict], None],
) -> None:
    """Judge changes.

    Args:
        queue: the changes.
        modules: the files of the modules that they are in.
        tests: paths of the tests that judge, below the project's root.
        jobs: how many are judged at once.
        say: is told what is being done.
        seen: is given each verdict.

    Raises:
        NoMeasureError: nothing can be measured.
    """
    settings.register_profile(
        "mutants",
        phases=[Phase.explicit, Phase.generate],  # that a case fails is enough: it need not be made smaller
        database=None,
        deadline=None,
        max_examples=20,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutants")
    plugin = _Judge(queue, modules, jobs, say, seen)
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--assert=plain"]
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as told:
            pytest.main([*options, *tests], plugins=[plugin])
    finally:
        os.chdir(before)
    if plugin.failure is not None:
        raise plugin.failure
    if not plugin.is_done:
        raise NoMeasureError(f"the tests were not collected:\n{told.getvalue()[-3000:]}")


class _Judge:
    """A pytest plugin that runs the collected tests in children of this process."""

    def __init__(
        self,
        queue: Sequence[Change],
        modules: dict[str, Path],
        jobs: int,
        say: Callable[[str], None],
        seen: Callable[[Verdict], None],
    ) -> None:
        self._queue = queue
        self._modules = modules
        self._jobs = jobs
        self._say = say
        self._seen = seen
        self.is_done = False
        self.failure: NoMeasureError | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests without a change, and then with each."""
        if session.testsfailed:
            return True
        for name in self._modules:
            importlib.import_module(name)
            importlib.import_module(_twin(name))
        _warm_up(session)
        gc.collect()
        gc.freeze()  # what is there now is there for good: children need not look through it, nor copy it
        self._say(f"{len(session.items)} tests are run without a change")
        try:
            baseline = _baseline(session.items, self._modules, self._jobs)
            for failure in baseline.failed:
                self._say(f"fails without a change, and is not asked: {failure}")
            self._say(f"{len(self._queue)} changes are judged")
            for verdict in self._judged(session.items, baseline):
                self._seen(verdict)
        except NoMeasureError as failure:
            self.failure = failure
        self.is_done = True
        return True

    def _judged(self, items: list[pytest.Item], baseline: Baseline) -> Iterator[Verdict]:
        waiting = list(reversed(self._queue))
        breadth = Counter(index for callers in baseline.callers.values() for index in callers)  # functions come by
        children: dict[_Child, tuple[Change, int, float]] = {}
        try:
            while waiting or children:
                while waiting and len(children) < self._jobs:
                    change = waiting.pop()
                    asked = _asked(change, items, baseline, breadth)
                    file = self._modules[change.module]
                    tests = [(items[index], baseline.seconds[index]) for index in asked]
                    child = _Child(lambda: _judge(tests, file, change))  # noqa: B023 - it forks at once
                    # What hangs fails by itself, unless it hangs where nothing can wake it.
                    limit = 2 * LEAST_PATIENCE + PATIENCE * sum(seconds for _, seconds in tests)
                    children[child] = (change, len(asked), time.monotonic() + limit)
                for child, (change, asked_for, deadline) in list(children.items()):
                    code = child.ended()
                    if code is None and time.monotonic() > deadline:
                        child.kill()
                        code = CAUGHT
                    if code is not None:
                        del children[child]
                        yield Verdict(change, OUTCOMES.get(code, "caught"), asked_for, child.told)
                time.sleep(0.002)
        finally:
            for child in children:
                child.kill()


SURVIVED, CAUGHT, NOT_VIABLE = 0, 1, 3
OUTCOMES: Final = {SURVIVED: "survived", NOT_VIABLE: "not viable"}  # a crash of the child is noticed too


class _Child:
    """A child of this process, with what it starts, that does one thing and tells its result by its exit status.

    Attributes:
        told: the text that it has given besides, once it has ended.
    """

    def __init__(self, work: Callable[[], tuple[int, str]]) -> None:
        self.told = ""
        self._pipe, writing = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            code = CAUGHT
            try:
                os.setsid()
                signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                quiet = os.open(os.devnull, os.O_RDWR)
                for stream in (0, 1, 2):
                    os.dup2(quiet, stream)
                resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
                code, text = work()
                os.write(writing, text.encode()[:1000])  # no pipe is too small for that
            finally:
                os._exit(code)
        os.close(writing)

    def ended(self) -> int | None:
        """The exit status; None while it is at work."""
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid == 0:
            return None
        self._end_group()
        os.set_blocking(self._pipe, False)
        with contextlib.suppress(BlockingIOError):
            self.told = os.read(self._pipe, 1000).decode("utf-8", "replace")
        os.close(self._pipe)
        return os.waitstatus_to_exitcode(status)

    def kill(self) -> None:
        """End it, and what it has started."""
        self._end_group()
        os.waitpid(self._pid, 0)
        os.close(self._pipe)

    def _end_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)


def _twin(name: str) -> str:
    """The module of the sync half that is made from one of the async half; the module itself where there is none."""
    return name.replace("._async.", "._sync.")


@cache
def _lines_that_use(name: str, line: int) -> set[int]:
    """Where a module uses a constant that stands in a line, or another constant that is made of it."""
    tree = ast.parse(_text_of(name))
    constants = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    reached: set[str] = set()
    waiting = [node for node in constants if node.lineno <= line <= (node.end_lineno or line)]
    while waiting:
        statement = waiting.pop()
        stored = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and _is_stored(node)} - reached
        reached |= stored
        waiting += [node for node in constants if stored & {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}]
    return {node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in reached}


def _is_stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _text_of(name: str) -> str:
    return Path(str(sys.modules[name].__file__)).read_text("utf-8")


@cache
def _twin_lines(name: str) -> dict[int, int]:
    """The numbers of the lines of a module of the async half, with those of the same lines in its twin."""
    own, other = [[mirror.mirrored(line) for line in _text_of(one).splitlines()] for one in (name, _twin(name))]
    blocks = SequenceMatcher(None, own, other, autojunk=False).get_matching_blocks()
    return {block.a + at: block.b + at for block in blocks for at in range(1, block.size + 1)}


def _warm_up(session: pytest.Session) -> None:
    """Make what every child would have to make for itself: the judge of requests, in the tests' conftest."""
    for plugin in session.config.pluginmanager.get_plugins():
        if str(getattr(plugin, "__file__", "")).endswith("conftest.py") and hasattr(plugin, "judge"):
            plugin.judge()


def _asked(change: Change, items: list[pytest.Item], baseline: Baseline, breadth: Counter[int]) -> list[int]:
    """The tests that may notice a change, as many as there is time for.

    First the module's own tests that come by the very line, then others that do, and those that come by its function.
    What is in no function, as a constant or a model's fields, is looked at from anywhere: by the module's own tests, by
    those that come by its users, by its module, and by the others. Of own tests the quick ones come first, of others
    those that also come by little else, but not one set of parameters after the other: what the first few of a test do
    not notice, the others seldom do.
    """
    places = {change.module, _twin(change.module)}
    function, line = (change.mutant.function, change.mutant.line) if change.mutant else ("", 0)
    wanted = {function, mirror.mirrored(function)}
    of_module = [(called, callers) for (place, called), callers in baseline.callers.items() if place in places]
    tiers = [{index for called, callers in of_module if called in wanted for index in callers}]
    if not tiers[0]:  # it is in no function, or what the function gave once is kept
        tiers = [{index for _, callers in of_module for index in callers}, set(baseline.seconds)]
    twin_lines = _twin_lines(change.module)
    nearest: set[int] = set()
    for one in {line} if function else _lines_that_use(change.module, line):
        nearest |= baseline.passers.get((change.module, one), set())
        nearest |= baseline.passers.get((_twin(change.module), twin_lines.get(one, 0)), set())
    name = f"test_{change.module.rpartition('.')[2].strip('_')}"
    own = {index for index in baseline.seconds if items[index].path.stem.startswith(name)}
    ranks = {index: (0, baseline.seconds[index]) for index in (own & nearest if function else own)}
    for number, tier in enumerate([nearest, *tiers], 1):
        before: Counter[str] = Counter()
        for index in sorted(tier - ranks.keys(), key=baseline.seconds.__getitem__):
            test = items[index].nodeid.partition("[")[0]
            before[test] += 1
            ranks[index] = (number, before[test] * baseline.seconds[index] * breadth[index])
    chosen: dict[Path, list[int]] = {}  # by file: what a file's tests share is made once
    seconds = 0.0
    for index in sorted(ranks, key=ranks.__getitem__):
        seconds += baseline.seconds[index]
        if seconds > LONGEST_JUDGEMENT:
            break
        chosen.setdefault(items[index].path, []).append(index)
    return [index for file in chosen.values() for index in file]


def _judge(asked: list[tuple[pytest.Item, float]], file: Path, change: Change) -> tuple[int, str]:
    """Take a change over and run tests until one fails; the exit status, and the test that failed."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_WORK, MOST_WORK))
    source = file.read_text("utf-8")
    if change.mutant is not None:
        source = mutated(source, change.mutant)
    try:
        adopt(change.module, source)
        if _twin(change.module) != change.module:
            adopt(_twin(change.module), mirror.mirrored(source))
    except Exception as error:  # noqa: BLE001 - whatever it is, with this change there is no module
        return NOT_VIABLE, repr(error)
    for item, seconds in asked:
        item.add_marker(pytest.mark.timeout(LEAST_PATIENCE + PATIENCE * seconds), append=False)
    failure = _first_failure([item for item, _ in asked])
    return (CAUGHT if failure else SURVIVED), failure


def _first_failure(chosen: list[pytest.Item]) -> str:
    for item, following in zip(chosen, [*chosen[1:], None], strict=False):
        if failure := _failure(item, following):
            return f"{item.nodeid}: {failure}"
    return ""


def _failure(item: pytest.Item, following: pytest.Item | None) -> str:
    """Run a test; how it failed, in a line, and nothing when it did not."""
    watch = _Watch()
    item.config.pluginmanager.register(watch)
    try:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    finally:
        item.config.pluginmanager.unregister(watch)
    return watch.failure


class _Watch:
    def __init__(self) -> None:
        self.failure = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure of any phase."""
        if report.failed and not self.failure:
            told = [line for line in report.longreprtext.splitlines() if line.startswith("E ")]
            self.failure = f"{report.when}: {told[0][1:].strip() if told else 'no reason given'}"


def _baseline(items: list[pytest.Item], modules: dict[str, Path], jobs: int) -> Baseline:
    """Run every test without a change, each file in a child, so that nothing of it stays in this process.

    Raises:
        NoMeasureError: the tests cannot be run.
    """
    found = Baseline({}, {}, {}, [])
    waiting = list(dict.fromkeys(item.path for item in items))
    with tempfile.TemporaryDirectory() as folder:
        children: dict[Path, _Child] = {}
        while waiting or children:
            while waiting and len(children) < jobs:
                own, path = waiting.pop(), Path(folder) / str(len(waiting))
                children[path] = _Child(lambda: _write(path, _traced(items, own, modules)))  # noqa: B023 - forks now
            for path, child in list(children.items()):
                code = child.ended()
                if code is None:
                    continue
                del children[path]
                if code != 0:
                    raise NoMeasureError(f"the tests ended with {code} without a change")
                part: Baseline = pickle.loads(path.read_bytes())  # noqa: S301 - this process's own child wrote it
                found.seconds.update(part.seconds)
                found.failed.extend(part.failed)
                for function, callers in part.callers.items():
                    found.callers.setdefault(function, set()).update(callers)
                for line, passers in part.passers.items():
                    found.passers.setdefault(line, set()).update(passers)
            time.sleep(0.01)
    return found


def _write(path: Path, baseline: Baseline) -> tuple[int, str]:
    path.write_bytes(pickle.dumps(baseline))
    return SURVIVED, ""


def _traced(items: list[pytest.Item], file_of_tests: Path, modules: dict[str, Path]) -> Baseline:
    files = {str(sys.modules[name].__file__): name for module in modules for name in (module, _twin(module))}
    functions: set[tuple[str, str]] = set()
    lines: set[tuple[str, int]] = set()

    def trace_call(frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:  # noqa: ANN401 - Python's
        place = files.get(frame.f_code.co_filename)
        if place is None:
            return None
        functions.add((place, frame.f_code.co_qualname.partition(".<locals>")[0]))

        def trace_line(frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:  # noqa: ANN401 - own protocol
            lines.add((place, frame.f_lineno))
            return trace_line

        return trace_line

    baseline = Baseline({}, {}, {}, [])
    chosen = [(index, item) for index, item in enumerate(items) if item.path == file_of_tests]
    for (index, item), following in zip(chosen, [*(item for _, item in chosen[1:]), None], strict=False):
        functions.clear()
        lines.clear()
        begun = time.monotonic()
        threading.settrace(trace_call)
        sys.settrace(trace_call)
        try:
            failure = _failure(item, following)
        finally:
            sys.settrace(None)
            threading.settrace(None)
        seconds = time.monotonic() - begun
        if failure:
            baseline.failed.append(f"{item.nodeid}: {failure}")
        elif seconds <= LONGEST_TEST:
            baseline.seconds[index] = seconds
            for function in functions:
                baseline.callers.setdefault(function, set()).add(index)
            for line in lines:
                baseline.passers.setdefault(line, set()).add(index)
    return baseline

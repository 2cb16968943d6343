"""Run the tests against every small change of the facade's code, and see which nobody notices.

The tests are collected once. Then a child of this process is made for each change, takes it over in memory, and runs
the tests that come by the changed function until one fails: first those that are quick and come by little else.
"""

from __future__ import annotations

import contextlib
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
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import mirror
import pytest
from hypothesis import HealthCheck, Phase, settings

from mutation.adoption import adopt
from mutation.operators import Mutant, mutants, mutated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

ROOT: Final = Path(__file__).resolve().parents[2]
FACADE: Final = ROOT / "src" / "dify_workflow"
PACKAGE: Final = "dify_workflow"

# What decides: every module of the facade that is written by hand, but these.
NOT_CHANGED: Final = {
    "__init__": "names only, which the tests of the package's interface hold, in processes of their own",
    "_logging": "the wording of what is logged",
    "_version": "a number",
    "models": "names only",
}

SUITE: Final = (
    "tests/unit/test_checkpoints.py",
    "tests/unit/test_configuration.py",
    "tests/unit/test_errors.py",
    "tests/unit/test_filters.py",
    "tests/unit/test_following.py",
    "tests/unit/test_results.py",
    "tests/unit/test_retries.py",
    "tests/unit/test_runs.py",
    "tests/unit/test_sse.py",
    "tests/unit/test_streams.py",
    "tests/unit/test_times.py",
    "tests/unit/test_walks.py",
    "tests/unit/test_walks_lies.py",
    "tests/unit/test_following_histories.py",
    "tests/contract/test_completeness.py",
    "tests/contract/test_contract_requests.py",
    "tests/contract/test_contract_answers.py",
    "tests/contract/test_recorded_requests.py",
    "tests/contract/test_sandbox_requests.py",
    "tests/e2e/test_details.py",
    "tests/e2e/test_event_loops.py",
    "tests/e2e/test_faults.py",
    "tests/e2e/test_faults_of_transport.py",
    "tests/e2e/test_follow.py",
    "tests/e2e/test_follow_faults.py",
    "tests/e2e/test_follow_leaving.py",
    "tests/e2e/test_runs.py",
    "tests/e2e/test_secrets.py",
    "tests/e2e/test_streams.py",
    "tests/e2e/test_threads.py",
    "tests/e2e/test_uploads.py",
    "tests/e2e/test_walks.py",
    "tests/e2e/test_walks_faults.py",
    "tests/e2e/test_walks_leaving.py",
)

LONGEST_TEST: Final = 2.0
"""Seconds; a test that takes longer is not asked."""
LONGEST_JUDGEMENT: Final = 5.0
"""Seconds of tests, as they take without a change, that are asked about one change."""
PATIENCE: Final = 10
"""How many times as long as without a change the tests may take; then they hang, which is noticed too."""
MOST_MEMORY: Final = 4 << 30


class Verdict(NamedTuple):
    """What became of a change: "caught", "survived", or "not viable" where the module cannot be loaded with it."""

    module: str
    mutant: Mutant
    outcome: str
    asked: int  # tests that come by it


class Baseline(NamedTuple):
    """What the tests do without any change: how long each takes, how much it comes by, and who comes by what."""

    seconds: dict[int, float]
    functions: dict[int, int]
    callers: dict[tuple[str, str], set[int]]
    failed: list[str]


def measured(modules: list[str] | None, jobs: int, say: Callable[[str], None]) -> list[Verdict]:
    """Judge every change of some modules of the facade, all of them unless named.

    Raises:
        RuntimeError: the tests cannot be collected.
    """
    settings.register_profile(
        "mutants", phases=[Phase.explicit, Phase.generate], database=None, suppress_health_check=list(HealthCheck)
    )
    settings.load_profile("mutants")
    plugin = _Judge(modules, jobs, say)
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--assert=plain"]
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as told:
            pytest.main([*options, *SUITE], plugins=[plugin])
    finally:
        os.chdir(before)
    if plugin.verdicts is None:
        raise RuntimeError(f"the tests were not collected:\n{told.getvalue()[-3000:]}")
    return plugin.verdicts


def changed_modules() -> dict[str, Path]:
    """The modules that are changed, by their names below the package, such as `_async.logs`."""
    files = [*FACADE.glob("*.py"), *(FACADE / "_async").glob("[!_]*.py")]
    names = {".".join(file.relative_to(FACADE).with_suffix("").parts): file for file in sorted(files)}
    return {name: file for name, file in names.items() if name not in NOT_CHANGED}


class _Judge:
    """A pytest plugin that runs the collected tests in children of this process."""

    def __init__(self, modules: list[str] | None, jobs: int, say: Callable[[str], None]) -> None:
        known = changed_modules()
        if unknown := sorted(set(modules or ()) - set(known)):
            raise LookupError(f"no such module of the facade: {', '.join(unknown)}; there are {', '.join(known)}")
        self._modules = {name: known[name] for name in modules or known}
        self._jobs = jobs
        self._say = say
        self.verdicts: list[Verdict] | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests without a change, and then with each."""
        if session.testsfailed:
            return True
        for name in [*self._modules, *(name.replace("_async", "_sync") for name in self._modules)]:
            importlib.import_module(f"{PACKAGE}.{name}")
        self._say(f"{len(session.items)} tests are run without a change")
        _warm_up(session)
        baseline = _baseline(session.items, self._jobs)
        for failure in baseline.failed:
            self._say(f"fails without a change, and is not asked: {failure}")
        queue = [(name, mutant) for name, file in self._modules.items() for mutant in mutants(file.read_text("utf-8"))]
        self._say(f"{len(queue)} changes are judged")
        self.verdicts = list(self._judged(session.items, baseline, queue))
        return True

    def _judged(
        self, items: list[pytest.Item], baseline: Baseline, queue: list[tuple[str, Mutant]]
    ) -> Iterator[Verdict]:
        waiting = list(reversed(queue))
        children: dict[_Child, tuple[str, Mutant, int, float]] = {}
        done = 0
        while waiting or children:
            while waiting and len(children) < self._jobs:
                name, mutant = waiting.pop()
                asked = _asked(name, mutant, baseline)
                child = _Child(lambda: _judge(items, asked, name, self._modules[name], mutant))  # noqa: B023 - forks now
                limit = 10 + PATIENCE * sum(baseline.seconds[index] for index in asked)
                children[child] = (name, mutant, len(asked), time.monotonic() + limit)
            for child, (name, mutant, asked_for, deadline) in list(children.items()):
                code = child.ended()
                if code is None and time.monotonic() > deadline:
                    child.kill()
                    code = CAUGHT
                if code is not None:
                    del children[child]
                    done += 1
                    if done % 100 == 0:
                        self._say(f"{done} of {len(queue)}")
                    yield Verdict(name, mutant, OUTCOMES.get(code, "caught"), asked_for)
            time.sleep(0.002)


SURVIVED, CAUGHT, NOT_VIABLE = 0, 1, 3
OUTCOMES: Final = {SURVIVED: "survived", NOT_VIABLE: "not viable"}  # a crash of the child is noticed too


class _Child:
    """A child of this process, with what it starts, that does one thing and tells its result by its exit status."""

    def __init__(self, work: Callable[[], int]) -> None:
        self._pid = os.fork()
        if self._pid == 0:
            code = CAUGHT
            try:
                os.setsid()
                quiet = os.open(os.devnull, os.O_RDWR)
                for stream in (0, 1, 2):
                    os.dup2(quiet, stream)
                resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
                code = work()
            finally:
                os._exit(code)

    def ended(self) -> int | None:
        """The exit status; None while it is at work."""
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid == 0:
            return None
        self._end_group()
        return os.waitstatus_to_exitcode(status)

    def kill(self) -> None:
        """End it, and what it has started."""
        self._end_group()
        os.waitpid(self._pid, 0)

    def _end_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)


def _warm_up(session: pytest.Session) -> None:
    """Make what every child would have to make for itself: the judge of requests, in the tests' conftest."""
    for plugin in session.config.pluginmanager.get_plugins():
        if str(getattr(plugin, "__file__", "")).endswith("conftest.py") and hasattr(plugin, "judge"):
            plugin.judge()


def _asked(name: str, mutant: Mutant, baseline: Baseline) -> list[int]:
    """The tests that come by a change, the quick and special ones first, as many as there is time for."""
    places = [name, name.replace("_async", "_sync")] if name.startswith("_async") else [name]
    found: set[int] = set()
    for (place, function), callers in baseline.callers.items():
        wanted = {mutant.function, mirror.mirrored(mutant.function)}
        if place in places and (not mutant.function or function in wanted):
            found |= callers
    chosen, seconds = [], 0.0
    for index in sorted(found, key=lambda index: baseline.seconds[index] * baseline.functions[index]):
        seconds += baseline.seconds[index]
        if seconds > LONGEST_JUDGEMENT:
            break
        chosen.append(index)
    return chosen


def _judge(items: list[pytest.Item], asked: list[int], name: str, file: Path, mutant: Mutant) -> int:
    """Take a change over and run tests until one fails; the exit status."""
    source = mutated(file.read_text("utf-8"), mutant)
    try:
        adopt(f"{PACKAGE}.{name}", source)
        if name.startswith("_async"):
            adopt(f"{PACKAGE}.{name.replace('_async', '_sync')}", mirror.mirrored(source))
    except Exception:  # noqa: BLE001 - whatever it is, with this change there is no module
        return NOT_VIABLE
    chosen = [items[index] for index in asked]
    return CAUGHT if _first_failure(chosen) is not None else SURVIVED


def _first_failure(chosen: list[pytest.Item]) -> pytest.Item | None:
    for item, following in zip(chosen, [*chosen[1:], None], strict=True):
        if _fails(item, following):
            return item
    return None


def _fails(item: pytest.Item, following: pytest.Item | None) -> bool:
    watch = _Watch()
    item.config.pluginmanager.register(watch)
    try:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    finally:
        item.config.pluginmanager.unregister(watch)
    return watch.has_failed


class _Watch:
    def __init__(self) -> None:
        self.has_failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure of any phase."""
        self.has_failed |= report.failed


def _baseline(items: list[pytest.Item], jobs: int) -> Baseline:
    """Run every test without a change, in children, so that nothing of it stays in this process."""
    found = Baseline({}, {}, {}, [])
    files = list(dict.fromkeys(item.path for item in items))
    with tempfile.TemporaryDirectory() as folder:
        children = {}
        for part in range(jobs):
            own = set(files[part::jobs])
            path = Path(folder) / str(part)
            children[path] = _Child(lambda: _write(path, _traced(items, own)))  # noqa: B023 - it forks at once
        for path, child in children.items():
            while (code := child.ended()) is None:
                time.sleep(0.05)
            if code != 0:
                raise RuntimeError(f"the tests ended with {code} without a change")
            part_of_it: Baseline = pickle.loads(path.read_bytes())  # noqa: S301 - this process's own child wrote it
            found.seconds.update(part_of_it.seconds)
            found.functions.update(part_of_it.functions)
            found.failed.extend(part_of_it.failed)
            for place, callers in part_of_it.callers.items():
                found.callers.setdefault(place, set()).update(callers)
    return found


def _write(path: Path, baseline: Baseline) -> int:
    path.write_bytes(pickle.dumps(baseline))
    return SURVIVED


def _traced(items: list[pytest.Item], files_of_tests: set[Path]) -> Baseline:
    files = {str(file): name for name, file in changed_modules().items()}
    files |= {str(FACADE / "_sync" / file.name): f"_sync.{file.stem}" for file in (FACADE / "_async").glob("[!_]*.py")}
    seen: set[tuple[str, str]] = set()

    def trace(frame: FrameType, event: str, argument: Any) -> None:  # noqa: ANN401 - Python's own protocol
        place = files.get(frame.f_code.co_filename)
        if place is not None:
            seen.add((place, frame.f_code.co_qualname.partition(".<locals>")[0]))

    baseline = Baseline({}, {}, {}, [])
    chosen = [(index, item) for index, item in enumerate(items) if item.path in files_of_tests]
    for (index, item), following in zip(chosen, [*(item for _, item in chosen[1:]), None], strict=True):
        seen.clear()
        begun = time.monotonic()
        threading.settrace(trace)
        sys.settrace(trace)
        try:
            failed = _fails(item, following)
        finally:
            sys.settrace(None)
            threading.settrace(None)
        seconds = time.monotonic() - begun
        if failed:
            baseline.failed.append(item.nodeid)
        elif seconds <= LONGEST_TEST:
            baseline.seconds[index] = seconds
            baseline.functions[index] = len(seen)
            for place in seen:
                baseline.callers.setdefault(place, set()).add(index)
    return baseline

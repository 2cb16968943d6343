"""Every request that the facade makes of an operation, in whatever test, is judged against the stored spec.

A request by `client.request` is the caller's own affair. Programs that tests start are not looked at. Where
openapi-core is not installed, as where the ends of the dependency ranges are tried, no request is judged:
`test_contract_requests` sees to it that they are everywhere else.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import os
import re
import signal
import uuid
from collections import deque
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from support.reporting import Progress, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dify_workflow._http.library import httpx

# Properties that say nothing else are tried with fewer examples than hypothesis would: the suite has many of them.
hypothesis.settings.register_profile("suite", max_examples=60)
hypothesis.settings.load_profile("suite")
if "MUTANT_UNDER_TEST" in os.environ:  # `make mutants` wants to know that a test fails, not the smallest example
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("mutants", max_examples=60, phases=phases)
    hypothesis.settings.load_profile("mutants")

PENDING: deque[tuple[object, httpx.Request, str]] = deque()
"""Requests that are judged when the test is over."""
# Ids and times: the spec allows them by their form, so one of each form is enough.
_DIFFERS_ONLY_IN_DIGITS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|created_at__\w+=[^&]*")


def _without_digits(match: re.Match[str]) -> str:
    return re.sub("[0-9]", "0", match[0]) if match[0].startswith("created") else "id"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a PostgreSQL server. Without a server a test is skipped; in CI it fails."""
    from support.postgresql_server import NoServerError, postgresql  # noqa: PLC0415 - loaded when needed

    with contextlib.ExitStack() as stack:
        try:
            address = stack.enter_context(postgresql())
        except NoServerError as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(error))
        yield address


@pytest.fixture
def postgresql_address(postgresql_server: str) -> str:
    """The address of a new database: what another test left there is in none."""
    import psycopg  # noqa: PLC0415 - few tests need it

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as database:
        database.execute(f"CREATE DATABASE {name}")
    return postgresql_server.rpartition("/")[0] + f"/{name}"


@pytest.fixture(scope="session", autouse=True)
def _every_request_is_judged() -> Iterator[None]:
    if importlib.util.find_spec("openapi_core") is None:
        yield
        return
    from dify_workflow._http import requests  # noqa: PLC0415 - loaded when a test runs, and not to list the tests

    build, known = requests.build_request, set()

    def judged(call: Any, *, base_url: str, **options: Any) -> Any:
        request = build(call, base_url=base_url, **options)
        if call.operation != "request":
            place = str(request.url).removeprefix(base_url.rstrip("/"))
            what = (request.method, place, str(call.json), bool(call.files), len(request.headers))
            if (kind := (*what[:1], _DIFFERS_ONLY_IN_DIGITS.sub(_without_digits, place), *what[2:])) not in known:
                known.add(kind)
                PENDING.append((what, request, base_url))
        return request

    # It is the one place where every request of both clients is made, and it cannot be passed in to all tests.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests, "build_request", judged)
        yield


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> None:
    """Load schemathesis, which takes a second, for the module whose tests it makes."""
    if module_path.name == "test_sandbox_spec.py":
        parent.config.pluginmanager.import_plugin("schemathesis.pytest.plugin")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have ids made again: mutmut collects in a process that has collected, where pytest escapes those it has kept.

    A test that is then not found ends the run with an error, which mutmut takes for a change that was noticed.
    """
    for mark in metafunc.definition.iter_markers("parametrize"):
        if mark._param_ids_from is not None:
            object.__setattr__(mark._param_ids_from, "_param_ids_generated", None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Workers begin with what takes longest, so that none is left with it at the end; one process ends with it."""
    is_worker = hasattr(config, "workerinput")
    items.sort(key=lambda item: (item.get_closest_marker("slow") is None) is is_worker)


def pytest_collection_finish() -> None:
    """Hide what was loaded until now from the garbage collector, which otherwise goes through all of it often."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Show progress, and let Ctrl-C end what tests start where a shell has this run ignore it: `nohup make test &`."""
    if os.environ.get("MUTANT_UNDER_TEST") == "stats":
        del os.environ["MUTANT_UNDER_TEST"]  # mutmut remembers it; programs that tests start record nothing
        gc.disable()  # see pytest_runtest_logfinish
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if getattr(config.option, "numprocesses", None) and terminal is not None and config.get_verbosity() == 0:
        config.pluginmanager.register(Progress(terminal))
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        with contextlib.suppress(ValueError):  # this is a thread of a worker
            signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_logfinish() -> None:
    """Collect garbage between tests while mutmut records which test calls what.

    It sets a ContextVar in each call. Before Python 3.12 garbage is collected within `ContextVar.set`, which crashes
    when a finalizer sets the same variable (github.com/python/cpython/issues/148891).
    """
    if not gc.isenabled() and gc.get_count()[0] > 100_000:
        gc.collect()


def pytest_unconfigure() -> None:
    """What was disabled is so in this run only: mutmut makes all its runs in one process."""
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep failures readable: what is compared may be a whole spec."""
    report: Any = yield
    if report.failed and item.config.get_verbosity() < 2:
        shorten(report.longrepr)
    return report


def judge_pending() -> list[str]:
    """What the spec has against the requests since the last call: they are not judged while they are being sent."""
    requests = [PENDING.popleft() for _ in range(len(PENDING))]
    if not requests:
        return []
    from support.spec_validator import validator  # noqa: PLC0415 - needs openapi-core

    return [
        f"{what}: {one}"
        for what, request, base_url in requests
        for one in validator().objections(request, base_url=base_url)
    ]


@pytest.fixture(autouse=True)
def request_objections() -> Iterator[Callable[[], list[str]]]:
    """What judges the requests of this test until now; anything that is found after it fails the test."""
    yield judge_pending
    assert judge_pending() == []

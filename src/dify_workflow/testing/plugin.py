"""pytest fixtures: a sandbox of the test's own, SDK clients of it, and environment variables that point to it.

`dify_sandbox` is the sandbox; `dify_client` and `dify_async_client` are SDK clients of it. `dify_environment` sets
`DIFY_API_KEY` and `DIFY_BASE_URL`, for applications that make their own client.

pytest loads this module in every run of an environment that has the SDK, so it imports nothing until a fixture is
used.

    def test_failed_runs_are_reported(dify_sandbox, dify_client):
        dify_sandbox.add_log(status="failed", error="boom")
        assert report(dify_client) == ["boom"]

The sandbox starts without logs. The marker `dify_sandbox` gives the arguments of `Sandbox`, such as
`@pytest.mark.dify_sandbox(version="1.16", rows=2000, seed=3)`.
"""

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from dify_workflow import AsyncDifyWorkflow, DifyWorkflow

    from . import Sandbox


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", "dify_sandbox(**arguments): arguments of the fixture's Sandbox, such as version='1.16', rows=2000"
    )


@pytest.fixture
def dify_sandbox(request: pytest.FixtureRequest) -> "Iterator[Sandbox]":
    """A running sandbox, without rows unless the marker `dify_sandbox` asks for some."""
    from . import Sandbox  # noqa: PLC0415 - see above

    marker: pytest.Mark | None = request.node.get_closest_marker("dify_sandbox")
    arguments: dict[str, Any] = {"rows": 0} if marker is None else {"rows": 0, **marker.kwargs}
    with Sandbox(**arguments) as sandbox:
        yield sandbox


@pytest.fixture
def dify_client(dify_sandbox: "Sandbox") -> "Iterator[DifyWorkflow]":
    """An SDK client of `dify_sandbox`, closed after the test."""
    with dify_sandbox.client() as client:
        yield client


@pytest.fixture
def dify_async_client(dify_sandbox: "Sandbox") -> "Iterator[AsyncDifyWorkflow]":
    """An asynchronous SDK client of `dify_sandbox`, closed after the test; for tests of any asynchronous plugin."""
    import asyncio  # noqa: PLC0415 - see above

    client = dify_sandbox.async_client()
    yield client
    loop = asyncio.new_event_loop()  # not `asyncio.run`, which would take away the event loop that other plugins set
    try:
        loop.run_until_complete(client.close())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


@pytest.fixture
def dify_environment(dify_sandbox: "Sandbox", monkeypatch: pytest.MonkeyPatch) -> "Mapping[str, str]":
    """The variables `DIFY_API_KEY` and `DIFY_BASE_URL` of `dify_sandbox`, set in the environment during the test."""
    variables = {"DIFY_API_KEY": dify_sandbox.api_key, "DIFY_BASE_URL": dify_sandbox.base_url}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables

"""pytest fixtures: `dify_sandbox`, a sandbox of the test's own, and `dify_client`, an SDK client of it.

pytest loads this module in every run of an environment that has the SDK, so it imports nothing until a fixture is
used.

    def test_failed_runs_are_reported(dify_sandbox, dify_client):
        dify_sandbox.add_log(status="failed", error="boom")
        assert report(dify_client) == ["boom"]

The sandbox starts without rows. The marker `dify_sandbox` gives the arguments of `Sandbox`, such as
`@pytest.mark.dify_sandbox(rows=2000, seed=3)`.
"""

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dify_workflow import DifyWorkflow

    from . import Sandbox


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", "dify_sandbox(**arguments): arguments of the fixture's Sandbox, such as rows=2000"
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

"""The pytest fixtures, in a pytest run of their own as a user of the SDK has it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dify_workflow import DifyWorkflow
from dify_workflow.testing import Sandbox


def run_pytest(folder: Path, test_file: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_of_a_user.py").write_text(test_file, encoding="utf-8")
    # Without the plugins that happen to be installed here; they import much themselves.
    plugin = ["-p", "dify_workflow.testing.plugin"]
    command = [sys.executable, "-m", "pytest", "-W", "error", "--strict-markers", "-p", "no:cacheprovider", *plugin]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [*command, *options], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_plugin_is_loaded_by_the_installed_sdk(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.get_plugin("dify_workflow") is sys.modules["dify_workflow.testing.plugin"]


def test_loading_the_plugin_imports_neither_sdk_nor_web(tmp_path: Path) -> None:
    result = run_pytest(
        tmp_path,
        """
        import sys

        def test_nothing_was_imported(pytestconfig):
            assert pytestconfig.pluginmanager.has_plugin("dify_workflow.testing.plugin")
            wanted = {"httpx", "starlette", "uvicorn", "attrs", "attr", "dateutil", "sqlite3", "asyncio", "ssl"}
            assert not wanted & set(sys.modules)
            ours = {name for name in sys.modules if name.startswith("dify_workflow")}
            assert ours == {
                "dify_workflow",
                "dify_workflow._version",
                "dify_workflow.testing",
                "dify_workflow.testing.plugin",
            }
        """.replace("\n        ", "\n"),
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_users_tests_get_a_sandbox_and_a_client_of_it(tmp_path: Path) -> None:
    result = run_pytest(
        tmp_path,
        """
        import pytest

        seen = []

        def test_a_new_sandbox_is_empty(dify_sandbox, dify_client):
            assert dify_client.logs.list().total == 0
            dify_sandbox.add_log(status="failed", error="boom", session_id="u-1")
            log = dify_client.logs.list(status="failed").data[0]
            assert log.workflow_run.error == "boom"
            seen.append(dify_sandbox)

        def test_the_next_one_is_another(dify_sandbox, dify_client):
            assert dify_client.logs.list().total == 0
            assert dify_sandbox is not seen[0]

        @pytest.mark.dify_sandbox(rows=40, seed=3)
        def test_a_marker_asks_for_rows(dify_client):
            assert dify_client.logs.list().total == 40
        """.replace("\n        ", "\n"),
        "-v",
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "3 passed" in result.stdout


def test_asynchronous_and_own_clients_reach_the_sandbox(tmp_path: Path) -> None:
    result = run_pytest(
        tmp_path,
        """
        import asyncio
        import os

        import pytest
        from dify_workflow import AsyncDifyWorkflow, DifyWorkflow

        async def total(client):
            return (await client.logs.list()).total

        @pytest.mark.parametrize("times", [1, 2])
        def test_an_asynchronous_client(dify_sandbox, dify_async_client, times):
            assert isinstance(dify_async_client, AsyncDifyWorkflow)
            dify_sandbox.add_log()
            for _ in range(times):
                assert asyncio.run(total(dify_async_client)) == 1

        @pytest.mark.dify_sandbox(version="1.16", rows=7, crowd=0)
        def test_a_client_of_the_applications_own(dify_sandbox, dify_environment):
            assert dify_sandbox.version == "1.16"
            assert dify_environment["DIFY_BASE_URL"] == os.environ["DIFY_BASE_URL"] == dify_sandbox.base_url
            with DifyWorkflow() as client:
                assert client.logs.list().total == 7

        def test_the_environment_is_as_before():
            assert not {"DIFY_API_KEY", "DIFY_BASE_URL"} & set(os.environ)
        """.replace("\n        ", "\n"),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "4 passed" in result.stdout


def test_a_missing_extra_is_the_error_of_the_tests_that_need_it(tmp_path: Path) -> None:
    result = run_pytest(
        tmp_path,
        """
        import sys
        sys.modules["starlette"] = None

        def test_without(): pass

        def test_with(dify_sandbox): pass
        """.replace("\n        ", "\n"),
    )
    assert "1 passed, 1 error" in result.stdout
    assert "pip install 'dify-workflow-sdk[sandbox]'" in result.stdout


def test_the_marker_is_listed(tmp_path: Path) -> None:
    result = run_pytest(tmp_path, "", "--markers")
    assert "@pytest.mark.dify_sandbox" in result.stdout


def test_the_fixtures_work_together_here(dify_sandbox: Sandbox, dify_client: DifyWorkflow) -> None:
    dify_sandbox.add_log()
    assert dify_client.logs.list().total == 1


@pytest.mark.dify_sandbox(rows=3)
class TestAMarkedClass:
    def test_its_tests_get_the_rows(self, dify_client: DifyWorkflow) -> None:
        assert dify_client.logs.list().total == 3

    @pytest.mark.dify_sandbox(rows=5)
    def test_the_closest_marker_counts(self, dify_client: DifyWorkflow) -> None:
        assert dify_client.logs.list().total == 5

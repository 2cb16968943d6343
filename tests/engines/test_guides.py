"""The guides with the blocks that need this environment: the default suite runs the others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.documented_code import ROOT, Page, sandbox_arguments
from support.spark_session import KEY, repeated

from dify_workflow.export import export
from dify_workflow.testing import Sandbox

GUIDES = ROOT / "docs" / "guides"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """What runs a guide in an empty folder, on a sandbox."""

    def run_guide(name: str) -> None:
        path = GUIDES / name
        monkeypatch.chdir(tmp_path)
        with Sandbox(api_key=KEY, **sandbox_arguments(path.read_text("utf-8"))) as sandbox:
            monkeypatch.setenv("DIFY_API_KEY", KEY)
            monkeypatch.setenv("DIFY_BASE_URL", sandbox.base_url)
            assert Page(path, tmp_path, sandbox, has_engines=True).run()

    return run_guide


@pytest.mark.usefixtures("spark")
def test_the_guide_of_spark_runs(run: Any, folder: Path) -> None:
    repeated(lambda: run("spark.md"))
    assert list((folder / "lake" / "logs").glob("*.parquet"))


@pytest.mark.parametrize("name", ["dlt.md", "recipes-data.md", "data-engines.md"])
def test_a_guide_runs(name: str, run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "home"))
    run(name)


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    with Sandbox(rows=20) as sandbox, sandbox.client() as client:
        export(client, tmp_path / "logs.sqlite")
    return tmp_path / "logs.sqlite"


def test_datasette_shows_an_export(exported: Path) -> None:
    datasette = str(Path(sys.executable).with_name("datasette"))
    command = [datasette, str(exported), "--get", "/logs/workflow_logs.json?_shape=array&_size=3"]
    rows = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert len(rows) == 3
    assert {"id", "run_status", "user"} <= rows[0].keys()
